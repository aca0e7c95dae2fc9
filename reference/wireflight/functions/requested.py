"""Keys that the client asked to be refreshed, and how a handler accepts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from wireflight.functions.call import REGISTERED, Query, QueryInstance, Registered
from wireflight.functions.context import Frame, commanding_frame
from wireflight.functions.updates import RefusalReason, Unaccepted
from wireflight.issues import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Requested", "RequestedInstance", "RequestedKey", "requested"]

R = TypeVar("R")


class RequestedKey(msgspec.Struct, frozen=True):
    """One string of the client's list, as far as it was judged without a handler.

    Attributes:
        key: The string as it came.
        query: The query that it names, or None if there is a refusal.
        argument: The decoded argument.
        refusal: Why it can never be refreshed, or None.
        limit: The name of the limit that its payload passed, if it did.
        position: Where its payload is at fault, if it is.
    """

    key: str
    query: Query[..., Any] | None = None
    argument: object = msgspec.UNSET
    refusal: RefusalReason | None = None
    limit: str | None = None
    position: str = ""


class RequestedInstance(QueryInstance[R]):
    """A query instance that keeps the key exactly as the client sent it.

    Attributes:
        argument: The validated argument: the bare value of a single parameter, a dict of
            several, `msgspec.UNSET` of none.

    Spec: KEY-6.
    """

    __slots__ = ("argument",)

    def __init__(
        self, query: Query[..., R], args: tuple[object, ...], kwargs: dict[str, Any], *, key: str
    ) -> None:
        super().__init__(query, args, kwargs, key=key)
        self.argument = query.signature.as_written(args, kwargs)


class Requested(Generic[R]):
    """The requested keys of one query, up to a limit.

    Iterating over it offers each as a handle; the handler says what becomes of it by
    `refresh()`, `set()` or `invalidate()`, and one of which it says nothing is ignored.
    """

    __slots__ = ("_limit", "_query")

    def __init__(self, query: Query[..., R], limit: int) -> None:
        self._query = query
        self._limit = limit

    def __iter__(self) -> Iterator[RequestedInstance[R]]:
        """Take keys in the client's order; those over the limit are refused.

        Raises:
            RuntimeError: When no command is running.

        Spec: REQ-3, REQ-4.
        """
        frame = commanding_frame()
        taken = 0
        instances: list[RequestedInstance[R]] = []
        for requested_key in frame.request.requested:
            if requested_key.query is not self._query or frame.updates.has_taken(requested_key.key):
                continue
            if taken >= self._limit:
                frame.updates.add(Unaccepted(requested_key.key, RefusalReason.REFRESH_LIMIT))
                continue
            taken += 1
            frame.updates.taken.add(requested_key.key)
            instance = self._bind(frame, requested_key)
            if instance is not None:
                instances.append(instance)
        return iter(instances)

    def _bind(self, frame: Frame, requested_key: RequestedKey) -> RequestedInstance[R] | None:
        query = self._query
        try:
            args, kwargs = query.signature.bind(
                requested_key.argument, explain=query.sends_details or frame.request.explains
            )
        except ValidationError as error:
            frame.updates.add(
                Unaccepted(
                    requested_key.key,
                    RefusalReason.INVALID_ARGUMENT,
                    validation=error,
                    with_details=query.sends_details,
                )
            )
            return None
        return RequestedInstance(query, args, kwargs, key=requested_key.key)

    def refresh_all(self) -> Registered:
        """Accept them: each is refreshed once the command is done.

        Raises:
            RuntimeError: When no command is running, or its handler has ended.

        Spec: UPD-4, REQ-3, REQ-4.
        """
        for instance in self:
            instance.refresh()
        return REGISTERED


def requested(query: Query[..., R], *, limit: int) -> Requested[R]:
    """Look at the keys of a query that the client asked to be refreshed.

    Args:
        query: The query.
        limit: How many keys this acceptance covers at most, 1 or more.

    Returns:
        What accepts them all, or iterates over them.

    Raises:
        ValueError: When the limit is below 1.

    Spec: REQ-3, REQ-4.
    """
    if limit < 1:
        raise ValueError("an acceptance covers at least one key")
    return Requested(query, limit)
