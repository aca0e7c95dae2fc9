"""Section 7: functions."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    add,
    child,
    cookie,
    crash,
    fail,
    finish,
    give,
    invalidate,
    open_gate,
    put,
    redirect,
    refresh,
    return_read,
    sleep,
    slow_commit,
    wait,
)
from wireflight_conformance.wire.codec import encode, key
from wireflight_conformance.wire.reply import WIREFLIGHT
from wireflight_conformance.wire.values import Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server


def settles(server: Server, cell: str, value: int, seconds: float = 3.0) -> bool:
    """Wait until a cell has a value, and tell whether it came to that."""
    clock = server.clock(seconds)
    while clock.left:
        if server.cell(cell) == value:
            return True
        time.sleep(0.02)
    return False


@case("FUN-2", title="One call is one run of the handler.")
def one_run_for_a_call(server: Server) -> None:
    for _ in range(3):
        server.expect_value("FUN-2", server.command([add(), give(1)]), 1)
    counted = server.calls("fx/run")
    server.check("FUN-2", counted == 3, "three runs of fx/run", str(counted))
    server.query("fx/cell", server.cell_argument())
    server.post_query("fx/cell", server.cell_argument())
    counted = server.calls("fx/cell")
    server.check("FUN-2", counted == 2, "two runs of fx/cell", str(counted))


@case("FUN-2", title="A command that fails is not run again.")
def no_retry(server: Server) -> None:
    for step in (crash("x"), fail(503, "fx.busy", "later"), redirect("/x")):
        server.command([add(), step])
    counted = server.calls("fx/run")
    server.check("FUN-2", counted == 3, "three runs", str(counted))
    server.check("FUN-2", server.cell() == 3, "three effects", show(server.cell()))


REFUSALS = [
    Row.of("a cross-site origin", (("Sec-Fetch-Site", "cross-site"),), {}),
    Row.of("another host", (("Host", "evil.example"),), {}),
    Row.of("another version", (("Wireflight-Version", "7"),), {}),
    Row.of("another contract", (("Wireflight-Contract", "no"),), {}),
    Row.of("another media type", (("Wireflight-Version", "1"), ("Content-Type", "a/b")), {}),
    Row.of("a compressed body", (("Content-Encoding", "gzip"),), {}),
    Row.of("a list of requested keys that is none", (), {"refreshes": 1}),
    Row.of("a payload", (), {"payload": "W10"}),
]


@case("FUN-2", title="A command with {row} does not run.", rows=REFUSALS)
def refused_commands_do_not_run(
    server: Server, headers: tuple[tuple[str, str], ...], more: dict[str, Value]
) -> None:
    document: Value = {"arg": {"run": server.run, "steps": [add()]}, **more}
    reply = server.send(server.post_request("fx/run", document, headers=headers))
    refused = 400 <= reply.status < 500
    server.check("FUN-2", refused, "a refusal", str(reply))
    counted = server.calls("fx/run")
    server.check("FUN-2", counted == 0, "no run", str(counted), of=reply)
    server.check("FUN-2", server.cell() == 0, "no effect", show(server.cell()), of=reply)


@case("FUN-2", title="An argument that does not decode or validate reaches no handler.")
def broken_arguments_do_not_run(server: Server) -> None:
    run = server.run
    for text in (
        f'[{{"arg":1}},{{"run":2,"steps":3,"more":4}},"{run}",[],1]',
        f'[{{"arg":1}},{{"run":2,"steps":3}},"{run}",[],"unreachable"]',
        f'[{{"arg":1}},{{"run":2,"steps":3}},"{run}",["Evil"]]',
        f'[{{"arg":1}},{{"run":2,"steps":3}},"{run}",{{}}]',
        f'[{{"arg":1}},{{"run":2}},"{run}"]',
    ):
        body = text.encode()
        reply = server.send(server.request("POST", "/fx/run", body=body, content_type=WIREFLIGHT))
        server.check("FUN-2", reply.status == 400, "400", str(reply))
    counted = server.calls("fx/run")
    server.check("FUN-2", counted == 0, "no run", str(counted))


@case("FUN-3", title="Requests that take turns each see their own cookies.")
def requests_apart(server: Server) -> None:
    names = [f"user{number}" for number in range(20)]
    pending = [
        server.begin(server.query_request("fx/whoami", headers=(("Cookie", f"fx_session={name}"),)))
        for name in names
    ]
    for name, waiting in zip(names, pending, strict=True):
        server.expect_value("FUN-3", waiting.reply(), name)


@case("FUN-3", title="Commands that take turns keep their cookies, results and updates apart.")
def commands_apart(server: Server) -> None:
    pending = []
    for number in range(6):
        steps = [
            cookie("fx_session", f"c{number}"),
            refresh("fx/whoami"),
            put("fx/echo", number, number * 10),
            open_gate(f"in{number}"),
            wait("all"),
            give(number),
        ]
        pending.append(server.begin(server.command_request(steps)))
    gates = [wait(f"in{number}") for number in range(6)]
    server.expect_result("FUN-3", server.command([*gates, open_gate("all")]))
    for number, waiting in enumerate(pending):
        reply = waiting.reply()
        server.expect_value("FUN-3", reply, number)
        server.expect_set("FUN-3", reply, key("fx/whoami"), f"c{number}")
        server.expect_set("FUN-3", reply, key("fx/echo", number), number * 10)
        count = len(reply.updates)
        server.check("FUN-3", count == 2, "two updates", show(reply.document), of=reply)
        cookies = reply.response.all("set-cookie")
        own = len(cookies) == 1 and cookies[0].startswith(f"fx_session=c{number};")
        server.check("FUN-3", own, f"the cookie c{number}", str(cookies), of=reply)


@case("FUN-3", title="What one request left behind, the next does not see.")
def nothing_left_behind(server: Server) -> None:
    server.command([cookie("fx_session", "old"), refresh("fx/none")])
    server.expect_value("FUN-3", server.query("fx/whoami"), None)
    reply = server.command([give(1)])
    server.check("FUN-3", not reply.updates, "no updates", show(reply.document))
    server.expect_value("FUN-3", server.query("fx/seen"), {"id": "fx/seen", "page": None})


@case("FUN-4", title="A command's handler that reads twice sees its own write.")
def no_memory_in_a_command(server: Server) -> None:
    argument = server.cell_argument()
    reply = server.command(
        [return_read("fx/cell", argument), add(by=5), return_read("fx/cell", argument)]
    )
    server.expect_value("FUN-4", reply, 5)
    counted = server.calls("fx/cell")
    server.check("FUN-4", counted == 2, "two runs of the query", str(counted))


@case("FUN-4", title="A handler's read does not stand in for a refresh.")
def no_memory_for_the_refresh(server: Server) -> None:
    argument = server.cell_argument()
    reply = server.command([return_read("fx/cell", argument), add(), refresh("fx/cell", argument)])
    server.expect_value("FUN-4", reply, 0)
    server.expect_set("FUN-4", reply, server.cell_key(), 1)


@case("FUN-4", title="A child that reads sees what its parent wrote, and the other way round.")
def no_memory_in_a_child(server: Server) -> None:
    argument = server.cell_argument()
    reply = server.command(
        [
            return_read("fx/cell", argument),
            child(return_read("fx/cell", argument), add(by=2)),
            return_read("fx/cell", argument),
        ]
    )
    server.expect_value("FUN-4", reply, 2)


@case(
    "FUN-5", title="A query that calls a command fails with internal, and the command never runs."
)
def command_in_a_query(server: Server) -> None:
    reply = server.act([child(add()), give("went on")])
    server.expect_error("FUN-5", reply, "internal")
    server.check("FUN-5", server.cell() == 0, "no effect", show(server.cell()))
    caught = server.act([child(add(), catch=True), give("went on")])
    server.expect_value("FUN-5", caught, "went on")
    counted = server.calls("fx/run")
    server.check("FUN-5", counted == 0, "no run of the command", str(counted))


@case("FUN-5", title="A query that a command calls cannot call a command either.")
def command_in_a_called_query(server: Server) -> None:
    inner: Value = {"run": server.run, "steps": [child(add(), catch=True), give("inner")]}
    reply = server.command([return_read("fx/act", inner)])
    server.expect_value("FUN-5", reply, "inner")
    counted = server.calls("fx/run")
    server.check("FUN-5", counted == 1, "one run, the outer one", str(counted))
    refreshed = server.command([refresh("fx/act", inner)])
    server.expect_set("FUN-5", refreshed, key("fx/act", inner), "inner")
    counted = server.calls("fx/run")
    server.check("FUN-5", counted == 2, "two runs, the outer ones", str(counted))


@case("FUN-6", title="The updates of a child that fails are discarded, those around it stay.")
def failed_child(server: Server) -> None:
    inner = [
        refresh("fx/none"),
        put("fx/echo", 1, 1),
        invalidate("fx/echo", 2),
        invalidate("fx/pair"),
        fail(),
    ]
    steps = [
        put("fx/echo", 3, 3),
        child(*inner, catch=True),
        put("fx/echo", 4, 4),
        give("went on"),
    ]
    reply = server.command(steps)
    server.expect_value("FUN-6", reply, "went on")
    server.expect_set("FUN-6", reply, key("fx/echo", 3), 3)
    server.expect_set("FUN-6", reply, key("fx/echo", 4), 4)
    server.check("FUN-6", len(reply.updates) == 2, "two updates", show(reply.document))


@case("FUN-6", title="A failed child does not undo what its parent said of the same key.")
def failed_child_on_one_key(server: Server) -> None:
    reply = server.command(
        [put("fx/echo", 1, "parent"), child(put("fx/echo", 1, "child"), fail(), catch=True)]
    )
    server.expect_set("FUN-6", reply, key("fx/echo", 1), "parent")


@case("FUN-6", title="The updates of a child that succeeds stay, also of a grandchild.")
def successful_child(server: Server) -> None:
    grandchild = child(put("fx/echo", 2, "grandchild"))
    reply = server.command([child(put("fx/echo", 1, "child"), grandchild), give(1)])
    server.expect_value("FUN-6", reply, 1)
    server.expect_set("FUN-6", reply, key("fx/echo", 1), "child")
    server.expect_set("FUN-6", reply, key("fx/echo", 2), "grandchild")


@case("FUN-6", title="A child that fails takes the updates of its own children with it.")
def failed_child_with_grandchild(server: Server) -> None:
    inner = child(child(put("fx/echo", 2, 2)), put("fx/echo", 1, 1), crash("x"), catch=True)
    reply = server.command([inner, give("went on")])
    server.expect_value("FUN-6", reply, "went on")
    server.check("FUN-6", not reply.updates, "no updates", show(reply.document))


@case("FUN-6", title="A child's failure that nobody catches is the command's.")
def uncaught_child(server: Server) -> None:
    reply = server.command([child(invalidate("fx/echo", 2), fail(409, "fx.child", "no"))])
    server.expect_error("FUN-6", reply, "fx.child")
    server.check("FUN-6", not reply.updates, "no updates", show(reply.document))


@case("FUN-7", slow=True, title="A query whose client has gone is cancelled.")
def query_is_cancelled(server: Server) -> None:
    steps = [finish("ended"), open_gate("in"), wait("never"), add("went on")]
    argument: Value = {"run": server.run, "steps": steps}
    pending = server.begin(server.query_request("fx/act", argument))
    server.expect_result("FUN-7", server.command([wait("in")]))
    began = time.monotonic()
    pending.abort()
    # without a cancellation the handler would end at handler_ms
    half = server.limit("handler_ms") / 2000
    ended = settles(server, "ended", 1, half)
    took = time.monotonic() - began
    server.check("FUN-7", ended, f"an end within {half:.1f} s", f"none after {took:.1f} s")
    server.check("FUN-7", server.cell("went on") == 0, "no further step", "the handler went on")


@case("FUN-8", slow=True, title="A command whose client has gone runs to its end.")
def command_is_not_cancelled(server: Server) -> None:
    for name in ("reset", "half-close"):
        cell = f"done {name}"
        steps = [open_gate(f"in {name}"), wait(f"go {name}"), sleep(30), add(cell)]
        pending = server.begin(server.command_request(steps))
        server.expect_result("FUN-8", server.command([wait(f"in {name}")]))
        if name == "reset":
            pending.abort()
        else:
            pending.half_close()
        time.sleep(0.1)
        server.expect_result("FUN-8", server.command([open_gate(f"go {name}")]))
        done = settles(server, cell, 1)
        server.require("FUN-8", done, f"all steps after a {name}", "the last step never ran")


@case("FUN-8", slow=True, title="A command whose client has gone also runs its refreshes.")
def refreshes_after_disconnect(server: Server) -> None:
    argument: Value = {"run": server.run, "steps": [add("refreshed")]}
    steps = [open_gate("in"), wait("go"), refresh("fx/act", argument), add("done")]
    pending = server.begin(server.command_request(steps))
    server.expect_result("FUN-8", server.command([wait("in")]))
    pending.abort()
    time.sleep(0.1)
    server.expect_result("FUN-8", server.command([open_gate("go")]))
    server.check("FUN-8", settles(server, "done", 1), "the handler's end", "it never came")


@case("FUN-9", "LIM-1", slow=True, title="A command that takes too long is handler_timeout.")
def slow_command(server: Server) -> None:
    steps = [
        finish("ended"),
        put("fx/echo", 1, 2),
        invalidate("fx/echo", 3),
        sleep(server.limit("handler_ms") * 3),
        add("went on"),
    ]
    began = time.monotonic()
    reply = server.command(steps, refreshes=[key("fx/none")])
    took = (time.monotonic() - began) * 1000
    server.expect_error("FUN-9", reply, "handler_timeout")
    server.check("FUN-9", not reply.updates, "no updates", show(reply.document))
    most = server.limit("handler_ms")
    in_time = most * 0.9 <= took <= most + 2000
    server.check("LIM-1", in_time, f"after {most} ms", f"after {took:.0f} ms")
    server.check("FUN-9", settles(server, "ended", 1, 1.0), "the handler's end", "it goes on")
    server.check("FUN-9", server.cell("went on") == 0, "no further step", "the handler went on")


@case("FUN-9", slow=True, title="A command whose commit takes too long is handler_timeout.")
def slow_commit_of_a_command(server: Server) -> None:
    steps = [put("fx/echo", 1, 2), slow_commit(server.limit("handler_ms") * 3)]
    reply = server.command(steps)
    server.expect_error("FUN-9", reply, "handler_timeout")
    server.check("FUN-9", not reply.updates, "no updates", show(reply.document))


@case("FUN-9", slow=True, title="A query that takes too long is handler_timeout.")
def slow_query(server: Server) -> None:
    steps = [finish("ended"), wait("never")]
    reply = server.query("fx/act", {"run": server.run, "steps": steps})
    server.expect_error("FUN-9", reply, "handler_timeout")
    server.check("FUN-9", settles(server, "ended", 1, 1.0), "the handler's end", "it goes on")


@case("FUN-2", "HTTP-10", title="A request that ends in the middle runs nothing.")
def truncated_request(server: Server) -> None:
    document: Value = {"arg": {"run": server.run, "steps": [add()]}}
    body = encode(document).encode()
    request = server.post_request("fx/run", document)
    pending = server.begin(request, [request.head, body[: len(body) // 2]])
    pending.abort()
    half = server.begin(request, [request.head, body[: len(body) // 2]])
    half.half_close()
    half.abort()
    time.sleep(0.05)
    counted = server.calls("fx/run")
    server.check("FUN-2", counted == 0, "no run", str(counted))
    server.expect_value("HTTP-10", server.query("fx/none"), "none")
