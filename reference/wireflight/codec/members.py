"""The members of sets and maps: told apart and, where the order may show, sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight.codec.normal import in_text_order
from wireflight.errors import EncodeError
from wireflight.scalars import scalar_text
from wireflight.types import WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["key_text", "members_in_order"]

_BYTES: Final = (bytes, bytearray, memoryview)


def key_text(value: object) -> str | None:
    """Return the payload text of a scalar, or None for a container or bytes.

    Raises:
        EncodeError: When the scalar cannot be encoded.

    Spec: KEY-3.
    """
    try:
        return scalar_text(value)
    except (ValueError, OverflowError) as error:
        raise EncodeError(f"a map key or set item cannot be sent: {error}") from error


def members_in_order(
    value: Any,
    *,
    project: Callable[[object], object],
    text_of_container: Callable[[object], str],
    is_sorted: bool,
) -> list[tuple[object, ...]]:
    """List the items of a set, as 1-tuples, or the pairs of a map.

    Args:
        value: A set, frozenset, WireSet, WireMap or dict.
        project: Reads an item or key as a value of the data model.
        text_of_container: Spells an item or key that is no scalar; it may refuse.
        is_sorted: Whether to sort; sets of Python are sorted always, because the order of
            hashes must not show.

    Raises:
        EncodeError: When two keys or items are equal, or one cannot be encoded.

    Spec: PAY-4, KEY-1 steps 4 and 5, KEY-3.
    """
    members: list[tuple[object, ...]]
    if isinstance(value, (dict, WireMap)):
        members = list(value.items())
    else:
        members = [(item,) for item in value]
        is_sorted = is_sorted or not isinstance(value, WireSet)
    texts: list[str] = []
    seen: set[object] = set()
    read: list[tuple[object, ...]] = []
    for member in members:
        key = project(member[0])
        text = key_text(key)
        identity: object = text
        if text is None:
            identity = (bytes(key),) if isinstance(key, _BYTES) else id(key)
            text = text_of_container(key) if is_sorted else ""
        if identity in seen:
            raise EncodeError("two map keys or set items are equal on the wire")  # PAY-4, KEY-1
        seen.add(identity)
        texts.append(text)
        read.append((key, *member[1:]))
    return in_text_order(read, texts) if is_sorted else read
