"""Section 16: the manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from wireflight_conformance.cases import case
from wireflight_conformance.modes.server import FIXTURES
from wireflight_conformance.tables import limits
from wireflight_conformance.wire.reply import pick
from wireflight_conformance.wire.values import UNDEFINED, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.values import Value


@case("MAN-1", title="The manifest has its members, in both encodings.")
def members(server: Server) -> None:
    for accept in ("application/json", "application/wireflight+json"):
        reply = server.send(server.request("GET", "/~manifest", accept=accept))
        document = reply.document
        server.check("MAN-1", reply.status == 200, "200", str(reply))
        server.check("MAN-1", pick(document, "type") == "manifest", "type manifest", str(reply))
        versions = pick(document, "versions")
        server.check("MAN-1", versions == [1], "versions: [1]", show(versions))
        listed = isinstance(pick(document, "capabilities"), list)
        server.check("MAN-1", listed, "capabilities, an array", str(reply))
        server.check("MAN-1", pick(document, "build") == "fixture", "build: fixture", str(reply))
    plain = server.send(server.request("GET", "/~manifest", accept=None))
    server.check("MAN-1", plain.type == "manifest", "a manifest without Accept", str(plain))


@case("MAN-1", "LIM-1", title="The manifest shows every limit of section 17 with a number.")
def shown_limits(server: Server) -> None:
    shown = pick(server.send(server.request("GET", "/~manifest")).document, "limits")
    server.require("MAN-1", isinstance(shown, Mapping), "limits, an object", show(shown))
    numbers = shown if isinstance(shown, Mapping) else {}
    for name, limit in limits().items():
        value = numbers.get(name, UNDEFINED)
        is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
        server.check("MAN-1", is_number, f"{name} with its number", f"{name}: {show(value)}")
        if not name.endswith("_ms"):
            default = limit.default
            server.check("LIM-1", value == default, f"{name} {default}", f"{name}: {show(value)}")


@case("MAN-1", title="The manifest is there by GET alone.")
def by_get_alone(server: Server) -> None:
    for method in ("POST", "PUT", "DELETE"):
        reply = server.send(
            server.request(method, "/~manifest", headers=(("Wireflight-Version", "1"),))
        )
        server.expect_error("MAN-1", reply, "method_not_allowed")


@case(
    "MAN-1",
    "MAN-2",
    "MAN-3",
    title="The manifest of the fixture lists its functions, each in its form.",
)
def functions(server: Server) -> None:
    listed = pick(server.send(server.request("GET", "/~manifest")).document, "functions")
    server.check("MAN-2", listed is not UNDEFINED, "functions", show(listed))
    server.require("MAN-1", isinstance(listed, list), "functions, an array", show(listed))
    entries = listed if isinstance(listed, list) else []
    kinds = {}
    for entry in entries:
        names = [pick(entry, name) for name in ("id", "kind", "contract")]
        formed = all(isinstance(name, str) for name in names)
        server.check("MAN-3", formed, "id, kind and contract as texts", show(entry))
        known = names[1] in ("query", "command")
        server.check("MAN-3", known, "kind query or command", show(names[1]))
        for schema in ("argument", "result"):
            value = pick(entry, schema)
            fits = value is UNDEFINED or isinstance(value, Mapping | bool)
            server.check("MAN-3", fits, f"{schema}, a JSON Schema", show(value))
        kinds[names[0]] = names[1]
    for name, kind in FIXTURES.items():
        server.check("MAN-3", kinds.get(name) == kind, f"{name}: {kind}", show(kinds.get(name)))


@case("MAN-3", title="A type that plain JSON lacks is named beside its plain form.")
def named_types(server: Server) -> None:
    listed = pick(server.send(server.request("GET", "/~manifest")).document, "functions")
    entries = listed if isinstance(listed, list) else []
    typed = [entry for entry in entries if pick(entry, "id") == "fx/typed"]
    server.require("MAN-3", len(typed) == 1, "one entry for fx/typed", show(listed))
    marks = list(marks_of(pick(typed[0], "argument")))
    wanted = ["bigint", "bytes", "date", "map", "set"]
    server.check("MAN-3", sorted(marks) == wanted, f"each of {wanted} once", str(sorted(marks)))


def marks_of(schema: Value) -> Iterator[str]:
    """Yield every `x-wireflight` in a schema."""
    if isinstance(schema, Mapping):
        mark = schema.get("x-wireflight")
        if isinstance(mark, str):
            yield mark
        for part in schema.values():
            yield from marks_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from marks_of(part)


@case("FUN-1", title="Every function has an id of the form, and none comes twice.")
def ids(server: Server) -> None:
    listed = pick(server.send(server.request("GET", "/~manifest")).document, "functions")
    names = [show(pick(entry, "id")) for entry in listed] if isinstance(listed, list) else []
    server.check("FUN-1", bool(names), "functions in the manifest", show(listed))
    server.check("FUN-1", len(set(names)) == len(names), "each id once", str(names))
    for entry in listed if isinstance(listed, list) else []:
        name = pick(entry, "id")
        formed = isinstance(name, str) and len(name) <= 255
        formed = formed and all(
            part.isascii() and part.isidentifier() for part in str(name).split("/")
        )
        server.check("FUN-1", formed, "a function-id", show(name))
