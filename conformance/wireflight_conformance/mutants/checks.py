"""Faults in the order of checks (CHK-1, CHK-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants import mutant, patch
from wireflight_conformance.mutants.changing import Original, change, changed, replaced, together

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from wireflight.asgi import Message, Receive, Scope, Send
    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings
    from wireflight_conformance.embedded.server import App

_STAGES: Final = "wireflight.exchange.checks.STAGES"


def _order(*moved: str) -> AbstractContextManager[None]:
    """Put the stages of these names, in this order, before the first of them."""

    def reorder(stages: dict[str, Any]) -> dict[str, Any]:
        missing = set(moved) - set(stages)
        if missing:
            raise AttributeError(f"the reference has no stages {missing}")
        names = [name for name in stages if name not in moved]
        first = min(list(stages).index(name) for name in moved)
        return {name: stages[name] for name in (*names[:first], *moved, *names[first:])}

    return changed(_STAGES, reorder)


@patch("CHK-1", "looks for the route before the host")
def route_before_host() -> AbstractContextManager[None]:
    return _order("route", "host")


@patch("CHK-1", "checks the origin before the method")
def origin_before_method() -> AbstractContextManager[None]:
    return _order("origin", "method")


@patch("CHK-1", "checks the version before the origin")
def version_before_origin() -> AbstractContextManager[None]:
    return _order("version", "origin")


@patch("CHK-1", "checks the version before the route")
def version_before_route() -> AbstractContextManager[None]:
    return _order("version", "route")


@patch("CHK-1", "checks the contract before the version")
def contract_before_version() -> AbstractContextManager[None]:
    return _order("contract", "version")


@patch("CHK-1", "checks the media type before the contract")
def type_before_contract() -> AbstractContextManager[None]:
    return _order("media type", "contract")


@patch("CHK-1", "checks the length of a body before its media type")
def length_before_type() -> AbstractContextManager[None]:
    return _order("limits", "media type")


@patch("CHK-1", "checks the length of a body before all else")
def length_first() -> AbstractContextManager[None]:
    return _order("limits", "host")


@change("CHK-1", "checks the method before it looks for the route", f"{_STAGES}.route")
def method_before_route(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange.codes import ErrorCode, Refusal

    if head.method not in ("GET", "POST", "OPTIONS"):
        raise Refusal(ErrorCode.METHOD_NOT_ALLOWED, allowed_methods="GET, POST")
    check(head, settings)


@patch("CHK-1", "decodes a body before it looks at its length")
def decode_before_length() -> AbstractContextManager[None]:
    def read(original: Original) -> Original:
        def late(
            head: RequestHead, entry: object, body: bytes | None, settings: Settings
        ) -> object:
            from wireflight.exchange.codes import ErrorCode, Refusal

            text = None if body is None else body.rstrip(b" ")
            call = original(head, entry, text, settings)
            if body is not None and len(body) > settings.limits.body_bytes:
                raise Refusal(ErrorCode.BODY_TOO_LARGE, limit="body_bytes")
            return call

        return late

    def feed(_: Original) -> Callable[[Any, bytes], None]:
        return lambda reader, piece: reader._pieces.append(piece)  # noqa: SLF001

    return together(
        changed("wireflight.runtime.answering.read_call", read),
        changed("wireflight.exchange.body.BodyReader.feed", feed),
        changed(f"{_STAGES}.limits", lambda _: lambda _head, _settings: None),
    )


@change(
    "CHK-1",
    "validates an argument before it asks for its canonical form",
    "wireflight.exchange.body._read_payload",
)
def validate_before_canonical(
    read: Original, function_id: str, payload: str, settings: Settings
) -> object:
    import base64

    from wireflight.codec import loads
    from wireflight.errors import DecodeError
    from wireflight.exchange.codes import ErrorCode, Refusal
    from wireflight.issues import ValidationError

    try:
        return read(function_id, payload, settings)
    except DecodeError as error:
        if error.code.value == "non_canonical":
            entry: Any = settings.registry.find(function_id)
            text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
            try:
                entry.function.signature.bind(loads(text))
            except ValidationError as invalid:
                raise Refusal(ErrorCode.INVALID_ARGUMENT) from invalid
        raise


@patch("CHK-1", "takes OPTIONS through every stage that needs no body")
def options_through_all() -> AbstractContextManager[None]:
    return replaced("wireflight.exchange.checks._PREFLIGHT_ENDS_AFTER", "limits")


@mutant("CHK-2", "reads the body before the first check, as frameworks do")
def body_first(app: App) -> App:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []
        while scope["type"] == "http" and (not messages or messages[-1].get("more_body")):
            messages.append(await receive())

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await app(scope, replay, send)

    return wrapped


@mutant("CHK-2", "reads the body before it refuses a version")
def body_before_version(app: App) -> App:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []
        if (b"wireflight-version", b"99") in scope.get("headers", ()):
            messages.append(await receive())

        async def replay() -> Message:
            return messages.pop(0) if messages else await receive()

        await app(scope, replay, send)

    return wrapped
