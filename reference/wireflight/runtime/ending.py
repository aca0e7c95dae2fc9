"""How a call ends, and which error an exception becomes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from wireflight.exchange.codes import ErrorCode, error_body
from wireflight.exchange.locations import is_location_allowed
from wireflight.functions import ApplicationError, CookieInQuery, RedirectRaised, RequestEvent
from wireflight.messages import ErrorBody
from wireflight.runtime.hooks import Hooks, call_hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireflight.exchange.settings import Settings
    from wireflight.functions.updates import Unaccepted
    from wireflight.issues import ValidationError

__all__ = ["Ended", "Failed", "Judge", "Redirected", "Returned"]

logger = logging.getLogger("wireflight")


class Returned(msgspec.Struct, frozen=True):
    """The handler returned."""

    value: object


class Redirected(msgspec.Struct, frozen=True):
    """The handler redirected to a place that is allowed."""

    location: str


class Failed(msgspec.Struct, frozen=True):
    """The call failed."""

    error: ErrorBody
    is_raised: bool = False
    """Whether the handler raised this error itself."""


Ended = Returned | Redirected | Failed


_MAX_DEPTH: Final = 16


def sole_exception(error: Exception) -> Exception:
    """Return what a group holds if it is one exception, as task groups wrap it."""
    for _ in range(_MAX_DEPTH):
        if not isinstance(error, ExceptionGroup) or len(error.exceptions) != 1:
            break
        error = error.exceptions[0]
    return error


class Judge:
    """Finds the error that a client gets for an exception."""

    __slots__ = ("_details", "_hooks", "_new_error_id", "_settings")

    def __init__(
        self,
        settings: Settings,
        hooks: Hooks,
        *,
        new_error_id: Callable[[], str],
        sends_details: bool,
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._new_error_id = new_error_id
        self._details = sends_details

    @property
    def explains(self) -> bool:
        """Whether every issue of an argument is wanted, whichever function it is for."""
        return self._details or self._hooks.handle_validation_error is not None

    async def judge(self, raised: Exception, event: RequestEvent, *, is_query: bool) -> Ended:
        """Find how a call ended whose handler raised.

        Spec: ENV-4, ENV-5, ENV-6, ENV-10, ERR-3.
        """
        error = sole_exception(raised)
        if isinstance(error, ApplicationError):
            body = ErrorBody(status=error.status, code=error.code, message=error.message)
            return Failed(body, is_raised=True)
        if isinstance(error, RedirectRaised):
            return self._redirected(error, event, is_query=is_query)
        if isinstance(error, CookieInQuery):
            return Failed(error_body(ErrorCode.COOKIE_IN_QUERY))
        return Failed(await self.internal(error, event))

    def _redirected(
        self, error: RedirectRaised, event: RequestEvent, *, is_query: bool
    ) -> Redirected | Failed:
        if not is_query:
            # An authorisation guard that redirects must not look like success.
            logger.warning("the command %s redirected", event.function_id)
            return Failed(error_body(ErrorCode.REDIRECT_IN_COMMAND))
        if not is_location_allowed(error.location, self._settings):
            logger.error("%s redirected to a place that is not allowed", event.function_id)
            return Failed(error_body(ErrorCode.INVALID_REDIRECT))
        return Redirected(error.location)

    def unexpected(self, error: Exception, place: str = "the server") -> ErrorBody:
        """Log an exception under a new id and make the error that shows the id alone.

        Spec: ERR-3.
        """
        error_id = self._new_error_id()
        logger.error("%s failed; error %s", place, error_id, exc_info=error)
        return error_body(ErrorCode.INTERNAL, id=error_id)

    async def internal(self, error: Exception, event: RequestEvent) -> ErrorBody:
        """As `unexpected`, and let the application say more."""
        body = self.unexpected(error, event.function_id)
        hook = self._hooks.handle_error
        if hook is None:
            return body
        try:
            text = await call_hook(hook, error, event)
        except Exception:  # a hook that fails must not hide the error it was told of
            logger.exception("handle_error failed for error %s", body.id)
            return body
        return body if text is None else text.applied_to(body)

    async def invalid_argument(
        self, error: ValidationError, event: RequestEvent, *, sends_details: bool
    ) -> ErrorBody:
        """Make the error of an argument that does not validate.

        Spec: ISS-2, ISS-4.
        """
        body = error_body(ErrorCode.INVALID_ARGUMENT)
        if sends_details or self._details:
            issues = [msgspec.to_builtins(issue) for issue in error.issues]
            body = msgspec.structs.replace(body, issues=issues)
        hook = self._hooks.handle_validation_error
        if hook is None:
            return body
        try:
            text = await call_hook(hook, error, event)
        except Exception:
            logger.exception("handle_validation_error failed for %s", event.function_id)
            return body
        return body if text is None else text.applied_to(body)

    async def unaccepted(self, unaccepted: Unaccepted, event: RequestEvent) -> ErrorBody:
        """Make the error of a requested key that fell through.

        Spec: REQ-3, steps 5 and 6.
        """
        if unaccepted.validation is None:
            return error_body(ErrorCode(unaccepted.reason.value))
        return await self.invalid_argument(
            unaccepted.validation, event, sends_details=unaccepted.with_details
        )
