"""How Python objects are read as values of the data model."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

import msgspec

from wireflight.errors import EncodeError
from wireflight.scalars import BigInt
from wireflight.types import MODEL_TYPES, Extension

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable

    from wireflight.types import Extensions

__all__ = ["MODEL_TYPES", "Extended", "Projector", "attributes_of"]

_ISO_TYPES: Final = (UUID, Decimal, date, time, timedelta)
_UNSET: Final = msgspec.UNSET


Attributes = tuple[dict[str, Any], Callable[[Any], tuple[object, ...]]]
"""The members of a type's values: their names, in order, and what reads their values.

The names are a dict to be copied. A value that is undefined is no member.
"""


class Extended:
    """An extension's value on its way between the application and the table."""

    __slots__ = ("content", "name")

    def __init__(self, name: str, content: object) -> None:
        self.name = name
        self.content = content


class Projector:
    """Reads any supported Python object as a value of one of the model types.

    The same object always gives the same result, which this keeps alive: encoders
    recognise what is shared by identity.
    """

    __slots__ = ("_accept", "_extensions", "_results", "_seen")

    def __init__(self, extensions: Extensions | None, accept: Collection[str] | None) -> None:
        self._extensions = extensions
        self._accept = accept
        self._results: dict[int, object] = {}
        self._seen: list[object] = []

    def __call__(self, value: object) -> object:
        """Project a value whose type is not one of the model types.

        Raises:
            EncodeError: When no rule covers its type.

        Spec: VAL-1, VAL-8, PAY-4.
        """
        known = self._results.get(id(value), self)
        if known is not self:
            return known
        result = self._once(value)
        self._seen.append(value)
        self._results[id(value)] = result
        return result

    def _once(self, value: object) -> object:
        if type(value) is Extended:
            return value
        for _ in range(16):  # an adapter may lead to another; a circle of them must end
            if type(value) in MODEL_TYPES or type(value) is Extended:
                return value
            value = self._step(value)
        raise EncodeError(f"the adapters of {type(value).__qualname__} do not come to an end")

    def _step(self, value: object) -> object:
        kind = type(value)
        if self._extensions is not None:
            rule = self._extensions.rule_of(kind)
            if isinstance(rule, Extension):
                if self._accept is None or rule.name in self._accept:  # VAL-8
                    return Extended(rule.name, _call(rule.encode, value))
                return _call(rule.plain, value)
            if rule is not None:
                return _call(rule, value)
        read = _reader(cast("Hashable", kind))
        if read is None:
            raise EncodeError(
                f"{kind.__module__}.{kind.__qualname__} is not a type that can be sent:"
                " convert it, or register an extension for it"
            )
        return read(value)


def attributes_of(kind: type, extensions: Extensions | None) -> Attributes | None:
    """Return how the members of a type's values are read, if they are its attributes.

    This is all that there is to say of a type for which nothing is registered.
    """
    if extensions is not None and extensions.rule_of(kind) is not None:
        return None
    attributes = _members_of(kind)
    # VAL-5: such a name is refused where the value is read as an object.
    return None if attributes is None or "__proto__" in attributes[0] else attributes


def _call(hook: Callable[[Any], object], value: object) -> object:
    """Call an application's hook, whose refusal concerns this value alone."""
    try:
        return hook(value)
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        kind = type(value).__qualname__
        raise EncodeError(f"the registered encoder of {kind} refused the value") from error


@functools.lru_cache(maxsize=1024)
def _reader(kind: type) -> Callable[[Any], object] | None:
    """Find how values of a type are read; types are few, so the answer is kept."""
    if issubclass(kind, Enum):
        return _enum_value
    attributes = _members_of(cast("Hashable", kind))
    if attributes is not None:
        return _object_reader(attributes)
    if issubclass(kind, msgspec.Struct):
        return _array_reader(kind)
    if hasattr(kind, "__pydantic_serializer__"):  # a model; a dataclass was found above
        return _dump_model
    if issubclass(kind, datetime):
        return _plain_datetime
    if issubclass(kind, _ISO_TYPES):
        return msgspec.to_builtins
    for base in (str, BigInt, int, float, bytes, bytearray, dict, list, tuple, set, frozenset):
        if issubclass(kind, base):
            return _BASE_READERS[base]
    return None


def _dump_model(model: Any) -> object:
    """Read a model of pydantic's, whose own serialisers take part, as it names its fields."""
    return _call(lambda value: value.model_dump(by_alias=True), model)


def _enum_value(member: Enum) -> object:
    return member.value


def _plain_datetime(value: datetime) -> datetime:
    return datetime.combine(value.date(), value.timetz())


def _plain_str(value: str) -> str:
    return str.__add__(value, "")


def _plain_int(value: int) -> int:
    return int.__add__(value, 0)


def _plain_bigint(value: int) -> int:
    return BigInt(int.__add__(value, 0))


def _plain_float(value: float) -> float:
    return float.__mul__(value, 1.0)  # an addition would lose the sign of zero


_BASE_READERS: Final[dict[type, Callable[[Any], object]]] = {
    str: _plain_str,
    BigInt: _plain_bigint,
    int: _plain_int,
    float: _plain_float,
    bytes: bytes,
    bytearray: bytes,
    dict: dict,
    list: list,
    tuple: list,
    set: set,
    frozenset: frozenset,
}


@functools.lru_cache(maxsize=1024)
def _members_of(kind: type) -> Attributes | None:
    """Find how the members of objects of a type are read, or None for other types."""
    if issubclass(kind, Enum):
        return None
    if issubclass(kind, msgspec.Struct):
        config = kind.__struct_config__
        if config.array_like:
            return None
        names = [field.encode_name for field in msgspec.structs.fields(kind)]
        read_all: Callable[[Any], tuple[object, ...]] = msgspec.structs.astuple
        if config.tag_field is None or config.tag is None:
            return dict.fromkeys(names), read_all
        tag = (config.tag,)
        return dict.fromkeys((config.tag_field, *names)), lambda value: tag + read_all(value)
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind)]
    elif "__attrs_attrs__" in kind.__dict__:
        names = [attribute.name for attribute in kind.__dict__["__attrs_attrs__"]]
    else:
        return None
    return (
        dict.fromkeys(names),
        lambda value: tuple([getattr(value, name, _UNSET) for name in names]),
    )


def _object_reader(attributes: Attributes) -> Callable[[object], object]:
    names, read = attributes

    def read_object(value: object) -> object:
        members = zip(names, read(value), strict=True)
        return {name: member for name, member in members if member is not _UNSET}

    return read_object


def _array_reader(kind: type[msgspec.Struct]) -> Callable[[object], object]:
    config = kind.__struct_config__
    head = [] if config.tag_field is None or config.tag is None else [config.tag]

    def read_array(value: Any) -> object:
        return [*head, *msgspec.structs.astuple(value)]

    return read_array
