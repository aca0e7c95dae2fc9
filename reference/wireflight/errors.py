"""The errors that the codec raises."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DecodeError", "DecodeErrorCode", "EncodeError", "WireflightError"]


class WireflightError(Exception):
    """The root of every error that this package raises on purpose."""


class DecodeErrorCode(StrEnum):
    """What is wrong with a text that could not be decoded."""

    INVALID_PAYLOAD = "invalid_payload"
    NON_CANONICAL = "non_canonical"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"


class DecodeError(WireflightError):
    """Received bytes are not an acceptable value.

    The message, the position and the limit never contain a part of the input,
    so all of them may be logged and sent back.

    Attributes:
        code: What kind of fault it is; the same word that stands on the wire.
        position: Where the fault is: `"entry 3"`, `"byte 17"`, or `""` for the whole text.
        limit: The name of the limit that was exceeded, a field of `Limits`, or None.
    """

    def __init__(
        self,
        code: DecodeErrorCode,
        message: str,
        *,
        position: str = "",
        limit: str | None = None,
    ) -> None:
        super().__init__(f"{message} (at {position})" if position else message)
        self.code = code
        self.position = position
        self.limit = limit


class EncodeError(WireflightError):
    """A Python value has no spelling in the data model.

    Attributes:
        path: Where the value stands, from the root: member names and indexes.
        limit: The name of the limit that the text passed, a field of `Limits`, or None.
    """

    def __init__(
        self, message: str, *, path: Sequence[str | int] = (), limit: str | None = None
    ) -> None:
        place = "".join(f"[{step!r}]" for step in path)
        super().__init__(f"{message} (at ${place})" if place else message)
        self.message = message
        self.path = tuple(path)
        self.limit = limit
