"""What a table writer does with values that are not plain: one at a time, with all rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from math import copysign, isfinite, isnan
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.codec.members import members_in_order
from wireflight.codec.normal import in_member_order
from wireflight.codec.project import MODEL_TYPES, Extended, Projector
from wireflight.errors import EncodeError
from wireflight.scalars import (
    MAX_SAFE_INTEGER,
    BigInt,
    bigint_text,
    bytes_text,
    date_text,
    number_text,
)
from wireflight.types import WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from wireflight.types import Extensions

__all__ = ["PLAIN_SHAPES", "Opened", "Opener", "float_reference", "has_plain_names"]

_UNSET: Final = msgspec.UNSET
_NAN, _INFINITY, _MINUS_INFINITY, _MINUS_ZERO, _UNDEFINED = -3, -4, -5, -6, -1
_STR_ONLY: Final = {str}
_SCALARS: Final = frozenset((type(None), bool, int, float, str))
_MODEL_SCALARS: Final = _SCALARS | {BigInt, datetime, msgspec.UnsetType}
_BYTES: Final = (bytes, bytearray, memoryview)
_MAPS: Final = (dict, WireMap)
_MAX_SHAPES: Final = 256
_MAX_NAMES: Final = 32
_MAX_NAME_CHARS: Final = 512

# Between these magnitudes msgspec lays a fraction out as ECMAScript does.
_MSGSPEC_MIN: Final = 1e-3
_MSGSPEC_MAX: Final = 1e15

Opened = tuple[int, Any, Iterator[tuple[Any, Any]] | None, int]
"""The reference of a value, its entry, its children and the place of the first of them.

Children come with their places in the entry. They are a `zip` if undefined ones have no
place, and None if the value has none and is written. The entry is None if the value may be
equal to another of the same entry.
"""

PLAIN_SHAPES: Final[dict[tuple[Any, ...], list[str]]] = {}
"""Names of dicts that were written lately and can be written as they stand, and their order.

Few are kept, and none that are long: names may be anybody's.
"""


def float_reference(
    value: float,
    table: list[Any],
    known: dict[str | float, int],
    is_normal: bool,
) -> int:
    """Return the reference of a float that is zero or not known.

    Spec: PAY-1 step 2, PAY-2, KEY-1 step 2.
    """
    if value.is_integer() and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        if not value and not is_normal and copysign(1, value) < 0:
            return _MINUS_ZERO
        number = int(value)
        ref = known.get(number)
        if ref is None:
            ref = known[number] = len(table)
            table.append(number)
        return ref
    if not isfinite(value):
        if isnan(value):
            return _NAN
        ref = known[value] = _INFINITY if value > 0 else _MINUS_INFINITY
        return ref
    ref = known[value] = len(table)
    if _MSGSPEC_MIN <= abs(value) < _MSGSPEC_MAX:
        table.append(value)
    else:
        table.append(msgspec.Raw(number_text(value).encode()))
    return ref


def has_plain_names(value: dict[Any, Any]) -> bool:
    """Tell whether a dict can be written as it stands; remember its names for the next.

    Spec: VAL-5.
    """
    if not {*map(type, value)} <= _STR_ONLY or "__proto__" in value:
        return False
    if len(value) <= _MAX_NAMES and sum(map(len, value)) <= _MAX_NAME_CHARS:
        if len(PLAIN_SHAPES) >= _MAX_SHAPES:
            PLAIN_SHAPES.clear()
        PLAIN_SHAPES[tuple(value)] = in_member_order(value)
    return True


def in_normal_order(value: dict[str, Any]) -> tuple[dict[str, Any], Iterator[tuple[str, Any]]]:
    """Return the entry of an object in the normal form, to be filled in, and its members.

    Spec: KEY-1 steps 1 and 3.
    """
    names = PLAIN_SHAPES.get(tuple(value)) or in_member_order(value)
    members = [value[name] for name in names]
    for member in members:
        if member is _UNSET:
            names = [name for name in names if value[name] is not _UNSET]
            members = [value[name] for name in names]
            break
    return dict.fromkeys(names), zip(names, members, strict=True)


class Opener:
    """Finds what the entry of any value begins with and what it contains.

    It shares the table of one text, and what is known of it, with the writer.
    """

    __slots__ = (
        *("_atoms", "_bigints", "_is_normal", "_known"),
        *("_project", "_spell", "_table"),
    )

    def __init__(
        self,
        *,
        table: list[Any],
        known: dict[str | float, int],
        atoms: dict[bool | None, int],
        is_normal: bool,
        extensions: Extensions | None,
        accept: Collection[str] | None,
        spell: Callable[[object], str],
    ) -> None:
        self._table = table
        self._known = known
        self._atoms = atoms
        self._is_normal = is_normal
        self._project = Projector(extensions, accept)
        self._spell = spell
        self._bigints: dict[str, int] = {}  # by text: hashes of chosen integers collide

    def open(self, value: Any, kind: type) -> Opened:
        """Write the entry of a value as far as it does not refer to others.

        Raises:
            EncodeError: When the value cannot be written.

        Spec: PAY-1 steps 2 to 5, PAY-4, PAY-5, KEY-1.
        """
        if kind not in MODEL_TYPES and kind is not Extended:
            value = self._project(value)
            kind = type(value)
            if kind in _SCALARS:
                return self._scalar(value, kind), None, None, 0
        if kind is int or kind is BigInt:
            return self._bigint(value), None, None, 0
        if value is _UNSET:
            return _UNDEFINED, None, None, 0
        ref = len(self._table)
        entry: Any
        children: Iterator[tuple[Any, Any]] | None = None
        first = 0
        if kind is datetime:
            entry = ["Date", _date_text(value)]
        elif kind in _BYTES:
            entry = ["ArrayBuffer", bytes_text(value)]
        elif kind is dict and all(issubclass(k, str) for k in {*map(type, value)}):
            entry, children = self._object(value)
        elif kind is list or kind is tuple:
            entry, children = [None] * len(value), enumerate(value)
        else:
            first = 1
            entry = self._tagged(value, kind)
            children = enumerate(entry)
            next(children)  # the tag
        self._table.append(entry)
        return ref, entry, children, first

    def _object(self, value: dict[Any, Any]) -> tuple[Any, Iterator[tuple[Any, Any]]]:
        if not {*map(type, value)} <= _STR_ONLY:
            value = {self._project_member(name): member for name, member in value.items()}
        if "__proto__" in value:
            raise EncodeError("a member named '__proto__' cannot be sent")  # VAL-5
        return in_normal_order(value) if self._is_normal else (value.copy(), iter(value.items()))

    def _tagged(self, value: Any, kind: type) -> list[Any]:
        """Return a tag and the children of a set, a map or an extension."""
        if kind is Extended:
            return [value.name, value.content]
        if not self._is_normal:
            # Scalars were told apart when the set or map was made; but what another type is
            # read as may be equal to one of them.
            entry: list[Any]
            if kind is WireSet:
                entry = ["Set", *value]
                if _MODEL_SCALARS.issuperset(map(type, entry)):
                    return entry
            elif kind is WireMap:
                entry = ["Map", *chain.from_iterable(value.items())]
                if _MODEL_SCALARS.issuperset(map(type, entry[1::2])):
                    return entry
        members = members_in_order(
            value,
            project=self._project_member,
            text_of_container=self._text_of_container,
            is_sorted=self._is_normal,
        )
        return ["Map" if kind in _MAPS else "Set", *chain.from_iterable(members)]

    def _scalar(self, value: Any, kind: type) -> int:
        """Return the reference of a scalar that a value is read as."""
        if kind is float:
            ref = self._known.get(value)
            if ref is None or not value:
                ref = float_reference(value, self._table, self._known, self._is_normal)
            return ref
        if kind is int and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            return self._bigint(value)
        references: dict[Any, int] = self._known if kind is str or kind is int else self._atoms
        ref = references.get(value)
        if ref is None:
            ref = references[value] = len(self._table)
            self._table.append(value)
        return ref

    def _bigint(self, value: int) -> int:
        try:
            text = bigint_text(value)
        except ValueError:
            raise EncodeError("the integer has too many digits to be sent") from None
        ref = self._bigints.get(text)
        if ref is None:
            ref = self._bigints[text] = len(self._table)
            self._table.append(["BigInt", text])
        return ref

    def _project_member(self, value: object) -> object:
        return value if type(value) in MODEL_TYPES else self._project(value)

    def _text_of_container(self, value: object) -> str:
        """Spell a member of a set that is no scalar, to find its place."""
        if self._is_normal:  # KEY-1 step 4
            raise EncodeError("map keys and set items of an argument must be scalars")
        return self._spell(value)


def _date_text(value: datetime) -> str:
    try:
        return date_text(value)
    except ValueError:
        raise EncodeError(
            "a datetime without a time zone is no instant: attach one, such as tzinfo=UTC"
        ) from None
    except OverflowError:
        raise EncodeError("the instant is outside of the years 1 to 9999 in UTC") from None
