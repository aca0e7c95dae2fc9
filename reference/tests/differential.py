"""Compare the codec with npm devalue on generated values, in both directions.

Run `python reference/tests/differential.py --values 100000 --seed 0`. For every value:

1. what this codec writes, devalue reads as that value and writes again as the same text;
2. what devalue writes is that text too, and this codec reads it and writes it again;
3. the canonical text is that of the normal form in `node/normal.mjs`, and decodes;
4. what is shared in one language is shared in the other.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import isnan
from pathlib import Path
from typing import Any, Final

import msgspec

from wireflight import (
    BigInt,
    DecodeError,
    EncodeError,
    Limits,
    WireMap,
    WireSet,
    canonical,
    decode_payload,
    dumps,
    loads,
    payload,
)
from wireflight.scalars import number_text, scalar_text

NODE_DIRECTORY: Final = Path(__file__).parent / "node"

_BATCH: Final = 500
_LIMITS: Final = Limits(container_members=10**6, expanded_nodes=10**6, depth=10**3)
_EPOCH: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST_MS: Final = 315_537_897_599_999
_CHARS: Final = (
    "abcxyz019 \"\\/<>&'\b\f\n\r\t\0\x01\x1f\x7f\x80\xa0é߿ࠀ\u2027\u2028\u2029\ud7ff"
    "\ue000\ufeff\ufffd\uffff\U00010000\U0001f600\U0010ffff"
)
_WORDS: Final = (
    *("", "a", "b", "id", "name", "10", "9", "01", "0", "-1", "1.5", "4294967294", "4294967295"),
    *(
        "constructor",
        "toString",
        "then",
        "length",
        "\U0001f600",
        "\ufffd",
        "\ue000",
        "é",
        "e\u0301",
    ),
)
_NUMBERS: Final = (
    *(0, -0.0, 1, -1, 1.0, 10, 0.1, 1e21, 1e20, 123456789012345680000.0, 1e-6, 1e-7, 1.5e-7),
    *(5e-324, 1.7976931348623157e308, 2**53 - 1, -(2**53) + 1, 2.0**53, 1e15, 1e16, 0.001),
    *(1 / 3, 1e23, 1.5e300, float("nan"), float("inf"), float("-inf"), 0.00012345, 1e14 + 0.5),
)


@dataclass
class Generator:
    """Makes values and, beside each, its tagged form for the peer."""

    rng: random.Random
    shared: list[Any] = field(default_factory=list)

    def value(self) -> tuple[Any, Any]:
        """Make the next value."""
        self.shared = []
        return self._any(self.rng.choice((0, 1, 2, 3, 4, 5)))

    def _any(self, depth: int) -> tuple[Any, Any]:
        rng = self.rng
        roll = rng.random()
        if depth == 0 or roll < 0.35:
            return self.scalar()
        if self.shared and roll < 0.42:
            number = rng.randrange(len(self.shared))
            return self.shared[number], ["again", number]
        made = self._container(depth - 1)
        if roll > 0.9:
            # The number is taken after the container, so that it cannot hold itself.
            self.shared.append(made[0])
            return made[0], ["share", len(self.shared) - 1, made[1]]
        return made

    def scalar(self) -> tuple[Any, Any]:
        """Make a value that may be a map key."""
        rng = self.rng
        match rng.randrange(9):
            case 0:
                return None, None
            case 1:
                flag = rng.random() < 0.5
                return flag, flag
            case 2:
                return msgspec.UNSET, ["undefined"]
            case 3 | 4:
                return self._number()
            case 5:
                size = rng.choice((3, 53, 54, 64, 200))
                number = rng.randrange(-(2**size), 2**size + 1)
                is_safe = abs(number) < 2**53
                return BigInt(number) if is_safe else number, ["bigint", str(number)]
            case 6:
                moment = _EPOCH + timedelta(milliseconds=rng.randrange(_LAST_MS + 1))
                text = moment.isoformat(timespec="milliseconds")[:23] + "Z"
                return moment, ["date", text]
            case _:
                text = self._text()
                return text, text

    def _number(self) -> tuple[Any, Any]:
        rng = self.rng
        number: float
        match rng.randrange(4):
            case 0:
                number = rng.choice(_NUMBERS)
            case 1:
                number = rng.randrange(-100, 100)
            case 2:
                number = rng.uniform(-1, 1) * 10 ** rng.randrange(-30, 30)
            case _:
                bits = rng.getrandbits(64).to_bytes(8)
                number = memoryview(bits).cast("d")[0]
        return number, ["number", _js_spelling(number)]

    def _text(self) -> str:
        rng = self.rng
        if rng.random() < 0.5:
            return rng.choice(_WORDS)
        return "".join(rng.choices(_CHARS, k=rng.randrange(8)))

    def _container(self, depth: int) -> tuple[Any, Any]:
        rng = self.rng
        size = rng.choice((0, 1, 2, 3, 5, 8))
        match rng.randrange(8):
            case 0 | 1 | 2:
                items = [self._any(depth) for _ in range(size)]
                return [v for v, _ in items], ["array", *(t for _, t in items)]
            case 3 | 4 | 5:
                names = dict.fromkeys(self._text() for _ in range(size))
                members = {name: self._any(depth) for name in names}
                return (
                    {name: value for name, (value, _) in members.items()},
                    ["object", *([name, tagged] for name, (_, tagged) in members.items())],
                )
            case 6:
                # Python has but one object for each byte string of up to one byte, so those
                # are always shared here; a memoryview is an object of its own.
                raw = rng.randbytes(rng.randrange(2, 9))
                return memoryview(raw), ["bytes", base64.b64encode(raw).decode()]
        keys = {scalar_text(key): (key, tagged) for key, tagged in self._keys(size)}
        if rng.random() < 0.5:
            return (
                WireSet([key for key, _ in keys.values()]),
                ["set", *(tagged for _, tagged in keys.values())],
            )
        pairs = [(key, self._any(depth)) for key in keys.values()]
        return (
            WireMap([(key, value) for (key, _), (value, _) in pairs]),
            ["map", *([key, tagged] for (_, key), (_, tagged) in pairs)],
        )

    def _keys(self, size: int) -> list[tuple[Any, Any]]:
        keys = [self.scalar() for _ in range(size)]
        # A Map or Set of ECMAScript turns -0 into 0 itself.
        return [key for key in keys if not (isinstance(key[0], float) and key[0] == 0)]


def _js_spelling(number: float) -> str:
    if isnan(number):
        return "NaN"
    if abs(number) == float("inf"):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 and str(number) == "-0.0":
        return "-0"
    return repr(number)


def in_enumeration_order(value: Any) -> Any:
    """Copy a value with the members of objects as ECMAScript enumerates them."""
    copies: dict[int, Any] = {}

    def copy(item: Any) -> Any:
        if id(item) in copies:
            return copies[id(item)]
        if isinstance(item, list):
            made: Any = [copy(child) for child in item]
        elif isinstance(item, dict):
            indexes = sorted((n for n in item if _is_index(n)), key=int)
            names = indexes + [n for n in item if not _is_index(n)]
            made = {name: copy(item[name]) for name in names}
        elif isinstance(item, WireMap):
            made = WireMap([(key, copy(child)) for key, child in item.items()])
        else:
            return item
        copies[id(item)] = made
        return made

    return copy(value)


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and str(int(name)) == name and int(name) < 2**32 - 1


def tag(value: Any) -> Any:
    """Write a value as the peer tags what it has parsed."""
    if value is msgspec.UNSET:
        return ["undefined"]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, BigInt) or (isinstance(value, int) and abs(value) >= 2**53):
        return ["bigint", str(value)]
    if isinstance(value, (int, float)):
        spelling = _js_spelling(value)
        is_finite = spelling not in ("NaN", "Infinity", "-Infinity", "-0")
        return ["number", number_text(value) if is_finite else spelling]
    if isinstance(value, datetime):
        return ["date", value.isoformat(timespec="milliseconds")[:23] + "Z"]
    if isinstance(value, (bytes, memoryview)):
        return ["bytes", base64.b64encode(value).decode()]
    if isinstance(value, WireMap):
        return ["map", *([tag(key), tag(item)] for key, item in value.items())]
    if isinstance(value, WireSet):
        return ["set", *map(tag, value)]
    if isinstance(value, dict):
        return ["object", *([name, tag(item)] for name, item in value.items())]
    return ["array", *map(tag, value)]


class Peer:
    """The Node process that runs devalue."""

    def __init__(self) -> None:
        node = shutil.which("node")
        if node is None:
            raise FileNotFoundError("node is not installed")
        if not (NODE_DIRECTORY / "node_modules" / "devalue").is_dir():
            raise FileNotFoundError(
                "devalue is not installed: run `npm ci` in reference/tests/node"
            )
        self._process = subprocess.Popen(
            [node, str(NODE_DIRECTORY / "peer.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def ask(self, questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Send one batch and return the answers."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(questions) + "\n")
        self._process.stdin.flush()
        answers: list[dict[str, Any]] = json.loads(self._process.stdout.readline())
        return answers

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def differences_of(value: Any, written: dict[str, Any], read: dict[str, Any]) -> list[str]:
    """Compare both codecs on one value.

    Args:
        value: The value, its members in the order of enumeration.
        written: The peer's answer on the value.
        read: The peer's answer on this codec's text.
    """
    found: list[str] = []

    def expect(claim: str, ours: object, theirs: object) -> None:
        if ours != theirs:
            found.append(f"{claim}: {ours!r} here, {theirs!r} there")

    text = dumps(value)
    expect("text", text, written.get("stringified", written))
    expect("text that is read and written again", text, read.get("restringified", read))
    expect("value that is read", tag(value), read.get("tagged", read))
    for is_request in (True, False):
        try:
            again = loads(text, limits=_LIMITS, is_request=is_request)
        except DecodeError as error:
            found.append(f"not read here: {error}: {text}")
        else:
            expect("value", tag(again), tag(value))
            expect("text of what is read here", dumps(again), text)
    try:
        normal_text: object = canonical(value, limits=_LIMITS)
        decoded = decode_payload(payload(value, limits=_LIMITS), limits=_LIMITS)
        expect("canonical text of the decoded", canonical(decoded, limits=_LIMITS), normal_text)
    except EncodeError:
        normal_text = "none"
    theirs = written.get("normal", written)
    expect("canonical text", normal_text, "none" if isinstance(theirs, dict) else theirs)
    return found


def run(values: int, seed: int, *, is_silent: bool = False) -> list[str]:
    """Compare so many values; return the differences, at most those of ten values.

    Raises:
        FileNotFoundError: When Node or devalue is not installed.
    """
    peer = Peer()
    generator = Generator(random.Random(seed))
    found: list[str] = []
    failed = done = 0
    start = time.monotonic()
    try:
        while done < values and failed < 10:
            batch = [generator.value() for _ in range(min(_BATCH, values - done))]
            ordered = [in_enumeration_order(value) for value, _ in batch]
            answers = peer.ask(
                [{"value": tagged} for _, tagged in batch]
                + [{"text": dumps(value)} for value in ordered]
            )
            for position, value in enumerate(ordered):
                differences = differences_of(
                    value, answers[position], answers[len(batch) + position]
                )
                failed += bool(differences)
                found += differences
            done += len(batch)
            if not is_silent and done % 10_000 == 0:
                print(f"{done:,} values, {done / (time.monotonic() - start):,.0f}/s", flush=True)
    finally:
        peer.close()
    if not is_silent:
        print(f"{done:,} values compared, {len(found)} differences")
    return found


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--values", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    found = run(arguments.values, arguments.seed)
    for difference in found[:50]:
        print(difference)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
