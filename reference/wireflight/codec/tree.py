"""The fast way to read a table: for a tree that an encoder wrote, and nothing else.

An encoder lists every container before what it contains, so walking a table backwards
builds children first and needs no stack. Whatever does not fit (a fault of any kind, a
shared container, a spelling that no encoder uses) is left to the careful way, which finds
out what it is; so this module refuses nothing itself.
"""

from __future__ import annotations

from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from wireflight.codec.builder import SENTINELS, Builder
from wireflight.errors import DecodeError
from wireflight.scalars import MAX_SAFE_INTEGER

if TYPE_CHECKING:
    from wireflight.limits import Limits
    from wireflight.types import Extensions

__all__ = ["Unread", "read_tree"]


class Unread(Enum):
    """The answer when the fast way does not lead to a value."""

    UNREAD = "unread"


_UNREAD: Final = Unread.UNREAD
_OTHER_LEAF_TAGS: Final = frozenset(("BigInt", "ArrayBuffer"))
_LEAF_TAGS: Final = _OTHER_LEAF_TAGS | {"Date"}

# The type bounds the recursion of the parser: it refuses a third level of nesting. It also
# refuses the integers that are doubles by now, and fractions, booleans and null as references.
_Safe = Annotated[int, msgspec.Meta(ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER)]
_Entry = None | bool | _Safe | float | str | list[int | str] | dict[str, int]
_parse = msgspec.json.Decoder(list[_Entry]).decode

# The parser reads the literal -0 as the integer 0.
_MINUS_ZEROS: Final = tuple(b"-0" + end for end in (b",", b"]", b"}", b" ", b"\n", b"\t", b"\r"))


def read_tree(
    data: bytes,
    limits: Limits,
    extensions: Extensions | None,
    *,
    is_request: bool,
    is_revived: bool,
) -> Any:
    """Read the value of a table if that is simple, else return `Unread.UNREAD`."""
    try:
        entries: list[Any] = _parse(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _UNREAD
    if not entries or (is_request and len(entries) > limits.table_entries):
        return _UNREAD
    references: dict[int, Any] = {}  # of every container, from the first to the last
    tagged: list[int] = []
    strings = names = 0
    for index, entry in enumerate(entries):
        kind = type(entry)
        if kind is str:
            strings += 1
        elif kind is dict:
            references[index] = entry.values()
            names += len(entry)
        elif kind is list:
            if not entry or type(entry[0]) is not str:
                references[index] = entry
                continue
            tagged.append(index)
            if entry[0] not in _LEAF_TAGS:
                references[index] = entry[2::2] if entry[0] == "null" else entry[1:]
        elif kind is float and entry.is_integer() and abs(entry) <= MAX_SAFE_INTEGER:
            return _UNREAD
    if (
        (b"-0" in data and any(zero in data for zero in _MINUS_ZEROS))
        or (names and _may_repeat_names(data, entries, tagged, strings + names))
        or (is_request and not _is_small_tree(len(entries), references, limits))
    ):
        return _UNREAD
    builder = Builder(entries, limits, extensions, is_request=is_request, is_revived=is_revived)
    try:
        return _build(entries, [*references], tagged, builder)
    except (KeyError, DecodeError):
        return _UNREAD


def _build(entries: list[Any], containers: list[int], tagged: list[int], builder: Builder) -> Any:
    """Build the value, turning the parsed objects into its own.

    Raises:
        KeyError: When a reference leads nowhere, or to a container that is not built yet.
        DecodeError: When a tagged entry is invalid.
    """
    values: dict[Any, Any] = dict(enumerate(entries))
    values.update(SENTINELS)
    for index in containers:
        del values[index]
    dates = [index for index in tagged if entries[index][0] == "Date"]
    if dates:
        values.update(zip(dates, builder.dates(dates), strict=True))
    for index in tagged:
        if entries[index][0] in _OTHER_LEAF_TAGS:
            values[index] = builder.tagged(entries[index], index, values)
    value_of = values.__getitem__
    for index in reversed(containers):
        entry = entries[index]
        if type(entry) is dict:
            if "__proto__" in entry:
                raise KeyError
            for name, ref in entry.items():
                entry[name] = values[ref]
            values[index] = entry
        elif entry and type(entry[0]) is str:
            values[index] = builder.tagged(entry, index, values)
        else:
            values[index] = [*map(value_of, entry)]
    return values[0]


def _is_small_tree(entries: int, references: dict[int, Any], limits: Limits) -> bool:
    """Tell whether every entry is reached, every container once, within the limits.

    References need not be valid; that is found when they are followed.
    """
    if not references:
        return entries == 1
    everything = [*chain.from_iterable(references.values())]
    reached = set(everything)
    reached.difference_update(SENTINELS)
    if len(reached) != entries - 1 or len(everything) >= limits.expanded_nodes:
        return False
    if (
        len(everything) > limits.container_members
        and max(map(len, references.values())) > limits.container_members
    ):
        return False
    is_container = [False] * (entries + 6)  # the end stands for the sentinels
    for index in references:
        is_container[index] = True
    level: list[Any] = [0]
    depth = met = 0
    try:
        while level and met <= len(references) and depth <= limits.depth:
            depth += 1
            met += len(level)
            below = chain.from_iterable([references[index] for index in level])
            level = [ref for ref in below if is_container[ref]]
    except (LookupError, TypeError):
        return False
    return met == len(references) and depth <= limits.depth


def _may_repeat_names(data: bytes, entries: list[Any], tagged: list[int], strings: int) -> bool:
    """Tell whether the parser may have dropped a member whose name came twice.

    Every string that it kept has two quotes in the text, and one more for each quote in it
    that is escaped as such; a dropped name has two of its own.

    Args:
        data: The text.
        entries: The entries.
        tagged: Indexes of those that begin with a string.
        strings: How many strings there are in all others.
    """
    for index in tagged:
        strings += [*map(type, entries[index])].count(str)
    found = data.count(b'"')
    if found == 2 * strings:
        return False
    if b"\\u0022" in data:
        return True
    texts = chain(
        (entry for entry in entries if type(entry) is str),
        chain.from_iterable(entry for entry in entries if type(entry) is dict),
        (part for index in tagged for part in entries[index] if type(part) is str),
    )
    return bool(found != 2 * strings + sum(text.count('"') for text in texts))
