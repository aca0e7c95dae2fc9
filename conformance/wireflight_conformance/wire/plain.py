"""Plain JSON as section 6 has it: read from responses, written into requests."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence

from .codec import CodecError, number_text, parse_json, string_text
from .values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value, number

__all__ = ["read_plain", "write_plain"]


def read_plain(data: bytes) -> Value:
    """Return the value of a plain JSON text.

    Raises:
        CodecError: The bytes are not one strict JSON text.
    """
    return _read(parse_json(data))


def _read(item: object) -> Value:
    if isinstance(item, float):
        return number(item)
    if isinstance(item, list):
        return [_read(part) for part in item]
    if isinstance(item, dict):
        return {name: _read(part) for name, part in item.items()}
    if item is None or isinstance(item, bool | str):
        return item
    raise CodecError("not a JSON value")


def write_plain(value: Value) -> str:
    """Return the plain JSON of a value that has no extension in it. Spec: PLAIN-3."""
    if value is None or value is UNDEFINED:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(float(value)) if math.isfinite(value) else "null"
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, bytes):
        return string_text(base64.b64encode(value).decode())
    if isinstance(value, BigInt):
        return f'"{value.value}"'
    if isinstance(value, Date):
        return string_text(value.text)
    if isinstance(value, Map):
        return write_plain([list(pair) for pair in value.pairs])
    if isinstance(value, Set):
        return write_plain(list(value.items))
    if isinstance(value, Extension):
        raise CodecError("the plain projection of an extension is the application's")
    if isinstance(value, Mapping):
        members = [(n, v) for n, v in value.items() if v is not UNDEFINED]
        return "{" + ",".join(f"{string_text(n)}:{write_plain(v)}" for n, v in members) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(write_plain, value)) + "]"
    raise CodecError(f"a {type(value).__name__} is not a value")
