"""Faults in the refresh phase (section 10)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed, replaced, together
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from wireflight.functions import Frame, QueryInstance
    from wireflight_conformance.wire.values import Value

_PHASE = "wireflight.exchange.phase"
_RUNNER = "wireflight.runtime.refreshing.PhaseRunner"
_REMEMBER = "wireflight.runtime.calls.RememberingCaller.remember"
_REPLIER = "wireflight.exchange.replies.Replier"


def _updates(document: Document) -> list[Any]:
    found = document.get("updates")
    return list(found) if isinstance(found, list) else []


# -- the phase begins ----------------------------------------------------------------------------


@patch("UPD-3", "starts a refresh when the handler asks for it")
def eager_refreshes() -> AbstractContextManager[None]:
    started: dict[int, asyncio.Task[Any]] = {}

    def refresh(original: Original) -> Original:
        def eager(instance: QueryInstance[Any]) -> object:
            from wireflight.functions import current_frame
            from wireflight.runtime.calls import DirectCaller

            frame = current_frame()
            if not frame.is_query:
                call = DirectCaller().call_query(frame, instance)
                started[id(instance)] = asyncio.get_running_loop().create_task(call)
            return original(instance)

        return eager

    def remember(original: Original) -> Original:
        async def early(caller: object, frame: Frame, instance: object) -> object:
            task = started.pop(id(instance), None)
            return await (task if task is not None else original(caller, frame, instance))

        return early

    return together(
        changed("wireflight.functions.call.QueryInstance.refresh", refresh),
        changed(_REMEMBER, remember),
    )


@change(
    "UPD-3",
    "refreshes after a handler that failed",
    "wireflight.runtime.answering.Answer.unsuccessful",
)
def refreshes_after_failure(unsuccessful: Original, answer: Any, ended: object) -> object:
    from wireflight.functions.updates import Refresh

    for given in answer.plan().by_key.values():
        if isinstance(given, Refresh):
            instance: Any = given.instance
            running = instance.query.handler(*instance.args, **instance.kwargs)
            # fx/cell never waits
            with contextlib.suppress(StopIteration):
                running.send(None)
    return unsuccessful(answer, ended)


# -- rounds --------------------------------------------------------------------------------------


@patch("UPD-5", "runs a key again that a refreshed query refreshes")
def runs_again() -> AbstractContextManager[None]:
    def follow(original: Original) -> Original:
        def forgetful(phase: Any, given: Sequence[Any]) -> None:
            phase._run.difference_update(one.key for one in given)  # noqa: SLF001
            original(phase, given)

        return forgetful

    def remember(_: Original) -> Original:
        async def never(_caller: object, frame: Frame, instance: QueryInstance[Any]) -> object:
            from wireflight.runtime.calls import run_handler

            return await run_handler(frame, instance.query, instance.args, instance.kwargs)

        return never

    return together(changed(f"{_PHASE}.RefreshPhase.follow", follow), changed(_REMEMBER, remember))


@change("UPD-5", "ignores what a refreshed query refreshes", f"{_PHASE}.RefreshPhase.follow")
def one_round(_: Original, _phase: object, _given: object) -> None:
    return


@patch("UPD-5", "does what a refreshed query said that fails")
def failed_queries_refresh() -> AbstractContextManager[None]:
    failing: list[Any] = []

    def run(original: Original) -> Original:
        async def noting(runner: Any, frame: Frame, refresh: object) -> object:
            ended = await original(runner, frame, refresh)
            failing[:] = [frame.updates.instructions]
            return ended

        return noting

    def record(original: Original) -> Original:
        def following(phase: Any, update: Any) -> None:
            from wireflight.messages import Fail

            original(phase, update)
            if isinstance(update, Fail) and failing:
                phase.follow(failing.pop())

        return following

    return together(
        changed(f"{_RUNNER}._run", run), changed(f"{_PHASE}.RefreshPhase.record", record)
    )


@change("UPD-5", "leaves what was said of a key before", f"{_PHASE}.RefreshPhase.follow")
def first_outcome_stays(follow: Original, phase: Any, given: Sequence[Any]) -> None:
    asked = {one.key for one in phase._requested}  # noqa: SLF001
    follow(phase, [one for one in given if one.key not in {*phase._outcomes, *asked}])  # noqa: SLF001


@patch("UPD-5", "ends after seven rounds")
def seven_rounds() -> AbstractContextManager[None]:
    return replaced(f"{_PHASE}.MAX_ROUNDS", 7)


@patch("UPD-5", "knows no last round")
def endless_rounds() -> AbstractContextManager[None]:
    return replaced(f"{_PHASE}.MAX_ROUNDS", 1000)


@document_mutant("UPD-5", "ignores a key of the ninth round")
def silent_ninth_round(document: Document, _: Sent) -> None:
    updates = [u for u in _updates(document) if not _is_fail(u, "refresh_limit")]
    if len(updates) != len(_updates(document)):
        document["updates"] = updates


def _is_fail(update: Any, code: str) -> bool:
    return bool(update["op"] == "fail" and update["error"]["code"] == code)


@change("UPD-6", "runs all refreshes at a time", f"{_RUNNER}.run")
async def all_at_a_time(run: Original, runner: Any) -> None:
    runner._server.refresh_concurrency = 100  # noqa: SLF001
    await run(runner)


# -- failures ------------------------------------------------------------------------------------


@change("UPD-7", "fails a command whose refresh fails", f"{_PHASE}.RefreshPhase.record")
def failing_refresh_fails_all(record: Original, phase: object, update: Any) -> None:
    from wireflight.messages import Fail

    if isinstance(update, Fail):
        raise RuntimeError("a refresh failed")  # noqa: TRY004 - it is no fault of a type
    record(phase, update)


@document_mutant("UPD-7", "says internal of every refresh that fails")
def refresh_fails_by_internal(document: Document, _: Sent) -> None:
    updates = _updates(document)
    if any(u["op"] == "fail" for u in updates):
        document["updates"] = [
            {**u, "error": {**u["error"], "code": "internal", "status": 500}}
            if u["op"] == "fail"
            else u
            for u in updates
        ]


@document_mutant("UPD-7", "invalidates a key whose refresh fails")
def failing_refresh_invalidates(document: Document, _: Sent) -> None:
    updates = _updates(document)
    if any(u["op"] == "fail" for u in updates):
        document["updates"] = [
            {"op": "invalidate", "key": u["key"]} if u["op"] == "fail" else u for u in updates
        ]


@change(
    "UPD-7", "sends the text of what a refresh raised", "wireflight.runtime.ending.Judge.unexpected"
)
def refresh_leaks(unexpected: Original, judge: object, error: Exception, place: str) -> object:
    import msgspec

    return msgspec.structs.replace(unexpected(judge, error, place), message=str(error))


@document_mutant("UPD-8", "reports a refresh that redirects as fail")
def redirecting_refresh_fails(document: Document, _: Sent) -> None:
    updates = _updates(document)
    error: Value = {"status": 500, "code": "internal", "message": "redirected"}
    if any(u["op"] == "redirect" for u in updates):
        document["updates"] = [
            {"op": "fail", "key": u["key"], "error": error} if u["op"] == "redirect" else u
            for u in updates
        ]


@document_mutant("UPD-8", "redirects the whole command where a refresh redirects")
def redirecting_refresh_redirects_all(document: Document, _: Sent) -> None:
    found = [u for u in _updates(document) if u["op"] == "redirect"]
    if found:
        document.clear()
        document.update(type="redirect", location=found[0]["location"])


@change("UPD-8", "fails a command with a value that cannot be encoded", f"{_REPLIER}.result")
def unencodable_value_fails_all(
    result: Original, replier: Any, *args: Any, **kwargs: Any
) -> object:
    from wireflight.errors import EncodeError
    from wireflight.exchange.replies import Unencodable
    from wireflight.messages import ResultEnvelope

    try:
        replier.encode(
            args[0], ResultEnvelope(args[1], args[2], kwargs.get("updates", ())).as_value()
        )
    except EncodeError as error:
        if error.limit is None:
            raise Unencodable(()) from error
    return result(replier, *args, **kwargs)


@document_mutant("UPD-8", "leaves out a value that cannot be encoded")
def unencodable_value_left_out(document: Document, _: Sent) -> None:
    updates = [u for u in _updates(document) if not _is_fail(u, "unencodable_result")]
    if len(updates) != len(_updates(document)):
        document["updates"] = updates


# -- time and state ------------------------------------------------------------------------------


@change(
    "UPD-10", "waits for a refresh as long as it takes", "wireflight.runtime.commanding.TimeLimit"
)
def endless_phase(limit: Original, running: object, milliseconds: int) -> object:
    return limit(running, milliseconds * 20)


@document_mutant("UPD-10", "ignores keys that are late")
def late_keys_ignored(document: Document, _: Sent) -> None:
    updates = _updates(document)
    if any(_is_fail(u, "handler_timeout") for u in updates):
        document["updates"] = [
            {"op": "ignore", "key": u["key"]} if _is_fail(u, "handler_timeout") else u
            for u in updates
        ]


@document_mutant("UPD-10", "fails a command whose refresh phase is late")
def late_phase_fails_all(document: Document, sent: Sent) -> None:
    if any(_is_fail(u, "handler_timeout") for u in _updates(document)):
        sent.status = 504
        document.clear()
        error: Value = {"status": 504, "code": "handler_timeout", "message": "late"}
        document.update(type="error", error=error)


@change(
    "UPD-11",
    "shows refreshed queries the cookies that came",
    "wireflight.runtime.refreshing.Updates",
)
def cookies_that_came(updates: Original, *_: object) -> object:
    return updates()
