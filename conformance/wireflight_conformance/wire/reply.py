"""A response read as a document of the protocol, without ever raising."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .codec import CodecError, decode
from .plain import read_plain
from .values import UNDEFINED, Value, show

if TYPE_CHECKING:
    from .connection import Response
    from .trace import Trace

__all__ = ["PLAIN", "WIREFLIGHT", "Reply", "pick"]

WIREFLIGHT = "application/wireflight+json"
PLAIN = "application/json"


def pick(value: Value, *path: str | int) -> Value:
    """Return the part at the path, or undefined where there is none."""
    for step in path:
        if isinstance(step, str) and isinstance(value, Mapping):
            value = value.get(step, UNDEFINED)
        elif (
            isinstance(step, int)
            and isinstance(value, Sequence)
            and not isinstance(value, str | bytes)
            and -len(value) <= step < len(value)
        ):
            value = value[step]
        else:
            return UNDEFINED
    return value


class Reply:
    """What a target answered. Every accessor has an answer for every response."""

    def __init__(self, response: Response) -> None:
        self.response = response

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return self.response.status

    @property
    def trace(self) -> Trace:
        """Return what went over the wire."""
        return self.response.trace

    @property
    def media_type(self) -> str | None:
        """Return the media type in lower case without parameters, None unless there is one."""
        values = self.response.all("content-type")
        return values[0].partition(";")[0].strip().lower() if len(values) == 1 else None

    @functools.cached_property
    def _read(self) -> tuple[Value, str | None]:
        try:
            if self.media_type == WIREFLIGHT:
                return decode(self.response.body), None
            if self.media_type == PLAIN:
                return read_plain(self.response.body), None
        except CodecError as error:
            return UNDEFINED, str(error)
        return UNDEFINED, f"the media type is {self.media_type!r}"

    @property
    def document(self) -> Value:
        """Return the body's value, undefined if it does not decode."""
        return self._read[0]

    @property
    def fault(self) -> str | None:
        """Say why the body has no value; None if it has one."""
        return self._read[1]

    @property
    def envelope(self) -> Mapping[str, Value]:
        """Return the document's members, none if it is no object."""
        return self.document if isinstance(self.document, Mapping) else {}

    @property
    def type(self) -> Value:
        """Return the envelope's type."""
        return self.envelope.get("type", UNDEFINED)

    @property
    def is_result(self) -> bool:
        """Whether this is a result."""
        return self.status == 200 and self.type == "result"

    @property
    def value(self) -> Value:
        """Return the result's value."""
        return self.envelope.get("value", UNDEFINED) if self.type == "result" else UNDEFINED

    @property
    def at(self) -> str:
        """Return the result's stamp, an empty text if it has none."""
        stamp = self.envelope.get("at", UNDEFINED)
        return stamp if isinstance(stamp, str) else ""

    @property
    def error(self) -> Mapping[str, Value]:
        """Return the error's members, none if this is no error."""
        error = self.envelope.get("error", UNDEFINED)
        return error if isinstance(error, Mapping) and self.type == "error" else {}

    @property
    def code(self) -> str | None:
        """Return the error's code, None if this is no error."""
        code = self.error.get("code")
        return code if isinstance(code, str) else None

    @property
    def updates(self) -> Sequence[Mapping[str, Value]]:
        """Return the updates that are objects."""
        updates = self.envelope.get("updates", UNDEFINED)
        if not isinstance(updates, Sequence) or isinstance(updates, str | bytes):
            return []
        return [update for update in updates if isinstance(update, Mapping)]

    def outcomes(self, key: str) -> Sequence[Mapping[str, Value]]:
        """Return the updates that name this key."""
        return [update for update in self.updates if update.get("key") == key]

    def outcome(self, key: str) -> Mapping[str, Value]:
        """Return the one update that names this key, an empty one if there is not exactly one."""
        found = self.outcomes(key)
        return found[0] if len(found) == 1 else {}

    def __str__(self) -> str:
        if self.fault is not None:
            return (
                f"{self.status} with {len(self.response.body)} bytes that do not read: {self.fault}"
            )
        if self.code is not None:
            limit = self.error.get("limit")
            return f"{self.status} error {self.code}" + (f" (limit {limit})" if limit else "")
        return f"{self.status} {show(self.document, 300)}"
