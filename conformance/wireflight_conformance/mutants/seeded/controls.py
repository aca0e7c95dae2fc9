"""What the specification allows, and what no case may therefore mind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.mutants import control
from wireflight_conformance.mutants.rewriting import Sent, editing_documents, rewriting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireflight.asgi import Message, Receive, Scope, Send
    from wireflight_conformance.embedded.server import App
    from wireflight_conformance.wire.values import Value


@control("writes header names in capitals and adds fields of its own")
def header_case(app: App) -> App:
    """Wrap the app."""

    def edit(sent: Sent) -> None:
        sent.headers = [(name.title(), value) for name, value in sent.headers]
        sent.headers.append((b"Server", b"other"))
        sent.headers.append((b"Date", b"Fri, 20 Nov 2026 09:00:00 GMT"))

    return rewriting(app, edit)


@control("adds members that this version does not define, and turns their order round")
def additional_members(app: App) -> App:
    """Wrap the app."""

    def edit(document: dict[str, Value], _: Sent) -> Mapping[str, Value]:
        document["then"] = {"new": [1]}
        return dict(reversed(document.items()))

    return editing_documents(app, edit)


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
