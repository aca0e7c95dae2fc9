"""The value model of section 3 as Python values that keep all its types apart."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, Union

__all__ = [
    "UNDEFINED",
    "BigInt",
    "Date",
    "Extension",
    "Map",
    "Set",
    "Undefined",
    "Value",
    "number",
    "same",
    "show",
]


class Undefined(enum.Enum):
    """The value *undefined*, which is not null."""

    UNDEFINED = "undefined"

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined.UNDEFINED


@dataclass(frozen=True, slots=True)
class BigInt:
    """An integer of any size: `1n` is ``BigInt(1)``, and ``1`` is a number."""

    value: int


@dataclass(frozen=True, slots=True)
class Date:
    """An instant, in its form on the wire."""

    text: str


@dataclass(frozen=True, slots=True)
class Map:
    """Pairs in their order."""

    pairs: Sequence[tuple[Value, Value]]


@dataclass(frozen=True, slots=True)
class Set:
    """Items in their order."""

    items: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Extension:
    """A value under the name of an application's type."""

    name: str
    value: Value


# Both int and float are *numbers*; BigInt is the other type.
Value: TypeAlias = Union[
    Undefined,
    bool,
    int,
    float,
    str,
    bytes,
    BigInt,
    Date,
    Map,
    Set,
    Extension,
    "Sequence[Value]",
    "Mapping[str, Value]",
    None,
]

_SAFE: Final = 2**53 - 1


def number(value: float) -> int | float:
    """Return the double as an int where that loses nothing: `1.0` and `1` are one number."""
    if value.is_integer() and abs(value) <= _SAFE and not (value == 0 and _negative(value)):
        return int(value)
    return value


def _negative(value: float) -> bool:
    return math.copysign(1.0, value) < 0


def same(left: Value, right: Value, *, ordered: bool = False) -> bool:
    """Tell whether two values are one value of section 3.

    Types are compared first (`True` is not `1`), NaN equals NaN, −0 is not 0. The order of
    members, pairs and items counts only with `ordered`.
    """
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, int | float) and isinstance(right, int | float):
        return _same_number(float(left), float(right))
    if isinstance(left, str) or isinstance(right, str):
        return isinstance(left, str) and isinstance(right, str) and left == right
    if isinstance(left, bytes) or isinstance(right, bytes):
        return isinstance(left, bytes) and isinstance(right, bytes) and left == right
    if isinstance(left, Mapping):
        return isinstance(right, Mapping) and _same_object(left, right, ordered)
    if isinstance(left, Sequence):
        return isinstance(right, Sequence) and _same_items(left, right, ordered)
    if isinstance(left, Map):
        return isinstance(right, Map) and _same_pairs(left, right, ordered)
    if isinstance(left, Set):
        return isinstance(right, Set) and _same_bag(left.items, right.items, ordered)
    if isinstance(left, Extension) and isinstance(right, Extension):
        return left.name == right.name and same(left.value, right.value, ordered=ordered)
    return type(left) is type(right) and left == right


def _same_number(left: float, right: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right and _negative(left) == _negative(right)


def _same_items(left: Sequence[Value], right: Sequence[Value], ordered: bool) -> bool:
    return len(left) == len(right) and all(
        same(a, b, ordered=ordered) for a, b in zip(left, right, strict=True)
    )


def _same_bag(left: Sequence[Value], right: Sequence[Value], ordered: bool) -> bool:
    if ordered:
        return _same_items(left, right, ordered)
    rest = list(right)
    for item in left:
        for index, other in enumerate(rest):
            if same(item, other):
                del rest[index]
                break
        else:
            return False
    return not rest


def _same_pairs(left: Map, right: Map, ordered: bool) -> bool:
    pairs_left: list[Value] = [list(pair) for pair in left.pairs]
    pairs_right: list[Value] = [list(pair) for pair in right.pairs]
    return _same_bag(pairs_left, pairs_right, ordered)


def _same_object(left: Mapping[str, Value], right: Mapping[str, Value], ordered: bool) -> bool:
    if ordered and list(left) != list(right):
        return False
    return left.keys() == right.keys() and all(
        same(left[name], right[name], ordered=ordered) for name in left
    )


def show(value: Value, limit: int = 400) -> str:
    """Return the value as a person would write it, at most about `limit` characters."""
    pieces: list[str] = []
    room = limit
    # a piece after the other, so that of a large value no more is written than is shown
    for piece in _pieces(value):
        pieces.append(piece)
        room -= len(piece)
        if room < 0:
            return "".join(pieces)[:limit] + "…"
    return "".join(pieces)


def _pieces(value: Value) -> Iterator[str]:
    if isinstance(value, Mapping):
        named = ((f"{name!r}: ", item) for name, item in value.items())
        yield from _joined("{", named, "}")
    elif isinstance(value, Map):
        yield "Map"
        yield from _joined("{", ((f"{show(k)} => ", v) for k, v in value.pairs), "}")
    elif isinstance(value, Set):
        yield "Set"
        yield from _joined("{", (("", item) for item in value.items), "}")
    elif isinstance(value, Extension):
        yield f"{value.name}("
        yield from _pieces(value.value)
        yield ")"
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        yield from _joined("[", (("", item) for item in value), "]")
    else:
        yield _scalar(value)


def _joined(opening: str, parts: Iterable[tuple[str, Value]], closing: str) -> Iterator[str]:
    yield opening
    comma = ""
    for label, part in parts:
        yield comma + label
        yield from _pieces(part)
        comma = ", "
    yield closing


def _scalar(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, BigInt):
        return f"{value.value}n"
    if isinstance(value, Date):
        return f"Date({value.text})"
    return repr(value)
