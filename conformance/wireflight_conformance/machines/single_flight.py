"""The machine of single flight: commands, requested refreshes and overlapping clients.

Hypothesis draws calls, the model predicts each answer exactly, and the first difference is a
violation of one clause. Importing this imports Hypothesis.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from .drawing import queries, refreshes, refused_refreshes, scripts
from .play import Call, Play, TooSlowError, ViolationError
from .profiles import settings_of
from .searching import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.values import Value

__all__ = ["search"]

_MOST_BEGUN: Final = 2


def search(server: Server, *, profile: str, seed: int) -> Search:
    """Look for violations, and return the smallest counterexample of each clause.

    Args:
        server: The server; every check that holds is counted there.
        profile: How many examples, and how long.
        seed: With the same seed the same calls come.

    Raises:
        WireError: The server stopped answering, and no violation was found before.
    """
    result = Search()
    machine = hypothesis.seed(seed)(_machine(server, result, f"{server.run}-{seed}"))
    settings = settings_of(profile, stateful=True)
    return result.run(lambda: run_state_machine_as_test(machine, settings=settings))


def _machine(server: Server, result: Search, run: str) -> type[RuleBasedStateMachine]:
    numbers = itertools.count()

    class SingleFlight(RuleBasedStateMachine):
        """One run of the fixture."""

        def __init__(self) -> None:
            super().__init__()
            self.play = Play(server, f"{run}-{next(numbers)}")
            self.gates: list[str] = []
            self.begun = 0
            self.is_over = False
            result.examples += 1

        def do(self, call: Call) -> None:
            try:
                with result.call(server, self.play.calls):
                    self.play.do(call)
            except ViolationError:
                self.is_over = True
                raise
            except TooSlowError:
                self.is_over = True
                hypothesis.reject()

        @rule(steps=scripts(), requested=refreshes(), plain=st.booleans())
        def command(
            self, steps: Sequence[Value], requested: Sequence[Value] | None, plain: bool
        ) -> None:
            self.do({"call": "command", "steps": steps, "refreshes": requested, "plain": plain})

        @precondition(lambda self: len(self.gates) < _MOST_BEGUN)
        @rule(before=scripts(), after=scripts(), requested=refreshes(), plain=st.booleans())
        def begin(
            self,
            before: Sequence[Value],
            after: Sequence[Value],
            requested: Sequence[Value] | None,
            plain: bool,
        ) -> None:
            gate = f"gate{self.begun}"
            stop: list[Value] = [
                {"do": "open", "gate": f"{gate}.reached"},
                {"do": "wait", "gate": gate},
            ]
            # one that ends before its gate would be no overlap
            steps = [*_without_end(before), *stop, *after]
            self.begun += 1
            self.gates.append(gate)
            self.do({"call": "begin", "steps": steps, "refreshes": requested, "plain": plain})

        @precondition(lambda self: bool(self.gates))
        @rule(last=st.booleans())
        def end(self, last: bool) -> None:
            self.do({"call": "end", "gate": self.gates.pop(-1 if last else 0)})

        @rule(call=queries())
        def query(self, call: Call) -> None:
            self.do(call)

        @rule(refused=refused_refreshes(), plain=st.booleans())
        def refused(self, refused: Mapping[str, Value], plain: bool) -> None:
            self.do({"call": "refused", **refused, "plain": plain})

        @rule()
        def look(self) -> None:
            self.do({"call": "look"})

        def teardown(self) -> None:
            if self.is_over:
                self.play.abandon()
                return
            for gate in self.gates:
                self.do({"call": "end", "gate": gate})
            self.do({"call": "look"})

    return SingleFlight


def _without_end(steps: Sequence[Value]) -> list[Value]:
    kept: list[Value] = []
    for step in steps:
        kind = step.get("do") if isinstance(step, dict) else None
        is_failing_child = kind == "child" and isinstance(step, dict) and step["catch"] is False
        if kind in ("fail", "crash", "redirect", "read") or is_failing_child:
            continue
        kept.append(step)
    return kept
