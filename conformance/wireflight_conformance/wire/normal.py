"""The normal form of arguments. Spec: KEY-1, KEY-3."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from .encoding import CodecError, entry_text, sentinel
from .values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value

__all__ = ["is_scalar", "normalise", "scalar_text"]

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)

Item = TypeVar("Item")


def _member_rank(name: str) -> tuple[int, int, bytes]:
    if _INDEX.fullmatch(name) and int(name) <= 4294967294:
        return (0, int(name), b"")
    return (1, 0, name.encode("utf-16-be", "surrogatepass"))


def is_scalar(value: Value) -> bool:
    """Tell whether a value can be a key of a map in an argument."""
    is_plain = value is None or isinstance(value, bool | int | float | str | BigInt | Date)
    return is_plain or value is UNDEFINED


def scalar_text(value: Value) -> str:
    """Return the payload text of a scalar alone: one entry, or a sentinel."""
    code = sentinel(value)
    return str(code) if code is not None else f"[{entry_text(value)}]"


def _scalar_rank(value: Value) -> bytes:
    if not is_scalar(value):
        raise CodecError("a map key or set item that is not a scalar has no normal form")
    return scalar_text(value).encode("utf-16-be", "surrogatepass")


class _Copy(bytes):
    """A byte string with an identity of its own, which the empty `bytes` has not."""


def normalise(value: Value) -> Value:
    """Return the normal form of an argument, every part of it a copy of its own. Spec: KEY-1.

    Raises:
        CodecError: The argument has no normal form.
    """
    if isinstance(value, float) and value == 0:
        return 0
    if value is None or isinstance(value, bool | int | float | str | BigInt):
        return value
    if value is UNDEFINED:
        return value
    if isinstance(value, bytes):
        return _Copy(value)
    if isinstance(value, Date):
        return Date(value.text)
    if isinstance(value, Extension):
        return Extension(value.name, normalise(value.value))
    if isinstance(value, Map):
        pairs = [(normalise(k), normalise(v)) for k, v in value.pairs]
        ranked = _ranked([(_scalar_rank(k), (k, v)) for k, v in pairs])
        return Map(ranked)
    if isinstance(value, Set):
        items = [normalise(item) for item in value.items]
        return Set(_ranked([(_scalar_rank(item), item) for item in items]))
    if isinstance(value, Mapping):
        names = sorted((n for n in value if value[n] is not UNDEFINED), key=_member_rank)
        return {name: normalise(value[name]) for name in names}
    if isinstance(value, Sequence):
        return [normalise(item) for item in value]
    raise CodecError(f"a {type(value).__name__} is not a value")


def _ranked(pairs: list[tuple[bytes, Item]]) -> list[Item]:
    ordered = sorted(pairs, key=lambda pair: pair[0])
    for (left, _), (right, _) in itertools.pairwise(ordered):
        if left == right:
            raise CodecError("two map keys or set items are equal")
    return [item for _, item in ordered]
