"""Verdicts, budgets and coverage, over scripted targets."""

import time
from collections.abc import Callable

import pytest
from scripted import FIELDS, NONE, answer, drip, hang, response, scripted

from wireflight_conformance.cases import Case
from wireflight_conformance.clauses import load
from wireflight_conformance.driver import (
    NotTestableError,
    Server,
    Settings,
    UnsupportedError,
)
from wireflight_conformance.engine import Budget, ExitCode, Outcome, run_cases
from wireflight_conformance.events import Event, RunFinished, RunStopped
from wireflight_conformance.verdicts import Verdict
from wireflight_conformance.wire.connection import Target

Run = Callable[[Server], None]


class Recorder:
    """Keeps every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def handle(self, event: Event) -> None:
        self.events.append(event)


def run(target: Target, *functions: Run, strict: bool = False, **budget: float) -> Outcome:
    cases = [
        Case(f"t.c{number}", "It holds.", ("HTTP-2", "FUN-7"), function)
        for number, function in enumerate(functions)
    ]
    settings = Settings(target, request_timeout=0.3, case_timeout=1.0)
    recorder = Recorder()
    limits = Budget(run_seconds=budget.get("run_seconds", 20.0))
    outcome = run_cases(cases, settings, load(), [recorder], strict=strict, budget=limits)
    assert isinstance(recorder.events[-1], RunFinished)
    assert recorder.events[-1].exit_code == outcome.exit_code
    return outcome


def ask(server: Server) -> None:
    server.expect_value("HTTP-2", server.query("fx/none"), "none")


def must(server: Server) -> None:
    server.check("HTTP-2", False, "this", "that")


def should(server: Server) -> None:
    server.check("FUN-7", False, "this", "that")


def nothing(server: Server) -> None:
    """Check nothing."""


def broken(server: Server) -> None:
    raise KeyError("a fault of the case")


def after_a_finding(server: Server) -> None:
    must(server)
    raise KeyError("tripped over the answer")


def not_testable(server: Server) -> None:
    raise NotTestableError("no way to see it")


def unsupported(server: Server) -> None:
    raise UnsupportedError("declared")


@pytest.mark.parametrize(
    ("function", "verdict", "code"),
    [
        (ask, Verdict.PASS, ExitCode.CONFORMANT),
        (must, Verdict.FAIL, ExitCode.VIOLATION),
        (should, Verdict.WARN, ExitCode.CONFORMANT),
        (nothing, Verdict.HARNESS_ERROR, ExitCode.SUITE_ERROR),
        (broken, Verdict.HARNESS_ERROR, ExitCode.SUITE_ERROR),
        (after_a_finding, Verdict.FAIL, ExitCode.VIOLATION),
        (not_testable, Verdict.NOT_TESTABLE, ExitCode.NOTHING_RAN),
        (unsupported, Verdict.UNSUPPORTED, ExitCode.NOTHING_RAN),
    ],
)
def test_engine_gives_each_case_its_verdict(function: Run, verdict: Verdict, code: int) -> None:
    """The truth table of the engine, line by line."""
    with scripted(answer(NONE)) as target:
        outcome = run(target, function)
    assert outcome.results[0].verdict is verdict
    assert outcome.exit_code == code


def test_engine_fails_a_warning_when_strict() -> None:
    """`--strict` turns a SHOULD into a failure."""
    with scripted(answer(NONE)) as target:
        outcome = run(target, should, strict=True)
    assert outcome.results[0].verdict is Verdict.FAIL
    assert outcome.exit_code == ExitCode.VIOLATION


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        (hang, Verdict.TIMEOUT),
        (drip, Verdict.TIMEOUT),
        (answer(b"garbage\r\n\r\n"), Verdict.FAIL),
        (answer(b""), Verdict.FAIL),
        (answer(NONE[:-3]), Verdict.FAIL),
    ],
)
def test_engine_survives_a_target_that_misbehaves(script, verdict: Verdict) -> None:
    """A hang, a drip, garbage and a crash each become a verdict with its trace, in time."""
    with scripted(script) as target:
        began = time.monotonic()
        outcome = run(target, ask)
    assert time.monotonic() - began < 3
    assert outcome.results[0].verdict is verdict
    assert outcome.results[0].findings[0].trace is not None
    assert outcome.exit_code == ExitCode.VIOLATION


def test_engine_stops_when_the_target_is_gone() -> None:
    """A target that never answers ends the run; what was not run is red, and not passed over."""
    with scripted(hang) as target:
        outcome = run(target, *[ask] * 60)
    assert len(outcome.results) == 60
    assert {result.verdict for result in outcome.results} == {Verdict.TIMEOUT}
    assert sum(result.note.startswith("not run") for result in outcome.results) > 30


def test_engine_ends_with_its_run_budget() -> None:
    """A run that takes too long is stopped, and says so."""

    def slow(server: Server) -> None:
        time.sleep(0.2)
        ask(server)

    with scripted(answer(NONE)) as target:
        cases = [Case(f"t.c{n}", "x", ("HTTP-2",), slow) for n in range(40)]
        recorder = Recorder()
        settings = Settings(target)
        outcome = run_cases(
            cases, settings, load(), [recorder], budget=Budget(run_seconds=0.5, fast_workers=1)
        )
    assert any(isinstance(event, RunStopped) for event in recorder.events)
    assert outcome.exit_code == ExitCode.VIOLATION


def test_engine_runs_nothing_without_cases() -> None:
    """No case is not conformant."""
    with scripted(answer(NONE)) as target:
        assert run(target).exit_code == ExitCode.NOTHING_RAN


def test_engine_counts_coverage_by_what_ran() -> None:
    """A clause that is cited and not checked is uncovered."""
    with scripted(answer(NONE)) as target:
        recorder = Recorder()
        case = Case("t.c", "x", ("HTTP-2", "FUN-7"), ask)
        run_cases([case], Settings(target), load(), [recorder])
    finished = recorder.events[-1]
    assert isinstance(finished, RunFinished)
    assert finished.coverage["HTTP-2"] == 1
    assert list(finished.uncovered) == ["FUN-7"]


def test_engine_measures_every_response_by_the_clauses_for_all() -> None:
    """A missing field is one finding of its clause, however many responses lack it."""
    fields = FIELDS.replace(b"Wireflight-Version: 1\r\n", b"")
    body = NONE.partition(b"\r\n\r\n")[2]
    with scripted(answer(response(body, fields=fields))) as target:
        outcome = run(target, ask, ask, ask)
    found = {result.case: result for result in outcome.results}
    assert found["universal.VER-1"].verdict is Verdict.FAIL
    assert len(found["universal.VER-1"].findings) == 1
    assert found["universal.SEC-4"].verdict is Verdict.PASS
    # three responses with one stamp
    assert found["universal.ORD-1"].verdict is Verdict.FAIL
