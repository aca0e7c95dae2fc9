"""The server mode: drives a server at a URL.

If it mounts the fixture functions of section 20, every case is run; if not, those that need no
function of the server's, and the others are counted as not testable.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wireflight_conformance.clauses import load
from wireflight_conformance.driver import Server, Settings
from wireflight_conformance.engine import Budget, Collector, Outcome, run_cases
from wireflight_conformance.tables import limits
from wireflight_conformance.wire.connection import Clock, Target, WireError
from wireflight_conformance.wire.reply import Reply, pick
from wireflight_conformance.wire.values import Value, same, show

if TYPE_CHECKING:
    from wireflight_conformance.cases import Case
    from wireflight_conformance.events import Reporter

__all__ = [
    "FIXTURES",
    "Finding",
    "NoTargetError",
    "ServerRun",
    "diagnose",
    "discover",
    "run_server",
]

FIXTURES: Mapping[str, str] = {
    "fx/echo": "query",
    "fx/none": "query",
    "fx/pair": "query",
    "fx/typed": "query",
    "fx/cell": "query",
    "fx/calls": "query",
    "fx/whoami": "query",
    "fx/seen": "query",
    "fx/money": "query",
    "fx/act": "query",
    "fx/run": "command",
}
_SHORT_MS: Mapping[str, int] = {
    "handler_ms": 2000,
    "body_idle_ms": 2000,
    "refresh_phase_ms": 1000,
    "body_total_ms": 3000,
}


class NoTargetError(Exception):
    """There is nothing that the suite could drive."""


@dataclass(frozen=True, slots=True)
class ServerRun:
    """What the user asked for."""

    target: Target
    cases: Sequence[Case]
    profile: str = "quick"
    seed: int = 0
    strict: bool = False
    request_timeout: float = 5.0
    only: Sequence[str] = ()
    budget: Budget = field(default_factory=Budget)


def discover(target: Target, timeout: float) -> Settings:
    """Ask the target for its manifest, and return the settings with its limits.

    Whether it mounts the fixture functions is seen by calling one, because a manifest need not
    list functions.

    Raises:
        NoTargetError: It cannot be reached, or does not answer in HTTP.
    """
    settings = Settings(target, request_timeout=timeout)
    server = Server(settings, Collector(), Clock.after(2 * timeout))
    try:
        manifest = server.send(server.request("GET", "/~manifest"))
        probe = server.query("fx/none")
    except WireError as error:
        raise NoTargetError(
            f"{target.url} cannot be driven: {error} (asked for its manifest and fx/none)"
        ) from error
    return Settings(
        target,
        request_timeout=timeout,
        limits=_numbers(manifest),
        has_fixture=same(probe.value, "none"),
    )


def _numbers(manifest: Reply) -> dict[str, int]:
    shown = pick(manifest.document, "limits")
    if not isinstance(shown, Mapping):
        return {}
    return {name: value for name, value in shown.items() if isinstance(value, int)}


def run_server(run: ServerRun, reporters: Sequence[Reporter]) -> Outcome:
    """Run the cases against the target.

    Raises:
        NoTargetError: It cannot be driven.
    """
    found = discover(run.target, run.request_timeout)
    settings = Settings(
        run.target,
        request_timeout=run.request_timeout,
        case_timeout=4 * run.request_timeout,
        profile=run.profile,
        seed=run.seed,
        limits=found.limits,
        has_fixture=found.has_fixture,
    )
    return run_cases(
        run.cases,
        settings,
        load(),
        reporters,
        strict=run.strict,
        budget=run.budget,
        only=run.only,
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the doctor looked at."""

    name: str
    is_well: bool
    detail: str


def diagnose(target: Target, timeout: float) -> Iterator[Finding]:
    """Yield what a target needs for the fixture profile, one thing after the other.

    Ends after the first that cannot be reached at all.
    """
    server = Server(
        Settings(target, request_timeout=timeout), Collector(), Clock.after(20 * timeout)
    )
    try:
        manifest = server.send(server.request("GET", "/~manifest"))
    except WireError as error:
        yield Finding("reach", False, str(error))
        return
    try:
        yield from _examine(server, manifest)
    except WireError as error:
        yield Finding("answers", False, f"the target stopped answering: {error}")


def _examine(server: Server, manifest: Reply) -> Iterator[Finding]:
    target = server.settings.target
    is_manifest = pick(manifest.document, "type") == "manifest"
    told = "it has its members" if is_manifest else f"GET {target.url}/~manifest: {manifest}"
    yield Finding("manifest", is_manifest, told)
    probe = server.query("fx/none")
    if not same(probe.value, "none"):
        yield Finding(
            "fixture functions",
            False,
            f"fx/none answered {probe}; the functions of section 20 are not mounted below "
            f"{target.url}, so that `server` runs only what needs none",
        )
        return
    numbers = _numbers(manifest)
    missing = sorted(set(limits()) - set(numbers))
    yield Finding("limits", not missing, f"not shown: {', '.join(missing) or 'none'}")
    for name, most in _SHORT_MS.items():
        yield Finding(
            name, numbers.get(name, most + 1) <= most, f"{numbers.get(name)} of at most {most}"
        )
    yield from _kinds(pick(manifest.document, "functions"))
    yield from _calls(server)


def _kinds(functions: Value) -> Iterator[Finding]:
    listed = functions if isinstance(functions, Sequence) else []
    kinds = {pick(entry, "id"): pick(entry, "kind") for entry in listed}
    for name, kind in FIXTURES.items():
        yield Finding(name, kinds.get(name) == kind, f"in the manifest: {kinds.get(name)}")


def _calls(server: Server) -> Iterator[Finding]:
    yield _answered("echo answers", server.query("fx/echo", {"a": [1, None]}), {"a": [1, None]})
    added = server.command([{"do": "add", "cell": "a", "by": 2}, {"do": "return", "value": "x"}])
    yield _answered("run does its steps", added, "x")
    yield _answered("cell keeps state", server.query("fx/cell", server.cell_argument()), 2)
    counted: Value = {"fx/cell": 1, "fx/act": 0, "fx/run": 1}
    yield _answered("calls counts", server.query("fx/calls", {"run": server.run}), counted)


def _answered(name: str, reply: Reply, value: Value) -> Finding:
    is_well = same(reply.value, value)
    return Finding(
        name, is_well, show(value) if is_well else f"{show(value)} expected, got {reply}"
    )
