"""Running the refresh phase of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from wireflight import messages
from wireflight.exchange.codes import ErrorCode, error_body
from wireflight.functions import Frame, RequestEvent, Updates
from wireflight.runtime.calls import RememberingCaller
from wireflight.runtime.ending import Ended, Failed, Redirected, Returned
from wireflight.runtime.time_limit import Overrun, TimeLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wireflight.exchange.phase import RefreshPhase
    from wireflight.functions.updates import Refresh
    from wireflight.runtime.server import Server

__all__ = ["PhaseRunner"]


class PhaseRunner:
    """Runs the rounds of one phase."""

    __slots__ = ("_at", "_caller", "_command", "_phase", "_server")

    def __init__(self, server: Server, command: Frame, phase: RefreshPhase) -> None:
        """Take the phase's stamp: the handler has returned and its effects are committed.

        Spec: ORD-2.
        """
        self._server = server
        self._command = command
        self._phase = phase
        self._at = server.stamps.take()
        self._caller = RememberingCaller()  # the phase begins with an empty memo (FUN-4)

    async def run(self) -> None:
        """Run rounds until none is left; a scope around this ends it.

        Spec: UPD-3, UPD-5, UPD-6.
        """
        while refreshes := self._phase.next_round():
            queue = iter(refreshes)
            workers = min(self._server.refresh_concurrency, len(refreshes))
            if workers == 1:
                await self._work(queue)
            else:
                async with anyio.create_task_group() as group:
                    for _ in range(workers):
                        group.start_soon(self._work, queue)

    async def _work(self, queue: Iterator[Refresh]) -> None:
        for refresh in queue:
            await self._refresh(refresh)

    async def _refresh(self, refresh: Refresh) -> None:
        """Run one query and note its outcome.

        Spec: UPD-5, UPD-7, UPD-8, UPD-11.
        """
        command, phase = self._command, self._phase
        updates = Updates(command.updates)
        frame = Frame(
            command.request,
            self._caller,
            command.request.registry.id_of(refresh.instance.query),
            is_query=True,
            updates=updates,
            key=refresh.key,
        )
        ended = await self._run(frame, refresh)
        updates.close()
        if isinstance(ended, Failed):  # what it said goes with it (UPD-5)
            phase.record(messages.Fail(refresh.key, ended.error))
            return
        if isinstance(ended, Redirected):
            phase.record(messages.Redirect(refresh.key, ended.location))
        else:
            phase.record(messages.SetValue(refresh.key, ended.value, self._at))
        phase.follow(updates.instructions)

    async def _run(self, frame: Frame, refresh: Refresh) -> Ended:
        """Run one refreshed query; its failure is its own."""
        limits = self._server.settings.limits
        running = self._caller.remember(frame, refresh.instance)
        try:
            if limits.handler_ms >= limits.refresh_phase_ms:  # the phase ends it first
                return Returned(await running)
            return Returned(await TimeLimit(running, limits.handler_ms))
        except Overrun:
            return Failed(error_body(ErrorCode.HANDLER_TIMEOUT))
        except Exception as error:  # noqa: BLE001 - here a failure becomes an answer
            return await self._server.judge.judge(error, RequestEvent(frame), is_query=True)
