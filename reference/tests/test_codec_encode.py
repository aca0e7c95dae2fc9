"""What the codec writes, byte for byte."""

from __future__ import annotations

import dataclasses
import enum
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple, TypedDict

import attrs
import msgspec
import pytest

from wireflight.codec import canonical, dumps, loads, plain_dumps
from wireflight.errors import EncodeError
from wireflight.types import BigInt, Extensions, WireMap, WireSet

NOON = datetime(2024, 2, 29, 12, 0, 0, 123999, tzinfo=UTC)
SHARED: list[object] = [1]


class Blob(enum.Enum):
    SMALL = b"small"
    LIST = [1]  # noqa: RUF012 - one list, which the value is too


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Name(enum.StrEnum):
    KEY = "key"


class Post(msgspec.Struct, rename="camel"):
    post_id: int
    like_count: int | msgspec.UnsetType = msgspec.UNSET


class Dog(msgspec.Struct, tag=True):
    name: str


class Point(msgspec.Struct, array_like=True):
    x: int
    y: int


@dataclasses.dataclass
class Pair:
    left: int
    right: int


@attrs.define
class Car:
    wheels: int


class Movie(TypedDict):
    title: str


class Span(NamedTuple):
    start: int
    end: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "[null]"),
        (msgspec.UNSET, "-1"),
        (float("nan"), "-3"),
        (float("inf"), "-4"),
        (float("-inf"), "-5"),
        (-0.0, "-6"),
        (True, "[true]"),
        (0, "[0]"),
        (1.0, "[1]"),
        (1.5, "[1.5]"),
        (1e21, "[1e+21]"),
        (1e16, "[10000000000000000]"),
        (2.0**70, "[1.1805916207174113e+21]"),
        (368385227299891118080.0, "[368385227299891100000]"),
        (1e-6, "[0.000001]"),
        (1e-7, "[1e-7]"),
        (5e-324, "[5e-324]"),
        (1.7976931348623157e308, "[1.7976931348623157e+308]"),
        (-1.5e-9, "[-1.5e-9]"),
        (2**53 - 1, "[9007199254740991]"),
        (2**53, '[["BigInt","9007199254740992"]]'),
        (-(2**53), '[["BigInt","-9007199254740992"]]'),
        (BigInt(5), '[["BigInt","5"]]'),
        (Level.HIGH, "[3]"),
        ("", '[""]'),
        ("</script>", '["\\u003C/script>"]'),
        ("\u2028\u2029", '["\\u2028\\u2029"]'),
        ('"\\/\b\f\n\r\t\0\x1f\x7f', '["\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"]'),
        ("é\U0001f600", '["é\U0001f600"]'),
        ([], "[[]]"),
        ({}, "[{}]"),
        ((1, 2), "[[1,2],1,2]"),
        ([[[]]], "[[1],[2],[]]"),
        ({"a": {"b": 1}, "c": 1}, '[{"a":1,"c":2},{"b":2},1]'),
        ({"<": 1}, '[{"\\u003C":1},1]'),
        ({"b": 1, "10": 2}, '[{"b":1,"10":2},1,2]'),
        ({"a": msgspec.UNSET}, '[{"a":-1}]'),
        ([1, True, "1", BigInt(1), 1.0], '[[1,2,3,4,1],1,true,"1",["BigInt","1"]]'),
        ([0, False, -0.0, 0.0], "[[1,2,-6,1],0,false]"),
        ([None, None], "[[1,1],null]"),
        ([SHARED, SHARED, [1]], "[[1,1,3],[2],1,[2]]"),
        ([NOON, NOON], '[[1,1],["Date","2024-02-29T12:00:00.123Z"]]'),
        (
            datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))),
            '[["Date","2023-12-31T23:00:00.000Z"]]',
        ),
        (datetime(1, 1, 1, tzinfo=UTC), '[["Date","0001-01-01T00:00:00.000Z"]]'),
        (
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
            '[["Date","9999-12-31T23:59:59.999Z"]]',
        ),
        (b"", '[["ArrayBuffer",""]]'),
        (bytearray(b"abcd"), '[["ArrayBuffer","YWJjZA=="]]'),
        (memoryview(b"secretx")[-1:], '[["ArrayBuffer","eA=="]]'),
        ({3, 10, 1}, '[["Set",1,2,3],10,1,3]'),
        (frozenset({"b", "a", None}), '[["Set",1,2,3],"a","b",null]'),
        ({(2, 1), (1, 2)}, '[["Set",1,4],[2,3],1,2,[3,2]]'),
        (WireSet([2, 1, True]), '[["Set",1,2,3],2,1,true]'),
        ({1: "a", "b": 2}, '[["Map",1,2,3,4],1,"a","b",2]'),
        (WireMap([({}, 1)]), '[["Map",1,2],{},1]'),
        (Colour.RED, '["red"]'),
        ({Name.KEY: 1}, '[{"key":1},1]'),
        (uuid.UUID(int=1), '["00000000-0000-0000-0000-000000000001"]'),
        (Decimal("1.50"), '["1.50"]'),
        (date(2024, 1, 2), '["2024-01-02"]'),
        (time(1, 2, 3), '["01:02:03"]'),
        (timedelta(days=1, seconds=2), '["P1DT2S"]'),
        (Post(1), '[{"postId":1},1]'),
        (Dog("Rex"), '[{"type":1,"name":2},"Dog","Rex"]'),
        (Point(1, 2), "[[1,2],1,2]"),
        (Pair(1, 2), '[{"left":1,"right":2},1,2]'),
        (Car(4), '[{"wheels":1},4]'),
        (Movie(title="M"), '[{"title":1},"M"]'),
        (Span(1, 2), "[[1,2],1,2]"),
    ],
)
def test_encoder_writes_exact_text(value: object, text: str) -> None:
    """Every kind of value has one spelling."""
    assert dumps(value) == text


def _cycle() -> object:
    value: dict[str, object] = {}
    value["a"] = [value]
    return value


@pytest.mark.parametrize(
    ("value", "path", "words"),
    [
        (_cycle(), ("a", 0), "contains itself"),
        ({"a": [datetime(2024, 1, 1)]}, ("a", 0), "without a time zone"),  # noqa: DTZ001
        ({"a": ["x", "\ud800"]}, ("a", 1), "lone surrogate"),
        ({"\udc00": 1}, ("\udc00",), "lone surrogate"),
        ([object()], (0,), "is not a type that can be sent"),
        ([lambda: None], (0,), "is not a type that can be sent"),
        ({"a": {"__proto__": 1}}, ("a",), "__proto__"),
        ([10**70_000], (0,), "too many digits"),
        (
            [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))],
            (0,),
            "years 1 to 9999",
        ),
        ({1: [object()]}, (0, 0), "is not a type that can be sent"),
        ({float("nan"), float("nan")}, (), "equal on the wire"),
        ([WireSet([Colour.RED, "red"])], (0,), "equal on the wire"),
        ([WireSet([Blob.SMALL, b"small"])], (0,), "equal on the wire"),
        ([{Blob.SMALL, b"small"}], (0,), "equal on the wire"),
        ([WireMap([(bytearray(b"small"), 1), (Blob.SMALL, 2)])], (0,), "equal on the wire"),
        ([WireSet([Blob.LIST, Blob.LIST.value])], (0,), "equal on the wire"),
        ([WireMap([(Colour.RED, 1), ("red", 2)])], (0,), "equal on the wire"),
        ([{frozenset({(1,)})}], (0,), "send a list"),
    ],
)
def test_encoder_rejects_what_has_no_spelling(
    value: object, path: tuple[object, ...], words: str
) -> None:
    """The error says what to do, and where."""
    with pytest.raises(EncodeError, match=words) as caught:
        dumps(value)
    assert caught.value.path == path


def test_encoder_tells_an_open_container_from_one_that_is_shared() -> None:
    """What is written already may stand anywhere again, what is being written nowhere."""
    leaf: list[object] = [1]
    pair = {"l": leaf}
    value = [leaf, [pair, {"deep": [leaf, pair]}], pair]
    assert dumps(value) == '[[1,3,4],[2],1,[4,5],{"l":1},{"deep":6},[1,4]]'
    for inner in (value, value[1], value[1][1], value[1][1]["deep"]):  # type: ignore[index]
        innermost: list[object] = value[1][1]["deep"]  # type: ignore[index]
        innermost.append(inner)
        with pytest.raises(EncodeError, match="contains itself") as caught:
            dumps(value)
        assert caught.value.path == (1, 1, "deep", 2)
        innermost.pop()


def test_encoder_tells_an_open_object_from_one_that_is_shared() -> None:
    """The same holds for objects that are read by their attributes."""
    post = Post(1)
    assert dumps([post, post]) == '[[1,1],{"postId":2},1]'
    post.like_count = [post]  # type: ignore[assignment]
    with pytest.raises(EncodeError, match="contains itself") as caught:
        dumps(post)
    assert caught.value.path == ("likeCount", 0)


def test_encoder_keeps_numbers_and_bigints_apart() -> None:
    """A double is another value than the bigint that Python calls equal to it."""
    text = '[[1,2,1,2],1152921504606847000,["BigInt","1152921504606846976"]]'
    assert dumps([2.0**60, 2**60, 2.0**60, 2**60]) == text
    assert (
        dumps([True, 1, 1.0, BigInt(1), False, 0])
        == '[[1,2,2,3,4,5],true,1,["BigInt","1"],false,0]'
    )


def test_encoder_writes_names_the_same_whatever_was_written_before() -> None:
    """What is remembered of member names changes no text."""
    for _ in range(2):
        assert dumps({"key": 1, "b": 2}) == '[{"key":1,"b":2},1,2]'
        assert dumps({Name.KEY: 1, "b": 2}) == '[{"key":1,"b":2},1,2]'
        assert dumps({1: 1, "b": 2}) == '[["Map",1,1,2,3],1,"b",2]'
        assert canonical({"key": 1, "b": 2}) == '[{"b":1,"key":2},2,1]'
        assert canonical({"key": msgspec.UNSET, "b": 2}) == '[{"b":1},2]'
    many = [{f"name {n}": n} for n in range(2000)]
    assert loads(dumps(many)) == many


def test_encoder_does_not_confuse_objects_that_live_one_after_another() -> None:
    """A value made on the fly is not taken for a later one at the same address."""

    class Lazy:
        def __init__(self, number: int) -> None:
            self.number = number

    extensions = Extensions()
    extensions.adapt(Lazy, lambda lazy: [[lazy.number]])
    values = [Lazy(n) for n in range(100)]
    assert dumps(values, extensions=extensions) == dumps([[[n]] for n in range(100)])


def _money() -> Extensions:
    extensions = Extensions()
    extensions.register(
        "app.Money",
        Decimal,
        encode=lambda money: {"amount": str(money)},
        decode=lambda content: Decimal(content["amount"]),
        plain=str,
    )
    return extensions


def test_encoder_writes_extension_only_to_those_who_accept_it() -> None:
    """Everybody else gets the plain projection."""
    value = [Decimal("1.5")]
    wire = '[[1],["app.Money",2],{"amount":3},"1.5"]'
    assert dumps(value, extensions=_money()) == wire
    assert dumps(value, extensions=_money(), accept={"app.Money"}) == wire
    assert dumps(value, extensions=_money(), accept={"app.money"}) == '[[1],"1.5"]'
    assert plain_dumps(value, extensions=_money()) == b'["1.5"]'


@pytest.mark.parametrize("name", ["Money", "Date", "", 'a."', "a.\\", "a.<", "é.b"])
def test_registry_rejects_names_that_could_be_mistaken(name: str) -> None:
    """A name holds a dot and nothing that JSON or HTML would escape."""
    with pytest.raises(ValueError, match="name"):
        Extensions().register(name, Decimal, encode=str, decode=Decimal)


def test_registry_rejects_types_of_the_data_model_and_second_registrations() -> None:
    """An extension cannot replace a kind of value, or another extension."""
    extensions = Extensions()
    with pytest.raises(ValueError, match="data model"):
        extensions.register("app.Bytes", bytes, encode=list, decode=bytes)
    extensions.register("app.Money", Decimal, encode=str, decode=Decimal)
    with pytest.raises(ValueError, match="already"):
        extensions.register("app.Money", uuid.UUID, encode=str, decode=uuid.UUID)
    with pytest.raises(ValueError, match="already"):
        extensions.register("app.Price", Decimal, encode=str, decode=Decimal)


def test_encoder_reports_a_refusal_of_a_registered_encoder() -> None:
    """An encoder that raises spoils its value with a typed error."""
    extensions = Extensions()
    extensions.register("app.Bad", Decimal, encode=lambda _: 1 / 0, decode=Decimal)
    with pytest.raises(EncodeError) as caught:
        dumps([Decimal(1)], extensions=extensions)
    assert caught.value.path == (0,)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("big", [2**53, 2**64, -(2**60)])
def test_encoder_keeps_a_bigint_apart_from_the_number_of_equal_value(big: int) -> None:
    """A number and a bigint are two entries in either order, also where Python has them equal."""
    number, bigint = dumps(float(big))[1:-1], f'["BigInt","{big}"]'
    assert dumps([float(big), big, float(big), big]) == f"[[1,2,1,2],{number},{bigint}]"
    assert dumps([big, float(big), big]) == f"[[1,2,1],{bigint},{number}]"


def test_set_merges_equal_byte_strings_and_one_container() -> None:
    """What the wire calls equal is one member, whichever type it has."""
    one: list[object] = []
    assert dumps(WireSet([b"ab", bytearray(b"ab"), memoryview(b"xaby")[1:3]])) == (
        '[["Set",1],["ArrayBuffer","YWI="]]'
    )
    assert len(WireSet([one, one, []])) == 2
    assert b"ab" in WireSet([bytearray(b"ab")])
    assert dumps(WireMap([(b"ab", 1), (b"ab", 2)])) == '[["Map",1,2],["ArrayBuffer","YWI="],2]'
    assert WireMap([(b"ab", 1)])[memoryview(b"ab")] == 1


def test_encoder_rejects_byte_strings_that_became_equal() -> None:
    """A view is what it shows when it is written."""
    changing = bytearray(b"a")
    items = WireSet([changing, b"b"])
    assert len(loads(dumps(items))) == 2
    changing[0] = ord("b")
    with pytest.raises(EncodeError, match="equal on the wire"):
        dumps(items)
