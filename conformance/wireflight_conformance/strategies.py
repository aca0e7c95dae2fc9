"""What Hypothesis draws: values of section 3, texts that are nearly payloads, bytes, keys.

Strings come from `characters`, so that unpaired surrogates, separators and `<` take part; protocol
literals go in by hand, because no generator finds `-7` or `__proto__` in time. Importing this
imports Hypothesis: modes do so only when they draw.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import math
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from .wire.codec import encode, string_text
from .wire.values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value, same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

__all__ = [
    "NAMES",
    "arguments",
    "broken_strings",
    "key_texts",
    "mutated_bytes",
    "near_texts",
    "numbers",
    "payload_texts",
    "plain_texts",
    "scalars",
    "strings",
    "table_texts",
    "values",
]

NAMES: Final = (
    *("", "a", "b", "then", "constructor", "toString", "0", "1", "9", "10", "01", "-1"),
    *("4294967294", "4294967295", "\U0001f600", "\ufffd", "\ue000", "<", "\u2028", "é", "e\u0301"),
)
_NUMBERS: Final = (
    *(0.0, -0.0, 1.0, -1.0, 0.1, 1e21, 1e20, 999999999999999900000.0, 1e16, 1e-6, 1e-7, 5e-324),
    *(2.0**53 - 1, 2.0**53, 2.0**53 + 2, 2.0**63, 2.0**64, 123456789012345680000.0),
    *(1.7976931348623157e308, 2.2250738585072014e-308, math.nan, math.inf, -math.inf),
)
_BIGINTS: Final = (0, 1, -1, 10, 9, 2**53 - 1, 2**53, 2**63, 2**64, -(2**61 - 1), 10**100)


@functools.cache
def strings() -> SearchStrategy[str]:
    """Draw well-formed strings: what is escaped, sorted or refused by somebody comes often."""
    any_character = st.characters(exclude_categories=["Cs"])
    special = st.sampled_from('"\\\b\t\n\f\r\x00\x1f\x7f<>&/\u2028\u2029\ufeff\uffff\U0001f600')
    return st.one_of(
        st.sampled_from(NAMES), st.text(special, max_size=4), st.text(any_character, max_size=12)
    )


@functools.cache
def broken_strings() -> SearchStrategy[str]:
    """Draw strings with at least one unpaired surrogate."""
    surrogate = st.characters(categories=["Cs"])
    return st.tuples(strings(), surrogate, strings()).map("".join)


@functools.cache
def numbers() -> SearchStrategy[float]:
    """Draw doubles of all kinds."""
    return st.one_of(
        st.sampled_from(_NUMBERS),
        st.integers(-(2**53), 2**53).map(float),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(2**53, 10**21).map(float),
    )


@functools.cache
def bigints() -> SearchStrategy[BigInt]:
    """Draw bigints, in and beyond the range of safe integers."""
    return st.one_of(st.sampled_from(_BIGINTS), st.integers(), st.integers(10**30, 10**60)).map(
        BigInt
    )


@functools.cache
def dates() -> SearchStrategy[Date]:
    """Draw instants of the years 0001 to 9999."""
    return st.datetimes(timezones=st.just(dt.UTC)).map(
        lambda at: Date(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    )


@functools.cache
def scalars() -> SearchStrategy[Value]:
    """Draw what may be the key of a map in an argument."""
    return st.one_of(
        st.sampled_from([None, True, False, UNDEFINED]), numbers(), strings(), bigints(), dates()
    )


def _zero(value: Value) -> Value:
    return 0 if isinstance(value, float) and value == 0 else value


def _distinct(items: Sequence[Value]) -> list[Value]:
    """Leave out what is equal to an item before it. Spec: PAY-4, KEY-3."""
    kept: list[Value] = []
    for item in items:
        if not any(same(_zero(item), _zero(other)) for other in kept):
            kept.append(item)
    return kept


@functools.cache
def _leaves() -> SearchStrategy[Value]:
    money = st.builds(
        lambda amount, currency: Extension("fx.Money", {"amount": amount, "currency": currency}),
        bigints(),
        strings(),
    )
    return st.one_of(scalars(), st.binary(max_size=12), money)


_KINDS: Final = ("leaf", "leaf", "array", "object", "map", "set")
_KIND: Final = st.sampled_from(_KINDS)
_COUNT: Final = st.integers(0, 4)


# written with `draw`, because `recursive` spends more time on itself than on the values
def _value(draw: DrawFn, depth: int, *, is_argument: bool) -> Value:
    kind = draw(_KIND) if depth else "leaf"
    if kind == "leaf":
        return draw(_leaves())
    count = draw(_COUNT)

    def part() -> Value:
        return _value(draw, depth - 1, is_argument=is_argument)

    def member() -> Value:
        return draw(scalars()) if is_argument else part()

    if kind == "array":
        return [part() for _ in range(count)]
    if kind == "object":
        names = [draw(strings()) for _ in range(count)]
        return {name: part() for name in names if name != "__proto__"}
    members = _distinct([member() for _ in range(count)])
    return Set(members) if kind == "set" else Map([(key, part()) for key in members])


@st.composite
def values(draw: DrawFn) -> Value:
    """Draw values of section 3, containers as map keys and set items included."""
    return _value(draw, 3, is_argument=False)


@st.composite
def arguments(draw: DrawFn) -> Value:
    """Draw values that have a normal form."""
    return _value(draw, 3, is_argument=True)


# -- texts -------------------------------------------------------------------------------------

_LITERALS: Final = (
    *("0", "1", "2", "3", "-1", "-2", "-3", "-4", "-5", "-6", "-7", "-8", "1.0", "0.5", "1e0"),
    *("-0", "1e400", "4294967297", "null", "true", "false", '"a"', '"__proto__"', "[]", "{}"),
    *('"\\ud800"', '"\\u0061"', "[0]", "[1]", '{"a":1}', '{"__proto__":1}', "NaN", "01", ""),
    *('["Set",1]', '["Map",1,2]', '["null","a",1]', '["BigInt","1"]', '["BigInt",1]'),
    *('["Date","2026-01-02T03:04:05.678Z"]', '["Date","2026-02-30T00:00:00.000Z"]'),
    *('["ArrayBuffer","AQ=="]', '["ArrayBuffer","AR=="]', '["RegExp","a"]', '["fx.Money",1]'),
    *('["app.Other",1]', '["constructor",1]', '["Error",1]', "[-2]", "[1,1]", '["Set",1,1]'),
)


@st.composite
def table_texts(draw: DrawFn) -> str:
    """Draw texts of tables: valid ones, with entries or references replaced on the wire."""
    text = encode(draw(values()))
    for _ in range(draw(st.integers(0, 3))):
        text = draw(st.sampled_from(_CHANGES))(draw, text)
    return text


def _replace_entry(draw: DrawFn, text: str) -> str:
    try:
        table = json.loads(text)
    except ValueError:
        return text
    if not isinstance(table, list) or not table:
        return text
    entries = [_dump(entry) for entry in table]
    index = draw(st.integers(0, len(entries)))
    entries[index : index + draw(st.integers(0, 1))] = [draw(st.sampled_from(_LITERALS))]
    return "[" + ",".join(entries) + "]"


def _dump(entry: object) -> str:
    return string_text(entry) if isinstance(entry, str) else json.dumps(entry)


def _replace_token(draw: DrawFn, text: str) -> str:
    """Replace one number, or what looks like one, by a literal."""
    places = [i for i, char in enumerate(text) if char.isdigit()]
    if not places:
        return text
    at = draw(st.sampled_from(places))
    return text[:at] + draw(st.sampled_from(_LITERALS)) + text[at + 1 :]


def _cut(draw: DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    return text[:at] + text[at + draw(st.integers(0, 3)) :]


def _insert(draw: DrawFn, text: str) -> str:
    at = draw(st.integers(0, len(text)))
    piece = draw(st.sampled_from([" ", "\n", ",", "[", "]", '"', "\\", "\ufeff", "0", "-", "<"]))
    return text[:at] + piece + text[at:]


_CHANGES: Final[Sequence[Callable[[DrawFn, str], str]]] = (
    *(_replace_entry, _replace_entry, _replace_token, _cut, _insert),
)


def near_texts(text: str, count: int) -> list[str]:
    """Return texts that differ from a table in one place, the same ones each time.

    Places and literals are taken in strides, so that a few texts already reach all parts of the
    table.
    """
    places = [at for at, char in enumerate(text) if char.isdigit() or char in '"{[']
    if not places:
        return []
    made = []
    for turn in range(count):
        at = places[(turn * 5 + turn // len(places)) % len(places)]
        literal = _LITERALS[(turn * 7 + len(text)) % len(_LITERALS)]
        made.append(text[:at] + literal + text[at + 1 :])
    return made


@st.composite
def mutated_bytes(draw: DrawFn) -> bytes:
    """Draw bytes: any, or those of a table with some of them changed."""
    if draw(st.integers(0, 3)) == 0:
        return draw(st.binary(max_size=40))
    data = bytearray(draw(table_texts()).encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 1))] = draw(st.binary(max_size=2))
    return bytes(data)


@st.composite
def payload_texts(draw: DrawFn) -> str:
    """Draw texts that are payloads, or nearly."""
    from .wire.codec import payload, payload_of_text

    if draw(st.booleans()):
        text = payload_of_text(draw(table_texts()))
    else:
        text = payload(draw(arguments()))
    change = draw(st.integers(0, 3))
    if change == 0:
        return text + draw(st.sampled_from(["=", "==", "A", "\n", " ", ".", "%3D"]))
    if change == 1 and text:
        return text[:-1] + draw(st.sampled_from("ABCDQRgw-_+/9"))
    return text


def _plain(draw: DrawFn, depth: int) -> object:
    kind = draw(_KIND) if depth else "leaf"
    count = 0 if kind == "leaf" else draw(_COUNT)
    if kind in ("array", "set"):
        return [_plain(draw, depth - 1) for _ in range(count)]
    if kind in ("object", "map"):
        return {draw(strings()): _plain(draw, depth - 1) for _ in range(count)}
    return draw(_plain_leaves())


@functools.cache
def _plain_leaves() -> SearchStrategy[object]:
    finite = st.floats(allow_nan=False, allow_infinity=False)
    return st.one_of(st.none(), st.booleans(), st.integers(), finite, strings())


@st.composite
def plain_texts(draw: DrawFn) -> str:
    """Draw JSON texts and texts that are nearly JSON."""
    text = json.dumps(_plain(draw, 3), ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        text = draw(st.sampled_from((_replace_token, _cut, _insert)))(draw, text)
    return text


@functools.cache
def key_texts() -> SearchStrategy[str]:
    """Draw texts that are keys, or nearly."""
    segment = st.sampled_from(["a", "fx", "_", "A1", "1", "", "a-b", "~x", "é", "a\n", "__proto__"])
    payload = st.sampled_from(["", "W251bGxd", "LTE", "-_", "=", "a b", "%3D", "é", "\n"])
    made = st.tuples(st.lists(segment, min_size=1, max_size=3).map("/".join), payload)
    return st.one_of(made.map("/".join), strings())
