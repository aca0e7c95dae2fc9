"""The order of checks: everything that a request must pass before its body is read.

The stages stand in one table, and its order is the order of CHK-1. Each looks at the head
alone, so none waits for the body (CHK-2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wireflight.exchange.codes import ErrorCode, Refusal
from wireflight.exchange.head import MANIFEST, RequestHead
from wireflight.exchange.media import body_encoding
from wireflight.exchange.origin import is_host_allowed, is_listed_origin, is_origin_allowed
from wireflight.exchange.settings import SUPPORTED_VERSIONS, Settings

__all__ = ["STAGES", "admit"]

_VERSIONS: Final = frozenset(str(version).encode("ascii") for version in SUPPORTED_VERSIONS)
_SPACE: Final = b" \t"
_MAX_DIGITS: Final = 18


def check_host(head: RequestHead, settings: Settings) -> None:
    """Spec: SEC-1."""
    if not is_host_allowed(head, settings):
        raise Refusal(ErrorCode.FORBIDDEN_HOST)


def check_route(head: RequestHead, settings: Settings) -> None:
    """Spec: HTTP-1, ERR-6."""
    if head.path is not None:
        head.entry = settings.registry.find(head.path)
        if head.entry is not None:
            return
        if head.path == MANIFEST:
            head.is_manifest = True
            return
    raise Refusal(ErrorCode.UNKNOWN_FUNCTION)


def check_method(head: RequestHead, settings: Settings) -> None:
    """Spec: HTTP-2, SEC-7, SEC-11, MAN-1."""
    method, entry = head.method, head.entry
    if method == "OPTIONS":  # answered without the other stages
        if not head.is_allowed_origin:
            raise Refusal(ErrorCode.FORBIDDEN_ORIGIN)
    elif entry is None:
        if method != "GET":
            raise Refusal(ErrorCode.METHOD_NOT_ALLOWED, allowed_methods="GET")
    elif method != "POST":
        if not entry.is_query:
            raise Refusal(ErrorCode.METHOD_NOT_ALLOWED, allowed_methods="POST")
        if method != "GET":
            raise Refusal(ErrorCode.METHOD_NOT_ALLOWED, allowed_methods="GET, POST")


def check_origin(head: RequestHead, settings: Settings) -> None:
    """Spec: SEC-2, SEC-3."""
    if not is_origin_allowed(head, settings):
        raise Refusal(ErrorCode.FORBIDDEN_ORIGIN)


def check_version(head: RequestHead, settings: Settings) -> None:
    """Spec: VER-2."""
    version = head.fields.get(b"wireflight-version")
    if version is not None and (version not in _VERSIONS or b"wireflight-version" in head.repeated):
        raise Refusal(ErrorCode.UNSUPPORTED_VERSION, supported=SUPPORTED_VERSIONS)


def check_contract(head: RequestHead, settings: Settings) -> None:
    """Spec: VER-5."""
    contract = head.fields.get(b"wireflight-contract")
    if contract is not None and head.entry is not None:
        own = head.entry.contract.encode("ascii")
        if any(part.strip(_SPACE) != own for part in contract.split(b",")):
            raise Refusal(ErrorCode.CONTRACT_MISMATCH)


def check_media_type(head: RequestHead, settings: Settings) -> None:
    """Spec: HTTP-5, HTTP-8."""
    if head.method == "GET":
        return
    fields = head.fields
    content_type = fields.get(b"content-type")
    if (
        content_type is None
        or b"content-type" in head.repeated
        or body_encoding(content_type) is None
    ):
        raise Refusal(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
    coding = fields.get(b"content-encoding")
    if coding is not None and (
        coding.lower() != b"identity" or b"content-encoding" in head.repeated
    ):
        raise Refusal(ErrorCode.UNSUPPORTED_MEDIA_TYPE)


def check_head_limits(head: RequestHead, settings: Settings) -> None:
    """Spec: LIM-1, LIM-3, LIM-4."""
    limits = settings.limits
    if head.header_bytes > limits.header_bytes:
        raise Refusal(ErrorCode.HEADERS_TOO_LARGE, limit="header_bytes")
    if head.query and head.method == "GET" and head.entry is not None:
        for name, value in head.query:
            if (
                name in (b"payload", b"arg")
                and value is not None
                and len(value) > limits.get_payload_chars
                and len(value.decode("utf-8", "replace")) > limits.get_payload_chars
            ):
                raise Refusal(ErrorCode.PAYLOAD_TOO_LONG, limit="get_payload_chars")
    if head.method == "POST":
        length = head.fields.get(b"content-length")
        # What is no number is for the HTTP layer to refuse; the bytes are counted anyway.
        if length is not None and length.isdigit() and _exceeds(length, limits.body_bytes):
            raise Refusal(ErrorCode.BODY_TOO_LARGE, limit="body_bytes")


def _exceeds(digits: bytes, limit: int) -> bool:
    """Compare without reading a number of any length."""
    if len(digits) > _MAX_DIGITS:
        digits = digits.lstrip(b"0")
    return len(digits) > _MAX_DIGITS or int(digits or b"0") > limit


Stage = Callable[[RequestHead, Settings], None]

STAGES: Final[dict[str, Stage]] = {
    "host": check_host,
    "route": check_route,
    "method": check_method,
    "origin": check_origin,
    "version": check_version,
    "contract": check_contract,
    "media type": check_media_type,
    "limits": check_head_limits,
}
"""The stages of CHK-1 that need no body, in its order."""

_PREFLIGHT_ENDS_AFTER: Final = "method"


def admit(head: RequestHead, settings: Settings) -> None:
    """Let a request pass every check that needs no body.

    After this, `head.entry` is the function, or `head.is_manifest` is true.

    Raises:
        Refusal: With the error of the first stage that fails.

    Spec: CHK-1, CHK-2.
    """
    head.is_allowed_origin = is_listed_origin(head, settings)
    if head.method == "OPTIONS":
        _admit_preflight(head, settings)
        return
    for check in STAGES.values():
        check(head, settings)


def _admit_preflight(head: RequestHead, settings: Settings) -> None:
    """Spec: SEC-7."""
    for name, check in STAGES.items():
        check(head, settings)
        if name == _PREFLIGHT_ENDS_AFTER:
            return
