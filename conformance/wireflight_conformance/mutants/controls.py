"""What the specification allows, and what no case may therefore mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.mutants import control
from wireflight_conformance.mutants.rewriting import (
    Document,
    Sent,
    document_control,
    sent_control,
)

if TYPE_CHECKING:
    from wireflight.asgi import Message, Receive, Scope, Send
    from wireflight_conformance.embedded.server import App


@sent_control("writes header names in capitals and adds fields of its own")
def header_case(sent: Sent) -> None:
    """Respell the names."""
    sent.headers = [(name.title(), value) for name, value in sent.headers]
    sent.headers.append((b"Server", b"other"))


@document_control("adds a member that this version does not define")
def additional_members(document: Document, _: Sent) -> None:
    """Add a member."""
    document["then"] = {"new": [1]}


@control("sends bodies in several chunks")
def chunked_bodies(app: App) -> App:
    """Wrap the app."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(n, v) for n, v in message["headers"] if n != b"content-length"]
                if message["status"] != 204:
                    message = {**message, "headers": headers}
            body = message.get("body", b"")
            if message["type"] == "http.response.body" and len(body) > 1:
                await send({**message, "body": body[:1], "more_body": True})
                message = {**message, "body": body[1:]}
            await send(message)

        await app(scope, receive, sending)

    return wrapped
