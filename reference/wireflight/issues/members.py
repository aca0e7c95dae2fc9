"""The Python type of what a set holds or a dict has as its keys."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any, Literal, Union, get_origin

from msgspec import inspect

__all__ = ["hashable_type"]


def hashable_type(info: inspect.Type) -> object:
    """Return the Python type of the items of a set or the keys of a dict.

    Raises:
        TypeError: When its values can never be hashed.
    """
    type_ = _python_type(info)
    origin = get_origin(type_) or type_
    if isinstance(origin, type) and origin.__hash__ is None:
        raise TypeError(f"{origin.__name__} cannot be hashed, so it cannot be in a set or key")
    return type_


_PYTHON: dict[type[inspect.Type], Any] = {
    inspect.AnyType: Any,
    inspect.NoneType: None,
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StrType: str,
    inspect.BytesType: bytes,
    inspect.ByteArrayType: bytearray,
    inspect.MemoryViewType: memoryview,
    inspect.DateTimeType: dt.datetime,
    inspect.DateType: dt.date,
    inspect.TimeType: dt.time,
    inspect.TimeDeltaType: dt.timedelta,
    inspect.UUIDType: uuid.UUID,
    inspect.DecimalType: decimal.Decimal,
}


def _python_type(info: inspect.Type) -> Any:
    """Return a type that msgspec describes by this info, its constraints left out."""
    if isinstance(info, inspect.Metadata):
        return _python_type(info.type)
    if type(info) in _PYTHON:
        return _PYTHON[type(info)]
    if isinstance(info, inspect.LiteralType):
        return Literal[info.values]
    if isinstance(info, inspect.UnionType):
        return Union[tuple(_python_type(branch) for branch in info.types)]  # noqa: UP007 - the branches are known at run time
    if isinstance(info, inspect.TupleType):
        return tuple[tuple(_python_type(item) for item in info.item_types)]  # type: ignore[misc]
    if isinstance(info, inspect.DictType):
        return dict[_python_type(info.key_type), _python_type(info.value_type)]  # type: ignore[misc]
    if isinstance(info, inspect.CollectionType):
        item = _python_type(info.item_type)
        if isinstance(info, inspect.VarTupleType):
            return tuple[item, ...]  # type: ignore[valid-type]
        return _COLLECTIONS[type(info)][item]
    return info.cls  # type: ignore[attr-defined]


_COLLECTIONS: dict[type[inspect.Type], Any] = {
    inspect.ListType: list,
    inspect.SetType: set,
    inspect.FrozenSetType: frozenset,
}
