"""Every issue of a value that its type refuses, found by the type's schema."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as Fault
from jsonschema.validators import extend
from msgspec import UNSET, structs

from wireflight.issues.describe import Description, Schema
from wireflight.issues.issue import Code, Issue, Param, Path, ValidationError, make_issue
from wireflight.issues.lower import Lowering, Refused, collisions, is_unchecked, pairs_of
from wireflight.issues.wire import FORMATS, bytes_of, date_of, fits
from wireflight.types import WireMap, WireSet

__all__ = ["Explainer"]

_PARAM: Final[Mapping[str, tuple[Code, str]]] = {
    "minimum": ("minimum", "limit"),
    "maximum": ("maximum", "limit"),
    "exclusiveMinimum": ("exclusive_minimum", "limit"),
    "exclusiveMaximum": ("exclusive_maximum", "limit"),
    "multipleOf": ("multiple_of", "factor"),
    "minLength": ("min_length", "limit"),
    "maxLength": ("max_length", "limit"),
    "minItems": ("min_items", "limit"),
    "maxItems": ("max_items", "limit"),
    "minProperties": ("min_members", "limit"),
    "maxProperties": ("max_members", "limit"),
    "pattern": ("pattern", "pattern"),
    "format": ("format", "format"),
    "enum": ("choice", "choices"),
}
"""The code of ISS-1 for each keyword that stands for one demand, and its param's name."""

_ORDER: Final = ("null", "boolean", "integer", "number", "bigint", "string", "bytes", "date",
                 "array", "object", "map", "set")  # fmt: skip


class _Found(Fault):  # type: ignore[misc]  # jsonschema has no types
    """A fault that knows its issue; the path of the issue starts at the faulty value."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.code)
        self.issue = issue


Found = Iterator[Fault]
Keyword = Callable[[Any, Any, Any, Schema], Iterable[Fault] | None]


def _fault(code: Code, *path: str | int, **params: Param) -> _Found:
    return _Found(make_issue(path, code, **params))


def _expected(schemas: Iterable[Schema]) -> str:
    """Join the names of the types that schemas take, in the order of ISS-1."""
    kinds: set[str] = set()
    for schema in schemas:
        named = schema.get("type", [])
        kinds.update([named] if isinstance(named, str) else named)
        if named == "object" and "pairs" in schema:
            kinds.add("map")
    if "number" in kinds:
        kinds.discard("integer")
    return " or ".join(kind for kind in _ORDER if kind in kinds)


def _type(_validator: Any, _kinds: object, value: object, schema: Schema) -> Found:
    if not fits(schema, value):
        yield _fault("type", expected=_expected([schema]))
    elif schema["type"] == "date" and date_of(value) is None:
        yield _fault("format", format="date-time")


def _demand(keyword: str, holds: Callable[[Any, Any, Schema], bool]) -> Keyword:
    """Make a keyword of one demand on values of the schema's own type."""
    code, name = _PARAM[keyword]

    def check(_validator: Any, demand: Any, value: Any, schema: Schema) -> Found:
        if _looked_into(schema, value) and not holds(value, demand, schema):
            yield _fault(code, **{name: demand})

    return check


def _looked_into(schema: Schema, value: object) -> bool:
    """Tell whether a value has the parts that the schema speaks of.

    A value of another type has none, and an instance that an extension made is its own.
    """
    cls = schema.get("class")
    if cls not in (None, WireSet, WireMap) and isinstance(value, cls):
        return False
    return fits(schema, value)


def _length(value: object, schema: Schema) -> int:
    if schema["type"] == "bytes":
        return len(bytes_of(value) or b"")
    assert isinstance(value, str)
    return len(value)


def _count(value: object) -> int:
    if isinstance(value, dict):
        return sum(each is not UNSET for each in value.values())
    assert isinstance(value, list | WireSet | WireMap)
    return len(value)


def _is_multiple(value: float, factor: float, schema: Schema) -> bool:
    # By the converter's own arithmetic: a quotient, as JSON Schema has it, rounds differently.
    if schema["type"] == "integer":
        return int(value) % factor == 0
    return math.isfinite(value) and math.fmod(value, factor) == 0


def _is_choice(value: object, choices: list[object], _schema: Schema) -> bool:
    if type(value) is float and value.is_integer():
        value = int(value)
    return any(value == choice and _kind(value) is _kind(choice) for choice in choices)


def _kind(value: object) -> type:
    return int if isinstance(value, int) and not isinstance(value, bool) else type(value)


_DEMANDS: Final[Mapping[str, Keyword]] = {
    # Asked positively, so that NaN, which is on no side of a limit, is refused.
    "minimum": _demand("minimum", lambda value, limit, _: value >= limit),
    "maximum": _demand("maximum", lambda value, limit, _: value <= limit),
    "exclusiveMinimum": _demand("exclusiveMinimum", lambda value, limit, _: value > limit),
    "exclusiveMaximum": _demand("exclusiveMaximum", lambda value, limit, _: value < limit),
    "multipleOf": _demand("multipleOf", _is_multiple),
    "minLength": _demand("minLength", lambda v, limit, schema: _length(v, schema) >= limit),
    "maxLength": _demand("maxLength", lambda v, limit, schema: _length(v, schema) <= limit),
    "minItems": _demand("minItems", lambda value, limit, _: _count(value) >= limit),
    "maxItems": _demand("maxItems", lambda value, limit, _: _count(value) <= limit),
    "minProperties": _demand("minProperties", lambda value, limit, _: _count(value) >= limit),
    "maxProperties": _demand("maxProperties", lambda value, limit, _: _count(value) <= limit),
    "pattern": _demand("pattern", lambda v, pattern, _: re.search(pattern, v) is not None),
    "format": _demand("format", lambda v, name, _: FORMATS[name](v) is not None),
    "enum": _demand("enum", _is_choice),
}


def _nothing(_validator: Any, _demand: Any, _value: Any, _schema: Schema) -> None:
    """Find nothing."""


class Explainer:
    """Finds the issues of values of one type.

    Spec: ISS-1, ISS-2, ISS-5.
    """

    def __init__(self, description: Description, lowering: Lowering) -> None:
        self._root = description.root
        self._lowering = lowering
        keywords: dict[str, Keyword] = {
            "type": _type,
            "$ref": self._ref,
            "anyOf": self._any_of,
            "properties": self._properties,
            "required": self._required,
            "additionalProperties": self._additional,
            "prefixItems": self._prefix_items,
            "items": self._items,
            "pairs": self._pairs,
            "distinct": self._distinct,
            "class": self._class,
            "instance": self._instance,
        }
        unknown = Draft202012Validator.VALIDATORS.keys() - keywords.keys() - _DEMANDS.keys()
        checks = extend(
            Draft202012Validator,
            # A keyword that has no rule here would see wire values that it cannot judge.
            validators={**dict.fromkeys(unknown, _nothing), **_DEMANDS, **keywords},
        )
        self._validator = checks(description.root)

    def issues(self, value: object) -> Iterator[Issue]:
        """Find the issues of a value in the order in which the type names the places."""
        for fault in self._validator.iter_errors(value):
            assert isinstance(fault, _Found)
            path = (*fault.absolute_path, *fault.issue.path)
            yield structs.replace(fault.issue, path=path)

    def _ref(self, validator: Any, _ref: Any, value: Any, schema: Schema) -> Found:
        return self._below(validator, value, self._lowering.resolve(schema))

    def _any_of(self, validator: Any, branches: Any, value: Any, schema: Schema) -> Found:
        fitting = self._lowering.branches(schema, value)
        if not fitting:
            yield self._no_branch(branches, value, schema)
            return
        first: list[Fault] = []
        for branch in fitting:
            faults = list(self._below(validator, value, branch))
            if not faults:
                return
            first = first or faults
        yield from first

    def _no_branch(self, branches: list[Schema], value: Any, schema: Schema) -> Fault:
        tags = schema.get("tags")
        if tags is None or self._lowering.tag(tags["member"], value) is UNSET:
            return _fault("type", expected=_expected(map(self._lowering.resolve, branches)))
        member, known = tags["member"], list(tags["branches"])
        if member == 0 and not value:
            return _fault("min_items", limit=1)
        if member != 0 and member not in value:
            return _fault("required", member)
        if type(value[member]) is not type(known[0]):
            expected = "string" if isinstance(known[0], str) else "integer"
            return _fault("type", member, expected=expected)
        return _fault("choice", member, choices=known)

    def _properties(self, validator: Any, members: Any, value: Any, schema: Schema) -> Found:
        if not _looked_into(schema, value):
            return
        for name, member in members.items():
            if not _is_missing(value, name, member):
                yield from self._below(validator, value[name], member, name)

    def _required(self, _validator: Any, names: Any, value: Any, schema: Schema) -> Found:
        if _looked_into(schema, value):
            for name in names:
                if _is_missing(value, name, schema["properties"][name]):
                    yield _fault("required", name)

    def _additional(self, _validator: Any, rest: Any, value: Any, schema: Schema) -> Found:
        # The members of a dict are looked at under `pairs`.
        if rest is False and _looked_into(schema, value):
            for name, each in value.items():
                if name not in schema["properties"] and each is not UNSET:
                    yield _fault("unknown_member", name)

    def _prefix_items(self, validator: Any, items: Any, value: Any, schema: Schema) -> Found:
        if _looked_into(schema, value):
            for i, (item, each) in enumerate(zip(items, value, strict=False)):
                yield from self._below(validator, each, item, i)

    def _items(self, validator: Any, item: Any, value: Any, schema: Schema) -> Found:
        if item and _looked_into(schema, value):
            for i, each in enumerate(value):
                yield from self._below(validator, each, item, i)

    def _pairs(self, validator: Any, demand: Any, value: Any, schema: Schema) -> Found:
        if not _looked_into(schema, value):
            return
        key, each = demand
        if not isinstance(value, dict):
            for i, (k, v) in enumerate(pairs_of(value)):
                yield from self._below(validator, k, key, i, 0)
                yield from self._below(validator, v, each, i, 1)
            return
        for name, v in value.items():
            if not _is_missing(value, name, each):
                if "propertyNames" in schema:
                    yield from self._below(validator, name, key, name)
                yield from self._below(validator, v, each, name)

    def _distinct(self, _validator: Any, _type: Any, value: Any, schema: Schema) -> Found:
        if not _looked_into(schema, value):
            return
        item, members = self._members(value, schema)
        lowered = []
        for member, path in members:
            try:
                lowered.append((self._lowering.lower(item, member), path))
            except Refused:  # it has issues of its own
                continue
        for issue in collisions(schema, lowered):
            yield _Found(issue)

    @staticmethod
    def _members(value: Any, schema: Schema) -> tuple[Schema, list[tuple[object, Path]]]:
        """Return the schema of the items or keys, and each of them with its place."""
        if "items" in schema:
            return schema["items"], [(each, (i,)) for i, each in enumerate(value)]
        key, each = schema["pairs"]
        if isinstance(value, dict):
            names = [name for name in value if not _is_missing(value, name, each)]
            return key, [(name, (name,)) for name in names]
        return key, [(k, (i, 0)) for i, (k, _) in enumerate(pairs_of(value))]

    def _class(self, validator: Any, cls: Any, value: Any, schema: Schema) -> Found:
        if cls in (WireSet, WireMap) and not isinstance(value, cls):
            yield from self._distinct(validator, None, value, schema)

    @staticmethod
    def _instance(_validator: Any, cls: Any, value: Any, schema: Schema) -> Found:
        if isinstance(value, cls):
            return
        if "custom" not in schema:
            yield _fault("invalid")
            return
        try:
            schema["custom"].convert(cls, value)
        except ValidationError as error:
            for issue in error.issues:
                yield _Found(issue)

    def _below(self, validator: Any, value: object, schema: Schema, *path: str | int) -> Found:
        for fault in validator.descend(value, schema):
            fault.path.extendleft(reversed(path))
            yield fault


def _is_missing(value: Mapping[str, object], name: str, member: Schema) -> bool:
    """Tell whether an object lacks a member; an undefined one is as good as none."""
    return name not in value or (value[name] is UNSET and not is_unchecked(member))
