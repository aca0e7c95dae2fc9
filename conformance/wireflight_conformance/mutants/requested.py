"""Faults in how requested keys are judged and accepted (section 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

if TYPE_CHECKING:
    from wireflight.exchange.phase import RefreshPhase
    from wireflight.exchange.settings import Settings

_JUDGE = "wireflight.exchange.body.judge_requested_key"
_ACCEPTANCE = "wireflight.functions.requested.Requested.__iter__"
_COMMAND_BODY = "wireflight.exchange.body.read_command_body"


# -- the list ------------------------------------------------------------------------------------


@change("REQ-1", "drops what is no string from refreshes", _COMMAND_BODY)
def drops_other_types(read: Original, value: Any) -> object:
    if isinstance(value, dict) and isinstance(value.get("refreshes"), list):
        kept = [name for name in value["refreshes"] if isinstance(name, str)]
        value = {**value, "refreshes": kept}
    return read(value)


@change("REQ-1", "takes a refreshes of another type for none", _COMMAND_BODY)
def another_type(read: Original, value: Any) -> object:
    if isinstance(value, dict) and not isinstance(value.get("refreshes", []), list):
        value = {name: part for name, part in value.items() if name != "refreshes"}
    return read(value)


@change("REQ-1", "takes one string for a list of it", _COMMAND_BODY)
def one_string(read: Original, value: Any) -> object:
    if isinstance(value, dict) and isinstance(value.get("refreshes"), str):
        value = {**value, "refreshes": [value["refreshes"]]}
    return read(value)


@change("REQ-1", "cuts a list off that is too long", _COMMAND_BODY)
def cut_off(read: Original, value: object) -> object:
    import msgspec

    body = read(value)
    return msgspec.structs.replace(body, refreshes=body.refreshes[:64])


@change("REQ-1", "counts a string twice that stands twice", _COMMAND_BODY)
def counts_twice(read: Original, value: Any) -> object:
    from wireflight.exchange.codes import ErrorCode, Refusal

    names = value.get("refreshes") if isinstance(value, dict) else None
    if isinstance(names, list) and len(names) > 64:
        raise Refusal(ErrorCode.TOO_LARGE, limit="refresh_keys")
    return read(value)


# -- one outcome each ----------------------------------------------------------------------------


@document_mutant("REQ-2", "says nothing of requested keys that no handler accepted")
def silent_about_ignored_keys(document: Document, _: Sent) -> None:
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [u for u in updates if u.get("op") != "ignore"]


@document_mutant("REQ-2", "says nothing of requested keys that are none")
def silent_about_broken_keys(document: Document, _: Sent) -> None:
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [
            u for u in updates if u["op"] != "fail" or u["error"]["code"] != "invalid_key"
        ]


@document_mutant("REQ-2", "trims requested keys")
def respelt_keys(document: Document, _: Sent) -> None:
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [
            {**u, "key": u["key"].replace(" ", "-")} if "key" in u else u for u in updates
        ]


@change(
    "REQ-2",
    "gives a second outcome to a requested key that the handler named",
    "wireflight.exchange.phase.RefreshPhase.updates",
)
def two_outcomes(updates: Original, phase: RefreshPhase) -> object:
    from wireflight.messages import Ignore, SetValue

    found = updates(phase)
    asked = {one.key for one in phase._requested}  # noqa: SLF001
    named = [u for u in found if isinstance(u, SetValue) and u.key in asked]
    return [*found, *(Ignore(u.key) for u in named)]


@change(
    "REQ-2",
    "takes invalidate of the function for the outcome of its keys",
    "wireflight.exchange.phase.RefreshPhase.updates",
)
def function_for_its_keys(updates: Original, phase: RefreshPhase) -> object:
    from wireflight.messages import Ignore, InvalidateFunction

    found = updates(phase)
    ids = {u.id for u in found if isinstance(u, InvalidateFunction)}
    return [u for u in found if not isinstance(u, Ignore) or u.key.rpartition("/")[0] not in ids]


# -- the steps -----------------------------------------------------------------------------------


def _refused(key: str, code: str) -> object:
    from wireflight.functions import RequestedKey
    from wireflight.functions.updates import RefusalReason

    return RequestedKey(key, refusal=RefusalReason(code))


@change("REQ-3", "ignores what is not of the form of a key", _JUDGE, step=1)
def broken_keys_ignored(judge: Original, key: str, settings: Settings) -> object:
    from wireflight.functions import RequestedKey

    judged = judge(key, settings)
    return RequestedKey(key) if judged.refusal == "invalid_key" else judged


@change("REQ-3", "refuses a command with a key that is none", _JUDGE, step=1)
def broken_keys_refused(judge: Original, key: str, settings: Settings) -> object:
    from wireflight.exchange.codes import ErrorCode, Refusal

    judged = judge(key, settings)
    if judged.refusal == "invalid_key":
        raise Refusal(ErrorCode.INVALID_REQUEST)
    return judged


@change("REQ-3", "splits a key at its first slash", _JUDGE, step=1)
def first_slash(judge: Original, key: str, settings: Settings) -> object:
    return _refused(key, "unknown_function") if key.count("/") > 1 else judge(key, settings)


@change(
    "REQ-3",
    "takes every text with a slash in it for a key",
    "wireflight.exchange.body.parse_key",
    step=1,
)
def any_key(parse: Original, text: str) -> object:
    from wireflight.keys import Key, KeyFormatError

    try:
        return parse(text)
    except KeyFormatError:
        if "/" not in text:
            raise
        return Key(*text.rpartition("/")[::2])


@change("REQ-3", "ignores keys of functions that do not exist", _JUDGE, step=2)
def unknown_functions_ignored(judge: Original, key: str, settings: Settings) -> object:
    from wireflight.functions import RequestedKey

    judged = judge(key, settings)
    return RequestedKey(key) if judged.refusal == "unknown_function" else judged


@change("REQ-3", "says of a command's key that there is no such function", _JUDGE, step=2)
def commands_unknown(judge: Original, key: str, settings: Settings) -> object:
    judged = judge(key, settings)
    is_command = judged.refusal == "not_refreshable"
    return _refused(key, "unknown_function") if is_command else judged


@change("REQ-3", "says invalid_key of a payload that does not decode", _JUDGE, step=3)
def broken_payloads(judge: Original, key: str, settings: Settings) -> object:
    judged = judge(key, settings)
    return _refused(key, "invalid_key") if judged.refusal == "invalid_payload" else judged


@change("REQ-3", "takes a payload that is not canonical", _JUDGE, step=3)
def payloads_not_canonical(judge: Original, key: str, settings: Settings) -> object:
    import base64

    from wireflight.codec import loads
    from wireflight.functions import RequestedKey

    judged = judge(key, settings)
    if judged.refusal != "non_canonical":
        return judged
    function_id, _, payload = key.rpartition("/")
    text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    query: Any = settings.registry.find(function_id)
    return RequestedKey(key, query.function, loads(text))


@change("REQ-3", "applies no limit to payloads of requested keys", _JUDGE, step=3)
def payloads_without_limits(judge: Original, key: str, settings: Settings) -> object:
    judged = judge(key, settings)
    return _refused(key, "invalid_payload") if judged.limit is not None else judged


@change(
    "REQ-3",
    "sends what a handler named only if it accepted it too",
    "wireflight.exchange.phase.RefreshPhase.updates",
    step=4,
)
def named_keys_ignored(updates: Original, phase: RefreshPhase) -> object:
    from wireflight.functions.requested import RequestedInstance
    from wireflight.messages import Ignore

    named = {
        key
        for key, given in phase._plan.by_key.items()  # noqa: SLF001
        if not isinstance(getattr(given, "instance", None), RequestedInstance)
    }
    asked = {one.key for one in phase._requested}  # noqa: SLF001
    return [
        Ignore(u.key) if getattr(u, "key", None) in named & asked else u for u in updates(phase)
    ]


@change(
    "REQ-3",
    "refreshes every requested key, accepted or not",
    "wireflight.runtime.answering.Answer.plan",
    step=4,
)
def accepts_all(plan_of: Original, answer: Any) -> object:
    from wireflight.functions import QueryInstance
    from wireflight.functions.updates import Refresh

    plan = plan_of(answer)
    for asked in answer.request.requested:
        if asked.query is not None:
            args, kwargs = asked.query.signature.bind(asked.argument)
            instance = QueryInstance(asked.query, args, kwargs, key=asked.key)
            plan.by_key.setdefault(asked.key, Refresh(asked.key, instance))
    return plan


@document_mutant("REQ-3", "says refresh_limit of a key that nobody accepted", step=4)
def unaccepted_fail(document: Document, _: Sent) -> None:
    updates = document.get("updates")
    error: Any = {"status": 400, "code": "refresh_limit", "message": "no"}
    if isinstance(updates, list):
        document["updates"] = [
            {"op": "fail", "key": u["key"], "error": error} if u["op"] == "ignore" else u
            for u in updates
        ]


@document_mutant("REQ-3", "ignores keys over the limit of an acceptance", step=5)
def over_limit_ignored(document: Document, _: Sent) -> None:
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [
            {"op": "ignore", "key": u["key"]}
            if u["op"] == "fail" and u["error"]["code"] == "refresh_limit"
            else u
            for u in updates
        ]


@change("REQ-3", "knows no limit of an acceptance", _ACCEPTANCE, step=5)
def unlimited(accept: Original, acceptance: Any) -> object:
    acceptance._limit = 1_000  # noqa: SLF001
    return accept(acceptance)


@document_mutant("REQ-3", "ignores an accepted key whose argument does not validate", step=6)
def invalid_ignored(document: Document, _: Sent) -> None:
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [
            {"op": "ignore", "key": u["key"]}
            if u["op"] == "fail" and u["error"]["code"] == "invalid_argument"
            else u
            for u in updates
        ]


@change("REQ-3", "validates requested keys that nobody accepted", _JUDGE, step=6)
def validates_first(judge: Original, key: str, settings: Settings) -> object:
    from wireflight.issues import ValidationError

    judged = judge(key, settings)
    if judged.query is not None:
        try:
            judged.query.signature.bind(judged.argument)
        except ValidationError:
            return _refused(key, "invalid_argument")
    return judged


@document_mutant("REQ-3", "invalidates accepted keys and does not refresh them", step=7)
def accepted_invalidated(document: Document, sent: Sent) -> None:
    updates = document.get("updates")
    if isinstance(updates, list) and b"refreshes" in sent.request_body:
        document["updates"] = [
            {"op": "invalidate", "key": u["key"]} if u["op"] == "set" else u for u in updates
        ]


# -- acceptances ---------------------------------------------------------------------------------


@change("REQ-4", "accepts keys in the order of their texts", _ACCEPTANCE)
def in_order_of_texts(accept: Original, acceptance: Any) -> object:
    from wireflight.functions.context import commanding_frame

    request = commanding_frame().request
    request.requested = sorted(request.requested, key=lambda asked: str(asked.key))
    return accept(acceptance)


@change("REQ-4", "lets a second acceptance take the same keys again", _ACCEPTANCE)
def takes_again(accept: Original, acceptance: Any) -> object:
    from wireflight.functions.context import commanding_frame

    commanding_frame().updates.taken.clear()
    return accept(acceptance)


@change("REQ-4", "counts acceptances of all functions together", _ACCEPTANCE)
def counted_together(accept: Original, acceptance: Any) -> object:
    from wireflight.functions.context import commanding_frame

    acceptance._limit -= len(commanding_frame().updates.taken)  # noqa: SLF001
    return accept(acceptance)


@change("REQ-4", "does not count keys that do not validate", _ACCEPTANCE)
def invalid_not_counted(accept: Original, acceptance: Any) -> object:
    from wireflight.functions.context import commanding_frame
    from wireflight.issues import ValidationError

    for asked in commanding_frame().request.requested:
        if asked.query is acceptance._query:  # noqa: SLF001
            try:
                asked.query.signature.bind(asked.argument)
            except ValidationError:
                acceptance._limit += 1  # noqa: SLF001
    return accept(acceptance)


@change("REQ-4", "counts keys that failed before", _ACCEPTANCE)
def failed_counted(accept: Original, acceptance: Any) -> object:
    from wireflight.functions.context import commanding_frame

    failed = [a for a in commanding_frame().request.requested if a.refusal is not None]
    acceptance._limit -= len(failed)  # noqa: SLF001
    return accept(acceptance)


@change("REQ-4", "takes one key more than the limit", _ACCEPTANCE)
def one_more(accept: Original, acceptance: Any) -> object:
    acceptance._limit += 1  # noqa: SLF001
    return accept(acceptance)
