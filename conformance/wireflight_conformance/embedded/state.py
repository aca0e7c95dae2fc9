"""What the fixture functions keep: cells, counts and gates of each run."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Final

import anyio

__all__ = ["RunState", "Runs"]

_MOST_RUNS: Final = 20_000


@dataclass(slots=True)
class RunState:
    """The state of one run."""

    cells: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    gates: dict[str, anyio.Event] = field(default_factory=dict)

    def gate(self, name: str) -> anyio.Event:
        """Return the gate of this name, closed if nobody has named it yet."""
        return self.gates.setdefault(name, anyio.Event())


class Runs:
    """The states of all runs; those that were not used for the longest are forgotten."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, RunState] = OrderedDict()

    def __getitem__(self, run: str) -> RunState:
        state = self._states.setdefault(run, RunState())
        self._states.move_to_end(run)
        if len(self._states) > _MOST_RUNS:
            self._states.popitem(last=False)
        return state
