"""Payload texts, canonical texts, payloads and keys, from sections 4 and 5 alone."""

from __future__ import annotations

import base64
import re
from typing import Final

from .decoding import decode, parse_json
from .encoding import CodecError, encode, number_text, string_text
from .normal import normalise
from .values import UNDEFINED, Value

__all__ = [
    "CodecError",
    "canonical",
    "decode",
    "decode_payload",
    "encode",
    "key",
    "normalise",
    "number_text",
    "parse_json",
    "payload",
    "payload_of_text",
    "string_text",
]

_PAYLOAD: Final = re.compile(r"[A-Za-z0-9_-]*")


def canonical(value: Value) -> str:
    """Return the canonical text of an argument. Spec: KEY-2."""
    return encode(normalise(value))


def payload_of_text(text: str | bytes) -> str:
    """Return any text in the spelling of a payload: base64url without padding."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def payload(value: Value = UNDEFINED) -> str:
    """Return the payload of an argument. Spec: KEY-4."""
    return "" if value is UNDEFINED else payload_of_text(canonical(value))


def key(function_id: str, argument: Value = UNDEFINED) -> str:
    """Return the key of a query instance. Spec: KEY-8."""
    return f"{function_id}/{payload(argument)}"


def decode_payload(text: str) -> Value:
    """Return the argument of a payload. Spec: KEY-5.

    Raises:
        CodecError: It is not a canonical payload.
    """
    if not text:
        return UNDEFINED
    if not _PAYLOAD.fullmatch(text) or len(text) % 4 == 1:
        raise CodecError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    value = decode(data)
    if payload(value) != text:
        raise CodecError("not canonical")
    return value
