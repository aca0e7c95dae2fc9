"""What the specification allows, and what no case may therefore mind.

Several are tried at a time, each around those before it: what changes documents stands before what
changes fields, and both before what changes how they are sent.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants import control, control_patch
from wireflight_conformance.mutants.changing import Original, change_control, changed
from wireflight_conformance.mutants.rewriting import (
    Document,
    Sent,
    document_control,
    sent_control,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from wireflight.asgi import Message, Receive, Scope, Send
    from wireflight.exchange.phase import RefreshPhase
    from wireflight.exchange.stamps import Stamps
    from wireflight_conformance.embedded.server import App
    from wireflight_conformance.wire.values import Value

_UPDATES: Final = "wireflight.exchange.phase.RefreshPhase.updates"


@control("is the reference as it is")
def reference(app: App) -> App:
    return app


# -- updates -------------------------------------------------------------------------------------


@change_control("sends updates in another order, a reset first", _UPDATES)
def order_of_updates(updates: Original, phase: RefreshPhase) -> object:
    from wireflight.messages import Reset

    found = updates(phase)
    first = [update for update in found if isinstance(update, Reset)]
    others = [update for update in found if not isinstance(update, Reset)]
    return [*first, *reversed(others)]


@control_patch("runs refreshed queries one after the other")
def refreshes_in_turn() -> AbstractContextManager[None]:
    def run(original: Original) -> Original:
        async def in_turn(runner: Any) -> None:
            runner._server.refresh_concurrency = 1  # noqa: SLF001
            await original(runner)

        return in_turn

    return changed("wireflight.runtime.refreshing.PhaseRunner.run", run)


@change_control(
    "stamps count from a high number on, and grow by steps of any length",
    "wireflight.exchange.stamps.Stamps.take",
)
def growing_stamps(take: Original, stamps: Stamps) -> str:
    process, _, count = take(stamps).partition(".")
    return f"{process}.{(int(count, 16) << 20) + random.randrange(1 << 20):016x}"


@change_control(
    "names internal failures by numbers",
    "wireflight.app._random_error_id",
)
def other_ids(_: Original) -> str:
    return str(random.randrange(10**12))


# -- checks --------------------------------------------------------------------------------------


@control_patch("looks at the length of a URL before that of the fields")
def other_order_within_a_stage() -> AbstractContextManager[None]:
    def check(original: Original) -> Original:
        def turned(head: Any, settings: Any) -> None:
            size, head.header_bytes = head.header_bytes, 0
            original(head, settings)
            head.header_bytes = size
            original(head, settings)

        return turned

    return changed("wireflight.exchange.checks.STAGES.limits", check)


# -- documents -----------------------------------------------------------------------------------


@document_control("writes the members of documents in another order")
def order_of_members(document: Document, _: Sent) -> None:
    turned = dict(reversed(list(document.items())))
    document.clear()
    document.update(turned)


@document_control("adds members that this version does not define")
def more_members(document: Document, _: Sent) -> None:
    document["then"] = {"new": [1]}
    document["validUntil"] = None
    error = document.get("error")
    if isinstance(error, dict):
        document["error"] = {**error, "docs": "https://example.org", "retry": False}
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [{**update, "note": 1} for update in updates]


@document_control("sends an empty list where there are no updates")
def empty_updates(document: Document, _: Sent) -> None:
    if document.get("type") in ("result", "redirect"):
        document.setdefault("updates", [])


@document_control("says the same in other words")
def other_messages(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and "." not in str(error["code"]):
        document["error"] = {**error, "message": f"Es geht nicht: {error['code']}"}
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [_reworded(update) for update in updates]


def _reworded(update: Any) -> Value:
    error = update.get("error")
    if update["op"] != "fail" or "." in error["code"]:
        return dict(update)
    return {**update, "error": {**error, "message": f"Es geht nicht: {error['code']}"}}


@document_control("says another place where a text is at fault, or none")
def other_positions(document: Document, sent: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict):
        kept = {name: part for name, part in error.items() if name != "position"}
        document["error"] = kept if len(sent.body) % 2 else {**kept, "position": "somewhere"}


@document_control("writes issues in another order, with more members")
def other_issues(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and isinstance(error.get("issues"), list):
        issues = [{**issue, "severity": "error"} for issue in error["issues"]]
        last = [issue for issue in issues if issue["code"] == "truncated"]
        others = [issue for issue in issues if issue["code"] != "truncated"]
        document["error"] = {**error, "issues": [*reversed(others), *last]}


@document_control("shows more limits in the manifest, and functions in another order")
def longer_manifest(document: Document, _: Sent) -> None:
    shown, listed = document.get("limits"), document.get("functions")
    if isinstance(shown, dict) and isinstance(listed, list):
        document["limits"] = {**shown, "batch_calls": 10, "x": 1}
        document["capabilities"] = ["fx.later"]
        document["functions"] = [{**entry, "about": "own"} for entry in reversed(listed)]


# -- fields and bodies ---------------------------------------------------------------------------


@sent_control("writes the names of fields in capitals")
def names_of_fields(sent: Sent) -> None:
    sent.headers = [(name.title(), value) for name, value in sent.headers]


@sent_control("sends fields of its own, and those in another order")
def more_fields(sent: Sent) -> None:
    sent.add("server", "other")
    sent.add("date", "Fri, 20 Nov 2026 09:00:00 GMT")
    sent.add("strict-transport-security", "max-age=1")
    sent.add("x-request-id", "1")
    sent.headers.reverse()


@sent_control("varies by more fields, in another order and case")
def longer_vary(sent: Sent) -> None:
    sent.put("vary", "origin, Cookie, SEC-FETCH-SITE,accept , Accept-Encoding")


@sent_control("writes Cache-Control in another order and Allow without spaces")
def respelt_lists(sent: Sent) -> None:
    sent.put("cache-control", "no-store,private")
    allow = sent.header("allow")
    if allow is not None:
        sent.put("allow", ",".join(reversed(allow.split(", "))))


@sent_control("names the charset of plain JSON, in capitals")
def charset(sent: Sent) -> None:
    if sent.header("content-type") == "application/json":
        sent.put("content-type", "Application/JSON; charset=UTF-8")


@sent_control("writes white space around documents")
def white_space(sent: Sent) -> None:
    if sent.body:
        sent.body = b" \n" + sent.body + b"\r\n"


# -- how they are sent --------------------------------------------------------------------------


@control("sends bodies in several chunks")
def chunked_bodies(app: App) -> App:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] != 204:
                headers = [(n, v) for n, v in message["headers"] if n != b"content-length"]
                message = {**message, "headers": headers}
            body = message.get("body", b"")
            if message["type"] == "http.response.body" and len(body) > 1:
                await send({**message, "body": body[:1], "more_body": True})
                message = {**message, "body": body[1:]}
            await send(message)

        await app(scope, receive, sending)

    return wrapped


@control("answers after some milliseconds of thought")
def slow_answers(app: App) -> App:
    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                await asyncio.sleep(random.random() / 200)
            await send(message)

        await app(scope, receive, sending)

    return wrapped
