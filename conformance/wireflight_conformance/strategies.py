"""What Hypothesis draws: values of section 3, texts that are nearly payloads, bytes, keys.

Strings come from `characters`, so that unpaired surrogates, separators and `<` take part; protocol
literals go in by hand, because no generator finds `-7` or `__proto__` in time. Importing this
imports Hypothesis: modes do so only when they draw.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Final, TypeVar, cast

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
    "numbers",
    "payload_texts",
    "plain_texts",
    "scalars",
    "strings",
    "table_texts",
    "values",
]

T = TypeVar("T")

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


def strings() -> SearchStrategy[str]:
    """Draw well-formed strings: what is escaped, sorted or refused by somebody comes often."""
    any_character = st.characters(exclude_categories=("Cs",))
    special = st.sampled_from('"\\\b\t\n\f\r\x00\x1f\x7f<>&/\u2028\u2029\ufeff\uffff\U0001f600')
    return st.one_of(
        st.sampled_from(NAMES), st.text(special, max_size=4), st.text(any_character, max_size=12)
    )


def broken_strings() -> SearchStrategy[str]:
    """Draw strings with at least one unpaired surrogate."""
    surrogate = st.characters(categories=("Cs",))
    return st.tuples(strings(), surrogate, strings()).map("".join)


def numbers() -> SearchStrategy[float]:
    """Draw doubles of all kinds."""
    return st.one_of(
        st.sampled_from(_NUMBERS),
        st.integers(-(2**53), 2**53).map(float),
        st.floats(allow_nan=False, allow_infinity=False),
        st.integers(2**53, 10**21).map(float),
    )


def bigints() -> SearchStrategy[BigInt]:
    """Draw bigints, in and beyond the range of safe integers."""
    return st.one_of(st.sampled_from(_BIGINTS), st.integers(), st.integers(10**30, 10**60)).map(
        BigInt
    )


def dates() -> SearchStrategy[Date]:
    """Draw instants of the years 0001 to 9999."""
    return st.datetimes(timezones=st.just(dt.UTC)).map(
        lambda at: Date(at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
    )


def scalars() -> SearchStrategy[Value]:
    """Draw what may be the key of a map in an argument."""
    return st.one_of(
        st.sampled_from([None, True, False, UNDEFINED]), numbers(), strings(), bigints(), dates()
    )


def _is_unlike(items: Sequence[Value], item: Value) -> bool:
    return not any(same(_zero(item), _zero(other)) for other in items)


def _zero(value: Value) -> Value:
    return 0 if isinstance(value, float) and value == 0 else value


@st.composite
def _distinct(draw: DrawFn, source: SearchStrategy[Value]) -> list[Value]:
    """Draw items no two of which are equal scalars. Spec: PAY-4, KEY-3."""
    kept: list[Value] = []
    for item in draw(st.lists(source, max_size=5)):
        if _is_unlike(kept, item):
            kept.append(item)
    return kept


def _money() -> SearchStrategy[Value]:
    return st.builds(
        lambda amount, currency: Extension("fx.Money", {"amount": amount, "currency": currency}),
        bigints(),
        strings(),
    )


def _containers(parts: SearchStrategy[Value], keys: SearchStrategy[Value]) -> SearchStrategy[Value]:
    names = strings().filter(lambda name: name != "__proto__")
    made_map = _distinct(keys).flatmap(
        lambda drawn: st.lists(parts, min_size=len(drawn), max_size=len(drawn)).map(
            lambda held: Map(list(zip(drawn, held, strict=True)))
        )
    )
    return st.one_of(
        st.lists(parts, max_size=5),
        st.dictionaries(names, parts, max_size=5),
        made_map,
        _distinct(keys).map(Set),
    )


def _leaves() -> SearchStrategy[Value]:
    return st.one_of(scalars(), st.binary(max_size=12), _money())


def values() -> SearchStrategy[Value]:
    """Draw values of section 3, containers as map keys and set items included."""
    return st.recursive(
        _leaves(), lambda parts: _containers(parts, st.one_of(scalars(), parts)), max_leaves=16
    )


def arguments() -> SearchStrategy[Value]:
    """Draw values that have a normal form."""
    return st.recursive(_leaves(), lambda parts: _containers(parts, scalars()), max_leaves=16)


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


@st.composite
def mutated_bytes(draw: DrawFn) -> bytes:
    """Draw bytes: any, or those of a table with some of them changed."""
    if draw(st.integers(0, 3)) == 0:
        return cast("bytes", draw(st.binary(max_size=40)))
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


@st.composite
def plain_texts(draw: DrawFn) -> str:
    """Draw JSON texts and texts that are nearly JSON."""
    leaves = (
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
        )
        | strings()
    )
    tree = st.recursive(
        leaves,
        lambda parts: st.lists(parts, max_size=4) | st.dictionaries(strings(), parts, max_size=4),
        max_leaves=10,
    )
    text = json.dumps(draw(tree), ensure_ascii=draw(st.booleans()))
    for _ in range(draw(st.integers(0, 2))):
        text = draw(st.sampled_from((_replace_token, _cut, _insert)))(draw, text)
    return text


def key_texts() -> SearchStrategy[str]:
    """Draw texts that are keys, or nearly."""
    segment = st.sampled_from(["a", "fx", "_", "A1", "1", "", "a-b", "~x", "é", "a\n", "__proto__"])
    payload = st.sampled_from(["", "W251bGxd", "LTE", "-_", "=", "a b", "%3D", "é", "\n"])
    made = st.tuples(st.lists(segment, min_size=1, max_size=3).map("/".join), payload)
    return st.one_of(made.map("/".join), strings())
