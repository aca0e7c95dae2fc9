"""Media types: which encoding a request has and which its response gets."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wireflight.exchange.settings import Encoding

__all__ = [
    "CONTENT_TYPES",
    "MEDIA_TYPES",
    "accepted_encoding",
    "body_encoding",
    "media_type",
    "named_type",
    "names_wireflight",
]

MEDIA_TYPES: Final[dict[bytes, Encoding]] = {
    b"application/wireflight+json": "wireflight",
    b"application/json": "plain",
}

CONTENT_TYPES: Final[dict[Encoding, bytes]] = {
    encoding: media for media, encoding in MEDIA_TYPES.items()
}

_SPACE: Final = b" \t"
_TCHAR: Final = frozenset(
    b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_QUALITIES: Final = frozenset(b"0123456789")

_MAX_CACHED_CHARS: Final = 256


def _split(field: bytes, separator: bytes) -> Iterator[bytes]:
    """Split a field value where the separator stands outside of quoted strings."""
    if b'"' not in field:
        yield from field.split(separator)
        return
    mark, start, is_quoted, is_escaped = separator[0], 0, False, False
    for index, character in enumerate(field):
        if is_escaped:
            is_escaped = False
        elif is_quoted and character == 0x5C:
            is_escaped = True
        elif character == 0x22:
            is_quoted = not is_quoted
        elif character == mark and not is_quoted:
            yield field[start:index]
            start = index + 1
    yield field[start:]


def _parameters(parts: Iterator[bytes]) -> list[tuple[bytes, bytes]] | None:
    """Read parameters and their lower-case names, or return None if they are malformed."""
    parameters: list[tuple[bytes, bytes]] = []
    for part in parts:
        part = part.strip(_SPACE)  # noqa: PLW2901 - the same thing, trimmed
        if not part:
            continue
        name, equals, value = part.partition(b"=")
        if not equals or not name or not _TCHAR.issuperset(name):
            return None
        if value[:1] == b'"':
            if len(value) < 2 or value[-1:] != b'"':
                return None
            value = value[1:-1]
        elif not value or not _TCHAR.issuperset(value):
            return None
        parameters.append((name.lower(), value))
    return parameters


def media_type(field: bytes) -> bytes | None:
    """Return the lower-case type of a `Content-Type`, or None if it is malformed."""
    parts = _split(field, b";")
    name = next(parts).strip(_SPACE)
    kind, slash, subtype = name.partition(b"/")
    if not slash or not kind or not subtype:
        return None
    if not _TCHAR.issuperset(kind) or not _TCHAR.issuperset(subtype):
        return None
    return None if _parameters(parts) is None else name.lower()


def named_type(field: bytes) -> bytes:
    """Return the lower-case name before the parameters, whatever they are."""
    return field.partition(b";")[0].strip(_SPACE).lower()


def names_wireflight(field: bytes) -> bool:
    """Tell whether a `Content-Type` names our type, whatever follows the name."""
    return named_type(field) == CONTENT_TYPES["wireflight"]


def body_encoding(field: bytes) -> Encoding | None:
    """Return the encoding that a `Content-Type` names, or None for any other type.

    Spec: HTTP-5.
    """
    encoding = MEDIA_TYPES.get(field)
    if encoding is not None:
        return encoding
    name = media_type(field)
    encoding = None if name is None else MEDIA_TYPES.get(name)
    if encoding is None:
        return None
    parts = _split(field, b";")
    next(parts)
    charsets = [value.lower() for name, value in _parameters(parts) or () if name == b"charset"]
    return encoding if charsets in ([], [b"utf-8"]) else None


def accepted_encoding(accept: bytes) -> Encoding | None:
    """Return the encoding that an `Accept` names with the highest quality above 0, or None.

    A range with a `*` names neither; what is malformed names nothing.

    Spec: HTTP-9.
    """
    if len(accept) <= _MAX_CACHED_CHARS:
        return _cached_encoding(accept)
    return _read_accept(accept)


def _read_accept(accept: bytes) -> Encoding | None:
    qualities: dict[Encoding, int] = {}
    for element in _split(accept, b","):
        parts = _split(element, b";")
        encoding = MEDIA_TYPES.get(next(parts).strip(_SPACE).lower())
        if encoding is None:
            continue
        quality = _quality_of(parts)
        if quality:
            qualities[encoding] = max(quality, qualities.get(encoding, 0))
    if not qualities:
        return None
    plain, ours = qualities.get("plain", 0), qualities.get("wireflight", 0)
    return "plain" if plain > ours else "wireflight"


def _quality_of(parameters: Iterator[bytes]) -> int | None:
    """Return the quality among a range's parameters; a repeated one is malformed."""
    found = b"1"
    is_found = False
    for parameter in parameters:
        name, _, value = parameter.strip(_SPACE).partition(b"=")
        if name.rstrip(_SPACE).lower() == b"q":
            if is_found or len(name) != 1:
                return None
            found, is_found = value, True
    return _quality(found)


_cached_encoding = functools.lru_cache(maxsize=256)(_read_accept)


def _quality(text: bytes) -> int | None:
    """Read a weight in thousandths, or None if it is none."""
    whole, _, fraction = text.partition(b".")
    if whole not in (b"0", b"1") or len(fraction) > 3 or not _QUALITIES.issuperset(fraction):
        return None
    thousandths = int(whole) * 1000 + int(fraction.ljust(3, b"0"))
    return thousandths if thousandths <= 1000 else None
