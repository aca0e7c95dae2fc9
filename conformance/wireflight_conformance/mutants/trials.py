"""One mutant, tried: what is run against it, and what counts as its death.

A mutant is killed only by a check of its own clause that does not hold, and only if the same case
finds nothing in the reference as it is. The first such check ends the trial. Controls have to
survive all cases but those that draw many calls: several at a time, each alone where that is red.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import sys
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import msgspec

from wireflight_conformance.cases import load_cases, select
from wireflight_conformance.clauses import load
from wireflight_conformance.embedded.fixture import fixture_app, quick_limits
from wireflight_conformance.embedded.server import serve
from wireflight_conformance.engine import Budget, Collector, run_case, run_cases
from wireflight_conformance.modes.server import discover
from wireflight_conformance.mutants import Mutant, load_mutants
from wireflight_conformance.mutants.answering import likeness, try_codec
from wireflight_conformance.mutants.rewriting import take_faults
from wireflight_conformance.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wireflight.asgi import Receive, Scope, Send
    from wireflight_conformance.cases import Case
    from wireflight_conformance.driver import Settings
    from wireflight_conformance.embedded.server import App
    from wireflight_conformance.verdicts import CaseResult, Finding
    from wireflight_conformance.wire.connection import Target

__all__ = ["Killer", "Trial", "run_trials"]

_REQUEST_SECONDS: Final = 3.0
_SHORT_REQUEST_SECONDS: Final = 2.0
_SHORT: Final = {
    "handler_ms": 500,
    "refresh_phase_ms": 300,
    "body_idle_ms": 400,
    "body_total_ms": 1000,
}
"""Limits of servers whose faults show in waiting alone."""
_CONTROL_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Killer:
    """The check that killed."""

    case: str
    clause: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one mutant."""

    name: str
    clause: str | None
    step: int | None
    about: str
    level: str
    """MUST or SHOULD, or `control`."""
    killers: Sequence[Killer] = ()
    cases: int = 0
    """How many cases were run."""
    seconds: float = 0.0
    red: Sequence[str] = ()
    """Cases that find the same in the reference as it is, and so prove nothing."""
    fault: str = ""
    """Why it could not be tried."""

    @property
    def is_control(self) -> bool:
        """Whether it had to survive."""
        return self.clause is None

    @property
    def is_right(self) -> bool:
        """Whether a mutant was killed, or a control was not."""
        return not self.fault and bool(self.killers) != self.is_control


@dataclass(slots=True)
class _Tally:
    """What a trial has come to so far."""

    killers: list[Killer] = field(default_factory=list)
    cases: int = 0
    red: list[str] = field(default_factory=list)


def run_trials(names: Sequence[str]) -> list[Trial]:
    """Try mutants: one, or several controls of a server at a time.

    Whatever they do, this returns: what could not be tried says why.
    """
    for noisy in ("uvicorn.error", "asyncio"):
        # what a mutant breaks is told by the matrix
        logging.getLogger(noisy).setLevel(logging.CRITICAL + 1)
    if len(names) > 1:
        started = time.monotonic()
        tally, fault = _tried([load_mutants()[name] for name in names])
        seconds = (time.monotonic() - started) / len(names)
        if not fault and not tally.killers:
            return [_trial(load_mutants()[name], tally, fault, seconds) for name in names]
    return [_run_trial(name) for name in names]


def _run_trial(name: str) -> Trial:
    mutant = load_mutants()[name]
    started = time.monotonic()
    tally, fault = _tried([mutant])
    return _trial(mutant, tally, fault, time.monotonic() - started)


def _tried(mutants: Sequence[Mutant]) -> tuple[_Tally, str]:
    tally, fault = _Tally(), ""
    first = mutants[0]
    try:
        if first.aim == "codec":
            found = try_codec(first)
            tally.cases = found.cases
            tally.killers += [Killer(*killer) for killer in found.killers]
        elif first.clause is None:
            _try_controls(mutants, tally)
        else:
            _try_mutant(first, first.clause, tally)
    except Exception:  # noqa: BLE001 - a mutant that does not start must not end the others
        fault = traceback.format_exc()
    return tally, "\n".join([*take_faults()[:1], fault]).strip("\n")


def _trial(mutant: Mutant, tally: _Tally, fault: str, seconds: float) -> Trial:
    return Trial(
        mutant.name,
        mutant.clause,
        mutant.step,
        mutant.about,
        load()[mutant.clause].level.value if mutant.clause else "control",
        tuple(tally.killers),
        tally.cases,
        seconds,
        tuple(tally.red),
        fault,
    )


# -- the server of a process ---------------------------------------------------------------------


class _Stage:
    """An app in whose place another can be put while the server below goes on."""

    def __init__(self) -> None:
        self.app: App = fixture_app(limits=quick_limits())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class _Host:
    """The one server of a process; each trial has a fresh app on it."""

    def __init__(self) -> None:
        self._stage = _Stage()
        self._open = contextlib.ExitStack()
        self._target: Target | None = None

    def show(self, app: App) -> Target:
        """Serve the app until the next is shown."""
        self._stage.app = app
        if self._target is None:
            self._target = self._open.enter_context(serve(self._stage))
        return self._target

    def renew(self) -> None:
        """Leave a server behind that a mutant may have harmed."""
        self._open.close()
        self._target = None


_host = functools.cache(_Host)


@contextlib.contextmanager
def _mounted(mutants: Sequence[Mutant], *, is_short: bool = False) -> Iterator[Settings]:
    """Serve the reference as these mutants leave it; each wraps those before it.

    Args:
        mutants: What is put over the reference.
        is_short: Whether its limits of time are shorter than those of the embedded server.
    """
    limits = quick_limits()
    if is_short:
        limits = msgspec.structs.replace(limits, **_SHORT)
    seconds = _SHORT_REQUEST_SECONDS if is_short else _REQUEST_SECONDS
    with contextlib.ExitStack() as stack:
        for mutant in mutants:
            if mutant.patch is not None:
                stack.enter_context(mutant.patch())
        _forget_results()
        stack.callback(_forget_results)
        app: App = fixture_app(limits=limits)
        for mutant in mutants:
            if mutant.wrap is not None:
                app = mutant.wrap(app)
        yield discover(_host().show(app), seconds)


def _forget_results() -> None:
    """Empty the reference's caches: what a mutant put there would outlive it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "wireflight":
            for kept in vars(module).values():
                clear = getattr(kept, "cache_clear", None)
                if callable(clear):
                    clear()
    for kept in _tables():
        kept.clear()


def _tables() -> Iterator[dict[object, object]]:
    """Yield what the reference remembers in tables of its own."""
    from wireflight.codec import opening

    yield cast("dict[object, object]", opening.PLAIN_SHAPES)


# -- mutants -------------------------------------------------------------------------------------


def _findings(case: Case, settings: Settings) -> tuple[CaseResult, list[Finding]]:
    """Run a case; return all it found, and what its responses show by the clauses for all."""
    collector = Collector()
    result = run_case(case, settings, collector, load())
    found = list(result.findings)
    for universal in collector.results(load(), strict=False):
        found += universal.findings
    if result.verdict in (Verdict.TIMEOUT, Verdict.HARNESS_ERROR):
        _host().renew()
    return result, found


@functools.cache
def _clauses_found_in_reference(case_id: str, *, is_short: bool) -> frozenset[str]:
    with _mounted((), is_short=is_short) as settings:
        _, found = _findings(load_cases()[case_id], settings)
    return frozenset(finding.clause for finding in found)


def _ordered(mutant: Mutant, clause: str) -> list[Case]:
    """Return the cases to try: all that cite the clause, those first that may know the fault.

    A clause that every response is measured by may be cited by none: then any case will do.
    """
    cases = list(load_cases().values())
    citing = [case for case in cases if clause in case.clauses and case.profile != "full"]

    def rank(case: Case) -> tuple[bool, int, bool]:
        alike = likeness(mutant, f"{case.id} {case.title}")
        return (_cost(case) == 2, -alike, case.clauses[0] != clause)

    citing.sort(key=rank)
    if clause in _universal():
        citing += [case for case in cases if clause not in case.clauses and not _cost(case)]
    return citing


def _cost(case: Case) -> int:
    """Rank cases: those of a table, those that take their time, those that draw many calls."""
    if case.profile == "smoke":
        return 0
    return 2 if case.id.startswith("stateful.") else 1


@functools.cache
def _universal() -> frozenset[str]:
    """Return the clauses that every response is measured by, as far as a few responses show."""
    collector = Collector()
    with _mounted(()) as settings:
        for case in load_cases().values():
            if case.id.startswith(("updates.forms", "envelopes.", "issues.", "errors.limits")):
                run_case(case, settings, collector, load())
    return frozenset(result.clauses[0] for result in collector.results(load(), strict=False))


def _try_mutant(mutant: Mutant, clause: str, tally: _Tally) -> None:
    waiting = _ordered(mutant, clause)
    while waiting and not tally.killers:
        suspect: tuple[str, Finding] | None = None
        # the likeliest case says what the fault shows in
        is_short = waiting[0].is_slow
        with _mounted((mutant,), is_short=is_short) as settings:
            while waiting and suspect is None and waiting[0].is_slow is is_short:
                case = waiting.pop(0)
                _, found = _findings(case, settings)
                tally.cases += 1
                own = [finding for finding in found if finding.clause == clause]
                suspect = (case.id, own[0]) if own else None
        if suspect is None:
            continue
        case_id, finding = suspect
        if clause in _clauses_found_in_reference(case_id, is_short=is_short):
            tally.red.append(case_id)
        else:
            tally.killers.append(Killer(case_id, clause, finding.expected, finding.got))


# -- controls ------------------------------------------------------------------------------------


def _cases_of_controls() -> list[Case]:
    cases = select(load_cases().values(), (), "quick")
    return [case for case in cases if _cost(case) < 2]


def _try_controls(controls: Sequence[Mutant], tally: _Tally) -> None:
    with _mounted(controls) as settings:
        cases = _cases_of_controls()
        tally.cases = len(cases)
        suspects = _run_all(cases, settings)
        # what only a busy machine did is not done again
        again = [load_cases()[result.case] for result in suspects if result.case in load_cases()]
        suspects = _run_all(again, settings) if again else suspects
    for result in suspects:
        name = result.case
        if name not in _red_in_reference():
            finding = result.findings[0] if result.findings else None
            expected, got = (finding.expected, finding.got) if finding else ("", result.note)
            tally.killers.append(Killer(name, result.clauses[0], expected, got))
        else:
            tally.red.append(name)


def _run_all(cases: Sequence[Case], settings: Settings) -> list[CaseResult]:
    budget = Budget(run_seconds=_CONTROL_SECONDS, fast_workers=2)
    results = run_cases(cases, settings, load(), (), budget=budget).results
    return [result for result in results if result.findings or result.verdict.is_red]


@functools.cache
def _red_in_reference() -> frozenset[str]:
    with _mounted(()) as settings:
        return frozenset(
            result.case for result in _run_all(select(load_cases().values(), (), "quick"), settings)
        )
