"""Keys: the names under which clients hold the values of queries."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from wireflight.errors import WireflightError

__all__ = ["Key", "KeyFormatError", "is_function_id", "make_key", "parse_key"]

MAX_FUNCTION_ID_CHARS: Final = 255

_ID: Final = r"[A-Za-z_][A-Za-z0-9_]*(?:/[A-Za-z_][A-Za-z0-9_]*)*"
_match_id: Final = re.compile(_ID).fullmatch
_match_key: Final = re.compile(rf"({_ID})/([A-Za-z0-9_-]*)").fullmatch


class KeyFormatError(WireflightError):
    """A text is no key, or no function id. The message holds nothing of it."""


class Key(NamedTuple):
    """One query instance: a function and the payload of its argument."""

    function_id: str
    payload: str


def is_function_id(text: str) -> bool:
    """Tell whether a text has the form of a function id.

    Segments of ASCII letters, digits and underscores, none of which starts with a digit,
    with `/` between them; at most 255 characters.

    Spec: KEY-8.
    """
    return len(text) <= MAX_FUNCTION_ID_CHARS and _match_id(text) is not None


def make_key(function_id: str, payload: str) -> str:
    """Join a function id and a payload to a key.

    Args:
        function_id: The id.
        payload: The payload, as `wireflight.payload` writes it; it may be empty.

    Raises:
        KeyFormatError: When either has not its form.

    Spec: KEY-8.
    """
    key = f"{function_id}/{payload}"
    if not is_function_id(function_id) or parse_key(key) != (function_id, payload):
        raise KeyFormatError("the function id is not well-formed")
    return key


def parse_key(text: str) -> Key:
    """Split a key at its last `/`.

    The payload is checked for its characters only; `wireflight.decode_payload` judges it.

    Raises:
        KeyFormatError: When the text is not an id, a `/` and base64url characters.

    Spec: KEY-8.
    """
    match = _match_key(text)
    if match is None or len(match[1]) > MAX_FUNCTION_ID_CHARS:
        raise KeyFormatError("the text is not a function id, '/' and a payload")
    return Key(match[1], match[2])
