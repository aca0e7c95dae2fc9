"""Mutants and controls made of ASGI middleware: what comes in, and what goes out, is altered.

Each decorator registers a function that does nothing but the alteration::

    @sent_mutant("SEC-4", "sends errors without nosniff")
    def errors_without_nosniff(sent: Sent) -> None:
        if sent.status >= 400:
            sent.drop("x-content-type-options")
"""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from wireflight_conformance.mutants import control, mutant
from wireflight_conformance.wire.codec import CodecError, decode, encode
from wireflight_conformance.wire.plain import read_plain, write_plain
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT

if TYPE_CHECKING:
    from wireflight.asgi import Message, Receive, Scope, Send
    from wireflight_conformance.embedded.server import App
    from wireflight_conformance.wire.values import Value

__all__ = [
    "Document",
    "Edit",
    "Sent",
    "came_mutant",
    "document_control",
    "document_mutant",
    "rescoping",
    "rewriting",
    "sent_control",
    "sent_mutant",
    "take_faults",
]

Document: TypeAlias = "dict[str, Value]"


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
        self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Send a field beside those of its name that are there."""
        self.headers.append((name.lower().encode(), value.encode("latin-1")))

    @property
    def is_wireflight(self) -> bool:
        """Whether the response is in Wireflight encoding."""
        return (self.header("content-type") or "").lower().startswith(WIREFLIGHT)

    @property
    def document(self) -> Value:
        """Return the body's value, null if it has none that can be read."""
        try:
            is_plain = (self.header("content-type") or "").lower().startswith(PLAIN)
            return read_plain(self.body) if is_plain else decode(self.body)
        except CodecError:
            return None

    @document.setter
    def document(self, value: Value) -> None:
        is_plain = (self.header("content-type") or "").lower().startswith(PLAIN)
        self.body = (write_plain(value) if is_plain else encode(value)).encode()


Edit: TypeAlias = "Callable[[Sent], None]"
DocumentEdit: TypeAlias = "Callable[[Document, Sent], None]"
ScopeEdit: TypeAlias = "Callable[[Scope], None]"


_FAULTS: Final[list[str]] = []


def take_faults() -> list[str]:
    """Return, and forget, what edits have raised: such a mutant is not the fault it says it is."""
    faults = list(_FAULTS)
    _FAULTS.clear()
    return faults


def _edit(edit: Callable[..., None], *args: object) -> None:
    try:
        edit(*args)
    except Exception:
        # the server below would make a 500 of it, and that could pass for a kill
        _FAULTS.append(traceback.format_exc())
        raise


def rewriting(app: App, edit: Edit) -> App:
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
            _edit(edit, sent)
            if sent.header("content-length") is not None:
                sent.put("content-length", str(len(sent.body)))
            await send(
                {"type": "http.response.start", "status": sent.status, "headers": sent.headers}
            )
            await send({"type": "http.response.body", "body": sent.body})

        await app(scope, receiving, sending)

    return wrapped


def _document_edit(edit: DocumentEdit) -> Edit:
    def rewrite(sent: Sent) -> None:
        document = sent.document
        if isinstance(document, Mapping):
            changed = dict(document)
            edit(changed, sent)
            # what stays as it was also keeps its text
            if changed != document or list(changed) != list(document):
                sent.document = changed

    return rewrite


def rescoping(app: App, edit: ScopeEdit) -> App:
    """Return an app that sees each request's scope as `edit` leaves its copy."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": list(scope["headers"])}
            _edit(edit, scope)
        await app(scope, receive, send)

    return wrapped


def sent_mutant(clause: str, about: str, *, step: int | None = None) -> Callable[[Edit], Edit]:
    """Register a function that alters each response so that it breaks the clause."""

    def register(edit: Edit) -> Edit:
        @functools.wraps(edit)
        def wrap(app: App) -> App:
            return rewriting(app, edit)

        mutant(clause, about, step=step)(wrap)
        return edit

    return register


def document_mutant(
    clause: str, about: str, *, step: int | None = None
) -> Callable[[DocumentEdit], DocumentEdit]:
    """Register a function that alters a copy of each document so that it breaks the clause.

    Parts of the copy are those of the original: an alteration replaces them.
    """

    def register(edit: DocumentEdit) -> DocumentEdit:
        @functools.wraps(edit)
        def wrap(app: App) -> App:
            return rewriting(app, _document_edit(edit))

        mutant(clause, about, step=step)(wrap)
        return edit

    return register


def came_mutant(
    clause: str, about: str, *, step: int | None = None
) -> Callable[[ScopeEdit], ScopeEdit]:
    """Register a function that alters the copy of each request's scope."""

    def register(edit: ScopeEdit) -> ScopeEdit:
        @functools.wraps(edit)
        def wrap(app: App) -> App:
            return rescoping(app, edit)

        mutant(clause, about, step=step)(wrap)
        return edit

    return register


def sent_control(about: str) -> Callable[[Edit], Edit]:
    """Register a function that alters each response in a way that no case may mind."""

    def register(edit: Edit) -> Edit:
        @functools.wraps(edit)
        def wrap(app: App) -> App:
            return rewriting(app, edit)

        control(about)(wrap)
        return edit

    return register


def document_control(about: str) -> Callable[[DocumentEdit], DocumentEdit]:
    """Register a function that alters each document in a way that no case may mind."""

    def register(edit: DocumentEdit) -> DocumentEdit:
        @functools.wraps(edit)
        def wrap(app: App) -> App:
            return rewriting(app, _document_edit(edit))

        control(about)(wrap)
        return edit

    return register
