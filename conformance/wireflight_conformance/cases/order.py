"""Section 12: the order of values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import case
from wireflight_conformance.fixture import (
    accept,
    add,
    give,
    open_gate,
    put,
    refresh,
    return_read,
    sleep,
    wait,
)
from wireflight_conformance.universal import STAMP
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import UNDEFINED, Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.reply import Reply


def stamp_of(reply: Reply, name: str, member: str = "at") -> str:
    """Return a stamp of a key's outcome, an empty text if there is none."""
    found = reply.outcome(name).get(member, UNDEFINED)
    return found if isinstance(found, str) else ""


def one_process(server: Server, *stamps: str) -> bool:
    """Require that the stamps are stamps, and tell whether they are of one process."""
    for stamp in stamps:
        formed = STAMP.fullmatch(stamp) is not None
        server.require("ORD-1", formed, "a stamp", repr(stamp))
    return len({stamp.partition(".")[0] for stamp in stamps}) == 1


@case("ORD-1", title="Stamps of one process grow with each request, and none comes twice.")
def stamps_grow(server: Server) -> None:
    replies = [server.query("fx/none") for _ in range(4)]
    replies += [server.command([]) for _ in range(3)]
    replies += [server.post_query("fx/none") for _ in range(2)]
    stamps = [reply.at for reply in replies]
    server.check("ORD-1", len(set(stamps)) == len(stamps), "stamps that differ", str(stamps))
    if one_process(server, *stamps):
        server.check("ORD-1", stamps == sorted(stamps), "stamps that grow", str(stamps))


@case("ORD-2", title="A query's stamp is taken before its handler starts to read.")
def query_stamp_before_reading(server: Server) -> None:
    # The query arrives first and waits; a command then writes and takes its own stamp. Whoever
    # stamps the query after its handler would call its value newer than the command's.
    slow = server.begin(
        server.query_request(
            "fx/act",
            {
                "run": server.run,
                "steps": [
                    open_gate("started"),
                    return_read("fx/cell", server.cell_argument()),
                    wait("go"),
                ],
            },
        )
    )
    wrote = server.command([wait("started"), add(), put("fx/cell", server.cell_argument(), 1)])
    opened = server.command([open_gate("go")])
    old = slow.reply()
    server.expect_result("ORD-2", wrote)
    server.expect_result("ORD-2", opened)
    server.expect_value("ORD-2", old, 0)
    at, start = old.at, stamp_of(wrote, server.cell_key(), "from")
    if one_process(server, at, start):
        server.check("ORD-2", at < start, f"a stamp before the write's {start}", at, of=old)


@case("ORD-2", title="The values of a refresh phase have one stamp, taken after the handler.")
def refresh_phase_stamp(server: Server) -> None:
    first, second = server.cell_argument("a"), server.cell_argument("b")
    between: list[str] = []
    steps = [
        open_gate("inside"),
        wait("leave"),
        refresh("fx/cell", first),
        refresh("fx/cell", second),
        refresh("fx/none"),
    ]
    pending = server.begin(server.command_request(steps))
    waited = server.command([wait("inside")])
    between.append(waited.at)
    between.append(server.query("fx/none").at)
    server.command([open_gate("leave")])
    reply = pending.reply()
    server.expect_result("ORD-2", reply)
    names = [server.cell_key("a"), server.cell_key("b"), key("fx/none")]
    stamps = [stamp_of(reply, name) for name in names]
    server.check("ORD-2", len(set(stamps)) == 1, "one stamp", str(stamps), of=reply)
    if one_process(server, *stamps, *between):
        late = stamps[0] > max(between)
        server.check("ORD-2", late, f"a stamp after {max(between)}", stamps[0], of=reply)


@case("ORD-2", title="The stamp of a refresh phase is taken before its first query starts.")
def refresh_stamp_before_reading(server: Server) -> None:
    argument: Value = {
        "run": server.run,
        "steps": [
            open_gate("reading"),
            return_read("fx/cell", server.cell_argument()),
            wait("read"),
        ],
    }
    pending = server.begin(server.command_request([refresh("fx/act", argument)]))
    # during the phase another command writes
    wrote = server.command([wait("reading"), add(), put("fx/cell", server.cell_argument(), 1)])
    server.command([open_gate("read")])
    reply = pending.reply()
    server.expect_set("ORD-2", reply, key("fx/act", argument), 0)
    at = stamp_of(reply, key("fx/act", argument))
    start = stamp_of(wrote, server.cell_key(), "from")
    if one_process(server, at, start):
        server.check("ORD-2", at < start, f"a stamp before the write's {start}", at, of=reply)


@case("ORD-3", title="A set value has `at` from after its handler and `from` from before it.")
def stamps_of_a_set(server: Server) -> None:
    name = server.cell_key()
    before = server.query("fx/none").at
    steps = [
        open_gate("inside"),
        put("fx/cell", server.cell_argument(), 5),
        wait("leave"),
    ]
    pending = server.begin(server.command_request(steps))
    entered = server.command([wait("inside")])
    during = server.query("fx/none").at
    server.command([open_gate("leave")])
    reply = pending.reply()
    server.expect_set("ORD-3", reply, name, 5)
    at, start = stamp_of(reply, name), stamp_of(reply, name, "from")
    server.check("ORD-3", start != "", "a set with `from`", show(reply.document))
    after = server.query("fx/none").at
    if one_process(server, before, start, during, at, after):
        ordered = before < start < during < at < after
        server.check(
            "ORD-3",
            ordered,
            "before < from < a query during the handler < at < a query after it",
            f"{[before, start, during, at, after]}",
            of=reply,
        )
    server.expect_result("ORD-3", entered)


@case("ORD-4", title="A command's own stamp is taken after its handler has returned.")
def stamp_of_a_command(server: Server) -> None:
    pending = server.begin(server.command_request([open_gate("inside"), wait("leave"), give(1)]))
    server.command([wait("inside")])
    during = server.query("fx/none").at
    server.command([open_gate("leave")])
    reply = pending.reply()
    after = server.query("fx/none").at
    server.expect_value("ORD-4", reply, 1)
    if one_process(server, during, reply.at, after):
        holds = during < reply.at < after
        server.check("ORD-4", holds, f"between {during} and {after}", reply.at, of=reply)


@case(
    "ORD-2", "ORD-3", title="Accepted and set values in one envelope are stamped each by its rule."
)
def mixed_envelope(server: Server) -> None:
    asked = key("fx/echo", 1)
    reply = server.command(
        [accept("fx/echo", 1), put("fx/echo", 2, 0), sleep(5), refresh("fx/none")],
        refreshes=[asked],
    )
    server.expect_result("ORD-2", reply)
    refreshed = [stamp_of(reply, asked), stamp_of(reply, key("fx/none"))]
    server.check("ORD-2", refreshed[0] == refreshed[1], "one stamp", str(refreshed))
    start, at = (stamp_of(reply, key("fx/echo", 2), name) for name in ("from", "at"))
    if one_process(server, start, at, *refreshed):
        server.check("ORD-3", start < at, "from before at", f"{start} and {at}")
        server.check("ORD-3", start < refreshed[0], "from before the phase", f"{start}")
