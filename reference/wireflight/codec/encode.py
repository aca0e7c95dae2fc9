"""Writing values: the flat table, in one pass and without recursion."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.codec.faults import path_of_bad_string
from wireflight.codec.opening import (
    PLAIN_SHAPES,
    Opener,
    float_reference,
    has_plain_names,
    in_normal_order,
)
from wireflight.codec.project import attributes_of
from wireflight.errors import EncodeError
from wireflight.limits import Limits
from wireflight.scalars import MAX_SAFE_INTEGER, date_texts, escape_markup_bytes
from wireflight.types import MODEL_TYPES

if TYPE_CHECKING:
    from wireflight.types import Extensions

__all__ = ["canonical", "canonical_bytes", "dumps", "dumps_bytes"]

_UNDEFINED: Final = -1
_DEFAULT_LIMITS: Final = Limits()
_LESS_THAN: Final = ord("<")  # a byte is found faster as a number

_encode_json = msgspec.json.Encoder().encode

Frame = tuple[int, Iterator[tuple[Any, Any]], Any, Any]
"""A container's index, places and children still to come, its entry and the last place."""


def dumps(
    value: object,
    *,
    extensions: Extensions | None = None,
    accept: Collection[str] | None = None,
) -> str:
    """Write a value as a flat table in which what is shared in Python is shared too.

    Args:
        value: Any supported value; `msgspec.UNSET` is undefined.
        extensions: The application's extensions and adapters.
        accept: Names of the extensions that the receiver knows; values of any other are
            written as their plain projection. None means all.

    Returns:
        The text, which is ASCII but for the characters of strings.

    Raises:
        EncodeError: When a value is cyclic, has a type that cannot be sent, or has no
            spelling (a naive datetime, a lone surrogate, a member named `__proto__`).

    Spec: PAY-1, PAY-2, PAY-3, PAY-4, PAY-5, VAL-1, VAL-8.
    """
    return _write(value, None, extensions, accept).decode()


def dumps_bytes(
    value: object,
    *,
    extensions: Extensions | None = None,
    accept: Collection[str] | None = None,
) -> bytes:
    """Write a value as `dumps` does, in UTF-8.

    Raises:
        EncodeError: As `dumps` does.

    Spec: PAY-1.
    """
    return _write(value, None, extensions, accept)


def canonical(
    value: object, *, extensions: Extensions | None = None, limits: Limits | None = None
) -> str:
    """Write the normal form of an argument: equal arguments give equal texts.

    Undefined members are dropped, members, keys and items are sorted, minus zero is zero,
    and nothing but scalars is shared.

    Args:
        value: Any supported value, whose map keys and set items are scalars.
        extensions: The application's extensions and adapters.
        limits: The limits; `expanded_nodes` bounds what a shared container unfolds to.

    Raises:
        EncodeError: As `dumps` does, and when map keys or set items are not scalars or
            equal, or the value unfolds to more nodes than the limit.

    Spec: KEY-1, KEY-2, KEY-9.
    """
    return canonical_bytes(value, extensions=extensions, limits=limits).decode()


def canonical_bytes(
    value: object, *, extensions: Extensions | None = None, limits: Limits | None = None
) -> bytes:
    """Write the normal form as `canonical` does, in UTF-8.

    Raises:
        EncodeError: As `canonical` does.

    Spec: KEY-2.
    """
    return _write(value, (limits or _DEFAULT_LIMITS).expanded_nodes, extensions, None)


def _write(  # long, because calls would cost more than what they do
    root: object,
    max_nodes: int | None,
    extensions: Extensions | None,
    accept: Collection[str] | None,
    *,
    is_item: bool = False,
) -> bytes:
    """Write one text; with a bound of nodes, that of the normal form.

    Entries come in the order of first visits, each container before what it contains. What
    is neither a scalar, a list nor a dict of plain names is left to an `Opener`.
    """
    is_normal = max_nodes is not None
    table: list[Any] = []
    known: dict[str | float, int] = {}  # strings, safe integers and other floats
    atoms: dict[bool | None, int] = {}  # apart from 1 and 0, to which they are equal
    seen: dict[int, int] = {}  # containers by identity; in the normal form the open ones only
    dates: list[list[Any]] | None = None
    nodes = 1  # of the normal form, in which what is shared unfolds
    # Objects kept alive, so that no other gets an identity that was seen; in the normal form,
    # identities of the containers that are open.
    kept: list[Any] = []
    opener: Opener | None = None
    known_get = known.get
    lowest, highest = -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER
    stack: list[Frame] = []
    result: list[Any] = [None]
    entry: Any = result
    index = -1
    pairs: Iterator[tuple[Any, Any]] = enumerate((root,))
    key: Any = 0
    try:
        while True:
            for key, child in pairs:
                kind = type(child)
                if kind is str or (kind is int and lowest <= child <= highest):
                    ref = known_get(child)
                    if ref is None:
                        ref = known[child] = len(table)
                        table.append(child)
                    entry[key] = ref
                elif child is None or kind is bool:
                    ref = atoms.get(child)
                    if ref is None:
                        ref = atoms[child] = len(table)
                        table.append(child)
                    entry[key] = ref
                elif kind is float:
                    ref = known_get(child)
                    if ref is None or not child:  # minus zero is equal to zero
                        ref = float_reference(child, table, known, is_normal)
                    entry[key] = ref
                else:
                    break
            else:
                if not stack:
                    break
                index, pairs, entry, key = stack.pop()
                if is_normal:
                    del seen[kept.pop()]
                continue
            while True:  # over the first child, its first child that is no scalar, and so on
                identity = id(child)
                ref = seen.get(identity)
                if ref is not None:
                    if is_normal or ref == index or _is_open(ref, stack):
                        raise EncodeError("the value contains itself")  # PAY-4
                    entry[key] = ref
                    break
                ref = len(table)
                children: Any
                if kind is list:
                    inner, children = child.copy(), enumerate(child)
                    table.append(inner)
                elif kind is dict and (tuple(child) in PLAIN_SHAPES or has_plain_names(child)):
                    if is_normal:
                        inner, children = in_normal_order(child)
                    else:
                        inner, children = child.copy(), iter(child.items())
                    table.append(inner)
                elif kind is datetime and child.tzinfo is UTC:
                    if not is_normal:
                        seen[identity] = ref
                    entry[key] = ref
                    inner = ["Date", child]  # the texts are made all at once
                    table.append(inner)
                    if dates is None:
                        dates = [inner]
                    else:
                        dates.append(inner)
                    break
                elif (
                    not is_normal
                    and kind not in MODEL_TYPES
                    and (attributes := attributes_of(kind, extensions)) is not None
                ):
                    members = attributes[1](child)
                    kept.append(members)
                    inner = attributes[0].copy()
                    children = zip(attributes[0], members)  # noqa: B905 - as many by making
                    table.append(inner)
                else:
                    if opener is None:
                        spell = _refuse_item if is_item else _spelling(extensions, accept)
                        opener = Opener(
                            table=table,
                            known=known,
                            atoms=atoms,
                            is_normal=is_normal,
                            extensions=extensions,
                            accept=accept,
                            spell=spell,
                        )
                    ref, inner, children, first = opener.open(child, kind)
                    if children is None:
                        entry[key] = ref
                        if inner is not None and not is_normal:
                            seen[identity] = ref
                        elif ref == _UNDEFINED and type(pairs) is zip:
                            del entry[key]  # an attribute; in the normal form, a member (KEY-1)
                        break
                    nodes -= first
                seen[identity] = entry[key] = ref
                if max_nodes is not None:
                    nodes += len(inner)
                    if nodes > max_nodes:
                        raise EncodeError(f"the argument has more than {max_nodes} nodes")
                # The same as above: most containers hold scalars alone and need no frame.
                for place, item in children:
                    kind = type(item)
                    if kind is str or (kind is int and lowest <= item <= highest):
                        ref_inner = known_get(item)
                        if ref_inner is None:
                            ref_inner = known[item] = len(table)
                            table.append(item)
                        inner[place] = ref_inner
                    elif item is None or kind is bool:
                        ref_inner = atoms.get(item)
                        if ref_inner is None:
                            ref_inner = atoms[item] = len(table)
                            table.append(item)
                        inner[place] = ref_inner
                    elif kind is float:
                        ref_inner = known_get(item)
                        if ref_inner is None or not item:
                            ref_inner = float_reference(item, table, known, is_normal)
                        inner[place] = ref_inner
                    else:
                        break
                else:
                    if is_normal:
                        del seen[identity]
                    break
                if is_normal:
                    kept.append(identity)
                stack.append((index, pairs, entry, key))
                index, pairs, entry, key, child = ref, children, inner, place, item
    except EncodeError as error:
        path = _path(stack, entry, key)
        raise EncodeError(error.message, path=path) from error.__cause__
    if result[0] < 0:
        return b"%d" % result[0]
    if dates:
        texts = date_texts([date_entry[1] for date_entry in dates])
        for date_entry, spelt in zip(dates, texts, strict=True):
            date_entry[1] = spelt
    try:
        text = _encode_json(table)
    except UnicodeEncodeError:
        raise EncodeError(  # VAL-3
            "a lone surrogate cannot be sent: strings are well-formed Unicode",
            path=path_of_bad_string(table),
        ) from None
    return escape_markup_bytes(text) if _LESS_THAN in text or not text.isascii() else text


def _is_open(index: int, stack: list[Frame]) -> bool:
    """Tell whether a container is still being written; indexes ascend in the stack."""
    place = bisect_left(stack, index, key=itemgetter(0))
    return place < len(stack) and stack[place][0] == index


def _spelling(
    extensions: Extensions | None, accept: Collection[str] | None
) -> Callable[[object], str]:
    def spell(value: object) -> str:
        return _write(value, None, extensions, accept, is_item=True).decode()

    return spell


def _refuse_item(_value: object) -> str:
    raise EncodeError("a set within an item of a set has no order: send a list")


def _path(stack: list[Frame], entry: Any, key: Any) -> list[str | int]:
    """Describe the place that was being filled in."""
    path: list[str | int] = []
    for _, _, above, place in [*stack[1:], (0, None, entry, key)] if stack else ():
        if type(above) is dict or type(above[0]) is not str:
            path.append(place)
        elif above[0] == "Set":
            path.append(place - 1)
        elif above[0] == "Map":
            path.append((place - 1) // 2)
    return path
