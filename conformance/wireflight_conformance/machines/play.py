"""Does calls on a server and on the model at once, and compares what came with what has to come.

A call is written down as data (`Call`), so that a run of them can be kept as JSON and done again.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from wireflight_conformance.wire.codec import key as key_of
from wireflight_conformance.wire.plain import read_plain, write_plain
from wireflight_conformance.wire.reply import PLAIN, pick
from wireflight_conformance.wire.values import UNDEFINED, Value, same, show

from .expected import Expected, Outcome, Special
from .instances import Instance, steps_of
from .model import Fixture

if TYPE_CHECKING:
    from wireflight_conformance.driver import Pending, Server
    from wireflight_conformance.wire.reply import Reply
    from wireflight_conformance.wire.trace import Trace

__all__ = ["Call", "Play", "TooSlowError", "ViolationError", "bind", "violation_of"]

Call: TypeAlias = Mapping[str, Value]
RUN: Final = "$run"
SECRET: Final = b"SECRET"


class ViolationError(AssertionError):
    """A clause that the server broke; each clause has a class of its own."""

    def __init__(self, clause: str, expected: str, got: str, trace: Trace) -> None:
        super().__init__(f"{clause}: expected {expected}; got {got}")
        self.clause = clause
        self.expected = expected
        self.got = got
        self.trace = trace


@functools.cache
def violation_of(clause: str) -> type[ViolationError]:
    """Return the class of violations of a clause: Hypothesis tells failures apart by class."""
    return type(f"Violation_{clause.replace('-', '_')}", (ViolationError,), {})


class TooSlowError(Exception):
    """A handler was held at its gate so long that the server may have ended it."""


def bind(value: Value, run: str) -> Value:
    """Return the value with the name of the run in the place of ``$run``."""
    if isinstance(value, str):
        return run if value == RUN else value
    if isinstance(value, Mapping):
        return {name: bind(item, run) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [bind(item, run) for item in value]
    return value


@dataclass(slots=True)
class _Begun:
    """A command whose handler waits at a gate."""

    call: Call
    pending: Pending
    steps: Generator[str, None, Expected]
    requested: Sequence[str]
    started: float


class Play:
    """One run of the fixture: the server's and the model's."""

    def __init__(self, server: Server, run: str) -> None:
        self.server = server
        self.run = run
        self.model = Fixture(run, depth=server.limit("depth"))
        self.calls: list[Call] = []
        self._begun: dict[str, _Begun] = {}

    def do(self, call: Call) -> None:
        """Make one call and check its answer.

        Raises:
            ViolationError: The server broke a clause.
            TooSlowError: Nothing can be said.
        """
        self.calls.append(call)
        kind = str(call["call"])
        if kind == "command":
            self._command(call)
        elif kind == "begin":
            self._begin(call)
        elif kind == "end":
            self._end(call)
        elif kind == "query":
            self._query(call)
        elif kind == "refused":
            self._refused(call)
        elif kind == "look":
            self._look()
        else:
            raise ValueError(f"no call {kind!r}")

    def finish(self) -> None:
        """Let go of what still waits, and look at the state."""
        for gate in list(self._begun):
            self.do({"call": "end", "gate": gate})
        self.do({"call": "look"})

    def abandon(self) -> None:
        """Vanish from what still waits."""
        for begun in self._begun.values():
            begun.pending.abort()
        self._begun.clear()

    # -- calls ---------------------------------------------------------------------------------

    def _body(self, call: Call) -> tuple[Mapping[str, Value], list[str]]:
        document: dict[str, Value] = {
            "arg": {"run": self.run, "steps": bind(call["steps"], self.run)}
        }
        refreshes = call.get("refreshes")
        requested: list[str] = []
        if isinstance(refreshes, Sequence) and not isinstance(refreshes, str | bytes):
            requested = [_requested(entry, self.run) for entry in refreshes]
            document["refreshes"] = requested
        return document, requested

    def _steps(self, document: Mapping[str, Value]) -> list[Mapping[str, Value]]:
        return steps_of(pick(document, "arg", "steps"))

    def _command(self, call: Call) -> None:
        document, requested = self._body(call)
        steps = self.model.command(self._steps(document), requested)
        expected = _returned(steps)
        request = self.server.post_request("fx/run", document, plain=_is_plain(call))
        self._compare(expected, self.server.send(request), requested, _is_plain(call))

    def _begin(self, call: Call) -> None:
        """Start a command, and go on when its handler has reached its gate."""
        document, requested = self._body(call)
        steps = self.model.command(self._steps(document), requested)
        gate = next(steps)
        started = time.monotonic()
        request = self.server.post_request("fx/run", document, plain=_is_plain(call))
        pending = self.server.begin(request)
        self._begun[gate] = _Begun(call, pending, steps, requested, started)
        instance = self._acting([{"do": "wait", "gate": f"{gate}.reached"}])
        probe = self.server.post_query(instance.function, instance.argument)
        if not probe.is_result:
            answer = self._begun.pop(gate).pending.reply()
            self._check("ENV-1", False, "a handler that reaches its gate", str(answer), answer)
        self._compare(self.model.query(instance), probe, (), plain=False)

    def _end(self, call: Call) -> None:
        gate = str(call["gate"])
        begun = self._begun[gate]
        instance = self._acting([{"do": "open", "gate": gate}])
        reply = self.server.post_query(instance.function, instance.argument)
        self._compare(self.model.query(instance), reply, (), plain=False)
        expected = _returned(begun.steps)
        reply = self._begun.pop(gate).pending.reply()
        if time.monotonic() - begun.started > self.server.limit("handler_ms") / 2000:
            raise TooSlowError
        self._compare(expected, reply, begun.requested, _is_plain(begun.call))

    def _acting(self, steps: Sequence[Value]) -> Instance:
        return Instance("fx/act", {"run": self.run, "steps": steps})

    def _query(self, call: Call) -> None:
        instance = Instance(str(call["query"]), bind(call.get("arg", UNDEFINED), self.run))
        plain = _is_plain(call)
        ask = self.server.query if call.get("method") == "GET" else self.server.post_query
        reply = ask(instance.function, instance.argument, plain=plain)
        self._compare(self.model.query(instance), reply, (), plain=plain)

    def _refused(self, call: Call) -> None:
        """Send `refreshes` that are refused as a whole: the handler does not run."""
        document: dict[str, Value] = {
            "arg": {"run": self.run, "steps": [{"do": "add", "cell": "a", "by": 1}]},
            "refreshes": bind(call["refreshes"], self.run),
        }
        reply = self.server.send(
            self.server.post_request("fx/run", document, plain=_is_plain(call))
        )
        code = str(call["code"])
        self._check("REQ-1", reply.code == code, f"the error {code}", str(reply), reply)

    def _look(self) -> None:
        """Compare the cells and the counts of runs."""
        model = self.model
        for cell in sorted({*model.cells, "a", "b"}):
            reply = self.server.query("fx/cell", {"run": self.run, "cell": cell})
            model.count_read()
            wanted = model.cells[cell]
            text = f"{wanted} in the cell {cell}"
            self._check("FUN-2", same(reply.value, wanted), text, str(reply), reply)
        reply = self.server.query("fx/calls", {"run": self.run})
        for function, clause in (("fx/run", "FUN-2"), ("fx/act", "UPD-5"), ("fx/cell", "UPD-5")):
            count = pick(reply.value, function)
            least, most = model.calls_at_least[function], model.calls_at_most[function]
            holds = isinstance(count, int) and least <= count <= most
            # too few runs mean that a call was answered by what was remembered
            few = isinstance(count, int) and count < least and function != "fx/run"
            text = f"{function} run {least} to {most} times"
            self._check("FUN-4" if few else clause, holds, text, show(count), reply)

    # -- comparing -----------------------------------------------------------------------------

    def _check(self, clause: str, holds: bool, expected: str, got: str, reply: Reply) -> None:
        if not holds:
            raise violation_of(clause)(clause, expected, got, reply.trace)
        self.server.check(clause, True, expected, got, of=reply)

    def _compare(
        self, expected: Expected, reply: Reply, requested: Sequence[str], plain: bool
    ) -> None:
        plain = plain and reply.media_type == PLAIN
        # the text of every crash that is drawn
        silent = SECRET not in reply.response.body
        self._check("ERR-3", silent, "nothing of the exception", str(reply), reply)
        for clause, holds, text, got in _envelope(expected, reply, plain):
            self._check(clause, holds, text, got, reply)
        for clause, holds, text, got in _updates(expected, reply, requested, plain):
            self._check(clause, holds, text, got, reply)


Comparison: TypeAlias = tuple[str, bool, str, str]


def _is_plain(call: Call) -> bool:
    return call.get("plain") is True


def _requested(entry: Value, run: str) -> str:
    text = pick(entry, "text")
    if isinstance(text, str):
        return text
    return key_of(str(pick(entry, "query")), bind(pick(entry, "arg"), run))


def _returned(steps: Generator[str, None, Expected]) -> Expected:
    """Run the model's handler to its end; nothing it waits for is closed."""
    try:
        gate = next(steps)
    except StopIteration as stop:
        expected: Expected = stop.value
        return expected
    raise ValueError(f"the handler waits for {gate!r}")


def _read(value: Value | Special, plain: bool) -> Value:
    """Return a value as it reads in the encoding of the answer."""
    if isinstance(value, Special):
        raise TypeError("a value without a text is never expected")
    if not plain or value is UNDEFINED:
        return value
    return read_plain(write_plain(value).encode())


def _envelope(expected: Expected, reply: Reply, plain: bool) -> Iterator[Comparison]:
    clause = expected.clause
    yield clause, reply.type == expected.type, f"a {expected.type}", str(reply)
    if expected.type == "result":
        wanted = _read(expected.value, plain)
        yield clause, same(reply.value, wanted), f"a result with {show(wanted)}", str(reply)
    elif expected.type == "redirect":
        location = pick(reply.document, "location")
        text = f"a redirect to {expected.location}"
        yield clause, location == expected.location, text, str(reply)
    elif expected.code is not None:
        holds = reply.code == expected.code and reply.status == expected.status
        yield clause, holds, f"the error {expected.status} {expected.code}", str(reply)


def _updates(
    expected: Expected, reply: Reply, requested: Sequence[str], plain: bool
) -> Iterator[Comparison]:
    found: dict[str, list[Mapping[str, Value]]] = {}
    for update in reply.updates:
        name = pick(update, "key")
        if isinstance(name, str):
            found.setdefault(name, []).append(update)
    if expected.type == "error" and expected.clause != "ENV-9":
        shipped = [u for u in reply.updates if u.get("op") != "invalidate"]
        yield "UPD-9", not shipped, "no values with an error", show(shipped)
    for name, outcome in expected.outcomes.items():
        held = found.pop(name, [])
        if name in requested and expected.type == "result":
            text = f"exactly one outcome for the requested {name!r}"
            # one that is missing breaks what says that it has to be, where that is not REQ-3
            is_own = not held and outcome.clause in ("UPD-7", "UPD-8")
            yield outcome.clause if is_own else "REQ-2", len(held) == 1, text, show(held)
        yield from _outcome(name, outcome, held, plain)
    for name in sorted(expected.discarded - set(expected.outcomes) - expected.optional):
        held = found.pop(name, [])
        yield "FUN-6", not held, f"nothing that a failed child said of {name!r}", show(held)
    for name, held in found.items():
        if name in expected.optional and all(u.get("op") == "invalidate" for u in held):
            continue
        clause = "UPD-9" if expected.type == "error" else "UPD-2"
        yield clause, False, f"nothing about {name!r}", show(held)
    yield from _marks(expected, reply)


def _outcome(
    name: str, outcome: Outcome, held: Sequence[Mapping[str, Value]], plain: bool
) -> Iterator[Comparison]:
    update: Mapping[str, Value] = held[0] if len(held) == 1 else {}
    text = f"for {name!r} {outcome.op} {outcome.code}{outcome.location}".rstrip()
    holds = update.get("op") == outcome.op
    if holds and outcome.code:
        holds = pick(update, "error", "code") == outcome.code
    if holds and outcome.location:
        holds = update.get("location") == outcome.location
    if holds and outcome.op == "set":
        wanted = _read(outcome.value, plain)
        holds = same(update.get("value", UNDEFINED), wanted)
        text = f"{text} {show(wanted)}"
    yield outcome.clause, holds, text, show(list(held))


def _marks(expected: Expected, reply: Reply) -> Iterator[Comparison]:
    marks = [u for u in reply.updates if u.get("op") == "invalidate" and "key" not in u]
    functions = {str(u["id"]) for u in marks if "id" in u}
    is_all = any(u.get("all") is True for u in marks)
    is_reset = any(u.get("op") == "reset" for u in reply.updates)
    clause = "ENV-9" if expected.clause == "ENV-9" else "UPD-9"
    clause = clause if expected.type == "error" else "UPD-2"
    if expected.marks_are_optional:
        yield clause, functions <= expected.functions, "no other function", show(marks)
        yield clause, is_all <= expected.is_all, "not everything", show(marks)
    else:
        wanted = ", ".join(sorted(expected.functions)) or "no function"
        yield clause, functions == expected.functions, f"{wanted} invalidated", show(marks)
        yield clause, is_all == expected.is_all, f"all invalidated: {expected.is_all}", show(marks)
    text = f"a reset: {expected.is_reset}"
    yield clause, is_reset == expected.is_reset, text, show(list(reply.updates))
