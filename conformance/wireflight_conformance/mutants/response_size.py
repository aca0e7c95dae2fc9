"""Faults where a response is too long (section 10)."""

from __future__ import annotations

from typing import Any

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

_REPLIER = "wireflight.exchange.replies.Replier"


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
