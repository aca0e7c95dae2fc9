"""Section 10: responses that are too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    add,
    fail,
    give,
    give_special,
    invalidate,
    put,
    put_special,
    refresh,
)
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.reply import Reply
    from wireflight_conformance.wire.values import Value


def check_replaced(server: Server, reply: Reply, values: Mapping[str, str]) -> None:
    """Check which values gave way: the first that does not fit, and all that stand behind it.

    Args:
        server: The server.
        reply: The envelope, whose updates stand in an order of the server's choice.
        values: Key -> its value, empty for one that no response has room for.
    """
    server.expect_value("UPD-12", reply, "done")
    size, most = len(reply.response.body), server.limit("response_bytes")
    server.check("UPD-12", size <= most, f"at most {most} bytes", str(size))
    named = [str(update.get("key")) for update in reply.updates]
    server.check("UPD-12", set(named) == set(values), "an outcome for each key", str(named))
    is_full = False
    for name in named:
        is_full = is_full or not values.get(name)
        if is_full:
            server.expect_outcome("UPD-12", reply, name, "invalidate")
        else:
            server.expect_set("UPD-12", reply, name, values[name])


@case(
    "UPD-12",
    slow=True,
    title="Values that make a response too long become invalidates, last first.",
)
def too_long_updates(server: Server) -> None:
    given = [give("small"), give_special("large"), give_special("large")]
    arguments = [server.script(add(f"c{number}"), step) for number, step in enumerate(given)]
    values = {key("fx/act", argument): "" for argument in arguments}
    values[key("fx/act", arguments[0])] = "small"
    steps = [refresh("fx/act", argument) for argument in arguments]
    check_replaced(server, server.command([*steps, give("done")]), values)


@case("UPD-12", slow=True, title="The last update is the first that is replaced.")
def last_update_first(server: Server) -> None:
    small = [server.script(give(f"v{number}")) for number in range(4)]
    whole = server.script(give_special("large"))
    values = {key("fx/act", argument): f"v{n}" for n, argument in enumerate(small)}
    values[key("fx/act", whole)] = ""
    order = [*small[:2], whole, *small[2:]]
    reply = server.command([*(refresh("fx/act", argument) for argument in order), give("done")])
    check_replaced(server, reply, values)


@case("UPD-12", slow=True, title="A value that the handler set counts for the length too.")
def too_long_set(server: Server) -> None:
    reply = server.command([put_special("fx/echo", 1, "large"), refresh("fx/none"), give("done")])
    check_replaced(server, reply, {key("fx/echo", 1): "", key("fx/none"): "none"})


@case("UPD-13", "ERR-4", title="A result that alone is too long is response_too_large.")
def too_long_result(server: Server) -> None:
    query = server.act([give_special("large")])
    server.expect_error("UPD-13", query, "response_too_large", limit="response_bytes")
    server.check("ERR-4", query.error.get("limit") == "response_bytes", "the limit", str(query))
    steps = [add(), refresh("fx/none"), put("fx/echo", 1, 2), give_special("large")]
    reply = server.command(steps, refreshes=[key("fx/echo", 9)])
    server.expect_error("UPD-13", reply, "response_too_large", limit="response_bytes")
    for name in (key("fx/none"), key("fx/echo", 1), key("fx/echo", 9)):
        server.expect_outcome("UPD-13", reply, name, "invalidate")
    server.check("UPD-13", server.cell() == 1, "what the command did", str(server.cell()))


ENDS: list[Row] = [
    Row.of("a result that is too long", give_special("large"), "response_too_large"),
    Row.of("a result that cannot be encoded", give_special("cyclic"), "unencodable_result"),
    Row.of("an error that the handler raised", fail(409, "fx.conflict", "m"), "fx.conflict"),
]


@case(
    "UPD-13",
    profile="quick",
    title="Where not even the keys fit beside {row}, everything is stale.",
    rows=ENDS,
)
def too_long_keys(server: Server, end: Value, code: str) -> None:
    # one string that the request holds once and that each key has to hold whole
    text = "x" * (server.limit("body_bytes") // 2)
    count = server.limit("response_bytes") // len(text) + 1
    steps = [invalidate("fx/echo", [number, text]) for number in range(count)]
    reply = server.command([add(), *steps, end])
    server.expect_error("UPD-13", reply, code)
    only = len(reply.updates) == 1 and reply.updates[0].get("op") == "invalidate"
    only = only and reply.updates[0].get("all") is True
    shown = show(reply.document)[:300]
    server.check("UPD-13", only, "invalidate {all: true} alone", shown)
    server.check("UPD-13", server.cell() == 1, "what the command did", str(server.cell()))
