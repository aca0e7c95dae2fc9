"""The published schema, and the types that no argument can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, NewType, TypedDict, TypeVar
from uuid import UUID

import attrs
import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct

from wireflight.issues import Converter, ValidationError, make_issue
from wireflight.types import BigInt, WireMap, WireSet

T = TypeVar("T")
UserId = NewType("UserId", int)


class Node(Struct, tag="node", rename="camel", forbid_unknown_fields=True):
    own_name: Annotated[str, Meta(min_length=1, title="Name", examples=["a"])]
    children: list[Node] = []
    labels: set[str] = msgspec.field(default_factory=set)


class Box(Struct, Generic[T]):
    inside: T


class Partial(TypedDict, total=False):
    a: int


@attrs.define
class Size:
    width: int
    height: int = 1


class Money:
    """A class that only an extension makes."""


def test_schema_names_the_wire_type_beside_the_form_in_plain_json() -> None:
    """What plain JSON lacks is described by its form there and named."""
    assert Converter(datetime).schema() == {
        "type": "string",
        "format": "date-time",
        "x-wireflight": "date",
    }
    assert Converter(Annotated[bytes, Meta(min_length=1, max_length=4)]).schema() == {
        "type": "string",
        "contentEncoding": "base64",
        "minLength": 4,
        "maxLength": 8,
        "x-wireflight": "bytes",
    }
    assert Converter(set[int]).schema() == {
        "type": "array",
        "uniqueItems": True,
        "items": {"type": "integer"},
        "x-wireflight": "set",
    }
    assert Converter(dict[int, str]).schema() == {
        "type": "array",
        "items": {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
        },
        "x-wireflight": "map",
    }


def test_schema_tells_apart_types_whose_plain_forms_are_alike() -> None:
    """A list and a set, a text and a date have different schemas, so different contracts."""
    types: list[Any] = [list[int], set[int], WireSet, str, datetime, bytes, BigInt, UUID, WireMap]
    schemas = [msgspec.json.encode(Converter(type_).schema()) for type_ in types]
    assert len(set(schemas)) == len(types)


def test_schema_of_a_recursive_struct_is_whole() -> None:
    """Members have their names on the wire, their demands and their annotations."""
    assert Converter(Node).schema() == {
        "$ref": "#/$defs/Node",
        "$defs": {
            "Node": {
                "type": "object",
                "title": "Node",
                "properties": {
                    "type": {"type": "string", "enum": ["node"]},
                    "ownName": {
                        "type": "string",
                        "minLength": 1,
                        "title": "Name",
                        "examples": ["a"],
                    },
                    "children": {
                        "type": "array",
                        "items": {"$ref": "#/$defs/Node"},
                        "default": [],
                    },
                    "labels": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {"type": "string"},
                        "default": [],
                        "x-wireflight": "set",
                    },
                },
                "required": ["ownName"],
                "additionalProperties": False,
            }
        },
    }


def test_schema_gives_two_classes_of_one_name_a_definition_each() -> None:
    """Classes that share a name do not share a definition."""
    first = msgspec.defstruct("Same", [("a", int)])
    second = msgspec.defstruct("Same", [("b", str)])
    schema = Converter(tuple[first, second, Box[int], Box[str]]).schema()  # type: ignore[valid-type]
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)
    assert list(definitions) == ["Same", "Same_2", "Box_int_", "Box_str_"]


CONVERTED: list[tuple[Any, object, object]] = [
    (UserId, 3.0, 3),
    (Box[set[int]], {"inside": [1]}, Box({1})),
    (Partial, {"a": 1, "b": 2}, {"a": 1}),
    (Partial, {}, {}),
    (Size, {"width": 1.0}, Size(1)),
    (Literal["a"] | None, None, None),
    (Node, {"ownName": "a", "children": [{"ownName": "b"}]}, Node("a", [Node("b")])),
    (Money | None, None, None),
]


@pytest.mark.parametrize(("type_", "value", "expected"), CONVERTED)
def test_converter_knows_every_kind_of_class(type_: Any, value: object, expected: object) -> None:
    """Generic, renamed, recursive and foreign classes convert, and have a valid schema."""
    converter: Converter[object] = Converter(type_)
    assert converter.convert(value) == expected
    Draft202012Validator.check_schema(converter.schema())


def test_converter_takes_instances_that_an_extension_made() -> None:
    """A value of the declared class passes as it is, anything else is refused."""
    money = Money()
    assert Converter(list[Money]).convert([money]) == [money]
    with pytest.raises(ValidationError) as caught:
        Converter(list[Money]).convert([money, 10])
    assert caught.value.issues == (make_issue((1,), "invalid"),)
    size = Size(1, 2)
    assert Converter(list[Size]).convert([size, {"width": 2}]) == [size, Size(2)]


@pytest.mark.parametrize("value", [None, 1, WireSet([1]), {"a": msgspec.UNSET}, msgspec.UNSET])
def test_converter_without_a_type_returns_values_as_they_are(value: object) -> None:
    """A parameter without annotation is unchecked."""
    assert Converter().convert(value) is value
    assert Converter().schema() == {}


REFUSED: list[Any] = [
    set[list[int]],
    dict[tuple[dict[str, int], int], int] | int | str | list[int] | set[int],
    str | datetime,
    msgspec.Raw,
    Callable[[], int],
    Iterable[int],
    list[int] | set[int],
    frozenset[dict[str, int]],
]


@pytest.mark.parametrize("type_", REFUSED, ids=str)
def test_converter_refuses_types_that_no_argument_has(type_: Any) -> None:
    """A type that cannot work is an error where it is declared, not when a call comes."""
    with pytest.raises(TypeError):
        Converter(type_)


def test_schema_does_not_demand_what_the_application_only_annotates() -> None:
    """A keyword that the application adds is published but is nobody's issue."""
    type_ = Annotated[int, Meta(le=5, extra_json_schema={"minimum": 3})]
    converter = Converter(list[type_])  # type: ignore[valid-type]
    assert converter.schema()["items"] == {"minimum": 3, "type": "integer", "maximum": 5}
    with pytest.raises(ValidationError) as caught:
        converter.convert([1, 9])
    assert caught.value.issues == (make_issue((1,), "maximum", limit=5),)
