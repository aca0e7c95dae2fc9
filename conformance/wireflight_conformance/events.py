"""What a run tells its reporters. Reporters know these and nothing of the engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .clauses import Clause
    from .verdicts import CaseResult, Verdict

__all__ = ["CaseFinished", "Event", "Reporter", "RunFinished", "RunStarted", "RunStopped"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The run begins."""

    mode: str
    target: str
    profile: str
    seed: int
    strict: bool
    cases: int
    clauses: Mapping[str, Clause]
    has_fixture: bool = True
    """Whether the target offers what most cases need."""


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """A case has its verdict; `done` cases of the run have one now."""

    result: CaseResult
    done: int


@dataclass(frozen=True, slots=True)
class RunStopped:
    """The run ended before all its cases did."""

    reason: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """All is known."""

    exit_code: int
    seconds: float
    verdicts: Mapping[Verdict, int]
    coverage: Mapping[str, int]
    """Clause id -> how many checks the run made, for each clause that the run's cases cite."""
    uncovered: Sequence[str]
    """Clauses that a case which could be run cites and no check exercised."""
    untestable: Sequence[str] = ()
    """Clauses that only cases cite which this target gave no way to run."""


Event: TypeAlias = RunStarted | CaseFinished | RunStopped | RunFinished


class Reporter(Protocol):
    """Whoever wants to hear of a run."""

    def handle(self, event: Event) -> None:
        """Take one event; they come one at a time, in order."""
