"""How one scalar is spelt: the texts that sorting, equality and the encoders share."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from math import isfinite, isnan
from typing import Final

import msgspec

__all__ = [
    "MAX_SAFE_INTEGER",
    "BigInt",
    "Bytes",
    "bigint_text",
    "bytes_text",
    "date_text",
    "escape_markup",
    "number_text",
    "scalar_text",
    "string_text",
    "utf16_order",
]

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer up to which every integer is a different double."""

Bytes = bytes | bytearray | memoryview


class BigInt(int):
    """An integer that is a bigint on the wire, whatever its size.

    A plain int is a number within ±(2^53 - 1) and a bigint beyond; a bigint that is
    received within that range becomes a `BigInt`, so that it is sent as it came.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"BigInt({int.__repr__(self)})"

    __str__ = int.__repr__


_encode_json = msgspec.json.Encoder().encode

_PLAIN_EXPONENT_LIMIT = 21
_SMALLEST_PLAIN_EXPONENT = -6


def number_text(value: float) -> str:
    """Spell a finite number as ECMAScript's `Number::toString` does.

    Args:
        value: A finite number; an int must be one that a double holds exactly.

    Raises:
        OverflowError: When the number is not finite.
    """
    number = float(value)
    if number.is_integer() and abs(number) <= MAX_SAFE_INTEGER:
        return str(int(number))
    if not isfinite(number):
        raise OverflowError("the number is not finite")
    # repr gives the shortest digits that read back as the same double, as ECMAScript does;
    # only the layout differs.
    mantissa, _, exponent_text = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent_text or 0)
    digits = whole + fraction
    significant = digits.lstrip("0")
    point -= len(digits) - len(significant)
    significant = significant.rstrip("0")
    sign = "-" if number < 0 else ""
    if _SMALLEST_PLAIN_EXPONENT < point <= 0:
        return f"{sign}0.{'0' * -point}{significant}"
    if len(significant) <= point <= _PLAIN_EXPONENT_LIMIT:
        return sign + significant.ljust(point, "0")
    if 0 < point <= _PLAIN_EXPONENT_LIMIT:
        return f"{sign}{significant[:point]}.{significant[point:]}"
    rest = f".{significant[1:]}" if len(significant) > 1 else ""
    return f"{sign}{significant[0]}{rest}e{point - 1:+d}"


def escape_markup(json_text: str) -> str:
    """Escape what JSON leaves raw but HTML or old JavaScript would misread."""
    json_text = json_text.replace("<", "\\u003C")
    if not json_text.isascii():
        json_text = json_text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return json_text


def string_text(value: str) -> str:
    """Spell a string as a JSON string, with `<`, U+2028 and U+2029 escaped.

    Raises:
        UnicodeEncodeError: When the string holds a lone surrogate.
    """
    return escape_markup(_encode_json(value).decode())


def date_text(value: datetime) -> str:
    """Spell an instant as `YYYY-MM-DDTHH:mm:ss.sssZ`, microseconds cut off.

    Raises:
        ValueError: When the datetime is naive.
        OverflowError: When the instant is outside of the years 1 to 9999 in UTC.
    """
    if value.tzinfo is not UTC:
        if value.utcoffset() is None:
            raise ValueError("the datetime is naive")
        value = value.astimezone(UTC)
    # msgspec writes it many times faster than isoformat, with six digits or no fraction.
    text = _encode_json(value).decode()
    return text[1:24] + "Z" if value.microsecond else text[1:20] + ".000Z"


def bytes_text(value: Bytes) -> str:
    """Spell bytes as base64 with padding; a view is exactly the bytes it shows."""
    if isinstance(value, memoryview):
        value = value.tobytes()
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def bigint_text(value: int) -> str:
    """Spell an integer in decimal.

    Raises:
        ValueError: When it has more digits than the interpreter converts.
    """
    return int.__repr__(value)


def scalar_text(value: object) -> str | None:
    """Spell a scalar as the payload text of that value alone, or None for any other value.

    Scalars are what a map may have as keys and a set as items in canonical form:
    undefined, null, a boolean, number, bigint, string or date. Minus zero is zero.

    Raises:
        ValueError: When the scalar cannot be encoded (a naive datetime, a lone surrogate).
        OverflowError: When a date leaves the range of years in UTC.
    """
    if isinstance(value, str):
        text = _encode_json((value,)).decode()
        return text if "<" not in text and text.isascii() else escape_markup(text)
    if value is None:
        return "[null]"
    if value is msgspec.UNSET:
        return "-1"
    if isinstance(value, bool):
        return "[true]" if value else "[false]"
    if isinstance(value, int):
        if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER and not isinstance(value, BigInt):
            return f"[{int(value)}]"
        return f'[["BigInt","{bigint_text(value)}"]]'
    if isinstance(value, float):
        if not isfinite(value):
            return "-3" if isnan(value) else "-4" if value > 0 else "-5"
        return f"[{number_text(value)}]"
    if isinstance(value, datetime):
        return f'[["Date","{date_text(value)}"]]'
    return None


def utf16_order(text: str) -> bytes:
    """Return a sort key that orders strings by UTF-16 code unit."""
    return text.encode("utf-16-be", "surrogatepass")
