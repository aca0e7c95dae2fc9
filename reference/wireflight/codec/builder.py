"""Building the values of a table's entries, whichever way the table is read."""

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
from wireflight.scalars import MAX_BIGINT_DIGITS, MAX_SAFE_INTEGER, BigInt, bigint_of
from wireflight.types import Identity, WireMap, WireSet, member_identity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from wireflight.limits import Limits
    from wireflight.types import Extension, Extensions

__all__ = [
    "LEAF_READERS",
    "LEAF_TAGS",
    "SENTINELS",
    "Leaf",
    "build_tagged",
    "extension_of",
    "identity_of",
    "read_leaf",
    "refusal",
]

SENTINELS: Final = MappingProxyType({-1: msgspec.UNSET, -3: nan, -4: inf, -5: -inf, -6: -0.0})
"""What the negative references stand for; every other one is refused."""

LEAF_TAGS: Final = frozenset(("Date", "BigInt", "ArrayBuffer"))
"""The tags whose entries hold a text and no references."""

Leaf = datetime | int | bytes
"""What an entry with one of the `LEAF_TAGS` stands for."""

_REFUSALS: Final = (ValueError, TypeError, LookupError, ArithmeticError)
_LEAVES: Final = (["Date"], ["BigInt"], ["ArrayBuffer"])

_FORMS: Final = MappingProxyType(
    {
        "Date": "the date must be a real YYYY-MM-DDTHH:mm:ss.sssZ",
        "BigInt": "the bigint must be canonical decimal digits",
        "ArrayBuffer": "the bytes must be canonical base64 with padding",
    }
)

_FEW_DIGITS: Final = 40
"""Up to this, writing a bigint again tells faster than a pattern whether it is canonical."""

_match_date: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"
).fullmatch
_match_bigint: Final = re.compile(r"0|-?[1-9][0-9]*").fullmatch


def refusal(message: str, index: int) -> DecodeError:
    """Make the error of an invalid entry."""
    return DecodeError(DecodeErrorCode.INVALID_PAYLOAD, message, position=f"entry {index}")


def read_leaf(entry: Sequence[Any], index: int, limits: Limits, is_request: bool) -> Leaf:
    """Read an entry whose tag is one of the `LEAF_TAGS`.

    Raises:
        DecodeError: When its content is not one text of the tag's form.

    Spec: VAL-9, PAY-6 step 8.
    """
    if len(entry) != 2 or type(entry[1]) is not str:
        raise refusal("the content of the tag must be one string", index)
    tag, text = entry
    most = limits.bigint_digits if is_request else MAX_BIGINT_DIGITS
    try:
        return LEAF_READERS[tag](text, most)
    except OverflowError:
        raise DecodeError(
            DecodeErrorCode.TOO_LARGE,
            "the bigint has too many digits",
            position=f"entry {index}",
            limit="bigint_digits",
        ) from None
    except ValueError:
        raise refusal(_FORMS[tag], index) from None


def _read_date(text: str, _most: int) -> datetime:
    """Read a date.

    Raises:
        ValueError: When it is misspelt, names a day that its month does not have, or the year 0.
    """
    if not _match_date(text):
        raise ValueError(text)
    return datetime.fromisoformat(text)


def _read_bigint(text: str, most: int) -> int:
    """Read a bigint of at most so many digits.

    Raises:
        ValueError: When it is not canonical.
        OverflowError: When it has more digits.
    """
    if len(text) <= _FEW_DIGITS and len(text) <= most:
        number = int(text)
        if int.__repr__(number) != text:
            raise ValueError(text)
        return BigInt(number) if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER else number
    if not _match_bigint(text):
        raise ValueError(text)
    if len(text) > (most := min(most, MAX_BIGINT_DIGITS)) and len(text.removeprefix("-")) > most:
        raise OverflowError(text)
    number = bigint_of(text)
    return BigInt(number) if -MAX_SAFE_INTEGER <= number <= MAX_SAFE_INTEGER else number


def _read_bytes(text: str, _most: int) -> bytes:
    """Read bytes.

    Raises:
        ValueError: When they have another spelling, in which they would be written.
    """
    content = binascii.a2b_base64(text)
    if binascii.b2a_base64(content, newline=False) != text.encode():
        raise ValueError(text)
    return content


LEAF_READERS: Final[Mapping[str, Callable[[str, int], Leaf]]] = MappingProxyType(
    {"Date": _read_date, "BigInt": _read_bigint, "ArrayBuffer": _read_bytes}
)
"""What reads the text of each of the `LEAF_TAGS`, given the most digits of a bigint.

They raise ValueError for a text of another form and OverflowError for too many digits.
"""


def extension_of(tag: str, size: int, index: int, extensions: Extensions | None) -> Extension[Any]:
    """Find the extension with a tag, whose entry has so many elements.

    Raises:
        DecodeError: When there is none, or the entry has not one content.

    Spec: PAY-7.
    """
    extension = None if extensions is None else extensions.named(tag)
    if extension is None:
        raise refusal("the tag is unknown", index)
    if size != 2:
        raise refusal("an extension has one content", index)
    return extension


def build_tagged(
    values: Sequence[Any],
    written: Sequence[Any],
    index: int,
    entries: Sequence[Any],
    extensions: Extensions | None,
    *,
    is_revived: bool,
) -> Any:
    """Build a set, a map or the value of an extension.

    Args:
        values: The tag and the values of the references after it.
        written: The entry with the references themselves.
        index: Its index.
        entries: The table.
        extensions: The application's extensions.
        is_revived: Whether an extension becomes its Python value; otherwise it stays as
            `Extended`, which encodes to what was received.

    Raises:
        DecodeError: When the tag is unknown or its parts are invalid.

    Spec: PAY-6 steps 8 and 12, PAY-7.
    """
    tag = values[0]
    if tag == "Set":
        items = _told_apart(values, written, 1, entries)
        if len(items) != len(values) - 1:
            raise refusal("two items of the set are equal", index)
        return WireSet.from_identified(items)
    if tag == "Map":
        if len(values) % 2 == 0:
            raise refusal("the map has a key without a value", index)
        pairs = _told_apart(values, written, 2, entries)
        if len(pairs) != len(values) // 2:
            raise refusal("two keys of the map are equal", index)
        return WireMap.from_identified(pairs)
    extension = extension_of(tag, len(values), index, extensions)
    if not is_revived:
        return Extended(extension.name, values[1])
    try:
        return extension.decode(values[1])
    except _REFUSALS as error:
        raise refusal("the content of the extension is refused", index) from error


def _told_apart(
    values: Sequence[Any], written: Sequence[int], step: int, entries: Sequence[Any]
) -> dict[Identity, Any]:
    """Return the items, or with a step of two the pairs, by what tells them apart."""
    members: dict[Identity, Any] = {}
    for place in range(1, len(values), step):
        member = values[place]
        reference = written[place]
        identity = member  # of most, without a call
        kind = type(entries[reference]) if reference >= 0 else None
        if kind is not str and kind is not int:
            identity = identity_of(member, reference, entries)
            if type(identity) is tuple and type(identity[0]) is int and identity in members:
                identity = (*identity, place)  # one value that several entries are revived as
        members[identity] = member if step == 1 else (member, values[place + 1])
    return members


def identity_of(member: Any, reference: int, entries: Sequence[Any]) -> Identity:
    """Return what tells an item or a key from others.

    An extension may be revived as anything, so the entry decides what it is.

    Spec: KEY-3, PAY-6 step 12.
    """
    if reference >= 0:
        entry: Any = entries[reference]
        kind = type(entry)
        if kind is str or kind is int:
            return member  # type: ignore[no-any-return]
        if kind is dict or (kind is list and entry[:1] not in _LEAVES):
            return (id(member),)
    return member_identity(member)
