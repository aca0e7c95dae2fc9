"""The self-test: every mutant has to be killed by a case of its clause, and no control."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, TextIO

from wireflight_conformance.cases import cases_of, load_cases, select
from wireflight_conformance.clauses import Level, load
from wireflight_conformance.embedded.fixture import fixture_app, quick_limits
from wireflight_conformance.embedded.server import serve
from wireflight_conformance.engine import Budget, ExitCode, run_cases
from wireflight_conformance.modes.server import discover
from wireflight_conformance.mutants import Mutant, load_mutants

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from wireflight_conformance.cases import Case
    from wireflight_conformance.driver import Settings
    from wireflight_conformance.verdicts import CaseResult
    from wireflight_conformance.wire.connection import Target

__all__ = ["Trial", "run_selftest"]

_REQUEST_SECONDS: Final = 3.0
_TRIAL_SECONDS: Final = 30.0
SHOULD_SHARE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one mutant."""

    mutant: str
    clause: str | None
    about: str
    level: str
    killed_by: tuple[str, ...]
    seconds: float
    cases: int

    @property
    def is_right(self) -> bool:
        """Whether a mutant was killed, or a control was not."""
        return bool(self.killed_by) == (self.clause is not None)


def run_cases_against(
    target: Target, cases: Sequence[Case], only: Sequence[str]
) -> list[CaseResult]:
    """Run cases without a reporter, and return their results."""
    settings: Settings = discover(target, _REQUEST_SECONDS)
    budget = Budget(run_seconds=_TRIAL_SECONDS, fast_workers=2)
    return list(run_cases(cases, settings, load(), (), budget=budget, only=only).results)


def run_baseline() -> list[str]:
    """Return the cases that are red against the reference as it is."""
    with serve(fixture_app(limits=quick_limits())) as target:
        results = run_cases_against(target, list(load_cases().values()), ())
    return [result.case for result in results if result.findings or result.verdict.is_red]


def run_trial(name: str, red: Sequence[str]) -> Trial:
    """Serve one mutant, run the cases of its clause, and say what killed it.

    A control has to survive every case that waits for nothing.
    """
    mutant = load_mutants()[name]
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        if mutant.patch is not None:
            stack.enter_context(mutant.patch())
        app = fixture_app(limits=quick_limits())
        target = stack.enter_context(serve(mutant.wrap(app) if mutant.wrap else app))
        killers, count = _kill(mutant, target, red)
    level = load()[mutant.clause].level.value if mutant.clause else "control"
    seconds = time.monotonic() - started
    return Trial(name, mutant.clause, mutant.about, level, tuple(killers), seconds, count)


def _kill(mutant: Mutant, target: Target, red: Sequence[str]) -> tuple[list[str], int]:
    if mutant.clause is None:
        cases = select(load_cases().values(), (), "smoke")
        results = run_cases_against(target, cases, ())
        return [r.case for r in results if r.verdict.is_red and r.case not in red], len(cases)
    cases = cases_of(mutant.clause)
    killers: list[str] = []
    # those that wait are asked only where the others have not answered
    for part in ([c for c in cases if not c.is_slow], [c for c in cases if c.is_slow]):
        if part and not killers:
            results = run_cases_against(target, part, (mutant.clause,))
            killers = [r.case for r in _with_findings(results, mutant.clause) if r.case not in red]
    return killers, len(cases)


def _with_findings(results: Iterable[CaseResult], clause: str) -> list[CaseResult]:
    return [r for r in results if any(finding.clause == clause for finding in r.findings)]


def run_selftest(
    *,
    only: Sequence[str],
    processes: int,
    json_path: Path | None,
    stream: TextIO,
    colour: bool,
) -> int:
    """Try every mutant and write the kill matrix.

    Args:
        only: Clauses or beginnings of names; all if empty.
        processes: How many servers run at a time.
        json_path: Where the matrix goes as JSON.
        stream: Where the table goes.
        colour: Whether it has colours.
    """
    chosen = [m for m in load_mutants().values() if _is_wanted(m, only)]
    if not chosen:
        stream.write("no mutant of that name, and none of that clause\n")
        return ExitCode.NOTHING_RAN
    started = time.monotonic()
    red = run_baseline()
    trials: list[Trial] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, processes), mp_context=context) as pool:
        waiting = [pool.submit(run_trial, item.name, red) for item in chosen]
        for future in waiting:
            trial = future.result()
            trials.append(trial)
            if not trial.is_right:
                _write_wrong(trial, stream, colour)
    seconds = time.monotonic() - started
    untried = _untried(trials) if not only else []
    if json_path is not None:
        document = {
            "version": 1,
            "seconds": round(seconds, 2),
            "red_without_mutant": red,
            "clauses_without_mutant": untried,
            "trials": [asdict(trial) for trial in trials],
        }
        json_path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return _summary(trials, red, untried, seconds, stream)


def _is_wanted(mutant: Mutant, only: Sequence[str]) -> bool:
    return not only or any(n == mutant.clause or mutant.name.startswith(n) for n in only)


def _untried(trials: Sequence[Trial]) -> list[str]:
    """Return the MUSTs that a case of a server cites and that no mutant breaks."""
    cited = {clause for case in load_cases().values() for clause in case.clauses}
    tried = {trial.clause for trial in trials}
    return [n for n, c in load().items() if c.level is Level.MUST and n in cited - tried]


def _write_wrong(trial: Trial, stream: TextIO, colour: bool) -> None:
    word = "killed control" if trial.clause is None else f"survived {trial.clause}"
    shown = f"\x1b[31m{word}\x1b[0m" if colour else word
    by = f" by {', '.join(trial.killed_by[:3])}" if trial.killed_by else f" {trial.cases} cases"
    stream.write(f"{shown} {trial.mutant}{by}: {trial.about}\n")


def _summary(
    trials: Sequence[Trial],
    red: Sequence[str],
    untried: Sequence[str],
    seconds: float,
    stream: TextIO,
) -> int:
    is_good = not red
    for level, share in (("MUST", 1.0), ("SHOULD", SHOULD_SHARE), ("control", 1.0)):
        group = [trial for trial in trials if trial.level == level]
        right = sum(trial.is_right for trial in group)
        word = "survived" if level == "control" else "killed"
        stream.write(f"{level}: {right} of {len(group)} {word}\n")
        is_good = is_good and right >= share * len(group)
    if red:
        stream.write(f"red without any mutant: {', '.join(red)}\n")
    if untried:
        stream.write(f"without a mutant: {', '.join(untried)}\n")
    stream.write(f"{len(trials)} trials in {seconds:.1f} s\n")
    return ExitCode.CONFORMANT if is_good else ExitCode.VIOLATION
