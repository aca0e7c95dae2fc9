"""Payloads: the canonical text of an argument as it stands in a URL and in a key."""

from __future__ import annotations

import binascii
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.codec.decode import read
from wireflight.codec.encode import canonical_bytes
from wireflight.errors import DecodeError, DecodeErrorCode, EncodeError
from wireflight.limits import Limits

if TYPE_CHECKING:
    from wireflight.types import Extensions

__all__ = ["decode_payload", "payload"]

_UNDEFINED_TEXT: Final = b"-1"
_TO_URL_ALPHABET: Final = bytes.maketrans(b"+/", b"-_")
_DEFAULT_LIMITS: Final = Limits()


def payload(
    value: object, *, extensions: Extensions | None = None, limits: Limits | None = None
) -> str:
    """Write an argument as a payload: base64url of its canonical text, without padding.

    Args:
        value: The argument; `msgspec.UNSET` is none, whose payload is empty.
        extensions: The application's extensions and adapters.
        limits: The limits; `expanded_nodes` bounds what a shared container unfolds to.

    Raises:
        EncodeError: As `canonical` does.

    Spec: KEY-4.
    """
    text = canonical_bytes(value, extensions=extensions, limits=limits)
    return "" if text == _UNDEFINED_TEXT else _base64url(text)


def decode_payload(
    payload: str, *, limits: Limits | None = None, extensions: Extensions | None = None
) -> Any:
    """Read the argument of a payload that is spelt in the one canonical way.

    Args:
        payload: The characters between `payload=` and the next `&`, percent-decoded.
        limits: The limits; the protocol's defaults if None.
        extensions: The application's extensions.

    Returns:
        The argument, `msgspec.UNSET` for the empty payload.

    Raises:
        DecodeError: `invalid_payload`, `too_deep` or `too_large` when it cannot be read at
            all, `non_canonical` when it can but the same argument has another payload.

    Spec: KEY-5, KEY-9.
    """
    if not payload:  # step 1
        return msgspec.UNSET
    data = _from_base64url(payload)
    limits = limits or _DEFAULT_LIMITS
    # Judged as received: an application's way back from an extension may be another.
    received = read(data, limits, extensions, is_request=True, is_revived=False)
    try:
        is_canonical = canonical_bytes(received, limits=limits) == data  # step 4
    except EncodeError:
        is_canonical = False  # a container as a key or item
    if not is_canonical or received is msgspec.UNSET:
        if extensions is not None:
            read(data, limits, extensions, is_request=True)  # a refusal of step 3 comes first
        raise DecodeError(
            DecodeErrorCode.NON_CANONICAL, "the payload is not the canonical one of its argument"
        )
    if extensions is None or not extensions.may_stand_in(data):
        return received
    return read(data, limits, extensions, is_request=True)


def _base64url(data: bytes) -> str:
    encoded = binascii.b2a_base64(data, newline=False).rstrip(b"=")
    return encoded.translate(_TO_URL_ALPHABET).decode("ascii")


def _from_base64url(payload: str) -> bytes:
    """Undo base64url in its one spelling: no padding, no space, zero trailing bits.

    Raises:
        DecodeError: When it is not what would be written for its bytes.

    Spec: KEY-5 step 2.
    """
    try:
        data = binascii.a2b_base64(payload.replace("-", "+").replace("_", "/") + "==")
    except ValueError:
        data = b""
    if _base64url(data) != payload:
        raise DecodeError(DecodeErrorCode.INVALID_PAYLOAD, "the payload is not canonical base64url")
    return data
