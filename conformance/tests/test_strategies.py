"""The strategies draw what they say, and reach what a careless codec gets wrong."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, find, given, settings

from wireflight_conformance import strategies
from wireflight_conformance.corpus import same_tagged, tag, untag
from wireflight_conformance.wire import codec
from wireflight_conformance.wire.values import BigInt, Date, Extension, Map, Set, Undefined, Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

QUIET = settings(
    max_examples=60, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
SEARCH = settings(QUIET, max_examples=3000)


@QUIET
@given(strategies.values())
def test_strategies_draw_values_that_encode_and_decode(value: Value) -> None:
    """Each value has a text that is read as the value, and survives being tagged."""
    assert same_tagged(tag(codec.decode(codec.encode(value))), tag(value))
    assert same_tagged(tag(untag(tag(value))), tag(value))


@QUIET
@given(strategies.arguments())
def test_strategies_draw_arguments_that_have_a_normal_form(value: Value) -> None:
    """Each argument has a canonical text."""
    assert codec.decode_payload(codec.payload(value)) is not None or value is None


@QUIET
@given(strategies.broken_strings())
def test_strategies_draw_strings_with_surrogates(value: str) -> None:
    """Each broken string holds a surrogate as a character of its own."""
    assert any("\ud800" <= char <= "\udfff" for char in value)


@pytest.mark.parametrize(
    "kind", [bool, int, float, str, bytes, BigInt, Date, list, dict, Map, Set, Extension, Undefined]
)
def test_strategies_reach_every_type(kind: type) -> None:
    """Every type of VAL-1 is drawn."""
    assert isinstance(
        find(strategies.values(), lambda v: isinstance(v, kind), settings=SEARCH), kind
    )


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (strategies.values, lambda v: isinstance(v, dict) and "\U0001f600" in v),
        (strategies.values, lambda v: isinstance(v, Set) and len(v.items) > 1),
        (strategies.values, lambda v: isinstance(v, Map) and any(k == [] for k, _ in v.pairs)),
        (strategies.strings, lambda s: "\u2028" in s),
        (strategies.strings, lambda s: "<" in s),
        (strategies.numbers, math.isnan),
        (strategies.numbers, lambda n: abs(n) > 1e21 and n - n == 0),
        (strategies.table_texts, lambda t: "-7" in t),
        (strategies.table_texts, lambda t: "__proto__" in t),
        (strategies.table_texts, lambda t: "\\ud800" in t),
        (strategies.table_texts, lambda t: "1e400" in t),
        (strategies.mutated_bytes, lambda b: b"\xff" in b),
        (strategies.mutated_bytes, lambda b: b.startswith(b"[[")),
        (strategies.payload_texts, lambda t: t.endswith("=")),
        (strategies.payload_texts, lambda t: t == ""),
        (strategies.plain_texts, lambda t: t.startswith("{")),
        (strategies.key_texts, lambda t: t.endswith("/W251bGxd")),
    ],
)
def test_strategies_reach_what_is_easy_to_get_wrong(
    source: Callable[[], SearchStrategy[object]], wanted: Callable[[object], bool]
) -> None:
    """Literals of the protocol, astral characters and broken ends all come up."""
    assert wanted(find(source(), wanted, settings=SEARCH))


def test_strategies_change_a_table_in_one_place_and_the_same_way_each_time() -> None:
    """The neighbours of a table are many different texts, always the same ones."""
    text = '[{"a":1,"b":2},["Set",3,4],[5],1,"x",null]'
    near = strategies.near_texts(text, 40)
    assert near == strategies.near_texts(text, 40)
    assert len(set(near)) > 30
    assert strategies.near_texts("", 5) == []
    broken = sum(1 for one in near if not _is_table(one))
    assert broken > 20


def _is_table(text: str) -> bool:
    try:
        codec.decode(text)
    except codec.CodecError:
        return False
    return isinstance(json.loads(text), list)
