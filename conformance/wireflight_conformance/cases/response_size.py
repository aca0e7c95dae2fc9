"""Section 10: responses that are too long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import case
from wireflight_conformance.fixture import (
    add,
    give,
    give_special,
    invalidate,
    put,
    refresh,
)
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import Value, same, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server


@case(
    "UPD-12",
    slow=True,
    title="Values that make a response too long become invalidates, last first.",
)
def too_long_updates(server: Server) -> None:
    first = server.script(give("small"))
    large = [server.script(add(f"c{n}"), give_special("large")) for n in range(2)]
    steps = [refresh("fx/act", first)] + [refresh("fx/act", argument) for argument in large]
    reply = server.command([*steps, give("done")])
    server.expect_value("UPD-12", reply, "done")
    size = len(reply.response.body)
    most = server.limit("response_bytes")
    server.check("UPD-12", size <= most, f"at most {most} bytes", str(size))
    server.expect_set("UPD-12", reply, key("fx/act", first), "small")
    for argument in large:
        server.expect_outcome("UPD-12", reply, key("fx/act", argument), "invalidate")


@case("UPD-12", slow=True, title="The last update is the first that is replaced.")
def last_update_first(server: Server) -> None:
    whole = server.script(give_special("large"))
    small = [server.script(give(f"v{n}")) for n in range(3)]
    order = [small[0], whole, small[1], small[2]]
    reply = server.command([*(refresh("fx/act", a) for a in order), give("done")])
    server.expect_value("UPD-12", reply, "done")
    server.expect_set("UPD-12", reply, key("fx/act", small[0]), "v0")
    for argument in order[1:]:
        server.expect_outcome("UPD-12", reply, key("fx/act", argument), "invalidate")


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


@case(
    "UPD-13",
    profile="quick",
    title="Where not even the keys fit beside response_too_large, everything is stale.",
)
def too_long_keys(server: Server) -> None:
    # one string that the request holds once and that each key has to hold whole
    text = "x" * (server.limit("body_bytes") // 2)
    count = server.limit("response_bytes") // len(text) + 1
    steps = [invalidate("fx/echo", [number, text]) for number in range(count)]
    reply = server.command([add(), *steps, give_special("large")])
    server.expect_error("UPD-13", reply, "response_too_large", limit="response_bytes")
    everything: Value = [{"op": "invalidate", "all": True}]
    shown: Value = list(reply.updates)
    server.check("UPD-13", same(shown, everything), show(everything), f"{show(shown)[:300]}")
    server.check("UPD-13", server.cell() == 1, "what the command did", str(server.cell()))
