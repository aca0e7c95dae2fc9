"""Responses: an envelope in an encoding, with every header field that it needs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import msgspec

from wireflight.codec import dumps, plain_dumps
from wireflight.errors import EncodeError
from wireflight.exchange.codes import ErrorCode, Refusal, error_body
from wireflight.exchange.media import CONTENT_TYPES
from wireflight.exchange.settings import SUPPORTED_VERSIONS, Encoding, Settings
from wireflight.limits import Limits
from wireflight.messages import (
    ErrorBody,
    ErrorEnvelope,
    Fail,
    InvalidateAll,
    InvalidateKey,
    Redirect,
    RedirectEnvelope,
    ResultEnvelope,
    SetValue,
    Update,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight.exchange.head import RequestHead

__all__ = ["Header", "Replier", "Reply"]

Header = tuple[bytes, bytes]

_COMMON: Final[tuple[Header, ...]] = (
    (b"cache-control", b"private, no-store"),  # SEC-4
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"vary", b"Accept, Origin, Sec-Fetch-Site"),  # SEC-5
    (b"wireflight-version", str(SUPPORTED_VERSIONS[-1]).encode("ascii")),  # VER-1
)
_CORS_METHODS: Final = (b"access-control-allow-methods", b"GET, POST")
_CORS_HEADERS: Final = (
    b"access-control-allow-headers",
    (
        b"Content-Type, Wireflight-Version, Wireflight-Build, Wireflight-Contract, "
        b"Wireflight-Accept, Wireflight-Page"
    ),
)
_UNBOUNDED: Final = Limits(response_bytes=sys.maxsize)
_NOTHING: Final[dict[Encoding, bytes]] = {
    "wireflight": b'[{"type":1,"value":2,"at":3},"result",null,"%s"]',
    "plain": b'{"type":"result","value":null,"at":"%s"}',
}
"""The envelope of a result of null without updates, but for its stamp."""

_WEIGHTY: Final = (SetValue, Fail, Redirect)


class Reply(msgspec.Struct, frozen=True):
    """One response: its status, header fields and body."""

    status: int
    headers: list[Header]
    body: bytes


class Unencodable(Exception):  # noqa: N818 - named after what it is
    """The result of a call, not one of its updates, cannot be encoded."""

    def __init__(self, path: Sequence[str | int]) -> None:
        super().__init__("the result cannot be encoded")
        self.path = tuple(path)


class Replier:
    """Makes the responses of one server."""

    __slots__ = ("_common", "_settings")

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        common = list(_COMMON)
        if settings.build is not None:  # VER-4
            common.append((b"wireflight-build", settings.build.encode("ascii")))
        self._common: dict[Encoding, tuple[Header, ...]] = {
            encoding: ((b"content-type", content_type), *common)
            for encoding, content_type in CONTENT_TYPES.items()
        }

    def reply(
        self,
        head: RequestHead,
        status: int,
        body: bytes,
        *,
        cookies: Sequence[bytes] = (),
        extra: Sequence[Header] = (),
    ) -> Reply:
        """Make a response of a body in the request's encoding.

        Spec: SEC-4, SEC-5, SEC-8, VER-1, VER-4, HTTP-10.
        """
        headers = [
            *self._common[head.encoding],
            (b"content-length", str(len(body)).encode("ascii")),
        ]
        if head.is_allowed_origin:
            headers += self._cors(head)
        if extra:
            headers += extra
        for cookie in cookies:
            headers.append((b"set-cookie", cookie))
        return Reply(status, headers, body)

    @staticmethod
    def _cors(head: RequestHead) -> Sequence[Header]:
        return (
            (b"access-control-allow-origin", head.fields[b"origin"]),
            (b"access-control-allow-credentials", b"true"),
        )

    def preflight(self, head: RequestHead) -> Reply:
        """Answer OPTIONS of an allowed origin.

        Spec: SEC-7.
        """
        headers = [*self._common[head.encoding][1:], *self._cors(head)]
        return Reply(204, [*headers, _CORS_METHODS, _CORS_HEADERS], b"")

    def refusal(self, head: RequestHead, refusal: Refusal) -> Reply:
        """Answer a request that no handler sees.

        Spec: ERR-2, ENV-2, SEC-11.
        """
        extra: Sequence[Header] = ()
        if refusal.allowed_methods is not None:
            extra = ((b"allow", refusal.allowed_methods.encode("ascii")),)
        return self.error(head, refusal.body, extra=extra)

    def error(
        self,
        head: RequestHead,
        error: ErrorBody,
        *,
        updates: Sequence[Update] = (),
        cookies: Sequence[bytes] = (),
        extra: Sequence[Header] = (),
    ) -> Reply:
        """Answer with an error.

        Spec: ENV-2, UPD-9.
        """
        try:
            body = self.encode(head, ErrorEnvelope(error, updates).as_value())
        except EncodeError:
            # Only what a hook added can be unfit to be sent.
            error = msgspec.structs.replace(error, extra=None)
            body = self.encode(head, ErrorEnvelope(error, updates).as_value())
        if len(body) > self._settings.limits.response_bytes and updates:
            body = self.encode(head, ErrorEnvelope(error, (InvalidateAll(),)).as_value())
        return self.reply(head, error.status, body, cookies=cookies, extra=extra)

    def redirect(self, head: RequestHead, location: str) -> Reply:
        """Answer a query that redirects.

        Spec: ENV-2, ENV-4.
        """
        return self.reply(head, 200, self.encode(head, RedirectEnvelope(location).as_value()))

    def document(self, head: RequestHead, value: object) -> Reply:
        """Answer with a document that is no envelope, such as the manifest."""
        return self.reply(head, 200, self.encode(head, value))

    def result(
        self,
        head: RequestHead,
        value: object,
        at: str,
        *,
        updates: Sequence[Update] = (),
        cookies: Sequence[bytes] = (),
    ) -> Reply:
        """Answer with a result, and what of its updates can be sent and fits.

        Raises:
            Unencodable: When the result cannot be encoded.
            Refusal: `response_too_large`, when it does not fit.

        Spec: ENV-2, ENV-8, UPD-8, UPD-12, UPD-13.
        """
        if value is None and not updates:
            # What most commands return that refresh nothing.
            nothing = _NOTHING[head.encoding] % at.encode("ascii")
            return self.reply(head, 200, nothing, cookies=cookies)
        updates = list(updates)
        while True:
            try:
                body = self._fitting(head, ResultEnvelope(value, at, updates))
                if body is None:
                    body = self._shortened(head, value, at, updates)
                break
            except EncodeError as error:
                path = error.path
                if len(path) < 2 or path[0] != "updates":
                    raise Unencodable(path[1:]) from error
                # A value that cannot be encoded spoils itself alone (UPD-8).
                index = int(path[1])
                failed = error_body(ErrorCode.UNENCODABLE_RESULT)
                updates[index] = Fail(_key_of(updates[index]), failed)
        return self.reply(head, 200, body, cookies=cookies)

    def _fitting(self, head: RequestHead, envelope: ResultEnvelope) -> bytes | None:
        """Return the text of an envelope, or None if it is longer than a response may be."""
        try:
            body = self.encode(head, envelope.as_value(), is_bounded=True)
        except EncodeError as error:
            if error.limit is None:
                raise
            return None
        return None if len(body) > self._settings.limits.response_bytes else body

    def _shortened(
        self, head: RequestHead, value: object, at: str, updates: Sequence[Update]
    ) -> bytes:
        """Replace as few updates as it takes, last first.

        Every replacement makes the text shorter, so the number is found by halving.

        Spec: UPD-12.
        """
        weighty = [i for i, update in enumerate(updates) if isinstance(update, _WEIGHTY)]
        fitting: bytes | None = None
        low, high = 1, len(weighty)
        while low <= high:
            count = (low + high) // 2
            replaced = list(updates)
            for index in weighty[len(weighty) - count :]:
                replaced[index] = InvalidateKey(_key_of(updates[index]))
            body = self._fitting(head, ResultEnvelope(value, at, replaced))
            if body is not None:
                fitting, high = body, count - 1
            else:
                low = count + 1
        if fitting is None:
            raise Refusal(ErrorCode.RESPONSE_TOO_LARGE, limit="response_bytes")
        return fitting

    def encode(self, head: RequestHead, value: object, *, is_bounded: bool = False) -> bytes:
        """Write a document in the encoding of the response.

        Args:
            head: The request's.
            value: The document.
            is_bounded: Whether a text longer than `response_bytes` may be given up early,
                as plain JSON must be, which writes out what is shared.

        Raises:
            EncodeError: When a value in it cannot be encoded, or the text was given up.

        Spec: HTTP-10, VAL-8, PLAIN-3.
        """
        extensions = self._settings.extensions
        if head.encoding == "plain":
            limits = self._settings.limits if is_bounded else _UNBOUNDED
            return plain_dumps(value, extensions=extensions, limits=limits)
        accept = head.accepted_names() if extensions is not None else ()
        return dumps(value, extensions=extensions, accept=accept).encode()


def _key_of(update: Update) -> str:
    if isinstance(update, (SetValue, Fail, Redirect)):
        return update.key
    raise TypeError("only an update of one instance has a value")
