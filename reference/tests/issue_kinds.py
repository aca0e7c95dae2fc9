"""Strategies of types with their values: as they come, as they convert, with faults planted."""

from __future__ import annotations

import base64
import enum
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from msgspec import UNSET, Meta

from wireflight.issues.issue import Path
from wireflight.types import AS_MAP, BigInt, WireMap, WireSet

SENTINEL = "s3ntinel"
SENTINEL_NUMBER = 918273645
"""Planted values carry one of these, so that an issue that quotes one is seen."""

Draw = Callable[[st.SearchStrategy[Any]], Any]
Planted = tuple[object, set[Path]]


@dataclass(frozen=True)
class Kind:
    """A type with its values: as they come, as they convert, and with faults planted.

    Attributes:
        type: The annotation.
        valid: Draws a pair of a wire value and what it converts to.
        planted: Draws a wire value with faults, and the paths of all of them.
    """

    type: Any
    valid: st.SearchStrategy[tuple[object, object]]
    planted: st.SearchStrategy[Planted]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


def alike(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[object, object]]:
    """Draw values that convert to themselves."""
    return values.map(lambda value: (value, value))


def wrong(*values: object) -> st.SearchStrategy[Planted]:
    """Draw values that are at fault themselves."""
    return st.sampled_from(values).map(lambda value: (value, {()}))


NOT_TEXT = (SENTINEL_NUMBER, None, True, [SENTINEL], {SENTINEL: SENTINEL}, b"s3ntinel", UNSET)
NOT_NUMBER = (SENTINEL, None, True, [SENTINEL], str(SENTINEL_NUMBER), WireSet([SENTINEL]), UNSET)
INSTANT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)


@cache
def scalars() -> st.SearchStrategy[Kind]:
    """Draw types without parts."""
    numbers = st.integers(-(2**53), 2**53)
    whole = st.integers(-50, 50)
    return st.one_of(
        st.just(Kind(bool, alike(st.booleans()), wrong(SENTINEL, 1, 0, None))),
        st.just(
            Kind(
                int,
                st.one_of(
                    alike(numbers),
                    numbers.map(lambda n: (BigInt(n), n)),
                    whole.map(lambda n: (float(n), n)),
                ),
                wrong(*NOT_NUMBER, SENTINEL_NUMBER + 0.5, float("nan"), float("inf")),
            )
        ),
        whole.map(
            lambda low: Kind(
                Annotated[int, Meta(ge=low, lt=low + 9, multiple_of=3)],
                alike(st.sampled_from([n for n in range(low, low + 9) if n % 3 == 0])),
                wrong(-SENTINEL_NUMBER, SENTINEL_NUMBER - SENTINEL_NUMBER % 3, *NOT_NUMBER[:4]),
            )
        ),
        whole.map(
            lambda low: Kind(
                Annotated[float, Meta(gt=low, le=low + 9)],
                alike(st.floats(low, low + 9, exclude_min=True)),
                wrong(-SENTINEL_NUMBER, float("nan"), float("-inf"), *NOT_NUMBER[:4]),
            )
        ),
        st.just(
            Kind(
                Annotated[str, Meta(min_length=2, max_length=5, pattern="^[a-z]+$")],
                alike(st.text("abcxyz", min_size=2, max_size=5)),
                wrong("", "Q", SENTINEL, *NOT_TEXT[:5]),
            )
        ),
        st.just(
            Kind(
                Annotated[bytes, Meta(max_length=4)],
                st.binary(max_size=4).flatmap(
                    lambda b: st.sampled_from([(b, b), (base64.b64encode(b).decode(), b)])
                ),
                wrong(b"s3ntinel", SENTINEL + "=", "AQJ=", SENTINEL_NUMBER, None),
            )
        ),
        st.just(
            Kind(
                datetime,
                st.sampled_from(
                    [
                        (INSTANT, INSTANT),
                        ("2026-01-02T03:04:05.678Z", INSTANT),
                        ("2026-01-02T05:04:05.678+02:00", INSTANT),
                    ]
                ),
                wrong("2026-01-02T03:04:05", "2026-01-02", SENTINEL, SENTINEL_NUMBER, None),
            )
        ),
        st.just(
            Kind(
                UUID,
                st.uuids().map(lambda u: (str(u), u)),
                wrong(SENTINEL, "0" * 32, b"s3ntinel" * 2, SENTINEL_NUMBER, None),
            )
        ),
        st.just(
            Kind(
                Decimal,
                st.sampled_from([("1.50", Decimal("1.50")), ("-3e2", Decimal("-3e2"))]),
                wrong(SENTINEL, "NaN", " 1", "1_0", "٣", SENTINEL_NUMBER, 0.5, None),
            )
        ),
        st.just(
            Kind(
                Colour,
                st.sampled_from(Colour).map(lambda c: (c.value, c)),
                wrong(SENTINEL, SENTINEL_NUMBER, None, True),
            )
        ),
        st.just(
            Kind(
                Level,
                st.sampled_from(Level).map(lambda c: (c.value, c)),
                wrong(SENTINEL_NUMBER, SENTINEL, True, 1.5),
            )
        ),
        st.just(
            Kind(
                Literal["a", "b", 3],
                alike(st.sampled_from(["a", "b", 3])),
                wrong(SENTINEL, SENTINEL_NUMBER, True, None, "3"),
            )
        ),
    )


def optional(kind: Kind) -> Kind:
    """Let a type be null as well; a fault that was a null is none there."""
    return Kind(
        kind.type | None,
        st.one_of(kind.valid, st.just((None, None))),
        kind.planted.filter(lambda planted: planted[0] is not None),
    )


def subset(draw: Draw, n: int) -> set[int]:
    return draw(st.sets(st.integers(0, n - 1), min_size=1))  # type: ignore[no-any-return]


def arrays(kind: Kind) -> Kind:
    """Make lists of a type, of at most four items."""

    @st.composite
    def planted(draw: Draw) -> Planted:
        if draw(st.integers(0, 4)) == 0:
            return draw(wrong(SENTINEL, {SENTINEL: 1}, SENTINEL_NUMBER, WireMap()))  # type: ignore[no-any-return]
        return plant(draw, [kind] * draw(st.integers(1, 4)))

    valid = st.lists(kind.valid, max_size=4).map(
        lambda pairs: ([wire for wire, _ in pairs], [made for _, made in pairs])
    )
    return Kind(Annotated[list[kind.type], Meta(max_length=4)], valid, planted())  # type: ignore[name-defined]


def plant(draw: Draw, kinds: list[Kind]) -> Planted:
    """Draw one value for each type, at least one of them with faults."""
    bad = subset(draw, len(kinds))
    paths: set[Path] = set()
    values: list[object] = []
    for i, kind in enumerate(kinds):
        if i in bad:
            value, below = draw(kind.planted)
            paths |= {(i, *path) for path in below}
        else:
            value, _ = draw(kind.valid)
        values.append(value)
    return values, paths


def tuples(kinds: list[Kind]) -> Kind:
    """Make tuples of types."""
    valid = st.tuples(*(kind.valid for kind in kinds)).map(
        lambda pairs: ([wire for wire, _ in pairs], tuple(made for _, made in pairs))
    )
    whole = wrong([], SENTINEL, {SENTINEL: 1}, [SENTINEL] * 9).filter(
        # A tuple of the wrong length is looked into as well, so only empty ones are planted.
        lambda planted: not isinstance(planted[0], list) or planted[0] == []
    )

    @st.composite
    def planted(draw: Draw) -> Planted:
        return draw(whole) if draw(st.integers(0, 4)) == 0 else plant(draw, kinds)  # type: ignore[no-any-return]

    return Kind(tuple[tuple(kind.type for kind in kinds)], valid, planted())  # type: ignore[misc]


def sets(_: object) -> Kind:
    """Make sets of integers: as wire sets, or as arrays with or without repeated items."""
    items = st.lists(st.integers(-9, 9), unique=True, max_size=5)
    return Kind(
        set[int],
        items.flatmap(lambda n: st.sampled_from([(n, set(n)), (WireSet(n), set(n))])),
        st.one_of(
            wrong(SENTINEL, {SENTINEL: 1}, SENTINEL_NUMBER),
            st.just(([1, SENTINEL, 2], {(1,)})),
            st.just(([7, 5, 7.0, 7], {(2,), (3,)})),
            st.just((WireSet([1, BigInt(1), SENTINEL]), {(1,), (2,)})),
        ),
    )


def named_sets(_: object) -> Kind:
    """Make sets of strings."""
    items = st.lists(st.text("abc", max_size=3), unique=True, max_size=5)
    return Kind(
        set[str],
        items.flatmap(lambda n: st.sampled_from([(n, set(n)), (WireSet(n), set(n))])),
        st.one_of(
            wrong(SENTINEL, {SENTINEL: 1}, SENTINEL_NUMBER, WireMap()),
            st.just((["a", SENTINEL_NUMBER, "b", None], {(1,), (3,)})),
            st.just((["a", SENTINEL, "a", SENTINEL], {(2,), (3,)})),
            st.just((WireSet(["a", SENTINEL_NUMBER, b"s3ntinel"]), {(1,), (2,)})),
        ),
    )


def dicts(kind: Kind) -> Kind:
    """Make dicts with string keys."""
    names = st.sampled_from(["a", "b", "type", "0", "a.b"])
    valid = st.dictionaries(names, kind.valid, max_size=3)

    @st.composite
    def planted(draw: Draw) -> Planted:
        if draw(st.integers(0, 4)) == 0:
            return draw(wrong(SENTINEL, [SENTINEL], SENTINEL_NUMBER, WireSet()))  # type: ignore[no-any-return]
        members = draw(st.lists(names, min_size=1, max_size=3, unique=True))
        values, paths = plant(draw, [kind] * len(members))
        return by_name(members, values, paths, missing=set())

    return Kind(
        dict[str, kind.type],  # type: ignore[name-defined]
        valid.flatmap(
            lambda pairs: st.sampled_from(
                [
                    ({k: w for k, (w, _) in pairs.items()}, {k: m for k, (_, m) in pairs.items()}),
                    (
                        WireMap((k, w) for k, (w, _) in pairs.items()),
                        {k: m for k, (_, m) in pairs.items()},
                    ),
                ]
            )
        ),
        planted(),
    )


def maps(kind: Kind, *, named: bool = False) -> Kind:
    """Make dicts that are maps: as wire maps, or as arrays of pairs.

    Args:
        kind: Of the values.
        named: Whether the keys are strings, and not integers.
    """
    key: Callable[[int], Any] = str if named else int
    no_key: object = SENTINEL_NUMBER if named else SENTINEL
    pairs = st.dictionaries(st.integers(-9, 9).map(key), kind.valid, max_size=3)

    @st.composite
    def planted(draw: Draw) -> Planted:
        if draw(st.integers(0, 4)) == 0:
            return draw(wrong(SENTINEL, {SENTINEL: 1}, {}, SENTINEL_NUMBER, WireSet()))  # type: ignore[no-any-return]
        values, paths = plant(draw, [kind] * draw(st.integers(1, 3)))
        assert isinstance(values, list)
        wire = [[key(n), value] for n, value in enumerate(values)]
        found: set[Path] = {(path[0], 1, *path[1:]) for path in paths}
        if draw(st.booleans()):
            value, _ = draw(kind.valid)
            found.add((len(wire), 0))
            wire.append([no_key, value])
        if draw(st.booleans()):
            return WireMap((k, v) for k, v in wire), found
        if draw(st.booleans()):
            value, _ = draw(kind.valid)
            found.add((len(wire), 0))
            wire.append([key(0) if named else 0.0, value])  # a second time
        if draw(st.booleans()):
            found.add((len(wire),))
            wire.append(draw(st.sampled_from([[], [SENTINEL], [key(7), SENTINEL, 1], SENTINEL])))
        return wire, found

    return Kind(
        Annotated[dict[str, kind.type], Meta(extra={AS_MAP: True})]  # type: ignore[name-defined]
        if named
        else dict[int, kind.type],  # type: ignore[name-defined]
        pairs.flatmap(
            lambda found: st.sampled_from(
                [
                    (
                        WireMap((k, w) for k, (w, _) in found.items()),
                        {k: m for k, (_, m) in found.items()},
                    ),
                    (
                        [[k, w] for k, (w, _) in found.items()],
                        {k: m for k, (_, m) in found.items()},
                    ),
                ]
            )
        ),
        planted(),
    )


def by_name(members: list[str], values: object, paths: set[Path], *, missing: set[str]) -> Planted:
    """Turn values with places by number into an object with places by name.

    What is undefined is sent, but is no member: where one is demanded it is missing.
    """
    assert isinstance(values, list)
    named = dict(zip(members, values, strict=True))
    kept = {name: value for name, value in named.items() if name not in missing}
    looked_at = {name for name, value in kept.items() if value is not UNSET}
    found: set[Path] = {(members[path[0]], *path[1:]) for path in paths}  # type: ignore[index]
    return kept, {path for path in found if path[0] in looked_at}


_numbers = itertools.count()


def structs(kinds: list[Kind], *, closed: bool, tag: str | None = None) -> Kind:
    """Make a Struct of fields, the last of which has a default."""
    names = ["alpha", "be_ta", "gamma_3", "d"][: len(kinds)]
    fields: list[Any] = [(name, kind.type) for name, kind in zip(names, kinds, strict=True)]
    fields[-1] = (*fields[-1], msgspec.field(default=None))
    made = msgspec.defstruct(
        f"Made{next(_numbers)}",
        fields,
        forbid_unknown_fields=closed,
        rename="camel",
        tag=tag,
    )
    wire_names = list(made.__struct_encode_fields__)

    def value(pairs: tuple[tuple[object, object], ...]) -> tuple[object, object]:
        wire = {name: pair[0] for name, pair in zip(wire_names, pairs, strict=True)}
        return wire | ({"type": tag} if tag else {}), made(*(pair[1] for pair in pairs))

    @st.composite
    def planted(draw: Draw) -> Planted:
        if draw(st.integers(0, 4)) == 0:
            return draw(wrong(SENTINEL, [SENTINEL], SENTINEL_NUMBER, WireSet([SENTINEL])))  # type: ignore[no-any-return]
        values, paths = plant(draw, kinds)
        missing = {name for name in wire_names[:-1] if draw(st.integers(0, 5)) == 0}
        named, found = by_name(wire_names, values, paths, missing=missing)
        assert isinstance(named, dict)
        missing |= {name for name in wire_names[:-1] if named.get(name) is UNSET}
        found |= {(name,) for name in missing}
        if draw(st.booleans()):
            named["unknown"] = SENTINEL
            found |= {("unknown",)} if closed else set()
        if tag is not None:
            named["type"] = tag
        return named, found

    return Kind(made, st.tuples(*(kind.valid for kind in kinds)).map(value), planted())


def unions(kinds: list[Kind]) -> Kind:
    """Make a union of tagged Structs."""
    first, second = structs(kinds, closed=False, tag="a"), structs(kinds[:1], closed=True, tag="b")

    @st.composite
    def planted(draw: Draw) -> Planted:
        what = draw(st.integers(0, 4))
        if what == 0:
            wire, _ = draw(first.valid)
            bad = draw(st.sampled_from([SENTINEL, SENTINEL_NUMBER, None, [SENTINEL]]))
            return {**wire, "type": bad}, {("type",)}
        return draw(st.one_of(first.planted, second.planted))  # type: ignore[no-any-return]

    return Kind(first.type | second.type, st.one_of(first.valid, second.valid), planted())


@cache
def kinds(depth: int) -> st.SearchStrategy[Kind]:
    """Draw a type that nests containers up to a depth."""
    if depth == 0:
        return scalars()
    inner = st.deferred(lambda: kinds(depth - 1))
    several = st.lists(inner, min_size=1, max_size=4)
    return st.one_of(
        st.builds(structs, several, closed=st.booleans()),
        several.map(unions),
        several.map(tuples),
        inner.map(arrays),
        inner.map(dicts),
        inner.map(maps),
        inner.map(lambda kind: maps(kind, named=True)),
        inner.map(optional),
        st.sampled_from([sets, named_sets]).map(lambda make: make(None)),
        scalars(),
    )
