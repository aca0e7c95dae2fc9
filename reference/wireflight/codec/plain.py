"""Plain JSON: the second encoding, for people with a terminal and for simple clients."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.codec.members import members_in_order
from wireflight.codec.project import MODEL_TYPES, Extended, Projector
from wireflight.codec.strictjson import read_json
from wireflight.errors import DecodeError, DecodeErrorCode, EncodeError
from wireflight.limits import Limits
from wireflight.scalars import (
    MAX_SAFE_INTEGER,
    BigInt,
    bigint_text,
    bytes_text,
    date_text,
    number_text,
)
from wireflight.types import Extensions, WireMap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["plain_dumps", "plain_loads"]

_DEFAULT_LIMITS: Final = Limits()
_UNSET: Final = msgspec.UNSET
_BYTES: Final = (bytes, bytearray, memoryview)
_NO_EXTENSIONS: Final = ()

Step = tuple[str, Any, str | int]
"""The text before a child, the child, and its place for an error's path."""


def plain_loads(data: bytes, *, limits: Limits | None = None) -> Any:
    """Read one value from plain JSON.

    Args:
        data: The text in UTF-8.
        limits: The limits; the protocol's defaults if None.

    Returns:
        None, booleans, strings, lists, dicts, and numbers as ints where they are integral
        and safe, else as floats.

    Raises:
        DecodeError: When it is no JSON, or JSON that two readers could take differently
            (repeated names, lone surrogates, numbers beyond a double), or over a limit.

    Spec: PLAIN-1 steps 1 to 6.
    """
    limits = limits or _DEFAULT_LIMITS
    if len(data) > limits.body_bytes:
        raise _too_large("body_bytes")
    value = read_json(
        data, max_depth=limits.depth, too_deep=DecodeErrorCode.TOO_DEEP, is_table=False
    )
    nodes = 1
    pending = [value]
    while pending:
        container = pending.pop()
        if not isinstance(container, (list, dict)):
            continue
        nodes += len(container)
        if len(container) > limits.container_members:
            raise _too_large("container_members")
        if nodes > limits.expanded_nodes:
            raise _too_large("expanded_nodes")
        pending.extend(container.values() if isinstance(container, dict) else container)
    return value


def plain_dumps(
    value: object, *, extensions: Extensions | None = None, limits: Limits | None = None
) -> bytes:
    """Write a value as plain JSON, as far as JSON can say it.

    Dates become RFC 3339, bigints decimal strings, bytes base64, maps arrays of pairs,
    sets arrays, extensions their plain projections; undefined members are dropped;
    undefined elsewhere and numbers that are not finite become null.

    Args:
        value: Any supported value.
        extensions: The application's extensions and adapters.
        limits: The limits; `response_bytes` bounds what shared containers unfold to.

    Raises:
        EncodeError: When a value is cyclic, has a type or form that cannot be sent, or its
            text is longer than the limit.

    Spec: PLAIN-3.
    """
    writer = _PlainWriter(Projector(extensions, _NO_EXTENSIONS), limits or _DEFAULT_LIMITS)
    return writer.write(value)


def _too_large(limit: str) -> DecodeError:
    return DecodeError(DecodeErrorCode.TOO_LARGE, "the value is too large", limit=limit)


class _PlainWriter:
    """One text being written."""

    __slots__ = ("_limits", "_open", "_project")

    def __init__(self, project: Projector, limits: Limits) -> None:
        self._project = project
        self._limits = limits
        self._open: set[int] = set()

    def write(self, root: object) -> bytes:
        parts: list[str] = []
        size = 0
        steps: Iterator[Step] = iter((("", root, ""),))
        stack: list[tuple[Iterator[Step], str, int, str | int]] = []
        closing, identity, place = "", 0, ""  # type: str, int, str | int
        try:
            while True:
                for before, unread, place in steps:
                    child = self._read(unread)
                    text = self._leaf(child)
                    parts.append(before)
                    size += len(before) + len(text or "")
                    if size > self._limits.response_bytes:
                        raise EncodeError(
                            "the text is longer than response_bytes", limit="response_bytes"
                        )
                    if text is not None:
                        parts.append(text)
                        continue
                    if id(child) in self._open:
                        raise EncodeError("the value contains itself")
                    stack.append((steps, closing, identity, place))
                    identity = id(child)
                    self._open.add(identity)
                    opening, steps, closing = self._steps(child)
                    parts.append(opening)
                    break
                else:
                    parts.append(closing)
                    if not stack:
                        return "".join(parts).encode()
                    self._open.discard(identity)
                    steps, closing, identity, _ = stack.pop()
        except EncodeError as error:
            path = [*(frame[3] for frame in stack[1:]), place] if stack else []
            raise EncodeError(error.message, path=path, limit=error.limit) from error.__cause__

    def _read(self, value: object) -> object:
        if type(value) in MODEL_TYPES or type(value) is Extended:
            return value
        return self._project(value)

    def _leaf(self, value: Any) -> str | None:
        """Spell a value that has no children, or return None for a container."""
        kind = type(value)
        if kind is str:
            return _string(value)
        if value is None or value is _UNSET:
            return "null"
        if kind is bool:
            return "true" if value else "false"
        if kind is int or kind is BigInt:
            if kind is int and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                return str(value)
            try:
                return f'"{bigint_text(value)}"'
            except ValueError:
                raise EncodeError("the integer has too many digits to be sent") from None
        if kind is float:
            return number_text(value) if isfinite(value) else "null"
        if kind is datetime:
            try:
                return f'"{date_text(value)}"'
            except (ValueError, OverflowError) as error:
                raise EncodeError(f"the datetime cannot be sent: {error}") from error
        return f'"{bytes_text(value)}"' if kind in _BYTES else None

    def _steps(self, value: Any) -> tuple[str, Iterator[Step], str]:
        """Return the opening bracket of a container, its children, and the closing one."""
        if isinstance(value, dict) and all(issubclass(k, str) for k in {*map(type, value)}):
            return "{", self._members(value), "}"
        if isinstance(value, (list, tuple)):
            return "[", _items(value), "]"
        members = members_in_order(
            value,
            project=self._read,
            text_of_container=self._text_of_container,
            is_sorted=False,
        )
        if isinstance(value, (dict, WireMap)):
            return "[", _items(members), "]"
        return "[", _items(member[0] for member in members), "]"

    def _members(self, value: dict[Any, Any]) -> Iterator[Step]:
        comma = ""
        for key, member in value.items():
            if member is _UNSET:
                continue
            name: Any = self._read(key)
            if name == "__proto__":
                raise EncodeError("a member named '__proto__' cannot be sent")
            yield f"{comma}{_string(name)}:", member, name
            comma = ","

    def _text_of_container(self, value: object) -> str:
        """Spell an item of a set that is no scalar, to find its place."""
        if isinstance(value, (set, frozenset)):
            raise EncodeError("a set within a set has no order: send a list")
        return _PlainWriter(self._project, self._limits).write(value).decode()


def _items(values: Iterable[Any]) -> Iterator[Step]:
    comma = ""
    for index, value in enumerate(values):
        yield comma, value, index
        comma = ","


def _string(value: str) -> str:
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        raise EncodeError(
            "a lone surrogate cannot be sent: strings are well-formed Unicode"
        ) from None
