"""Faults in updates and in the refresh phase (section 10)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed, replaced, together
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextlib import AbstractContextManager

    from wireflight.exchange.phase import RefreshPhase
    from wireflight.functions import Frame, QueryInstance
    from wireflight.functions.updates import Instruction, Plan
    from wireflight.runtime.refreshing import PhaseRunner
    from wireflight_conformance.wire.values import Value

_PLAN = "wireflight.functions.updates.Plan.follow"
_PHASE = "wireflight.exchange.phase"
_RUNNER = "wireflight.runtime.refreshing.PhaseRunner"
_REMEMBER = "wireflight.runtime.calls.RememberingCaller.remember"
_REPLIER = "wireflight.exchange.replies.Replier"
_UNSUCCESSFUL = "wireflight.runtime.answering.given_invalidations"


def _updates(document: Document) -> list[Any]:
    found = document.get("updates")
    return list(found) if isinstance(found, list) else []


# -- forms ---------------------------------------------------------------------------------------


@document_mutant("UPD-1", "sends a reset after the other updates")
def reset_last(document: Document, _: Sent) -> None:
    updates = _updates(document)
    if updates and updates[0]["op"] == "reset":
        document["updates"] = [*updates[1:], updates[0]]


@document_mutant("UPD-1", "sends the first update twice")
def twice(document: Document, _: Sent) -> None:
    updates = _updates(document)
    if updates:
        document["updates"] = [*updates, updates[0]]


@document_mutant("UPD-1", "calls set by another name")
def another_op(document: Document, _: Sent) -> None:
    document_updates: list[Value] = [
        {**u, "op": "value"} if u["op"] == "set" else u for u in _updates(document)
    ]
    if document_updates:
        document["updates"] = document_updates


@document_mutant("UPD-1", "names the function of a set beside its payload")
def split_keys(document: Document, _: Sent) -> None:
    changed_updates: list[Value] = []
    for update in _updates(document):
        if update["op"] == "set":
            name, _, payload = update["key"].rpartition("/")
            update = {**update, "id": name, "key": payload}  # noqa: PLW2901 - the same, respelt
        changed_updates.append(update)
    if changed_updates:
        document["updates"] = changed_updates


@document_mutant("UPD-1", "sends updates by their key, not in a list")
def updates_by_key(document: Document, _: Sent) -> None:
    updates = _updates(document)
    if updates:
        document["updates"] = {str(u.get("key", u["op"])): u for u in updates}


@document_mutant("UPD-1", "invalidates everything by a key that is a star")
def star_key(document: Document, _: Sent) -> None:
    updates: list[Value] = [
        {"op": "invalidate", "key": "*"} if u.get("all") else u for u in _updates(document)
    ]
    if updates:
        document["updates"] = updates


@change("UPD-2", "sends what a handler read", "wireflight.runtime.calls.DirectCaller.call_query")
async def reads_are_sent(
    call: Original, caller: object, parent: Frame, instance: QueryInstance[Any]
) -> object:
    from wireflight.functions.updates import Refresh

    value = await call(caller, parent, instance)
    if not parent.is_query:
        parent.updates.add(Refresh(instance.key_in(parent), instance))
    return value


@change("UPD-2", "invalidates everything after every command", f"{_PHASE}.RefreshPhase.updates")
def invalidates_by_itself(updates: Original, phase: RefreshPhase) -> object:
    from wireflight.messages import InvalidateAll

    return updates(phase) or [InvalidateAll()]


@change("UPD-2", "leaves out what the handler set", f"{_PHASE}.RefreshPhase.values_set")
def forgets_set(values_set: Original, phase: Any) -> object:
    for given in values_set(phase):
        phase._outcomes.pop(given.key)  # noqa: SLF001
    return []


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
            given.instance.query.handler(*given.instance.args, **given.instance.kwargs).send(None)
    return unsuccessful(answer, ended)


# -- the last instruction ------------------------------------------------------------------------


@change("UPD-4", "lets the first instruction for a key win", _PLAN)
def first_instruction_wins(follow: Original, plan: Plan, given: Iterable[Instruction]) -> None:
    follow(plan, reversed(list(given)))


@change("UPD-4", "lets a set win over a later refresh", _PLAN)
def set_over_refresh(follow: Original, plan: Plan, given: Iterable[Instruction]) -> None:
    from wireflight.functions.updates import Refresh

    instructions = list(given)
    follow(plan, [one for one in instructions if isinstance(one, Refresh)])
    follow(plan, [one for one in instructions if not isinstance(one, Refresh)])


@change("UPD-4", "lets a refresh win over a later invalidate", _PLAN)
def refresh_over_invalidate(follow: Original, plan: Plan, given: Iterable[Instruction]) -> None:
    from wireflight.functions.updates import Invalidate

    instructions = list(given)
    follow(plan, [one for one in instructions if isinstance(one, Invalidate)])
    follow(plan, [one for one in instructions if not isinstance(one, Invalidate)])


def _keys_of(plan: Plan, function_id: str) -> list[str]:
    return [key for key in plan.by_key if key.rpartition("/")[0] == function_id]


@change("UPD-4", "takes invalidate {id} for an instruction for each of its keys", _PLAN)
def function_over_keys(follow: Original, plan: Plan, given: Iterable[Instruction]) -> None:
    for one in given:
        follow(plan, [one])
        for function_id in plan.function_ids:
            for key in _keys_of(plan, function_id):
                del plan.by_key[key]


@change("UPD-4", "takes invalidate {all} for an instruction for each key", _PLAN)
def all_over_keys(follow: Original, plan: Plan, given: Iterable[Instruction]) -> None:
    follow(plan, given)
    if plan.invalidates_all:
        plan.by_key.clear()


@change("UPD-4", "forgets at a reset what was given before", _PLAN)
def reset_over_keys(follow: Original, plan: Plan, given: Iterable[Instruction]) -> None:
    from wireflight.functions.updates import Reset

    for one in given:
        if isinstance(one, Reset):
            plan.by_key.clear()
        follow(plan, [one])


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
    from wireflight.exchange.replies import Unencodable
    from wireflight.messages import ResultEnvelope
    from wireflight.errors import EncodeError

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


# -- updates of errors ---------------------------------------------------------------------------


@change("UPD-9", "sends no invalidates with an error that the handler raised", _UNSUCCESSFUL)
def errors_without_invalidates(_: Original, _plan: object) -> list[object]:
    return []


@change("UPD-9", "sends what was set with an error that the handler raised", _UNSUCCESSFUL)
def errors_with_values(given: Original, plan: Plan) -> object:
    from wireflight.functions.updates import SetValue
    from wireflight.messages import SetValue as Sent

    stamp = "aaaaaaaaaaaa.0000000000000000"
    values = [one for one in plan.by_key.values() if isinstance(one, SetValue)]
    return [*given(plan), *(Sent(one.key, one.value, stamp, stamp) for one in values)]


@change("UPD-9", "sends a reset with an error that the handler raised", _UNSUCCESSFUL)
def errors_with_reset(given: Original, plan: Plan) -> object:
    from wireflight.messages import Reset

    return [*([Reset()] if plan.is_reset else []), *given(plan)]


@change(
    "UPD-9", "sends invalidates with internal", "wireflight.runtime.answering.Answer.unsuccessful"
)
def internal_with_invalidates(unsuccessful: Original, answer: Any, ended: Any) -> object:
    from wireflight.exchange.phase import given_invalidations
    from wireflight.runtime.ending import Failed

    if not isinstance(ended, Failed) or answer.frame.is_query:
        return unsuccessful(answer, ended)
    updates = given_invalidations(answer.plan())
    return answer.server.replier.error(answer.head, ended.error, updates=updates)


# -- time and state ------------------------------------------------------------------------------


@change(
    "UPD-10", "waits for a refresh as long as it takes", "wireflight.runtime.commanding._deadline"
)
def endless_phase(deadline: Original, scope: object, milliseconds: int) -> object:
    return deadline(scope, milliseconds * 20)


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


# -- length --------------------------------------------------------------------------------------


@change("UPD-12", "sends responses of any length", f"{_REPLIER}._fitting")
def any_length(_: Original, replier: Any, head: object, envelope: Any) -> object:
    return replier.encode(head, envelope.as_value())


@change("UPD-12", "replaces all updates of a response that is too long", f"{_REPLIER}._shortened")
def replaces_all(
    _: Original, replier: Any, head: object, value: object, at: str, updates: Any
) -> object:
    from wireflight.messages import InvalidateKey, ResultEnvelope, SetValue

    kept = [InvalidateKey(u.key) if isinstance(u, SetValue) else u for u in updates]
    return replier.encode(head, ResultEnvelope(value, at, kept).as_value())


@change("UPD-12", "replaces the first update first", f"{_REPLIER}._shortened")
def replaces_first(
    _: Original, replier: Any, head: object, value: object, at: str, updates: Any
) -> object:
    from wireflight.messages import InvalidateKey, ResultEnvelope, SetValue

    kept = list(updates)
    for index, update in enumerate(kept):
        fitting = replier._fitting(head, ResultEnvelope(value, at, kept))  # noqa: SLF001
        if fitting is not None:
            return fitting
        if isinstance(update, SetValue):
            kept[index] = InvalidateKey(update.key)
    return replier.encode(head, ResultEnvelope(value, at, kept).as_value())


@change("UPD-12", "leaves updates out that do not fit", f"{_REPLIER}._shortened")
def leaves_out(
    _: Original, replier: Any, head: object, value: object, at: str, updates: Any
) -> object:
    from wireflight.messages import ResultEnvelope

    kept = list(updates)
    while kept and replier._fitting(head, ResultEnvelope(value, at, kept)) is None:  # noqa: SLF001
        kept.pop()
    return replier.encode(head, ResultEnvelope(value, at, kept).as_value())


@change("UPD-12", "fails a command whose updates do not fit", f"{_REPLIER}._shortened")
def too_long_fails(_: Original, *_args: object) -> object:
    from wireflight.exchange.codes import ErrorCode, Refusal

    raise Refusal(ErrorCode.RESPONSE_TOO_LARGE, limit="response_bytes")


@change("UPD-13", "sends results of any length", f"{_REPLIER}._fitting")
def results_of_any_length(_: Original, replier: Any, head: object, envelope: Any) -> object:
    return replier.encode(head, envelope.as_value())


@document_mutant("UPD-13", "says internal of a result that is too long")
def too_long_is_internal(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and error["code"] == "response_too_large":
        document["error"] = {**error, "code": "internal"}


@document_mutant("UPD-13", "invalidates nothing with a result that is too long")
def too_long_without_updates(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and error["code"] == "response_too_large":
        document.pop("updates", None)


@change("UPD-13", "sends invalidates of any length", f"{_REPLIER}.error")
def invalidates_of_any_length(send: Original, replier: Any, *args: Any, **kwargs: Any) -> object:
    from wireflight.messages import ErrorEnvelope

    if not kwargs.get("updates"):
        return send(replier, *args, **kwargs)
    head, error = args
    body = replier.encode(head, ErrorEnvelope(error, kwargs["updates"]).as_value())
    return replier.reply(head, error.status, body, cookies=kwargs.get("cookies", ()))


# -- instructions outside of a command -----------------------------------------------------------


@patch("UPD-18", "takes every instruction in a query and does nothing with it")
def instructions_in_queries() -> AbstractContextManager[None]:
    def lenient(_: Original) -> Original:
        from wireflight.functions.context import current_frame

        return current_frame

    return together(
        changed("wireflight.functions.call.commanding_frame", lenient),
        changed("wireflight.functions.scopes.commanding_frame", lenient),
    )


@change(
    "UPD-18",
    "does as a query refreshes that a command calls",
    "wireflight.runtime.calls._query_frame",
)
def refreshes_of_called_queries(frame_of: Original, parent: Any, *args: object) -> object:
    frame = frame_of(parent, *args)
    frame.updates = parent.updates
    return frame


@change("UPD-18", "fails a query that refreshes", "wireflight.functions.call.QueryInstance.refresh")
def refresh_in_query_fails(refresh: Original, instance: object) -> object:
    from wireflight.functions.context import commanding_frame

    commanding_frame()
    return refresh(instance)
