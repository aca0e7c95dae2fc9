"""The outcomes of a command: which queries run again, in which rounds, and what is sent.

This decides and keeps books; it runs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireflight import messages
from wireflight.exchange.codes import ErrorCode, error_body
from wireflight.functions.updates import (
    Instruction,
    Invalidate,
    Plan,
    Refresh,
    SetValue,
    Unaccepted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wireflight.functions import RequestedKey

__all__ = ["MAX_CONCURRENCY", "MAX_ROUNDS", "RefreshPhase", "given_invalidations", "stale_updates"]

MAX_ROUNDS: Final = 8
"""Rounds of one refresh phase (UPD-5)."""

MAX_CONCURRENCY: Final = 8
"""Refreshed queries of one request that run at a time (UPD-6)."""


class RefreshPhase:
    """The books of one refresh phase.

    Ask for a `next_round`, run it, `record` an outcome for each of its keys and
    `follow` what its handlers said, until a round is empty; then ask for the `updates`.
    """

    __slots__ = ("_outcomes", "_pending", "_plan", "_requested", "_rounds", "_run", "unaccepted")

    def __init__(self, plan: Plan, requested: Sequence[RequestedKey]) -> None:
        self._plan = plan
        self._requested = requested
        self._outcomes: dict[str, messages.Update | None] = dict.fromkeys(plan.by_key)
        self._pending: list[Refresh] = []
        self._run: set[str] = set()
        self._rounds = 0
        self.unaccepted: list[Unaccepted] = []
        """Requested keys that fell through, whose `fail` the caller records."""
        for instruction in plan.by_key.values():
            if isinstance(instruction, Refresh):
                self._pending.append(instruction)
                self._run.add(instruction.key)
            elif isinstance(instruction, Invalidate):
                self._outcomes[instruction.key] = messages.InvalidateKey(instruction.key)
            elif isinstance(instruction, Unaccepted):
                self.unaccepted.append(instruction)

    @property
    def has_refreshes(self) -> bool:
        """Whether a query is still to be run."""
        return bool(self._pending)

    def values_set(self) -> list[SetValue]:
        """Return what the handler set, to be recorded with stamps."""
        return [one for one in self._plan.by_key.values() if isinstance(one, SetValue)]

    def next_round(self) -> Sequence[Refresh]:
        """Take the queries to run now; none when the phase is over.

        Spec: UPD-5.
        """
        pending, self._pending = self._pending, []
        self._rounds += 1
        if self._rounds > MAX_ROUNDS:
            for refresh in pending:
                error = error_body(ErrorCode.REFRESH_LIMIT)
                self._outcomes[refresh.key] = messages.Fail(refresh.key, error)
            return ()
        return pending

    def follow(self, instructions: Iterable[Instruction]) -> None:
        """Take over what the handler of a refreshed query refreshes.

        Spec: UPD-5, UPD-18.
        """
        for instruction in instructions:
            if isinstance(instruction, Refresh) and instruction.key not in self._run:
                self._run.add(instruction.key)
                self._pending.append(instruction)
                self._outcomes[instruction.key] = None

    def record(self, update: messages.SetValue | messages.Fail | messages.Redirect) -> None:
        """Note the outcome of a key."""
        self._outcomes[update.key] = update

    def updates(self) -> list[messages.Update]:
        """Return the updates of the envelope; what has no outcome by now took too long.

        Spec: UPD-1, UPD-10, REQ-2, REQ-3.
        """
        updates: list[messages.Update] = []
        if self._plan.is_reset:
            updates.append(messages.Reset())
        if self._plan.invalidates_all:
            updates.append(messages.InvalidateAll())
        updates.extend(map(messages.InvalidateFunction, self._plan.function_ids))
        for key, outcome in self._outcomes.items():
            if outcome is None:  # UPD-10
                outcome = messages.Fail(key, error_body(ErrorCode.HANDLER_TIMEOUT))  # noqa: PLW2901 - the same thing, trimmed
            updates.append(outcome)
        for asked in self._requested:
            if asked.key in self._outcomes:
                continue
            if asked.refusal is None:
                updates.append(messages.Ignore(asked.key))
            else:
                error = error_body(
                    ErrorCode(asked.refusal.value),
                    limit=asked.limit,
                    position=asked.position or None,
                )
                updates.append(messages.Fail(asked.key, error))
        return updates


def stale_updates(plan: Plan, requested: Sequence[RequestedKey]) -> list[messages.Update]:
    """Return what is stale after a command whose own result cannot be sent.

    Spec: ENV-9.
    """
    updates: list[messages.Update] = []
    if plan.is_reset or plan.invalidates_all:
        updates.append(messages.InvalidateAll())
    updates.extend(map(messages.InvalidateFunction, plan.function_ids))
    keys = dict.fromkeys((*plan.by_key, *(asked.key for asked in requested)))
    updates.extend(map(messages.InvalidateKey, keys))
    return updates


def given_invalidations(plan: Plan) -> list[messages.Update]:
    """Return the invalidations that a handler gave before it failed.

    Spec: UPD-9.
    """
    updates: list[messages.Update] = [messages.InvalidateAll()] if plan.invalidates_all else []
    updates.extend(map(messages.InvalidateFunction, plan.function_ids))
    updates.extend(map(messages.InvalidateKey, plan.invalidated))
    return updates
