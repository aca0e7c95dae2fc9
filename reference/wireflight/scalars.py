"""How one scalar is spelt: the texts that sorting, equality and the encoders share."""

from __future__ import annotations

import binascii
from datetime import UTC, datetime
from math import isfinite, isnan
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "MAX_BIGINT_DIGITS",
    "MAX_SAFE_INTEGER",
    "BigInt",
    "Bytes",
    "bigint_of",
    "bigint_text",
    "bytes_text",
    "date_text",
    "date_texts",
    "escape_markup",
    "escape_markup_bytes",
    "number_text",
    "scalar_text",
    "string_text",
    "utf16_order",
]

MAX_SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer up to which every integer is a different double."""

MAX_BIGINT_DIGITS: Final = 65_536
"""Decimal digits of the longest bigint that this implementation reads or writes.

Conversion takes more than linear time, so one bound keeps a text of any length linear.
"""

_DIGITS_AT_ONCE: Final = 600
"""Fewer than the interpreter converts under every setting of its own limit."""

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

_DATE_WITHOUT_FRACTION: Final = len("YYYY-MM-DDTHH:mm:ssZ")
_PLAIN_EXPONENT_LIMIT = 21
_SMALLEST_PLAIN_EXPONENT = -6


def number_text(value: float) -> str:
    """Spell a finite number as ECMAScript's `Number::toString` does.

    Args:
        value: A finite number; an int must be one that a double holds exactly.

    Raises:
        OverflowError: When the number is not finite.

    Spec: PAY-2.
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
    """Escape what JSON leaves raw but HTML or old JavaScript would misread.

    Spec: PAY-3.
    """
    json_text = json_text.replace("<", "\\u003C")
    if not json_text.isascii():
        json_text = json_text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return json_text


def escape_markup_bytes(json_text: bytes) -> bytes:
    """Escape in UTF-8 as `escape_markup` does.

    Spec: PAY-3.
    """
    json_text = json_text.replace(b"<", b"\\u003C")
    if not json_text.isascii():
        json_text = json_text.replace(b"\xe2\x80\xa8", b"\\u2028")
        json_text = json_text.replace(b"\xe2\x80\xa9", b"\\u2029")
    return json_text


def string_text(value: str) -> str:
    """Spell a string as a JSON string, with `<`, U+2028 and U+2029 escaped.

    Raises:
        UnicodeEncodeError: When the string holds a lone surrogate.

    Spec: PAY-3, VAL-3.
    """
    return escape_markup(_encode_json(value).decode())


def date_text(value: datetime) -> str:
    """Spell an instant as `YYYY-MM-DDTHH:mm:ss.sssZ`, microseconds cut off.

    Raises:
        ValueError: When the datetime is naive.
        OverflowError: When the instant is outside of the years 1 to 9999 in UTC.

    Spec: VAL-4.
    """
    if value.tzinfo is not UTC:
        if value.utcoffset() is None:
            raise ValueError("the datetime is naive")
        value = value.astimezone(UTC)
    return date_texts([value])[0]


def date_texts(values: Sequence[datetime]) -> list[str]:
    """Spell instants whose `tzinfo` is `UTC` itself, as `date_text` does.

    msgspec writes them many times faster than isoformat, with six digits or no fraction.

    Spec: VAL-4.
    """
    written = _encode_json(values).decode()[2:-2].split('","')
    return [
        f"{text[:23]}Z" if len(text) > _DATE_WITHOUT_FRACTION else f"{text[:19]}.000Z"
        for text in written
    ]


def bytes_text(value: Bytes) -> str:
    """Spell bytes as base64 with padding; a view is exactly the bytes it shows."""
    if isinstance(value, memoryview):
        value = value.tobytes()
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def bigint_text(value: int) -> str:
    """Spell an integer in decimal.

    Raises:
        ValueError: When it has more than `MAX_BIGINT_DIGITS` digits.
    """
    if value.bit_length() < 3 * _DIGITS_AT_ONCE:
        return int.__repr__(value)
    # A digit takes more than three bits, so little work is done for a number that is refused.
    if value.bit_length() <= 4 * MAX_BIGINT_DIGITS:
        digits = _digits_of(abs(value))
        if len(digits) <= MAX_BIGINT_DIGITS:
            return f"-{digits}" if value < 0 else digits
    raise ValueError("the integer has too many digits")


def _digits_of(value: int) -> str:
    bits = value.bit_length()
    if bits < 3 * _DIGITS_AT_ONCE:
        return int.__repr__(value)
    low_digits = bits * 3 // 20  # about half of them
    high, low = divmod(value, 10**low_digits)
    return _digits_of(high) + _digits_of(low).zfill(low_digits)


def bigint_of(text: str) -> int:
    """Read an integer spelt as `-` or nothing and ASCII digits.

    Raises:
        ValueError: When it has more than `MAX_BIGINT_DIGITS` digits.
    """
    if len(text) <= _DIGITS_AT_ONCE:
        return int(text)
    digits = text.removeprefix("-")
    if len(digits) > MAX_BIGINT_DIGITS:
        raise ValueError("the integer has too many digits")
    return -_number_of(digits) if digits != text else _number_of(digits)


def _number_of(digits: str) -> int:
    if len(digits) <= _DIGITS_AT_ONCE:
        return int(digits)
    half = len(digits) // 2
    return _number_of(digits[:-half]) * int(10**half) + _number_of(digits[-half:])


def scalar_text(value: object) -> str | None:
    """Spell a scalar as the payload text of that value alone, or None for any other value.

    Scalars are what a map may have as keys and a set as items in canonical form:
    undefined, null, a boolean, number, bigint, string or date. Minus zero is zero.

    Raises:
        ValueError: When the scalar cannot be encoded (a naive datetime, a lone surrogate).
        OverflowError: When a date leaves the range of years in UTC.

    Spec: KEY-3.
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
