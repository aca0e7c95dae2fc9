"""Faults in how functions run (section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed, together

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from wireflight.functions import CommandCall, Frame, QueryInstance
    from wireflight.functions.updates import Updates

_COMMANDING: Final = "wireflight.runtime.commanding"
_ANSWERING: Final = "wireflight.runtime.answering"
_CALLS: Final = "wireflight.runtime.calls"


# -- runs ----------------------------------------------------------------------------------------


@change("FUN-2", "runs a command again that failed", f"{_COMMANDING}.run_handler")
async def runs_again(run: Original, *args: object) -> object:
    try:
        return await run(*args)
    except Exception:  # noqa: BLE001 - that is the fault
        return await run(*args)


@change("FUN-2", "runs a query twice by POST", "wireflight.runtime.querying.run_handler")
async def runs_twice(run: Original, *args: object) -> object:
    await run(*args)
    return await run(*args)


@change(
    "FUN-2",
    "runs a command whose list of requested keys is none",
    "wireflight.exchange.body.read_command_body",
)
def runs_broken_lists(read: Original, value: Any) -> object:
    if isinstance(value, dict) and isinstance(value.get("refreshes"), int):
        value = {name: part for name, part in value.items() if name != "refreshes"}
    return read(value)


@patch("FUN-2", "validates the argument of a command while it runs")
def runs_unvalidated() -> AbstractContextManager[None]:
    def bind(original: Original) -> Original:
        def lenient(signature: Any, argument: Any, **rest: bool) -> object:
            if isinstance(argument, dict) and "steps" in argument:
                argument = {n: v for n, v in argument.items() if n in ("run", "steps")}
            return original(signature, argument, **rest)

        return lenient

    return changed("wireflight.functions.signature.Signature.bind", bind)


# -- state ---------------------------------------------------------------------------------------


@patch("FUN-3", "keeps the cookies that came in one place for all requests")
def shared_cookies() -> AbstractContextManager[None]:
    latest: list[Any] = []

    def made(original: Original) -> Original:
        def make(state: Any, *args: Any, **kwargs: Any) -> None:
            original(state, *args, **kwargs)
            latest[:] = [state.raw_headers]

        return make

    def received(original: Original) -> Original:
        def read(state: Any) -> object:
            state.raw_headers = latest[0]
            return original(state)

        return read

    path = "wireflight.functions.context.RequestState"
    return together(
        changed(f"{path}.__init__", made), changed(f"{path}.received_cookies", received)
    )


@patch("FUN-3", "keeps the updates of commands that take turns in one list")
def shared_updates() -> AbstractContextManager[None]:
    kept: list[Any] = []

    def made(original: Original) -> Original:
        def make(updates: Any, parent: object = None, **rest: bool) -> None:
            original(updates, parent, **rest)
            if parent is None:
                updates.instructions = kept

        return make

    return changed("wireflight.functions.updates.Updates.__init__", made)


@patch("FUN-3", "sends the cookies of one command with the next")
def cookies_left_behind() -> AbstractContextManager[None]:
    kept: dict[Any, bytes] = {}

    def made(original: Original) -> Original:
        def make(updates: Any, parent: object = None, **rest: bool) -> None:
            original(updates, parent, **rest)
            updates.cookies = kept

        return make

    return changed("wireflight.functions.updates.Updates.__init__", made)


def _remembering(path: str) -> AbstractContextManager[None]:
    """Let calls from a command remember as those from a query do."""

    def direct(_: Original) -> object:
        from wireflight.runtime.calls import RememberingCaller

        return RememberingCaller

    return changed(path, direct)


@patch("FUN-4", "remembers within a command what a query gave")
def memory_of_commands() -> AbstractContextManager[None]:
    return _remembering(f"{_ANSWERING}.DirectCaller")


@patch("FUN-4", "takes what a command's handler read for a refreshed value")
def memory_for_refreshes() -> AbstractContextManager[None]:
    kept: dict[str, object] = {}

    def call(original: Original) -> Original:
        async def noting(caller: object, parent: Frame, instance: QueryInstance[Any]) -> object:
            value = await original(caller, parent, instance)
            kept[instance.key_in(parent)] = value
            return value

        return noting

    def remember(original: Original) -> Original:
        async def remembering(caller: object, frame: Frame, instance: object) -> object:
            found = kept.get(frame.key or "")
            return found if found is not None else await original(caller, frame, instance)

        return remembering

    return together(
        changed(f"{_CALLS}.DirectCaller.call_query", call),
        changed(f"{_CALLS}.RememberingCaller.remember", remember),
    )


# -- children ------------------------------------------------------------------------------------


@change("FUN-5", "lets a query call a command", "wireflight.functions.call.CommandCall.__await__")
def queries_call_commands(_: Original, call: CommandCall[object]) -> Iterator[object]:
    from wireflight.functions.context import current_frame

    frame = current_frame()
    return frame.caller.call_command(frame, call).__await__()


@change(
    "FUN-5",
    "answers a query that calls a command with an error of its own",
    "wireflight.functions.call.CommandCall.__await__",
)
def own_error_for_calls(wait: Original, call: CommandCall[object]) -> object:
    from wireflight.functions import error
    from wireflight.functions.context import current_frame

    if current_frame().is_query:
        error(403, "a query cannot call a command", code="fx.no_command")
    return wait(call)


@change(
    "FUN-5",
    "lets a query call a command that a command has called",
    "wireflight.functions.call.CommandCall.__await__",
)
def called_queries_call_commands(wait: Original, call: CommandCall[object]) -> object:
    from wireflight.functions.context import current_frame

    frame = current_frame()
    if frame.is_query and frame.parent is not None and not frame.parent.is_query:
        return frame.caller.call_command(frame, call).__await__()
    return wait(call)


@change(
    "FUN-6",
    "keeps the updates of a child that failed",
    "wireflight.functions.updates.Updates.close",
)
def failed_children_keep_updates(close: Original, updates: Any) -> None:
    # a child is closed before its parent absorbs it, if it ever does
    close(updates)
    if updates._parent is not None and not updates._parent.is_closed:  # noqa: SLF001
        updates._parent.absorb(updates)  # noqa: SLF001


@change("FUN-6", "drops the updates of every child", "wireflight.functions.updates.Updates.absorb")
def children_lose_updates(_: Original, _updates: Updates, _child: Updates) -> None:
    return


@change(
    "FUN-6",
    "drops at a child's failure what its parent has said",
    f"{_CALLS}.DirectCaller.call_command",
)
async def failed_child_clears(
    call: Original, caller: object, parent: Frame, called: object
) -> object:
    try:
        return await call(caller, parent, called)
    except Exception:
        parent.updates.instructions.clear()
        raise


@change(
    "FUN-6",
    "takes the requested keys that a failed child accepted for taken",
    "wireflight.functions.updates.Updates.close",
)
def failed_children_keep_acceptances(close: Original, updates: Any) -> None:
    close(updates)
    if updates._parent is not None:  # noqa: SLF001
        updates._parent.taken.update(updates.taken)  # noqa: SLF001


# -- failures of calls ---------------------------------------------------------------------------


@change(
    "FUN-10",
    "blames the client for an argument that its own code gave",
    "wireflight.runtime.ending.Judge.judge",
)
async def refused_calls_pass_through(
    judge: Original, judging: Any, raised: Exception, event: object, **rest: bool
) -> object:
    import msgspec

    from wireflight.issues import ValidationError
    from wireflight.runtime.ending import Failed

    if isinstance(raised, msgspec.ValidationError | ValidationError):
        refused = ValidationError([])
        return Failed(await judging.invalid_argument(refused, event, sends_details=False))
    return await judge(judging, raised, event, **rest)


@change(
    "FUN-10",
    "makes internal of every failure of a query that a handler calls",
    f"{_CALLS}.DirectCaller.call_query",
    f"{_CALLS}.RememberingCaller.call_query",
)
async def failed_queries_are_internal(call: Original, *args: object) -> object:
    try:
        return await call(*args)
    except Exception as error:
        raise RuntimeError("a call failed") from error


@change(
    "FUN-10",
    "makes internal of every failure of a command that a command calls",
    f"{_CALLS}.DirectCaller.call_command",
)
async def failed_children_are_internal(call: Original, *args: object) -> object:
    try:
        return await call(*args)
    except Exception as error:
        raise RuntimeError("a call failed") from error


# -- ends ----------------------------------------------------------------------------------------


@change(
    "FUN-7",
    "does not watch for the client of a query",
    "wireflight.asgi.AsgiConnection.wait_closed",
)
async def unwatched(_: Original, _connection: object) -> None:
    import anyio

    await anyio.sleep_forever()


@patch("FUN-8", "cancels a command whose client has gone")
def cancelled_commands() -> AbstractContextManager[None]:
    def answer(original: Original) -> Original:
        async def watched(made: Any, *args: object) -> object:
            import asyncio

            from wireflight.runtime.connection import Disconnected

            running = asyncio.ensure_future(original(made, *args))
            gone = asyncio.ensure_future(made.connection.wait_closed())
            await asyncio.wait((running, gone), return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                gone.cancel()
                return running.result()
            running.cancel()
            raise Disconnected

        return watched

    return changed(f"{_ANSWERING}.answer_command", answer)


@change("FUN-9", "lets a command run as long as it takes", f"{_COMMANDING}.TimeLimit")
def endless_commands(limit: Original, running: object, milliseconds: int) -> object:
    return limit(running, milliseconds * 20)


@change("FUN-9", "lets a query run as long as it takes", "wireflight.runtime.querying.TimeLimit")
def endless_queries(limit: Original, running: object, milliseconds: int, **rest: object) -> object:
    return limit(running, milliseconds * 20, **rest)


@change(
    "FUN-9",
    "sends the invalidates of a command that took too long",
    f"{_ANSWERING}.Answer.unsuccessful",
)
def late_invalidates(unsuccessful: Original, answer: Any, ended: Any) -> object:
    from wireflight.exchange.phase import given_invalidations

    if getattr(getattr(ended, "error", None), "code", "") != "handler_timeout":
        return unsuccessful(answer, ended)
    updates = given_invalidations(answer.plan())
    return answer.server.replier.error(answer.head, ended.error, updates=updates)
