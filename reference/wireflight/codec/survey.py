"""What is known about a table before a value is built from it: its order and its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight.codec.builder import SENTINELS
from wireflight.errors import DecodeError, DecodeErrorCode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from wireflight.limits import Limits

__all__ = ["building_order", "check_limits", "refuse_wrong_shape"]

_INVALID: Final = DecodeErrorCode.INVALID_PAYLOAD
_LEAF_TAGS: Final = frozenset(("Date", "BigInt", "ArrayBuffer"))
_CONTAINERS: Final = (list, dict)
_NEW, _OPEN, _DONE = 0, 1, 2


def _references(entry: Any) -> Collection[Any]:
    """Return what a container refers to, before anything is known about its form."""
    if isinstance(entry, dict):
        return entry.values()
    references: list[Any] = entry
    if entry and type(entry[0]) is str:
        if entry[0] in _LEAF_TAGS:
            return ()
        references = entry[2::2] if entry[0] == "null" else entry[1:]
    return references


def check_limits(entries: list[Any], order: Sequence[int], limits: Limits) -> None:
    """Count a table as the value that it unfolds to, without unfolding it.

    Args:
        entries: The entries.
        order: Indexes of its containers, each after what it refers to.
        limits: The limits.

    Raises:
        DecodeError: When a limit is exceeded.
    """
    # Both lists end with places for the sentinels, which negative indexes select.
    sizes = [1] * (len(entries) + 6)
    depths = [0] * len(sizes)
    for index in order:
        entry = entries[index]
        references = _references(entry)
        size = sizes[index] = 1 + sum(map(sizes.__getitem__, references))
        if size > limits.expanded_nodes:  # so no number here grows beyond a few times that
            raise _excess("expanded_nodes", index)
        _check_members(entry, references, index, limits)
        if not _is_leaf(entry):
            depths[index] = 1 + max(map(depths.__getitem__, references), default=0)
        if depths[index] > limits.depth:
            raise _excess("depth", index)


def _is_leaf(entry: Any) -> bool:
    return type(entry) is list and bool(entry) and entry[0] in _LEAF_TAGS


def _check_members(entry: Any, references: Collection[Any], index: int, limits: Limits) -> None:
    members = len(references)
    if type(entry) is list and entry[:1] == ["Map"]:
        members //= 2
    if members > limits.container_members:
        raise _excess("container_members", index)


def _excess(limit: str, index: int) -> DecodeError:
    code = DecodeErrorCode.TOO_DEEP if limit == "depth" else DecodeErrorCode.TOO_LARGE
    message = "the value is nested too deep" if limit == "depth" else "the value is too large"
    return DecodeError(code, message, position=f"entry {index}", limit=limit)


def building_order(entries: list[Any], *, is_request: bool) -> list[int]:
    """Order the containers so that each comes after those that it refers to.

    References spelt as fractions, such as `1.0`, are replaced by integers on the way.

    Raises:
        DecodeError: When a reference is invalid, a container holds itself, or, in a
            request, nothing refers to an entry.
    """
    order: list[int] = []
    states = bytearray(len(entries))
    path: list[tuple[int, Iterator[int]]] = []
    index, pending = 0, iter((0,))
    while True:
        for ref in pending:
            if ref < 0 or states[ref] == _DONE:
                continue
            if states[ref] == _OPEN:
                raise _refusal("a container holds itself", ref)
            if type(entries[ref]) not in _CONTAINERS:
                states[ref] = _DONE
                continue
            states[ref] = _OPEN
            path.append((index, pending))
            index, pending = ref, iter(_checked_references(entries, ref))
            break
        else:
            if not path:
                break
            states[index] = _DONE
            order.append(index)
            index, pending = path.pop()
    if is_request and _NEW in states:
        raise _refusal("nothing refers to the entry", states.index(_NEW))
    return order


def _checked_references(entries: list[Any], index: int) -> list[int]:
    """Return the references of a container as integers, all of which lead somewhere."""
    entry = entries[index]
    references = _references(entry)
    checked: list[int] = []
    for written in references:
        is_integral = type(written) is float and written.is_integer()
        ref = int(written) if is_integral else written
        if type(ref) is not int or ref >= len(entries) or (ref < 0 and ref not in SENTINELS):
            raise _refusal("a reference leads nowhere", index)
        checked.append(ref)
    if float in map(type, references):
        entries[index] = _respelt(entry, checked)
    return checked


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


def _refusal(message: str, index: int) -> DecodeError:
    return DecodeError(_INVALID, message, position=f"entry {index}")


def refuse_wrong_shape(entries: list[Any]) -> None:
    """Check that the entries of a JSON array are those of a table.

    Raises:
        DecodeError: When a container holds what can be neither a reference, nor a tag, its
            text or a name.
    """
    for index, entry in enumerate(entries):
        if type(entry) is dict:
            is_wrong = not {*map(type, entry.values())} <= {int, float}
        else:
            is_wrong = type(entry) is list and not {*map(type, entry)} <= {int, float, str}
        if is_wrong:
            raise _refusal("a reference is not a number", index)
