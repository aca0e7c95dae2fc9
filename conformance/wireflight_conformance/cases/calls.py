"""Section 7: calls that handlers make of functions, and how they fail."""

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
    invalidate,
    put,
    read,
    refresh,
    return_read,
)
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import Value, show

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.reply import Reply

FAILURES = [
    Row.of("an application error", fail(418, "fx.teapot", "short"), [418, "fx.teapot", "short"]),
    Row.of("the application error by default", fail(404, None, "gone"), [404, "app.error", "gone"]),
    Row.of("an unexpected exception", crash("SENTINEL-CRASH"), [500, "internal"]),
    Row.of("a cookie that a query sets", cookie("fx_session", "stolen"), [500, "cookie_in_query"]),
]


def callers(server: Server, step: Mapping[str, Value]) -> list[tuple[str, Reply]]:
    """Return the answers of a command and of queries whose handlers do the step."""
    deep = server.script(return_read("fx/act", server.script(step)))
    return [
        ("a command", server.command([step, give("went on")])),
        ("a child", server.command([child(step), give("went on")])),
        ("a query", server.act([step, give("went on")])),
        ("a query of a query", server.act([return_read("fx/act", deep)])),
    ]


def told(reply: Reply) -> list[Value]:
    """Return status, code and message of an error."""
    return [reply.error.get(name) for name in ("status", "code", "message")]


@case(
    "FUN-10",
    "ERR-3",
    title="The failure of a query that a handler calls, {row}, is the caller's.",
    rows=FAILURES,
)
def failing_calls(server: Server, step: Mapping[str, Value], expected: list[Value]) -> None:
    inner = server.script(step)
    for call in (read("fx/act", inner), return_read("fx/act", inner)):
        for name, reply in callers(server, call):
            shown = told(reply)[: len(expected)]
            server.check("FUN-10", shown == expected, f"{expected} for {name}", str(reply))
            server.check("FUN-10", reply.status == expected[0], str(expected[0]), str(reply.status))
            hidden = b"SENTINEL" not in reply.response.body
            server.check("ERR-3", hidden, "nothing of the exception", str(reply))
            named = isinstance(reply.error.get("id"), str) is (expected[1] == "internal")
            server.check("ERR-3", named, "an id with internal alone", str(reply))


@case("FUN-10", title="The failure of a command that a command calls is the caller's.")
def failing_children(server: Server) -> None:
    for inner in (
        child(fail(418, "fx.teapot", "short")),
        child(child(fail(418, "fx.teapot", "short"))),
    ):
        reply = server.command([inner, give("went on")])
        expected: list[Value] = [418, "fx.teapot", "short"]
        server.check("FUN-10", told(reply) == expected, str(expected), str(reply))
    server.expect_error("FUN-10", server.command([child(crash("x"))]), "internal")


REFUSED: list[Row] = [
    Row.of("a string that is too short", "fx/typed", {"name": "", "count": 1}),
    Row.of("a member that is missing", "fx/cell", {"run": "x"}),
    Row.of("a member of another type", "fx/pair", {"a": "x"}),
    Row.of("a member that the type does not have", "fx/calls", {"run": "x", "more": 1}),
    Row.of("an argument where the function has none", "fx/none", 1),
]


@case(
    "FUN-10",
    "ISS-4",
    title="A call whose argument the function's type refuses, {row}, is the caller's internal.",
    rows=REFUSED,
)
def refused_calls(server: Server, function: str, argument: Value) -> None:
    # alone it is the client's fault, and fx/typed says where
    server.expect_error("ISS-4", server.query(function, argument), "invalid_argument")
    for name, reply in callers(server, return_read(function, argument)):
        # a server may leave it to its language to check such a call, and then there is no failure
        holds = reply.code == "internal" or reply.is_result
        server.check("FUN-10", holds, f"500 internal for {name}", str(reply))
        server.check("ISS-4", "issues" not in reply.error, "no issues", str(reply))


@case("FUN-10", "UPD-7", title="A refreshed query that makes a refused call fails with internal.")
def refused_call_in_a_refresh(server: Server) -> None:
    argument = server.script(return_read("fx/typed", {"name": "", "count": 1}))
    name = key("fx/act", argument)
    reply = server.command([refresh("fx/act", argument), give("done")])
    server.expect_value("UPD-7", reply, "done")
    server.expect_outcome("FUN-10", reply, name, "fail", "internal")
    failing = server.script(return_read("fx/act", server.script(fail(418, "fx.teapot", "short"))))
    reply = server.command([refresh("fx/act", failing), give("done")])
    server.expect_outcome("FUN-10", reply, key("fx/act", failing), "fail", "fx.teapot")


@case("FUN-10", "UPD-9", "SEC-9", title="An application error of a call is one of the command.")
def application_error_of_a_call(server: Server) -> None:
    failing = server.script(fail(418, "fx.teapot", "short"))
    steps = [
        add(),
        cookie("fx_session", "new"),
        invalidate("fx/echo", 3),
        put("fx/echo", 4, 5),
        read("fx/act", failing),
    ]
    reply = server.command(steps)
    server.expect_error("FUN-10", reply, "fx.teapot")
    server.expect_outcome("UPD-9", reply, key("fx/echo", 3), "invalidate")
    server.check("UPD-9", len(reply.updates) == 1, "one update", show(reply.document))
    cookies = [text.partition(";")[0] for text in reply.response.all("set-cookie")]
    server.check("SEC-9", cookies == ["fx_session=new"], "the cookie", str(cookies))


@case("FUN-6", "REQ-4", title="What a child that fails accepted is there for its parent.")
def acceptances_of_a_failed_child(server: Server) -> None:
    names = [key("fx/echo", number) for number in range(3)]
    failed = child(accept("fx/echo", 1), fail(), catch=True)
    reply = server.command([failed, give(1)], refreshes=names)
    for name in names:
        # neither a value nor refresh_limit: nothing of the acceptance was made
        server.expect_outcome("FUN-6", reply, name, "ignore")
    reply = server.command([failed, accept("fx/echo", 2), give(1)], refreshes=names)
    server.expect_set("FUN-6", reply, names[0], 0)
    server.expect_set("FUN-6", reply, names[1], 1)
    server.expect_outcome("FUN-6", reply, names[2], "fail", "refresh_limit")
    kept = child(accept("fx/echo", 1))
    reply = server.command([kept, accept("fx/echo", 1), give(1)], refreshes=names)
    server.expect_set("REQ-4", reply, names[0], 0)
    server.expect_set("REQ-4", reply, names[1], 1)
    server.expect_outcome("REQ-4", reply, names[2], "fail", "refresh_limit")
