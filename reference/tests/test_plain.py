"""Plain JSON in and out."""

from __future__ import annotations

import math
import uuid
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from wireflight.codec import payload, plain_dumps, plain_loads
from wireflight.errors import DecodeError, DecodeErrorCode, EncodeError
from wireflight.limits import Limits
from wireflight.types import BigInt, WireMap, WireSet

MOMENT = datetime(2024, 1, 2, 3, 4, 5, 6789, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, b"null"),
        (msgspec.UNSET, b"null"),
        (True, b"true"),
        (1, b"1"),
        (1.0, b"1"),
        (1e21, b"1e+21"),
        (-0.0, b"0"),
        (float("nan"), b"null"),
        ([float("inf"), -math.inf], b"[null,null]"),
        (2**53, b'"9007199254740992"'),
        (BigInt(5), b'"5"'),
        ("é\u2028<\x7f\n", '"é\u2028<\x7f\\n"'.encode()),
        (MOMENT, b'"2024-01-02T03:04:05.006Z"'),
        (b"ab", b'"YWI="'),
        ([], b"[]"),
        ({}, b"{}"),
        ({"a": [1, {"b": 2}], "c": 3}, b'{"a":[1,{"b":2}],"c":3}'),
        ({"a": msgspec.UNSET, "b": 1}, b'{"b":1}'),
        ([msgspec.UNSET], b"[null]"),
        ({1: "x", "y": 2}, b'[[1,"x"],["y",2]]'),
        (WireMap([([1], 2)]), b"[[[1],2]]"),
        (WireSet([2, 1]), b"[2,1]"),
        ({10, 9, 1}, b"[10,1,9]"),
        ({(1, 2)}, b"[[1,2]]"),
        (uuid.UUID(int=0), b'"00000000-0000-0000-0000-000000000000"'),
        (Decimal("1.0"), b'"1.0"'),
    ],
)
def test_plain_encoder_writes_exact_bytes(value: object, text: bytes) -> None:
    """Every value is written as far as JSON can say it."""
    assert plain_dumps(value) == text


def test_plain_encoder_rejects_what_cannot_be_sent() -> None:
    """Errors name the place; sharing that unfolds too far is one."""
    loop: list[object] = [1]
    loop.append({"a": loop})
    with pytest.raises(EncodeError, match="contains itself") as caught:
        plain_dumps(loop)
    assert caught.value.path == (1, "a")
    doubled: list[object] = []
    for _ in range(60):
        doubled = [doubled, doubled]
    with pytest.raises(EncodeError, match="response_bytes"):
        plain_dumps(doubled, limits=Limits(response_bytes=10_000))
    for value, words in (
        ({"__proto__": 1}, "__proto__"),
        (["\ud800"], "surrogate"),
        ({"\ud800": 1}, "surrogate"),
        ([datetime(2024, 1, 1)], "datetime"),  # noqa: DTZ001
        ([object()], "type"),
        ([10**70_000], "digits"),
        ({frozenset({(1,)})}, "list"),
    ):
        with pytest.raises(EncodeError, match=words):
            plain_dumps(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"null", None),
        (b' {"a": [1, 1.0, 1e2, 0.5]} ', {"a": [1, 1, 100, 0.5]}),
        (b"9007199254740991", 2**53 - 1),
        (b'"\\ud83d\\ude00\\u0000"', "\U0001f600\0"),
        (b'{"constructor":{"then":1}}', {"constructor": {"then": 1}}),
        (b'{"":{"a":1},"a":{"a":1}}', {"": {"a": 1}, "a": {"a": 1}}),
        ('"é"'.encode(), "é"),
        (b"[" * 64 + b"]" * 64, None),
        (b'"' + b"[" * 1000 + b'"', "[" * 1000),
        (b'"\\"' + b"[" * 1000 + b'"', '"' + "[" * 1000),
    ],
)
def test_plain_decoder_reads_exact_value(text: bytes, value: object) -> None:
    """JSON is read as it stands."""
    read = plain_loads(text)
    assert value is None or read == value


@pytest.mark.parametrize("text", [b"9007199254740992", b"-9007199254740993", b"1e300", b"-0"])
def test_plain_decoder_reads_double(text: bytes) -> None:
    """Integers that are not safe are doubles, and so is minus zero."""
    read = plain_loads(text)
    assert type(read) is float
    assert read == float(text)


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b" ", b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"9" * 400, b"01"),
        *(b"9" * 5000, b"[1,]", b"{'a':1}", b'{"a":1,}', b"nul", b"1 2", b"[", b'"a', b'"\n"'),
        *(b'"\\ud800"', b'"\\udc00\\ud800"', b'{"\\ud800":1}', b'["\\ud83d"]', b'"\\x"'),
        *(b'"\xff"', b'"\xc0\x80"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b"\x00", b'"\xf5"'),
        *(b'{"a":1,"a":1}', b'{"a":1,"\\u0061":1}', b'[{"b":{"a":1,"a":2}}]'),
        *(b'{"__proto__":1}', b'{"\\u005f_proto__":1}', b'{"a":[{"__proto__":{}}]}'),
        *(b"'1'", b"0x10", b".5", b"5.", b"+1", b"\xa01", b"\x0b1", b"/**/1"),
    ],
)
def test_plain_decoder_rejects_malformed(text: bytes) -> None:
    """Whatever two readers could take differently is refused."""
    with pytest.raises(DecodeError) as caught:
        plain_loads(text)
    assert caught.value.code is DecodeErrorCode.INVALID_PAYLOAD


@pytest.mark.parametrize(
    ("text", "limits", "limit"),
    [
        (b"[" * 65 + b"]" * 65, Limits(), "depth"),
        (b"[" * 100_000, Limits(), "depth"),
        (b'{"a":' * 100_000, Limits(), "depth"),
        (b'["]"' + b",[" * 64, Limits(), "depth"),
        (b"[1,1,1]", Limits(container_members=2), "container_members"),
        (b'{"a":1,"b":2}', Limits(container_members=1), "container_members"),
        (b"[[1,1],[1,1]]", Limits(expanded_nodes=6), "expanded_nodes"),
        (b"[1,1]", Limits(body_bytes=4), "body_bytes"),
    ],
)
def test_plain_decoder_rejects_what_is_over_a_limit(
    text: bytes, limits: Limits, limit: str
) -> None:
    """The depth is judged before the text is parsed; the error names the limit."""
    with pytest.raises(DecodeError) as caught:
        plain_loads(text, limits=limits)
    assert caught.value.limit == limit


def test_plain_argument_has_the_payload_of_its_normal_form() -> None:
    """However an argument is spelt in JSON, its key is one."""
    left = plain_loads(b'{"b": 1.0, "a": [-0]}')
    right = plain_loads(b'{"a":[0],"b":1}')
    assert payload(left) == payload(right)
