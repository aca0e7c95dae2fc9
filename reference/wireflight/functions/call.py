"""Functions as application code calls them, and the handles that such calls give."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar

from wireflight.functions.context import commanding_frame, current_frame
from wireflight.functions.signature import Signature
from wireflight.functions.updates import Invalidate, Refresh, SetValue

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

    from wireflight.functions.context import Frame

__all__ = ["Command", "CommandCall", "Function", "Query", "QueryInstance", "Registered"]

P = ParamSpec("P")
R = TypeVar("R")


class Registered:
    """What `refresh()`, `set()` and `invalidate()` return: done already, may be awaited."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        """Return at once: awaited or not, the instruction stands."""
        yield from ()


REGISTERED: Final = Registered()


class Function(Generic[P, R]):
    """A handler with what the server knows of it: name, parameters, options."""

    def __init__(
        self,
        handler: Callable[P, Awaitable[R]] | Callable[P, R],
        *,
        name: str | None = None,
        sends_details: bool = False,
    ) -> None:
        """Read the handler's signature.

        Raises:
            TypeError: When it is a generator, or a parameter has no place in an argument.
        """
        if inspect.isasyncgenfunction(handler) or inspect.isgeneratorfunction(handler):
            raise TypeError(f"{handler!r} yields: only live queries do, which are not here yet")
        self.handler = handler
        self.name: str = handler.__name__ if name is None else name
        self.signature = Signature(handler)
        self.sends_details = sends_details
        self.is_async = inspect.iscoroutinefunction(handler)
        self.__name__ = handler.__name__
        self.__doc__ = handler.__doc__
        self.__module__ = handler.__module__
        self.__wrapped__ = handler

    def __repr__(self) -> str:
        return f"<{type(self).__name__.lower()} {self.name}>"


class Query(Function[P, R]):
    """A function that reads."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> QueryInstance[R]:
        """Name one instance: await it for its value, or say what became of it.

        Outside of a request the instance can be made but not used; tests that want the
        bare function call `handler`.

        Spec: KEY-7.
        """
        return QueryInstance(self, args, kwargs)


class Command(Function[P, R]):
    """A function that writes."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> CommandCall[R]:
        """Call the command as a child of the one that runs; await the result.

        Raises:
            RuntimeError: When it is awaited outside of a request or within a query.

        Spec: FUN-5, FUN-6.
        """
        return CommandCall(self, args, kwargs)


class CommandCall(Generic[R]):
    """A call of a command from a handler, which runs when it is awaited."""

    __slots__ = ("args", "command", "kwargs")

    def __init__(
        self, command: Command[..., R], args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> None:
        self.command = command
        self.args = args
        self.kwargs = kwargs

    def __await__(self) -> Generator[Any, None, R]:
        """Run the command and return its result."""
        frame = current_frame()
        if frame.is_query:  # FUN-5
            raise RuntimeError(f"{self.command!r} was called by a query, which only reads")
        return frame.caller.call_command(frame, self).__await__()


class QueryInstance(Generic[R]):
    """One query with one argument: what a client holds under one key."""

    __slots__ = ("_is_checked", "_key", "args", "kwargs", "query")

    def __init__(
        self,
        query: Query[..., R],
        args: tuple[object, ...],
        kwargs: dict[str, Any],
        *,
        key: str | None = None,
    ) -> None:
        self.query = query
        self.args = args
        self.kwargs = kwargs
        self._key = key
        self._is_checked = key is not None  # then the arguments are those of the client

    def __await__(self) -> Generator[Any, None, R]:
        """Run the query and return its value.

        Raises:
            RuntimeError: When no request is running.

        Spec: FUN-4.
        """
        frame = current_frame()
        return frame.caller.call_query(frame, self).__await__()

    def key(self) -> str:
        """Return the key under which clients hold this instance.

        Raises:
            RuntimeError: When no request is running.
            LookupError: When the query belongs to no group of the server.
            EncodeError: When an argument has no normal form.

        Spec: KEY-6, KEY-7.
        """
        return self.key_in(current_frame())

    def key_in(self, frame: Frame) -> str:
        """Return the key, by the ids of the server that a frame belongs to."""
        if self._key is None:
            self._key = frame.request.registry.key_of(self.query, self.args, self.kwargs)
        return self._key

    def _checked_key(self, frame: Frame) -> str:
        """Return the key of an instance that an instruction can name.

        Raises:
            ValidationError: When the query's types refuse the arguments.
            EncodeError: When an argument has no normal form.

        Spec: UPD-18.
        """
        if not self._is_checked:
            self.query.signature.check_written(self.args, self.kwargs)
            self._is_checked = True
        return self.key_in(frame)

    def refresh(self) -> Registered:
        """Send a new value with the response, read once the command is done.

        From the handler of a query that is itself refreshed, the value is read in the next
        round; from that of any other query this has no effect.

        Raises:
            RuntimeError: When no request is running, or its handler has ended.
            ValidationError: When the query's types refuse an argument.
            EncodeError: When an argument has no normal form.

        Spec: UPD-2, UPD-4, UPD-5, UPD-18, KEY-7.
        """
        frame = current_frame()
        frame.updates.add(Refresh(self._checked_key(frame), self))
        return REGISTERED

    def set(self, value: R) -> Registered:
        """Send this value with the response, as it is when the handler has returned.

        Raises:
            RuntimeError: When no command is running, or its handler has ended.
            ValidationError: When the query's types refuse an argument.
            EncodeError: When an argument has no normal form.

        Spec: UPD-2, UPD-4, UPD-18, ORD-3.
        """
        frame = commanding_frame()
        frame.updates.add(SetValue(self._checked_key(frame), value))
        return REGISTERED

    def invalidate(self) -> Registered:
        """Tell the client that what it holds for this instance is stale.

        Raises:
            RuntimeError: When no command is running, or its handler has ended.
            ValidationError: When the query's types refuse an argument.
            EncodeError: When an argument has no normal form.

        Spec: UPD-2, UPD-4, UPD-18.
        """
        frame = commanding_frame()
        frame.updates.add(Invalidate(self._checked_key(frame)))
        return REGISTERED
