"""Section 10: the refresh phase."""

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
    fail_commit,
    give,
    give_special,
    invalidate_all,
    put,
    put_special,
    redirect,
    refresh,
    return_read,
    sleep,
)
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import UNDEFINED, Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server


@case("UPD-3", title="A query refreshed before the write shows the write.")
def refresh_before_write(server: Server) -> None:
    reply = server.command([refresh("fx/cell", server.cell_argument()), sleep(20), add(by=7)])
    server.expect_set("UPD-3", reply, server.cell_key(), 7)
    server.check("UPD-3", server.calls("fx/cell") == 1, "one run", "other than one")


@case("UPD-3", title="The refresh phase begins after the handler has returned.")
def refresh_after_return(server: Server) -> None:
    # the refreshed query marks a cell; the handler still sees it unmarked at its end
    marker = server.script(add("marked"))
    steps = [
        refresh("fx/act", marker),
        sleep(50),
        return_read("fx/cell", server.cell_argument("marked")),
    ]
    reply = server.command(steps)
    server.expect_value("UPD-3", reply, 0)
    marked = server.cell("marked")
    server.check("UPD-3", marked == 1, "the refresh ran afterwards", show(marked))


@case(
    "UPD-3",
    "UPD-9",
    "SEC-9",
    "ERR-3",
    title="A commit that fails is internal: no value, no refresh, no update, no cookie.",
)
def failed_commit(server: Server) -> None:
    argument = server.cell_argument()
    steps = [
        refresh("fx/cell", argument),
        put("fx/echo", 1, 2),
        invalidate_all(),
        cookie("fx_session", "new"),
        accept("fx/cell", 1),
        give("done"),
    ]
    for failing in (
        [*steps, fail_commit()],
        [fail_commit(), *steps],
        [*steps, child(fail_commit())],
    ):
        reply = server.command(failing, refreshes=[server.cell_key()])
        server.expect_error("UPD-3", reply, "internal")
        server.check("UPD-3", "value" not in reply.envelope, "no value", show(reply.document))
        server.check("UPD-9", not reply.updates, "no updates", show(reply.document))
        cookies = reply.response.all("set-cookie")
        server.check("SEC-9", not cookies, "no cookie", str(cookies))
        named = isinstance(reply.error.get("id"), str)
        server.check("ERR-3", named, "an id", show(reply.document))
    runs = server.calls("fx/cell")
    server.check("UPD-3", runs == 0, "no run of the query", str(runs))


@case("UPD-5", title="Each refreshed key runs once in a phase.")
def each_key_runs_once(server: Server) -> None:
    argument = server.cell_argument()
    again = server.script(refresh("fx/cell", argument), give(1))
    steps = [refresh("fx/cell", argument), refresh("fx/act", again), refresh("fx/cell", argument)]
    reply = server.command(steps, refreshes=[server.cell_key()])
    server.expect_set("UPD-5", reply, server.cell_key(), 0)
    server.expect_set("UPD-5", reply, key("fx/act", again), 1)
    runs = server.calls("fx/cell")
    server.check("UPD-5", runs == 1, "one run", str(runs))


def nested(server: Server, depth: int) -> list[Value]:
    """Return arguments of ``fx/act``, each of which refreshes the next; the first is outermost."""
    chain: list[Value] = [server.script(give(f"round {depth}"))]
    for number in range(depth - 1, 0, -1):
        chain.insert(0, server.script(refresh("fx/act", chain[0]), give(f"round {number}")))
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
    outer = server.script(refresh("fx/cell", inner), refresh("fx/none"), give(1))
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
        queries.append(server.script(*steps))
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
    argument = server.script(step)
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


@case(
    "UPD-8",
    "PAY-4",
    title="A value that the handler set and that is {row} is that key's fail.",
    rows=[
        Row.of("cyclic", "cyclic"),
        Row.of("no value of the model", "function"),
        Row.of("a string with an unpaired surrogate", "surrogate"),
    ],
)
def unencodable_set(server: Server, kind: str) -> None:
    name = key("fx/echo", 1)
    steps = [
        put_special("fx/echo", 1, kind),
        refresh("fx/none"),
        put("fx/echo", 2, 3),
        give("done"),
    ]
    for refreshes in ([], [name]):
        reply = server.command(steps, refreshes=refreshes)
        server.expect_value("UPD-8", reply, "done")
        server.expect_outcome("UPD-8", reply, name, "fail", "unencodable_result")
        # PAY-4: nothing of it is sent, and what stands beside it is
        server.expect_set("UPD-8", reply, key("fx/none"), "none")
        server.expect_set("UPD-8", reply, key("fx/echo", 2), 3)
        server.check("PAY-4", len(reply.updates) == 3, "three updates", show(reply.document))
    # the last instruction wins, whatever the one before would have been
    reply = server.command([put_special("fx/echo", 1, kind), put("fx/echo", 1, 4)])
    server.expect_set("UPD-8", reply, name, 4)


@case("PAY-5", "UPD-2", title="A set value may share its parts, and of a view goes what it shows.")
def special_sets(server: Server) -> None:
    steps = [put_special("fx/echo", 1, "shared"), put_special("fx/echo", 2, "view"), give(1)]
    reply = server.command(steps)
    server.expect_set("UPD-2", reply, key("fx/echo", 1), [{"x": 1}, {"x": 1}])
    server.expect_set("PAY-5", reply, key("fx/echo", 2), b"x")
    raw = reply.response.body
    hidden = b"SENTINEL" not in raw and b"U0VOVElORUw" not in raw
    server.check("PAY-5", hidden, "nothing beside the view", str(reply))


@case("UPD-8", title="A refresh that redirects is that key's redirect.")
def redirecting_refresh(server: Server) -> None:
    argument = server.script(redirect("/login"))
    name = key("fx/act", argument)
    reply = server.command([refresh("fx/act", argument), refresh("fx/none"), give(1)])
    server.expect_value("UPD-8", reply, 1)
    server.expect_outcome("UPD-8", reply, name, "redirect")
    location = reply.outcome(name).get("location")
    server.check("UPD-8", location == "/login", "/login", show(location))
    server.expect_set("UPD-8", reply, key("fx/none"), "none")


@case(
    "UPD-10", slow=True, title="A refresh phase ends, and keys that are late have handler_timeout."
)
def late_refresh(server: Server) -> None:
    late = server.script(sleep(4 * server.limit("refresh_phase_ms")), give(1))
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


@case("UPD-3", "FUN-2", title="A command that fails runs no refresh.")
def failed_command_refreshes_nothing(server: Server) -> None:
    server.command([refresh("fx/cell", server.cell_argument()), fail()])
    server.command([refresh("fx/cell", server.cell_argument()), crash("x")])
    runs = server.calls("fx/cell")
    server.check("UPD-3", runs == 0, "no run of the query", str(runs))
    server.check("FUN-2", server.calls("fx/run") == 2, "two runs", str(server.calls("fx/run")))
