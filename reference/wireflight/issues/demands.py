"""What each keyword of a schema demands of a wire value, and the issue where it is not met."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from jsonschema.exceptions import ValidationError as Fault
from msgspec import UNSET

from wireflight.issues.describe import Schema
from wireflight.issues.issue import Code, Issue, Param, make_issue
from wireflight.issues.wire import FORMATS, bytes_of, date_of, fits
from wireflight.types import WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Mapping


__all__ = [
    "DEMANDS",
    "Found",
    "IssueFault",
    "Keyword",
    "expected_types",
    "fault_at",
    "is_looked_into",
]

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


class IssueFault(Fault):  # type: ignore[misc]  # jsonschema has no types
    """A fault that knows its issue; the path of the issue starts at the faulty value."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.code)
        self.issue = issue


Found = Iterator[Fault]
Keyword = Callable[[Any, Any, Any, Schema], Iterable[Fault] | None]


def fault_at(code: Code, *path: str | int, **params: Param) -> IssueFault:
    return IssueFault(make_issue(path, code, **params))


def expected_types(schemas: Iterable[Schema]) -> str:
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
        yield fault_at("type", expected=expected_types([schema]))
    elif schema["type"] == "date" and date_of(value) is None:
        yield fault_at("format", format="date-time")


def _demand(keyword: str, holds: Callable[[Any, Any, Schema], bool]) -> Keyword:
    """Make a keyword of one demand on values of the schema's own type."""
    code, name = _PARAM[keyword]

    def check(_validator: Any, demand: Any, value: Any, schema: Schema) -> Found:
        if is_looked_into(schema, value) and not holds(value, demand, schema):
            yield fault_at(code, **{name: demand})

    return check


def is_looked_into(schema: Schema, value: object) -> bool:
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


DEMANDS: Final[Mapping[str, Keyword]] = {
    "type": _type,
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
