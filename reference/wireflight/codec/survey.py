"""The careful steps: what must be known of a table before values are built from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight.codec.builder import (
    LEAF_TAGS,
    SENTINELS,
    extension_of,
    identity_of,
    read_leaf,
    refusal,
)
from wireflight.errors import DecodeError, DecodeErrorCode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from wireflight.limits import Limits
    from wireflight.types import Extensions

__all__ = ["building_order", "check_limits", "read_leaves", "refuse_equal_members"]

_NEW, _OPEN, _DONE = 0, 1, 2


def read_leaves(
    entries: list[Any], limits: Limits, extensions: Extensions | None, *, is_request: bool
) -> dict[Any, Any]:
    """Check the form of every entry, and read those that refer to nothing.

    Returns:
        Values by reference: of sentinels, primitives, dates, bytes and bigints.

    Raises:
        DecodeError: When an entry has none of the forms.

    Spec: PAY-6 step 8, PAY-7, VAL-5.
    """
    values: dict[Any, Any] = dict(SENTINELS)
    for index, entry in enumerate(entries):
        if type(entry) is dict:
            if not {*map(type, entry.values())} <= {int, float}:
                raise refusal("a reference is not a number", index)
        elif type(entry) is not list:
            values[index] = entry
        elif entry and entry[0] in LEAF_TAGS:
            values[index] = read_leaf(entry, index, limits, is_request)
        else:
            _check_form(entry, index, extensions)
    return values


def _check_form(entry: list[Any], index: int, extensions: Extensions | None) -> None:
    references: Sequence[Any] = entry
    if entry and type(entry[0]) is str:
        references = entry[1:]
        if entry[0] == "null":
            references = entry[2::2]
            _check_names(entry, index)
        elif entry[0] == "Map":
            if len(entry) % 2 == 0:
                raise refusal("the map has a key without a value", index)
        elif entry[0] != "Set":
            extension_of(entry[0], len(entry), index, extensions)
    if not {*map(type, references)} <= {int, float}:
        raise refusal("a reference is not a number", index)


def _check_names(entry: list[Any], index: int) -> None:
    names = entry[1::2]
    if len(entry) % 2 == 0:
        raise refusal("the object has a name without a value", index)
    if not {*map(type, names)} <= {str} or "__proto__" in names:
        raise refusal("a member name must be a string but '__proto__'", index)
    if len({*names}) != len(names):
        raise refusal("an object has two members of one name", index)


def _references(entry: Any) -> Collection[Any]:
    """Return what a container refers to."""
    if type(entry) is dict:
        return entry.values()
    references: list[Any] = entry
    if entry and type(entry[0]) is str:
        references = entry[2::2] if entry[0] == "null" else entry[1:]
    return references


def building_order(entries: list[Any], leaves: Collection[int], *, is_request: bool) -> list[int]:
    """Order the containers so that each comes after those that it refers to.

    References spelt as fractions, such as `1.0`, are replaced by integers on the way.

    Args:
        entries: The entries, which have their forms.
        leaves: The references that need no container.
        is_request: Whether every entry must be reached from the root.

    Raises:
        DecodeError: When a reference is invalid, a container holds itself, or, in a
            request, nothing refers to an entry.

    Spec: PAY-6 steps 9 to 11, PAY-10.
    """
    for index in range(len(entries)):
        if index not in leaves:
            _check_references(entries, index)
    order: list[int] = []
    states = bytearray(len(entries))
    _visit(0, entries, leaves, states, order)
    if _NEW in states:
        if is_request:
            raise refusal("nothing refers to the entry", states.index(_NEW))  # step 10
        for index in range(len(entries)):
            if states[index] == _NEW:
                _visit(index, entries, leaves, states, order)
    return order


def _visit(
    start: int,
    entries: list[Any],
    leaves: Collection[int],
    states: bytearray,
    order: list[int],
) -> None:
    """Walk over what is reached from an entry, and mark it."""
    path: list[tuple[int, Iterator[int]]] = []
    index = -1
    pending = iter((start,))
    while True:
        for ref in pending:
            if ref < 0 or states[ref] == _DONE:
                continue
            if states[ref] == _OPEN:
                raise refusal("a container holds itself", ref)  # step 11
            if ref in leaves:
                states[ref] = _DONE
                continue
            states[ref] = _OPEN
            path.append((index, pending))
            index, pending = ref, iter(_references(entries[ref]))
            break
        else:
            if not path:
                return
            states[index] = _DONE
            order.append(index)
            index, pending = path.pop()


def _check_references(entries: list[Any], index: int) -> None:
    """Check that the references of a container lead somewhere, and make them integers."""
    entry = entries[index]
    references = _references(entry)
    checked: list[int] = []
    for written in references:
        is_integral = type(written) is float and written.is_integer()
        ref = int(written) if is_integral else written
        if type(ref) is not int or ref >= len(entries) or (ref < 0 and ref not in SENTINELS):
            raise refusal("a reference leads nowhere", index)
        checked.append(ref)
    if float in map(type, references):
        entries[index] = _respelt(entry, checked)


def _respelt(entry: Any, references: list[int]) -> Any:
    """Return a container with its references replaced."""
    if type(entry) is dict:
        return dict(zip(entry, references, strict=True))
    if type(entry[0]) is not str:
        return references
    if entry[0] != "null":
        return [entry[0], *references]
    respelt = list(entry)
    respelt[2::2] = references
    return respelt


def refuse_equal_members(entries: list[Any], values: dict[Any, Any]) -> None:
    """Check that no map has two equal keys and no set two equal items.

    Args:
        entries: The entries.
        values: The values of scalars by reference.

    Raises:
        DecodeError: When one has.

    Spec: PAY-6 step 12.
    """
    for index, entry in enumerate(entries):
        if type(entry) is not list or entry[:1] not in (["Set"], ["Map"]):
            continue
        references = entry[1::2] if entry[0] == "Map" else entry[1:]
        # A container that has no value yet is told apart by its place.
        members = [values[ref] if ref in values else entries[ref] for ref in references]
        identities = {
            identity_of(member, ref, entries)
            for member, ref in zip(members, references, strict=True)
        }
        if len(identities) != len(references):
            raise refusal("two keys of a map or items of a set are equal", index)


def check_limits(entries: list[Any], order: Sequence[int], limits: Limits) -> None:
    """Count a table as the value that it unfolds to, without unfolding it.

    Args:
        entries: The entries.
        order: Indexes of its containers, each after what it refers to.
        limits: The limits.

    Raises:
        DecodeError: When a limit is exceeded.

    Spec: PAY-6 steps 13 to 15, LIM-3.
    """
    for index in order:  # step 13
        entry = entries[index]
        is_map = type(entry) is list and entry[:1] == ["Map"]
        members = len(_references(entry)) // (2 if is_map else 1)
        if members > limits.container_members:
            raise _excess("container_members", index)
    # Both lists end with places for the sentinels, which negative indexes select.
    depths = [0] * (len(entries) + 6)
    for index in order:  # step 14
        below = map(depths.__getitem__, _references(entries[index]))
        depths[index] = 1 + max(below, default=0)
        if depths[index] > limits.depth:
            raise _excess("depth", index)
    sizes = [1] * len(depths)
    for index in order:  # step 15
        size = sizes[index] = 1 + sum(map(sizes.__getitem__, _references(entries[index])))
        if size > limits.expanded_nodes:  # so no number here grows beyond a few times that
            raise _excess("expanded_nodes", index)


def _excess(limit: str, index: int) -> DecodeError:
    code = DecodeErrorCode.TOO_DEEP if limit == "depth" else DecodeErrorCode.TOO_LARGE
    message = "the value is nested too deep" if limit == "depth" else "the value is too large"
    return DecodeError(code, message, position=f"entry {index}", limit=limit)
