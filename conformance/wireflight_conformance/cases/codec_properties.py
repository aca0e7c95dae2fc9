"""Properties of a codec: what has to hold for every value, every text and every sequence of bytes.

Each compares the codec with the suite's own reading of sections 3 to 6 (`wire.codec`), on values
and texts that Hypothesis draws and then shrinks. Texts here are far below the limits of LIM-1;
the vectors look at those.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from wireflight_conformance.cases.codec_verdicts import (
    EITHER,
    parts_of,
    verdict_of_payload,
    verdict_of_text,
)
from wireflight_conformance.codec_driver import Codec, CodecCase
from wireflight_conformance.corpus import same_tagged, tag
from wireflight_conformance.wire import codec as own
from wireflight_conformance.wire.values import (
    UNDEFINED,
    Date,
    Extension,
    Map,
    Set,
    Value,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hypothesis.strategies import SearchStrategy

    from wireflight_conformance.corpus import Json
    from wireflight_conformance.wire.pipe import Answer

__all__ = ["load_properties"]

_REGISTRY: Final[dict[str, CodecCase]] = {}
_KEY: Final = re.compile(
    r"((?:[A-Za-z_][A-Za-z0-9_]*/)*[A-Za-z_][A-Za-z0-9_]*)/([A-Za-z0-9_-]*)", re.ASCII
)
_NEAR: Final = 24
"""How many neighbours of a drawn table are asked with it, pipelined: drawing is what is slow."""


def load_properties() -> Mapping[str, CodecCase]:
    """Return the properties by id."""
    return dict(_REGISTRY)


def _property(*clauses: str, title: str) -> Callable[[Callable[[Codec], None]], None]:
    def register(run: Callable[[Codec], None]) -> None:
        name = f"codec_property.{run.__name__}"
        _REGISTRY[name] = CodecCase(name, title, clauses, run)

    return register


def _draw(codec: Codec, strategy: SearchStrategy[object], check: Callable[..., None]) -> None:
    """Run a check on as many examples as the profile has, and raise what shrinking ends with."""
    from hypothesis import HealthCheck, Phase, given, seed, settings

    @settings(
        max_examples=codec.examples,
        database=None,
        deadline=None,
        derandomize=not codec.seed,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
    @given(strategy)
    def examine(drawn: object) -> None:
        check(drawn)

    if codec.seed:
        examine = seed(codec.seed)(examine)
    examine()


def _compare(
    codec: Codec, clause: str, answer: Answer, verdict: tuple[str, Value], of: str
) -> None:
    """Check an answer against the suite's own reading."""
    wanted, value = verdict
    listed = ("invalid_payload", "non_canonical", "too_deep", "too_large")
    codec.check(
        "PAY-9",
        answer.is_ok or answer.error in listed,
        "a value or one of the failures of PAY-6",
        f"{answer} for {of}",
    )
    if wanted == EITHER:
        return
    if wanted == "value":
        holds = answer.is_ok and same_tagged(answer.ok, tag(value))
        codec.check(clause, holds, json.dumps(tag(value)), f"{answer} for {of}")
    else:
        codec.check(clause, answer.error == wanted, wanted, f"{answer} for {of}")


# -- the properties ----------------------------------------------------------------------------


def _has_twins(value: Value) -> bool:
    """Tell whether byte strings occur that some languages keep once for all."""
    short = [part for part in parts_of(value) if isinstance(part, bytes) and len(part) < 2]
    return len(set(short)) < len(short)


class _Apart(bytes):
    """Byte strings of which each is another object, also the short ones."""


def _apart(value: Value) -> Value:
    """Copy a value so that nothing but primitives is shared."""
    if isinstance(value, bytes):
        return _Apart(value)
    if isinstance(value, Extension):
        return Extension(value.name, _apart(value.value))
    if isinstance(value, Map):
        return Map([(_apart(key), _apart(item)) for key, item in value.pairs])
    if isinstance(value, Set):
        return Set([_apart(item) for item in value.items])
    if isinstance(value, dict):
        return {name: _apart(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_apart(item) for item in value]
    if isinstance(value, Date):
        return Date(value.text)
    return value


@_property("PAY-1", "PAY-3", title="A value is written as the steps of PAY-1 write it.")
def encoding(codec: Codec) -> None:
    from hypothesis import assume

    from wireflight_conformance.strategies import values

    def check(value: Value) -> None:
        assume(not _has_twins(value))
        wanted = own.encode(_apart(value))
        answer = codec.ask("encode", value=tag(value))
        codec.check("PAY-1", answer.ok == wanted, wanted, f"{answer} for {json.dumps(tag(value))}")

    _draw(codec, values(), check)


@_property(
    "PAY-6", "VAL-2", "PAY-1", title="What a codec writes of a value, it reads as the value."
)
def round_trip(codec: Codec) -> None:
    from wireflight_conformance.strategies import values

    def check(value: Value) -> None:
        tagged = tag(value)
        text = codec.ask("encode", value=tagged)
        codec.check("PAY-1", text.is_ok, "a text", f"{text} for {json.dumps(tagged)}")
        answer = codec.ask("decode", mode="response", text=text.ok)
        holds = answer.is_ok and same_tagged(answer.ok, tagged)
        codec.check("PAY-6", holds, json.dumps(tagged), f"{answer} for {text.ok}")

    _draw(codec, values(), check)


@_property("PAY-2", title="A double is written as ECMAScript writes it, and read as it was.")
def numbers(codec: Codec) -> None:
    from wireflight_conformance.strategies import numbers as drawn

    def check(value: float) -> None:
        tagged = tag(value)
        wanted = own.encode(value)
        answer = codec.ask("encode", value=tagged)
        codec.check("PAY-2", answer.ok == wanted, wanted, f"{answer} for {value!r}")
        back = codec.ask("decode", mode="request", text=wanted)
        codec.check("PAY-6", same_tagged(back.ok, tagged), json.dumps(tagged), f"{back}")

    _draw(codec, drawn(), check)


@_property("PAY-3", title="A string is written with the escapes of PAY-3 and no other.")
def strings(codec: Codec) -> None:
    from wireflight_conformance.strategies import strings as drawn

    def check(value: str) -> None:
        answer = codec.ask("encode", value=value)
        wanted = f"[{own.string_text(value)}]"
        codec.check("PAY-3", answer.ok == wanted, wanted, f"{answer} for {value!r}")

    _draw(codec, drawn(), check)


@_property("VAL-3", "PAY-4", title="A string with an unpaired surrogate is neither sent nor read.")
def surrogates(codec: Codec) -> None:
    from wireflight_conformance.strategies import broken_strings

    def check(value: str) -> None:
        text = json.dumps([value])
        for mode in ("request", "response"):
            answer = codec.ask("decode", mode=mode, text=text)
            _compare(codec, "VAL-3", answer, verdict_of_text(text.encode(), mode), text)
        if "surrogates" not in codec.lacks:
            units = value.encode("utf-16-be", "surrogatepass").hex()
            # a high and a low one that were drawn apart may have met
            if verdict_of_text(text.encode(), "request")[0] != "value":
                sent = codec.ask("encode", value={"$utf16": units})
                codec.check("PAY-4", sent.error == "unencodable", "unencodable", f"{sent} {units}")

    _draw(codec, broken_strings(), check)


@_property("KEY-2", "KEY-1", title="An argument has the canonical text of its normal form.")
def canonical(codec: Codec) -> None:
    from wireflight_conformance.strategies import arguments

    def check(value: Value) -> None:
        tagged = tag(value)
        wanted = own.encode(_apart(own.normalise(value)))
        answer = codec.ask("canonical", value=tagged)
        codec.check("KEY-2", answer.ok == wanted, wanted, f"{answer} for {json.dumps(tagged)}")

    _draw(codec, arguments(), check)


@_property("KEY-1", title="A canonical text is the canonical text of what it is read as.")
def canonical_is_stable(codec: Codec) -> None:
    from wireflight_conformance.strategies import arguments

    def check(value: Value) -> None:
        tagged = tag(value)
        text = codec.ask("canonical", value=tagged)
        codec.check("KEY-1", text.is_ok, "a text", f"{text} for {json.dumps(tagged)}")
        read = codec.ask("decode", mode="request", text=text.ok)
        codec.check("PAY-6", read.is_ok, "a value", f"{read} for {text.ok}")
        again = codec.ask("canonical", value=read.ok)
        codec.check("KEY-1", again.ok == text.ok, str(text.ok), f"{again}")

    _draw(codec, arguments(), check)


@_property("KEY-5", "KEY-4", title="A payload is read if it is the canonical one, and only then.")
def payloads(codec: Codec) -> None:
    from wireflight_conformance.strategies import payload_texts

    def check(text: str) -> None:
        answer = codec.ask("decode_payload", payload=text)
        _compare(codec, "KEY-5", answer, verdict_of_payload(text), text)
        if answer.is_ok:
            back = codec.ask("payload", value=answer.ok)
            codec.check("KEY-4", back.ok == text, text, back)

    _draw(codec, payload_texts(), check)


@_property("PAY-6", "PAY-9", "PAY-7", title="A text that is nearly a table is read by PAY-6 alone.")
def tables(codec: Codec) -> None:
    from wireflight_conformance.strategies import near_texts, table_texts

    def check(text: str) -> None:
        texts = (text, *near_texts(text, _NEAR))
        asked = [(t, mode) for t in texts for mode in ("request", "response")]
        answers = list(codec.ask_all([{"op": "decode", "mode": m, "text": t} for t, m in asked]))
        for (near, mode), answer in zip(asked, answers, strict=True):
            _compare(codec, "PAY-6", answer, verdict_of_text(near.encode(), mode), near)

    _draw(codec, table_texts(), check)


@_property("PAY-9", "PAY-6", title="Any bytes are a value or a failure, and the codec goes on.")
def any_bytes(codec: Codec) -> None:
    from wireflight_conformance.strategies import mutated_bytes

    def check(data: bytes) -> None:
        for mode in ("request", "response"):
            answer = codec.ask("decode", mode=mode, hex=data.hex())
            _compare(codec, "PAY-6", answer, verdict_of_text(data, mode), repr(data))

    _draw(codec, mutated_bytes(), check)


@_property("PLAIN-1", title="Any plain JSON is read by PLAIN-1 alone.")
def plain(codec: Codec) -> None:
    from wireflight_conformance.strategies import plain_texts

    def check(text: str) -> None:
        answer = codec.ask("plain_decode", text=text)
        try:
            wanted: tuple[str, Value] = ("value", _of_json(own.parse_json(text.encode())))
        except own.CodecError:
            wanted = ("invalid_payload", UNDEFINED)
        _compare(codec, "PLAIN-1", answer, wanted, text)

    _draw(codec, plain_texts(), check)


def _of_json(parsed: object) -> Value:
    if isinstance(parsed, float):
        return number(parsed)
    if isinstance(parsed, list):
        return [_of_json(item) for item in parsed]
    if isinstance(parsed, dict):
        return {name: _of_json(item) for name, item in parsed.items()}
    if parsed is None or isinstance(parsed, bool | str):
        return parsed
    raise TypeError(f"JSON has no {type(parsed).__name__}")


@_property("KEY-8", title="A text is a key if it has the form of one, and only then.")
def keys(codec: Codec) -> None:
    from wireflight_conformance.strategies import key_texts

    def check(text: str) -> None:
        answer = codec.ask("parse_key", key=text)
        match = _KEY.fullmatch(text)
        wanted: Json = list(match.groups()) if match and len(match[1]) <= 255 else None
        if wanted is None:
            codec.check("KEY-8", answer.error == "invalid_key", "invalid_key", f"{answer} {text!r}")
        else:
            codec.check("KEY-8", answer.ok == wanted, str(wanted), f"{answer} for {text!r}")

    _draw(codec, key_texts(), check)


@_property("PAY-9", title="After anything that hurts, a codec still reads the next text.")
def goes_on(codec: Codec) -> None:
    for text in ("[" * 50000, '[["BigInt","' + "9" * 5000 + '"]]', "", "\x00", '["\\ud800"]'):
        codec.ask("decode", mode="response", text=text, quiet=True)
        after = codec.ask("decode", mode="request", text='["still here"]')
        codec.check("PAY-9", after.ok == "still here", '"still here"', after)
