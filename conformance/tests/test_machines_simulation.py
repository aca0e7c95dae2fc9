"""The order of values, tried out in memory: the rule holds, and each part of it is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from wireflight_conformance.machines.cache import ClientCache, Held, Order, Request
from wireflight_conformance.machines.simulation import RULE, Rule, explore
from wireflight_conformance.wire.values import Value

FEW = 2_000
Updates = Sequence[Mapping[str, Value]]


@pytest.mark.parametrize("part", range(4))
def test_rule_leaves_no_stale_page_unmarked(part: int) -> None:
    """In 100,000 interleavings every unmarked key shows its client's own effects."""
    tally = explore(RULE, interleavings=25_000, first=part * 25_000)
    assert tally.interleavings == 25_000
    assert tally.deliveries > 100_000
    assert tally.violations == 0, tally.first


@pytest.mark.parametrize(
    "fault",
    [
        "set_stamped_when_called",
        "set_without_from",
        "query_stamped_after_reading",
        "refresh_stamped_before_handler",
        "refreshed_before_commit",
        "stamped_by_clocks",
        "one_name_for_all_processes",
    ],
)
def test_rule_breaks_with_every_fault_of_a_server(fault: str) -> None:
    """A server that stamps otherwise leaves stale pages unmarked, and few tries show it."""
    tally = explore(replace(RULE, **{fault: True}), interleavings=FEW)
    assert tally.violations > 10
    assert tally.first is not None


class MarksHeldKeysOnly(ClientCache):
    """Forgets a mark if nothing is held yet."""

    def receive_updates(self, request: Request, updates: Updates) -> None:
        kept = [u for u in updates if u.get("op") == "set" or str(u.get("key")) in self._held]
        super().receive_updates(request, kept)


class ClearsWithAnyValue(ClientCache):
    """Clears a mark with a value that was asked for before it."""

    def _take(self, request: Request, key: str, value: Held, prior_mark: int) -> None:
        super()._take(request, key, value, 0)


class KeepsUnknownUnmarked(ClientCache):
    """Shows an outcome of unknown order as fresh."""

    def _take(self, request: Request, key: str, value: Held, prior_mark: int) -> None:
        self._held.pop(key, None)
        super()._take(request, key, value, prior_mark)


class DropsUnknown(ClientCache):
    """Drops an outcome of unknown order as if it were older."""

    def _take(self, request: Request, key: str, value: Held, prior_mark: int) -> None:
        query = Request(request.sent, request.key)
        super()._take(query if key in self._held else request, key, value, prior_mark)


class IgnoresLateUpdates(ClientCache):
    """Lets the updates of a request from before a reset do nothing at all."""

    def _apply(self, request: Request, updates: Updates) -> None:
        if request.sent >= self._reset_at:
            super()._apply(request, updates)


class ResetForgetsOrder(ClientCache):
    """Takes every value of a reset's envelope as fresh."""

    def _reset(self) -> None:
        super()._reset()
        self._dropped = {}


class ForgetsSilently(ClientCache):
    """Drops a value to make room and does not mark its key."""

    def forget(self, key: str) -> None:
        self._held.pop(key, None)


@pytest.mark.parametrize(
    "cache",
    [
        MarksHeldKeysOnly,
        ClearsWithAnyValue,
        KeepsUnknownUnmarked,
        DropsUnknown,
        IgnoresLateUpdates,
        ResetForgetsOrder,
        ForgetsSilently,
    ],
)
def test_rule_breaks_with_every_fault_of_a_client(cache: type[ClientCache]) -> None:
    """A client that leaves out one of the steps shows stale pages as fresh."""
    assert explore(Rule(cache=cache), interleavings=2 * FEW).violations > 0


def test_rule_is_explored_the_same_with_the_same_seed() -> None:
    """A seed and a number name one interleaving."""
    whole = explore(RULE, interleavings=50, seed=7)
    halves = [explore(RULE, interleavings=25, seed=7, first=first) for first in (0, 25)]
    assert whole.steps == sum(half.steps for half in halves)
    assert whole.steps != explore(RULE, interleavings=50, seed=8).steps


def test_rule_needs_all_three_orders() -> None:
    """The interleavings reach each answer of ORD-5."""
    met: set[Order] = set()

    class Watching(ClientCache):
        def _take(self, request: Request, key: str, value: Held, prior_mark: int) -> None:
            held = self._held.get(key)
            if held is not None:
                from wireflight_conformance.machines.cache import find_order

                met.add(find_order(value, held, request.sent))
            super()._take(request, key, value, prior_mark)

    explore(Rule(cache=Watching), interleavings=100)
    assert met == set(Order)
