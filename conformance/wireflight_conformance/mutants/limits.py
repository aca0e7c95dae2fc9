"""Faults in limits (section 17)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed, together
from wireflight_conformance.mutants.rewriting import Document, Sent, came_mutant, document_mutant

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from wireflight.asgi import Scope
    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings

_BODY: Final = "wireflight.exchange.body"
_HEAD_LIMITS: Final = "wireflight.exchange.checks.STAGES.limits"
_READER: Final = "wireflight.exchange.body.BodyReader.feed"


def _with_limit(name: str, change_of: int) -> AbstractContextManager[None]:
    """Decode by limits of which one is another; the manifest shows what it has shown."""

    def make(original: Original) -> Original:
        def decode(*args: Any, **kwargs: Any) -> object:
            import msgspec

            from wireflight.limits import Limits

            def raised(limits: Any) -> Any:
                if not isinstance(limits, Limits):
                    return limits
                number = max(1, getattr(limits, name) + change_of)
                return msgspec.structs.replace(limits, **{name: number})

            return original(*map(raised, args), **{n: raised(v) for n, v in kwargs.items()})

        return decode

    readers = ("loads", "plain_loads", "decode_payload", "check_argument")
    return together(*(changed(f"{_BODY}.{reader}", make) for reader in readers))


_FAR: Final = 1_000_000


@patch("LIM-1", "knows no table_entries")
def no_table_entries() -> AbstractContextManager[None]:
    return _with_limit("table_entries", _FAR)


@patch("LIM-1", "knows no expanded_nodes")
def no_expanded_nodes() -> AbstractContextManager[None]:
    return _with_limit("expanded_nodes", _FAR)


@patch("LIM-1", "knows no depth below some hundreds")
def no_depth() -> AbstractContextManager[None]:
    return _with_limit("depth", 500)


@patch("LIM-1", "knows no container_members")
def no_container_members() -> AbstractContextManager[None]:
    return _with_limit("container_members", _FAR)


@patch("LIM-1", "knows no bigint_digits")
def no_bigint_digits() -> AbstractContextManager[None]:
    return _with_limit("bigint_digits", 3000)


@patch("LIM-3", "refuses a depth that is at the limit")
def depth_at_limit() -> AbstractContextManager[None]:
    return _with_limit("depth", -1)


@patch("LIM-3", "refuses as many members as the limit allows")
def members_at_limit() -> AbstractContextManager[None]:
    return _with_limit("container_members", -1)


@patch("LIM-3", "refuses as many nodes as the limit allows")
def nodes_at_limit() -> AbstractContextManager[None]:
    return _with_limit("expanded_nodes", -1)


@patch("LIM-3", "refuses as many entries as the limit allows")
def entries_at_limit() -> AbstractContextManager[None]:
    return _with_limit("table_entries", -1)


@patch("LIM-3", "refuses as many digits as the limit allows")
def digits_at_limit() -> AbstractContextManager[None]:
    return _with_limit("bigint_digits", -1)


@patch("LIM-1", "counts the depth in payload texts alone")
def depth_of_payload_texts() -> AbstractContextManager[None]:
    def plain(original: Original) -> Original:
        def decode(data: bytes, *, limits: Any) -> object:
            import msgspec

            return original(data, limits=msgspec.structs.replace(limits, depth=limits.depth + 500))

        return decode

    return together(
        changed(f"{_BODY}.plain_loads", plain),
        changed(f"{_BODY}.check_argument", lambda _: lambda *_args: None),
    )


@patch("LIM-3", "counts the levels of a body for those of its argument")
def depth_of_bodies() -> AbstractContextManager[None]:
    def check(original: Original) -> Original:
        def shallow(argument: object, limits: object) -> None:
            original([argument], limits)

        return shallow

    return changed(f"{_BODY}.check_argument", check)


# -- heads ---------------------------------------------------------------------------------------


@change("LIM-1", "takes a payload of any length by GET", _HEAD_LIMITS)
def long_payloads(check: Original, head: RequestHead, settings: Settings) -> None:
    query, head.query = head.query, [p for p in head.query if p[0] != b"payload"]
    try:
        check(head, settings)
    finally:
        head.query = query


@change("LIM-1", "takes an arg of any length by GET", _HEAD_LIMITS)
def long_args(check: Original, head: RequestHead, settings: Settings) -> None:
    query, head.query = head.query, [p for p in head.query if p[0] != b"arg"]
    try:
        check(head, settings)
    finally:
        head.query = query


@came_mutant("LIM-3", "counts the characters of arg before they are decoded")
def undecoded_args(scope: Scope) -> None:
    if scope["query_string"].startswith(b"arg=") and len(scope["query_string"]) > 4100:
        scope["query_string"] += b"x" * 4096


@change("LIM-3", "refuses a payload that is as long as the limit", _HEAD_LIMITS)
def payload_at_limit(check: Original, head: RequestHead, settings: Settings) -> None:
    query = head.query
    head.query = [(name, None if value is None else value + b"x") for name, value in query]
    try:
        check(head, settings)
    finally:
        head.query = query


@change("LIM-1", "bounds payload and arg in the URL of whatever request", _HEAD_LIMITS)
def long_parameters_of_others(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange.codes import ErrorCode, Refusal

    most = settings.limits.get_payload_chars
    if any(name in (b"payload", b"arg") and len(value or b"") > most for name, value in head.query):
        raise Refusal(ErrorCode.PAYLOAD_TOO_LONG, limit="get_payload_chars")
    check(head, settings)


@change("LIM-1", "knows no header_bytes", _HEAD_LIMITS)
def no_header_bytes(check: Original, head: RequestHead, settings: Settings) -> None:
    head.header_bytes = 0
    check(head, settings)


@change("LIM-1", "counts the values of fields alone", _HEAD_LIMITS)
def values_of_fields(check: Original, head: RequestHead, settings: Settings) -> None:
    head.header_bytes = sum(len(value) for _, value in head.raw_headers)
    check(head, settings)


@change("LIM-3", "counts four bytes more for each field, as they stand on the wire", _HEAD_LIMITS)
def fields_on_the_wire(check: Original, head: RequestHead, settings: Settings) -> None:
    head.header_bytes += 4 * len(head.raw_headers)
    check(head, settings)


# -- bodies --------------------------------------------------------------------------------------


@patch("LIM-1", "knows no body_bytes")
def no_body_bytes() -> AbstractContextManager[None]:
    return together(
        changed(_READER, lambda _: lambda reader, piece: reader._pieces.append(piece)),  # noqa: SLF001
        _with_limit("body_bytes", _FAR),
        changed(_HEAD_LIMITS, _without_length),
    )


def _without_length(original: Original) -> Original:
    def check(head: RequestHead, settings: Settings) -> None:
        length = head.fields.pop(b"content-length", None)
        original(head, settings)
        if length is not None:
            head.fields[b"content-length"] = length

    return check


@patch("LIM-2", "believes Content-Length, and does not count")
def not_counted() -> AbstractContextManager[None]:
    return together(
        changed(_READER, lambda _: lambda reader, piece: reader._pieces.append(piece)),  # noqa: SLF001
        _with_limit("body_bytes", _FAR),
    )


@patch("LIM-2", "counts a body when it is complete")
def counted_at_the_end() -> AbstractContextManager[None]:
    def text(original: Original) -> Original:
        def counted(reader: Any) -> object:
            from wireflight.exchange.codes import ErrorCode, Refusal

            found = original(reader)
            if len(found) > reader._limit:  # noqa: SLF001
                raise Refusal(ErrorCode.BODY_TOO_LARGE, limit="body_bytes")
            return found

        return counted

    return together(
        changed(_READER, lambda _: lambda reader, piece: reader._pieces.append(piece)),  # noqa: SLF001
        changed(f"{_BODY}.BodyReader.text", text),
    )


@change("LIM-3", "refuses a body that is as long as the limit", f"{_BODY}.BodyReader.__init__")
def body_at_limit(make: Original, reader: Any, settings: Settings) -> None:
    make(reader, settings)
    reader._limit -= 1  # noqa: SLF001


@patch("LIM-4", "counts a body that is too long by its Content-Length as it comes")
def length_not_read() -> AbstractContextManager[None]:
    return changed(_HEAD_LIMITS, _without_length)


# -- time ----------------------------------------------------------------------------------------


def _patient(*names: str) -> AbstractContextManager[None]:
    def make(original: Original) -> Original:
        async def read(connection: Any) -> object:
            import msgspec

            settings = connection._server.settings  # noqa: SLF001
            patient = dict.fromkeys(names, 60_000)
            settings.limits = msgspec.structs.replace(settings.limits, **patient)
            return await original(connection)

        return read

    return changed("wireflight.asgi.AsgiConnection.read_body", make)


@patch("LIM-1", "waits for the next bytes of a body as long as it takes")
def no_body_idle() -> AbstractContextManager[None]:
    return _patient("body_idle_ms", "body_total_ms")


@patch("LIM-1", "waits for the whole of a body as long as it takes")
def no_body_total() -> AbstractContextManager[None]:
    return _patient("body_total_ms")


@patch("LIM-1", "counts body_idle_ms from the first byte on")
def idle_from_the_start() -> AbstractContextManager[None]:
    def make(original: Original) -> Original:
        async def read(connection: Any) -> object:
            import msgspec

            settings = connection._server.settings  # noqa: SLF001
            idle = settings.limits.body_idle_ms
            settings.limits = msgspec.structs.replace(settings.limits, body_total_ms=idle)
            return await original(connection)

        return read

    return changed("wireflight.asgi.AsgiConnection.read_body", make)


@document_mutant("LIM-1", "shows a limit in its manifest that it does not have")
def another_number(document: Document, _: Sent) -> None:
    shown = document.get("limits")
    if isinstance(shown, dict):
        document["limits"] = {**shown, "bigint_digits": 2048}
