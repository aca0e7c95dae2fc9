"""Reading JSON that is refused when its readers could disagree about it.

Every fault becomes a `DecodeError` with its byte offset. This is the reader of plain
JSON, and the slow second look at a table that the fast reader would not take.
"""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecodeError
from math import isfinite
from typing import Final, NoReturn

from wireflight.errors import DecodeError, DecodeErrorCode
from wireflight.scalars import MAX_SAFE_INTEGER

__all__ = ["nesting_excess", "read_json"]

_TOKENS: Final = re.compile(rb'"(?:[^"\\]+|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class _RefusedError(Exception):
    """A hook of the JSON parser found something that JSON allows but the protocol does not."""


def _refuse_constant(_name: str) -> NoReturn:
    raise _RefusedError("NaN and Infinity are no JSON numbers")


def _refuse_minus_zero() -> NoReturn:
    raise _RefusedError("a zero with a minus sign is spelt as a sentinel")


def _read_int(literal: str) -> int | float:
    if literal == "-0":
        return -0.0  # PLAIN-1: plain JSON has no other spelling of it
    if len(literal) <= 17:
        number = int(literal)
        if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER:
            return number
    return _finite(literal)


def _read_float(literal: str) -> int | float:
    number = _finite(literal)
    if number.is_integer() and -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER and number != 0:
        return int(number)
    return number if number or literal.startswith("-") else 0


def _read_signed_int(literal: str) -> int | float:
    if literal == "-0":  # PAY-6 step 3
        _refuse_minus_zero()
    return _read_int(literal)


def _read_signed_float(literal: str) -> int | float:
    number = _read_float(literal)
    if number == 0 and literal.startswith("-"):  # PAY-6 step 3, and so for -1e-400
        _refuse_minus_zero()
    return number


def _finite(literal: str) -> float:
    number = float(literal)
    if not isfinite(number):
        raise _RefusedError("a number is too large for a double")
    return number


def _read_object(members: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(members)
    if len(names) != len(members):
        raise _RefusedError("an object has two members of one name")
    if "__proto__" in names:
        raise _RefusedError("a member is named '__proto__'")
    return names


_PLAIN_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_read_object,
    parse_int=_read_int,
    parse_float=_read_float,
    parse_constant=_refuse_constant,
)
_TABLE_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_read_object,
    parse_int=_read_signed_int,
    parse_float=_read_signed_float,
    parse_constant=_refuse_constant,
)


def nesting_excess(data: bytes, max_depth: int) -> int | None:
    """Return the offset of the first bracket that opens more levels than allowed, or None.

    One scan, which needs no valid JSON.
    """
    if data.count(b"[") + data.count(b"{") <= max_depth:
        return None
    depth = 0
    for token in _TOKENS.finditer(data):
        start = data[token.start()]
        if start in b"[{":
            depth += 1
            if depth > max_depth:
                return token.start()
        elif start in b"]}":
            depth -= 1
    return None


def read_json(data: bytes, *, max_depth: int, too_deep: DecodeErrorCode, is_table: bool) -> object:
    """Parse one strict JSON text.

    Integral numbers up to 2^53 - 1 are ints, all others floats.

    Args:
        data: The text in UTF-8, without a byte order mark.
        max_depth: Levels of arrays and objects that may be open at once.
        too_deep: The code of the error when there are more.
        is_table: Whether this is a payload text, in which no zero has a minus sign.

    Raises:
        DecodeError: When the text is no JSON, is nested too deep, or holds invalid UTF-8,
            a lone surrogate, a number beyond a double, a repeated name or `__proto__`, or,
            in a payload text, a zero with a minus sign.

    Spec: PAY-6 steps 1 to 4, PAY-11, PLAIN-1 steps 1 to 4, VAL-3, VAL-5.
    """
    excess = nesting_excess(data, max_depth)
    if excess is not None:
        limit = "depth" if too_deep is DecodeErrorCode.TOO_DEEP else None
        raise DecodeError(too_deep, "too many levels", position=f"byte {excess}", limit=limit)
    invalid = DecodeErrorCode.INVALID_PAYLOAD
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        place = f"byte {error.start}"
        raise DecodeError(invalid, "the text is not UTF-8", position=place) from None
    try:
        value: object = (_TABLE_DECODER if is_table else _PLAIN_DECODER).decode(text)
        if b"\\u" in data:
            _refuse_surrogates(value)
    except JSONDecodeError as error:
        place = f"byte {len(text[: error.pos].encode())}"
        raise DecodeError(invalid, "the text is not JSON", position=place) from None
    except _RefusedError as error:
        raise DecodeError(invalid, str(error)) from None
    except RecursionError:
        # The interpreter's own limit is below the protocol's.
        raise DecodeError(too_deep, "too many levels", limit="depth") from None
    return value


def _refuse_surrogates(root: object) -> None:
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            if _LONE_SURROGATE.search(value):
                raise _RefusedError("a string holds a lone surrogate")
        elif isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
