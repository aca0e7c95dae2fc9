"""Payload texts, written. Spec: PAY-1, PAY-2, PAY-3."""

from __future__ import annotations

import base64
import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value

__all__ = ["CodecError", "encode", "entry_text", "number_text", "sentinel", "string_text"]

_ESCAPES: Final = {
    **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    "<": "\\u003C",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ESCAPED: Final = re.compile('[\x00-\x1f"\\\\<\u2028\u2029]')


class CodecError(ValueError):
    """A text that does not decode, or a value that has no text."""


@functools.lru_cache(maxsize=8192)
def number_text(value: float) -> str:
    """Return a finite number as ECMAScript writes it. Spec: PAY-2."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(float(value))).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    # point: the value is 0.digits × 10^point (the n of ECMA-262, 6.1.6.1.20)
    leading = len(whole + fraction) - len(digits)
    point = len(whole) - leading + int(exponent or 0)
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = f"e{point - 1:+d}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + power


def string_text(value: str) -> str:
    """Return a string as JSON with the escapes of PAY-3."""
    return '"' + _ESCAPED.sub(lambda match: _ESCAPES[match.group()], value) + '"'


@dataclass(slots=True)
class _Frame:
    """An entry that is being written: what is done of it and what is still to be referred to."""

    index: int
    source: object
    pieces: list[str]
    rest: list[tuple[str, Value]]
    brackets: str = "[]"
    label: str = ""


def sentinel(value: Value) -> int | None:
    """Return the bare sentinel of a value, None if it has an entry."""
    if value is UNDEFINED:
        return -1
    if isinstance(value, float):
        if math.isnan(value):
            return -3
        if math.isinf(value):
            return -4 if value > 0 else -5
        if value == 0 and math.copysign(1, value) < 0:
            return -6
    return None


def _identity(value: Value) -> tuple[str, object]:
    if value is None or isinstance(value, bool):
        return ("literal", str(value))
    if isinstance(value, int | float):
        return ("number", float(value))
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, BigInt):
        return ("bigint", value.value)
    return ("object", id(value))


def entry_text(value: Value) -> str | None:
    """Return the whole entry of a value without parts, and None for a container."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(float(value))
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, BigInt):
        return f'["BigInt","{value.value}"]'
    if isinstance(value, Date):
        return f'["Date","{value.text}"]'
    if isinstance(value, bytes):
        return f'["ArrayBuffer","{base64.b64encode(value).decode()}"]'
    return None


def _frame(index: int, value: Value) -> _Frame:
    if isinstance(value, Mapping):
        rest = [(string_text(name) + ":", item) for name, item in value.items()]
        return _Frame(index, value, [], rest, "{}")
    if isinstance(value, Map):
        return _Frame(
            index, value, ['"Map"'], [("", part) for pair in value.pairs for part in pair]
        )
    if isinstance(value, Set):
        return _Frame(index, value, ['"Set"'], [("", item) for item in value.items])
    if isinstance(value, Extension):
        return _Frame(index, value, [string_text(value.name)], [("", value.value)])
    if isinstance(value, Sequence):
        return _Frame(index, value, [], [("", item) for item in value])
    raise CodecError(f"a {type(value).__name__} is not a value")


def encode(value: Value) -> str:
    """Return the payload text of the value, by the steps of PAY-1.

    Raises:
        CodecError: The value contains itself.
    """
    bare = sentinel(value)
    if bare is not None:
        return str(bare)
    table: list[str] = []
    known: dict[tuple[str, object], int] = {}
    open_frames: set[int] = set()
    stack: list[_Frame] = []

    def refer(item: Value) -> str | None:
        """Return the reference, or None if an entry has first to be completed."""
        code = sentinel(item)
        if code is not None:
            return str(code)
        name = _identity(item)
        if name in known:
            if known[name] in open_frames:
                raise CodecError("the value contains itself")
            return str(known[name])
        index = known[name] = len(table)
        text = entry_text(item)
        table.append(text or "")
        if text is not None:
            return str(index)
        stack.append(_frame(index, item))
        stack[-1].rest.reverse()
        open_frames.add(index)
        return None

    refer(value)
    while stack:
        frame = stack[-1]
        if not frame.rest:
            stack.pop()
            open_frames.discard(frame.index)
            table[frame.index] = frame.brackets[0] + ",".join(frame.pieces) + frame.brackets[1]
            continue
        label, item = frame.rest.pop()
        # the index that a new entry gets is known before the entry is complete
        upcoming = len(table)
        reference = refer(item)
        frame.pieces.append(label + (str(upcoming) if reference is None else reference))
    return "[" + ",".join(table) + "]"
