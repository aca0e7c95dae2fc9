"""The steps of ``fx/act`` and ``fx/run``, on the reference."""

from __future__ import annotations

import contextvars
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
from msgspec import UNSET

from wireflight.functions import (
    Query,
    QueryInstance,
    RequestEvent,
    error,
    get_request_event,
    invalidate,
    invalidate_all,
    redirect,
    requested,
    reset,
)

if TYPE_CHECKING:
    from .state import Runs

__all__ = ["Arguments", "Queries", "Script", "commit"]

AnyQuery = Query[..., Any]  # each has a result of its own
Arguments = tuple[tuple[object, ...], dict[str, object]]
_SECRET: Final = b"SENTINEL-SECRET"


@dataclass(frozen=True, slots=True)
class Queries:
    """The fixture functions, as the steps name them."""

    child: Callable[[str, Sequence[object]], Awaitable[object]]
    by_id: Mapping[str, tuple[AnyQuery, Callable[[object], Arguments]]]


def _text(step: Mapping[str, object], name: str) -> str:
    value = step[name]
    if not isinstance(value, str):
        raise TypeError(f"the step's {name} is no string")
    return value


def _integer(step: Mapping[str, object], name: str) -> int:
    value = step[name]
    if not isinstance(value, int):
        raise TypeError(f"the step's {name} is no integer")
    return value


async def commit(event: RequestEvent) -> None:
    """End the work of a command: do what steps have set up for this moment."""
    for action in getattr(event.locals, "at_commit", ()):
        await action()


def _at_commit(action: Callable[[], Awaitable[None]]) -> None:
    shared = get_request_event().locals
    shared.at_commit = [*getattr(shared, "at_commit", ()), action]


async def _refuse_to_commit() -> None:
    raise RuntimeError("a step lets this commit fail")


class Script:
    """One run of a list of steps."""

    def __init__(self, runs: Runs, run: str, queries: Queries, response_bytes: int) -> None:
        self._state = runs[run]
        self._run = run
        self._queries = queries
        self._response_bytes = response_bytes
        self._result: object = None
        self._finish: list[str] = []

    async def play(self, steps: Sequence[object]) -> object:
        """Do the steps in order and return what one of them says, else null."""
        try:
            for step in steps:
                if not isinstance(step, Mapping):
                    raise TypeError("a step is an object")
                await self._do(step)
        finally:
            # also when the handler is cancelled: no await stands here
            for cell in self._finish:
                self._state.cells[cell] += 1
        return self._result

    async def _do(self, step: Mapping[str, object]) -> None:
        kind = _text(step, "do")
        if kind in ("read", "return_read", "refresh", "set", "set_special"):
            await self._touch(kind, step)
        elif kind == "late":
            _at_commit(self._late(step))
        elif kind == "fail_commit":
            _at_commit(_refuse_to_commit)
        elif kind == "slow_commit":
            _at_commit(partial(anyio.sleep, _integer(step, "ms") / 1000))
        elif kind in ("open", "wait", "sleep", "child"):
            await self._wait(kind, step)
        elif kind in ("return", "return_special"):
            special = kind == "return_special"
            self._result = self._special(_text(step, "kind")) if special else step["value"]
        elif kind in ("accept", "take", "invalidate", "reset"):
            self._mark(kind, step)
        elif kind in ("add", "finish"):
            if kind == "add":
                self._state.cells[_text(step, "cell")] += _integer(step, "by")
            else:
                self._finish.append(_text(step, "cell"))
        else:
            self._end(kind, step)

    def _query(self, step: Mapping[str, object]) -> AnyQuery:
        return self._queries.by_id[_text(step, "query")][0]

    def _instance(self, step: Mapping[str, object]) -> QueryInstance[object]:
        query, spread = self._queries.by_id[_text(step, "query")]
        argument = step.get("arg", UNSET)  # null is an argument; what is undefined is absent
        if argument is UNSET:
            return query()
        args, kwargs = spread(argument)
        return query(*args, **kwargs)

    async def _touch(self, kind: str, step: Mapping[str, object]) -> None:
        instance = self._instance(step)
        if kind == "read":
            await instance
        elif kind == "return_read":
            self._result = await instance
        elif kind == "refresh":
            instance.refresh()
        elif kind == "set":
            instance.set(step["value"])
        else:
            instance.set(self._special(_text(step, "kind")))

    def _late(self, step: Mapping[str, object]) -> Callable[[], Awaitable[None]]:
        # as a task does that the handler starts and that outlives it: in the handler's context
        instance, context = self._instance(step), contextvars.copy_context()

        async def act() -> None:
            try:
                context.run(instance.refresh)
            except RuntimeError:
                self._state.cells["late"] += 1

        return act

    async def _wait(self, kind: str, step: Mapping[str, object]) -> None:
        if kind == "open":
            self._state.gate(_text(step, "gate")).set()
        elif kind == "wait":
            await self._state.gate(_text(step, "gate")).wait()
        elif kind == "sleep":
            await anyio.sleep(_integer(step, "ms") / 1000)
        else:
            await self._child(step)

    async def _child(self, step: Mapping[str, object]) -> None:
        steps = step["steps"]
        if not isinstance(steps, Sequence):
            raise TypeError("the step's steps are no array")
        call = self._queries.child(self._run, steps)
        if step.get("catch") is not True:
            await call
            return
        try:
            await call
        except Exception:  # noqa: BLE001 - section 20: its failure is caught, whatever it is
            return

    def _mark(self, kind: str, step: Mapping[str, object]) -> None:
        if kind == "accept":
            requested(self._query(step), limit=_integer(step, "limit")).refresh_all()
        elif kind == "take":
            list(requested(self._query(step), limit=_integer(step, "limit")))
        elif kind == "reset":
            reset()
        elif step.get("all") is True:
            invalidate_all()
        elif step.get("arg", UNSET) is not UNSET:
            self._instance(step).invalidate()
        else:
            invalidate(self._query(step))

    def _end(self, kind: str, step: Mapping[str, object]) -> None:
        if kind == "fail":
            code = _text(step, "code") if "code" in step else "app.error"
            error(_integer(step, "status"), _text(step, "message"), code=code)
        elif kind == "crash":
            raise RuntimeError(_text(step, "text"))
        elif kind == "redirect":
            redirect(_text(step, "location"))
        elif kind == "cookie":
            get_request_event().cookies.set(_text(step, "name"), _text(step, "value"))
        else:
            raise ValueError(f"no step {kind!r}")

    def _special(self, kind: str) -> object:
        if kind == "cyclic":
            cyclic: list[object] = []
            cyclic.append(cyclic)
            return cyclic
        if kind == "function":
            return self._special
        if kind == "large":
            return "x" * self._response_bytes
        if kind == "shared":
            shared = {"x": 1}
            return [shared, shared]
        if kind == "view":
            return memoryview(_SECRET + b"x")[-1:]
        if kind == "surrogate":
            return "\ud800"
        raise ValueError(f"no special value {kind!r}")
