"""Section 10: updates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    accept,
    add,
    child,
    cookie,
    crash,
    fail,
    give,
    give_special,
    invalidate,
    invalidate_all,
    put,
    read,
    redirect,
    refresh,
    reset,
    return_read,
    sleep,
)
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import UNDEFINED, Value, same, show

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight_conformance.driver import Server


def act(server: Server, *steps: Value) -> Value:
    """Return the argument of ``fx/act`` that does these steps."""
    return {"run": server.run, "steps": list(steps)}


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
    outer = act(server, return_read("fx/cell", server.cell_argument()))
    reply = server.command([add(), refresh("fx/act", outer)])
    server.expect_set("UPD-2", reply, key("fx/act", outer), 1)
    server.check("UPD-2", len(reply.updates) == 1, "one update", show(reply.document))


@case("UPD-3", title="A query refreshed before the write shows the write.")
def refresh_before_write(server: Server) -> None:
    reply = server.command([refresh("fx/cell", server.cell_argument()), sleep(20), add(by=7)])
    server.expect_set("UPD-3", reply, server.cell_key(), 7)
    server.check("UPD-3", server.calls("fx/cell") == 1, "one run", "other than one")


@case("UPD-3", title="The refresh phase begins after the handler has returned.")
def refresh_after_return(server: Server) -> None:
    # the refreshed query marks a cell; the handler still sees it unmarked at its end
    marker = act(server, add("marked"))
    steps = [
        refresh("fx/act", marker),
        sleep(50),
        return_read("fx/cell", server.cell_argument("marked")),
    ]
    reply = server.command(steps)
    server.expect_value("UPD-3", reply, 0)
    marked = server.cell("marked")
    server.check("UPD-3", marked == 1, "the refresh ran afterwards", show(marked))


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


@case("UPD-5", title="Each refreshed key runs once in a phase.")
def each_key_runs_once(server: Server) -> None:
    argument = server.cell_argument()
    again = act(server, refresh("fx/cell", argument), give(1))
    steps = [refresh("fx/cell", argument), refresh("fx/act", again), refresh("fx/cell", argument)]
    reply = server.command(steps, refreshes=[server.cell_key()])
    server.expect_set("UPD-5", reply, server.cell_key(), 0)
    server.expect_set("UPD-5", reply, key("fx/act", again), 1)
    runs = server.calls("fx/cell")
    server.check("UPD-5", runs == 1, "one run", str(runs))


def sorted_by_text(values: Sequence[Value]) -> Value:
    """Return the values in an order that does not depend on theirs."""
    return sorted(values, key=show)


def nested(server: Server, depth: int) -> list[Value]:
    """Return arguments of ``fx/act``, each of which refreshes the next; the first is outermost."""
    chain: list[Value] = [act(server, give(f"round {depth}"))]
    for number in range(depth - 1, 0, -1):
        chain.insert(0, act(server, refresh("fx/act", chain[0]), give(f"round {number}")))
    return chain


@case("UPD-5", title="Refreshes of refreshed queries are drained for eight rounds; a ninth fails.")
def eight_rounds(server: Server) -> None:
    chain = nested(server, 9)
    reply = server.command([refresh("fx/act", chain[0])])
    for number, argument in enumerate(chain, start=1):
        name = key("fx/act", argument)
        if number <= 8:
            server.expect_set("UPD-5", reply, name, f"round {number}")
        else:
            server.expect_outcome("UPD-5", reply, name, "fail", "refresh_limit")
    calls = server.calls("fx/act")
    server.check("UPD-5", calls == 8, "eight runs", str(calls))


@case("UPD-5", title="Queries that refresh each other come to an end.")
def circle_of_refreshes(server: Server) -> None:
    inner = server.cell_argument()
    outer = act(server, refresh("fx/cell", inner), refresh("fx/none"), give(1))
    reply = server.command([refresh("fx/act", outer), refresh("fx/cell", inner)])
    server.expect_set("UPD-5", reply, key("fx/act", outer), 1)
    server.expect_set("UPD-5", reply, key("fx/none"), "none")
    server.check("UPD-5", len(reply.updates) == 3, "three updates", show(reply.document))


@case("UPD-6", slow=True, title="At most eight refreshed queries run at a time.")
def eight_at_a_time(server: Server) -> None:
    # each counts itself in, sleeps, reads how many are in, and counts itself out
    queries: list[Value] = []
    for number in range(10):
        steps = [
            add("in"),
            sleep(25),
            return_read("fx/cell", server.cell_argument("in")),
            add("in", -1),
            add(f"n{number}"),
        ]
        queries.append(act(server, *steps))
    reply = server.command([refresh("fx/act", argument) for argument in queries])
    server.expect_result("UPD-6", reply)
    most = 0
    for argument in queries:
        outcome = reply.outcome(key("fx/act", argument))
        seen = outcome.get("value", UNDEFINED)
        if isinstance(seen, int):
            most = max(most, seen)
    server.check("UPD-6", 1 <= most <= 8, "1 to 8 at a time", str(most))


FAILURES = [
    Row.of("an application error", fail(418, "fx.teapot", "short"), "fx.teapot"),
    Row.of("an unexpected exception", crash("SENTINEL-CRASH"), "internal"),
    Row.of("a call of a command", child(add("child")), "internal"),
    Row.of("a refused redirect", redirect("//evil.example"), "invalid_redirect"),
    Row.of("a cyclic value", give_special("cyclic"), "unencodable_result"),
]


@case(
    "UPD-7",
    "UPD-8",
    title="A refresh that fails by {row} is that key's fail, with the query's own code.",
    rows=FAILURES,
)
def failing_refresh(server: Server, step: Value, code: str) -> None:
    argument = act(server, step)
    alone = server.query("fx/act", argument)
    server.check("UPD-7", alone.code == code, f"alone the error {code}", str(alone))
    steps = [add(), refresh("fx/act", argument), refresh("fx/none"), give("done")]
    reply = server.command(steps)
    server.expect_value("UPD-7", reply, "done")
    clause = "UPD-8" if code == "unencodable_result" else "UPD-7"
    server.expect_outcome(clause, reply, key("fx/act", argument), "fail", code)
    server.expect_set("UPD-7", reply, key("fx/none"), "none")
    error = reply.outcome(key("fx/act", argument)).get("error", UNDEFINED)
    members = ["status", "code", "message"]
    told = [error.get(m) for m in members] if isinstance(error, dict) else []
    expected = [alone.error.get(m) for m in members]
    server.check("UPD-7", told == expected, show(expected), show(told))
    leaked = b"SENTINEL" in reply.response.body
    server.check("UPD-7", not leaked, "no text of the exception", str(reply))


@case("UPD-8", title="A refresh that redirects is that key's redirect.")
def redirecting_refresh(server: Server) -> None:
    argument = act(server, redirect("/login"))
    name = key("fx/act", argument)
    reply = server.command([refresh("fx/act", argument), refresh("fx/none"), give(1)])
    server.expect_value("UPD-8", reply, 1)
    server.expect_outcome("UPD-8", reply, name, "redirect")
    location = reply.outcome(name).get("location")
    server.check("UPD-8", location == "/login", "/login", show(location))
    server.expect_set("UPD-8", reply, key("fx/none"), "none")


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
    shown = list(reply.updates)
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


@case(
    "UPD-10", slow=True, title="A refresh phase ends, and keys that are late have handler_timeout."
)
def late_refresh(server: Server) -> None:
    late = act(server, sleep(4 * server.limit("refresh_phase_ms")), give(1))
    reply = server.command([refresh("fx/none"), refresh("fx/act", late), give("done")])
    server.expect_value("UPD-10", reply, "done")
    server.expect_outcome("UPD-10", reply, key("fx/act", late), "fail", "handler_timeout")
    server.expect_set("UPD-10", reply, key("fx/none"), "none")


@case("UPD-11", title="Refreshed queries see the cookies that the handler set.")
def refresh_sees_cookies(server: Server) -> None:
    reply = server.command(
        [refresh("fx/whoami"), cookie("fx_session", "new")],
        headers=(("Cookie", "fx_session=old"),),
    )
    server.expect_set("UPD-11", reply, key("fx/whoami"), "new")
    reply = server.command([refresh("fx/whoami")], headers=(("Cookie", "fx_session=old"),))
    server.expect_set("UPD-11", reply, key("fx/whoami"), "old")


@case(
    "UPD-12",
    slow=True,
    title="Values that make a response too long become invalidates, last first.",
)
def too_long_updates(server: Server) -> None:
    first = act(server, give("small"))
    large = [act(server, add(f"c{n}"), give_special("large")) for n in range(2)]
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
    whole = act(server, give_special("large"))
    small = [act(server, give(f"v{n}")) for n in range(3)]
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
    argument = act(server, step, give("went on"))
    refreshed = server.command([refresh("fx/act", argument), give(1)])
    server.expect_value("UPD-18", refreshed, 1)
    server.expect_outcome("UPD-18", refreshed, key("fx/act", argument), "fail", "internal")
    server.check("UPD-18", len(refreshed.updates) == 1, "one update", show(refreshed.document))


@case("UPD-18", title="A refresh that a query gives outside a refresh phase has no effect.")
def refresh_in_a_query(server: Server) -> None:
    reply = server.act([refresh("fx/none"), give("went on")])
    server.expect_value("UPD-18", reply, "went on")
    server.check("UPD-18", not reply.updates, "no updates", show(reply.document))
    argument = act(server, refresh("fx/none"), give(1))
    called = server.command([return_read("fx/act", argument)])
    server.expect_value("UPD-18", called, 1)
    server.check("UPD-18", not called.updates, "no updates", show(called.document))


@case("UPD-3", "FUN-2", title="A command that fails runs no refresh.")
def failed_command_refreshes_nothing(server: Server) -> None:
    server.command([refresh("fx/cell", server.cell_argument()), fail()])
    server.command([refresh("fx/cell", server.cell_argument()), crash("x")])
    runs = server.calls("fx/cell")
    server.check("UPD-3", runs == 0, "no run of the query", str(runs))
    server.check("FUN-2", server.calls("fx/run") == 2, "two runs", str(server.calls("fx/run")))
