"""Models of pydantic: the same values, the same issues."""

from __future__ import annotations

import enum
from decimal import Decimal
from typing import Annotated, Any, Literal

import annotated_types
import pydantic
import pytest
from jsonschema import Draft202012Validator
from msgspec import UNSET, Struct
from pydantic_core import PydanticKnownError
from pydantic_core._pydantic_core import list_all_errors  # it has no public place

from wireflight.issues import CODES, Converter, ValidationError
from wireflight.pydantic import PydanticAdapter
from wireflight.types import BigInt, WireMap, WireSet

SENTINEL = "s3ntinel"


class Colour(enum.Enum):
    RED = "red"
    ODD = "it's"


class Cat(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


class Item(pydantic.BaseModel):
    qty: Annotated[int, pydantic.Field(ge=1, le=9)]
    tags: set[int] = set()


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid")

    id: int
    colour: Colour = Colour.RED
    items: list[Item] = []
    either: int | list[int] = 0
    names: dict[int, str] = {}
    parent: Order | None = None
    pet: Annotated[Cat | Dog, pydantic.Field(discriminator="kind")] | None = None
    price: Annotated[Decimal, pydantic.Field(gt=Decimal("0.5"))] = Decimal(1)

    @pydantic.field_validator("id")
    @classmethod
    def _is_not_nine(cls, value: int) -> int:
        if value == 9:
            raise ValueError(SENTINEL)
        return value


@pydantic.dataclasses.dataclass
class Size:
    width: Annotated[int, pydantic.Field(gt=3)]


class Outer(Struct):
    order: Order
    more: list[Order] = []
    last: Order | None = None


CONVERTER: Converter[Outer] = Converter(Outer, adapters=[PydanticAdapter()])


def issues_of(value: object) -> list[tuple[object, ...]]:
    with pytest.raises(ValidationError) as caught:
        CONVERTER.convert(value)
    for issue in caught.value.issues:
        assert SENTINEL not in issue.message + repr(issue.params)
    return [(issue.path, issue.code, issue.params) for issue in caught.value.issues]


def test_adapter_converts_values_of_the_wire() -> None:
    """Sets, maps, bigints and undefined members of the wire are what the model reads."""
    order = {
        "id": BigInt(1),
        "items": [{"qty": 2, "tags": WireSet([1, 2])}],
        "names": WireMap([(1, "a")]),
        "colour": UNSET,
    }
    made = CONVERTER.convert({"order": order, "last": {"id": 2}})
    item = Item(qty=2, tags={1, 2})
    assert made == Outer(Order(id=1, items=[item], names={1: "a"}), last=Order(id=2))
    assert CONVERTER.convert({"order": {"id": 1}, "last": None}).last is None


ROWS: list[tuple[Any, list[tuple[object, ...]]]] = [
    ({}, [(("id",), "required", None)]),
    ({"id": 9}, [(("id",), "invalid", None)]),
    ({"id": SENTINEL}, [(("id",), "type", {"expected": "integer"})]),
    ({"id": 1, SENTINEL[:2]: 1}, [((SENTINEL[:2],), "unknown_member", None)]),
    ({"id": 1, "colour": SENTINEL}, [(("colour",), "choice", {"choices": ["red", "it's"]})]),
    (
        {"id": 1, "items": [{"qty": 0}, {"qty": 10}, {}]},
        [
            (("items", 0, "qty"), "minimum", {"limit": 1}),
            (("items", 1, "qty"), "maximum", {"limit": 9}),
            (("items", 2, "qty"), "required", None),
        ],
    ),
    ({"id": 1, "either": {}}, [(("either",), "type", {"expected": "integer or array"})]),
    ({"id": 1, "parent": {"id": []}}, [(("parent", "id"), "type", {"expected": "integer"})]),
    ({"id": 1, "pet": {}}, [(("pet", "kind"), "required", None)]),
    (
        {"id": 1, "pet": {"kind": SENTINEL}},
        [(("pet", "kind"), "choice", {"choices": ["cat", "dog"]})],
    ),
    ({"id": 1, "pet": {"kind": "cat"}}, [(("pet", "lives"), "required", None)]),
    ({"id": 1, "price": "0.5"}, [(("price",), "exclusive_minimum", {"limit": "0.5"})]),
    ({"id": 1, "price": SENTINEL}, [(("price",), "format", {"format": "decimal"})]),
    (SENTINEL, [((), "type", {"expected": "object"})]),
    ({"id": 1, "names": WireMap([(1, "a"), (True, "b")])}, [(("names", 1, 0), "duplicate", None)]),
    ({"id": 1, "names": WireMap([([], "a")])}, [(("names", 0, 0), "invalid", None)]),
]


@pytest.mark.parametrize(("order", "expected"), ROWS)
def test_adapter_maps_errors_to_issues(order: Any, expected: list[tuple[object, ...]]) -> None:
    """Each error of a model is an issue at the place in the whole argument."""
    found = issues_of({"order": {"id": 1}, "more": [{"id": 1}, order]})
    assert found == [(("more", 1, *path), code, params) for path, code, params in expected]  # type: ignore[misc]


def test_adapter_finds_the_faults_of_several_models() -> None:
    """A faulty model does not hide another one, nor a fault outside of models."""
    found = issues_of({"order": {"id": "x"}, "more": [{}, 3], "last": 4})
    assert [(path, code) for path, code, _ in found] == [
        (("order", "id"), "type"),
        (("more", 0, "id"), "required"),
        (("more", 1), "type"),
        (("last",), "type"),
    ]


def test_adapter_converts_dataclasses_of_pydantic() -> None:
    """A dataclass of pydantic's validates by its own rules too."""
    converter = Converter(list[Size], adapters=[PydanticAdapter()])
    assert converter.convert([{"width": 4}]) == [Size(4)]
    with pytest.raises(ValidationError) as caught:
        converter.convert([{"width": 4}, {"width": 3}])
    assert caught.value.issues[0].path == (1, "width")


@pytest.mark.parametrize("type_", [Order, Size, list[Size], Outer])
def test_converter_without_the_adapter_refuses_models(type_: Any) -> None:
    """A model that nothing would validate is an error where it is declared."""
    with pytest.raises(TypeError, match="PydanticAdapter"):
        Converter(type_)


def test_adapter_publishes_the_schema_of_models() -> None:
    """Definitions of a model stand under the root, where its references look for them."""
    schema = CONVERTER.schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"order": {"id": 1, "items": [{"qty": 1}]}})
    assert not validator.is_valid({"order": {"id": 1, "items": [{"qty": 0}]}})


@pytest.mark.parametrize("error", list_all_errors(), ids=lambda error: error["type"])
def test_adapter_maps_every_error_of_pydantic(error: Any) -> None:
    """Each code that pydantic can give becomes a code of the protocol."""
    raised = PydanticKnownError(error["type"], error.get("example_context"))

    class Model(pydantic.BaseModel):
        text: str

        @pydantic.field_validator("text")
        @classmethod
        def _refuse(cls, _value: str) -> str:
            raise raised

    with pytest.raises(ValidationError) as caught:
        Converter(Model, adapters=[PydanticAdapter()]).convert({"text": SENTINEL})
    (issue,) = caught.value.issues
    assert issue.path[:1] == ("text",)
    assert issue.code in CODES
    assert SENTINEL not in issue.message + repr(issue.params)


@pytest.mark.parametrize(
    "annotation",
    [
        Annotated[int, pydantic.Field(ge=1)],
        list[Annotated[int, annotated_types.Ge(1)]],
        dict[str, Annotated[int, pydantic.Field(ge=1)] | None],
    ],
    ids=["a field", "a constraint of an item", "a field of a value"],
)
def test_converter_refuses_constraints_that_would_not_be_checked(annotation: object) -> None:
    """What pydantic alone understands, outside of its models, is refused when it is declared."""
    with pytest.raises(TypeError, match="has no effect in an annotation here"):
        Converter(annotation, adapters=[PydanticAdapter()])
