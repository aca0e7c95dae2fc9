"""The verdicts, and what a check found: the words that engine and reporters share."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .wire.trace import Trace

__all__ = ["CaseResult", "Finding", "Verdict"]


class Verdict(enum.Enum):
    """How a case ended."""

    PASS = "pass"  # noqa: S105 - a word, no password
    FAIL = "fail"
    WARN = "warn"
    UNSUPPORTED = "unsupported"
    NOT_TESTABLE = "not_testable"
    KNOWN = "known"
    STALE = "stale"
    HARNESS_ERROR = "harness_error"
    TIMEOUT = "timeout"

    @property
    def is_red(self) -> bool:
        """Whether the run is not green with it."""
        return self in _RED


_RED = frozenset({Verdict.FAIL, Verdict.STALE, Verdict.HARNESS_ERROR, Verdict.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Finding:
    """One check that did not hold."""

    clause: str
    expected: str
    got: str
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case ended and what it exercised."""

    case: str
    title: str
    clauses: tuple[str, ...]
    verdict: Verdict
    seconds: float
    findings: tuple[Finding, ...] = ()
    checks: dict[str, int] = field(default_factory=dict)
    """Clause id -> how many checks of it were made."""
    note: str = ""
