"""Wireflight: a wire protocol for remote functions with single-flight mutations."""

from wireflight.codec import (
    canonical,
    decode_payload,
    dumps,
    loads,
    payload,
    plain_dumps,
    plain_loads,
)
from wireflight.errors import DecodeError, DecodeErrorCode, EncodeError, WireflightError
from wireflight.keys import Key, KeyFormatError, is_function_id, make_key, parse_key
from wireflight.limits import Limits
from wireflight.types import BigInt, Extension, Extensions, WireMap, WireSet

__all__ = [
    "BigInt",
    "DecodeError",
    "DecodeErrorCode",
    "EncodeError",
    "Extension",
    "Extensions",
    "Key",
    "KeyFormatError",
    "Limits",
    "WireMap",
    "WireSet",
    "WireflightError",
    "canonical",
    "decode_payload",
    "dumps",
    "is_function_id",
    "loads",
    "make_key",
    "parse_key",
    "payload",
    "plain_dumps",
    "plain_loads",
]
