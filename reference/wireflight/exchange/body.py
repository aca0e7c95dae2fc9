"""The body of a request: counted while it arrives, then read as a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from wireflight.codec import canonical, decode_payload, loads, plain_loads
from wireflight.errors import DecodeError
from wireflight.exchange.codes import ErrorCode, Refusal, refuse_undecodable
from wireflight.exchange.media import body_encoding
from wireflight.exchange.structure import check_argument
from wireflight.functions import Query, RequestedKey
from wireflight.functions.updates import RefusalReason
from wireflight.keys import KeyFormatError, parse_key
from wireflight.messages import MalformedDocument, read_command_body, read_query_body

if TYPE_CHECKING:
    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Encoding, Settings
    from wireflight.functions import FunctionEntry

__all__ = ["BodyReader", "Call", "judge_requested_key", "read_call"]

UNDEFINED: Final = msgspec.UNSET
_UNCHANGING: Final = frozenset((int, str, float, bool))
_MAX_REMEMBERED_CHARS: Final = 64
_MAX_REMEMBERED: Final = 1024


class BodyReader:
    """Collects the pieces of a body and refuses it as soon as it is too long."""

    __slots__ = ("_limit", "_pieces", "_size")

    def __init__(self, settings: Settings) -> None:
        self._limit = settings.limits.body_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> None:
        """Take the next bytes.

        Raises:
            Refusal: `body_too_large`, when there are more than the limit allows.

        Spec: LIM-2.
        """
        self._size += len(piece)
        if self._size > self._limit:
            raise Refusal(ErrorCode.BODY_TOO_LARGE, limit="body_bytes")
        self._pieces.append(piece)

    def text(self) -> bytes:
        """Return all of it."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


class Call(msgspec.Struct, frozen=True):
    """What a request asks for, decoded and not yet validated.

    Attributes:
        argument: The argument.
        key: The key of a query, if its argument came as a payload.
        requested: The keys that a command shall refresh, judged as far as that goes.
    """

    argument: object
    key: str | None = None
    requested: Sequence[RequestedKey] = ()


def read_call(
    head: RequestHead, entry: FunctionEntry, body: bytes | None, settings: Settings
) -> Call:
    """Decode the call of an admitted request.

    Args:
        head: The head, which `admit` let pass.
        entry: The function that it names.
        body: The body, or None for a GET.
        settings: The server's.

    Raises:
        Refusal: With an error of the stages decode and canonical.

    Spec: CHK-1, HTTP-4, HTTP-6, KEY-5.
    """
    try:
        if body is None:
            return _read_get(head, entry, settings)
        _refuse_url_argument(head)
        encoding: Encoding = body_encoding(head.fields[b"content-type"]) or "plain"
        value = _decode_body(body, encoding, settings)
        if not entry.is_query:
            document = read_command_body(value)
            check_argument(document.argument, settings.limits)
            if len(document.refreshes) > settings.limits.refresh_keys:  # REQ-1
                raise Refusal(ErrorCode.TOO_LARGE, limit="refresh_keys")
            requested = [judge_requested_key(key, settings) for key in document.refreshes]
            return Call(document.argument, None, requested)
        query = read_query_body(value, takes_argument=encoding == "plain")
        if query.payload is None:
            check_argument(query.argument, settings.limits)
            return Call(_normal_form(query.argument, settings))
        return _read_payload(entry.function_id, query.payload, settings)
    except DecodeError as error:
        raise refuse_undecodable(error) from error
    except MalformedDocument as error:
        raise Refusal(ErrorCode.INVALID_REQUEST) from error


def _decode_body(body: bytes, encoding: Encoding, settings: Settings) -> object:
    if encoding == "plain":
        return plain_loads(body, limits=settings.body_limits)
    return loads(body, limits=settings.body_limits, extensions=settings.extensions)


def _refuse_url_argument(head: RequestHead) -> None:
    for name, _ in head.query:
        if name in (b"payload", b"arg"):
            raise Refusal(ErrorCode.INVALID_REQUEST)


def _read_get(head: RequestHead, entry: FunctionEntry, settings: Settings) -> Call:
    if not head.query:
        return Call(UNDEFINED)
    if len(head.query) == 1 and head.query[0][0] == b"payload" and head.query[0][1] is not None:
        return _read_payload(entry.function_id, head.query[0][1].decode("latin-1"), settings)
    payloads, arguments = head.parameters(b"payload"), head.parameters(b"arg")
    if len(payloads) + len(arguments) > 1:
        raise Refusal(ErrorCode.INVALID_REQUEST)
    if payloads:
        if payloads[0] is None:
            raise Refusal(ErrorCode.INVALID_PAYLOAD)
        return _read_payload(entry.function_id, payloads[0].decode("latin-1"), settings)
    if arguments:
        if arguments[0] is None:
            raise Refusal(ErrorCode.INVALID_PAYLOAD)
        argument = plain_loads(arguments[0], limits=settings.limits)
        return Call(_normal_form(argument, settings))
    return Call(UNDEFINED)


def _decode_argument(payload: str, settings: Settings) -> object:
    """Decode a payload as KEY-5 says.

    Most queries have one number or name as their argument, and few are asked for often: what
    short payloads decode to is remembered where nothing can change it.
    """
    argument = settings.arguments.get(payload, UNDEFINED)
    if argument is UNDEFINED:
        argument = decode_payload(payload, limits=settings.limits, extensions=settings.extensions)
        if type(argument) in _UNCHANGING and len(payload) <= _MAX_REMEMBERED_CHARS:
            if len(settings.arguments) >= _MAX_REMEMBERED:
                settings.arguments.clear()
            settings.arguments[payload] = argument
    return argument


def _read_payload(function_id: str, payload: str, settings: Settings) -> Call:
    argument = _decode_argument(payload, settings)
    # The characters were checked, so the key is well-formed (KEY-6).
    return Call(argument, f"{function_id}/{payload}")


def _normal_form(argument: object, settings: Settings) -> object:
    """Put the argument of a query that came in plain JSON into the form that has its key.

    Spec: PLAIN-1 step 7.
    """
    if isinstance(argument, (list, dict)):
        return loads(canonical(argument, limits=settings.limits), is_request=False)
    return 0 if argument == 0 and isinstance(argument, float) else argument


def judge_requested_key(key: str, settings: Settings) -> RequestedKey:
    """Judge a requested key as far as that can be done without a handler.

    Spec: REQ-3, steps 1 to 3.
    """
    try:
        function_id, payload = parse_key(key)
    except KeyFormatError:
        return RequestedKey(key, refusal=RefusalReason.INVALID_KEY)
    entry = settings.registry.find(function_id)
    if entry is None:
        return RequestedKey(key, refusal=RefusalReason.UNKNOWN_FUNCTION)
    query = entry.function
    if not isinstance(query, Query):
        return RequestedKey(key, refusal=RefusalReason.NOT_REFRESHABLE)
    try:
        argument = _decode_argument(payload, settings)
    except DecodeError as error:
        return RequestedKey(
            key,
            refusal=RefusalReason(error.code.value),
            limit=error.limit,
            position=error.position,
        )
    return RequestedKey(key, query, argument)
