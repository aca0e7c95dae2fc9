"""The fast way to read a table: for a tree as encoders write it, and nothing else.

An encoder numbers entries in the order of their first visits, so a walk from the root that
meets each next number when it expects it has met every entry, and one that meets every
container once cannot meet a cycle. That is proven on the way, in one pass. Whatever does not
fit (a fault of any kind, a shared container, a spelling that no encoder uses) is left to the
careful way, which finds out what it is; so this module refuses nothing itself.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from wireflight.codec.builder import LEAF_READERS, SENTINELS, build_tagged
from wireflight.errors import DecodeError
from wireflight.scalars import MAX_BIGINT_DIGITS, MAX_SAFE_INTEGER

if TYPE_CHECKING:
    from wireflight.limits import Limits
    from wireflight.types import Extensions

__all__ = ["Unread", "read_tree"]


class Unread(Enum):
    """The answer when the fast way does not lead to a value."""

    UNREAD = "unread"


_UNREAD: Final = Unread.UNREAD

# The type bounds the recursion of the parser: it refuses a third level of nesting. It also
# refuses the integers that are doubles by now, and fractions, booleans and null as references.
_Safe = Annotated[int, msgspec.Meta(ge=-MAX_SAFE_INTEGER, le=MAX_SAFE_INTEGER)]
_Ref = Annotated[int, msgspec.Meta(ge=min(SENTINELS))]
_Entry = None | bool | _Safe | float | str | list[_Ref | str] | dict[str, _Ref]
_parse = msgspec.json.Decoder(list[_Entry]).decode

# The parser reads the literal -0 as the integer 0.
_search_minus_zero: Final = re.compile(rb"-0[,\]}\s]").search

_MINUS, _QUOTE = b'-"'  # bytes are found faster as numbers
_leaf_reader = LEAF_READERS.get

# A container stands for itself in the list of values until it is met, and this after it.
_TAKEN: Final = object()
# The one place outside of the table, and the reference there.
_START: Final = ((0, 0),)
# What follows the values: a place for the first reference that leads nowhere, then those
# that negative references select.
_TAIL: Final = [_TAKEN, *(SENTINELS.get(ref, _TAKEN) for ref in range(min(SENTINELS), 0))]

Frame = tuple[Any, Iterator[tuple[Any, Any]]]
"""A container whose references are being replaced, and those that are left."""

Tagged = tuple[list[Any], list[Any], int, Any, Any]
"""An open set, map or extension: it, a copy of its entry, its index, its parent and place."""


def read_tree(
    data: bytes,
    limits: Limits,
    extensions: Extensions | None,
    is_request: bool,
    is_revived: bool,
) -> Any:
    """Read the value of a table if that is simple, else return `Unread.UNREAD`.

    This is one long function, because calls would cost more than what they do.

    Spec: PAY-6.
    """
    try:
        entries: list[Any] = _parse(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _UNREAD
    max_depth = limits.depth if is_request else sys.maxsize
    max_digits = limits.bigint_digits if is_request else MAX_BIGINT_DIGITS
    values = entries + _TAIL
    root: list[Any] = [None]  # a place for the value
    made: Any = root
    pairs: Iterator[tuple[Any, Any]] = iter(_START)
    stack: list[Frame] = []
    tagged: list[Tagged] = []
    fresh = strings = names = items = 0
    has_zero = False
    try:
        while True:
            for key, ref in pairs:
                made[key] = value = values[ref]
                if ref < fresh:
                    if value is _TAKEN:  # a container again, or a reference to nothing
                        return _UNREAD
                    continue
                if ref != fresh:
                    return _UNREAD
                fresh += 1
                kind = type(value)
                if kind is str:
                    strings += 1
                elif kind is int:
                    if not value:
                        has_zero = True
                elif kind is list or kind is dict:
                    break
                elif kind is float and value.is_integer() and abs(value) <= MAX_SAFE_INTEGER:
                    return _UNREAD
            else:
                if tagged and tagged[-1][0] is made:
                    _, as_written, index, parent, place = tagged.pop()
                    parent[place] = build_tagged(
                        made, as_written, index, entries, extensions, is_revived=is_revived
                    )
                if not stack:
                    break
                made, pairs = stack.pop()
                continue
            while True:  # over a container, the first container in it, and so on
                written: list[Any] | None = None
                children: Iterator[tuple[Any, Any]]
                if kind is dict:
                    if "__proto__" in value:
                        return _UNREAD
                    names += len(value)
                    children = iter(value.items())
                else:
                    children = enumerate(value)
                    if value and type(value[0]) is str:
                        read = _leaf_reader(value[0])
                        if read is not None:
                            if len(value) != 2:
                                return _UNREAD
                            made[key] = values[ref] = read(value[1], max_digits)
                            strings += 2
                            break
                        strings += 1
                        written = value.copy()
                        next(children)
                    items += len(value)
                values[ref] = _TAKEN
                if len(stack) >= max_depth:  # step 14
                    return _UNREAD
                # The same as above: most containers hold scalars alone and need no frame.
                for place, inner_ref in children:
                    value[place] = inner = values[inner_ref]
                    if inner_ref < fresh:
                        if inner is _TAKEN:
                            return _UNREAD
                        continue
                    if inner_ref != fresh:
                        return _UNREAD
                    fresh += 1
                    kind = type(inner)
                    if kind is str:
                        strings += 1
                    elif kind is int:
                        if not inner:
                            has_zero = True
                    elif kind is list or kind is dict:
                        break
                    elif kind is float and inner.is_integer() and abs(inner) <= MAX_SAFE_INTEGER:
                        return _UNREAD
                else:
                    if written is not None:
                        made[key] = build_tagged(
                            value, written, ref, entries, extensions, is_revived=is_revived
                        )
                    break
                if written is not None:
                    tagged.append((value, written, ref, made, key))
                stack.append((made, pairs))
                made, pairs, key, ref, value = value, children, place, inner_ref, inner
    # A text in the place of a reference is no index, and a tag's text may be none.
    except (DecodeError, LookupError, ValueError, OverflowError, TypeError):
        return _UNREAD
    # What follows seldom needs a call: calls are what a small table's time consists of.
    references = names + items  # and tags
    if (
        fresh != len(entries)  # steps 9 and 10
        or (
            is_request
            and (
                fresh > limits.table_entries  # step 7
                or references >= limits.expanded_nodes  # step 15
                or (
                    references > limits.container_members
                    and _widest(entries) > limits.container_members
                )
            )
        )
        or (has_zero and _MINUS in data and _search_minus_zero(data))  # step 3
        or (
            names
            and data.count(_QUOTE) != 2 * (strings + names)
            and _may_repeat_names(data, entries, strings + names)
        )
    ):
        return _UNREAD
    return root[0]


def _widest(entries: list[Any]) -> int:
    """Return the most references, and tags, that one entry holds.

    Spec: PAY-6 step 13.
    """
    return max(len(entry) for entry in entries if type(entry) is list or type(entry) is dict)


def _may_repeat_names(data: bytes, entries: list[Any], strings: int) -> bool:
    """Tell whether the parser may have dropped a member whose name came twice.

    This is asked only if there are not just two quotes for each string. Every string that
    the parser kept has two quotes in the text, and one more for each quote in it that is
    escaped as such; a dropped name has two of its own.

    Args:
        data: The text.
        entries: The entries.
        strings: How many strings, names, tags and their texts there are.

    Spec: PAY-11.
    """
    if b"\\u0022" in data:
        return True
    # Tags and their texts, which were read, have no quotes.
    texts = chain(
        (entry for entry in entries if type(entry) is str),
        chain.from_iterable(entry for entry in entries if type(entry) is dict),
    )
    return bool(data.count(_QUOTE) != 2 * strings + sum(text.count('"') for text in texts))
