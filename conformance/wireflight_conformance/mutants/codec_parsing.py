"""The first steps of reading, bytes to JSON, with each check left out by its name.

They are steps 1 to 4 of PAY-6 and, with `is_plain`, those of PLAIN-1.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

if TYPE_CHECKING:
    from wireflight_conformance.corpus import Json

__all__ = ["SENTINELS", "Number", "Off", "RefusedError", "fail", "over", "parse", "tagged_number"]

Off: TypeAlias = Collection[str]
"""The names of the checks that are left out."""

SENTINELS: Final[Mapping[int, Json]] = {
    -1: {"$undefined": True},
    -3: {"$number": "NaN"},
    -4: {"$number": "Infinity"},
    -5: {"$number": "-Infinity"},
    -6: {"$number": "-0"},
}


class RefusedError(Exception):
    """The text fails a step."""

    def __init__(self, code: str = "invalid_payload", limit: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.limit = limit


def fail() -> NoReturn:
    """Refuse the text.

    Raises:
        RefusedError: Always.
    """
    raise RefusedError


def over(limit: str) -> NoReturn:
    """Refuse the text for a limit.

    Raises:
        RefusedError: Always.
    """
    raise RefusedError("too_deep" if limit == "depth" else "too_large", limit)


class Number(float):
    """A number of the text; booleans and integers of Python's parser cannot be mistaken for it."""


def tagged_number(value: float) -> Json:
    """Write a double as a tagged value."""
    if value == 0 and math.copysign(1, value) < 0:
        return SENTINELS[-6]
    if math.isfinite(value):
        return float(value)
    return SENTINELS[-3] if math.isnan(value) else SENTINELS[-4 if value > 0 else -5]


def parse(data: bytes, off: Off, *, is_plain: bool = False) -> object:
    """Do steps 1 to 4, or those of PLAIN-1: bytes to JSON."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:] if "bom" in off else fail()
    how = "surrogatepass" if "utf8-surrogates" in off else "replace" if "utf8" in off else "strict"
    try:
        text = data.decode("utf-8", how)
        if "trailing-commas" in off:
            text = re.sub(r",\s*([\]}])", r"\1", text)
        decoder = json.JSONDecoder(
            parse_int=lambda literal: _number(literal, off, is_plain),
            parse_float=lambda literal: _number(literal, off, is_plain),
            parse_constant=lambda name: Number(name) if "constants" in off else fail(),
            object_pairs_hook=lambda pairs: _members(pairs, off, is_plain),
            strict="control-characters" not in off,
        )
        value, end = decoder.raw_decode(text.lstrip(" \t\r\n"))
        rest = text.lstrip(" \t\r\n")[end:].strip(" \t\r\n")
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        fail()
    if rest and "trailing-text" not in off:
        fail()
    if "surrogates" not in off and re.search(r"\\u[dD][89a-fA-F]", text):
        _refuse_surrogates(value)
    return value


def _number(literal: str, off: Off, is_plain: bool) -> Number:
    value = Number(literal)
    if math.isinf(value) and "overflow" not in off:
        fail()
    is_minus_zero = not value and literal.startswith("-")
    if is_minus_zero and not is_plain and "minus-zero" not in off:
        fail()
    return value


def _members(pairs: list[tuple[str, object]], off: Off, is_plain: bool) -> dict[str, object]:
    made = dict(pairs)
    if "__proto__" in made and "proto" not in off:
        fail()
    if is_plain and len(made) < len(pairs) and "name-twice" not in off:
        fail()
    return made


def _refuse_surrogates(root: object) -> None:
    pending = [root]
    while pending:
        item = pending.pop()
        if isinstance(item, str) and any("\ud800" <= char <= "\udfff" for char in item):
            fail()
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending += item
            pending += item.values()
