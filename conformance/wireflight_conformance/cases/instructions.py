"""Sections 9 and 10: instructions that fail, and what goes with the errors of commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    accept,
    add,
    child,
    cookie,
    fail,
    give,
    give_special,
    invalidate,
    invalidate_all,
    put,
    refresh,
)
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import Map, Set, Value, show

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireflight_conformance.driver import Server

# -- instructions for instances that cannot be ---------------------------------------------------

_SHORT: Value = {"name": "", "count": 1}
IMPOSSIBLE: list[Row] = [
    Row.of("refresh with an argument that the type refuses", refresh("fx/typed", _SHORT)),
    Row.of("set with an argument that the type refuses", put("fx/typed", _SHORT, 1)),
    Row.of("invalidate with an argument that the type refuses", invalidate("fx/typed", _SHORT)),
    Row.of("refresh with a member that is missing", refresh("fx/cell", {"run": "x"})),
    Row.of("set with a member of another type", put("fx/pair", {"a": "x"}, 1)),
    Row.of("set with a member too many", put("fx/pair", {"a": 1, "c": 2}, 1)),
    Row.of("refresh with an argument where there is none", refresh("fx/none", 1)),
    Row.of("refresh without a normal form", refresh("fx/echo", Map([([1], 2)]))),
    Row.of("set without a normal form", put("fx/echo", Set([{"a": 1}]), 1)),
    Row.of("invalidate without a normal form", invalidate("fx/echo", [Set([b"x"])])),
]


@case("UPD-18", "UPD-9", title="The instruction {row} fails its handler.", rows=IMPOSSIBLE)
def impossible_instances(server: Server, step: Mapping[str, Value]) -> None:
    steps = [add(), invalidate("fx/echo", 3), refresh("fx/none"), step, give("went on")]
    reply = server.command(steps)
    server.expect_error("UPD-18", reply, "internal")
    server.check("UPD-9", not reply.updates, "no updates", show(reply.document))
    caught = server.command([child(step, catch=True), refresh("fx/none"), give("went on")])
    server.expect_value("UPD-18", caught, "went on")
    server.expect_set("UPD-18", caught, key("fx/none"), "none")
    server.check("UPD-18", len(caught.updates) == 1, "one update", show(caught.document))


@case("UPD-18", title="A refresh with a refused argument fails a refreshed query too.")
def impossible_refresh_in_a_query(server: Server) -> None:
    argument = server.script(refresh("fx/typed", _SHORT), give("went on"))
    reply = server.command([refresh("fx/act", argument), give("done")])
    server.expect_value("UPD-18", reply, "done")
    server.expect_outcome("UPD-18", reply, key("fx/act", argument), "fail", "internal")
    server.check("UPD-18", len(reply.updates) == 1, "one update", show(reply.document))


# -- updates of errors ---------------------------------------------------------------------------

_MARK = invalidate("fx/echo", 3)
REPLACED: list[Row] = [
    Row.of("a set", [_MARK, put("fx/echo", 3, 1)]),
    Row.of("a refresh", [_MARK, refresh("fx/echo", 3)]),
    Row.of("an acceptance", [_MARK, accept("fx/echo", 1)]),
    Row.of("a set of a child", [_MARK, child(put("fx/echo", 3, 1))]),
    Row.of("a set, and given again", [_MARK, put("fx/echo", 3, 1), _MARK]),
    Row.of("a set, in a child", [child(_MARK), put("fx/echo", 3, 1)]),
]


@case(
    "UPD-9",
    "UPD-1",
    title="An application error carries an invalidate that {row} replaced.",
    rows=REPLACED,
)
def replaced_invalidates(server: Server, given: Sequence[Value]) -> None:
    name = key("fx/echo", 3)
    reply = server.command([*given, fail(409, "fx.conflict", "no")], refreshes=[name])
    server.expect_error("UPD-9", reply, "fx.conflict")
    server.expect_outcome("UPD-9", reply, name, "invalidate")
    server.check("UPD-1", len(reply.updates) == 1, "one update", show(reply.document))


@case("UPD-9", "FUN-6", title="An application error carries no invalidate of a child that failed.")
def invalidates_of_failed_children(server: Server) -> None:
    failed = child(_MARK, invalidate("fx/pair"), invalidate_all(), fail(), catch=True)
    reply = server.command([failed, invalidate("fx/none"), fail(409, "fx.conflict", "no")])
    server.expect_error("UPD-9", reply, "fx.conflict")
    shown = [update.get("id") for update in reply.updates]
    server.check("FUN-6", shown == ["fx/none"], "fx/none alone", show(reply.document))


NOT_THE_APPLICATIONS: list[Row] = [
    Row.of("status 200", fail(200, "fx.code", "m")),
    Row.of("status 600", fail(600, "fx.code", "m")),
    Row.of("status 421", fail(421, "fx.code", "m")),
    Row.of("a code of the protocol", fail(409, "invalid_request", "m")),
    Row.of("a code that is no ext-name", fail(409, "fx.", "m")),
]


@case(
    "UPD-9",
    "SEC-9",
    "ERR-1",
    title="An error with {row}, which is not the application's, is internal and carries nothing.",
    rows=NOT_THE_APPLICATIONS,
)
def errors_of_another_kind(server: Server, step: Value) -> None:
    steps = [cookie("fx_session", "new"), _MARK, invalidate_all(), step]
    reply = server.command(steps)
    server.expect_error("ERR-1", reply, "internal")
    server.check("UPD-9", not reply.updates, "no updates", show(reply.document))
    cookies = reply.response.all("set-cookie")
    server.check("SEC-9", not cookies, "no cookie", str(cookies))


@case("ENV-9", "UPD-1", title="An unencodable result names each string in refreshes once.")
def strings_of_an_unencodable_result(server: Server) -> None:
    sent: list[Value] = [
        "",
        "no key",
        "fx/nothing/",
        "fx/run/",
        "fx/echo/LTE",
        "é</script>",
        key("fx/typed", _SHORT),
        key("fx/echo", 1),
        "no key",
        key("fx/echo", 1),
    ]
    steps = [accept("fx/echo", 1), put("fx/echo", 2, 3), give_special("cyclic")]
    reply = server.command(steps, refreshes=sent)
    server.expect_error("ENV-9", reply, "unencodable_result")
    names = {*sent, key("fx/echo", 2)}
    for name in names:
        server.expect_outcome("ENV-9", reply, str(name), "invalidate")
    same_number = len(reply.updates) == len(names)
    server.check("UPD-1", same_number, f"{len(names)} updates", show(reply.document))


# -- refreshes of refreshed queries --------------------------------------------------------------


@case("UPD-5", title="What a refreshed query refreshes that fails is not run.")
def refreshes_of_a_failed_query(server: Server) -> None:
    argument = server.script(refresh("fx/cell", server.cell_argument()), fail(409, "fx.no", "no"))
    reply = server.command([refresh("fx/act", argument), give("done")])
    server.expect_value("UPD-5", reply, "done")
    server.expect_outcome("UPD-5", reply, key("fx/act", argument), "fail", "fx.no")
    server.check("UPD-5", len(reply.updates) == 1, "one update", show(reply.document))
    runs = server.calls("fx/cell")
    server.check("UPD-5", runs == 0, "no run", str(runs))
    # what the handler or the client named keeps the outcome that it had
    kept = [put("fx/cell", server.cell_argument(), 99), refresh("fx/act", argument), give("done")]
    reply = server.command(kept)
    server.expect_set("UPD-5", reply, server.cell_key(), 99)
    reply = server.command([refresh("fx/act", argument)], refreshes=[server.cell_key()])
    server.expect_outcome("UPD-5", reply, server.cell_key(), "ignore")


@case("UPD-5", title="A refresh by a refreshed query replaces what was set or judged before.")
def refreshes_replace(server: Server) -> None:
    argument = server.script(refresh("fx/cell", server.cell_argument()), give(1))
    name, other = server.cell_key(), server.cell_key("b")
    steps = [put("fx/cell", server.cell_argument(), 99), refresh("fx/act", argument), add(by=7)]
    server.expect_set("UPD-5", server.command(steps), name, 7)
    ignored = server.command([refresh("fx/act", argument)], refreshes=[name])
    server.expect_set("UPD-5", ignored, name, 7)
    over = server.command(
        [refresh("fx/act", argument), accept("fx/cell", 1)], refreshes=[other, name]
    )
    server.expect_set("UPD-5", over, name, 7)
    server.expect_set("UPD-5", over, other, 0)
    runs = server.calls("fx/cell")
    server.check("UPD-5", runs == 4, "four runs", str(runs))
