"""Faults in updates and in the refresh phase (section 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed, together
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from wireflight.exchange.phase import RefreshPhase
    from wireflight.functions import Frame, QueryInstance
    from wireflight.functions.updates import Instruction, Plan
    from wireflight_conformance.wire.values import Value

_PLAN = "wireflight.functions.updates.Plan.follow"
_PHASE = "wireflight.exchange.phase"
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


# -- updates of errors ---------------------------------------------------------------------------


@change("UPD-9", "sends no invalidates with an error that the handler raised", _UNSUCCESSFUL)
def errors_without_invalidates(_: Original, _plan: object) -> list[object]:
    return []


@change("UPD-9", "leaves out the invalidates that a later instruction replaced", _UNSUCCESSFUL)
def replaced_invalidates_left_out(given: Original, plan: Plan) -> object:
    from wireflight.functions.updates import Invalidate

    replaced = {key for key, one in plan.by_key.items() if not isinstance(one, Invalidate)}
    return [update for update in given(plan) if getattr(update, "key", None) not in replaced]


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


@change(
    "UPD-18",
    "takes an instruction for an argument that the type refuses",
    "wireflight.functions.call.QueryInstance._checked_key",
)
def unchecked_instances(_: Original, instance: Any, frame: Frame) -> object:
    return instance.key_in(frame)


@change(
    "UPD-18",
    "names what has no normal form by its function alone",
    "wireflight.functions.registry.Registry.key_of",
)
def keys_without_normal_form(
    key_of: Original, registry: Any, query: object, *rest: object
) -> object:
    from wireflight.errors import EncodeError

    try:
        return key_of(registry, query, *rest)
    except EncodeError:
        return f"{registry.id_of(query)}/"


@change("UPD-18", "fails a query that refreshes", "wireflight.functions.call.QueryInstance.refresh")
def refresh_in_query_fails(refresh: Original, instance: object) -> object:
    from wireflight.functions.context import commanding_frame

    commanding_frame()
    return refresh(instance)
