"""Wire values as the converter takes them, directed by the type."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from wireflight.issues.issue import Issue, Path, ValidationError, make_issue
from wireflight.issues.wire import (
    FORMATS,
    PAIR,
    bigint_of,
    bytes_of,
    date_of,
    fits,
    is_pair,
    is_pairs,
)
from wireflight.types import WireMap, WireSet, member_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from wireflight.issues.describe import Description, Schema

__all__ = [
    "BUILTIN",
    "Lowering",
    "Refused",
    "collisions",
    "is_unchecked",
    "members_of",
    "pair_issues",
    "placed_pairs",
    "under",
]

BUILTIN: Final = (datetime, bytes, bytearray, memoryview, Decimal, UUID)
"""Types that msgspec takes from nothing but themselves; their texts are read here."""


class Refused(Exception):  # noqa: N818 - it ends the lowering; what is reported is its issues
    """A value that the converter would accept must not be."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        super().__init__()
        self.issues = tuple(issues)


class Lowering:
    """Turns wire values into what msgspec converts without loss."""

    def __init__(self, description: Description) -> None:
        self._definitions = {
            f"#/$defs/{name}": schema for name, schema in description.definitions.items()
        }
        self._of_kind: Mapping[str, Callable[[Schema, Any, Path], object]] = {
            "integer": self._integer,
            "bigint": lambda _schema, value, _path: bigint_of(value),
            "string": self._string,
            "bytes": lambda _schema, value, _path: bytes_of(value),
            "date": lambda _schema, value, _path: date_of(value) or value,
            "array": self._array,
            "object": self._object,
            "map": self._map,
            "set": self._set,
        }

    def resolve(self, schema: Schema) -> Schema:
        """Return the definition that a schema refers to, or the schema itself."""
        return self._definitions[schema["$ref"]] if "$ref" in schema else schema

    def branches(self, schema: Schema, value: object) -> list[Schema]:
        """Return the branches of a union that take values such as this one."""
        tags = schema.get("tags")
        if tags is not None and (tag := self.tag(tags["member"], value)) is not UNSET:
            found = tags["branches"].get(tag) if type(tag) in (str, int) else None
            return [self.resolve(found)] if found is not None else []
        fitting = [branch for each in schema["anyOf"] if fits(branch := self.resolve(each), value)]
        if len(fitting) > 1:
            # `1.0` is a number before it is an integer, and an adapter takes what is left.
            number = isinstance(value, float)
            fitting.sort(
                key=lambda each: (number and each.get("type") != "number", "custom" in each)
            )
            # An array is an array before it is a map, but for one of pairs.
            if isinstance(value, list) and not is_pairs(value):
                fitting.sort(key=lambda each: each.get("type") == "map")
        return fitting

    @staticmethod
    def tag(member: str | int, value: object) -> object:
        """Return the tag of a value of a tagged union; UNSET where no tag can stand."""
        if isinstance(member, int):
            return (value[member] if value else None) if isinstance(value, list) else UNSET
        return value.get(member) if isinstance(value, dict | WireMap) else UNSET

    def lower(self, schema: Schema, value: object, path: Path = ()) -> object:
        """Turn a wire value into one that msgspec converts; what does not fit stays.

        Raises:
            Refused: When the conversion would merge members or an adapter refuses.
        """
        schema = self.resolve(schema)
        if "anyOf" in schema:
            fitting = self.branches(schema, value)
            if not fitting:
                branches = map(self.resolve, schema["anyOf"])
                self._refuse_object(value, [each.get("type") for each in branches], path)
                return value
            schema = fitting[0]
        kinds = schema.get("type")
        if kinds is None:
            return self._custom(schema, value, path)
        if not fits(schema, value):
            if isinstance(value, WireMap) and kinds == "object":
                # The converter would overlook the keys that are no names.
                raise Refused([make_issue(path, "type", expected="object")])
            self._refuse_object(value, [kinds], path)
            return value
        if not isinstance(kinds, str):
            kinds = "integer" if isinstance(value, float) else "null"
        if (cls := schema.get("class")) is not None and isinstance(value, cls):
            return value
        lower = self._of_kind.get(kinds)
        return value if lower is None else lower(schema, value, path)

    @staticmethod
    def _refuse_object(value: object, kinds: Sequence[object], path: Path) -> None:
        """Refuse an object in the place of a map: the converter has one type for both."""
        if isinstance(value, dict) and "map" in kinds:
            raise Refused([make_issue(path, "type", expected="map")])

    def _custom(self, schema: Schema, value: object, path: Path) -> object:
        adapter = schema.get("custom")
        if adapter is None or isinstance(value, schema["instance"]):
            return value
        try:
            converted: object = adapter.convert(schema["instance"], value)
        except ValidationError as error:
            raise Refused(under(path, error.issues)) from None
        return converted

    @staticmethod
    def _integer(_schema: Schema, value: float, _path: Path) -> int:
        return int(value)

    @staticmethod
    def _string(schema: Schema, value: str, _path: Path) -> object:
        if schema.get("format") not in ("uuid", "decimal", "date-time"):
            return value  # the converter reads it, or it has no format
        read = FORMATS[schema["format"]](value)
        return value if read is None else read

    def _array(self, schema: Schema, value: list[object], path: Path) -> list[object]:
        item = schema.get("items")
        if item is not None:
            if not item:
                return value
            return [self.lower(item, each, (*path, i)) for i, each in enumerate(value)]
        items = schema["prefixItems"]
        lowered = [
            self.lower(item, each, (*path, i))
            for i, (item, each) in enumerate(zip(items, value, strict=False))
        ]
        return lowered + value[len(lowered) :]

    def _object(self, schema: Schema, value: object, path: Path) -> object:
        if "pairs" in schema:
            return self._dict(schema, value, path)
        value = members_of(value)
        properties = schema["properties"]
        lowered = {}
        for name, each in value.items():
            member = properties.get(name)
            if member is None:
                if each is not UNSET:
                    lowered[name] = each
            elif each is not UNSET or is_unchecked(member):
                lowered[name] = self.lower(member, each, (*path, name))
        return lowered

    def _dict(self, schema: Schema, value: object, path: Path) -> object:
        if isinstance(value, WireMap):
            return self._map(schema, value, path)
        assert isinstance(value, dict)
        key, each = schema["pairs"]
        drops = not is_unchecked(each)
        members = {k: v for k, v in value.items() if not (drops and v is UNSET)}
        lowered = {k: self.lower(each, v, (*path, k)) for k, v in members.items()}
        if "propertyNames" not in schema:
            return lowered
        keys = [self.lower(key, k) for k in lowered]
        self._refuse_collisions(schema, keys, [(*path, k) for k in lowered])
        return dict(zip(keys, lowered.values(), strict=True))

    def _map(self, schema: Schema, value: object, path: Path) -> object:
        if isinstance(value, list) and not is_pairs(value):
            raise Refused(pair_issues(value, path))
        pairs = pairs_of(value)
        key, each = schema["pairs"]
        places: list[Path] = [(*path, i, 0) for i in range(len(pairs))]
        keys = [self.lower(key, k, place) for (k, _), place in zip(pairs, places, strict=True)]
        values = [self.lower(each, v, (*path, i, 1)) for i, (_, v) in enumerate(pairs)]
        self._refuse_collisions(schema, keys, places)
        if schema.get("class") is WireMap:
            return WireMap(zip(keys, values, strict=True))
        try:
            return dict(zip(keys, values, strict=True))
        except TypeError:  # a key of another type that cannot be hashed either
            raise Refused([make_issue(path, "invalid")]) from None

    def _set(self, schema: Schema, value: Iterable[object], path: Path) -> object:
        places: list[Path] = []
        items = []
        for i, each in enumerate(value):
            places.append((*path, i))
            items.append(self.lower(schema["items"], each, places[i]))
        self._refuse_collisions(schema, items, places)
        return WireSet(items) if schema.get("class") is WireSet else items

    def _refuse_collisions(
        self, schema: Schema, members: Sequence[object], places: Sequence[Path]
    ) -> None:
        issues = list(collisions(schema, zip(members, places, strict=True)))
        if issues:
            raise Refused(issues)


MAX_OF_ONE_HASH: Final = 32
"""How many different members of one hash are taken: 10,000 would cost a quadratic time.

Anybody can name integers of one hash; values of other types and honest integers have their own.
"""


def collisions(schema: Schema, members: Iterable[tuple[object, Path]]) -> Iterator[Issue]:
    """Find the items or keys that are merged with an earlier one or cannot be members.

    Args:
        schema: Of the set or map.
        members: What `lower` made of the items or keys, each with its place.
    """
    distinct = schema.get("distinct")
    seen: dict[int, list[object]] = {}
    for lowered, path in members:
        if distinct is None:
            member: object = member_identity(lowered)
        elif distinct is Any or type(lowered) is distinct:
            member = lowered
        else:
            try:
                member = msgspec.convert(lowered, distinct, builtin_types=BUILTIN)
            except msgspec.ValidationError:
                continue  # it has issues of its own
        try:
            alike = seen.setdefault(hash(member), [])
        except TypeError:  # it cannot be hashed
            yield make_issue(path, "invalid")
            continue
        if member in alike:
            yield make_issue(path, "duplicate")
        elif len(alike) == MAX_OF_ONE_HASH:
            yield make_issue(path, "invalid")
        else:
            alike.append(member)


def pairs_of(value: object) -> list[tuple[object, object]]:
    """Return the pairs of a map or of an array of pairs."""
    return [pair for _, pair in placed_pairs(value)]


def placed_pairs(value: object) -> list[tuple[int, tuple[object, object]]]:
    """Return the pairs of a map or of an array, each with its index; what is none is left out."""
    if isinstance(value, WireMap):
        return list(enumerate(value.items()))
    assert isinstance(value, list)
    return [(i, (each[0], each[1])) for i, each in enumerate(value) if is_pair(each)]


def pair_issues(value: list[object], path: Path = ()) -> Iterator[Issue]:
    """Find the items of an array that are no pairs, where a map is demanded."""
    for i, each in enumerate(value):
        if not isinstance(each, list):
            yield make_issue((*path, i), "type", expected="array")
        elif len(each) < PAIR:
            yield make_issue((*path, i), "min_items", limit=PAIR)
        elif len(each) > PAIR:
            yield make_issue((*path, i), "max_items", limit=PAIR)


def members_of(value: object) -> dict[str, object]:
    """Return the members of an object, or of a map that stands for one."""
    if isinstance(value, WireMap):
        return {key: each for key, each in value.items() if isinstance(key, str)}
    assert isinstance(value, dict)
    return value


def is_unchecked(schema: Schema) -> bool:
    """Tell whether a schema takes every value, undefined included."""
    return not _CHECKS & schema.keys()


_CHECKS: Final = frozenset({"type", "anyOf", "$ref", "instance"})


def under(path: Path, issues: Iterable[Issue]) -> Iterator[Issue]:
    """Move issues from the root of a value to the place where the value stands."""
    for issue in issues:
        yield msgspec.structs.replace(issue, path=path + issue.path)
