"""The client's cache that judges servers, step by step."""

from __future__ import annotations

import pytest

from wireflight_conformance.machines.cache import ClientCache, Held, Order, find_order
from wireflight_conformance.wire.values import UNDEFINED, Value

KEY = "fx/cell/W10"


def stamp(count: int, process: str = "a") -> str:
    return f"{process * 12}.{count:016x}"


def outcome(value: Value, at: int, began: int | None = None, key: str = KEY) -> dict[str, Value]:
    update: dict[str, Value] = {"op": "set", "key": key, "value": value, "at": stamp(at)}
    return update if began is None else update | {"from": stamp(began)}


def shown(cache: ClientCache, key: str = KEY) -> tuple[Value, bool]:
    held = cache.held(key)
    return (UNDEFINED if held is None else held.value, cache.is_stale(key))


@pytest.mark.parametrize(
    ("value", "sent", "order"),
    [
        (Held("v", stamp(1), stamp(1), 9), 6, Order.NEWER),
        (Held("v", stamp(7), stamp(6), 9), 1, Order.NEWER),
        (Held("v", stamp(7), stamp(5), 9), 1, Order.UNKNOWN),
        (Held("v", stamp(2), stamp(2), 9), 1, Order.OLDER),
        (Held("v", stamp(3), stamp(3), 9), 1, Order.UNKNOWN),
        (Held("v", stamp(7, "b"), stamp(7, "b"), 9), 1, Order.UNKNOWN),
        (Held("v", stamp(1, "b"), stamp(1, "b"), 9), 6, Order.NEWER),
    ],
)
def test_cache_orders_values_by_cause_then_by_interval(
    value: Held, sent: int, order: Order
) -> None:
    """A value is ordered by ORD-5 against one held since 5 with the interval from 3 to 5."""
    assert find_order(value, Held("w", stamp(5), stamp(3), 5), sent) is order


def test_cache_takes_newer_and_drops_older_values() -> None:
    """Of two answers that overtake each other the one of the later read is kept."""
    cache = ClientCache()
    first, second = cache.send_query(KEY), cache.send_query(KEY)
    cache.receive_value(second, "later", stamp(2))
    cache.receive_value(first, "earlier", stamp(1))
    assert shown(cache) == ("later", False)


def test_cache_keeps_an_unknown_outcome_of_a_mutation_as_stale() -> None:
    """Where the order is unknown, a mutation's outcome is shown and marked."""
    cache = ClientCache()
    one, two = cache.send_mutation(), cache.send_mutation()
    cache.receive_updates(one, [outcome("one", 3, 1)])
    cache.receive_updates(two, [outcome("two", 4, 2)])
    assert shown(cache) == ("two", True)


def test_cache_drops_an_unknown_value_of_a_query() -> None:
    """Where the order is unknown, a query's value is dropped."""
    cache = ClientCache()
    query, mutation = cache.send_query(KEY), cache.send_mutation()
    cache.receive_updates(mutation, [outcome("written", 3, 1)])
    cache.receive_value(query, "read", stamp(2))
    assert shown(cache) == ("written", False)


@pytest.mark.parametrize(
    "update",
    [
        {"op": "ignore", "key": KEY},
        {"op": "fail", "key": KEY, "error": {}},
        {"op": "redirect", "key": KEY, "location": "/"},
        {"op": "invalidate", "key": KEY},
        {"op": "invalidate", "id": "fx/cell"},
        {"op": "invalidate", "all": True},
        {"op": "no_such_op", "key": KEY},
        {"op": "no_such_op", "id": "fx/cell"},
        {"op": "no_such_op"},
    ],
)
def test_cache_keeps_showing_a_marked_value(update: dict[str, Value]) -> None:
    """Every mark leaves the value shown as stale, until a fetch that was sent after it."""
    cache = ClientCache()
    cache.receive_value(cache.send_query(KEY), "old", stamp(1))
    before = cache.send_query(KEY)
    cache.receive_updates(cache.send_mutation(), [update])
    assert shown(cache) == ("old", True)
    cache.receive_value(before, "older", stamp(2))
    assert cache.is_stale(KEY)
    cache.receive_value(cache.send_query(KEY), "new", stamp(3))
    assert shown(cache) == ("new", False)


@pytest.mark.parametrize("target", [{"key": KEY}, {"id": "fx/cell"}, {"all": True}])
def test_cache_marks_a_key_whose_first_value_is_on_its_way(target: dict[str, Value]) -> None:
    """A value that was asked for before the mark arrives as stale, although none was held."""
    cache = ClientCache()
    query = cache.send_query(KEY)
    cache.receive_updates(cache.send_mutation(), [{"op": "invalidate", **target}])
    cache.receive_value(query, "read", stamp(1))
    assert shown(cache) == ("read", True)


def test_cache_lets_values_clear_the_marks_of_their_own_envelope_only() -> None:
    """`invalidate {all}` beside a `set` leaves the set key fresh, and an older mark stays."""
    cache = ClientCache()
    one, two = cache.send_mutation(), cache.send_mutation()
    cache.receive_updates(one, [outcome("one", 1), {"op": "invalidate", "all": True}])
    assert shown(cache) == ("one", False)
    cache.receive_updates(cache.send_mutation(), [{"op": "invalidate", "key": KEY}])
    cache.receive_updates(two, [outcome("two", 2)])
    assert shown(cache) == ("two", True)


def test_cache_applies_an_unknown_op_after_the_values() -> None:
    """No value of an envelope clears the mark of an update that the client does not know."""
    cache = ClientCache()
    cache.receive_updates(cache.send_mutation(), [{"op": "patch"}, outcome("one", 1)])
    assert shown(cache) == ("one", True)


def test_cache_marks_requested_keys_without_an_outcome() -> None:
    """A result that is silent on a requested key, an error and a lost response leave it stale."""
    for end in ("silent", "error", "refused"):
        cache = ClientCache()
        cache.receive_value(cache.send_query(KEY), "old", stamp(1))
        request = cache.send_mutation([KEY])
        if end == "silent":
            cache.receive_updates(request, [])
        else:
            cache.receive_error(request, has_run=end == "error")
        assert shown(cache) == ("old", end != "refused")


def test_cache_drops_everything_at_a_reset() -> None:
    """After a reset nothing is held but the values of its own envelope."""
    cache = ClientCache()
    cache.receive_value(cache.send_query(KEY), "old", stamp(1))
    request = cache.send_mutation()
    cache.receive_updates(request, [{"op": "reset"}, outcome("new", 2, key="fx/none/")])
    assert shown(cache) == (UNDEFINED, False)
    assert shown(cache, "fx/none/") == ("new", False)


def test_cache_takes_no_value_of_a_request_from_before_a_reset() -> None:
    """Late values are not shown; a late command's outcome marks what was fetched since."""
    cache = ClientCache()
    query, late = cache.send_query(KEY), cache.send_mutation()
    cache.receive_updates(cache.send_mutation(), [{"op": "reset"}])
    cache.receive_value(query, "of the last visitor", stamp(1))
    assert cache.held(KEY) is None
    cache.receive_value(cache.send_query(KEY), "fetched", stamp(2))
    cache.receive_updates(late, [outcome("late", 3)])
    assert shown(cache) == ("fetched", True)


def test_cache_orders_values_of_a_reset_against_what_it_dropped() -> None:
    """A value that was computed beside another command's is not fresh because a reset came."""
    cache = ClientCache()
    one, two = cache.send_mutation(), cache.send_mutation()
    cache.receive_updates(one, [outcome("one", 3, 1)])
    cache.receive_updates(two, [{"op": "reset"}, outcome("two", 4, 2)])
    assert shown(cache) == ("two", True)


def test_cache_marks_what_it_forgets() -> None:
    """A value asked for before the key's value was forgotten arrives as stale."""
    cache = ClientCache()
    late = cache.send_query(KEY)
    cache.receive_value(cache.send_query(KEY), "held", stamp(2))
    cache.forget(KEY)
    cache.receive_value(late, "late", stamp(1))
    assert shown(cache) == ("late", True)


def test_cache_fetches_stale_keys_once_no_mutation_is_in_flight() -> None:
    """Nothing is fetched during a mutation; then what is stale or missing is."""
    cache = ClientCache()
    request = cache.send_mutation()
    assert cache.to_fetch([KEY]) == []
    cache.receive_updates(request, [outcome("one", 1), {"op": "ignore", "key": "fx/none/"}])
    assert cache.to_fetch([KEY, "fx/none/"]) == ["fx/none/"]


def test_cache_keeps_the_mark_when_a_fetch_fails() -> None:
    """A failed fetch changes neither the value nor the mark."""
    cache = ClientCache()
    cache.receive_value(cache.send_query(KEY), "old", stamp(1))
    cache.receive_updates(cache.send_mutation(), [{"op": "invalidate", "key": KEY}])
    cache.receive_error(cache.send_query(KEY))
    assert shown(cache) == ("old", True)
    assert cache.to_fetch([KEY]) == [KEY]


def test_cache_counts_a_retry_as_sent_when_its_first_attempt_was() -> None:
    """A retry is the same request: a mark set between the attempts stays."""
    cache = ClientCache()
    request = cache.send_query(KEY)
    cache.receive_updates(cache.send_mutation(), [{"op": "invalidate", "key": KEY}])
    # the second attempt of `request` goes out here
    cache.receive_value(request, "read", stamp(9))
    assert cache.is_stale(KEY)
