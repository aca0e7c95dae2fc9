"""Measure the codec beside devalue in Node and beside plain msgspec.

Run `python reference/benchmarks/codec.py`; Node finds devalue in `reference/tests/node`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight import BigInt, Limits, WireMap, WireSet, dumps, loads

sys.path.insert(0, str(Path(__file__).parent))

from corpora import corpora

if TYPE_CHECKING:
    from collections.abc import Callable

_NODE_DIRECTORY: Final = Path(__file__).parent.parent / "tests" / "node"
_LIMITS: Final = Limits(body_bytes=8 << 20, expanded_nodes=1_000_000)
_SECONDS: Final = 0.1
_ROUNDS: Final = 12


def main() -> None:
    """Print one line for each corpus."""
    texts = {name: dumps(value) for name, value in corpora().items()}
    node, reason = _measure_node(texts)
    if node is None:
        print(f"devalue is not measured: {reason}")
    head = f"{'corpus':<26}{'bytes':>9}"
    print(f"{head}{'encode':>11}{'decode':>11}   {'of devalue':<16}{'of msgspec':<16}")
    for name, value in corpora().items():
        text = texts[name]
        encode = _best(lambda value=value: dumps(value))  # type: ignore[misc]
        decode = _best(lambda text=text: loads(text, limits=_LIMITS))  # type: ignore[misc]
        of_devalue = "absent"
        if node is not None:
            of_devalue = (
                f"{node[name]['stringify'] / encode:.2f}  {node[name]['parse'] / decode:.2f}"
            )
        builtins = _jsonable(value)
        packed = msgspec.json.encode(builtins)
        plain_encode = _best(lambda builtins=builtins: msgspec.json.encode(builtins))  # type: ignore[misc]
        plain_decode = _best(lambda packed=packed: msgspec.json.decode(packed))  # type: ignore[misc]
        of_msgspec = f"{plain_encode / encode:.2f}  {plain_decode / decode:.2f}"
        print(
            f"{name:<26}{len(text):>9,}{encode * 1e6:>8,.0f} us{decode * 1e6:>8,.0f} us"
            f"   {of_devalue:<16}{of_msgspec:<16}"
        )
    print("Ratios are speeds, encode then decode: 1.00 is as fast, 0.50 half as fast.")


def _best(function: Callable[[], object]) -> float:
    """Return the seconds that one call takes in the best of several rounds."""
    function()
    best = float("inf")
    for _ in range(_ROUNDS):
        calls = 0
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < _SECONDS:
            function()
            calls += 1
        best = min(best, elapsed / calls)
    return best


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


def _measure_node(texts: dict[str, str]) -> tuple[dict[str, dict[str, float]] | None, str]:
    """Return seconds per call by corpus, or None with the reason."""
    node = shutil.which("node")
    if node is None:
        return None, "node is not installed"
    run = subprocess.run(  # noqa: S603 (our own script)
        [node, str(_NODE_DIRECTORY / "benchmark.mjs"), str(_SECONDS), str(_ROUNDS)],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        return None, f"install it with `npm ci` in {_NODE_DIRECTORY}: {run.stderr.strip()[:300]}"
    measured: dict[str, dict[str, float]] = json.loads(run.stdout)
    return measured, ""


if __name__ == "__main__":
    main()
