"""The orders of the normal form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from wireflight.scalars import utf16_order

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["in_member_order", "in_text_order"]

T = TypeVar("T")

_MAX_ARRAY_INDEX: Final = 2**32 - 2
_DIGITS: Final = frozenset("0123456789")


def _is_array_index(name: str) -> bool:
    """Tell whether ECMAScript enumerates a member name before all others."""
    if name[:1] not in _DIGITS or len(name) > 10 or not (name.isascii() and name.isdigit()):
        return False
    return (name[0] != "0" or len(name) == 1) and int(name) <= _MAX_ARRAY_INDEX


def in_member_order(names: Iterable[str]) -> list[str]:
    """Sort member names: array indexes by number, then the others by UTF-16 code unit.

    Spec: KEY-1 step 3, KEY-9.
    """
    ordered = sorted(names)
    if not ordered:
        return ordered
    # Code points sort as UTF-16 does unless characters beyond U+FFFF take part.
    if not all(map(str.isascii, ordered)):
        ordered.sort(key=utf16_order)
    indexes = [name for name in ordered if _is_array_index(name)]
    if not indexes:
        return ordered
    taken = set(indexes)
    return sorted(indexes, key=int) + [name for name in ordered if name not in taken]


def in_text_order(members: Iterable[T], texts: Iterable[str]) -> list[T]:
    """Sort members by their texts, by UTF-16 code unit.

    Spec: KEY-1 step 5, KEY-9.
    """
    pairs = sorted(zip(texts, members, strict=True), key=lambda pair: utf16_order(pair[0]))
    return [member for _, member in pairs]
