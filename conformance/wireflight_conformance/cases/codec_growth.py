"""How the time of a codec may grow with the text: linearly, with the factor of a sort.

No time is compared with a number of seconds. Each text is made at four sizes, each twice the one
before, and the best of five is taken at each: three doublings of linear work take 8 times as long,
of quadratic work 64 times.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from wireflight_conformance.codec_driver import Codec, CodecCase
from wireflight_conformance.wire.codec import payload_of_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireflight_conformance.corpus import Json

__all__ = ["load_growth"]

_RATIO: Final = 27.0
"""Three doublings at less than 3 each."""
_RUNS: Final = 5
_ATTEMPTS: Final = 3
_SIZE: Final = 500
_PRIME: Final = 2**61 - 1
"""CPython hashes integers modulo this: its multiples all meet in one place of a table."""


def _table(*entries: str) -> str:
    return "[" + ",".join(entries) + "]"


def _indexes(count: int) -> str:
    return ",".join(map(str, range(1, count + 1)))


def _chain(count: int) -> str:
    return _table(*(f"[{i}]" for i in range(1, count + 1)), "null")


def _doubling(count: int) -> str:
    return _table(*(f"[{i},{i}]" for i in range(1, count + 1)), "null")


def _long_strings(count: int) -> str:
    return _table("[" + ",".join(["1"] * count) + "]", '"' + "x" * 1000 + '"')


_DECODE: Final[Mapping[str, Callable[[int], str]]] = {
    "array": lambda n: _table(f"[{_indexes(n)}]", *map(str, range(n))),
    "references-to-one": lambda n: _table("[" + ",".join(["1"] * n) + "]", "null"),
    "chain": _chain,
    "doubling": _doubling,
    "objects": lambda n: _table(f"[{_indexes(n)}]", *(f'{{"a":{n + 1}}}' for _ in range(n)), "1"),
    "names": lambda n: _table("{" + ",".join(f'"m{i}":1' for i in range(n)) + "}", "null"),
    "set-of-strings": lambda n: _table(f'["Set",{_indexes(n)}]', *(f'"s{i}"' for i in range(n))),
    "set-of-colliding-bigints": lambda n: _table(
        f'["Set",{_indexes(n)}]', *(f'["BigInt","{i * _PRIME}"]' for i in range(1, n + 1))
    ),
    "set-of-colliding-numbers": lambda n: _table(
        f'["Set",{_indexes(n)}]', *(f"{i * 4294967296}" for i in range(1, n + 1))
    ),
    "set-of-sets": lambda n: _table(f'["Set",{_indexes(n)}]', *('["Set"]' for _ in range(n))),
    "map": lambda n: _table(
        '["Map",' + ",".join(f"{i},-1" for i in range(1, n + 1)) + "]",
        *(f'"k{i}"' for i in range(n)),
    ),
    "nothing-reaches": lambda n: _table("null", *(f'"{i}"' for i in range(n))),
    "one-string": lambda n: '["' + "\\u0061" * n + '"]',
    "one-base64": lambda n: '[["ArrayBuffer","' + "AAAA" * n + '"]]',
    "open-brackets": lambda n: "[" * n,
}
_RECODE: Final[Mapping[str, Callable[[int], str]]] = {
    "array": _DECODE["array"],
    "names": _DECODE["names"],
    "chain": _chain,
    "one-long-string": _long_strings,
}
_PAYLOAD: Final[Mapping[str, Callable[[int], str]]] = {
    "set": lambda n: _table('["Set",' + _indexes(n) + "]", *sorted(f'"{i:06d}"' for i in range(n))),
    "names": lambda n: _table("{" + ",".join(f'"m{i:06d}":1' for i in range(n)) + "}", "null"),
    "array": lambda n: _table(f"[{_indexes(n)}]", *map(str, range(n))),
    "empty-arrays": lambda n: _table(f"[{_indexes(n)}]", *["[]"] * n),
}


def load_growth() -> Mapping[str, CodecCase]:
    """Return the cases by id."""
    made = [
        *(_case("decode", name, _of_decode(text), "PAY-8") for name, text in _DECODE.items()),
        *(_case("recode", name, _of_recode(text), "PAY-1") for name, text in _RECODE.items()),
        *(_case("payload", name, _of_payload(text), "KEY-9") for name, text in _PAYLOAD.items()),
    ]
    return {case.id: case for case in made}


def _case(op: str, name: str, request: Callable[[int], dict[str, Json]], clause: str) -> CodecCase:
    def run(codec: Codec) -> None:
        # a machine that is busy with something else shows in one measurement, not in each
        for _ in range(_ATTEMPTS):
            times = [_best(codec, request(_SIZE << step)) for step in range(4)]
            ratio = times[-1] / times[0]
            if ratio < _RATIO:
                break
        shown = ", ".join(f"{seconds * 1000:.2f} ms" for seconds in times)
        codec.check(
            clause,
            ratio < _RATIO,
            f"eight times the text in less than {_RATIO:g} times the time",
            f"{ratio:.1f} times ({shown}) from {_SIZE} parts to {_SIZE * 8}",
        )

    title = f"The time of {op} grows linearly for {name.replace('-', ' ')}."
    return CodecCase(f"codec_growth.{op}[{name}]", title, (clause,), run, profile="full")


def _best(codec: Codec, request: dict[str, Json]) -> float:
    op = str(request.pop("op"))
    found = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        codec.ask(op, **request)
        found.append(time.perf_counter() - started)
    return min(found)


def _of_decode(text: Callable[[int], str]) -> Callable[[int], dict[str, Json]]:
    return lambda n: {"op": "decode", "mode": "response", "text": text(n), "quiet": True}


def _of_recode(text: Callable[[int], str]) -> Callable[[int], dict[str, Json]]:
    return lambda n: {"op": "recode", "text": text(n)}


def _of_payload(text: Callable[[int], str]) -> Callable[[int], dict[str, Json]]:
    return lambda n: {"op": "decode_payload", "payload": payload_of_text(text(n)), "quiet": True}
