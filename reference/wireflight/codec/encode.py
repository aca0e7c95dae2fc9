"""Writing values: the flat table, in one pass and without recursion."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from math import isfinite, isnan
from typing import Any, Final

import msgspec

from wireflight.codec.members import members_in_order
from wireflight.codec.normal import in_member_order
from wireflight.codec.project import MODEL_TYPES, Extended, Projector
from wireflight.errors import EncodeError
from wireflight.limits import Limits
from wireflight.scalars import (
    MAX_SAFE_INTEGER,
    BigInt,
    bigint_text,
    bytes_text,
    date_text,
    escape_markup,
    number_text,
)
from wireflight.types import Extensions, WireMap

__all__ = ["canonical", "dumps"]

_UNSET: Final = msgspec.UNSET
_NAN, _INFINITY, _MINUS_INFINITY, _MINUS_ZERO, _UNDEFINED = -3, -4, -5, -6, -1
_STR_ONLY: Final = {str}

_SCALARS: Final = frozenset((type(None), bool, int, float, str))
_MAX_SHAPES: Final = 256
_BYTES: Final = (bytes, bytearray, memoryview)
_MAPS: Final = (dict, WireMap)

# Between these magnitudes msgspec lays a fraction out as ECMAScript does.
_MSGSPEC_MIN: Final = 1e-3
_MSGSPEC_MAX: Final = 1e15

_encode_json = msgspec.json.Encoder().encode

Frame = tuple[Iterator[tuple[Any, Any]], Any, int, int, Any]
"""Places and children still to come, the entry, its index, its identity, the last place."""

Opened = tuple[int, Any, Any]
"""The reference of a value; the entry to be filled in and its children, or None twice."""


def dumps(
    value: object,
    *,
    extensions: Extensions | None = None,
    accept: Collection[str] | None = None,
) -> str:
    """Write a value as a flat table in which what is shared in Python is shared too.

    Args:
        value: Any supported value; `msgspec.UNSET` is undefined.
        extensions: The application's extensions and adapters.
        accept: Names of the extensions that the receiver knows; values of any other are
            written as their plain projection. None means all.

    Returns:
        The text, which is ASCII but for the characters of strings.

    Raises:
        EncodeError: When a value is cyclic, has a type that cannot be sent, or has no
            spelling (a naive datetime, a lone surrogate, a member named `__proto__`).
    """
    return _TableWriter(Projector(extensions, accept), max_nodes=None).write(value)


def canonical(
    value: object, *, extensions: Extensions | None = None, limits: Limits | None = None
) -> str:
    """Write the normal form of an argument: equal arguments give equal texts.

    Undefined members are dropped, members, keys and items are sorted, minus zero is zero,
    and nothing but scalars is shared.

    Args:
        value: Any supported value, whose map keys and set items are scalars.
        extensions: The application's extensions and adapters.
        limits: The limits; `expanded_nodes` bounds what a shared container unfolds to.

    Raises:
        EncodeError: As `dumps` does, and when map keys or set items are not scalars or
            equal, or the value unfolds to more nodes than the limit.
    """
    nodes = (limits or Limits()).expanded_nodes
    return _TableWriter(Projector(extensions, None), max_nodes=nodes).write(value)


class _TableWriter:
    """One text being written. With a bound of nodes it writes the normal form."""

    __slots__ = (
        *("_atoms", "_bigints", "_item", "_large", "_max_nodes", "_memo", "_nodes", "_normal"),
        *("_project", "_seen", "_shapes", "_stack", "_table"),
    )

    def __init__(self, project: Projector, max_nodes: int | None, *, is_item: bool = False) -> None:
        self._project = project
        self._normal = max_nodes is not None
        self._max_nodes = max_nodes or 0
        self._nodes = 1
        self._item = is_item
        self._table: list[Any] = []
        self._memo: dict[str | float, int] = {}  # strings and numbers; 1 and 1.0 are one entry
        self._large: dict[float, int] = {}  # apart from the bigints to which they are equal
        self._atoms: dict[bool | None, int] = {}  # apart from 1 and 0, to which they are equal
        self._shapes: set[tuple[Any, ...]] = set()
        self._bigints: dict[str, int] = {}  # by text: hashes of chosen integers collide
        self._seen: dict[int, int] = {}  # by identity; in normal form the open ones only
        self._stack: list[Frame] = []

    def write(self, root: object) -> str:
        reference = self._fill(root)
        if reference < 0:
            return str(reference)
        try:
            text = _encode_json(self._table).decode()
        except UnicodeEncodeError:
            raise EncodeError(
                "a lone surrogate cannot be sent: strings are well-formed Unicode",
                path=_path_of_bad_string(self._table),
            ) from None
        return escape_markup(text)

    def _fill(self, root: object) -> int:
        """Fill the table in depth-first order of first visits; return the root's reference."""
        table, memo, seen, stack = self._table, self._memo, self._seen, self._stack
        memo_get, atoms_get, seen_get = memo.get, self._atoms.get, seen.get
        shapes, normal = self._shapes, self._normal
        result: list[int] = [0]
        pairs: Iterator[tuple[Any, Any]] = iter(((0, root),))
        entry: Any = result
        index, identity, key = -1, 0, None
        try:
            while True:
                for key, child in pairs:
                    kind = type(child)
                    if kind is str or kind is int:
                        ref = memo_get(child)
                        if ref is None:
                            if kind is str:
                                ref = memo[child] = len(table)
                                table.append(child)
                            else:
                                ref = self._scalar(child, kind)
                        entry[key] = ref
                        continue
                    if child is None or kind is bool:
                        ref = atoms_get(child)
                        entry[key] = self._scalar(child, kind) if ref is None else ref
                        continue
                    if kind is float:
                        entry[key] = self._float(child)
                        continue
                    ref = seen_get(id(child))
                    if ref is not None:
                        if table[ref] is None:
                            raise EncodeError("the value contains itself")
                        entry[key] = ref
                        continue
                    if not normal and (
                        kind is list
                        or (kind is dict and (tuple(child) in shapes or self._learns(child)))
                    ):  # most containers, without a call
                        inner = child.copy()
                        inner_pairs: Any = enumerate(child) if kind is list else child.items()
                        entry[key] = ref = seen[id(child)] = len(table)
                        table.append(None)
                    else:
                        ref, inner, inner_pairs = self._open(child, kind)
                        entry[key] = ref
                        if inner is None:
                            continue
                    stack.append((pairs, entry, index, identity, key))
                    pairs, entry, index, identity = iter(inner_pairs), inner, ref, id(child)
                    break
                else:
                    if not stack:
                        return result[0]
                    table[index] = entry
                    if normal:
                        del seen[identity]
                    pairs, entry, index, identity, key = stack.pop()
        except EncodeError as error:
            path = self._path(entry, key)
            raise EncodeError(error.message, path=path) from error.__cause__

    def _scalar(self, value: Any, kind: type) -> int:
        """Return the reference of a scalar."""
        if kind is float:
            return self._float(value)
        memo: dict[Any, int] = self._memo if kind is str or kind is int else self._atoms
        ref = memo.get(value)
        if ref is None:
            if kind is int and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                return self._bigint(value)
            ref = memo[value] = len(self._table)
            self._table.append(value)
        return ref

    def _float(self, value: float) -> int:
        is_large = abs(value) > MAX_SAFE_INTEGER
        memo: dict[Any, int] = self._large if is_large else self._memo
        ref = memo.get(value)
        if ref is not None and value:
            return ref
        entry: Any = value
        if not isfinite(value):
            return _NAN if isnan(value) else _INFINITY if value > 0 else _MINUS_INFINITY
        if value == 0 and not self._normal and str(value) == "-0.0":
            return _MINUS_ZERO
        if not is_large and value.is_integer():
            entry = int(value)
        elif not _MSGSPEC_MIN <= abs(value) < _MSGSPEC_MAX:
            entry = msgspec.Raw(number_text(value).encode())
        if ref is None:
            ref = memo[value] = len(self._table)
            self._table.append(entry)
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

    def _open(self, value: Any, kind: type) -> Opened:
        """Reserve the entry of a container, or write a value that has no children.

        It is seen under the identity that its parent holds, not of what it is read as.
        """
        identity = id(value)
        if kind not in MODEL_TYPES and kind is not Extended:
            value = self._project(value)
            kind = type(value)
            if kind in _SCALARS:
                return self._scalar(value, kind), None, None
        index = len(self._table)
        if kind is datetime:
            self._table.append(["Date", _date_text(value)])
        elif kind in _BYTES:
            self._table.append(["ArrayBuffer", bytes_text(value)])
        elif value is _UNSET:
            return _UNDEFINED, None, None
        elif kind is BigInt:
            return self._bigint(value), None, None
        else:
            self._table.append(None)
            self._seen[identity] = index
            entry, pairs = self._children(value, kind)
            return index, entry, pairs
        if not self._normal:
            self._seen[identity] = index
        return index, None, None

    def _learns(self, value: dict[Any, Any]) -> bool:
        """Tell whether a dict can be written as it stands; remember its names for the next."""
        if not {*map(type, value)} <= _STR_ONLY or "__proto__" in value:
            return False
        if len(self._shapes) < _MAX_SHAPES:
            self._shapes.add(tuple(value))
        return True

    def _children(self, value: Any, kind: type) -> tuple[Any, Iterable[tuple[Any, Any]]]:
        """Return the entry of a container to be filled in, and places with children."""
        if kind is list or kind is tuple:
            self._count(len(value))
            return [None] * len(value), enumerate(value)
        if kind is dict:
            kinds = {*map(type, value)}
            if kinds <= _STR_ONLY or all(issubclass(k, str) for k in kinds):
                return self._object(value, kinds)
        if kind is Extended:
            self._count(1)
            return [value.name, None], ((1, value.content),)
        members = members_in_order(
            value,
            project=self._project_member,
            text_of_container=self._text_of_container,
            is_sorted=self._normal,
        )
        children = [child for member in members for child in member]
        self._count(len(children))
        tag = "Map" if kind in _MAPS else "Set"
        return [tag, *children], enumerate(children, 1)

    def _object(
        self, value: dict[Any, Any], kinds: set[type]
    ) -> tuple[Any, Iterable[tuple[Any, Any]]]:
        if not kinds <= _STR_ONLY:
            value = {self._project_member(name): member for name, member in value.items()}
        if "__proto__" in value:
            raise EncodeError("a member named '__proto__' cannot be sent")
        if not self._normal:
            return value.copy(), value.items()
        names = in_member_order([name for name in value if value[name] is not _UNSET])
        self._count(len(names))
        return dict.fromkeys(names), [(name, value[name]) for name in names]

    def _count(self, members: int) -> None:
        """Bound the normal form, in which a shared container unfolds at each occurrence."""
        self._nodes += members
        if self._normal and self._nodes > self._max_nodes:
            raise EncodeError(f"the argument has more than {self._max_nodes} nodes")

    def _project_member(self, value: object) -> object:
        return value if type(value) in MODEL_TYPES else self._project(value)

    def _text_of_container(self, value: object) -> str:
        """Spell a member of a set that is no scalar, to find its place."""
        if self._normal:
            raise EncodeError("map keys and set items of an argument must be scalars")
        if self._item:
            raise EncodeError("a set within an item of a set has no order: send a list")
        return _TableWriter(self._project, None, is_item=True).write(value)

    def _path(self, entry: Any, key: Any) -> list[str | int]:
        """Describe the place that was being filled in."""
        places = [(frame[1], frame[4]) for frame in self._stack[1:]]
        if self._stack:
            # A frame holds the entry above a container and the place of it there.
            places.append((entry, key))
        path: list[str | int] = []
        for container, place in places:
            if type(container) is dict or type(container[0]) is not str:
                path.append(place)
            elif container[0] == "Set":
                path.append(place - 1)
            elif container[0] == "Map":
                path.append((place - 1) // 2)
        return path


def _date_text(value: datetime) -> str:
    try:
        return date_text(value)
    except ValueError:
        raise EncodeError(
            "a datetime without a time zone is no instant: attach one, such as tzinfo=UTC"
        ) from None
    except OverflowError:
        raise EncodeError("the instant is outside of the years 1 to 9999 in UTC") from None


def _path_of_bad_string(table: list[Any]) -> list[str | int]:
    """Find the first lone surrogate, from the references that lead to its entry."""
    steps: dict[int, tuple[int, str | int]] = {}
    bad: tuple[int, str | int | None] | None = None
    for index, entry in enumerate(table):
        if isinstance(entry, dict):
            members: list[tuple[str | int, Any]] = list(entry.items())
        elif isinstance(entry, list):
            tagged = bool(entry) and isinstance(entry[0], str)
            members = list(enumerate(entry[1:] if tagged else entry))
        else:
            members = []
        for step, ref in members:
            if isinstance(ref, int) and ref > index:
                steps.setdefault(ref, (index, step))
            if bad is None and isinstance(step, str) and not _is_well_formed(step):
                bad = index, step
        if bad is None and isinstance(entry, str) and not _is_well_formed(entry):
            bad = index, None
    path: list[str | int] = []
    if bad is not None:
        index = bad[0]
        path = [] if bad[1] is None else [bad[1]]
        while index in steps:
            index, step = steps[index]
            path.append(step)
    return path[::-1]


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
