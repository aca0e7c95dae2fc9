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

from wireflight_conformance.wire.reply import pick

from .drawing import commands, other_calls
from .play import Call, Play, TooSlowError
from .profiles import settings_of
from .searching import Search

if TYPE_CHECKING:
    from collections.abc import Mapping

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
            if self.is_over:
                return
            try:
                with result.call(server, self.play.calls):
                    self.play.do(call)
            except TooSlowError:
                # the rest is drawn all the same: what is drawn depends on no answer
                self.is_over = True
            except BaseException:
                self.is_over = True
                raise

        @rule(drawn=commands(), plain=st.booleans())
        def command(self, drawn: Mapping[str, Value], plain: bool) -> None:
            self.do(
                {
                    "call": "command",
                    "steps": drawn["steps"],
                    "refreshes": drawn["refreshes"],
                    "plain": plain,
                }
            )

        @rule(drawn=commands(), plain=st.booleans())
        def another_command(self, drawn: Mapping[str, Value], plain: bool) -> None:
            self.command(drawn, plain)

        @precondition(lambda self: len(self.gates) < _MOST_BEGUN)
        @rule(drawn=commands(), plain=st.booleans())
        def begin(self, drawn: Mapping[str, Value], plain: bool) -> None:
            gate = f"gate{self.begun}"
            stop: list[Value] = [
                {"do": "open", "gate": f"{gate}.reached"},
                {"do": "wait", "gate": gate},
            ]
            # one that ends before its gate would be no overlap
            steps = [*_without_end(drawn["steps"]), *stop, *_listed(drawn["then"])]
            self.begun += 1
            self.gates.append(gate)
            refreshes = drawn["refreshes"]
            self.do({"call": "begin", "steps": steps, "refreshes": refreshes, "plain": plain})

        @precondition(lambda self: bool(self.gates))
        @rule(last=st.booleans())
        def end(self, last: bool) -> None:
            self.do({"call": "end", "gate": self.gates.pop(-1 if last else 0)})

        @rule(call=other_calls())
        def other(self, call: Call) -> None:
            self.do(call)

        def teardown(self) -> None:
            if self.is_over:
                self.play.abandon()
                return
            try:
                for gate in self.gates:
                    self.do({"call": "end", "gate": gate})
                self.do({"call": "look"})
            finally:
                self.play.abandon()

    return SingleFlight


def _listed(steps: Value) -> list[Value]:
    return steps if isinstance(steps, list) else []


def _without_end(steps: Value) -> list[Value]:
    kept: list[Value] = []
    for step in _listed(steps):
        kind, caught = pick(step, "do"), pick(step, "catch")
        if kind in ("fail", "crash", "redirect", "read") or (kind == "child" and not caught):
            continue
        kept.append(step)
    return kept
