"""Instructions that concern more than one query instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight.functions.context import commanding_frame
from wireflight.functions.updates import InvalidateAll, InvalidateFunction, Reset

if TYPE_CHECKING:
    from wireflight.functions.call import Query

__all__ = ["invalidate", "invalidate_all", "reset"]


def invalidate(query: Query[..., Any]) -> None:
    """Tell the client that every value of this query is stale.

    For one instance there is `query(…).invalidate()`.

    Raises:
        RuntimeError: When no command is running, or its handler has ended.
        LookupError: When the query belongs to no group of the server.

    Spec: UPD-1, UPD-4, UPD-18.
    """
    frame = commanding_frame()
    frame.updates.add(InvalidateFunction(frame.request.registry.id_of(query)))


def invalidate_all() -> None:
    """Tell the client that every value it holds is stale.

    Raises:
        RuntimeError: When no command is running, or its handler has ended.

    Spec: UPD-1, UPD-4, UPD-18.
    """
    commanding_frame().updates.add(InvalidateAll())


def reset() -> None:
    """Tell the client to drop every value it holds, as after log-in and log-out.

    Raises:
        RuntimeError: When no command is running, or its handler has ended.

    Spec: UPD-1, UPD-4, UPD-18.
    """
    commanding_frame().updates.add(Reset())
