"""Answering commands: the handler, the commit, the refreshes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import anyio

from wireflight import messages
from wireflight.exchange.codes import ErrorCode, Refusal, error_body
from wireflight.exchange.phase import RefreshPhase, stale_updates
from wireflight.exchange.replies import Reply, Unencodable
from wireflight.functions import RequestEvent
from wireflight.runtime.calls import run_handler, run_in_frame
from wireflight.runtime.ending import Ended, Failed, Returned
from wireflight.runtime.hooks import call_hook
from wireflight.runtime.refreshing import PhaseRunner
from wireflight.runtime.time_limit import Overrun, TimeLimit

if TYPE_CHECKING:
    from wireflight.functions import Function
    from wireflight.functions.updates import Plan
    from wireflight.runtime.answering import Answer

__all__ = ["answer_command"]


async def answer_command(
    answer: Answer,
    function: Function[..., Any],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> Reply:
    """Run a command to its end, whatever its client does, then the refreshes.

    Spec: FUN-8, FUN-9, UPD-3, UPD-10, ORD-3, ORD-4.
    """
    # Whoever runs this server may cancel it when the client goes.
    with anyio.CancelScope(shield=True):
        reply = await _answer(answer, function, args, kwargs)
    return reply  # noqa: RET504 - within the scope mypy takes the end for missing


async def _answer(
    answer: Answer,
    function: Function[..., Any],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> Reply:
    server, limits = answer.server, answer.server.settings.limits
    ended: Ended
    since = server.stamps.take()  # ORD-3
    answer.frame.updates.begin()
    try:
        running = _run_and_commit(answer, function, args, kwargs)
        ended = await TimeLimit(running, limits.handler_ms)
    except Overrun:
        ended = Failed(error_body(ErrorCode.HANDLER_TIMEOUT))  # FUN-9
    answer.frame.updates.close()
    if not isinstance(ended, Returned):
        return answer.unsuccessful(ended)
    at = server.stamps.take()  # ORD-4
    plan = answer.plan()
    phase = RefreshPhase(plan, answer.request.requested)
    if phase.has_refreshes:
        refused = _refused_result(answer, ended.value, at, plan)
        if refused is not None:
            return refused
    for given in phase.values_set():
        stamp = server.stamps.take()
        phase.record(messages.SetValue(given.key, given.value, stamp, since))
    await _record_unaccepted(answer, phase)
    if phase.has_refreshes:
        runner = PhaseRunner(server, answer.frame, phase)
        with contextlib.suppress(Overrun):  # UPD-10: what is not evaluated by now has no outcome
            await TimeLimit(runner.run(), limits.refresh_phase_ms)
    try:
        return server.replier.result(
            answer.head,
            ended.value,
            at,
            updates=phase.updates(),
            cookies=tuple(answer.frame.updates.cookies.values()),
        )
    except Unencodable as error:
        return _committed(answer, answer.unencodable(error), plan)
    except Refusal as refusal:
        return _committed(answer, refusal.body, plan)


async def _run_and_commit(
    answer: Answer,
    function: Function[..., Any],
    args: tuple[object, ...],
    kwargs: dict[str, object],
) -> Ended:
    judge, event = answer.server.judge, RequestEvent(answer.frame)
    try:
        value = await run_handler(answer.frame, function, args, kwargs)
    except Exception as error:  # noqa: BLE001 - here a failure becomes an answer
        return await judge.judge(error, event, is_query=False)
    answer.frame.updates.end()  # UPD-18: what the commit's hook says is no handler's
    hook = answer.server.hooks.after_commit
    if hook is not None:
        try:
            await run_in_frame(answer.frame, call_hook(hook, event))
        except Exception as error:  # noqa: BLE001 - as above
            return Failed(await judge.internal(error, event))  # UPD-3
    return Returned(value)


async def _record_unaccepted(answer: Answer, phase: RefreshPhase) -> None:
    for unaccepted in phase.unaccepted:
        event = RequestEvent(answer.frame)
        error = await answer.server.judge.unaccepted(unaccepted, event)
        phase.record(messages.Fail(unaccepted.key, error))


def _refused_result(answer: Answer, value: object, at: str, plan: Plan) -> Reply | None:
    """Answer a command whose own result cannot be sent, before anything is refreshed.

    Spec: ENV-9, UPD-13.
    """
    if value is None or value is True or value is False:
        return None
    try:
        answer.server.replier.result(answer.head, value, at)
    except Unencodable as error:
        return _committed(answer, answer.unencodable(error), plan)
    except Refusal as refusal:
        return _committed(answer, refusal.body, plan)
    return None


def _committed(answer: Answer, error: messages.ErrorBody, plan: Plan) -> Reply:
    """Answer a command that is done but has nothing to show.

    Spec: ENV-9, UPD-13, SEC-9.
    """
    return answer.server.replier.error(
        answer.head,
        error,
        updates=stale_updates(plan, answer.request.requested),
        cookies=tuple(answer.frame.updates.cookies.values()),
    )
