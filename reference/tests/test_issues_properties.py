"""Generated types: valid values convert, and every planted fault is found where it stands."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import UNSET

from wireflight.codec import dumps, loads
from wireflight.issues import CODES, Converter, ValidationError
from wireflight.types import BigInt, WireMap, WireSet

sys.path.insert(0, str(Path(__file__).parent))

from issue_kinds import INSTANT, SENTINEL, SENTINEL_NUMBER, Kind, kinds

quick = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None
)


def refusal(kind: Kind, value: object) -> ValidationError | None:
    try:
        Converter(kind.type).convert(value)
    except ValidationError as error:
        return error
    return None


def refused(kind: Kind, value: object, *, explain: bool = True) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Converter(kind.type).convert(value, explain=explain)
    return caught.value


def assert_silent(error: ValidationError) -> None:
    """Assert that nothing of the value stands in a message or a param."""
    for issue in error.issues:
        assert issue.code in CODES
        told = issue.message + repr(issue.params)
        assert SENTINEL not in told
        assert str(SENTINEL_NUMBER) not in told


@quick
@given(st.data())
def test_converter_converts_valid_values(data: st.DataObject) -> None:
    """A value of a generated type converts to what it stands for."""
    kind = data.draw(kinds(3))
    wire, expected = data.draw(kind.valid)
    converted = Converter(kind.type).convert(wire)
    assert converted == expected
    assert type(converted) is type(expected)


@quick
@given(st.data())
def test_converter_converts_what_the_codec_decodes(data: st.DataObject) -> None:
    """A value that went over the wire converts to the same as before."""
    kind = data.draw(kinds(3))
    wire, expected = data.draw(kind.valid)
    assert Converter(kind.type).convert(loads(dumps(wire))) == expected


@settings(quick, max_examples=400)
@given(st.data())
def test_converter_finds_every_planted_fault(data: st.DataObject) -> None:
    """Each planted fault has an issue at its place, and nothing else has one."""
    kind = data.draw(kinds(3))
    wire, paths = data.draw(kind.planted)
    assume(paths)
    error = refused(kind, wire)
    assert {issue.path for issue in error.issues} == paths
    assert_silent(error)
    assert len(refused(kind, wire, explain=False).issues) >= 1


texts = st.sampled_from([SENTINEL, "a", "type", "", "2026-01-02T03:04:05Z", "AQI=", "1", "red"])
leaves = st.one_of(
    st.none(),
    st.just(UNSET),
    st.booleans(),
    st.integers(-9, 9),
    st.sampled_from([SENTINEL_NUMBER, 2**53, 2**70, -(10**400)]),
    st.integers(-3, 3).map(BigInt),
    st.floats(),
    texts,
    st.binary(max_size=4),
    st.just(INSTANT),
)
wire_values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(["alpha", "beTa", "gamma3", "d", "type", "a"]), inner, max_size=4
        ),
        st.lists(st.tuples(inner, inner), max_size=3).map(WireMap),
        st.lists(inner, max_size=3).map(WireSet),
    ),
    max_leaves=12,
)


@settings(quick, max_examples=300)
@given(kinds(2), wire_values)
def test_converter_raises_nothing_but_validation_errors(kind: Kind, value: object) -> None:
    """Any wire value converts to any type or is refused with issues that do not quote it."""
    error = refusal(kind, value)
    if error is not None:
        assert error.issues
        assert_silent(error)
        assert refused(kind, value, explain=False).issues


@quick
@given(kinds(3))
def test_converter_publishes_a_json_schema(kind: Kind) -> None:
    """The schema of a generated type is valid and can be written as JSON."""
    schema = Converter(kind.type).schema()
    Draft202012Validator.check_schema(schema)
    assert msgspec.json.decode(msgspec.json.encode(schema)) == schema
