"""Measure the codec beside devalue in Node and beside plain msgspec.

Run `python reference/benchmarks/codec.py [--rounds 20] [--seconds 0.02]`; Node finds devalue
in `reference/tests/node`. Everything that is compared takes turns in every round, and the
best batch of all rounds counts, so that other work on the machine meets all alike.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight import BigInt, Limits, WireMap, WireSet, decode_payload, dumps, loads, payload

sys.path.insert(0, str(Path(__file__).parent))

from corpora import corpora

if TYPE_CHECKING:
    from collections.abc import Callable

_NODE_DIRECTORY: Final = Path(__file__).parent.parent / "tests" / "node"
_LIMITS: Final = Limits(body_bytes=8 << 20, expanded_nodes=1_000_000)
_BATCH_SECONDS: Final = 0.0005
_HEAD: Final = (
    f"{'corpus':<26}{'bytes':>9}{'encode':>11}{'decode':>11}{'to key':>11}{'from key':>11}"
    f"   {'of devalue':<13}{'of msgspec':<13}"
)


def main() -> None:
    """Print one line for each corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0.02, help="of each slice of a round")
    arguments = parser.parse_args()
    values = corpora()
    peer = Peer({name: dumps(value) for name, value in values.items()}, arguments.seconds)
    if peer.absence:
        print(f"devalue is not measured: {peer.absence}")
    calls = {name: _calls(value) for name, value in values.items()}
    best: dict[str, dict[str, float]] = {name: {} for name in values}
    for _ in range(arguments.rounds):
        for name, taken in best.items():
            for call, function in calls[name].items():
                taken[call] = min(taken.get(call, 1e9), _best(function, arguments.seconds))
            for call, seconds in peer.measure(name).items():
                taken[call] = min(taken.get(call, 1e9), seconds)
    peer.close()
    print(_HEAD)
    for name, taken in best.items():
        print(_line(name, len(dumps(values[name])), taken))
    print("Ratios are speeds, encode then decode: 1.00 is as fast, 0.50 half as fast.")


def _calls(value: Any) -> dict[str, Callable[[], object]]:
    """Return what is measured in this process."""
    text = dumps(value)
    key = payload(value, limits=_LIMITS)
    jsonable = _jsonable(value)
    packed = msgspec.json.encode(jsonable)
    return {
        "encode": lambda: dumps(value),
        "decode": lambda: loads(text, limits=_LIMITS),
        "to key": lambda: payload(value, limits=_LIMITS),
        "from key": lambda: decode_payload(key, limits=_LIMITS),
        "msgspec encode": lambda: msgspec.json.encode(jsonable),
        "msgspec decode": lambda: msgspec.json.decode(packed),
    }


def _line(name: str, size: int, taken: dict[str, float]) -> str:
    times = "".join(
        f"{taken[call] * 1e6:>8,.{0 if taken[call] > 1e-4 else 1}f} us"
        for call in ("encode", "decode", "to key", "from key")
    )
    of_devalue = "absent"
    if "stringify" in taken:
        of_devalue = (
            f"{taken['stringify'] / taken['encode']:.2f}  {taken['parse'] / taken['decode']:.2f}"
        )
    of_msgspec = (
        f"{taken['msgspec encode'] / taken['encode']:.2f}"
        f"  {taken['msgspec decode'] / taken['decode']:.2f}"
    )
    return f"{name:<26}{size:>9,}{times}   {of_devalue:<13}{of_msgspec:<13}"


def _best(function: Callable[[], object], seconds: float) -> float:
    """Return the seconds that one call takes in the fastest batch of a slice of time."""
    calls = 1
    while (taken := _batch(function, calls)) < _BATCH_SECONDS:
        calls *= 2
    best = taken / calls
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        best = min(best, _batch(function, calls) / calls)
    return best


def _batch(function: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return time.perf_counter() - start


def _jsonable(value: Any) -> Any:
    """Turn rich values into what JSON has, for a comparison on the same structure."""
    match value:
        case dict():
            return {name: _jsonable(member) for name, member in value.items()}
        case list():
            return [_jsonable(item) for item in value]
        case WireMap():
            return [[_jsonable(key), _jsonable(member)] for key, member in value.items()]
        case WireSet():
            return [_jsonable(item) for item in value]
        case BigInt() | bytes() | datetime():
            return str(value)
    return value


class Peer:
    """The Node process that runs devalue, if there is one."""

    def __init__(self, texts: dict[str, str], seconds: float) -> None:
        self.absence = ""
        node = shutil.which("node")
        if node is None:
            self.absence = "node is not installed"
        elif not (_NODE_DIRECTORY / "node_modules" / "devalue").is_dir():
            self.absence = f"install it with `npm ci` in {_NODE_DIRECTORY}"
        else:
            self._process = subprocess.Popen(  # noqa: S603 (our own script)
                [node, str(_NODE_DIRECTORY / "benchmark.mjs"), str(seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
            self._write(json.dumps(texts))

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def measure(self, name: str) -> dict[str, float]:
        """Return seconds per call on one corpus; nothing if devalue is absent."""
        if self.absence:
            return {}
        self._write(name)
        assert self._process.stdout is not None
        measured: dict[str, float] = json.loads(self._process.stdout.readline())
        return measured

    def close(self) -> None:
        """End the process."""
        if not self.absence:
            self._process.communicate()


if __name__ == "__main__":
    main()
