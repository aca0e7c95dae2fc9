"""The normal form of arguments, and payloads."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from wireflight.codec import canonical, decode_payload, loads, payload
from wireflight.errors import DecodeError, DecodeErrorCode, EncodeError
from wireflight.limits import Limits
from wireflight.types import BigInt, Extensions, WireMap, WireSet

MOMENT = datetime(2024, 1, 1, tzinfo=UTC)
SHARED: list[object] = [1]
FACE = "\U0001f600"


def _payload_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # K-03: array indexes first, then UTF-16 code units.
        ({"b": 1, "10": 2, "9": 3, "a": 4}, '[{"9":1,"10":2,"a":3,"b":4},3,2,4,1]'),
        (
            {FACE: 1, "\ufffd": 2, "\ue000": 3},
            f'[{{"{FACE}":1,"\ue000":2,"\ufffd":3}},1,3,2]',
        ),
        (
            {"4294967295": 1, "4294967294": 2, "01": 3, "-1": 4, "0": 5, "٣": 6},
            '[{"0":1,"4294967294":2,"-1":3,"01":4,"4294967295":5,"٣":6},5,2,4,3,1,6]',
        ),
        # K-04: nothing but scalars is shared.
        ([SHARED, SHARED], "[[1,3],[2],1,[2]]"),
        (
            [MOMENT, MOMENT],
            '[[1,2],["Date","2024-01-01T00:00:00.000Z"],["Date","2024-01-01T00:00:00.000Z"]]',
        ),
        ([10**20, 10**20], '[[1,1],["BigInt","100000000000000000000"]]'),
        # K-05: one spelling of a number.
        ([1, 1.0], "[[1,1],1]"),
        ([0, -0.0], "[[1,1],0]"),
        (-0.0, "[0]"),
        # K-06: undefined members are dropped, undefined items stay.
        ({"a": msgspec.UNSET, "b": [msgspec.UNSET]}, '[{"b":1},[-1]]'),
        (WireMap([(1, msgspec.UNSET)]), '[["Map",1,-1],1]'),
        (msgspec.UNSET, "-1"),
        (None, "[null]"),
        # Keys and items by their own payload texts: `[10]` is before `[1]`.
        (WireSet([1, 10, 2]), '[["Set",1,2,3],10,1,2]'),
        (WireSet(["b", "a", "<", "=", 'a"']), '[["Set",1,2,3,4,5],"=","\\u003C","a","a\\"","b"]'),
        (
            WireSet([msgspec.UNSET, None, True, 1, "1", BigInt(1), MOMENT, float("nan")]),
            (
                '[["Set",-1,-3,1,2,3,4,5,6],"1",1,["BigInt","1"],'
                '["Date","2024-01-01T00:00:00.000Z"],null,true]'
            ),
        ),
        ({2: "x", 1: "y"}, '[["Map",1,2,3,4],1,"y",2,"x"]'),
        (WireSet(["\ue000", FACE]), f'[["Set",1,2],"{FACE}","\ue000"]'),
        (memoryview(b"xab")[1:], '[["ArrayBuffer","YWI="]]'),
    ],
)
def test_canonical_text_is_exact(value: object, text: str) -> None:
    """The normal form has one text, which reads back and writes again as itself."""
    assert canonical(value) == text
    assert canonical(loads(text)) == text
    assert payload(value) == ("" if value is msgspec.UNSET else _payload_of(text))
    assert canonical(decode_payload(payload(value))) == text


def test_canonical_text_does_not_depend_on_order_or_identity() -> None:
    """Equal arguments give equal bytes, however they were built."""
    left = {"a": [1, {"x": 1, "y": 2}], "b": {1, 2, 3}}
    right = {"b": WireSet([3, 2, 1.0]), "a": (1.0, {"y": 2, "x": 1})}
    assert canonical(left) == canonical(right)


def test_canonical_text_keeps_normalisation_forms_apart() -> None:
    """Text is not normalised: a composed letter is another string than its parts."""
    assert payload("é") != payload("e\u0301")


@pytest.mark.parametrize(
    "value",
    [
        WireSet([[]]),
        WireMap([({}, 1)]),
        {(1, 2): 3},
        WireSet([b"x"]),
        WireMap([([], 1)]),
        {MOMENT, MOMENT.replace(microsecond=1)},
        {"a": {"__proto__": 1}},
        datetime(2024, 1, 1),  # noqa: DTZ001
    ],
)
def test_canonical_text_rejects_what_has_no_normal_form(value: object) -> None:
    """Keys and items are scalars, no two of which are equal."""
    with pytest.raises(EncodeError):
        canonical(value)


def test_canonical_text_rejects_cycles_and_explosions() -> None:
    """Sharing unfolds, so it is bounded, and a cycle never ends."""
    value: list[object] = []
    value.append(value)
    with pytest.raises(EncodeError, match="contains itself"):
        canonical(value)
    doubled: list[object] = []
    for _ in range(60):
        doubled = [doubled, doubled]
    with pytest.raises(EncodeError, match="more than 100000 nodes"):
        canonical(doubled)
    with pytest.raises(EncodeError, match="more than 3 nodes"):
        canonical([1, 2, 3], limits=Limits(expanded_nodes=3))


@pytest.mark.parametrize(
    "text",
    [
        "-1",  # the empty payload says it
        "-6",
        "[0.0]",
        "[1.0]",
        "[1e0]",
        "[ 1]",
        '["\\u0061"]',
        '["<"]',
        '["\\u003c"]',
        '["\\/"]',
        "[[1,2],1,1]",
        "[[2,1],1,2]",
        "[[1,1],[]]",
        '[{"b":1,"a":2},1,2]',
        '[{"a":-1}]',
        '[{"a":1,"10":2},1,2]',
        '[["null","a",1],1]',
        '[["Set",1,2],1,10]',
        '[["Set",1],{}]',
        '[["Map",2,1],1,2]',
        "[[-6]]",
        "[1e21]",
        "[100000000000000000001]",
        "[[1.0],2]",
        '[["null"]]',
        "[9007199254740993]",
    ],
)
def test_decoder_rejects_payload_that_is_not_canonical(text: str) -> None:
    """A second spelling of an argument is never taken for its key."""
    loads(text)
    with pytest.raises(DecodeError) as caught:
        decode_payload(_payload_of(text))
    assert caught.value.code is DecodeErrorCode.NON_CANONICAL


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[[0]]", DecodeErrorCode.INVALID_PAYLOAD),
        ("[-0]", DecodeErrorCode.INVALID_PAYLOAD),
        ("-0", DecodeErrorCode.INVALID_PAYLOAD),
        ("[1,2]", DecodeErrorCode.INVALID_PAYLOAD),
        ('[{"a":1,"a":1},2]', DecodeErrorCode.INVALID_PAYLOAD),
        ('[["Set",1,2],1,1]', DecodeErrorCode.INVALID_PAYLOAD),
        (f"[{','.join(f'[{n}]' for n in range(1, 66))},1]", DecodeErrorCode.TOO_DEEP),
        (f'[["BigInt","{"1" * 1025}"]]', DecodeErrorCode.TOO_LARGE),
    ],
)
def test_decoder_rejects_malformed_payload_before_judging_its_form(
    text: str, code: DecodeErrorCode
) -> None:
    """What cannot be read is never called non-canonical."""
    with pytest.raises(DecodeError) as caught:
        decode_payload(_payload_of(text))
    assert caught.value.code is code


@pytest.mark.parametrize(
    "spelling",
    [
        *("WzFd=", "WzFd==", "WzF d", "WzFd\n", " WzFd", "WyJhIl1", "WyJhIl0=", "W", "WzFdA"),
        *("Wy-_Il+", "Wy/x", "%57zFd", "WzFd.", "WzFdé", "WyJhIl0A", "\u0661zFd"),
    ],
)
def test_decoder_rejects_slack_in_base64url(spelling: str) -> None:
    """No padding, no space, no other alphabet, zero trailing bits."""
    with pytest.raises(DecodeError) as caught:
        decode_payload(spelling)
    assert caught.value.code is DecodeErrorCode.INVALID_PAYLOAD


def test_decoder_reads_payload() -> None:
    """The empty payload is undefined, which null is not."""
    assert decode_payload("") is msgspec.UNSET
    assert decode_payload(payload(None)) is None
    assert decode_payload("WyJhIl0") == "a"


def test_decoder_judges_an_extension_by_what_was_received() -> None:
    """What the application makes of an extension does not decide whether it is canonical."""
    extensions = Extensions()
    extensions.register(
        "app.Money", Decimal, encode=lambda money: str(money.normalize()), decode=Decimal
    )
    text = '[["app.Money",1],"1.500"]'
    assert decode_payload(_payload_of(text), extensions=extensions) == Decimal("1.500")
    with pytest.raises(DecodeError) as caught:
        decode_payload(_payload_of('[["app.Money",1],"1.5" ]'), extensions=extensions)
    assert caught.value.code is DecodeErrorCode.NON_CANONICAL
    for text in ('[["app.Money",1],"x"]', '[["app.Money",1],"x" ]'):
        with pytest.raises(DecodeError) as caught:
            decode_payload(_payload_of(text), extensions=extensions)
        assert caught.value.code is DecodeErrorCode.INVALID_PAYLOAD
