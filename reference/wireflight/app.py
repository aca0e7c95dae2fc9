"""The application: functions, configuration and hooks, as an ASGI app."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, TypeVar

from wireflight.asgi import Receive, Scope, Send, serve_http, serve_lifespan
from wireflight.exchange.phase import MAX_CONCURRENCY
from wireflight.exchange.settings import Settings
from wireflight.functions import Functions, Registry
from wireflight.limits import Limits
from wireflight.runtime.hooks import (
    CommitHook,
    ErrorHook,
    HandleHook,
    Hooks,
    LifespanHook,
    ValidationHook,
)
from wireflight.runtime.server import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight.types import Extensions

__all__ = ["Wireflight"]

HandleHookT = TypeVar("HandleHookT", bound=HandleHook)
ErrorHookT = TypeVar("ErrorHookT", bound=ErrorHook)
ValidationHookT = TypeVar("ValidationHookT", bound=ValidationHook)
CommitHookT = TypeVar("CommitHookT", bound=CommitHook)
LifespanHookT = TypeVar("LifespanHookT", bound=LifespanHook)

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_PROCESS_CHARS: Final = 12


def _random_process() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_PROCESS_CHARS))


def _random_error_id() -> str:
    return secrets.token_hex(8)


class Wireflight(Functions):
    """A server of remote functions: an ASGI app, to be run as it is or mounted anywhere."""

    def __init__(
        self,
        *,
        base: str = "",
        limits: Limits | None = None,
        allowed_hosts: Sequence[str] | None = None,
        allowed_origins: Sequence[str] = (),
        redirect_origins: Sequence[str] = (),
        authority: str | None = None,
        build: str | None = None,
        extensions: Extensions | None = None,
        expose_functions: bool = False,
        validation_details: bool = False,
        refresh_concurrency: int = 1,
        process: str | None = None,
        handle: HandleHook | None = None,
        handle_error: ErrorHook | None = None,
        handle_validation_error: ValidationHook | None = None,
        after_commit: CommitHook | None = None,
        lifespan: LifespanHook | None = None,
    ) -> None:
        """Configure the server; functions may be added until it runs and after.

        Args:
            base: The path below which functions live, within the path that the app is
                mounted at: empty, or `/` and more without one at the end.
            limits: The limits; the protocol's defaults if None.
            allowed_hosts: Host names that requests may be for, without ports; None allows
                all. Name them wherever browsers of the same machine can reach the server.
            allowed_origins: Other origins whose pages may call, as `https://app.example`.
            redirect_origins: Origins that queries may redirect to, beside their own.
            authority: Host and port under which browsers see the server; None takes those
                of each request's `Host`.
            build: The name of the deployment, sent with every response.
            extensions: The application's own types.
            expose_functions: Whether the manifest lists the functions and their types.
            validation_details: Whether every function sends validation issues.
            refresh_concurrency: How many refreshed queries of one request run at a time,
                1 to 8. More than one needs a database session for each.
            process: The name of this process in stamps; random if None. Name it in tests
                only: two processes with one name break the order of values.
            handle: See the method of that name, as for the other hooks.
            handle_error: As above.
            handle_validation_error: As above.
            after_commit: As above.
            lifespan: As above.

        Raises:
            ValueError: When an argument has not its form.

        Spec: LIM-1, SEC-1, SEC-2, MAN-2, ORD-1.
        """
        super().__init__()
        if not 1 <= refresh_concurrency <= MAX_CONCURRENCY:  # UPD-6
            raise ValueError(f"refresh_concurrency is 1 to {MAX_CONCURRENCY}")
        self._extensions = extensions
        self._hooks = Hooks(
            handle=handle,
            handle_error=handle_error,
            handle_validation_error=handle_validation_error,
            after_commit=after_commit,
            lifespan=lifespan,
        )
        settings = Settings(
            Registry(()),
            limits=limits or Limits(),
            extensions=extensions,
            base=base,
            allowed_hosts=allowed_hosts,
            allowed_origins=allowed_origins,
            redirect_origins=redirect_origins,
            authority=authority,
            build=build,
            exposes_functions=expose_functions,
        )
        self.server = Server(
            settings,
            self._hooks,
            process=process or _random_process(),
            new_error_id=_random_error_id,
            refresh_concurrency=refresh_concurrency,
            sends_details=validation_details,
        )

    def _changed(self) -> None:
        super()._changed()
        self.server.settings.registry = Registry(self.functions(), extensions=self._extensions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI scope.

        Raises:
            ValueError: When the scope is neither HTTP nor lifespan.
        """
        kind = scope["type"]
        if kind == "http":
            await serve_http(self.server, scope, receive, send)
        elif kind == "lifespan":
            await serve_lifespan(self._hooks.lifespan, receive, send)
        else:
            raise ValueError(f"Wireflight serves no scope of the type {kind!r}")

    def handle(self, hook: HandleHookT) -> HandleHookT:
        """Run `hook(event, resolve)` around every call: `await resolve()` makes the answer.

        It runs once for each request, after the checks of the head and before the body is
        read. An error or redirect raised instead of awaiting `resolve` is the answer.

        Spec: CHK-1, UPD-9, SEC-9.
        """
        self._hooks.handle = hook
        return hook

    def handle_error(self, hook: ErrorHookT) -> ErrorHookT:
        """Tell `hook(exception, event)` of every unexpected exception of a handler.

        It may return an `ErrorText` in place of the fixed message.

        Spec: ERR-3.
        """
        self._hooks.handle_error = hook
        return hook

    def handle_validation_error(self, hook: ValidationHookT) -> ValidationHookT:
        """Tell `hook(error, event)` of every argument that does not validate.

        It may return an `ErrorText` in place of the fixed message.

        Spec: ISS-4.
        """
        self._hooks.handle_validation_error = hook
        return hook

    def after_commit(self, hook: CommitHookT) -> CommitHookT:
        """Run `hook(event)` after a command's handler and before the refreshes.

        Here a transaction of the request ends; if the hook raises, the command has failed.
        What becomes of held values has been said by then.

        Spec: UPD-3, UPD-18, FUN-9.
        """
        self._hooks.after_commit = hook
        return hook

    def lifespan(self, hook: LifespanHookT) -> LifespanHookT:
        """Enter the context manager that `hook()` returns for the life of the server."""
        self._hooks.lifespan = hook
        return hook
