"""Faults in stamps (section 12)."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed, together
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from wireflight.exchange.stamps import Stamps
    from wireflight_conformance.wire.values import Value

_TAKE = "wireflight.exchange.stamps.Stamps.take"
_RUNNER = "wireflight.runtime.refreshing.PhaseRunner"


def _count(stamp: str) -> int:
    return int(stamp.partition(".")[2], 16)


# -- the form ------------------------------------------------------------------------------------


@change("ORD-1", "takes stamps of a clock in seconds", _TAKE)
def clock(_: Original, stamps: Stamps) -> str:
    return f"{stamps.process}.{int(time.time()):016x}"


@change("ORD-1", "writes counts in decimal digits without zeros before them", _TAKE)
def bare_counts(take: Original, stamps: Stamps) -> str:
    return f"{stamps.process}.{_count(take(stamps))}"


@change("ORD-1", "writes counts in capitals", _TAKE)
def capitals(take: Original, stamps: Stamps) -> str:
    return f"{stamps.process}.{_count(take(stamps)) + 0xABC:016X}"


@change("ORD-1", "names its process by four characters", _TAKE)
def short_process(take: Original, stamps: Stamps) -> object:
    return take(stamps)[8:]


@change("ORD-1", "counts downwards", _TAKE)
def downwards(take: Original, stamps: Stamps) -> str:
    return f"{stamps.process}.{(1 << 40) - _count(take(stamps)):016x}"


@change("ORD-1", "counts every second stamp only", _TAKE)
def each_twice(take: Original, stamps: Stamps) -> str:
    return f"{stamps.process}.{_count(take(stamps)) // 2:016x}"


# -- when they are taken -------------------------------------------------------------------------


@patch("ORD-2", "stamps a query after its handler")
def queries_afterwards() -> AbstractContextManager[None]:
    kept: list[Stamps] = []

    def made(original: Original) -> Original:
        def keep(stamps: Stamps, process: str) -> None:
            original(stamps, process)
            kept.append(stamps)

        return keep

    def result(original: Original) -> Original:
        def late(replier: object, head: Any, value: object, at: str, **rest: Any) -> object:
            at = kept[-1].take() if head.entry.is_query else at
            return original(replier, head, value, at, **rest)

        return late

    return together(
        changed("wireflight.exchange.stamps.Stamps.__init__", made),
        changed("wireflight.exchange.replies.Replier.result", result),
    )


@change("ORD-2", "stamps each refreshed value when its query starts", f"{_RUNNER}._run")
async def each_its_own(run: Original, runner: Any, *args: object) -> object:
    runner._at = runner._server.stamps.take()  # noqa: SLF001
    return await run(runner, *args)


@change("ORD-2", "stamps refreshed values when they have been read", f"{_RUNNER}._run")
async def after_reading(run: Original, runner: Any, *args: object) -> object:
    ended = await run(runner, *args)
    runner._at = runner._server.stamps.take()  # noqa: SLF001
    return ended


_early: ContextVar[str] = ContextVar("early")


def _before_handler(
    path: str, change_with: Callable[[Original], Original]
) -> AbstractContextManager[None]:
    """Take a stamp before the handler of each command, and open a change that uses it."""

    def answer(original: Original) -> Original:
        async def stamped(made: Any, *args: object) -> object:
            _early.set(made.server.stamps.take())
            return await original(made, *args)

        return stamped

    return together(
        changed("wireflight.runtime.answering.answer_command", answer), changed(path, change_with)
    )


@patch("ORD-2", "stamps a refresh phase before the command's handler")
def phase_before_handler() -> AbstractContextManager[None]:
    def made(original: Original) -> Original:
        def early(runner: Any, *args: object) -> None:
            original(runner, *args)
            runner._at = _early.get()  # noqa: SLF001

        return early

    return _before_handler(f"{_RUNNER}.__init__", made)


@patch("ORD-4", "stamps a command's result before its handler")
def commands_before_handler() -> AbstractContextManager[None]:
    def result(original: Original) -> Original:
        def early(replier: object, head: Any, value: object, at: str, **rest: Any) -> object:
            at = at if head.entry.is_query else _early.get()
            return original(replier, head, value, at, **rest)

        return early

    return _before_handler("wireflight.exchange.replies.Replier.result", result)


def _edit_sets(document: Document, edit: Callable[[dict[str, Value]], object]) -> None:
    updates = document.get("updates")
    if isinstance(updates, list):
        copies = [dict(update) for update in updates]
        for copy in copies:
            if "from" in copy:
                edit(copy)
        document["updates"] = copies


@document_mutant("ORD-3", "sends a value that a handler set without `from`")
def set_without_from(document: Document, _: Sent) -> None:
    _edit_sets(document, lambda update: update.pop("from"))


@document_mutant("ORD-3", "stamps a value that a handler set before the handler")
def set_before_handler(document: Document, _: Sent) -> None:
    _edit_sets(document, lambda update: update.update(at=update["from"]))


@document_mutant("ORD-3", "takes `from` after the handler")
def from_after_handler(document: Document, _: Sent) -> None:
    _edit_sets(document, lambda update: update.update({"from": update["at"]}))
