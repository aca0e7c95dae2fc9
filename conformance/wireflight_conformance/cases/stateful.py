"""Runs of many calls: the order of values, single flight, and the server's own keys.

What a run is made of is drawn from the seed. Hypothesis is imported only when a case draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireflight_conformance.driver import NotTestableError, Server
from wireflight_conformance.machines.scenarios import SCENARIOS
from wireflight_conformance.verdicts import Finding

from . import Row, case

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight_conformance.machines.play import Call, ViolationError

_QUICK_ORDER: Final = 75
_FULL_ORDER: Final = 250


def _parts(count: int, name: str) -> list[Row]:
    return [Row.of(f"{name} {part}", part) for part in range(1, count + 1)]


def _report(server: Server, violation: ViolationError, note: str = "") -> None:
    server.checks[violation.clause] = server.checks.get(violation.clause, 0) + 1
    expected = f"{violation.expected}{note}"
    server.findings.append(Finding(violation.clause, expected, violation.got, violation.trace))


# -- the order of values -----------------------------------------------------------------------


def _order(server: Server, part: int, count: int) -> None:
    from wireflight_conformance.machines.order import interleave

    seed = server.settings.seed
    done = interleave(server, [server], count=count, seed=seed, first=part * count)
    if not done.count:
        raise NotTestableError("handlers are held for so long here that limits of time end them")


@case(
    "ORD-3",
    "ORD-2",
    "ORD-4",
    "UPD-3",
    title="However commands and queries overlap, no stale value passes for fresh ({row}).",
    rows=_parts(2, "part"),
    profile="quick",
)
def order(server: Server, part: int) -> None:
    _order(server, part, _QUICK_ORDER)


@case(
    "ORD-3",
    "ORD-2",
    "ORD-4",
    "UPD-3",
    title="However commands and queries overlap, no stale value passes for fresh ({row}).",
    rows=_parts(8, "part"),
    profile="full",
)
def order_at_length(server: Server, part: int) -> None:
    _order(server, 1000 + part, _FULL_ORDER)


# -- single flight -----------------------------------------------------------------------------


def scenario(server: Server, calls: Sequence[Call]) -> None:
    """Make the calls of a written example."""
    from wireflight_conformance.machines.counterexamples import replay

    violation = replay(server, calls)
    if violation is not None:
        _report(server, violation)


for _number, (_name, (_clauses, _calls)) in enumerate(SCENARIOS.items()):
    case(
        *_clauses,
        title="Every answer and all state are what the model says: {row}.",
        rows=[Row.of(_name, _calls)],
        profile="smoke" if _number < 4 else "quick",
    )(scenario)


def _single_flight(server: Server, profile: str, part: int) -> None:
    from wireflight_conformance.machines import profiles
    from wireflight_conformance.machines.counterexamples import keep
    from wireflight_conformance.machines.single_flight import search

    profiles.keep_out_of_working_directory()
    seed = 1000 * server.settings.seed + part
    for found in search(server, profile=profile, seed=seed).found.values():
        path = keep(profiles.storage() / "counterexamples", found.violation, found.calls)
        again = f"python -m wireflight_conformance.machines {path} {server.settings.target.url}"
        _report(server, found.violation, f" (after {len(found.calls)} calls; replay: {again})")


_SINGLE_FLIGHT: Final = (
    *("UPD-2", "UPD-3", "UPD-4", "UPD-5", "UPD-9", "UPD-18"),
    *("REQ-1", "REQ-2", "REQ-3", "ENV-8", "ENV-9", "FUN-2", "HTTP-2"),
)


@case(
    *_SINGLE_FLIGHT,
    title="Whatever commands do and clients request, each answer is what the model says ({row}).",
    rows=_parts(1, "part"),
    profile="quick",
)
def single_flight(server: Server, part: int) -> None:
    _single_flight(server, "quick", part)


@case(
    *_SINGLE_FLIGHT,
    title="Whatever commands do and clients request, each answer is what the model says ({row}).",
    rows=_parts(6, "part"),
    profile="full",
)
def single_flight_at_length(server: Server, part: int) -> None:
    _single_flight(server, "full", 100 + part)


# -- keys --------------------------------------------------------------------------------------


@case(
    "KEY-7",
    title="A server names what its own code refreshes by the same key as any client.",
    profile="quick",
)
def keys_of_servers(server: Server) -> None:
    from wireflight_conformance.machines import profiles
    from wireflight_conformance.machines.keys import search_keys

    profiles.keep_out_of_working_directory()
    seed = server.settings.seed
    for found in search_keys(server, profile=server.settings.profile, seed=seed).found.values():
        _report(server, found.violation)
