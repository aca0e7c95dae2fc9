"""ASGI wrappers in which mutants are written: what came in, what goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wireflight_conformance.wire.codec import CodecError, decode, encode
from wireflight_conformance.wire.plain import read_plain, write_plain
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT

if TYPE_CHECKING:
    from wireflight.asgi import Message, Receive, Scope, Send
    from wireflight_conformance.embedded.server import App
    from wireflight_conformance.wire.values import Value

__all__ = ["Sent", "editing_documents", "is_wireflight", "rescoping", "rewriting"]


@dataclass(slots=True)
class Sent:
    """A whole response, on its way out."""

    scope: Scope
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""
    request_body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """Return the path of the request."""
        return str(self.scope["path"])

    def request_header(self, name: str) -> str | None:
        """Return a field of the request."""
        found = [v for n, v in self.scope["headers"] if n == name.lower().encode()]
        return found[0].decode("latin-1") if found else None

    def header(self, name: str) -> str | None:
        """Return a field, None if it is not there."""
        found = [v for n, v in self.headers if n.lower() == name.lower().encode()]
        return found[0].decode("latin-1") if found else None

    def drop(self, name: str) -> None:
        """Take a field away."""
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower().encode()]

    def put(self, name: str, value: str) -> None:
        """Give a field this one value."""
        self.drop(name)
        self.headers.append((name.lower().encode(), value.encode("latin-1")))

    @property
    def document(self) -> Value:
        """Return the body's value, undefined if it has none that can be read."""
        try:
            is_plain = (self.header("content-type") or "").startswith(PLAIN)
            return read_plain(self.body) if is_plain else decode(self.body)
        except CodecError:
            return None

    @document.setter
    def document(self, value: Value) -> None:
        is_plain = (self.header("content-type") or "").startswith(PLAIN)
        self.body = (write_plain(value) if is_plain else encode(value)).encode()


def rewriting(app: App, edit: Callable[[Sent], None]) -> App:
    """Return an app that sends each response of `app` as `edit` leaves it."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        sent = Sent(scope, 500, [])
        taken = bytearray()

        async def receiving() -> Message:
            message = await receive()
            taken.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent.status = message["status"]
                sent.headers = [(bytes(n), bytes(v)) for n, v in message["headers"]]
                return
            sent.body += message.get("body", b"")
            if message.get("more_body"):
                return
            sent.request_body = bytes(taken)
            edit(sent)
            if sent.header("content-length") is not None:
                sent.put("content-length", str(len(sent.body)))
            await send(
                {"type": "http.response.start", "status": sent.status, "headers": sent.headers}
            )
            await send({"type": "http.response.body", "body": sent.body})

        await app(scope, receiving, sending)

    return wrapped


def editing_documents(
    app: App, edit: Callable[[dict[str, Value], Sent], Mapping[str, Value] | None]
) -> App:
    """Return an app whose documents are what `edit` returns for them; None leaves one as it is."""

    def rewrite(sent: Sent) -> None:
        document = sent.document
        if isinstance(document, Mapping):
            changed = edit(dict(document), sent)
            if changed is not None:
                sent.document = changed

    return rewriting(app, rewrite)


def rescoping(app: App, edit: Callable[[Scope], Scope]) -> App:
    """Return an app that sees each request's scope as `edit` returns it."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        await app(edit(scope) if scope["type"] == "http" else scope, receive, send)

    return wrapped


def is_wireflight(sent: Sent) -> bool:
    """Tell whether the response is in Wireflight encoding."""
    return (sent.header("content-type") or "").startswith(WIREFLIGHT)
