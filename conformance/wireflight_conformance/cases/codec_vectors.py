"""How each kind of vector is put to a codec, and when its answers are right.

These are no `Case`s of a server: the codec mode pipelines all vectors and judges them afterwards.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import TYPE_CHECKING, Final, cast

from wireflight_conformance.corpus import same_tagged
from wireflight_conformance.verdicts import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from wireflight_conformance.corpus import Json, Vector
    from wireflight_conformance.wire.pipe import Answer, Request

__all__ = ["CODEC_KINDS", "is_lacking", "judge", "requests_of", "title_of"]

_UNDEFINED: Final[Json] = {"$undefined": True}


def is_lacking(vector: Vector, lacks: Collection[str]) -> bool:
    """Tell whether the codec's language cannot express what the vector is about."""
    return vector.needs in lacks and "without" not in vector.fields


def title_of(vector: Vector) -> str:
    """Say in one sentence what has to hold."""
    if vector.verdict == "accept":
        return f"{vector.kind} {vector.id} is accepted, with the one right result."
    if vector.verdict == "reject":
        return f"{vector.kind} {vector.id} is refused with {' or '.join(vector.codes)}."
    return f"{vector.kind} {vector.id} is refused, or accepted with the one right result."


def requests_of(vector: Vector) -> list[Request]:
    """Return what is asked of the codec for a vector."""
    return _ASK[vector.kind](vector)


def judge(vector: Vector, answers: Sequence[Answer], lacks: Collection[str] = ()) -> Finding | None:
    """Return what is wrong with the answers, or None."""
    for request, answer, wanted in zip(
        requests_of(vector), answers, _wanted(vector, lacks), strict=True
    ):
        fault = _fault(vector, answer, wanted)
        if fault is not None:
            expected, got = fault
            shown = json.dumps(request)
            place = shown if len(shown) <= 300 else f"{shown[:300]}… ({len(shown)} characters)"
            return Finding(vector.clauses[0], expected, f"{got} for {place}")
    return None


def _fault(vector: Vector, answer: Answer, wanted: Wanted | None) -> tuple[str, str] | None:
    """Return what was expected and what came, if they differ."""
    refusal = " or ".join(vector.codes) + (f" with limit {vector.limit}" if vector.limit else "")
    if answer.unsupported is not None:
        return "an answer (`hello` does not declare that it lacks this)", str(answer)
    if not answer.is_ok:
        is_right = answer.error in vector.codes
        # ERR-4: the error of a limit names it
        if is_right and vector.limit is not None:
            is_right = answer.limit == vector.limit
        if is_right:
            return None
        return (refusal if vector.codes else _text_of(wanted), str(answer))
    if vector.verdict == "reject":
        return refusal, str(answer)
    if wanted is None or wanted.is_met(answer.ok):
        return None
    return wanted.text, str(answer)


def _text_of(wanted: Wanted | None) -> str:
    return "a value" if wanted is None else wanted.text


class Wanted:
    """One right result."""

    def __init__(self, value: Json, is_met: Callable[[Json], bool] | None = None) -> None:
        self._value = value
        self._is_met = is_met

    def is_met(self, found: Json) -> bool:
        """Tell whether the result is this one."""
        if self._is_met is not None:
            return self._is_met(found)
        return same_tagged(found, self._value)

    @property
    def text(self) -> str:
        """The result, for a person."""
        text = json.dumps(self._value)
        return text if len(text) <= 600 else f"{text[:600]}… ({len(text)} characters)"


def _wanted(vector: Vector, lacks: Collection[str]) -> list[Wanted | None]:
    return _EXPECT[vector.kind](vector, lacks)


# -- decode ------------------------------------------------------------------------------------


def _source(vector: Vector) -> dict[str, Json]:
    if "bytes_hex" in vector.fields:
        return {"hex": vector.fields["bytes_hex"]}
    return {"text": vector.text("text")}


def _quiet(vector: Vector) -> dict[str, Json]:
    # what is over a limit may be far too large to be shown by a codec that accepts it
    is_shown = "value" in vector.fields or (vector.verdict == "reject" and not vector.limit)
    return {} if is_shown else {"quiet": True}


def _ask_decode(vector: Vector) -> list[Request]:
    mode = cast("str", vector.fields["mode"])
    modes = ("request", "response") if mode == "both" else (mode,)
    return [{"op": "decode", "mode": m, **_source(vector), **_quiet(vector)} for m in modes]


def _expect_value(vector: Vector, _lacks: Collection[str]) -> list[Wanted | None]:
    wanted = Wanted(vector.fields["value"]) if "value" in vector.fields else None
    return [wanted] * len(requests_of(vector))


# -- encode, canonical -------------------------------------------------------------------------


def _ask_encode(vector: Vector) -> list[Request]:
    return [{"op": "encode", "value": vector.fields["value"]}]


def _expect_encode(vector: Vector, lacks: Collection[str]) -> list[Wanted | None]:
    if vector.verdict == "reject":
        return [None]
    is_without = vector.needs in lacks and "without" in vector.fields
    return [Wanted(vector.fields["without" if is_without else "text"])]


def payload_of_text(text: str) -> str:
    """Return the payload of a canonical text. Spec: KEY-4."""
    return "" if text == "-1" else base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _ask_canonical(vector: Vector) -> list[Request]:
    value = vector.fields["value"]
    return [{"op": "canonical", "value": value}, {"op": "payload", "value": value}]


def _expect_canonical(vector: Vector, _lacks: Collection[str]) -> list[Wanted | None]:
    if vector.verdict == "reject":
        return [None, None]
    text = vector.text("text")
    return [Wanted(text), Wanted(payload_of_text(text))]


# -- payload, key ------------------------------------------------------------------------------


def _ask_payload(vector: Vector) -> list[Request]:
    payload = vector.text("payload")
    asked: list[Request] = [{"op": "decode_payload", "payload": payload, **_quiet(vector)}]
    if vector.verdict == "accept" and "value" in vector.fields:
        asked.append({"op": "payload", "value": vector.fields["value"]})
    return asked


def _expect_payload(vector: Vector, _lacks: Collection[str]) -> list[Wanted | None]:
    if vector.verdict == "accept" and "value" in vector.fields:
        return [Wanted(vector.fields["value"]), Wanted(vector.text("payload"))]
    return [None]


def _ask_key(vector: Vector) -> list[Request]:
    if vector.fields["direction"] == "parse":
        return [{"op": "parse_key", "key": vector.text("key")}]
    function, value = vector.text("function"), vector.fields["value"]
    return [{"op": "make_key", "function": function, "value": value}]


def _expect_key(vector: Vector, _lacks: Collection[str]) -> list[Wanted | None]:
    if vector.verdict == "reject":
        return [None]
    if vector.fields["direction"] == "parse":
        return [Wanted([vector.text("function"), vector.text("payload")])]
    return [Wanted(vector.text("key"))]


# -- plain -------------------------------------------------------------------------------------


def _ask_plain(vector: Vector) -> list[Request]:
    if vector.fields["direction"] == "out":
        return [{"op": "plain_encode", "value": vector.fields["value"]}]
    asked: list[Request] = [{"op": "plain_decode", **_source(vector), **_quiet(vector)}]
    if "payload" in vector.fields:
        asked.append({"op": "payload", "value": vector.fields["value"]})
    return asked


def _expect_plain(vector: Vector, _lacks: Collection[str]) -> list[Wanted | None]:
    if vector.fields["direction"] == "out":
        wanted = vector.fields["json"]
        return [Wanted(wanted, lambda found: _is_json(found, wanted))]
    expected = _expect_value(vector, _lacks)[:1]
    if "payload" in vector.fields:
        expected.append(Wanted(vector.text("payload")))
    return expected


def _is_json(found: Json, wanted: Json) -> bool:
    """Compare a JSON text with JSON; −0 has to be written as 0."""
    if not isinstance(found, str):
        return False
    try:
        parsed = json.loads(found)
    except ValueError:
        return False
    return same_tagged(parsed, wanted) and "-0" not in found.replace(" ", "")[:2]


# -- number ------------------------------------------------------------------------------------


def _double(vector: Vector) -> float:
    (value,) = struct.unpack(">d", bytes.fromhex(vector.text("bits")))
    return cast("float", value)


def _tagged_double(value: float) -> Json:
    return {"$number": "-0"} if value == 0 and math.copysign(1, value) < 0 else value


def _ask_number(vector: Vector) -> list[Request]:
    if vector.fields["direction"] == "write":
        return [{"op": "encode", "value": _tagged_double(_double(vector))}]
    return [{"op": "decode", "mode": "request", "text": f"[{vector.text('text')}]"}]


def _expect_number(vector: Vector, _lacks: Collection[str]) -> list[Wanted | None]:
    if vector.verdict == "reject":
        return [None]
    if vector.fields["direction"] == "write":
        return [Wanted(f"[{vector.text('text')}]")]
    return [Wanted(_tagged_double(_double(vector)))]


_ASK: Final[Mapping[str, Callable[[Vector], list[Request]]]] = {
    "decode": _ask_decode,
    "encode": _ask_encode,
    "canonical": _ask_canonical,
    "payload": _ask_payload,
    "plain": _ask_plain,
    "key": _ask_key,
    "number": _ask_number,
}
_EXPECT: Final[Mapping[str, Callable[[Vector, Collection[str]], list[Wanted | None]]]] = {
    "decode": _expect_value,
    "encode": _expect_encode,
    "canonical": _expect_canonical,
    "payload": _expect_payload,
    "plain": _expect_plain,
    "key": _expect_key,
    "number": _expect_number,
}
CODEC_KINDS: Final = tuple(_ASK)
"""The kinds of vectors that a codec answers; the others are for servers and grammars."""
