"""The machines against the reference as it is, and with faults seeded into it."""

from __future__ import annotations

import base64
import contextlib
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from wireflight import dumps, messages
from wireflight.functions.updates import SetValue
from wireflight_conformance.driver import CheckFailedError, Server, Settings
from wireflight_conformance.embedded.fixture import fixture_app, quick_limits
from wireflight_conformance.embedded.server import serve
from wireflight_conformance.embedded.state import Runs
from wireflight_conformance.engine import Collector, ExitCode
from wireflight_conformance.machines import profiles, searching
from wireflight_conformance.machines.__main__ import main
from wireflight_conformance.machines.counterexamples import (
    CounterexampleError,
    keep,
    read,
    replay,
)
from wireflight_conformance.machines.keys import search_keys
from wireflight_conformance.machines.order import interleave
from wireflight_conformance.machines.scenarios import SCENARIOS
from wireflight_conformance.machines.single_flight import search
from wireflight_conformance.mutants import load_mutants
from wireflight_conformance.mutants.changing import changed
from wireflight_conformance.wire.connection import Clock, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wireflight.asgi import Receive, Scope, Send
    from wireflight.exchange.phase import RefreshPhase
    from wireflight.exchange.stamps import Stamps
    from wireflight_conformance.mutants.changing import Original
    from wireflight_conformance.wire.connection import Target

FEW = 40
LIMITS = {"handler_ms": 1500, "refresh_phase_ms": 800}


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep crashes that are asked for out of the output, and shrink but shortly."""
    logger = logging.getLogger("wireflight")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    profiles.keep_out_of_working_directory()
    monkeypatch.setattr(searching, "_SHRINK_SECONDS", 0.5)
    yield
    logger.setLevel(level)


def connect(target: Target) -> Server:
    return Server(Settings(target, limits=LIMITS), Collector(), Clock.after(50))


@contextlib.contextmanager
def reference() -> Iterator[Server]:
    with serve(fixture_app(limits=quick_limits())) as target:
        yield connect(target)


@contextlib.contextmanager
def with_fault(name: str) -> Iterator[Server]:
    """Serve the reference with a seeded fault, named without its file."""
    (mutant,) = (m for m in load_mutants().values() if m.name.partition(".")[2] == name)
    with mutant.patch() if mutant.patch else contextlib.nullcontext():
        app = fixture_app(limits=quick_limits())
        with serve(mutant.wrap(app) if mutant.wrap else app) as target:
            yield connect(target)


def broken_by(server: Server) -> set[str]:
    """Return the clauses that forced interleavings find broken."""
    with contextlib.suppress(CheckFailedError):
        interleave(server, [server], count=FEW, seed=0)
    return {finding.clause for finding in server.findings}


def test_interleavings_find_nothing_in_the_reference() -> None:
    """All checks hold, and enough of what the order of values is about has happened."""
    with reference() as server:
        done = interleave(server, [server], count=100, seed=1)
    assert server.findings == []
    assert done.count + done.too_slow == 100
    assert done.count > 50
    assert min(done.deliveries, done.stale, done.refetched) > 20
    assert set(server.checks) >= {"ORD-2", "ORD-3", "ORD-4", "UPD-3"}


def test_interleavings_find_nothing_in_two_processes_with_one_store() -> None:
    """Stamps of two processes are ordered by cause alone, and no page is stale for that."""
    runs = Runs()
    apps = {base: fixture_app(limits=quick_limits(), runs=runs) for base in ("/one", "/two")}

    async def by_path(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", "/one"))
        raw = bytes(scope.get("raw_path", b""))
        below = {**scope, "path": path[4:], "raw_path": raw[4:]}
        await apps[path[:4]](below, receive, send)

    with serve(by_path) as target:
        processes = [connect(replace(target, base=base)) for base in apps]
        names = {server.query("fx/none").at[:12] for server in processes}
        done = interleave(processes[0], processes, count=60, seed=2)
    assert len(names) == 2
    assert processes[0].findings == []
    assert done.count > 30
    assert done.stale > 10


@pytest.mark.parametrize(
    ("name", "clause"),
    [("queries_afterwards", "ORD-2"), ("eager_refreshes", "UPD-3")],
)
def test_interleavings_find_seeded_faults(name: str, clause: str) -> None:
    """A mutant of the reference is found by the clause that it breaks."""
    with with_fault(name) as server:
        assert clause in broken_by(server)


@contextlib.contextmanager
def sets_stamped_when_called() -> Iterator[None]:
    """Stamp what a handler sets when it sets it, and not when it has returned."""
    made: list[Stamps] = []
    early: dict[int, tuple[str, SetValue]] = {}

    def remembering(original: Original) -> Original:
        def start(stamps: Stamps, process: str) -> None:
            original(stamps, process)
            made.append(stamps)

        return start

    def stamping(original: Original) -> Original:
        def add(updates: object, instruction: object) -> None:
            if isinstance(instruction, SetValue):
                early[id(instruction)] = (made[-1].take(), instruction)
            original(updates, instruction)

        return add

    def recording(original: Original) -> Original:
        def record(phase: RefreshPhase, update: messages.Update) -> None:
            given = phase._plan.by_key.get(update.key)
            if isinstance(update, messages.SetValue) and update.since and id(given) in early:
                update = structs.replace(update, at=early[id(given)][0])
            original(phase, update)

        return record

    with (
        changed("wireflight.exchange.stamps.Stamps.__init__", remembering),
        changed("wireflight.functions.updates.Updates.add", stamping),
        changed("wireflight.exchange.phase.RefreshPhase.record", recording),
    ):
        yield


def test_interleavings_find_sets_stamped_when_they_are_called() -> None:
    """A `set` whose stamp is of the time of its call leaves stale pages, and is found."""
    with sets_stamped_when_called(), reference() as server:
        assert "ORD-3" in broken_by(server)
    stale = [f for f in server.findings if "the client's own effect" in f.expected]
    assert stale, "found by its stamps alone, and by no stale page"


def test_interleavings_find_sets_without_from() -> None:
    """A `set` without `from` is found."""

    def bare(original: Original) -> Original:
        def record(phase: RefreshPhase, update: messages.Update) -> None:
            if isinstance(update, messages.SetValue):
                update = structs.replace(update, since=None)
            original(phase, update)

        return record

    path = "wireflight.exchange.phase.RefreshPhase.record"
    with changed(path, bare), reference() as server:
        assert "ORD-3" in broken_by(server)


def test_single_flight_finds_nothing_in_the_reference() -> None:
    """Every drawn call is answered as the model says."""
    with reference() as server:
        done = search(server, profile="quick", seed=3)
    assert done.found == {}
    assert done.examples >= 40
    assert done.calls > 200
    assert done.too_slow < 5


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("reads_are_sent", "UPD-2"),
        ("forgets_set", "UPD-4"),
        ("function_over_keys", "UPD-4"),
        ("seven_rounds", "UPD-5"),
        ("unencodable_value_left_out", "UPD-8"),
        ("errors_with_values", "UPD-9"),
        ("instructions_in_queries", "UPD-18"),
        ("commands_unknown", "REQ-3"),
        ("one_more", "REQ-4"),
    ],
)
def test_single_flight_finds_seeded_faults(name: str, clause: str) -> None:
    """A mutant is found by its clause, each clause is reported once, and the calls show it."""
    with with_fault(name) as server:
        found = search(server, profile="full", seed=0).found
        assert clause in found
        for number, (broken, counterexample) in enumerate(found.items()):
            again = replay(server, counterexample.calls, run=f"{server.run}-again-{number}")
            assert again is not None
            assert again.clause == broken


def test_single_flight_ends_where_the_time_of_its_case_does() -> None:
    """A search that is stopped is no failure, and one whose server is gone says so."""
    with reference() as server:
        hurried = Server(
            Settings(server.settings.target, limits=LIMITS), Collector(), Clock.after(3.0)
        )
        done = search(hurried, profile="full", seed=0)
    assert done.found == {}
    assert done.is_stopped
    with pytest.raises(UnreachableError):
        search(server, profile="quick", seed=0)


def test_counterexample_replays_from_its_file(tmp_path: Path) -> None:
    """What was kept shows the fault again, without Hypothesis, and not where there is none."""
    with with_fault("first_instruction_wins") as server:
        found = search(server, profile="full", seed=0).found
        first = next(iter(found.values()))
        path = keep(tmp_path, first.violation, first.calls)
        again = replay(server, read(path), run=f"{server.run}-file")
        assert again is not None
        assert again.clause == first.violation.clause
        assert main([str(path), server.settings.target.url]) == ExitCode.VIOLATION
    with reference() as server:
        assert replay(server, read(path)) is None
        assert main([str(path), server.settings.target.url]) == ExitCode.CONFORMANT
    assert main([str(path), server.settings.target.url]) == ExitCode.NOTHING_RAN
    assert main([str(path)]) == main(["/none.json", "http://localhost"]) == ExitCode.USAGE


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 2, "calls": []}', '{"version": 1, "calls": [{"call": 1}]}']
)
def test_counterexample_rejects_other_files(text: str, tmp_path: Path) -> None:
    """A file of another form is refused before anything is sent."""
    path = tmp_path / "other.json"
    path.write_text(text, "utf-8")
    with pytest.raises(CounterexampleError):
        read(path)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_is_answered_by_the_reference_as_the_model_says(name: str) -> None:
    """The written examples hold, and each checks a clause that it cites."""
    clauses, calls = SCENARIOS[name]
    with reference() as server:
        assert replay(server, calls) is None
    assert set(clauses) & set(server.checks)


def test_keys_of_the_reference_are_ours() -> None:
    """A server's own keys are those of any client, for hundreds of arguments."""
    with reference() as server:
        done = search_keys(server, profile="quick", seed=0)
    assert done.found == {}
    assert server.checks["KEY-7"] > 200


def test_keys_that_are_made_otherwise_are_found() -> None:
    """A server that names what its code refreshes by another order of members is found."""

    def as_written(original: Original) -> Original:
        def made(argument: object, **options: object) -> str:
            if isinstance(argument, dict):
                return base64.urlsafe_b64encode(dumps(argument).encode()).decode().rstrip("=")
            return str(original(argument, **options))

        return made

    with changed("wireflight.functions.registry.payload", as_written), reference() as server:
        assert "KEY-7" in search_keys(server, profile="quick", seed=0).found
