"""Groups of functions: the decorators that make them and how groups are joined."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from wireflight.functions.call import Command, Function, Query
from wireflight.keys import is_function_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["CommandDecorator", "Functions", "QueryDecorator"]

P = ParamSpec("P")
R = TypeVar("R")


class Functions:
    """A group of functions, to be included in a server or in another group."""

    def __init__(self, *, prefix: str = "") -> None:
        """Start an empty group.

        Args:
            prefix: Identifiers joined by `/` that stand before every id of the group.

        Raises:
            ValueError: When the prefix cannot stand in an id.
        """
        self._prefix = _checked_prefix(prefix)
        self._own: dict[str, Function[..., Any]] = {}
        self._included: list[tuple[str, Functions]] = []
        self._includers: list[Functions] = []
        self.query = QueryDecorator(self)
        self.command = CommandDecorator(self)

    def include(self, source: Functions | ModuleType, *, prefix: str = "") -> None:
        """Take over the functions of a group, or of every group that a module holds.

        Functions that the group gets later are taken over as well.

        Args:
            source: The group, or the module in which groups are variables.
            prefix: What stands before their ids, and a `/`; their own prefix follows.

        Raises:
            ValueError: When an id would come twice, the prefix cannot stand in an id, or
                the module holds no group.

        Spec: FUN-1, KEY-8.
        """
        prefix = _checked_prefix(prefix)
        if isinstance(source, ModuleType):
            groups = {id(g): g for g in vars(source).values() if isinstance(g, Functions)}
            groups.pop(id(self), None)
            if not groups:
                raise ValueError(f"the module {source.__name__} holds no group of functions")
            for group in groups.values():
                self._include(group, prefix)
        else:
            self._include(source, prefix)

    def _include(self, group: Functions, prefix: str) -> None:
        if any(inner is self for inner in group.groups()):
            raise ValueError("a group cannot include itself")
        self._included.append((prefix, group))
        group._includers.append(self)
        try:
            self._changed()
        except ValueError:
            self._included.pop()
            group._includers.pop()
            self._changed()
            raise

    def groups(self) -> Iterator[Functions]:
        """List this group and every one that it includes."""
        yield self
        for _, group in self._included:
            yield from group.groups()

    def functions(self) -> Iterator[tuple[str, Function[..., Any]]]:
        """List every function of the group with its id, included groups last."""
        for name, function in self._own.items():
            yield _joined(self._prefix, name), function
        for prefix, group in self._included:
            for function_id, function in group.functions():
                yield _joined(self._prefix, _joined(prefix, function_id)), function

    def add(self, function: Function[..., Any], function_id: str) -> None:
        """Add a function that was made without a decorator.

        Raises:
            ValueError: When the id has not the form of one, or is taken.

        Spec: FUN-1, KEY-8.
        """
        if not is_function_id(_joined(self._prefix, function_id)):
            raise ValueError(f"{function_id!r} is no function id: identifiers joined by '/'")
        if function_id in self._own:
            raise ValueError(f"two functions have the id {function_id!r}")
        self._own[function_id] = function
        try:
            self._changed()
        except ValueError:
            del self._own[function_id]
            self._changed()
            raise

    def _changed(self) -> None:
        """Let every group above look at its ids again.

        Raises:
            ValueError: When two functions of this group or of one above have one id.
        """
        seen: set[str] = set()
        for function_id, _ in self.functions():
            if function_id in seen:
                raise ValueError(f"two functions have the id {function_id!r}")
            if not is_function_id(function_id):
                raise ValueError(f"{function_id!r} is no function id: it is too long")
            seen.add(function_id)
        for includer in self._includers:
            includer._changed()  # noqa: SLF001 - another object of this class


class QueryDecorator:
    """Makes queries of functions that read. Other kinds of query will be its members."""

    __slots__ = ("_group",)

    def __init__(self, group: Functions) -> None:
        self._group = group

    @overload
    def __call__(self, handler: Callable[P, Awaitable[R]], /) -> Query[P, R]: ...
    @overload
    def __call__(self, handler: Callable[P, R], /) -> Query[P, R]: ...
    @overload
    def __call__(self, /, *, id: str | None = None, details: bool = False) -> QueryMaker: ...

    def __call__(
        self,
        handler: Callable[..., Any] | None = None,
        /,
        *,
        id: str | None = None,  # noqa: A002 - the wire's word
        details: bool = False,
    ) -> Query[..., Any] | QueryMaker:
        """Make a query.

        Args:
            handler: The function; without it, the options of a decorator.
            id: The id within the group; the function's name if None.
            details: Whether validation issues are sent to the client.

        Raises:
            TypeError: When a parameter has no place in an argument.
            ValueError: When the id has not the form of one, or is taken.

        Spec: FUN-1, HTTP-2, ISS-4.
        """
        maker = QueryMaker(self._group, id, details)
        return maker if handler is None else maker(handler)


class QueryMaker:
    """`query` with its options given."""

    __slots__ = ("_details", "_group", "_id")

    def __init__(self, group: Functions, function_id: str | None, details: bool) -> None:
        self._group = group
        self._id = function_id
        self._details = details

    @overload
    def __call__(self, handler: Callable[P, Awaitable[R]], /) -> Query[P, R]: ...
    @overload
    def __call__(self, handler: Callable[P, R], /) -> Query[P, R]: ...

    def __call__(self, handler: Callable[..., Any], /) -> Query[..., Any]:
        """Make a query of the function."""
        query: Query[..., Any] = Query(handler, name=self._id, sends_details=self._details)
        self._group.add(query, query.name)
        return query


class CommandDecorator:
    """Makes commands of functions that write."""

    __slots__ = ("_group",)

    def __init__(self, group: Functions) -> None:
        self._group = group

    @overload
    def __call__(self, handler: Callable[P, Awaitable[R]], /) -> Command[P, R]: ...
    @overload
    def __call__(self, handler: Callable[P, R], /) -> Command[P, R]: ...
    @overload
    def __call__(self, /, *, id: str | None = None, details: bool = False) -> CommandMaker: ...

    def __call__(
        self,
        handler: Callable[..., Any] | None = None,
        /,
        *,
        id: str | None = None,  # noqa: A002 - the wire's word
        details: bool = False,
    ) -> Command[..., Any] | CommandMaker:
        """Make a command.

        Args:
            handler: The function; without it, the options of a decorator.
            id: The id within the group; the function's name if None.
            details: Whether validation issues are sent to the client.

        Raises:
            TypeError: When a parameter has no place in an argument.
            ValueError: When the id has not the form of one, or is taken.

        Spec: FUN-1, HTTP-2, ISS-4.
        """
        maker = CommandMaker(self._group, id, details)
        return maker if handler is None else maker(handler)


class CommandMaker:
    """`command` with its options given."""

    __slots__ = ("_details", "_group", "_id")

    def __init__(self, group: Functions, function_id: str | None, details: bool) -> None:
        self._group = group
        self._id = function_id
        self._details = details

    @overload
    def __call__(self, handler: Callable[P, Awaitable[R]], /) -> Command[P, R]: ...
    @overload
    def __call__(self, handler: Callable[P, R], /) -> Command[P, R]: ...

    def __call__(self, handler: Callable[..., Any], /) -> Command[..., Any]:
        """Make a command of the function."""
        command: Command[..., Any] = Command(handler, name=self._id, sends_details=self._details)
        self._group.add(command, command.name)
        return command


def _checked_prefix(prefix: str) -> str:
    if prefix and not is_function_id(prefix):
        raise ValueError(f"{prefix!r} cannot stand before an id: identifiers joined by '/'")
    return prefix


def _joined(prefix: str, rest: str) -> str:
    return f"{prefix}/{rest}" if prefix else rest
