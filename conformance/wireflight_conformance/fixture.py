"""The steps of section 20 as the suite writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wireflight_conformance.wire.values import UNDEFINED, Value

__all__ = [
    "accept",
    "add",
    "child",
    "cookie",
    "crash",
    "fail",
    "fail_commit",
    "finish",
    "give",
    "give_special",
    "invalidate",
    "invalidate_all",
    "late",
    "open_gate",
    "put",
    "put_special",
    "read",
    "redirect",
    "refresh",
    "reset",
    "return_read",
    "sleep",
    "slow_commit",
    "take",
    "wait",
]

Step = Mapping[str, Value]


def _with_argument(step: dict[str, Value], argument: Value) -> Step:
    return step if argument is UNDEFINED else {**step, "arg": argument}


def add(cell: str = "a", by: int = 1) -> Step:
    """Add to a cell."""
    return {"do": "add", "cell": cell, "by": by}


def read(query: str, argument: Value = UNDEFINED) -> Step:
    """Call a query and drop its value."""
    return _with_argument({"do": "read", "query": query}, argument)


def return_read(query: str, argument: Value = UNDEFINED) -> Step:
    """Call a query and return its value at the end."""
    return _with_argument({"do": "return_read", "query": query}, argument)


def refresh(query: str, argument: Value = UNDEFINED) -> Step:
    """Refresh a query instance."""
    return _with_argument({"do": "refresh", "query": query}, argument)


def put(query: str, argument: Value, value: Value) -> Step:
    """Set the value of a query instance."""
    return {**_with_argument({"do": "set", "query": query}, argument), "value": value}


def put_special(query: str, argument: Value, kind: str) -> Step:
    """Set a value that no argument can hold."""
    return {**_with_argument({"do": "set_special", "query": query}, argument), "kind": kind}


def accept(query: str, limit: int) -> Step:
    """Accept requested keys of a query."""
    return {"do": "accept", "query": query, "limit": limit}


def take(query: str, limit: int) -> Step:
    """Take requested keys of a query, and give no instruction for them."""
    return {"do": "take", "query": query, "limit": limit}


def invalidate(query: str, argument: Value = UNDEFINED) -> Step:
    """Invalidate one instance, or the function without an argument."""
    return _with_argument({"do": "invalidate", "query": query}, argument)


def invalidate_all() -> Step:
    """Invalidate everything."""
    return {"do": "invalidate", "all": True}


def reset() -> Step:
    """Reset."""
    return {"do": "reset"}


def late(query: str, argument: Value = UNDEFINED) -> Step:
    """Refresh a query instance when the handler has ended, and count in a cell if that fails."""
    return _with_argument({"do": "late", "query": query}, argument)


def fail_commit() -> Step:
    """Let the commit of this request fail."""
    return {"do": "fail_commit"}


def slow_commit(ms: int) -> Step:
    """Let the commit of this request take so long."""
    return {"do": "slow_commit", "ms": ms}


def give(value: Value) -> Step:
    """Return this value."""
    return {"do": "return", "value": value}


def give_special(kind: str) -> Step:
    """Return a value that no argument can hold."""
    return {"do": "return_special", "kind": kind}


def fail(status: int = 409, code: str | None = "fx.conflict", message: str = "no") -> Step:
    """Raise the application error."""
    step: dict[str, Value] = {"do": "fail", "status": status, "message": message}
    return step if code is None else {**step, "code": code}


def crash(text: str) -> Step:
    """Raise an unexpected exception."""
    return {"do": "crash", "text": text}


def redirect(location: str) -> Step:
    """Redirect."""
    return {"do": "redirect", "location": location}


def cookie(name: str, value: str) -> Step:
    """Set a cookie."""
    return {"do": "cookie", "name": name, "value": value}


def sleep(ms: int) -> Step:
    """Wait for a time."""
    return {"do": "sleep", "ms": ms}


def open_gate(gate: str) -> Step:
    """Open a gate of this run."""
    return {"do": "open", "gate": gate}


def wait(gate: str) -> Step:
    """Wait until a gate is open."""
    return {"do": "wait", "gate": gate}


def child(*steps: Step, catch: bool = False) -> Step:
    """Call ``fx/run`` from the handler."""
    inner: Sequence[Value] = list(steps)
    return {"do": "child", "steps": inner, "catch": catch}


def finish(cell: str) -> Step:
    """Add 1 to the cell when the handler ends, however it does."""
    return {"do": "finish", "cell": cell}
