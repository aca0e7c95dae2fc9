"""What Hypothesis draws for the machine of single flight: scripts, requested keys, calls.

Everything is plain JSON with ``$run`` for the name of the run, so that a call can be kept as it is.
Importing this imports Hypothesis.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, TypeVar

from hypothesis import strategies as st

from wireflight_conformance.wire.codec import payload_of_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

    from wireflight_conformance.wire.values import Value

__all__ = ["INSTANCES", "commands", "other_calls"]

Step = dict[str, "Value"]
Drawn = TypeVar("Drawn")
CELLS: Final = ("a", "b")


def _act(*steps: Step) -> Step:
    return {"query": "fx/act", "arg": {"run": "$run", "steps": list(steps)}}


def _cell(cell: str) -> Step:
    return {"query": "fx/cell", "arg": {"run": "$run", "cell": cell}}


def chain(length: int) -> Step:
    """Return an instance whose handler refreshes another, and so on, `length` times."""
    instance: Step = {"query": "fx/echo", "arg": f"the end of {length}"}
    for _ in range(length):
        instance = _act({"do": "refresh", **instance})
    return instance


SOUND: Final[Sequence[Step]] = (
    _cell("a"),
    _cell("b"),
    {"query": "fx/echo"},
    {"query": "fx/echo", "arg": None},
    {"query": "fx/echo", "arg": {"b": [1, {}], "a": "<é"}},
    {"query": "fx/none"},
    {"query": "fx/pair", "arg": {"a": 1}},
    {"query": "fx/pair", "arg": {"a": 1, "b": 2}},
    _act(),
    _act({"do": "return", "value": {"x": [True, None]}}),
    _act({"do": "return_read", **_cell("a")}),
    _act({"do": "read", **_cell("b")}, {"do": "return", "value": 1}),
    _act({"do": "return_special", "kind": "shared"}),
    _act({"do": "return_special", "kind": "view"}),
)
"""Instances that have a value."""

FAILING: Final[Sequence[Step]] = (
    _act({"do": "fail", "status": 404, "code": "fx.gone", "message": "gone"}),
    _act({"do": "fail", "status": 503, "message": "later"}),
    _act({"do": "crash", "text": "SECRET"}),
    _act({"do": "redirect", "location": "/elsewhere"}),
    _act({"do": "cookie", "name": "fx_other", "value": "1"}),
    _act({"do": "return_special", "kind": "cyclic"}),
    _act({"do": "return_special", "kind": "function"}),
    _act({"do": "return_special", "kind": "surrogate"}),
    _act({"do": "child", "steps": [{"do": "add", "cell": "a", "by": 64}], "catch": False}),
    _act({"do": "child", "steps": [{"do": "add", "cell": "a", "by": 64}], "catch": True}),
    _act({"do": "set", **_cell("a"), "value": 77}),
    _act({"do": "invalidate", "query": "fx/cell"}),
    _act({"do": "reset"}),
    _act({"do": "refresh", "query": "fx/echo", "arg": "inner"}),
    _act({"do": "refresh", **_act({"do": "crash", "text": "SECRET"})}),
    *(chain(length) for length in (2, 7, 8, 9)),
)
"""Instances that fail, redirect, or have handlers that try what they must not."""

INSTANCES: Final = (*SOUND, *FAILING)

INVALID: Final[Sequence[Step]] = (
    {"query": "fx/none", "arg": 1},
    {"query": "fx/cell", "arg": {"run": "$run"}},
    {"query": "fx/cell", "arg": "a"},
    {"query": "fx/cell"},
    {"query": "fx/pair", "arg": {"a": "1"}},
    {"query": "fx/pair", "arg": {"a": 1, "c": 1}},
    {"query": "fx/act", "arg": {"run": "$run", "steps": 1}},
)
"""Instances whose argument the function's type refuses."""

MALFORMED: Final = (
    *("", "/", "fx", "fx//", "/W10", "1x/", "~x/", "fx/cell/?", "fx/cell/W10=", "é/", "fx /cell/"),
    *("a" * 256 + "/", "fx/nothing/", "nothing/W251bGxd", "fx/cell", "fx/run/", "fx/run/W251bGxd"),
    *("fx/echo/A", "fx/echo/W11", "fx/echo/W10", "fx/echo/_w", "fx/echo/W251bGxe"),
    *("fx/echo/" + payload_of_text(text) for text in ("[[0]]", "[1e400]", "nope", "[1,2]x")),
    *("fx/echo/" + payload_of_text(text) for text in ("-1", "[1.0]", "[ 1]", '[[1,2],"a","a"]')),
    *("fx/echo/" + payload_of_text(text) for text in ('[{"b":1,"a":1},1]', '["\\u0061"]')),
    "fx/echo/" + payload_of_text("[" + ",".join(f"[{n}]" for n in range(1, 65)) + ",[]]"),
)
"""Requested keys that fail before a handler could accept them."""


def _one_of(items: Sequence[Step]) -> SearchStrategy[Step]:
    """Draw an item by its number: Hypothesis writes out what it draws from, at length."""
    return st.integers(0, len(items) - 1).map(items.__getitem__)


# many keys of one function, so that acceptances come to their limits
_PAIRS: Final[Sequence[Step]] = [{"query": "fx/pair", "arg": {"a": n}} for n in (3, 1, 2, 5, 4)]
_ECHOES: Final[Sequence[Step]] = [{"query": "fx/echo", "arg": name} for name in "dabce"]


def _weighted(*choices: tuple[int, SearchStrategy[Drawn]]) -> SearchStrategy[Drawn]:
    """Draw from one of these, so much oftener; `one_of` flattens, and counts each once."""
    table = [strategy for weight, strategy in choices for _ in range(weight)]
    return st.integers(0, len(table) - 1).flatmap(table.__getitem__)


GROUPS: Final[Sequence[Sequence[Step]]] = (
    _PAIRS,
    _ECHOES,
    # one of them refreshes another, which may have been run already
    (*SOUND[:2], SOUND[10], _act({"do": "refresh", **_cell("a")})),
    SOUND[2:8],
    SOUND[8:],
    (SOUND[0], *FAILING[:4]),
    (SOUND[0], *FAILING[4:8]),
    (SOUND[1], *FAILING[8:13]),
    FAILING[13:],
    INSTANCES,
)
"""What one command is about: few instances, so that its instructions meet on the same keys."""


def _refreshes(group: Sequence[Step]) -> SearchStrategy[list[Step]]:
    """Draw what a client requests: mostly keys that the command may name, and some that fail."""
    malformed: list[Step] = [{"text": text} for text in MALFORMED]
    functions = {one["query"] for one in group}
    invalid = [one for one in INVALID if one["query"] in functions] or INVALID
    spoilt = st.one_of(_one_of(invalid), _one_of(malformed))
    entry = _weighted((6, _one_of(group)), (1, _one_of(INSTANCES)), (2, spoilt))
    return st.lists(entry, min_size=1, max_size=8)


def refused_refreshes() -> SearchStrategy[Step]:
    """Draw `refreshes` that are refused as a whole, with the code."""
    many: list[Value] = [f"fx/echo/k{number}" for number in range(65)]
    wrong: tuple[Value, ...] = (1, "fx/none/", None, {}, ["fx/none/", 1], [None], [["fx/none/"]])
    refused: list[Step] = [{"refreshes": value, "code": "invalid_request"} for value in wrong]
    return _one_of([*refused, {"refreshes": [*many, *many], "code": "too_large"}])


def _steps(
    group: Sequence[Step], children: SearchStrategy[Step], most: int
) -> SearchStrategy[list[Step]]:
    instance = _one_of(group)
    functions = st.sampled_from(sorted({str(one["query"]) for one in group}))
    cells = st.sampled_from(CELLS)
    add = st.builds(lambda c, n: {"do": "add", "cell": c, "by": n}, cells, st.integers(1, 9))
    # a query that a command calls may refresh, and nothing comes of it (UPD-18)
    called = _one_of((*SOUND, _act({"do": "refresh", **_cell("a")})))
    read = st.builds(
        lambda do, i: {"do": do, **i}, st.sampled_from(("read", "return_read")), called
    )
    refresh = st.builds(lambda i: {"do": "refresh", **i}, instance)
    value = st.sampled_from((0, "set", None, {"deep": [1]}))
    put = st.builds(lambda i, v: {"do": "set", **i, "value": v}, instance, value)
    accept = st.builds(
        lambda f, n: {"do": "accept", "query": f, "limit": n}, functions, st.integers(1, 3)
    )
    named = [one for one in group if "arg" in one]
    mark = st.one_of(
        st.builds(lambda i: {"do": "invalidate", **i}, _one_of(named)),
        st.builds(lambda f: {"do": "invalidate", "query": f}, functions),
        _one_of(({"do": "invalidate", "all": True}, {"do": "reset"})),
    )
    # what a page does most comes most
    often = ((2, add), (4, refresh), (3, put), (4, accept), (3, mark), (1, read), (2, children))
    return st.lists(_weighted(*often, (1, _rare())), max_size=most)


def _rare() -> SearchStrategy[Step]:
    return _one_of(
        (
            {"do": "return", "value": {"done": [1, None]}},
            {"do": "return", "value": "x"},
            {"do": "finish", "cell": "b"},
            {"do": "fail", "status": 418, "code": "fx.no", "message": "no"},
            {"do": "fail", "status": 418, "code": "fx.no", "message": "no"},
            {"do": "crash", "text": "SECRET"},
            {"do": "redirect", "location": "/elsewhere"},
            {"do": "return_special", "kind": "cyclic"},
            {"do": "return_special", "kind": "shared"},
            {"do": "read", **FAILING[0]},
        )
    )


@functools.cache
def _group(number: int) -> SearchStrategy[Step]:
    """Return what draws a command about the instances of a group, with children two deep."""
    group = GROUPS[number]
    innermost = _steps(group, st.just({"do": "add", "cell": "a", "by": 16}), 3)
    # a child may fail inside one that fails
    inner = _steps(group, _child(innermost), 4)
    steps = _steps(group, _child(inner), 10)
    requested: SearchStrategy[list[Step] | None] = _refreshes(group)
    requested = _weighted((1, st.none()), (5, requested))
    return st.fixed_dictionaries({"steps": steps, "then": steps, "refreshes": requested}).map(dict)


def commands() -> SearchStrategy[Step]:
    """Draw a command: `steps`, what may follow them after a stop (`then`), and `refreshes`."""
    return st.integers(0, len(GROUPS) - 1).flatmap(_group)


def _child(steps: SearchStrategy[list[Step]]) -> SearchStrategy[Step]:
    return st.builds(
        lambda s, caught: {"do": "child", "steps": s, "catch": caught}, steps, st.booleans()
    )


def other_calls() -> SearchStrategy[Step]:
    """Draw what is no command that runs: mostly queries."""
    refused = st.builds(
        lambda call, plain: {"call": "refused", **call, "plain": plain},
        refused_refreshes(),
        st.booleans(),
    )
    return _weighted((3, queries()), (1, refused))


def queries() -> SearchStrategy[Step]:
    """Draw a call of a query, by either method and in either encoding."""
    return st.builds(
        lambda i, method, plain: {"call": "query", **i, "method": method, "plain": plain},
        _one_of((*INSTANCES, *INVALID)),
        st.sampled_from(("GET", "POST")),
        st.booleans(),
    )
