"""Inputs made to exhaust time, memory or the stack; and any bytes at all."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import timeit
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wireflight.codec import canonical, decode_payload, dumps, loads, payload, plain_loads
from wireflight.codec.decode import read_carefully
from wireflight.codec.tree import Unread, read_tree
from wireflight.errors import DecodeError
from wireflight.limits import Limits
from wireflight.types import BigInt, WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Callable

settings.register_profile("wireflight", derandomize=True, deadline=None)
settings.load_profile("wireflight")

WIDE = Limits(
    body_bytes=1 << 26,
    table_entries=1 << 22,
    expanded_nodes=1 << 24,
    container_members=1 << 22,
    depth=1 << 22,
)
MERSENNE = 2**61 - 1


def _chain(length: int) -> str:
    return "[" + ",".join([f"[{n + 1}]" for n in range(length - 1)] + ["[]"]) + "]"


def _colliding_set(size: int) -> str:
    members = ",".join(f'["BigInt","{n * MERSENNE}"]' for n in range(1, size + 1))
    return f'[["Set",{",".join(map(str, range(1, size + 1)))}],{members}]'


def _colliding_map(size: int) -> str:
    refs = ",".join(f"{n},0" for n in range(1, size + 1)).replace(",0", ",-1")
    members = ",".join(f'["BigInt","{n * MERSENNE}"]' for n in range(1, size + 1))
    return f'[["Map",{refs}],{members}]'


def _refused(text: str | bytes, **arguments: Any) -> None:
    with pytest.raises(DecodeError):
        loads(text, **arguments)


GROWTH: dict[str, Callable[[int], Callable[[], object]]] = {
    "chain in a response": lambda n: _call(loads, _chain(n), is_request=False),
    "chain in a request": lambda n: _call(loads, _chain(n), limits=WIDE),
    "chain that is refused": lambda n: _call(_refused, _chain(n)),
    "chain that is written": lambda n: _call(dumps, loads(_chain(n), is_request=False)),
    "colliding set": lambda n: _call(loads, _colliding_set(n), limits=WIDE),
    "colliding map": lambda n: _call(loads, _colliding_map(n), limits=WIDE),
    "colliding set that is written": lambda n: _call(
        canonical, loads(_colliding_set(n), limits=WIDE), limits=WIDE
    ),
    "colliding integers that are written": lambda n: _call(dumps, [k * MERSENNE for k in range(n)]),
    "one string many times": lambda n: _call(dumps, ["x" * 1000] * n),
    "doubling": lambda n: _call(
        _refused, "[" + ",".join(f"[{k + 1},{k + 1}]" for k in range(n)) + ",[]]", limits=WIDE
    ),
    "brackets": lambda n: _call(_refused, "[" * n),
    "brackets in plain JSON": lambda n: _call(_plain_refused, b"[" * n),
    "quotes": lambda n: _call(_refused, '["' + '\\"' * n, limits=WIDE),
    "backslashes": lambda n: _call(_refused, '["' + "\\" * n, limits=WIDE),
    "digits": lambda n: _call(_refused, f"[{'1' * n}]", limits=WIDE),
    "one cycle": lambda n: _call(
        _refused, "[" + ",".join(f"[{(k + 1) % n}]" for k in range(n)) + "]", limits=WIDE
    ),
    "members to sort": lambda n: _call(
        canonical, {f"k{k * 7919 % n}": None for k in range(n)}, limits=WIDE
    ),
}


def _call(function: Callable[..., object], *args: Any, **kwargs: Any) -> Callable[[], object]:
    return lambda: function(*args, **kwargs)


def _plain_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        plain_loads(data)


def _seconds(action: Callable[[], object]) -> float:
    # The garbage collector runs at its own moments, over whatever else is alive. Time of the
    # process, not of the clock: others may have the processor.
    return min(timeit.repeat(action, number=1, repeat=5, timer=time.process_time))


def _is_in_proportion(make: Callable[[int], Callable[[], object]], *, rounds: int = 6) -> bool:
    """Tell whether three doublings each take less than three times as long, on average."""
    size = 1000
    while _seconds(make(size)) < 0.001 and size < 64_000:
        size *= 2
    times = [float("inf")] * 4
    for _ in range(rounds):  # other work on the machine can spoil a measurement, growth spoils all
        times = [min(best, _seconds(make(size * 2**k))) for k, best in enumerate(times)]
        if times[3] / times[0] < 27:
            return True
    return False


@pytest.mark.parametrize("name", GROWTH)
def test_codec_takes_time_in_proportion(name: str) -> None:
    """Three doublings of an input each take less than three times as long, on average."""
    assert _is_in_proportion(GROWTH[name])


@pytest.mark.parametrize(
    "collide",
    [
        lambda n: {k * MERSENNE for k in range(n // 8)},
        lambda n: [k in [-1] * (n // 8) for k in range(n // 8)],
    ],
)
def test_measurement_rejects_quadratic_growth(collide: Callable[[int], object]) -> None:
    """What the codec must not do is seen: one bucket for all members, or a list searched."""
    assert not _is_in_proportion(lambda n: _call(collide, n), rounds=2)


def test_codec_is_iterative() -> None:
    """Deep values and deep texts work under a recursion limit of 120."""
    script = """
import sys
from wireflight.codec import canonical, decode_payload, dumps, loads, plain_dumps, plain_loads
from wireflight.errors import DecodeError, EncodeError
from wireflight.limits import Limits
value = []
for _ in range(100_000):
    value = [value]
pairs = {}
for _ in range(100_000):
    pairs = {"a": pairs}
wide = Limits(depth=10**6, body_bytes=10**8, table_entries=10**6, expanded_nodes=10**6)
sys.setrecursionlimit(120)
for deep in (value, pairs):
    text = dumps(deep)
    assert dumps(loads(text, is_request=False)) == text
    assert canonical(loads(text, limits=wide), limits=wide) == text
    assert len(plain_dumps(deep)) > 200_000
for bad in ("[" * 100_000, text, '[{"a":' * 100_000, "[[1],[0]]"):
    for read in (loads, lambda t: plain_loads(t.encode()), lambda t: loads(t.encode())):
        try:
            read(bad)
        except DecodeError:
            pass
        else:
            assert bad == text or bad == "[[1],[0]]"
for refused in (lambda: plain_loads(b"[" * 65 + b"]" * 65),):
    try:
        refused()
    except DecodeError as error:
        assert error.code == "too_deep", error.code
assert plain_loads(b"[" * 64 + b"]" * 64)
loop = value
while loop[0]:
    loop = loop[0]
loop.append(value)
try:
    dumps(value)
except EncodeError as error:
    assert len(error.path) > 99_000
print("done")
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert run.stdout == "done\n", run.stderr[-2000:]


@pytest.mark.parametrize(
    "text",
    [
        "[[-7,4294967295,0,1],1]",
        '[["Uint8Array",1],1000000000]',
        '[["ArrayBuffer",1],1000000000]',
        '[["ArrayBuffer","' + "!" * 100_000 + '"]]',
        "[" + ",".join(f"[{k + 1},{k + 1}]" for k in range(1000)) + ",[]]",
    ],
)
def test_decoder_rejects_amplification_without_memory(text: str) -> None:
    """What a refused text declares is never allocated."""
    data = text.encode()
    tracemalloc.start()
    try:
        _refused(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_decoder_reads_bytes_within_four_times_their_text() -> None:
    """Bytes cost their text a few times over, never a multiple of what they say."""
    data = dumps(b"x" * 300_000).encode()
    tracemalloc.start()
    try:
        loads(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * len(data) + 100_000


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = (
    st.integers(-(2**53) + 1, 2**53 - 1)
    | st.integers(2**53, 2**80)
    | st.floats(allow_nan=False).map(lambda x: int(x) if abs(x) < 2**53 and x == int(x) != 0 else x)
)
SCALARS = (
    st.none()
    | st.just(msgspec.UNSET)
    | st.booleans()
    | NUMBERS
    | st.integers(-(2**53) + 1, 2**53 - 1).map(BigInt)
    | TEXT
    | st.datetimes(timezones=st.just(UTC)).map(
        lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000)
    )
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS | st.binary(min_size=2, max_size=8),
    lambda children: (
        st.lists(children, max_size=5)
        | st.dictionaries(TEXT.filter(lambda name: name != "__proto__"), children, max_size=5)
        | st.lists(SCALARS, max_size=5).map(WireSet)
        | st.lists(st.tuples(SCALARS, children), max_size=5).map(WireMap)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_decoder_reads_what_the_encoder_wrote(value: Any) -> None:
    """Decoding undoes encoding, for servers and for clients."""
    text = dumps(value)
    for is_request in (True, False):
        read = loads(text, is_request=is_request)
        assert dumps(read) == text
        assert read == value


@given(VALUES)
def test_encoder_writes_one_canonical_text(value: Any) -> None:
    """Encoding what was decoded is canonical, and the payload reads back."""
    text = canonical(value)
    assert canonical(loads(text)) == text
    assert canonical(loads(dumps(value))) == text
    assert canonical(decode_payload(payload(value))) == text


FRAGMENTS = st.sampled_from(
    [
        *('"Set"', '"Map"', '"Date"', '"BigInt"', '"ArrayBuffer"', '"null"', '"app.X"', '"a"'),
        *("[", "]", "{", "}", ",", ":", "0", "1", "2", "3", "-1", "-2", "-3", "-6", "-7", "1.0"),
        *("-0", "1e5", "1e400", "null", "true", "false", "NaN", '"\\ud800"', '"\\u0022"', " "),
        *('"__proto__"', '"2024-01-01T00:00:00.000Z"', '"YQ=="', '"-12"', "\xff", '"', "\\"),
    ]
)
TABLES = st.lists(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-8, 8),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
        st.lists(st.integers(-7, 6), max_size=4),
        st.dictionaries(TEXT, st.integers(-7, 6), max_size=3),
        st.tuples(
            st.sampled_from(["Set", "Map", "null", "Date", "BigInt", "ArrayBuffer", "x.y"]),
            st.integers(-7, 6) | TEXT,
            st.integers(-7, 6) | TEXT,
        ),
    ),
    max_size=6,
).map(msgspec.json.encode)


@settings(max_examples=1000)
@given(
    st.binary(max_size=60)
    | st.lists(FRAGMENTS, max_size=25).map(lambda parts: "".join(parts).encode("latin-1"))
    | TABLES
)
@example(b"[-0]")
@example(b'[["Set",1.0],5]')
@example(b"[[1.0],[2]]")
def test_decoder_gives_a_value_or_its_error_for_any_bytes(data: bytes) -> None:
    """No bytes lead to another exception, and what is read can be written."""
    for is_request in (True, False):
        try:
            value = loads(data, is_request=is_request)
        except DecodeError:
            continue
        text = dumps(value)
        assert dumps(loads(text, is_request=is_request)) == text
    with contextlib.suppress(DecodeError):
        plain_loads(data)
    with contextlib.suppress(DecodeError):
        decode_payload(data.decode("latin-1"))


@settings(max_examples=1000)
@given(TABLES | VALUES.map(lambda value: dumps(value).encode()), st.booleans())
def test_decoder_reads_the_same_in_both_ways(data: bytes, is_request: bool) -> None:
    """What the fast way reads, the careful way reads too, and as the same value."""
    fast = read_tree(data, Limits(), None, is_request, True)
    if fast is not Unread.UNREAD:
        careful = read_carefully(data, Limits(), None, is_request, True)
        assert dumps(fast) == dumps(careful)
        assert type(fast) is type(careful)


def test_decoder_takes_the_fast_way_for_what_encoders_write() -> None:
    """A tree in the order of its first visits needs no second look."""
    value = [{"a": [1, 0, "x"], "b": {}, "at": datetime(2024, 1, 1, tzinfo=UTC)}, 1.5, b"x"]
    value += [2**60, WireSet([1, "x"]), WireMap([(1, [])]), 'a "quoted" \\ "word"', None, True]
    for text in (dumps(value), canonical(value)):
        read = read_tree(text.encode(), Limits(), None, True, True)
        assert read == value


def test_dates_are_cut_off_not_rounded() -> None:
    """Microseconds are dropped, before 1970 as after it."""
    for year in (1, 1969, 2024, 9999):
        moment = datetime(year, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
        assert loads(dumps(moment)) == moment.replace(microsecond=999_000)
