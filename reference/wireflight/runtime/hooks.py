"""Where an application takes part in every request."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import msgspec

from wireflight.functions import RequestEvent
from wireflight.functions.outcomes import check_application_code, check_text
from wireflight.issues import ValidationError

if TYPE_CHECKING:
    from wireflight.messages import ErrorBody

__all__ = ["ErrorText", "Hooks", "Resolve"]

P = ParamSpec("P")
R = TypeVar("R")

Resolve = Callable[[], Awaitable[None]]
"""Reads the body and runs the call; its response follows once `handle` has returned."""

HandleHook = Callable[[RequestEvent, Resolve], Awaitable[None]]
ErrorHook = Callable[[Exception, RequestEvent], "Awaitable[ErrorText | None] | ErrorText | None"]
ValidationHook = Callable[
    [ValidationError, RequestEvent], "Awaitable[ErrorText | None] | ErrorText | None"
]
CommitHook = Callable[[RequestEvent], "Awaitable[None] | None"]
LifespanHook = Callable[[], AbstractAsyncContextManager[None]]


class ErrorText(msgspec.Struct, frozen=True, kw_only=True):
    """What an application says in place of a fixed message. Its form is not the hook's to choose.

    Attributes:
        message: The message; None keeps it.
        code: An application code, two or more identifiers joined by dots; None keeps it.
        extra: Further members of the error.
    """

    message: str | None = None
    code: str | None = None
    extra: Mapping[str, object] | None = None

    def __post_init__(self) -> None:
        if self.code is not None:
            check_application_code(self.code)
        if self.message is not None:
            check_text(self.message)

    def applied_to(self, body: ErrorBody) -> ErrorBody:
        """Return the error with this text."""
        return msgspec.structs.replace(
            body,
            message=body.message if self.message is None else self.message,
            code=body.code if self.code is None else self.code,
            extra=self.extra,
        )


class Hooks:
    """The hooks of one server; each is optional.

    Attributes:
        handle: Runs around every call of a function, after the checks of its head and
            before its body is read.
        handle_error: Is told of every unexpected exception of a handler.
        handle_validation_error: Is told of every argument that does not validate.
        after_commit: Runs after a command's handler and before the refreshes; if it
            raises, the command has failed.
        lifespan: Runs around the life of the server.
    """

    __slots__ = ("after_commit", "handle", "handle_error", "handle_validation_error", "lifespan")

    def __init__(
        self,
        *,
        handle: HandleHook | None = None,
        handle_error: ErrorHook | None = None,
        handle_validation_error: ValidationHook | None = None,
        after_commit: CommitHook | None = None,
        lifespan: LifespanHook | None = None,
    ) -> None:
        self.handle = handle
        self.handle_error = handle_error
        self.handle_validation_error = handle_validation_error
        self.after_commit = after_commit
        self.lifespan = lifespan


async def call_hook(hook: Callable[P, Awaitable[R] | R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a hook, async or not, and return what it returns."""
    result = hook(*args, **kwargs)
    return await result if inspect.isawaitable(result) else result
