"""Section 13: validation issues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import accept
from wireflight_conformance.tables import issue_codes
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.reply import pick
from wireflight_conformance.wire.values import UNDEFINED, BigInt, Date, Map, Set, Value, same, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

MARK = "SENTINEL-7f3a"
GOOD: Value = {"name": "x", "count": 1}

FAULTS: list[Row] = [
    Row.of("a missing argument", UNDEFINED, [], "required", {}),
    Row.of("a missing member", {"name": "x"}, ["count"], "required", {}),
    Row.of(
        "an unknown member", {"name": "x", "count": 1, "more": 1}, ["more"], "unknown_member", {}
    ),
    Row.of(
        "a number for a string", {"name": 1, "count": 1}, ["name"], "type", {"expected": "string"}
    ),
    Row.of(
        "a string for an integer",
        {"name": "x", "count": "1"},
        ["count"],
        "type",
        {"expected": "integer"},
    ),
    Row.of("a fraction", {"name": "x", "count": 1.5}, ["count"], "type", {"expected": "integer"}),
    Row.of(
        "true for an integer",
        {"name": "x", "count": True},
        ["count"],
        "type",
        {"expected": "integer"},
    ),
    Row.of(
        "null for a string", {"name": None, "count": 1}, ["name"], "type", {"expected": "string"}
    ),
    Row.of("too small a number", {"name": "x", "count": -1}, ["count"], "minimum", {"limit": 0}),
    Row.of("too large a number", {"name": "x", "count": 101}, ["count"], "maximum", {"limit": 100}),
    Row.of("an empty string", {"name": "", "count": 1}, ["name"], "min_length", {"limit": 1}),
    Row.of(
        "too long a string", {"name": "x" * 21, "count": 1}, ["name"], "max_length", {"limit": 20}
    ),
    Row.of("another choice", {"name": "x", "count": 1, "mode": "c"}, ["mode"], "choice", None),
    Row.of(
        "too many items",
        {"name": "x", "count": 1, "tags": ["a", "b", "c", "d"]},
        ["tags"],
        "max_items",
        {"limit": 3},
    ),
    Row.of(
        "an item of another type",
        {"name": "x", "count": 1, "tags": ["a", 2]},
        ["tags", 1],
        "type",
        {"expected": "string"},
    ),
    Row.of(
        "a nested fault",
        {"name": "x", "count": 1, "at": {"x": "1"}},
        ["at", "x"],
        "type",
        {"expected": "number"},
    ),
    Row.of(
        "a number for bytes",
        {"name": "x", "count": 1, "data": 1},
        ["data"],
        "type",
        {"expected": "bytes"},
    ),
    Row.of(
        "a number for a bigint",
        {"name": "x", "count": 1, "big": 1},
        ["big"],
        "type",
        {"expected": "bigint"},
    ),
    Row.of(
        "an item of another type in a set",
        {"name": "x", "count": 1, "labels": Set(["a", 2])},
        ["labels", 1],
        "type",
        {"expected": "string"},
    ),
    Row.of(
        "a value of another type in a map",
        {"name": "x", "count": 1, "counts": Map([("a", 1), ("b", "2")])},
        ["counts", 1, 1],
        "type",
        {"expected": "integer"},
    ),
    Row.of(
        "a value of another type in a map's first pair",
        {"name": "x", "count": 1, "counts": Map([("a", "1")])},
        ["counts", 0, 1],
        "type",
        {"expected": "integer"},
    ),
    Row.of(
        "a key of another type in a map",
        {"name": "x", "count": 1, "counts": Map([(1, 1)])},
        ["counts", 0, 0],
        "type",
        {"expected": "string"},
    ),
    Row.of(
        "a choice of another type",
        {"name": "x", "count": 1, "mode": 1},
        ["mode"],
        "type",
        {"expected": "string"},
    ),
    Row.of("another value altogether", 5, [], "type", {"expected": "object"}),
    Row.of("an array for an object", [], [], "type", {"expected": "object"}),
    Row.of("null altogether", None, [], "type", {"expected": "object"}),
]


def issues_of(server: Server, argument: Value) -> Sequence[Value]:
    """Call ``fx/typed``, require issues and return them."""
    reply = server.query("fx/typed", argument)
    server.expect_error("ISS-4", reply, "invalid_argument")
    found = reply.error.get("issues")
    listed = isinstance(found, Sequence) and not isinstance(found, str | bytes) and len(found) > 0
    server.require("ISS-3", listed, "at least one issue", str(reply.error), of=reply)
    return found if isinstance(found, Sequence) else []


@case(
    "ISS-1",
    "ISS-4",
    "ISS-5",
    title="{row} is an issue with its path, code and params.",
    rows=FAULTS,
)
def one_fault(server: Server, argument: Value, path: list[Value], code: str, params: Value) -> None:
    issues = issues_of(server, argument)
    for issue in issues:
        known = pick(issue, "code") in issue_codes()
        server.check("ISS-1", known, "a code of the table", show(issue))
        formed = isinstance(pick(issue, "message"), str)
        server.check("ISS-1", formed, "a message", show(issue))
    here = [pick(issue, "code") for issue in issues if same(pick(issue, "path"), path)]
    server.check("ISS-1", not here or code in here, f"{code} at {show(path)}", show(here))
    fitting = [i for i in issues if same(pick(i, "path"), path) and pick(i, "code") == code]
    server.check("ISS-5", bool(fitting), f"{code} at {show(path)}", show(issues))
    if fitting and params:
        shown = pick(fitting[0], "params")
        server.check("ISS-1", same(shown, params), f"params {show(params)}", show(shown))
    if fitting and params == {}:
        shown = pick(fitting[0], "params")
        empty = not isinstance(shown, dict) or not shown
        server.check("ISS-1", empty, "no params", show(shown))


@case("ISS-5", title="A text that is no date is one issue at its place.")
def text_for_a_date(server: Server) -> None:
    # whether a text may stand for a date is not said, so that the code is `type` or `format`
    issues = issues_of(server, {"name": "x", "count": 1, "when": "soon"})
    fitting = [i for i in issues if same(pick(i, "path"), ["when"])]
    server.check("ISS-5", len(fitting) == 1, "an issue at ['when']", show(issues))
    codes = [pick(issue, "code") for issue in fitting]
    server.check("ISS-5", codes[:1] in (["type"], ["format"]), "type or format", show(codes))


@case("ISS-1", title="The choices of `choice` are the allowed values.")
def choices(server: Server) -> None:
    issues = issues_of(server, {"name": "x", "count": 1, "mode": "c"})
    shown = pick(issues[0], "params", "choices")
    server.check("ISS-1", same(shown, ["a", "b"]), "choices a and b", show(shown))


@case("ISS-5", "ISS-3", title="Every place at fault has an issue.")
def several_faults(server: Server) -> None:
    argument: Value = {
        "name": "",
        "count": 101,
        "mode": "c",
        "tags": ["a", "b", "c", 4],
        "at": {"x": None},
        "more": 1,
    }
    issues = issues_of(server, argument)
    paths = {show(pick(issue, "path")) for issue in issues}
    for path in (["name"], ["count"], ["mode"], ["at", "x"], ["more"]):
        server.check("ISS-5", show(path) in paths, f"an issue at {show(path)}", str(sorted(paths)))
    server.check("ISS-3", len(issues) <= 101, "at most 100 issues", str(len(issues)))


@case("ISS-3", title="More than 100 issues are cut and end with `truncated`.")
def many_faults(server: Server) -> None:
    argument: dict[str, Value] = {"name": "x", "count": 1}
    argument.update({f"more{number}": 1 for number in range(150)})
    issues = list(issues_of_post(server, argument))
    codes = [pick(issue, "code") for issue in issues]
    server.check("ISS-3", len(issues) == 101, "100 issues and one more", str(len(issues)))
    server.check("ISS-3", codes[-1] == "truncated", "truncated at the end", show(codes[-1:]))
    earlier = "truncated" in codes[:-1]
    server.check("ISS-3", not earlier, "truncated once", "it stands earlier too")
    shown = pick(issues[-1], "params")
    server.check("ISS-1", same(shown, {"limit": 100}), "params limit 100", show(shown))


def issues_of_post(server: Server, argument: Value) -> Sequence[Value]:
    """Do what `issues_of` does, by POST, for a longer argument."""
    reply = server.post_query("fx/typed", argument)
    server.expect_error("ISS-4", reply, "invalid_argument")
    found = reply.error.get("issues")
    return found if isinstance(found, Sequence) and not isinstance(found, str | bytes) else []


@case("ISS-2", title="An issue holds no part of the argument's values.")
def no_values(server: Server) -> None:
    arguments: list[Value] = [
        {"name": MARK * 2, "count": 1},
        {"name": "x", "count": MARK},
        {"name": "x", "count": 4242424242},
        {"name": "x", "count": 1, "mode": MARK},
        {"name": "x", "count": 1, "tags": [1, MARK, {"y": MARK}]},
        {"name": "x", "count": 1, "at": {"x": MARK}},
        {"name": "x", "count": 1, "when": MARK},
        {"name": "x", "count": 1, "when": 4242424242},
        MARK,
        [MARK],
    ]
    for argument in arguments:
        reply = server.query("fx/typed", argument)
        server.expect_error("ISS-2", reply, "invalid_argument")
        body = reply.response.body
        hidden = MARK.encode() not in body and b"4242424242" not in body
        server.check("ISS-2", hidden, "nothing of the values", str(reply))


@case("ISS-4", title="Issues are sent only where the application asked for them.")
def no_details_unasked(server: Server) -> None:
    for reply in (
        server.query("fx/cell", {"run": 1, "cell": "a"}),
        server.query("fx/pair", {"a": "x"}),
        server.query("fx/none", 1),
        server.query("fx/pair"),
        server.send(server.post_request("fx/run", {"arg": {"run": server.run, "steps": 1}})),
        server.send(server.post_request("fx/run", {})),
    ):
        server.expect_error("ISS-4", reply, "invalid_argument")
        server.check("ISS-4", "issues" not in reply.error, "no issues", str(reply.error))


@case("ISS-4", title="A fail of a query without details has no issues either.")
def no_details_in_a_fail(server: Server) -> None:
    name = key("fx/cell", {"run": 1, "cell": "a"})
    reply = server.command([accept("fx/cell", 1)], refreshes=[name])
    server.expect_outcome("ISS-4", reply, name, "fail", "invalid_argument")
    error = pick(reply.outcome(name), "error")
    silent = pick(error, "issues") is UNDEFINED
    server.check("ISS-4", silent, "no issues", show(error))


@case("ISS-4", title="An argument of the right type is taken, at its bounds too.")
def taken_arguments(server: Server) -> None:
    arguments: list[Value] = [
        GOOD,
        {"name": "x" * 20, "count": 100},
        {"name": "\U0001f600" * 20, "count": 0},
        {"name": "x", "count": 1, "mode": "a", "tags": ["a", "b", "c"], "at": {"x": 0.5}},
        {"name": "x", "count": 1, "when": Date("2026-01-02T03:04:05.678Z"), "tags": []},
        {"name": "x", "count": 1, "data": b"", "big": BigInt(0)},
        {"name": "x", "count": 1, "data": b"\x00\xff", "big": BigInt(-(10**30))},
        {"name": "x", "count": 1, "labels": Set([]), "counts": Map([])},
        {"name": "x", "count": 1, "labels": Set(["b", "a"]), "counts": Map([("b", 1), ("a", -1)])},
    ]
    for argument in arguments:
        server.expect_value("ISS-4", server.query("fx/typed", argument), argument)


def shape(error: Value) -> Value:
    """Return what makes an error the same: status, code, and where its issues are."""
    issues = pick(error, "issues")
    listed = issues if isinstance(issues, Sequence) and not isinstance(issues, str | bytes) else []
    places: list[Value] = [[pick(issue, "path"), pick(issue, "code")] for issue in listed]
    return [pick(error, "status"), pick(error, "code"), places]


@case("ISS-4", "UPD-7", title="A requested key that does not validate has the query's own issues.")
def issues_in_a_fail(server: Server) -> None:
    name = key("fx/typed", {"name": "", "count": 1})
    alone = server.query("fx/typed", {"name": "", "count": 1})
    reply = server.command([accept("fx/typed", 1)], refreshes=[name])
    server.expect_outcome("ISS-4", reply, name, "fail", "invalid_argument")
    told, expected = (shape(e) for e in (pick(reply.outcome(name), "error"), alone.error))
    server.check("UPD-7", same(told, expected), show(expected), show(told))
