"""Building the containers of a table, given an order in which children come first."""

from __future__ import annotations

import binascii
import re
from datetime import datetime
from math import inf, nan
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.codec.project import Extended
from wireflight.errors import DecodeError, DecodeErrorCode
from wireflight.scalars import MAX_SAFE_INTEGER, BigInt, bytes_text
from wireflight.types import Extensions, Identity, WireMap, WireSet, member_identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireflight.limits import Limits

__all__ = ["SENTINELS", "Builder"]

SENTINELS: Final = MappingProxyType({-1: msgspec.UNSET, -3: nan, -4: inf, -5: -inf, -6: -0.0})
"""What the negative references stand for; every other one is refused."""

_INVALID: Final = DecodeErrorCode.INVALID_PAYLOAD
_REFUSALS: Final = (ValueError, TypeError, LookupError, ArithmeticError)

_DATE: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
_DATE_CHARS: Final = 24
_match_date: Final = re.compile(_DATE).fullmatch
_match_dates: Final = re.compile(f"(?:{_DATE})*+").fullmatch
_match_bigint: Final = re.compile(r"0|-?[1-9][0-9]*").fullmatch


class Builder:
    """Builds values from the entries of one table."""

    __slots__ = ("_entries", "_extensions", "_is_request", "_is_revived", "_limits")

    def __init__(
        self,
        entries: list[Any],
        limits: Limits,
        extensions: Extensions | None,
        *,
        is_request: bool,
        is_revived: bool,
    ) -> None:
        self._entries = entries
        self._limits = limits
        self._extensions = extensions
        self._is_request = is_request
        self._is_revived = is_revived

    def build(self, order: Iterable[int], values: dict[Any, Any]) -> None:
        """Add the values of containers to those of scalars and sentinels.

        Args:
            order: Indexes of entries, each after what it refers to.
            values: Values by reference.

        Raises:
            DecodeError: When an entry is invalid.
        """
        for index in order:
            entry = self._entries[index]
            if type(entry) is dict:
                if "__proto__" in entry:
                    raise self._refusal("a member is named '__proto__'", index)
                values[index] = {name: values[ref] for name, ref in entry.items()}
            elif entry and type(entry[0]) is str:
                values[index] = self.tagged(entry, index, values)
            else:
                values[index] = [values[ref] for ref in entry]

    def _refusal(self, message: str, index: int) -> DecodeError:
        return DecodeError(_INVALID, message, position=f"entry {index}")

    def tagged(self, entry: list[Any], index: int, values: dict[Any, Any]) -> Any:
        """Build an entry that begins with a string.

        Raises:
            KeyError: When a reference is not in `values`.
            DecodeError: When the tag or its content is invalid.
        """
        tag = entry[0]
        if tag == "Date":
            return self._date(entry, index)
        if tag == "Set":
            return self._set(entry, index, values)
        if tag == "Map":
            return self._map(entry, index, values)
        if tag == "BigInt":
            return self._bigint(entry, index)
        if tag == "ArrayBuffer":
            return self._bytes(entry, index)
        if tag == "null":
            return self._bare_object(entry, index, values)
        return self._extension(entry, index, values)

    def _content(self, entry: list[Any], index: int) -> str:
        if len(entry) != 2 or type(entry[1]) is not str:
            raise self._refusal("the content of the tag must be one string", index)
        content: str = entry[1]
        return content

    def dates(self, indexes: list[int]) -> list[datetime]:
        """Read the entries with the tag `Date`, most of the way in one step for all.

        Raises:
            DecodeError: When one is invalid.
        """
        entries = [self._entries[index] for index in indexes]
        texts = [entry[-1] for entry in entries]
        if (
            {*map(len, entries)} == {2}
            and {*map(type, texts)} == {str}
            and {*map(len, texts)} == {_DATE_CHARS}
            and _match_dates("".join(texts))
        ):
            try:
                return [*map(datetime.fromisoformat, texts)]
            except ValueError:
                pass
        return [self._date(self._entries[index], index) for index in indexes]

    def _date(self, entry: list[Any], index: int) -> datetime:
        if len(entry) == 2 and type(entry[1]) is str and _match_date(entry[1]):
            try:
                return datetime.fromisoformat(entry[1])
            except ValueError:
                pass  # a day that its month does not have, or the year 0
        raise self._refusal("the date must be a real YYYY-MM-DDTHH:mm:ss.sssZ", index)

    def _bigint(self, entry: list[Any], index: int) -> int:
        text = self._content(entry, index)
        if not _match_bigint(text):
            raise self._refusal("the bigint must be canonical decimal digits", index)
        digits = len(text) - text.startswith("-")
        too_many = self._is_request and digits > self._limits.bigint_digits
        try:
            number = 0 if too_many else int(text)
        except ValueError:  # more digits than the interpreter converts
            too_many = True
        if too_many:
            raise DecodeError(
                DecodeErrorCode.TOO_LARGE,
                "the bigint has too many digits",
                position=f"entry {index}",
                limit="bigint_digits",
            )
        return BigInt(number) if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER else number

    def _bytes(self, entry: list[Any], index: int) -> bytes:
        text = self._content(entry, index)
        try:
            content = binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            content = None
        if content is not None and len(text) % 4 == 0:
            # What is left to check are the bits of the last group that no byte takes.
            rest = content[len(content) // 3 * 3 :]
            if not rest or bytes_text(rest) == text[-4:]:
                return content
        raise self._refusal("the bytes must be canonical base64 with padding", index)

    def _identity(self, ref: Any, value: object) -> Identity:
        """Tell members apart; what is no scalar on the wire is told apart by identity."""
        if type(value) is not str or type(self._entries[int(ref)]) is not str:
            entry = self._entries[int(ref)] if ref >= 0 else None
            if type(entry) is dict or (type(entry) is list and entry[:1] not in _SCALAR_TAGS):
                return id(value)
        return member_identity(value)

    def _set(self, entry: list[Any], index: int, values: dict[Any, Any]) -> WireSet:
        items: dict[Identity, object] = {}
        for ref in entry[1:]:
            value = values[ref]
            items[self._identity(ref, value)] = value
        if len(items) != len(entry) - 1:
            raise self._refusal("two items of the set are equal", index)
        return WireSet.from_identified(items)

    def _map(self, entry: list[Any], index: int, values: dict[Any, Any]) -> WireMap:
        if len(entry) % 2 == 0:
            raise self._refusal("the map has a key without a value", index)
        pairs: dict[Identity, tuple[object, object]] = {}
        for key_ref, ref in zip(entry[1::2], entry[2::2], strict=True):
            key = values[key_ref]
            pairs[self._identity(key_ref, key)] = (key, values[ref])
        if len(pairs) != len(entry) // 2:
            raise self._refusal("two keys of the map are equal", index)
        return WireMap.from_identified(pairs)

    def _bare_object(
        self, entry: list[Any], index: int, values: dict[Any, Any]
    ) -> dict[str, object]:
        if len(entry) % 2 == 0:
            raise self._refusal("the object has a name without a value", index)
        members: dict[str, object] = {}
        for name, ref in zip(entry[1::2], entry[2::2], strict=True):
            if type(name) is not str or name == "__proto__":
                raise self._refusal("a member name must be a string but '__proto__'", index)
            members[name] = values[ref]
        if len(members) != len(entry) // 2:
            raise self._refusal("an object has two members of one name", index)
        return members

    def _extension(self, entry: list[Any], index: int, values: dict[Any, Any]) -> object:
        extension = None if self._extensions is None else self._extensions.named(entry[0])
        if extension is None:
            raise self._refusal("the tag is unknown", index)
        if len(entry) != 2:
            raise self._refusal("an extension has one content", index)
        content = values[entry[1]]
        if not self._is_revived:
            return Extended(extension.name, content)
        try:
            return extension.decode(content)
        except _REFUSALS as error:
            raise self._refusal("the content of the extension is refused", index) from error


_SCALAR_TAGS: Final = (["Date"], ["BigInt"])
