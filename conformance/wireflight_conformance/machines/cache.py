"""The client's side of the order of values, as the steps of sections 10 to 12 spell it.

This cache judges: what a client that follows the rules would show, given these sends and these
arrivals in this order. It does no input or output and reads no clock; its time is the number of
its own sends and arrivals.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wireflight_conformance.wire.values import UNDEFINED, Value

__all__ = ["ClientCache", "Held", "Order", "Request", "find_order"]

Update = Mapping[str, Value]

_MARKING = frozenset({"fail", "redirect", "ignore", "invalidate"})
_KNOWN = _MARKING | {"set", "reset"}


class Order(enum.Enum):
    """How an arriving value stands to the one that is held."""

    NEWER = "newer"
    OLDER = "older"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the cache sees it."""

    sent: int
    """When its first attempt was sent: a retry is the same request. Spec: ORD-9."""
    key: str = ""
    """The key of a query; a mutation has none."""
    requested: Sequence[str] = ()
    is_mutation: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A value with its stamps and the moment it arrived."""

    value: Value
    at: str
    began: str
    """The stamp `from`; what `at` is where none was sent."""
    arrived: int


def find_order(value: Held, held: Held, sent: int) -> Order:
    """Return how `value`, brought by a request sent at `sent`, stands to `held`. Spec: ORD-5."""
    if sent > held.arrived:
        return Order.NEWER
    # one process: the names before the dot; then texts of one width compare as numbers
    if value.at[:13] == held.at[:13]:
        if value.began > held.at:
            return Order.NEWER
        if value.at < held.began:
            return Order.OLDER
    return Order.UNKNOWN


class ClientCache:
    """What one client holds, and which of it is stale."""

    def __init__(self) -> None:
        self._now = 0
        self._held: dict[str, Held] = {}
        # a mark is on the key, held or not: a value that is still on its way is marked too
        self._key_marks: dict[str, int] = {}
        self._function_marks: dict[str, int] = {}
        self._mark_of_all = 0
        self._cleared: dict[str, int] = {}
        self._dropped: dict[str, Held] = {}
        self._reset_at = 0
        self._mutations = 0

    # -- sending -------------------------------------------------------------------------------

    def send_query(self, key: str) -> Request:
        """Note that the query instance of `key` is being fetched."""
        self._now += 1
        return Request(self._now, key)

    def send_mutation(self, requested: Sequence[str] = ()) -> Request:
        """Note that a command is being sent, with the keys that it requests."""
        self._now += 1
        self._mutations += 1
        return Request(self._now, requested=requested, is_mutation=True)

    # -- receiving -----------------------------------------------------------------------------

    def receive_value(self, request: Request, value: Value, at: str) -> None:
        """Take the `result` of a query."""
        self._now += 1
        if request.sent > self._reset_at:  # UPD-17
            prior = self._mark(request.key)
            self._take(request, request.key, Held(value, at, at, self._now), prior)

    def receive_updates(self, request: Request, updates: Sequence[Update]) -> None:
        """Take the `result` of a mutation: its updates as one change. Spec: UPD-14, REQ-5."""
        self._now += 1
        self._mutations -= 1
        named = {update.get("key") for update in updates}
        self._apply(request, updates)
        self._mark_keys(key for key in request.requested if key not in named)

    def receive_error(
        self, request: Request, updates: Sequence[Update] = (), *, has_run: bool = True
    ) -> None:
        """Take an `error`, or a response that never came (`has_run` as far as one can know).

        A query that fails keeps its mark and its value. Spec: REQ-5, ORD-8.
        """
        self._now += 1
        if request.is_mutation:
            self._mutations -= 1
            self._apply(request, updates)
            if has_run:
                self._mark_keys(request.requested)

    def forget(self, key: str) -> None:
        """Drop a value to make room. Spec: ORD-10."""
        self._now += 1
        if self._held.pop(key, None) is not None:
            self._key_marks[key] = self._now

    # -- showing -------------------------------------------------------------------------------

    def held(self, key: str) -> Held | None:
        """Return what is shown for the key."""
        return self._held.get(key)

    def is_stale(self, key: str) -> bool:
        """Whether the key is marked."""
        return self._mark(key) > self._cleared.get(key, 0)

    def to_fetch(self, in_use: Iterable[str]) -> list[str]:
        """Return the keys in use that are to be fetched now. Spec: ORD-8."""
        if self._mutations:
            return []
        return [key for key in in_use if key not in self._held or self.is_stale(key)]

    # -- steps ---------------------------------------------------------------------------------

    def _mark(self, key: str) -> int:
        """Return when the key was last marked, by its name, its function's or with all."""
        function = key.rpartition("/")[0]
        return max(
            self._key_marks.get(key, 0), self._function_marks.get(function, 0), self._mark_of_all
        )

    def _mark_keys(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._key_marks[key] = self._now

    def _apply(self, request: Request, updates: Sequence[Update]) -> None:
        """Apply an envelope: a reset, then the marks, then the values, then what is unknown."""
        is_late = request.sent < self._reset_at
        if any(update.get("op") == "reset" for update in updates):
            self._reset()
        values = [update for update in updates if update.get("op") == "set"]
        prior = {str(update.get("key")): self._mark(str(update.get("key"))) for update in values}
        for update in updates:
            if update.get("op") in _MARKING or (is_late and update.get("op") == "set"):
                self._mark_target(update)
        for update in () if is_late else values:  # UPD-17
            key, at = str(update.get("key")), str(update.get("at"))
            began = update.get("from", UNDEFINED)
            held = Held(
                update.get("value", UNDEFINED),
                at,
                began if isinstance(began, str) else at,
                self._now,
            )
            self._take(request, key, held, prior[key])
        for update in updates:  # UPD-15: no value of the envelope clears these
            if update.get("op") not in _KNOWN:
                self._now += 1
                self._mark_target(update)

    def _mark_target(self, update: Update) -> None:
        """Mark what an update names. Spec: ORD-7, UPD-15, UPD-16."""
        key, function = update.get("key", UNDEFINED), update.get("id", UNDEFINED)
        if isinstance(key, str):
            self._key_marks[key] = self._now
        elif isinstance(function, str):
            self._function_marks[function] = self._now
        else:
            self._mark_of_all = self._now

    def _reset(self) -> None:
        """Drop all values. Spec: UPD-17.

        What is dropped still orders the values of the reset's own envelope: one that was computed
        before another command wrote must not pass for fresh because the value that showed that
        command's effect is gone.
        """
        self._dropped = dict(self._held)
        self._held.clear()
        self._reset_at = self._now

    def _take(self, request: Request, key: str, value: Held, prior_mark: int) -> None:
        """Order a value against the one that is held, and keep one. Spec: ORD-6, ORD-7, ORD-10."""
        held = self._held.get(key)
        against = self._dropped.get(key) if held is None and request.sent < self._reset_at else held
        order = Order.NEWER if against is None else find_order(value, against, request.sent)
        if order is Order.NEWER:
            self._held[key] = value
            # a mark of this envelope is not in `prior_mark`
            if prior_mark <= self._cleared.get(key, 0) or request.sent > prior_mark:
                self._cleared[key] = self._now
        elif held is None or (order is Order.UNKNOWN and request.is_mutation):
            self._held[key] = value
            self._key_marks[key] = self._now
