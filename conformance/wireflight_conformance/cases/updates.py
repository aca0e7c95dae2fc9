"""Section 10: the forms of updates, and which instruction they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    accept,
    add,
    child,
    crash,
    fail,
    give,
    invalidate,
    invalidate_all,
    late,
    put,
    read,
    redirect,
    refresh,
    reset,
    return_read,
)
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import Value, same, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight_conformance.driver import Server


@case(
    "UPD-1", "UPD-2", title="A refresh, a set and an invalidate each come back once, in their form."
)
def forms_of_updates(server: Server) -> None:
    steps = [
        refresh("fx/none"),
        put("fx/echo", 1, {"x": [2]}),
        invalidate("fx/echo", 3),
        invalidate("fx/pair"),
        invalidate_all(),
    ]
    reply = server.command(steps)
    server.expect_set("UPD-1", reply, key("fx/none"), "none")
    server.expect_set("UPD-1", reply, key("fx/echo", 1), {"x": [2]})
    server.expect_outcome("UPD-1", reply, key("fx/echo", 3), "invalidate")
    ids = [u for u in reply.updates if u.get("id") == "fx/pair" and u.get("op") == "invalidate"]
    server.check("UPD-1", len(ids) == 1, "invalidate {id}", show(reply.document))
    every = [u for u in reply.updates if u.get("all") is True and u.get("op") == "invalidate"]
    server.check("UPD-1", len(every) == 1, "invalidate {all: true}", show(reply.document))
    server.check("UPD-2", len(reply.updates) == 5, "five updates", show(reply.document))


@case("UPD-1", title="A reset stands before all other updates, and they stay.")
def reset_first(server: Server) -> None:
    reply = server.command([refresh("fx/none"), put("fx/echo", 1, 2), reset()])
    ops = [u.get("op") for u in reply.updates]
    server.check("UPD-1", ops[:1] == ["reset"], "a reset first", show(reply.document))
    server.check("UPD-1", ops.count("reset") == 1, "one reset", show(ops))
    server.expect_set("UPD-1", reply, key("fx/none"), "none")
    server.expect_set("UPD-1", reply, key("fx/echo", 1), 2)


@case("UPD-1", title="A key that is named several times stands once.")
def each_key_once(server: Server) -> None:
    steps = [refresh("fx/none")] * 3 + [put("fx/echo", 1, 1), put("fx/echo", 1, 2)]
    reply = server.command(steps, refreshes=[key("fx/none"), key("fx/none")])
    server.check("UPD-1", len(reply.updates) == 2, "two updates", show(reply.document))
    server.expect_set("UPD-1", reply, key("fx/none"), "none")
    server.expect_set("UPD-1", reply, key("fx/echo", 1), 2)


@case("UPD-2", title="A value that the handler only read is not sent.")
def reads_are_not_sent(server: Server) -> None:
    reply = server.command([read("fx/cell", server.cell_argument()), read("fx/none"), add()])
    server.expect_value("UPD-2", reply, None)
    server.check("UPD-2", not reply.updates, "no updates", show(reply.document))


@case("UPD-2", title="A command that names nothing sends no updates.")
def no_updates(server: Server) -> None:
    reply = server.command([add(), give(1)])
    server.expect_value("UPD-2", reply, 1)
    server.check("UPD-2", not reply.updates, "no updates", show(reply.document))


@case("UPD-2", title="What a refreshed query reads is not sent.")
def reads_of_refreshes_are_not_sent(server: Server) -> None:
    outer = server.script(return_read("fx/cell", server.cell_argument()))
    reply = server.command([add(), refresh("fx/act", outer)])
    server.expect_set("UPD-2", reply, key("fx/act", outer), 1)
    server.check("UPD-2", len(reply.updates) == 1, "one update", show(reply.document))


LAST = [
    Row.of("refresh, set", ["refresh", "set"], ("set", 99)),
    Row.of("set, refresh", ["set", "refresh"], ("set", 1)),
    Row.of("set, set", ["other", "set"], ("set", 99)),
    Row.of("refresh, invalidate", ["refresh", "invalidate"], ("invalidate", None)),
    Row.of("invalidate, refresh", ["invalidate", "refresh"], ("set", 1)),
    Row.of("set, invalidate", ["set", "invalidate"], ("invalidate", None)),
    Row.of("invalidate, set", ["invalidate", "set"], ("set", 99)),
    Row.of("refresh, set, refresh", ["refresh", "set", "refresh"], ("set", 1)),
    Row.of("set, refresh, set", ["set", "refresh", "set"], ("set", 99)),
    Row.of("accept, set", ["accept", "set"], ("set", 99)),
    Row.of("set, accept", ["set", "accept"], ("set", 1)),
    Row.of("accept, invalidate", ["accept", "invalidate"], ("invalidate", None)),
    Row.of("set, invalidate the function", ["set", "function"], ("set", 99)),
    Row.of("refresh, invalidate all", ["refresh", "all"], ("set", 1)),
    Row.of("set, reset", ["set", "reset"], ("set", 99)),
]


@case("UPD-4", title="After {row} the last instruction for the key wins.", rows=LAST)
def last_instruction_wins(server: Server, names: list[str], outcome: tuple[str, Value]) -> None:
    argument = server.cell_argument()
    steps: dict[str, Value] = {
        "refresh": refresh("fx/cell", argument),
        "set": put("fx/cell", argument, 99),
        "other": put("fx/cell", argument, 98),
        "invalidate": invalidate("fx/cell", argument),
        "accept": accept("fx/cell", 5),
        "function": invalidate("fx/cell"),
        "all": invalidate_all(),
        "reset": reset(),
    }
    wanted: list[Value] = [server.cell_key()] if "accept" in names else []
    reply = server.command([add(), *(steps[name] for name in names)], refreshes=wanted)
    op, value = outcome
    if op == "set":
        server.expect_set("UPD-4", reply, server.cell_key(), value)
    else:
        server.expect_outcome("UPD-4", reply, server.cell_key(), op)
    runs = server.calls("fx/cell")
    expected = 1 if value == 1 else 0
    server.check("UPD-4", runs == expected, f"{expected} runs of the query", str(runs))


def sorted_by_text(values: Sequence[Value]) -> Value:
    """Return the values in an order that does not depend on theirs."""
    return sorted(values, key=show)


@case("UPD-9", title="An error that the handler raised carries its invalidates and nothing else.")
def error_with_invalidates(server: Server) -> None:
    steps = [
        add(),
        refresh("fx/none"),
        put("fx/echo", 1, 2),
        invalidate("fx/echo", 3),
        invalidate("fx/pair"),
        invalidate_all(),
        reset(),
        fail(409, "fx.conflict", "after the effect"),
    ]
    reply = server.command(steps, refreshes=[key("fx/echo", 9)])
    server.expect_error("UPD-9", reply, "fx.conflict")
    # without the members that this version does not define (HTTP-7)
    names = ("op", "key", "id", "all")
    shown = [{name: u[name] for name in names if name in u} for u in reply.updates]
    expected: list[Value] = [
        {"op": "invalidate", "key": key("fx/echo", 3)},
        {"op": "invalidate", "id": "fx/pair"},
        {"op": "invalidate", "all": True},
    ]
    told = same(sorted_by_text(shown), sorted_by_text(expected))
    server.check("UPD-9", told, f"in any order {show(expected)}", show(shown))


@case(
    "UPD-9",
    title="An error by {row} carries no updates.",
    rows=[
        Row.of("an unexpected exception", crash("x"), "internal"),
        Row.of("a redirect", redirect("/x"), "redirect_in_command"),
    ],
)
def error_without_updates(server: Server, step: Value, code: str) -> None:
    steps = [invalidate("fx/echo", 3), invalidate_all(), refresh("fx/none"), step]
    reply = server.command(steps, refreshes=[key("fx/none")])
    server.expect_error("UPD-9", reply, code)
    server.check("UPD-9", not reply.updates, "no updates", show(reply.document))


@case("UPD-9", title="A failing query carries no updates.")
def failing_query(server: Server) -> None:
    reply = server.act([refresh("fx/none"), fail(404, "fx.missing", "no")])
    server.expect_error("UPD-9", reply, "fx.missing")
    server.check("UPD-9", not reply.updates, "no updates", show(reply.document))


OUTSIDE: list[Row] = [
    Row.of("set", put("fx/echo", 1, 2)),
    Row.of("invalidate", invalidate("fx/echo", 1)),
    Row.of("invalidate the function", invalidate("fx/echo")),
    Row.of("invalidate all", invalidate_all()),
    Row.of("reset", reset()),
]


@case("UPD-18", title="The instruction {row} fails in a query.", rows=OUTSIDE)
def instructions_in_a_query(server: Server, step: Value) -> None:
    reply = server.act([step, give("went on")])
    server.expect_error("UPD-18", reply, "internal")
    argument = server.script(step, give("went on"))
    refreshed = server.command([refresh("fx/act", argument), give(1)])
    server.expect_value("UPD-18", refreshed, 1)
    server.expect_outcome("UPD-18", refreshed, key("fx/act", argument), "fail", "internal")
    server.check("UPD-18", len(refreshed.updates) == 1, "one update", show(refreshed.document))


@case("UPD-18", title="A refresh that a query gives outside a refresh phase has no effect.")
def refresh_in_a_query(server: Server) -> None:
    reply = server.act([refresh("fx/none"), give("went on")])
    server.expect_value("UPD-18", reply, "went on")
    server.check("UPD-18", not reply.updates, "no updates", show(reply.document))
    argument = server.script(refresh("fx/none"), give(1))
    called = server.command([return_read("fx/act", argument)])
    server.expect_value("UPD-18", called, 1)
    server.check("UPD-18", not called.updates, "no updates", show(called.document))


@case("UPD-18", "UPD-2", title="An instruction given after the handler has ended fails.")
def late_instructions(server: Server) -> None:
    name = key("fx/none")
    reply = server.command([late("fx/none"), give("done")], refreshes=[name])
    server.expect_value("UPD-18", reply, "done")
    server.expect_outcome("UPD-18", reply, name, "ignore")
    server.check("UPD-18", len(reply.updates) == 1, "one update", show(reply.document))
    failed = server.cell("late")
    server.check("UPD-18", failed == 1, "an instruction that failed", show(failed), of=reply)
    alone = server.command([late("fx/none"), put("fx/echo", 1, 2)])
    server.expect_set("UPD-2", alone, key("fx/echo", 1), 2)
    server.check("UPD-18", len(alone.updates) == 1, "one update", show(alone.document))


@case("UPD-18", title="An instruction given after the handler of a child has ended fails.")
def late_instructions_of_a_child(server: Server) -> None:
    reply = server.command([child(late("fx/none"), put("fx/echo", 1, 2)), give("done")])
    server.expect_value("UPD-18", reply, "done")
    server.expect_set("UPD-18", reply, key("fx/echo", 1), 2)
    server.check("UPD-18", len(reply.updates) == 1, "one update", show(reply.document))
    failed = server.cell("late")
    server.check("UPD-18", failed == 1, "an instruction that failed", show(failed), of=reply)
