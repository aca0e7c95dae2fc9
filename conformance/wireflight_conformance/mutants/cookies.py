"""Faults in the cookies that a response sets (section 18)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed
from wireflight_conformance.mutants.rewriting import Sent, sent_mutant

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from wireflight.functions.updates import Updates


# -- cookies -------------------------------------------------------------------------------------


@sent_mutant("SEC-9", "sends no cookies with errors")
def errors_without_cookies(sent: Sent) -> None:
    if sent.status >= 400:
        sent.drop("set-cookie")


@sent_mutant("SEC-9", "sends no cookies with unencodable_result and response_too_large")
def committed_without_cookies(sent: Sent) -> None:
    if sent.status == 500:
        sent.drop("set-cookie")


@change(
    "SEC-9", "sends cookies with every error", "wireflight.runtime.answering.Answer.unsuccessful"
)
def cookies_with_every_error(unsuccessful: Original, answer: Any, ended: Any) -> object:
    import msgspec

    reply = unsuccessful(answer, ended)
    fields = [(b"set-cookie", one) for one in answer.frame.updates.cookies.values()]
    headers = [pair for pair in reply.headers if pair[0] != b"set-cookie"]
    return msgspec.structs.replace(reply, headers=[*headers, *fields])


@patch("SEC-9", "sends the cookies of a child that failed")
def cookies_of_failed_children() -> AbstractContextManager[None]:
    def make(original: Original) -> Original:
        def set_cookie(updates: Updates, *args: Any, **kwargs: Any) -> None:
            original(updates, *args, **kwargs)
            if updates._parent is not None:  # noqa: SLF001
                set_cookie(updates._parent, *args, **kwargs)  # noqa: SLF001

        return set_cookie

    return changed("wireflight.functions.updates.Updates.set_cookie", make)


@change(
    "SEC-9",
    "sends every cookie of a name",
    "wireflight.functions.updates.Updates.set_cookie",
)
def cookies_of_one_name(
    set_cookie: Original, updates: Updates, name: str, field: bytes, **rest: Any
) -> None:
    kept = updates.cookies.pop(name, None)
    set_cookie(updates, name, field, **rest)
    if kept is not None:
        updates.cookies[f"{name} before"] = kept


@change("SEC-9", "drops the cookies of children", "wireflight.functions.updates.Updates.absorb")
def cookies_of_children(absorb: Original, updates: Updates, child: Updates) -> None:
    child.cookies.clear()
    absorb(updates, child)


@sent_mutant("SEC-10", "sets cookies for the path of the function")
def paths_of_cookies(sent: Sent) -> None:
    sent.headers = [
        (n, v.replace(b"Path=/", b"Path=/fx") if n == b"set-cookie" else v) for n, v in sent.headers
    ]


@sent_mutant("SEC-10", "sets cookies without a path")
def cookies_without_path(sent: Sent) -> None:
    sent.headers = [
        (n, v.replace(b"Path=/; ", b"") if n == b"set-cookie" else v) for n, v in sent.headers
    ]
