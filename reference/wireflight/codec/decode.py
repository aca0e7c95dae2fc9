"""Reading flat tables: strict, without recursion, in linear time.

A table that an encoder wrote lists every container before what it contains, so walking
it backwards builds children first and needs no stack. A table in which that fails (a
container is shared or refers back) is ordered first, or refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.codec.builder import SENTINELS, Builder, MisorderedError
from wireflight.codec.strictjson import read_json
from wireflight.codec.survey import building_order, check_limits, refuse_wrong_shape
from wireflight.errors import DecodeError, DecodeErrorCode
from wireflight.limits import Limits
from wireflight.scalars import MAX_SAFE_INTEGER

if TYPE_CHECKING:
    from wireflight.types import Extensions

__all__ = ["Table", "loads"]

_INVALID: Final = DecodeErrorCode.INVALID_PAYLOAD
_DEFAULT_LIMITS: Final = Limits()

# The type bounds the recursion of the parser: it refuses a third level of nesting.
_Entry = None | bool | int | float | str | list[int | float | str] | dict[str, int | float]
_parse = msgspec.json.Decoder(list[_Entry] | int | float).decode

_MINUS_ZERO_MARKS: Final = tuple(mark + b"-0" for mark in (b"[", b",", b" ", b"\n", b"\t", b"\r"))


def loads(
    text: str | bytes,
    *,
    limits: Limits | None = None,
    extensions: Extensions | None = None,
    is_request: bool = True,
) -> Any:
    """Read the value of one flat table.

    Args:
        text: The text; bytes are UTF-8.
        limits: The limits; the protocol's defaults if None.
        extensions: The application's extensions; any other tag is refused.
        is_request: True applies every limit and refuses entries that nothing refers to,
            as a server does; False is how a client reads a response, which its size alone
            bounds.

    Returns:
        The value. Containers that the table shares are one Python object.

    Raises:
        DecodeError: When the text is anything but one acceptable value. No input leads to
            another exception.
    """
    limits = limits or _DEFAULT_LIMITS
    return Table(text, limits=limits, is_request=is_request).build(extensions)


class Table:
    """A parsed table, from which the value can be built more than once."""

    __slots__ = ("_containers", "_entries", "_is_request", "_limits", "_scalars", "root")

    def __init__(self, text: str | bytes, *, limits: Limits, is_request: bool) -> None:
        """Parse the text.

        Raises:
            DecodeError: When it is too large, no JSON, or no table.
        """
        data = _bounded(text, limits, is_request=is_request)
        self._limits = limits
        self._is_request = is_request
        parsed = _parse_table(data)
        self._entries: list[Any] = []
        self._containers: list[int] = []
        self._scalars: dict[Any, Any] = dict(SENTINELS)
        self.root = 0
        if not isinstance(parsed, list):
            if parsed not in SENTINELS:
                raise DecodeError(_INVALID, "the root is neither a table nor a sentinel")
            self.root = int(parsed)
            return
        if not parsed:
            raise DecodeError(_INVALID, "the table is empty")
        if is_request and len(parsed) > limits.table_entries:
            raise _too_large("the table has too many entries", "table_entries")
        if self._classify(parsed) and any(mark in data for mark in _MINUS_ZERO_MARKS):
            # The parser reads the literal -0 as the integer 0.
            self._classify(_reparse(data))
        if self._may_repeat_names(data):
            _reparse(data)

    def _classify(self, entries: list[Any]) -> bool:
        """Sort the entries into scalars and containers; tell whether one is the integer 0."""
        scalars = self._scalars
        containers: list[int] = []
        has_zero = False
        for index, entry in enumerate(entries):
            kind = type(entry)
            if kind is list or kind is dict:
                containers.append(index)
            elif kind is int:
                if -MAX_SAFE_INTEGER <= entry <= MAX_SAFE_INTEGER:
                    scalars[index] = entry
                    has_zero = has_zero or not entry
                else:
                    scalars[index] = _double(entry, index)
            elif kind is float and entry.is_integer() and abs(entry) <= MAX_SAFE_INTEGER and entry:
                scalars[index] = int(entry)
            elif kind is float and not entry and str(entry) == "0.0":
                scalars[index] = 0
            else:
                scalars[index] = entry
        self._entries = entries
        self._containers = containers
        return has_zero

    def _may_repeat_names(self, data: bytes) -> bool:
        """Tell whether the parser may have dropped a member whose name came twice.

        Every string that it kept has two quotes in the text, and one for each quote that
        it escapes; a dropped name has two more.
        """
        if b"\\u0022" in data:
            return True
        entries = self._entries
        strings = [entry for entry in entries if type(entry) is str]
        for index in self._containers:
            entry = entries[index]
            if type(entry) is dict:
                strings += entry
            elif entry and type(entry[0]) is str:
                strings += [part for part in entry if type(part) is str]
        quotes = 2 * len(strings)
        if b'\\"' in data:
            quotes += sum(text.count('"') for text in strings)
        return quotes != data.count(b'"')

    def build(self, extensions: Extensions | None, *, is_revived: bool = True) -> Any:
        """Build the value.

        Args:
            extensions: The application's extensions.
            is_revived: Whether extensions become their Python values; otherwise they stay
                as `Extended`, which encodes to what was received.

        Raises:
            DecodeError: When an entry is invalid or a limit is exceeded.
        """
        if self.root < 0:
            return SENTINELS[self.root]
        entries, containers = self._entries, self._containers
        builder = Builder(entries, self._limits, extensions, is_request=self._is_request)
        builder.is_revived = is_revived
        backwards = containers[::-1]
        if self._is_request:
            if check_limits(entries, backwards, self._limits):
                values = self._scalars.copy()
                try:
                    builder.build(backwards, values)
                    return values[0]
                except MisorderedError:
                    pass
        else:
            values = self._scalars.copy()
            try:
                builder.build(backwards, values)
                return values[0]
            except (MisorderedError, DecodeError):
                pass  # an entry that nothing reaches must not count
        order = building_order(entries, is_request=self._is_request)
        if self._is_request:
            check_limits(entries, order, self._limits)
        values = self._scalars.copy()
        builder.build(order, values)
        return values[0]


def _bounded(text: str | bytes, limits: Limits, *, is_request: bool) -> bytes:
    """Return the text as bytes, if it is not too large."""
    if isinstance(text, str):
        try:
            text = text.encode()
        except UnicodeEncodeError as error:
            place = f"character {error.start}"
            raise DecodeError(_INVALID, "the text is not Unicode", position=place) from None
    name = "body_bytes" if is_request else "response_bytes"
    if len(text) > getattr(limits, name):
        raise _too_large("the text is too long", name)
    return text


def _parse_table(data: bytes) -> Any:
    """Parse a text with the fast parser; let the strict one say what is wrong."""
    try:
        return _parse(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        _reparse(data, is_refused=True)


def _reparse(data: bytes, *, is_refused: bool = False) -> Any:
    """Parse a text with the strict parser, to find -0, repeated names or any fault."""
    parsed = read_json(data, max_depth=2, too_deep=_INVALID)
    if is_refused:
        refuse_wrong_shape(parsed)
    return parsed


def _double(literal: int, index: int) -> float:
    """Return the double of an integer literal that is not exactly one."""
    try:
        return float(literal)
    except OverflowError:
        message = "a number is too large for a double"
        raise DecodeError(_INVALID, message, position=f"entry {index}") from None


def _too_large(message: str, limit: str) -> DecodeError:
    return DecodeError(DecodeErrorCode.TOO_LARGE, message, limit=limit)
