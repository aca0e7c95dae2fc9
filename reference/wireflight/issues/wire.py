"""Which wire value is of which type, and how plain JSON spells the types it lacks."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from wireflight.scalars import MAX_SAFE_INTEGER
from wireflight.types import BigInt, WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireflight.issues.describe import Schema

__all__ = [
    "FORMATS",
    "KINDS",
    "PAIR",
    "bigint_of",
    "bytes_of",
    "date_of",
    "fits",
    "is_pair",
    "is_pairs",
]

_DATE_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?"
)
_OFFSET: Final = re.compile(r"[Zz]|[+-][0-9]{2}:[0-9]{2}")
_UUID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Python's own constructor also takes white space, `_`, other scripts' digits, NaN and Infinity.
_DECIMAL: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([Ee][+-]?[0-9]{1,4})?")
_BIGINT: Final = re.compile(r"0|-?[1-9][0-9]{0,1023}")


def date_of(value: object) -> datetime | None:
    """Read a date, or its RFC 3339 text with an offset; None is for anything else."""
    if isinstance(value, datetime):
        return value if value.utcoffset() is not None else None
    if not isinstance(value, str):
        return None
    match = _DATE_TIME.match(value)
    if match is None or _OFFSET.fullmatch(value, match.end()) is None:
        return None
    try:
        return msgspec.convert(value, datetime).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):
        return None


def bytes_of(value: object) -> bytes | None:
    """Read bytes, or their base64 text with padding; None is for anything else."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    if not isinstance(value, str):
        return None
    try:
        read = binascii.a2b_base64(value, strict_mode=True)
    except (binascii.Error, ValueError):
        return None
    # Of several texts with the same bytes only the one without stray bits is theirs.
    return read if base64.b64encode(read).decode() == value else None


def bigint_of(value: object) -> BigInt | None:
    """Read a bigint, or its digits; None is for anything else, a number included."""
    if isinstance(value, BigInt):
        return value
    if type(value) is int and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
        return BigInt(value)
    if isinstance(value, str) and _BIGINT.fullmatch(value):
        return BigInt(value)
    return None


def _uuid_of(text: str) -> uuid.UUID | None:
    return uuid.UUID(text) if _UUID.fullmatch(text) else None


def _decimal_of(text: str) -> Decimal | None:
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _reader(type_: type) -> Callable[[str], object | None]:
    """Make a reader of texts by the converter's own rule, so that both agree."""

    def read(text: str) -> object | None:
        try:
            return msgspec.convert(text, type_)
        except msgspec.ValidationError:
            return None

    return read


def _local_date_of(text: str) -> datetime | None:
    if _DATE_TIME.fullmatch(text) is None:
        return None
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None


FORMATS: Final[Mapping[str, Callable[[str], object | None]]] = {
    "uuid": _uuid_of,
    "decimal": _decimal_of,
    "date": _reader(date),
    "time": _reader(time),
    "duration": _reader(timedelta),
    "date-time": _local_date_of,
}
"""What reads the text of a format; None is for a text of another form."""


def _is_number(value: object) -> bool:
    if type(value) is float:
        return True
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    try:
        float(value)
    except OverflowError:
        return False
    return True


def _is_integer(value: object) -> bool:
    if type(value) is float:
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


PAIR: Final = 2
"""How many items a pair has."""


def is_pair(value: object) -> bool:
    """Tell whether a value is an array of a key and a value."""
    return isinstance(value, list) and len(value) == PAIR


def is_pairs(value: object) -> bool:
    """Tell whether a value is an array of pairs, which is how plain JSON spells a map."""
    return isinstance(value, list) and all(map(is_pair, value))


KINDS: Final[Mapping[str, Callable[[object], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "bigint": lambda value: bigint_of(value) is not None,
    "string": lambda value: isinstance(value, str),
    "bytes": lambda value: bytes_of(value) is not None,
    # A text of another form is a fault of its format, not of its type.
    "date": lambda value: isinstance(value, str) or date_of(value) is not None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    # What is no pair among the pairs is a fault of its own.
    "map": lambda value: isinstance(value, WireMap | list),
    "set": lambda value: isinstance(value, WireSet | list),
}
"""Which values are of a type of ISS-1, each with the forms that plain JSON has for it."""


def fits(schema: Schema, value: object) -> bool:
    """Tell whether a value is of the type that a schema without branches names."""
    cls = schema.get("class")
    if cls is not None and isinstance(value, cls):
        return True
    kinds = schema.get("type")
    if kinds is None:
        return (
            "custom" in schema or "instance" not in schema or isinstance(value, schema["instance"])
        )
    if isinstance(kinds, str):
        if kinds == "object" and isinstance(value, WireMap):
            # The converter reads a map as the object of its names; other keys are ignored as
            # unknown members are, where the type allows those.
            closed = schema.get("additionalProperties") is False
            return not closed or all(isinstance(key, str) for key in value)
        return KINDS[kinds](value)
    return any(KINDS[kind](value) for kind in kinds)
