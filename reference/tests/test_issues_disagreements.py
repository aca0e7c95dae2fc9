"""Where msgspec's converter and JSON Schema disagree, and what is decided in each place.

Each row says what the converter alone and what the published schema alone make of a value,
so that a new release of either that changes its mind is seen here.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import UNSET, Meta, Struct, UnsetType

from wireflight.issues import Converter, Issue, ValidationError
from wireflight.types import BigInt, WireMap, WireSet


class Closed(Struct, forbid_unknown_fields=True):
    qty: int = 0


class Open(Struct):
    qty: int
    note: str | UnsetType = UNSET


class Cat(Struct, tag=True):
    lives: int


class Dog(Struct, tag=True):
    age: int


class Row(Struct, array_like=True):
    x: int
    y: int = 0


class Move(Struct, array_like=True, tag=1):
    x: int


class Turn(Struct, array_like=True, tag=2):
    degrees: float


class Point(NamedTuple):
    x: int
    y: int = 0


class Even(enum.IntEnum):
    TWO = 2


class Checked(Struct):
    text: str

    def __post_init__(self) -> None:
        if self.text.startswith("no"):
            raise ValueError(f"{self.text} - at `$.sekret`")


@dataclass
class Case:
    """One place of disagreement.

    Attributes:
        about: What it is about.
        type: The declared type.
        value: What arrives.
        msgspec: Whether the converter alone takes it.
        schema: Whether the published schema alone takes it, None for a value not of JSON.
        result: What it converts to, or the issues.
    """

    about: str
    type: Any
    value: object
    msgspec: bool
    schema: bool | None
    result: object


def issue(*path: str | int, code: str, **params: object) -> tuple[object, ...]:
    return (path, code, params or None)


def mistyped(*path: str | int, expected: str) -> list[tuple[object, ...]]:
    return [issue(*path, code="type", expected=expected)]


def not_of(name: str) -> list[tuple[object, ...]]:
    return [issue(code="format", format=name)]


POSITIVE = Annotated[float, Meta(gt=0)]
LOCAL = Annotated[datetime, Meta(tz=False)]
NAN = float("nan")
INSTANT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = "c05846c9-ccf9-4d72-beaa-4b87ab54b79a"

CASES = [
    # numbers
    Case("an integral double for an integer", int, 1.0, False, True, 1),
    Case("a double beyond 2^53 for an integer", int, 1e300, False, True, int(1e300)),
    Case("a fraction for an integer", int, 1.5, False, False, mistyped(expected="integer")),
    Case("NaN for an integer", int, NAN, False, None, mistyped(expected="integer")),
    Case("true for an integer", int, True, False, False, mistyped(expected="integer")),
    Case("true for a number", float, True, False, False, mistyped(expected="number")),
    Case("1 for a boolean", bool, 1, False, False, mistyped(expected="boolean")),
    Case("digits for an integer", int, "10", False, False, mistyped(expected="integer")),
    Case("a bigint for an integer", int, BigInt(7), True, None, 7),
    Case("an integer for a number", float, 3, True, True, 3.0),
    Case("a bigint too big for a double", float, 10**400, False, True, mistyped(expected="number")),
    Case("an infinite number", float, float("inf"), True, None, float("inf")),
    Case(
        "NaN, which no comparison finds out of range",
        POSITIVE,
        NAN,
        False,
        None,
        [issue(code="exclusive_minimum", limit=0)],
    ),
    Case(
        "a multiple by quotient, but not by remainder",
        Annotated[float, Meta(multiple_of=0.1)],
        0.5,
        False,
        True,
        [issue(code="multiple_of", factor=0.1)],
    ),
    Case("a bigint for a number that is a bigint", BigInt, BigInt(7), True, None, BigInt(7)),
    Case("a large bigint, decoded as int", BigInt, 2**70, False, None, BigInt(2**70)),
    Case("digits for a bigint, as plain JSON has it", BigInt, "10", False, True, BigInt(10)),
    Case("digits of another form", BigInt, "010", False, False, mistyped(expected="bigint")),
    Case("a number for a bigint", BigInt, 10, False, False, mistyped(expected="bigint")),
    Case("an integral double for an enum", Even, 2.0, False, True, Even.TWO),
    Case("true for the literal 1", Literal[1], True, False, False, mistyped(expected="integer")),
    Case(
        "a double for a union of both",
        int | float,
        1.0,
        True,
        True,
        1.0,
    ),
    # texts with a format
    Case("a wire date", datetime, INSTANT, True, None, INSTANT),
    Case("a text with an offset", datetime, "2026-01-02T04:04:05+01:00", True, True, INSTANT),
    Case("a date without offset", datetime, "2026-01-02T03:04:05", True, True, not_of("date-time")),
    Case("a blank for the T", datetime, "2026-01-02 03:04:05Z", True, True, not_of("date-time")),
    Case("a day for an instant", datetime, "2026-01-02", False, True, not_of("date-time")),
    Case(
        "an instant before the first in UTC",
        datetime,
        "0001-01-01T00:00:00+01:00",
        True,
        True,
        not_of("date-time"),
    ),
    Case("a local date", LOCAL, "2026-01-02T03:04:05", True, True, INSTANT.replace(tzinfo=None)),
    Case(
        "an offset in a local one", LOCAL, "2026-01-02T03:04:05Z", False, True, not_of("date-time")
    ),
    Case("no local date", LOCAL, "2026-02-30T03:04:05", False, True, not_of("date-time")),
    Case("a wire date for a local date", LOCAL, INSTANT, False, None, mistyped(expected="string")),
    Case("a wire date for a day", date, INSTANT, False, None, mistyped(expected="string")),
    Case("a day that is none", date, "2026-02-30", False, True, not_of("date")),
    Case("a day", date, "2026-02-28", True, True, date(2026, 2, 28)),
    Case("a time without seconds", time, "03:04", False, True, not_of("time")),
    Case("a duration in years", timedelta, "P1Y", False, True, not_of("duration")),
    Case("a duration too long", timedelta, "P99999999999D", False, True, not_of("duration")),
    Case("a duration", timedelta, "PT90S", True, True, timedelta(seconds=90)),
    Case("a UUID", UUID, ID, True, True, UUID(ID)),
    Case("a UUID without hyphens", UUID, ID.replace("-", ""), True, True, not_of("uuid")),
    Case("a UUID in braces", UUID, f"{{{ID}}}", False, True, not_of("uuid")),
    Case("16 bytes for a UUID", UUID, b"0" * 16, True, None, mistyped(expected="string")),
    Case("a decimal", Decimal, "1.50", True, True, Decimal("1.50")),
    Case("a decimal in other digits", Decimal, "٣", True, True, not_of("decimal")),
    Case("a decimal with an underscore", Decimal, "1_0", True, True, not_of("decimal")),
    Case("a decimal that is no number", Decimal, "NaN", True, True, not_of("decimal")),
    Case("a vast exponent", Decimal, "1e99999", True, True, not_of("decimal")),
    Case("a number for a decimal", Decimal, 0.1, True, False, mistyped(expected="string")),
    Case("base64", bytes, "AQI=", True, True, b"\x01\x02"),
    Case("base64 with stray bits", bytes, "AQJ=", True, True, mistyped(expected="bytes")),
    Case("base64 without padding", bytes, "AQI", False, True, mistyped(expected="bytes")),
    Case(
        "bytes counted as bytes, not as characters of base64",
        Annotated[bytes, Meta(min_length=2)],
        "AA==",
        False,
        True,
        [issue(code="min_length", limit=2)],
    ),
    # sets, maps and what is merged
    Case("a wire set", set[int], WireSet([1, 2]), False, None, {1, 2}),
    Case("an array for a set", frozenset[int], [1, 2], True, True, frozenset({1, 2})),
    Case("a repeated item", set[int], [1, 2, 1], True, False, [issue(2, code="duplicate")]),
    Case(
        "1, true and 1n, which are one in Python",
        set,
        WireSet([1, True, BigInt(1)]),
        False,
        None,
        [issue(1, code="duplicate"), issue(2, code="duplicate")],
    ),
    Case(
        "a UUID in two spellings",
        set[UUID],
        [ID, ID.upper()],
        True,
        True,
        [issue(1, code="duplicate")],
    ),
    Case(
        "tuples that become equal",
        set[tuple[int, ...]],
        [[1, 2], [1.0, 2]],
        False,
        False,
        [issue(1, code="duplicate")],
    ),
    Case(
        "sets that become equal",
        set[frozenset[int] | None],
        [[1, 2], None, [2, 1]],
        True,
        True,
        [issue(2, code="duplicate")],
    ),
    Case(
        "a set that repeats an item in a set that repeats a set",
        set[frozenset[int]],
        [[1, 1], [2], [2]],
        True,
        False,
        [issue(0, 1, code="duplicate"), issue(2, code="duplicate")],
    ),
    Case(
        "choices that are one in Python",
        set[Literal[1, "1"]],
        WireSet([1, "1", BigInt(1)]),
        False,
        None,
        [issue(2, code="duplicate")],
    ),
    Case(
        "keys of a union",
        dict[str | int, bool],
        WireMap([("1", True), (1, False)]),
        True,
        None,
        {"1": True, 1: False},
    ),
    Case("bytes to change", bytearray, b"a", True, None, bytearray(b"a")),
    Case("an item that has no hash", set, WireSet([[1]]), False, None, [issue(0, code="invalid")]),
    Case("a set for a list", list[int], WireSet([1]), False, None, mistyped(expected="array")),
    Case("a set as it is", WireSet, WireSet([1, True]), True, None, WireSet([1, True])),
    Case("an array for a wire set", WireSet, [1, True], False, True, WireSet([1, True])),
    Case("a repeat in it", WireSet, [1, True, 1], False, False, [issue(2, code="duplicate")]),
    Case("a wire map", dict[int, str], WireMap([(1, "a")]), True, None, {1: "a"}),
    Case("pairs for a map", dict[int, str], [[1, "a"]], False, True, {1: "a"}),
    Case(
        "two keys that are one in Python",
        dict[int, str],
        WireMap([(1, "a"), (BigInt(1), "b")]),
        True,
        None,
        [issue(1, 0, code="duplicate")],
    ),
    Case(
        "an object for a map of integers",
        dict[int, str],
        {"1": "a"},
        False,
        False,
        mistyped(expected="map"),
    ),
    Case(
        "names that are one date",
        dict[date, int] | None,
        {"2026-01-02": 1},
        True,
        True,
        {date(2026, 1, 2): 1},
    ),
    Case(
        "names that are one time",
        dict[time, int],
        {"03:04:05": 1, "03:04:05.0": 2},
        True,
        True,
        [issue("03:04:05.0", code="duplicate")],
    ),
    Case("a map for an object", dict[str, int], WireMap([("a", 1)]), True, None, {"a": 1}),
    Case(
        "keys of two types in one dict",
        dict,
        WireMap([(1, 1), ("1", 2)]),
        True,
        None,
        {1: 1, "1": 2},
    ),
    Case(
        "a map that hides unknown members",
        Closed,
        WireMap([("qty", 1), ("more", 2)]),
        True,
        None,
        [issue("more", code="unknown_member")],
    ),
    Case(
        "a map with keys that are no names",
        Closed,
        WireMap([("qty", 1), (2, 2)]),
        True,
        None,
        mistyped(expected="object"),
    ),
    Case(
        "a map that hides them deeper",
        dict[str, Closed],
        {"a": WireMap([("more", 2)])},
        True,
        None,
        [issue("a", "more", code="unknown_member")],
    ),
    # objects and unions
    Case(
        "an undefined member that may lack", Open, {"qty": 1, "note": UNSET}, False, None, Open(1)
    ),
    Case(
        "an undefined member that may not",
        Open,
        {"qty": UNSET},
        False,
        None,
        [issue("qty", code="required")],
    ),
    Case("an undefined unknown member", Closed, {"x": UNSET}, False, None, Closed()),
    Case("an undefined member of a dict", dict[str, int], {"a": UNSET}, False, None, {}),
    Case("undefined where all is allowed", dict[str, Any], {"a": UNSET}, True, None, {"a": UNSET}),
    Case("no argument", int, UNSET, False, None, [issue(code="required")]),
    Case("no argument where that is a type", int | UnsetType, UNSET, False, None, UNSET),
    Case(
        "an undefined item",
        list[int],
        [UNSET],
        False,
        None,
        mistyped(0, expected="integer"),
    ),
    Case(
        "a known tag",
        Cat | Dog,
        {"type": "Cat", "lives": "9"},
        False,
        False,
        mistyped("lives", expected="integer"),
    ),
    Case(
        "an unknown tag",
        Cat | Dog,
        {"type": "Cow"},
        False,
        False,
        [issue("type", code="choice", choices=["Cat", "Dog"])],
    ),
    Case("no tag", Cat | Dog, {"lives": 9}, False, False, [issue("type", code="required")]),
    Case("no tag where there is one class", Cat, {"lives": 9}, True, True, Cat(9)),
    Case(
        "a tag of another type",
        Cat | Dog,
        {"type": 1},
        False,
        False,
        mistyped("type", expected="string"),
    ),
    Case(
        "no branch at all",
        Cat | Dog | int | None,
        "x",
        False,
        False,
        mistyped(expected="null or integer or object"),
    ),
    Case(
        "the one branch of that type",
        Annotated[int, Meta(ge=3)] | str | None,
        1,
        False,
        False,
        [issue(code="minimum", limit=3)],
    ),
    Case("a tag at the start", Move | Turn, [2, 90], True, True, Turn(90.0)),
    Case("no items for a tag", Move | Turn, [], False, False, [issue(code="min_items", limit=1)]),
    Case("a tag that is a text", Move | Turn, ["2"], False, False, mistyped(0, expected="integer")),
    Case(
        "an unknown number as a tag",
        Move | Turn,
        [3, 1],
        False,
        False,
        [issue(0, code="choice", choices=[1, 2])],
    ),
    Case("an object for it", Move | Turn, {"x": 1}, False, False, mistyped(expected="array")),
    Case(
        "members that are undefined do not count",
        Annotated[dict[str, int], Meta(min_length=1)],
        {"a": UNSET},
        False,
        None,
        [issue(code="min_members", limit=1)],
    ),
    Case("a short tuple", tuple[int, str], [1], False, False, [issue(code="min_items", limit=2)]),
    Case("a long tuple", tuple[int], [1, 2], False, False, [issue(code="max_items", limit=1)]),
    Case("a named tuple", Point, [1.0], False, True, Point(1)),
    Case("an array for a Struct", Row, [1, "x"], False, False, mistyped(1, expected="integer")),
    Case("more items than fields", Row, [1, 2, 3], True, True, Row(1, 2)),
    Case(
        "a refusal of the type's own",
        list[Checked],
        [{"text": "yes"}, {"text": "no"}],
        False,
        True,
        [issue(1, code="invalid")],
    ),
    Case(
        "a refusal whose text names a path",
        Checked,
        {"text": "no - at `$.text`"},
        False,
        True,
        [issue(code="invalid")],
    ),
]


def plainly(issues: tuple[Issue, ...]) -> list[tuple[object, ...]]:
    return [(each.path, each.code, each.params) for each in issues]


def outcome(case: Case) -> object:
    try:
        return Converter(case.type).convert(case.value)
    except ValidationError as error:
        return plainly(error.issues)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_converter_decides_where_its_two_judges_disagree(case: Case) -> None:
    """What is decided holds, in type too, and so does what each judge says alone."""
    decided = outcome(case)
    assert decided == case.result
    assert type(decided) is type(case.result)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_msgspec_alone_decides_as_the_table_says(case: Case) -> None:
    """The converter's own verdict is the one that the row was written for."""
    try:
        msgspec.convert(case.value, case.type, strict=True)
        taken = True
    except (msgspec.ValidationError, TypeError):
        taken = False
    assert taken is case.msgspec


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.schema is not None], ids=lambda case: case.about
)
def test_json_schema_alone_decides_as_the_table_says(case: Case) -> None:
    """The published schema's verdict is the one that the row was written for."""
    validator = Draft202012Validator(Converter(case.type).schema())
    assert validator.is_valid(case.value) is case.schema


FLOOD = [k * (2**61 - 1) for k in range(1, 200)]


@pytest.mark.parametrize(
    ("type_", "value", "place"),
    [
        (set[int], WireSet(FLOOD), (32,)),
        (frozenset[UUID], [str(UUID(int=number)) for number in FLOOD], (32,)),
        (dict[int, int], WireMap((number, 1) for number in FLOOD), (32, 0)),
    ],
)
def test_converter_refuses_members_chosen_to_have_one_hash(
    type_: Any, value: object, place: tuple[int, ...]
) -> None:
    """Members that would make a set or dict slow for everybody are refused, in linear time."""
    with pytest.raises(ValidationError) as caught:
        Converter(type_).convert(value)
    assert plainly(caught.value.issues[:1]) == [issue(*place, code="invalid")]


@pytest.mark.parametrize("type_", [dict[int, str], dict[int, str] | None, list[dict[int, str]]])
@pytest.mark.parametrize("value", [{}, {"1": "a"}])
def test_converter_rejects_an_object_for_a_map(type_: object, value: object) -> None:
    """msgspec has one type for both, which an empty object fits too."""
    is_item = type_ == list[dict[int, str]]
    with pytest.raises(ValidationError) as caught:
        Converter(type_).convert([value] if is_item else value)
    assert [issue.path for issue in caught.value.issues] == [(0,) if is_item else ()]
    assert [issue.code for issue in caught.value.issues] == ["type"]
