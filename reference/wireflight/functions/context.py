"""The state of one request, and the call that is running in it."""

from __future__ import annotations

from contextvars import ContextVar
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from wireflight.functions.event import Headers, RequestEvent, read_cookies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight.functions.call import CommandCall, QueryInstance
    from wireflight.functions.registry import Registry
    from wireflight.functions.requested import RequestedKey
    from wireflight.functions.updates import Updates

__all__ = [
    "Caller",
    "Frame",
    "RequestState",
    "commanding_frame",
    "current_frame",
    "get_request_event",
    "running_frame",
]

R = TypeVar("R")


class Caller(Protocol):
    """Who runs the calls that a handler makes."""

    async def call_query(self, parent: Frame, instance: QueryInstance[R]) -> R:
        """Run a query, or return what this request remembers of it.

        Raises:
            Exception: Whatever its handler raises.
        """
        ...

    async def call_command(self, parent: Frame, call: CommandCall[R]) -> R:
        """Run a command as a child of the one that calls it.

        Raises:
            Exception: Whatever its handler raises; its updates are then discarded.
        """
        ...


class RequestState:
    """What all calls of one request share.

    Attributes:
        explains: Whether somebody wants every issue of arguments that do not validate,
            whichever function it is.
        requested: The keys that the client asked to be refreshed.

    Spec: FUN-3.
    """

    __slots__ = (
        *("_headers", "_locals", "_received_cookies", "claimed_page", "explains"),
        *("raw_headers", "registry", "requested"),
    )

    def __init__(
        self,
        registry: Registry,
        *,
        raw_headers: Sequence[tuple[bytes, bytes]] = (),
        claimed_page: str | None = None,
        explains: bool = True,
    ) -> None:
        self.explains = explains
        self.registry = registry
        self.raw_headers = raw_headers
        self.claimed_page = claimed_page
        self.requested: Sequence[RequestedKey] = ()
        self._headers: Headers | None = None
        self._received_cookies: dict[str, str] | None = None
        self._locals: SimpleNamespace | None = None

    @property
    def headers(self) -> Headers:
        """The header fields, read when first asked for."""
        if self._headers is None:
            self._headers = Headers(self.raw_headers)
        return self._headers

    @property
    def received_cookies(self) -> dict[str, str]:
        """The cookies that came, read when first asked for."""
        if self._received_cookies is None:
            self._received_cookies = read_cookies(self.raw_headers)
        return self._received_cookies

    @property
    def locals(self) -> SimpleNamespace:
        """The application's own values."""
        if self._locals is None:
            self._locals = SimpleNamespace()
        return self._locals


class Frame:
    """One handler that runs: its function, its updates and where its own calls go."""

    __slots__ = (
        *("caller", "function_id", "has_set_cookie", "is_query", "key", "parent", "request"),
        "updates",
    )

    def __init__(
        self,
        request: RequestState,
        caller: Caller,
        function_id: str,
        *,
        is_query: bool,
        updates: Updates,
        parent: Frame | None = None,
        key: str | None = None,
    ) -> None:
        self.request = request
        self.caller = caller
        self.function_id = function_id
        self.is_query = is_query
        self.updates = updates
        self.parent = parent
        self.key = key
        self.has_set_cookie = False


running_frame: Final[ContextVar[Frame]] = ContextVar("wireflight_frame")


def current_frame() -> Frame:
    """Return the call that this code runs in.

    Raises:
        RuntimeError: When it runs in none.
    """
    try:
        return running_frame.get()
    except LookupError:
        raise RuntimeError(
            "this needs a running request: call it from the handler of a query or command"
        ) from None


def commanding_frame() -> Frame:
    """Return the command that this code runs in.

    Raises:
        RuntimeError: When it runs in none, or in a query that one called.

    Spec: UPD-18.
    """
    frame = current_frame()
    if frame.is_query:
        raise RuntimeError("only the handler of a command can say what becomes of held values")
    return frame


def get_request_event() -> RequestEvent:
    """Return what can be seen of the request that is being served.

    Raises:
        RuntimeError: When no request is.

    Spec: FUN-3.
    """
    return RequestEvent(current_frame())
