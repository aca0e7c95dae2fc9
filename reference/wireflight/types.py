"""The values that Python has no type for, and the registry of extensions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec

from wireflight.scalars import MAX_SAFE_INTEGER, BigInt, bytes_text, scalar_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "AS_MAP",
    "MODEL_TYPES",
    "BigInt",
    "Extension",
    "Extensions",
    "Identity",
    "WireMap",
    "WireSet",
    "member_identity",
]

T = TypeVar("T")

AS_MAP: Final = "wireflight.map"
"""What lets a dict with strings for keys be a map of the wire, as other dicts are.

Say it in the `extra` of a `msgspec.Meta`: `Annotated[dict[str, int], Meta(extra={AS_MAP: True})]`.
"""

_BYTES: Final = (bytes, bytearray, memoryview)
_new: Final = object.__new__

Identity = str | int | float | bytes | tuple[int | bytes, ...] | None
"""What makes a member equal to another.

A string and a number are their own, another scalar has its text as bytes, a byte string has
its bytes in a tuple, and whatever else there is has its address in one, with its place if it
stands for several entries.
"""


def member_identity(value: object) -> Identity:
    """Return what tells a map key or a set item apart from every other.

    Scalars are told apart as their payload texts are, so `1`, `True`, `"1"` and a bigint 1
    differ, `1` and `1.0` do not, and NaN is equal to itself. Bigints, of which any number can
    be chosen to collide, are hashed as texts with the interpreter's secret. Byte strings are
    told apart by their bytes, containers by identity.

    Raises:
        ValueError: When a scalar has no text, such as a naive datetime.
        OverflowError: When a date leaves the range of years in UTC.

    Spec: KEY-3, PAY-6 step 12, PAY-8.
    """
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, int) and not isinstance(value, (bool, BigInt)):
        if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            return value if type(value) is int else int.__int__(value)
    elif isinstance(value, float) and isfinite(value):
        return float.__float__(value)
    if isinstance(value, _BYTES):
        return (bytes(value),)
    text = scalar_text(value)
    return (id(value),) if text is None else text.encode()


def _comparable(value: object) -> object:
    """Return something that compares as the value does, for members without a text."""
    return bytes_text(value) if isinstance(value, _BYTES) else value


class WireSet:
    """A set that keeps the order of its items and tells them apart as the wire does.

    Items need not be hashable. Two sets are equal when their scalars have the same texts
    and their other items are equal in order.
    """

    __slots__ = ("_items",)
    __hash__ = None  # type: ignore[assignment]

    _items: dict[Identity, object]

    def __init__(self, items: Iterable[object] = ()) -> None:
        """Collect the items; of equal ones the first stays.

        Raises:
            ValueError: When an item is a scalar without a text, such as a naive datetime.
            OverflowError: When a date leaves the range of years in UTC.
        """
        collected: dict[Identity, object] = {}
        for item in items:
            collected.setdefault(member_identity(item), item)
        self._items = collected

    @classmethod
    def from_identified(cls, items: dict[Identity, object]) -> WireSet:
        """Take over items whose identities are known already."""
        made = _new(cls)
        made._items = items  # noqa: SLF001 (an instance of this class)
        return made

    def __contains__(self, item: object) -> bool:
        return member_identity(item) in self._items

    def __iter__(self) -> Iterator[object]:
        return iter(self._items.values())

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WireSet):
            return NotImplemented
        return _scalars(self._items).keys() == _scalars(other._items).keys() and [
            _comparable(item) for key, item in self._items.items() if type(key) is tuple
        ] == [_comparable(item) for key, item in other._items.items() if type(key) is tuple]

    def __repr__(self) -> str:
        return f"WireSet({list(self._items.values())!r})"


class WireMap:
    """A map with keys of any kind, in order, told apart as the wire does.

    Keys need not be hashable. Two maps are equal when their scalar keys have the same
    texts and equal values, and their other pairs are equal in order.
    """

    __slots__ = ("_pairs",)
    __hash__ = None  # type: ignore[assignment]

    _pairs: dict[Identity, tuple[object, object]]

    def __init__(self, pairs: Iterable[tuple[object, object]] = ()) -> None:
        """Collect the pairs; of equal keys the last value stays, at the first one's place.

        Raises:
            ValueError: When a key is a scalar without a text, such as a naive datetime.
            OverflowError: When a date leaves the range of years in UTC.
        """
        collected: dict[Identity, tuple[object, object]] = {}
        for key, value in pairs:
            collected[member_identity(key)] = (key, value)
        self._pairs = collected

    @classmethod
    def from_identified(cls, pairs: dict[Identity, tuple[object, object]]) -> WireMap:
        """Take over pairs whose keys' identities are known already."""
        made = _new(cls)
        made._pairs = pairs  # noqa: SLF001 (an instance of this class)
        return made

    def __getitem__(self, key: object) -> object:
        """Return the value of a key.

        Raises:
            KeyError: When the map does not have it.
        """
        try:
            return self._pairs[member_identity(key)][1]
        except KeyError:
            raise KeyError(key) from None

    def get(self, key: object, default: object = None) -> object:
        """Return the value of a key, or the default when the map does not have it."""
        pair = self._pairs.get(member_identity(key))
        return default if pair is None else pair[1]

    def items(self) -> Iterator[tuple[object, object]]:
        """Iterate over the pairs in order."""
        return iter(self._pairs.values())

    def keys(self) -> Iterator[object]:
        """Iterate over the keys in order."""
        return iter([key for key, _ in self._pairs.values()])

    def values(self) -> Iterator[object]:
        """Iterate over the values in the order of their keys."""
        return (value for _, value in self._pairs.values())

    def __contains__(self, key: object) -> bool:
        return member_identity(key) in self._pairs

    def __iter__(self) -> Iterator[object]:
        return self.keys()

    def __len__(self) -> int:
        return len(self._pairs)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WireMap):
            return NotImplemented
        mine, theirs = _scalars(self._pairs), _scalars(other._pairs)
        if mine.keys() != theirs.keys():
            return False
        return all(mine[text][1] == theirs[text][1] for text in mine) and [
            (_comparable(k), v)
            for identity, (k, v) in self._pairs.items()
            if type(identity) is tuple
        ] == [
            (_comparable(k), v)
            for identity, (k, v) in other._pairs.items()
            if type(identity) is tuple
        ]

    def __repr__(self) -> str:
        return f"WireMap({list(self._pairs.values())!r})"


def _scalars(members: dict[Identity, T]) -> dict[Identity, T]:
    """Keep the members whose key is a scalar."""
    return {key: member for key, member in members.items() if type(key) is not tuple}


MODEL_TYPES: Final = frozenset(
    (
        *(type(None), bool, int, BigInt, float, str, bytes, bytearray, memoryview, datetime),
        *(list, tuple, dict, set, frozenset, WireSet, WireMap, msgspec.UnsetType),
    )
)
"""The exact types that the encoders take as they are."""


@dataclass(frozen=True, slots=True)
class Extension(Generic[T]):
    """A value type that an application adds to the data model.

    Attributes:
        name: The tag on the wire; it contains a `.`.
        python_type: The Python type; its subclasses are encoded by it too.
        encode: Turns a value into its content, any other encodable value.
        decode: Turns a content back; refuses it with ValueError or TypeError.
        plain: Turns a value into what a receiver without the extension gets.
    """

    name: str
    python_type: type[T]
    encode: Callable[[T], object]
    decode: Callable[[Any], T]
    plain: Callable[[T], object]


Rule = Extension[Any] | Callable[[Any], object] | None
"""How values of a type are encoded, if that is registered."""

_MAX_RULES: Final = 1024
_MAX_NAME_CHARS: Final = 64
_IDENTIFIER: Final = "[A-Za-z_][A-Za-z0-9_]*"
_match_name: Final = re.compile(rf"{_IDENTIFIER}(?:\.{_IDENTIFIER})+").fullmatch


class Extensions:
    """The extensions and adapters of one application.

    Registration is complete before the first value is encoded or decoded with it.
    """

    __slots__ = ("_adapters", "_by_name", "_by_type", "_rules", "_tags")

    def __init__(self) -> None:
        self._by_name: dict[str, Extension[Any]] = {}
        self._by_type: dict[type, Extension[Any]] = {}
        self._adapters: dict[type, Callable[[Any], object]] = {}
        self._rules: dict[type, Rule] = {}
        self._tags: list[bytes] = []

    def register(
        self,
        name: str,
        python_type: type[T],
        *,
        encode: Callable[[T], object],
        decode: Callable[[Any], T],
        plain: Callable[[T], object] | None = None,
    ) -> Extension[T]:
        """Add an extension.

        Args:
            name: The tag: two or more identifiers joined by `.`, at most 64 characters.
            python_type: The type of its values.
            encode: Turns a value into its content.
            decode: Turns a content back; it may raise ValueError or TypeError to refuse it.
            plain: Turns a value into what other receivers get; by default its content.

        Returns:
            The extension as registered.

        Raises:
            ValueError: When the name has no `.` or another form than names have, when the
                name or type is registered already, or the type is one of the data model.

        Spec: VAL-7.
        """
        if len(name) > _MAX_NAME_CHARS or not _match_name(name):
            raise ValueError(f"an extension needs a name such as 'app.Money', not {name!r}")
        if python_type in MODEL_TYPES:
            raise ValueError(f"{python_type.__qualname__} is a type of the data model itself")
        if name in self._by_name or python_type in self._by_type:
            raise ValueError(f"the extension {name!r} or its type is registered already")
        extension = Extension(name, python_type, encode, decode, plain or encode)
        self._by_name[name] = extension
        self._by_type[python_type] = extension
        self._rules.clear()
        self._tags.append(f'["{name}",'.encode())
        return extension

    def adapt(self, python_type: type[T], function: Callable[[T], object]) -> None:
        """Encode values of a type, and of its subclasses, as what a function returns.

        This is the hook for libraries of models: it changes how a value is read, never
        what stands on the wire.

        Raises:
            ValueError: When the type has an adapter already.
        """
        if python_type in self._adapters:
            raise ValueError(f"{python_type.__qualname__} has an adapter already")
        self._adapters[python_type] = function
        self._rules.clear()

    def named(self, name: str) -> Extension[Any] | None:
        """Return the extension with exactly this name.

        Spec: PAY-7.
        """
        return self._by_name.get(name)

    def may_stand_in(self, text: bytes) -> bool:
        """Tell whether a table without white space can hold a value of any extension."""
        return any(tag in text for tag in self._tags)

    def rule_of(self, python_type: type) -> Rule:
        """Return the extension of a type or its nearest registered base, else the adapter."""
        try:
            return self._rules[python_type]
        except KeyError:
            rule: Rule = next(
                (
                    known[base]
                    for known in (self._by_type, self._adapters)
                    for base in python_type.__mro__
                    if base in known
                ),
                None,
            )
            if len(self._rules) >= _MAX_RULES:  # of types that are made while the server runs
                self._rules.clear()
            self._rules[python_type] = rule
            return rule
