"""The fixture of section 20 as a model: what a call has to answer and to leave behind.

The model knows sections 9 to 11 and nothing of servers. A handler is a generator that yields the
gate it waits for, so that two of them can be at work at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wireflight_conformance.wire.values import UNDEFINED, Value

from .expected import EndedError, Expected, Handled, Outcome, Special
from .instances import Instance, Refusal, Step, instance_of, is_valid, judge_key, steps_of

__all__ = ["Fixture"]

ROUNDS: Final = 8
Waiting = Generator[str, None, Handled]


@dataclass(frozen=True, slots=True)
class _Instruction:
    kind: str
    instance: Instance | None = None
    value: Value = UNDEFINED
    refusal: str = ""


class _Scope:
    """The instructions of one handler. Spec: UPD-4, FUN-6."""

    def __init__(self, requested: Mapping[str, Instance], parent: _Scope | None = None) -> None:
        self.requested = requested
        self.parent = parent
        self.instructions: list[_Instruction] = []
        self.taken: set[str] = set()
        self.accepted: set[str] = set()
        self.discarded: set[str] = set()

    def has_taken(self, key: str) -> bool:
        return key in self.taken or (self.parent is not None and self.parent.has_taken(key))

    def accept(self, function: str, limit: int) -> None:
        """Take the first requested keys of the function that nobody took. Spec: REQ-4."""
        self.accepted.add(function)
        left = limit
        for key, instance in self.requested.items():
            if left and instance.function == function and not self.has_taken(key):
                left -= 1
                self.taken.add(key)
                valid = is_valid(instance)
                refusal = "" if valid else "invalid_argument"
                self.instructions.append(_Instruction("refresh", instance, refusal=refusal))

    def absorb(self, child: _Scope) -> None:
        self.instructions += child.instructions
        self.taken |= child.taken
        self.accepted |= child.accepted
        self.discarded |= child.discarded

    def discard(self, child: _Scope) -> None:
        self.discarded |= child.discarded
        self.discarded |= {i.instance.key for i in child.instructions if i.instance is not None}


class Fixture:
    """The state of one run, and what its handlers do to it."""

    def __init__(self, run: str, *, depth: int = 64) -> None:
        self.run = run
        self.cells: Counter[str] = Counter()
        self.gates: set[str] = set()
        self.calls_at_least: Counter[str] = Counter()
        self.calls_at_most: Counter[str] = Counter()
        self._depth = depth

    def _count(self, function: str, *, certain: bool = True) -> None:
        """Count a run; a memo may answer a query's own calls (note to FUN-4)."""
        self.calls_at_most[function] += 1
        self.calls_at_least[function] += certain

    def count_read(self) -> None:
        """Count a read of a cell that no call of the play made."""
        self._count("fx/cell")

    # -- queries -------------------------------------------------------------------------------

    def query(self, instance: Instance) -> Expected:
        """Call a query."""
        if not is_valid(instance):
            return Expected("error", "ISS-4", status=400, code="invalid_argument")
        try:
            value = self._evaluate(instance, None)
        except EndedError as ended:
            return self._ended_query(ended)
        if value is Special.UNENCODABLE:
            return Expected("error", "ENV-8", status=500, code="unencodable_result")
        return Expected("result", "HTTP-2", value=value)

    def _ended_query(self, ended: EndedError) -> Expected:
        if ended.kind == "redirect":
            return Expected("redirect", "ENV-4", location=ended.text)
        clause = "ERR-1" if ended.kind == "fail" else ended.clause
        return Expected("error", clause, status=ended.status, code=ended.code)

    def _evaluate(
        self, instance: Instance, inner: list[Instance] | None, *, certain: bool = True
    ) -> Handled:
        """Run a query's handler.

        Args:
            instance: What to run.
            inner: What its handler refreshes goes here; None outside a refresh phase.
            certain: Whether it has to be run, and not answered by a memo.

        Raises:
            EndedError: It fails or redirects.
        """
        argument = instance.argument
        if instance.function == "fx/echo":
            return argument
        if instance.function == "fx/none":
            return "none"
        if not isinstance(argument, Mapping):
            raise TypeError(f"{instance} is not valid")
        if instance.function == "fx/pair":
            return {"a": argument["a"], "b": argument.get("b", 2)}
        if instance.function == "fx/cell":
            self._count("fx/cell", certain=certain)
            return self.cells[str(argument["cell"])]
        self._count("fx/act", certain=certain)
        return self._act(steps_of(argument["steps"]), inner)

    def _act(self, steps: Sequence[Step], inner: list[Instance] | None) -> Handled:
        result: Handled = None
        for step in steps:
            do = step["do"]
            if do in ("read", "return_read"):
                # a memo of the request or the phase may answer this
                value = self._evaluate(instance_of(step), None, certain=False)
                result = value if do == "return_read" else result
            elif do == "refresh":
                instance = _possible(step)
                if inner is not None:
                    inner.append(instance)
            elif do in ("set", "accept", "invalidate", "reset"):
                raise EndedError("crash", "UPD-18", status=500, code="internal")
            elif do == "child":
                if step.get("catch") is not True:
                    raise EndedError("crash", "FUN-5", status=500, code="internal")
            elif do == "cookie":
                raise EndedError("cookie", "ENV-10", status=500, code="cookie_in_query")
            elif do == "open":
                self.gates.add(str(step["gate"]))
            elif do != "wait":
                result = _plain_step(step, result)
        return result

    # -- commands ------------------------------------------------------------------------------

    def command(
        self, steps: Sequence[Step], refreshes: Sequence[str]
    ) -> Generator[str, None, Expected]:
        """Call ``fx/run``; yields the gate that the handler waits for."""
        judged = {text: judge_key(text, depth=self._depth) for text in refreshes}
        requested = {t: found for t, found in judged.items() if isinstance(found, Instance)}
        scope = _Scope(requested)
        try:
            value = yield from self._handler(steps, scope)
        except EndedError as ended:
            return self._failed(ended, scope)
        if value is Special.UNENCODABLE:
            return self._unencodable(scope, refreshes)
        expected = Expected("result", "ENV-1", value=value, discarded=scope.discarded)
        _take_marks(expected, scope)
        self._phase(expected, scope)
        for text, found in judged.items():
            if text not in expected.outcomes:
                expected.outcomes[text] = _unaccepted(found, scope)
        return expected

    def _handler(self, steps: Sequence[Step], scope: _Scope) -> Waiting:
        self._count("fx/run")
        result: Handled = None
        finish: list[str] = []
        try:
            for step in steps:
                do = step["do"]
                if do == "wait":
                    while step["gate"] not in self.gates:
                        yield str(step["gate"])
                elif do == "child":
                    yield from self._child(step, scope)
                elif do == "finish":
                    finish.append(str(step["cell"]))
                elif do in ("read", "return_read"):
                    value = self._called(instance_of(step))
                    result = value if do == "return_read" else result
                elif not self._instruct(step, scope):
                    result = _plain_step(step, result)
        finally:
            self.cells.update(finish)
        return result

    def _called(self, instance: Instance) -> Handled:
        """Call a query from a command's handler; its failure is the handler's. Spec: FUN-10."""
        try:
            value = self._evaluate(instance, None)
        except EndedError as ended:
            if ended.kind == "redirect":  # what a redirect of a called query becomes is not said
                raise EndedError("read", ended.clause, code=None) from ended
            raise EndedError(ended.kind, "FUN-10", status=ended.status, code=ended.code) from ended
        return value

    def _child(self, step: Step, scope: _Scope) -> Generator[str, None, None]:
        child = _Scope(scope.requested, scope)
        try:
            yield from self._handler(steps_of(step["steps"]), child)
        except EndedError:
            scope.discard(child)
            if step.get("catch") is not True:
                raise
        else:
            scope.absorb(child)

    def _instruct(self, step: Step, scope: _Scope) -> bool:
        do = step["do"]
        if do == "add":
            self.cells[str(step["cell"])] += _integer(step["by"])
        elif do == "open":
            self.gates.add(str(step["gate"]))
        elif do in ("refresh", "set"):
            value = step.get("value", UNDEFINED)
            scope.instructions.append(_Instruction(str(do), _possible(step), value))
        elif do == "accept":
            scope.accept(str(step["query"]), _integer(step["limit"]))
        elif do == "reset":
            scope.instructions.append(_Instruction("reset"))
        elif do == "invalidate":
            kind = "invalidate" if "arg" in step else "function"
            kind = "all" if step.get("all") is True else kind
            instance = None if kind == "all" else instance_of(step)
            instance = _possible(step) if kind == "invalidate" else instance
            scope.instructions.append(_Instruction(kind, instance))
        else:
            return False
        return True

    def _phase(self, expected: Expected, scope: _Scope) -> None:
        """Run the refresh phase. Spec: UPD-4, UPD-5, UPD-7, UPD-8."""
        last = {
            i.instance.key: i
            for i in scope.instructions
            if i.instance is not None and i.kind != "function"
        }
        named = Counter(
            i.instance.key
            for i in scope.instructions
            if i.instance is not None and i.kind != "function"
        )
        pending: list[Instance] = []
        for key, instruction in last.items():
            clause = "UPD-4" if named[key] > 1 else "UPD-2"
            if instruction.kind == "set":
                expected.outcomes[key] = Outcome("set", "UPD-4", instruction.value)
            elif instruction.kind == "invalidate":
                expected.outcomes[key] = Outcome("invalidate", clause)
            elif instruction.refusal:
                expected.outcomes[key] = Outcome("fail", "REQ-3", code=instruction.refusal)
            elif instruction.instance is not None:
                pending.append(instruction.instance)
        run = {instance.key for instance in pending}
        for number in range(ROUNDS):
            inner: list[Instance] = []
            for instance in pending:
                # what decides that there is a value at all is cited, not what value it is
                decides = "UPD-5" if number else "UPD-4" if named[instance.key] > 1 else "UPD-3"
                expected.outcomes[instance.key] = self._refreshed(instance, inner, decides)
            pending = []
            for instance in inner:
                if instance.key not in run:
                    run.add(instance.key)
                    pending.append(instance)
        for instance in pending:
            expected.outcomes[instance.key] = Outcome("fail", "UPD-5", code="refresh_limit")

    def _refreshed(self, instance: Instance, inner: list[Instance], decides: str) -> Outcome:
        """Run a refreshed query; what it refreshed itself goes to `inner` unless it failed."""
        refreshed: list[Instance] = []
        try:
            value = self._evaluate(instance, refreshed)
        except EndedError as ended:
            if ended.kind == "redirect":
                inner += refreshed
                return Outcome("redirect", "UPD-8", location=ended.text)
            clause = "UPD-7" if ended.clause in ("UPD-9", "ERR-3") else ended.clause
            return Outcome("fail", clause, code=str(ended.code))
        inner += refreshed
        if value is Special.UNENCODABLE:
            return Outcome("fail", "UPD-8", code="unencodable_result")
        return Outcome("set", decides, value)

    # -- failures ------------------------------------------------------------------------------

    def _failed(self, ended: EndedError, scope: _Scope) -> Expected:
        """Return the error of a command that failed: it ships no values. Spec: UPD-9."""
        expected = Expected(
            "error", ended.clause, status=ended.status, code=ended.code, discarded=scope.discarded
        )
        if ended.kind == "redirect":
            expected.clause, expected.status, expected.code = "ENV-5", 500, "redirect_in_command"
        if ended.kind == "fail":
            _take_marks(expected, scope)
            expected.is_reset = False
        if ended.kind == "read":
            _take_marks(expected, scope)
            expected.is_reset, expected.marks_are_optional = False, True
        if ended.kind in ("fail", "read"):
            for instruction in scope.instructions:
                if instruction.kind == "invalidate" and instruction.instance is not None:
                    key = instruction.instance.key
                    # also where a later instruction replaced it
                    if ended.kind == "fail":
                        expected.outcomes[key] = Outcome("invalidate", "UPD-9")
                    else:
                        expected.optional.add(key)
        return expected

    def _unencodable(self, scope: _Scope, refreshes: Sequence[str]) -> Expected:
        """Return the error of a command whose own result has no text. Spec: ENV-9."""
        expected = Expected(
            "error", "ENV-9", status=500, code="unencodable_result", discarded=scope.discarded
        )
        _take_marks(expected, scope)
        expected.is_all = expected.is_all or expected.is_reset
        expected.is_reset = False
        named = {
            i.instance.key
            for i in scope.instructions
            if i.instance is not None and i.kind != "function"
        }
        for key in named | set(refreshes):
            expected.outcomes[key] = Outcome("invalidate", "ENV-9")
        return expected


def _possible(step: Step) -> Instance:
    """Return the instance that an instruction names, if there can be one. Spec: UPD-18."""
    instance = instance_of(step)
    if not is_valid(instance):
        raise EndedError("crash", "UPD-18", status=500, code="internal")
    return instance


def _integer(value: Value) -> int:
    if isinstance(value, int):
        return value
    raise ValueError(f"{value!r} is no integer")


def _plain_step(step: Step, result: Handled) -> Handled:
    """Do a step that has nothing to do with updates, and return the result so far."""
    do = step["do"]
    if do == "return":
        return step["value"]
    if do == "return_special":
        return _special(str(step["kind"]))
    if do == "fail":
        code = str(step.get("code", "app.error"))
        raise EndedError("fail", "UPD-9", status=_integer(step["status"]), code=code)
    if do == "crash":
        raise EndedError("crash", "ERR-3", status=500, code="internal")
    if do == "redirect":
        raise EndedError("redirect", "ENV-4", text=str(step["location"]))
    if do != "cookie":
        raise ValueError(f"the model knows no step {do!r}")
    return result


def _special(kind: str) -> Handled:
    if kind == "shared":
        return [{"x": 1}, {"x": 1}]
    if kind == "view":
        return b"x"
    return Special.UNENCODABLE


def _take_marks(expected: Expected, scope: _Scope) -> None:
    for instruction in scope.instructions:
        if instruction.kind == "all":
            expected.is_all = True
        elif instruction.kind == "reset":
            expected.is_reset = True
        elif instruction.kind == "function" and instruction.instance is not None:
            expected.functions.add(instruction.instance.function)


def _unaccepted(found: Instance | Refusal, scope: _Scope) -> Outcome:
    """Return what a requested key gets that was not refreshed. Spec: REQ-3."""
    if isinstance(found, Refusal):
        return Outcome("fail", "REQ-3", code=found.code)
    if found.function in scope.accepted:
        return Outcome("fail", "REQ-4", code="refresh_limit")
    return Outcome("ignore", "REQ-3")
