"""Section 11: requested refreshes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    accept,
    add,
    child,
    fail,
    give,
    invalidate,
    put,
    refresh,
    take,
)
from wireflight_conformance.wire.codec import key, payload_of_text
from wireflight_conformance.wire.values import UNDEFINED, Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

LISTS: list[Row] = [
    Row.of("a string", "fx/none/"),
    Row.of("null", None),
    Row.of("an object", {"0": "fx/none/"}),
    Row.of("a number", 1),
    Row.of("true", True),
    Row.of("a number in it", ["fx/none/", 1]),
    Row.of("null in it", [None]),
    Row.of("an array in it", [["fx/none/"]]),
    Row.of("undefined in it", [UNDEFINED]),
]


@case("REQ-1", title="A refreshes that is {row} is refused before the handler runs.", rows=LISTS)
def lists_of_another_form(server: Server, refreshes: Value) -> None:
    document: Value = {"arg": {"run": server.run, "steps": [add()]}, "refreshes": refreshes}
    reply = server.send(server.post_request("fx/run", document))
    server.expect_error("REQ-1", reply, "invalid_request")
    if refreshes != [UNDEFINED]:
        plain = server.send(server.post_request("fx/run", document, plain=True))
        server.expect_error("REQ-1", plain, "invalid_request")
    server.check("REQ-1", server.calls("fx/run") == 0, "a handler that did not run", "it ran")


@case("REQ-1", title="More than `refresh_keys` different keys are refused before the handler runs.")
def too_many_keys(server: Server) -> None:
    most = server.limit("refresh_keys")
    names = [key("fx/echo", number) for number in range(most + 1)]
    for plain in (False, True):
        reply = server.command([add()], refreshes=names, plain=plain)
        server.expect_error("REQ-1", reply, "too_large", limit="refresh_keys")
    server.check("REQ-1", server.calls("fx/run") == 0, "a handler that did not run", "it ran")


@case(
    "REQ-1", "LIM-3", title="Exactly `refresh_keys` keys are accepted, however often each stands."
)
def as_many_keys_as_allowed(server: Server) -> None:
    most = server.limit("refresh_keys")
    names = [key("fx/echo", number) for number in range(most)]
    reply = server.command([give(1)], refreshes=names + names[:10])
    server.expect_value("REQ-1", reply, 1)
    server.check("LIM-3", len(reply.updates) == most, f"{most} outcomes", str(len(reply.updates)))


@case("REQ-2", title="Every requested key has exactly one outcome, under the client's spelling.")
def one_outcome_each(server: Server) -> None:
    sent: list[Value] = [
        key("fx/echo", 1),
        key("fx/echo", 2),
        key("fx/none"),
        "no key at all",
        "",
        "fx/nothing/",
        "fx/run/",
        "fx/echo/LTE",
        key("fx/typed", {"name": ""}),
        key("fx/echo", 1),
    ]
    steps = [accept("fx/echo", 5), accept("fx/typed", 5), give("done")]
    reply = server.command(steps, refreshes=sent)
    server.expect_value("REQ-2", reply, "done")
    names = sorted(show(u.get("key", UNDEFINED)) for u in reply.updates)
    expected = sorted({show(name) for name in sent})
    server.check("REQ-2", names == expected, str(expected), str(names))


@case("REQ-2", title="Strings that look like names of the language come back as they were sent.")
def peculiar_keys(server: Server) -> None:
    sent: list[Value] = [
        "__proto__",
        "constructor/",
        "toString/W10",
        "fx/echo/__proto__",
        "</script><script>",
        "é",
        "a" * 300 + "/",
        "\U0001f600",
    ]
    reply = server.command([give(1)], refreshes=sent)
    server.expect_value("REQ-2", reply, 1)
    names = sorted(show(u.get("key", UNDEFINED)) for u in reply.updates)
    server.check("REQ-2", names == sorted(map(show, sent)), show(sent), str(names))


JUDGED = [
    Row.of("is empty", "", "invalid_key"),
    Row.of("has no slash", "none", "invalid_key"),
    Row.of("has no id", "/", "invalid_key"),
    Row.of("begins with a slash", "/fx/none/", "invalid_key"),
    Row.of("has an empty segment", "fx//none/", "invalid_key"),
    Row.of("has a character outside the alphabet", "fx/none/WzFd=", "invalid_key"),
    Row.of("has a space", "fx/none/ ", "invalid_key"),
    Row.of("has a digit before its id", "1fx/none/", "invalid_key"),
    Row.of("is a name of the protocol", "~manifest/", "invalid_key"),
    Row.of("has a line break at its end", "fx/none/\n", "invalid_key"),
    Row.of("has an id of 256 characters", "a" * 256 + "/", "invalid_key"),
    Row.of("names no function", "fx/nothing/", "unknown_function"),
    Row.of("names a function in another case", "FX/none/", "unknown_function"),
    Row.of("names a command", "fx/run/", "not_refreshable"),
    Row.of("has a payload of an impossible length", "fx/echo/WzFdA", "invalid_payload"),
    Row.of("has a payload with trailing bits", "fx/echo/WzFe", "invalid_payload"),
    Row.of("has a payload that is no JSON", "fx/echo/" + payload_of_text("{"), "invalid_payload"),
    Row.of("has an empty table", "fx/echo/" + payload_of_text("[]"), "invalid_payload"),
    Row.of("spells undefined", "fx/echo/LTE", "non_canonical"),
    Row.of("has white space", "fx/echo/" + payload_of_text("[1 ]"), "non_canonical"),
    Row.of(
        "has its members in another order",
        "fx/echo/" + payload_of_text('[{"b":1,"a":1},1]'),
        "non_canonical",
    ),
]


@case(
    "REQ-3",
    title="A requested key that {row} fails with its code, accepted or not, and the command runs.",
    rows=JUDGED,
)
def judged_keys(server: Server, name: str, code: str) -> None:
    for steps in ([give(1)], [accept("fx/echo", 10), accept("fx/none", 10), give(1)]):
        reply = server.command(steps, refreshes=[name])
        server.expect_value("REQ-3", reply, 1)
        server.expect_outcome("REQ-3", reply, name, "fail", code)


@case("REQ-3", title="A payload over a limit fails its key with too_deep or too_large.")
def keys_over_a_limit(server: Server) -> None:
    value: Value = 1
    for _ in range(server.limit("depth") + 1):
        value = [value]
    name = key("fx/echo", value)
    reply = server.command([accept("fx/echo", 1), give(1)], refreshes=[name])
    server.expect_outcome("REQ-3", reply, name, "fail", "too_deep")


@case("REQ-3", title="A key that no handler accepts is ignored.")
def unaccepted_keys(server: Server) -> None:
    names = [server.cell_key(), key("fx/typed", {"name": ""})]
    reply = server.command([accept("fx/echo", 5), give(1)], refreshes=names)
    server.expect_value("REQ-3", reply, 1)
    for name in names:
        # what does not validate is found out by who accepts it, and nobody did
        server.expect_outcome("REQ-3", reply, name, "ignore")
    server.check("REQ-3", server.calls("fx/cell") == 0, "no run of the query", "it ran")


@case("REQ-3", title="An accepted key is refreshed, and shows what the command did.")
def accepted_keys(server: Server) -> None:
    reply = server.command([accept("fx/cell", 1), add(by=3)], refreshes=[server.cell_key()])
    server.expect_set("REQ-3", reply, server.cell_key(), 3)


@case("REQ-3", title="An accepted key whose argument does not validate is invalid_argument.")
def accepted_invalid_keys(server: Server) -> None:
    name = key("fx/typed", {"name": "x" * 21, "count": 1})
    good = key("fx/typed", {"name": "x", "count": 1})
    reply = server.command([accept("fx/typed", 5), give(1)], refreshes=[name, good])
    server.expect_value("REQ-3", reply, 1)
    server.expect_outcome("REQ-3", reply, name, "fail", "invalid_argument")
    server.expect_set("REQ-3", reply, good, {"name": "x", "count": 1})


@case("REQ-3", title="Keys over an acceptance's limit fail with refresh_limit.")
def keys_over_the_acceptance(server: Server) -> None:
    names = [key("fx/echo", number) for number in range(4)]
    reply = server.command([accept("fx/echo", 2), give(1)], refreshes=names)
    server.expect_set("REQ-3", reply, names[0], 0)
    server.expect_set("REQ-3", reply, names[1], 1)
    server.expect_outcome("REQ-3", reply, names[2], "fail", "refresh_limit")
    server.expect_outcome("REQ-3", reply, names[3], "fail", "refresh_limit")


@case("REQ-3", title="A key that the handler took and gave no instruction for is ignored.")
def taken_keys(server: Server) -> None:
    cell, echo = server.cell_key(), key("fx/echo", 1)
    steps = [take("fx/cell", 1), accept("fx/echo", 1), give(1)]
    reply = server.command(steps, refreshes=[cell, echo])
    server.expect_value("REQ-3", reply, 1)
    server.expect_outcome("REQ-3", reply, cell, "ignore")
    server.expect_set("REQ-3", reply, echo, 1)
    server.check("REQ-3", server.calls("fx/cell") == 0, "no run of the query", "it ran")
    named = server.command(
        [take("fx/cell", 1), put("fx/cell", server.cell_argument(), 9)], refreshes=[cell]
    )
    server.expect_set("REQ-3", named, cell, 9)


@case("REQ-3", "REQ-4", title="What a handler takes is judged as what it accepts.")
def taken_keys_are_judged(server: Server) -> None:
    invalid = key("fx/typed", {"name": "", "count": 0})
    good = [key("fx/typed", {"name": name, "count": 0}) for name in "abc"]
    names = ["fx/typed/LTE", invalid, *good]
    reply = server.command([take("fx/typed", 2), give(1)], refreshes=names)
    server.expect_outcome("REQ-3", reply, names[0], "fail", "non_canonical")
    server.expect_outcome("REQ-3", reply, invalid, "fail", "invalid_argument")
    server.expect_outcome("REQ-3", reply, good[0], "ignore")
    for name in good[1:]:
        server.expect_outcome("REQ-3", reply, name, "fail", "refresh_limit")
    # a key that was taken is not there for the next acceptance
    steps = [take("fx/typed", 1), accept("fx/typed", 1), give(1)]
    reply = server.command(steps, refreshes=good)
    server.expect_outcome("REQ-4", reply, good[0], "ignore")
    server.expect_set("REQ-4", reply, good[1], {"name": "b", "count": 0})
    server.expect_outcome("REQ-4", reply, good[2], "fail", "refresh_limit")


@case("REQ-3", "UPD-4", title="A key that the handler named itself needs no acceptance.")
def named_keys(server: Server) -> None:
    name = server.cell_key()
    argument = server.cell_argument()
    refreshed = server.command([refresh("fx/cell", argument), add()], refreshes=[name])
    server.expect_set("REQ-3", refreshed, name, 1)
    given = server.command([put("fx/cell", argument, 9)], refreshes=[name])
    server.expect_set("REQ-3", given, name, 9)
    marked = server.command([invalidate("fx/cell", argument)], refreshes=[name])
    server.expect_outcome("UPD-4", marked, name, "invalidate")


@case("REQ-2", title="invalidate of a function or of all is no outcome of a requested key.")
def wide_invalidates_are_no_outcome(server: Server) -> None:
    name = key("fx/echo", 1)
    wide: list[Value] = [invalidate("fx/echo"), {"do": "invalidate", "all": True}]
    reply = server.command([*wide, give(1)], refreshes=[name])
    server.expect_outcome("REQ-2", reply, name, "ignore")


@case("REQ-4", title="An acceptance takes keys in the order in which the client named them.")
def order_of_acceptance(server: Server) -> None:
    names = [key("fx/echo", text) for text in ("z", "a", "m", "b")]
    for ordered in (names, names[::-1]):
        reply = server.command([accept("fx/echo", 2), give(1)], refreshes=ordered)
        for index, name in enumerate(ordered):
            op, code = ("set", "") if index < 2 else ("fail", "refresh_limit")
            server.expect_outcome("REQ-4", reply, name, op, code)


@case("REQ-4", title="A second acceptance takes what the first left.")
def two_acceptances(server: Server) -> None:
    names = [key("fx/echo", number) for number in range(4)]
    steps = [accept("fx/echo", 1), accept("fx/echo", 2), give(1)]
    reply = server.command(steps, refreshes=names)
    for index, name in enumerate(names):
        op, code = ("set", "") if index < 3 else ("fail", "refresh_limit")
        server.expect_outcome("REQ-4", reply, name, op, code)


@case(
    "REQ-4", title="Keys that failed before count for no acceptance; those that do not validate do."
)
def what_counts_for_an_acceptance(server: Server) -> None:
    broken = "fx/typed/LTE"
    invalid = key("fx/typed", {"name": "", "count": 0})
    good = [key("fx/typed", {"name": name, "count": 0}) for name in "ab"]
    reply = server.command(
        [accept("fx/typed", 2), give(1)], refreshes=[broken, invalid, good[0], good[1]]
    )
    server.expect_outcome("REQ-4", reply, broken, "fail", "non_canonical")
    server.expect_outcome("REQ-4", reply, invalid, "fail", "invalid_argument")
    server.expect_outcome("REQ-4", reply, good[0], "set")
    server.expect_outcome("REQ-4", reply, good[1], "fail", "refresh_limit")


@case("REQ-4", title="Acceptances of one query leave those of another alone.")
def acceptances_by_function(server: Server) -> None:
    echo, none, cell = key("fx/echo", 1), key("fx/none"), server.cell_key()
    steps = [accept("fx/echo", 1), accept("fx/cell", 1), give(1)]
    reply = server.command(steps, refreshes=[echo, none, cell])
    server.expect_set("REQ-4", reply, echo, 1)
    server.expect_set("REQ-4", reply, cell, 0)
    server.expect_outcome("REQ-4", reply, none, "ignore")


@case("REQ-3", "FUN-6", title="What a failed child accepted is not refreshed.")
def acceptance_of_a_failed_child(server: Server) -> None:
    name = server.cell_key()
    steps = [child(accept("fx/cell", 1), fail(), catch=True), give(1)]
    reply = server.command(steps, refreshes=[name])
    server.expect_value("FUN-6", reply, 1)
    server.expect_outcome("REQ-3", reply, name, "ignore")


@case("KEY-6", title="An accepted key is named as the client sent it, defaults or not.")
def keys_as_sent(server: Server) -> None:
    # b has a default, which a server that re-keys the validated argument would fill in
    name = key("fx/pair", {"a": 1})
    reply = server.command([accept("fx/pair", 1)], refreshes=[name])
    server.expect_set("KEY-6", reply, name, {"a": 1, "b": 2})
    full = key("fx/pair", {"a": 1, "b": 2})
    reply = server.command([accept("fx/pair", 2)], refreshes=[name, full])
    server.expect_set("KEY-6", reply, name, {"a": 1, "b": 2})
    server.expect_set("KEY-6", reply, full, {"a": 1, "b": 2})


@case("KEY-6", "KEY-1", title="A key that the client asks for meets the same key of the handler.")
def keys_meet(server: Server) -> None:
    odd: Value = {
        "b": 1,
        "10": 2,
        "9": 3,
        "a": -0.0,
        "\ufffd": UNDEFINED,
        "\U0001f600": 1.0,
        "\ue000": [1e21, 0.1, "é<"],
    }
    name = key("fx/echo", odd)
    reply = server.command([refresh("fx/echo", odd)], refreshes=[name])
    server.check("KEY-1", len(reply.updates) == 1, "one key for one argument", show(reply.document))
    server.expect_outcome("KEY-6", reply, name, "set")
