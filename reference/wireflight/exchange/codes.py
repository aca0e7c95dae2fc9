"""The closed table of error codes, and the refusal that names one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from wireflight.errors import DecodeError, WireflightError
from wireflight.messages import ErrorBody

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MESSAGES", "STATUSES", "ErrorCode", "Refusal", "error_body", "refuse_undecodable"]


class ErrorCode(StrEnum):
    """Every code of the protocol.

    Spec: ERR-1.
    """

    INVALID_REQUEST = "invalid_request"
    UNSUPPORTED_VERSION = "unsupported_version"
    INVALID_PAYLOAD = "invalid_payload"
    NON_CANONICAL = "non_canonical"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    INVALID_ARGUMENT = "invalid_argument"
    INVALID_KEY = "invalid_key"
    NOT_REFRESHABLE = "not_refreshable"
    REFRESH_LIMIT = "refresh_limit"
    FORBIDDEN_HOST = "forbidden_host"
    FORBIDDEN_ORIGIN = "forbidden_origin"
    UNKNOWN_FUNCTION = "unknown_function"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TIMEOUT = "body_timeout"
    CONTRACT_MISMATCH = "contract_mismatch"
    BODY_TOO_LARGE = "body_too_large"
    PAYLOAD_TOO_LONG = "payload_too_long"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    HEADERS_TOO_LARGE = "headers_too_large"
    INTERNAL = "internal"
    REDIRECT_IN_COMMAND = "redirect_in_command"
    INVALID_REDIRECT = "invalid_redirect"
    UNENCODABLE_RESULT = "unencodable_result"
    RESPONSE_TOO_LARGE = "response_too_large"
    COOKIE_IN_QUERY = "cookie_in_query"
    HANDLER_TIMEOUT = "handler_timeout"


_TABLE: Final[dict[ErrorCode, tuple[int, str]]] = {
    ErrorCode.INVALID_REQUEST: (400, "The request is not of the form that its call has."),
    ErrorCode.UNSUPPORTED_VERSION: (400, "This server does not speak that version."),
    ErrorCode.INVALID_PAYLOAD: (400, "The text does not decode."),
    ErrorCode.NON_CANONICAL: (400, "The payload is not the canonical one of its argument."),
    ErrorCode.TOO_DEEP: (400, "The argument is too deep."),
    ErrorCode.TOO_LARGE: (400, "The argument or list has too many parts."),
    ErrorCode.INVALID_ARGUMENT: (400, "The argument is not valid."),
    ErrorCode.INVALID_KEY: (400, "This is not a key."),
    ErrorCode.NOT_REFRESHABLE: (400, "This function is not a query."),
    ErrorCode.REFRESH_LIMIT: (400, "This is more than the server refreshes for one command."),
    ErrorCode.FORBIDDEN_HOST: (403, "This server does not answer for that host."),
    ErrorCode.FORBIDDEN_ORIGIN: (403, "This origin may not call."),
    ErrorCode.UNKNOWN_FUNCTION: (404, "There is no such function."),
    ErrorCode.METHOD_NOT_ALLOWED: (405, "This function does not take that method."),
    ErrorCode.BODY_TIMEOUT: (408, "The body came too slowly."),
    ErrorCode.CONTRACT_MISMATCH: (409, "The function has changed since the client was built."),
    ErrorCode.BODY_TOO_LARGE: (413, "The body is too long."),
    ErrorCode.PAYLOAD_TOO_LONG: (414, "The argument is too long for a URL: use POST."),
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: (415, "The body is of another type or encoding."),
    ErrorCode.HEADERS_TOO_LARGE: (431, "The header fields are too long."),
    ErrorCode.INTERNAL: (500, "An unexpected failure."),
    ErrorCode.REDIRECT_IN_COMMAND: (500, "A command redirected."),
    ErrorCode.INVALID_REDIRECT: (500, "The function redirected to a place that is not allowed."),
    ErrorCode.UNENCODABLE_RESULT: (500, "The result cannot be sent."),
    ErrorCode.RESPONSE_TOO_LARGE: (500, "The result is too long to be sent."),
    ErrorCode.COOKIE_IN_QUERY: (500, "A query set a cookie."),
    ErrorCode.HANDLER_TIMEOUT: (504, "The function took too long."),
}

STATUSES: Final[Mapping[ErrorCode, int]] = {code: row[0] for code, row in _TABLE.items()}
"""The HTTP status of each code."""

MESSAGES: Final[Mapping[ErrorCode, str]] = {code: row[1] for code, row in _TABLE.items()}
"""What each code says to a person: fixed texts, so that nothing of a request is in them (ERR-5)."""


def error_body(
    code: ErrorCode,
    *,
    id: str | None = None,  # noqa: A002 - the wire's word
    limit: str | None = None,
    position: str | None = None,
    supported: tuple[int, ...] | None = None,
) -> ErrorBody:
    """Make the error of a code, with its fixed message."""
    return ErrorBody(
        status=STATUSES[code],
        code=code.value,
        message=MESSAGES[code],
        id=id,
        limit=limit,
        position=position,
        supported=supported,
    )


class Refusal(WireflightError):  # noqa: N818 - named after what it is
    """A request is refused, with the error that its client gets.

    Attributes:
        body: The error.
        allowed_methods: The methods of the path, where the method was wrong.
    """

    def __init__(
        self,
        code: ErrorCode,
        *,
        limit: str | None = None,
        position: str | None = None,
        supported: tuple[int, ...] | None = None,
        allowed_methods: str | None = None,
    ) -> None:
        super().__init__(code.value)
        self.body = error_body(code, limit=limit, position=position, supported=supported)
        self.allowed_methods = allowed_methods


def refuse_undecodable(error: DecodeError) -> Refusal:
    """Make the refusal of a text that does not decode.

    Spec: ERR-4, ERR-5.
    """
    return Refusal(ErrorCode(error.code.value), limit=error.limit, position=error.position or None)
