"""The limits on the structure of an argument that came within a body.

The decoders count from the root of a text. In a body the argument is a member of the root,
and the limits are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.errors import DecodeError, DecodeErrorCode
from wireflight.types import WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Collection

    from wireflight.limits import Limits

__all__ = ["check_argument", "limits_of_body"]

_CONTAINERS: Final = (list, dict, WireMap, WireSet)

_LEVELS_OF_BODY: Final = 4
"""How much deeper than its argument a body may be (PLAIN-1, step 2)."""


def limits_of_body(limits: Limits) -> Limits:
    """Return limits that no body exceeds whose argument keeps to the server's."""
    return msgspec.structs.replace(
        limits,
        depth=limits.depth + _LEVELS_OF_BODY,
        container_members=max(limits.container_members, limits.table_entries),
        expanded_nodes=limits.expanded_nodes + limits.table_entries,
    )


def check_argument(argument: object, limits: Limits) -> None:
    """Count the containers of an argument, each where it occurs.

    The text it came in was decoded within `limits_of_body`, so this ends.

    Raises:
        DecodeError: `too_deep` or `too_large`.

    Spec: PAY-6 steps 13 to 15, PLAIN-1 step 5.
    """
    if not isinstance(argument, _CONTAINERS):
        return
    nodes, depth = 1, 0
    level: list[Any] = [argument]
    while level:
        depth += 1
        if depth > limits.depth:
            raise DecodeError(DecodeErrorCode.TOO_DEEP, "the argument is too deep", limit="depth")
        below: list[Any] = []
        for container in level:
            parts = _parts(container)
            if len(container) > limits.container_members:
                raise _too_large("container_members")
            nodes += len(parts)
            if nodes > limits.expanded_nodes:
                raise _too_large("expanded_nodes")
            below += [part for part in parts if isinstance(part, _CONTAINERS)]
        level = below


def _parts(container: Any) -> Collection[Any]:
    if isinstance(container, dict):
        return container.values()
    if isinstance(container, WireMap):
        return [part for pair in container.items() for part in pair]
    return list(container) if isinstance(container, WireSet) else container


def _too_large(limit: str) -> DecodeError:
    return DecodeError(DecodeErrorCode.TOO_LARGE, "the argument is too large", limit=limit)
