"""The written examples of the machine of single flight: what to try before anything is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireflight_conformance.wire.values import Value

    from .play import Call

__all__ = ["SCENARIOS"]


def _cell(cell: str = "a") -> dict[str, Value]:
    return {"query": "fx/cell", "arg": {"run": "$run", "cell": cell}}


def _act(*steps: Mapping[str, Value]) -> dict[str, Value]:
    return {"query": "fx/act", "arg": {"run": "$run", "steps": list(steps)}}


def _add(by: int = 1, cell: str = "a") -> dict[str, Value]:
    return {"do": "add", "cell": cell, "by": by}


def _refresh(instance: Mapping[str, Value]) -> dict[str, Value]:
    return {"do": "refresh", **instance}


def _set(instance: Mapping[str, Value], value: Value) -> dict[str, Value]:
    return {"do": "set", **instance, "value": value}


def _command(*steps: Mapping[str, Value], refreshes: Sequence[Value] | None = None) -> Call:
    return {"call": "command", "steps": list(steps), "refreshes": refreshes, "plain": False}


_FAIL: Final[Mapping[str, Value]] = {
    "do": "fail",
    "status": 409,
    "code": "fx.conflict",
    "message": "no",
}
_ECHO: Final[Mapping[str, Value]] = {"query": "fx/echo", "arg": 1}


def _child(*steps: Mapping[str, Value]) -> dict[str, Value]:
    return {"do": "child", "steps": list(steps), "catch": True}


def _chain(length: int) -> dict[str, Value]:
    instance: dict[str, Value] = {"query": "fx/echo", "arg": length}
    for _ in range(length):
        instance = _act(_refresh(instance))
    return instance


SCENARIOS: Final[Mapping[str, tuple[Sequence[str], Sequence[Call]]]] = {
    "refresh first, write later": (
        ("UPD-3", "UPD-2"),
        [_command(_refresh(_cell()), _add(), {"do": "read", **_cell()}, _add())],
    ),
    "set after refresh and refresh after set": (
        ("UPD-4", "UPD-3"),
        [
            _command(_refresh(_cell()), _set(_cell(), 77), _add(), _set(_ECHO, 2), _refresh(_ECHO)),
            _command(_set(_cell(), 5), {"do": "invalidate", **_cell()}),
            _command({"do": "invalidate", **_cell()}, _refresh(_cell())),
        ],
    ),
    "an acceptance is a refresh at its place": (
        ("UPD-4", "REQ-2"),
        [
            _command(
                _set(_cell(), 5),
                {"do": "accept", "query": "fx/cell", "limit": 1},
                _add(),
                refreshes=[_cell()],
            ),
            _command(
                {"do": "accept", "query": "fx/cell", "limit": 1},
                _set(_cell(), 5),
                refreshes=[_cell()],
            ),
        ],
    ),
    "acceptances in turn, doubles, and what is over": (
        ("REQ-4", "REQ-2", "REQ-3"),
        [
            _command(
                {"do": "accept", "query": "fx/echo", "limit": 1},
                {"do": "accept", "query": "fx/echo", "limit": 2},
                refreshes=[
                    _cell(),
                    *({"query": "fx/echo", "arg": n} for n in (3, 1, 3, 4, 2)),
                    {"text": "fx/echo/A"},
                    {"text": "?"},
                ],
            ),
        ],
    ),
    "a later acceptance takes what an earlier one left": (
        ("REQ-4", "REQ-3"),
        [
            _command(
                {"do": "accept", "query": "fx/pair", "limit": 1},
                {"do": "accept", "query": "fx/pair", "limit": 2},
                refreshes=[
                    {"query": "fx/pair", "arg": {"a": 1}},
                    {"query": "fx/pair", "arg": {"a": "x"}},
                    {"query": "fx/pair", "arg": {"a": 2}},
                    {"query": "fx/pair", "arg": {"a": 3}},
                ],
            ),
        ],
    ),
    "an invalid argument is taken before it fails": (
        ("REQ-4", "REQ-3"),
        [
            _command(
                {"do": "accept", "query": "fx/pair", "limit": 1},
                refreshes=[
                    {"query": "fx/pair", "arg": {"a": "x"}},
                    {"query": "fx/pair", "arg": {"a": 1}},
                ],
            ),
        ],
    ),
    "a failing refresh fails alone": (
        ("UPD-7", "UPD-8"),
        [
            _command(
                _refresh(_act(_FAIL)),
                _refresh(_act({"do": "redirect", "location": "/x"})),
                _refresh(_act({"do": "return_special", "kind": "cyclic"})),
                _refresh(_cell()),
                {"do": "return", "value": "done"},
            ),
        ],
    ),
    "a failing command ships no values": (
        ("UPD-9", "ENV-5", "ERR-3"),
        [
            _command(_add(), _set(_cell(), 1), {"do": "invalidate", "query": "fx/echo"}, _FAIL),
            _command(
                _add(),
                _set(_cell(), 1),
                {"do": "invalidate", "all": True},
                {"do": "crash", "text": "SECRET"},
            ),
            _command(_add(), _refresh(_cell()), {"do": "redirect", "location": "/x"}),
        ],
    ),
    "a reset leaves what was said of keys": (
        ("UPD-4", "UPD-9"),
        [
            _command(_set(_ECHO, 2), {"do": "reset"}, _refresh(_cell())),
            _command(_set(_ECHO, 2), {"do": "invalidate", "all": True}, {"do": "reset"}, _FAIL),
        ],
    ),
    "queries give no instructions": (
        ("UPD-18", "REQ-3"),
        [
            _command({"do": "read", **_act(_refresh(_cell()))}, refreshes=[_cell()]),
            _command(_refresh(_act(_set(_cell(), 1))), _refresh(_act({"do": "reset"}))),
            {"call": "query", **_act(_set(_cell(), 1)), "method": "POST", "plain": False},
        ],
    ),
    "a failed child takes its updates with it": (
        ("FUN-6", "UPD-2"),
        [
            _command(_child(_add(), _refresh(_cell()), {"do": "reset"}, _FAIL), _refresh(_ECHO)),
            _command(
                _child(_child(_set(_ECHO, 2)), _add(), {"do": "crash", "text": "SECRET"}),
                refreshes=[_ECHO],
            ),
            _command(_child(_refresh(_cell()), _child(_set(_cell(), 7), _FAIL))),
        ],
    ),
    "a failed child accepted nothing": (
        ("FUN-6", "REQ-3"),
        [
            _command(
                _child({"do": "accept", "query": "fx/echo", "limit": 1}, _FAIL),
                refreshes=[_ECHO],
            ),
        ],
    ),
    "a result without a text names what is stale": (
        ("ENV-9", "UPD-9"),
        [
            _command(
                _add(),
                _refresh(_cell()),
                _set(_ECHO, 2),
                {"do": "return_special", "kind": "cyclic"},
                refreshes=[_cell("b")],
            ),
            _command({"do": "reset"}, {"do": "return_special", "kind": "function"}),
        ],
    ),
    "eight rounds of refreshes": (
        ("UPD-5", "UPD-3"),
        [
            _command(_refresh(_chain(7))),
            _command(_refresh(_chain(8))),
            _command(_refresh(_chain(2)), _refresh(_act(_refresh(_chain(2))))),
            {"call": "query", **_chain(2), "method": "POST", "plain": False},
        ],
    ),
    "two commands at once": (
        ("UPD-3", "UPD-4"),
        [
            {
                "call": "begin",
                "plain": False,
                "refreshes": [_ECHO],
                "steps": [
                    _refresh(_cell()),
                    {"do": "open", "gate": "g.reached"},
                    {"do": "wait", "gate": "g"},
                    _add(2),
                ],
            },
            _command(_add(), _refresh(_cell()), _set(_ECHO, 3)),
            {"call": "end", "gate": "g"},
        ],
    ),
    "plain JSON": (
        ("UPD-3", "UPD-4"),
        [
            {
                "call": "command",
                "plain": True,
                "refreshes": [_cell()],
                "steps": [
                    _add(),
                    {"do": "accept", "query": "fx/cell", "limit": 1},
                    _set({"query": "fx/echo"}, None),
                    _refresh(_act({"do": "return_special", "kind": "view"})),
                ],
            },
        ],
    ),
}
"""Name -> the clauses it is about, and the calls."""
