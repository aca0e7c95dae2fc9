"""Runs cases against a target and tells reporters; knows no mode, no reporter, no output.

Truth table of a case, the first line that fits:

===========================================  ===============
the case                                     verdict
===========================================  ===============
a deadline passed while it waited            timeout
a check of a MUST did not hold               fail
the wire brought no response                 fail
it raised NotTestableError / UnsupportedError          not_testable / unsupported
it raised anything else                      harness_error
a check of a SHOULD did not hold             warn, fail if strict
it made no check at all                      harness_error
anything else                                pass
===========================================  ===============
"""

from __future__ import annotations

import enum
import queue
import random
import threading
import time
import traceback
from collections import Counter, deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from .clauses import Clause, Level
from .driver import CheckFailedError, NotTestableError, Server, Settings, UnsupportedError
from .events import CaseFinished, Event, Reporter, RunFinished, RunStarted, RunStopped
from .universal import Observation, observe
from .verdicts import CaseResult, Finding, Verdict
from .wire.connection import Clock, DeadlineError, UnreachableError, WireError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .cases import Case
    from .wire.reply import Reply
    from .wire.trace import Request

__all__ = ["Budget", "ExitCode", "Outcome", "judge", "run_case", "run_cases"]

_QUIET_LIMIT: Final = 8
_MOST_GONE: Final = 40
_UNTESTED: Final = frozenset({Verdict.NOT_TESTABLE, Verdict.UNSUPPORTED})
_NO_FIXTURE: Final = "the target does not mount the fixture functions of section 20"


class ExitCode(enum.IntEnum):
    """What the command ends with."""

    CONFORMANT = 0
    VIOLATION = 1
    USAGE = 2
    NOTHING_RAN = 3
    SUITE_ERROR = 4


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a run may take."""

    run_seconds: float = 120.0
    fast_workers: int = 3
    slow_workers: int = 8


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a run found."""

    exit_code: ExitCode
    results: Sequence[CaseResult]
    coverage: Mapping[str, int]


class Collector:
    """Measures every response of a run by the clauses that hold for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checks: Counter[str] = Counter()
        self._findings: dict[tuple[str, str], Finding] = {}
        self._stamps: dict[str, str] = {}

    def observe(self, reply: Reply, request: Request) -> None:
        """Take one response."""
        found = list(observe(reply, request))
        with self._lock:
            found += self._stamp(reply)
            for item in found:
                self._checks[item.clause] += 1
                # one finding for each thing that is expected: a header that is missing
                # everywhere is one fault, not one for each response
                if not item.holds:
                    self._findings.setdefault(
                        (item.clause, item.expected),
                        Finding(item.clause, item.expected, str(item.got), reply.trace),
                    )

    def _stamp(self, reply: Reply) -> list[Observation]:
        if not reply.at:
            return []
        fresh = reply.at not in self._stamps
        self._stamps[reply.at] = reply.trace.target
        expected = "a stamp that no other response has"
        return [Observation("ORD-1", fresh, expected, f"{reply.at} a second time")]

    def results(self, clauses: Mapping[str, Clause], strict: bool) -> list[CaseResult]:
        """Return one result for each clause that a response was measured by."""
        with self._lock:
            made = []
            for clause in sorted(self._checks):
                findings = tuple(f for (name, _), f in self._findings.items() if name == clause)
                title = f"Every response that the run saw holds {clause}."
                verdict = judge(findings, clauses, strict)
                checks = {clause: self._checks[clause]}
                made.append(
                    CaseResult(
                        f"universal.{clause}", title, (clause,), verdict, 0.0, findings, checks
                    )
                )
            return made


def judge(findings: Iterable[Finding], clauses: Mapping[str, Clause], strict: bool) -> Verdict:
    """Return the verdict of what checks found: MUST fails, SHOULD warns, MAY is silent."""
    levels = {clauses[finding.clause].level for finding in findings}
    if Level.MUST in levels:
        return Verdict.FAIL
    if Level.SHOULD in levels:
        return Verdict.FAIL if strict else Verdict.WARN
    return Verdict.PASS


def run_case(
    case: Case,
    settings: Settings,
    collector: Collector,
    clauses: Mapping[str, Clause],
    *,
    strict: bool = False,
    within: Clock | None = None,
) -> CaseResult:
    """Run one case to its verdict; whatever the target does, this returns."""
    if not _can_run(case, settings):
        verdict = Verdict.NOT_TESTABLE
        return CaseResult(case.id, case.title, case.clauses, verdict, 0.0, note=_NO_FIXTURE)
    server = Server(settings, collector, Clock.after(settings.case_timeout, within=within))
    return _run(case, server, clauses, strict)


def _can_run(case: Case, settings: Settings) -> bool:
    return settings.has_fixture or case.needs == "bare"


def _run(case: Case, server: Server, clauses: Mapping[str, Clause], strict: bool) -> CaseResult:
    started = time.monotonic()
    verdict: Verdict | None = None
    note = ""
    # the engine's own boundary: whatever a case raises is a verdict, never the end of the run
    try:
        case.run(server)
    except CheckFailedError:
        pass
    except DeadlineError as error:
        verdict, note = Verdict.TIMEOUT, str(error)
        server.findings.append(Finding(case.clauses[0], "a response in time", note, error.trace))
    except WireError as error:
        server.findings.append(Finding(case.clauses[0], "a response", str(error), error.trace))
        note = "unreachable" if isinstance(error, UnreachableError) else ""
        verdict = Verdict.FAIL
    except NotTestableError as error:
        verdict, note = Verdict.NOT_TESTABLE, str(error)
    except UnsupportedError as error:
        verdict, note = Verdict.UNSUPPORTED, str(error)
    except Exception:  # noqa: BLE001 - the boundary between a case and the run
        verdict, note = Verdict.HARNESS_ERROR, traceback.format_exc()
    found = judge(server.findings, clauses, strict)
    # an unexpected answer may also have tripped the case's own code: the finding counts
    if found is Verdict.FAIL and verdict is not Verdict.TIMEOUT:
        verdict = found
    if verdict is None and not server.checks:
        verdict, note = Verdict.HARNESS_ERROR, "the case made no check"
    return CaseResult(
        case.id,
        case.title,
        case.clauses,
        verdict or found,
        time.monotonic() - started,
        tuple(server.findings),
        dict(server.checks),
        note,
    )


class _Queue:
    """The cases still to be run, and when to stop."""

    def __init__(self, cases: Sequence[Case], clock: Clock) -> None:
        self._slow = deque(item for item in cases if item.is_slow)
        self._fast = deque(item for item in cases if not item.is_slow)
        self._lock = threading.RLock()
        self._silent = 0
        self._gone = 0
        self.clock = clock
        self.stopped = ""

    def take(self, slow: bool) -> Case | None:
        with self._lock:
            if not self.stopped and not self.clock.left:
                self.stopped = "the run's time is over"
            waiting = self._slow if slow else self._fast
            return waiting.popleft() if waiting and not self.stopped else None

    def note(self, result: CaseResult) -> None:
        """Stop when the target has not answered anything for a while: it is gone or it hangs."""
        with self._lock:
            gone = result.verdict is Verdict.TIMEOUT or result.note == "unreachable"
            self._silent = self._silent + 1 if gone else 0
            self._gone += gone
            if self._silent >= _QUIET_LIMIT:
                self.stop(f"the target left {self._silent} cases in a row without an answer")
            elif self._gone >= _MOST_GONE:
                self.stop(f"the target left {self._gone} cases without an answer")

    def stop(self, reason: str) -> None:
        with self._lock:
            self.stopped = self.stopped or reason

    def rest(self) -> list[Case]:
        with self._lock:
            return [*self._fast, *self._slow]


def run_cases(
    cases: Sequence[Case],
    settings: Settings,
    clauses: Mapping[str, Clause],
    reporters: Sequence[Reporter],
    *,
    mode: str = "server",
    strict: bool = False,
    budget: Budget | None = None,
    only: Sequence[str] = (),
) -> Outcome:
    """Run cases, fast ones first, those that wait beside them; tell reporters as they finish.

    Args:
        cases: What to run; their order is shuffled by the seed unless it is 0.
        settings: The target and the deadlines.
        clauses: The specification.
        reporters: Who is told.
        mode: The name of the mode.
        strict: Whether a SHOULD that does not hold fails.
        budget: The run's time and workers.
        only: The clauses that were asked for; the clauses for all responses are then reported
            for these alone.
    """
    limits = budget or Budget()
    started = time.monotonic()

    def tell(event: Event) -> None:
        for reporter in reporters:
            reporter.handle(event)

    ordered = [item for item in cases if _can_run(item, settings)]
    beyond = [item for item in cases if not _can_run(item, settings)]
    if settings.seed:
        random.Random(settings.seed).shuffle(ordered)
    tell(
        RunStarted(
            *(mode, settings.target.url, settings.profile, settings.seed, strict, len(cases)),
            clauses,
            settings.has_fixture,
        )
    )
    collector = Collector()
    work = _Queue(ordered, Clock.after(limits.run_seconds))
    done: queue.SimpleQueue[CaseResult] = queue.SimpleQueue()

    def worker(slow: bool) -> None:
        while (item := work.take(slow)) is not None:
            result = run_case(item, settings, collector, clauses, strict=strict, within=work.clock)
            work.note(result)
            done.put(result)

    slow_count = min(limits.slow_workers, sum(item.is_slow for item in ordered))
    threads = [
        threading.Thread(target=worker, args=(slow,), daemon=True)
        for slow in [False] * limits.fast_workers + [True] * slow_count
    ]
    for thread in threads:
        thread.start()
    results: list[CaseResult] = []
    try:
        while len(results) < len(ordered):
            try:
                result = done.get(timeout=0.05)
            except queue.Empty:
                if not any(thread.is_alive() for thread in threads) and done.empty():
                    break
                continue
            results.append(result)
            tell(CaseFinished(result, len(results)))
    except KeyboardInterrupt:
        work.stop("interrupted")
        raise
    unrun = [(item, Verdict.TIMEOUT, f"not run: {work.stopped}") for item in work.rest()]
    unrun += [(item, Verdict.NOT_TESTABLE, _NO_FIXTURE) for item in beyond]
    for item, verdict, note in unrun:
        results.append(CaseResult(item.id, item.title, item.clauses, verdict, 0.0, note=note))
        tell(CaseFinished(results[-1], len(results)))
    if work.stopped:
        tell(RunStopped(work.stopped))
    for result in collector.results(clauses, strict):
        if not only or result.clauses[0] in only:
            results.append(result)
            tell(CaseFinished(result, len(results)))
    outcome = _outcome(results, ordered)
    verdicts = Counter(result.verdict for result in results)
    cited: dict[bool, set[str]] = {True: set(), False: set()}
    for result in results:
        cited[result.verdict in _UNTESTED].update(result.clauses)
    uncovered = [clause for clause in clauses if clause in cited[False] - outcome.coverage.keys()]
    missed = cited[True] - cited[False] - outcome.coverage.keys()
    untestable = [clause for clause in clauses if clause in missed]
    seconds = time.monotonic() - started
    tell(RunFinished(outcome.exit_code, seconds, verdicts, outcome.coverage, uncovered, untestable))
    return outcome


def _outcome(results: Sequence[CaseResult], cases: Sequence[Case]) -> Outcome:
    coverage: Counter[str] = Counter()
    for result in results:
        coverage.update(result.checks)
    verdicts = {result.verdict for result in results}
    ran = verdicts - _UNTESTED
    if Verdict.HARNESS_ERROR in verdicts:
        # a suite that errs has no right to call the target wrong or right
        code = ExitCode.SUITE_ERROR
    elif not cases or not ran:
        code = ExitCode.NOTHING_RAN
    elif any(verdict.is_red for verdict in verdicts):
        code = ExitCode.VIOLATION
    else:
        code = ExitCode.CONFORMANT
    return Outcome(code, results, dict(coverage))


def without_traces(result: CaseResult) -> CaseResult:
    """Return the result with its findings' traces left out, to be kept in numbers."""
    bare = tuple(replace(finding, trace=None) for finding in result.findings)
    return replace(result, findings=bare)
