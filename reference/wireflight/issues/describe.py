"""A type as a schema over wire values: what it says is what conversion accepts.

The schema has the keywords of JSON Schema, but its `type` has the words of ISS-1, so
that a date is no string and a set no array. Beside them stand keywords of our own:

* `pairs`: `[key, value]`, the schemas of a map's pairs.
* `distinct`: the Python type of the items or keys that conversion would merge.
* `tags`: `{"member": name, "branches": {tag: schema}}` beside the `anyOf` it tells apart.
* `class`: the class whose instances pass as they are; `instance`: the only such ones.
* `custom`: the adapter that converts here, and `name`, by which it names what it defines.
* `local`: beside a `date-time`, that it has no offset.
* `extra`: what the application adds to the published schema.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Literal, NewType, Protocol, Union, get_args, get_origin

import msgspec
from msgspec import UnsetType, inspect

from wireflight.issues.members import hashable_type
from wireflight.types import AS_MAP, BigInt, WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Adapter", "Description", "Schema", "describe"]

Schema = dict[str, Any]


class Adapter(Protocol):
    """Converts values to classes that another library validates."""

    def adapts(self, type_: type) -> bool:
        """Tell whether this adapter converts to the class."""
        ...

    def convert(self, type_: type, value: object) -> object:
        """Convert a wire value.

        Raises:
            ValidationError: When the class refuses it; paths start at the value.
        """
        ...

    def schema(self, type_: type, name: str) -> dict[str, object]:
        """Return the JSON Schema of the class.

        Args:
            type_: The class.
            name: A name that starts the names of all its `$defs` and of nothing else; they
                move to the root of the whole, which their `$ref` start from.
        """
        ...


class Description(msgspec.Struct, frozen=True):
    """What is known of a type before any value comes.

    Attributes:
        root: The schema of the whole.
        definitions: The schemas that `$ref` names.
        direct: Whether the msgspec converter alone accepts nothing that the schema refuses,
            whatever the value is, or if the value is a dict.
        has_texts: Whether plain JSON writes a type in it as a text that is read by rules
            stricter than msgspec's.
        takes_undefined: Whether undefined itself is a value of the type.
    """

    root: Schema
    definitions: dict[str, Schema]
    direct: Literal["always", "dict", "never"]
    has_texts: bool
    takes_undefined: bool


def describe(type_: object, adapters: Sequence[Adapter] = ()) -> Description:
    """Describe a type.

    Raises:
        TypeError: When no value can be converted to the type.
    """
    builder = _Builder(adapters)
    root = builder.schema(inspect.type_info(type_))
    return Description(
        root,
        builder.definitions,
        builder.directness(root),
        builder.has_texts,
        _takes_undefined(type_),
    )


def _takes_undefined(type_: object) -> bool:
    if type_ is Any or type_ is UnsetType:
        return True
    if isinstance(type_, NewType):
        return _takes_undefined(type_.__supertype__)
    if get_origin(type_) in (Union, types.UnionType):
        return any(_takes_undefined(branch) for branch in get_args(type_))
    return False


_SIMPLE: dict[type[inspect.Type], Schema] = {
    inspect.AnyType: {},
    inspect.NoneType: {"type": "null"},
    inspect.BoolType: {"type": "boolean"},
    inspect.DateType: {"type": "string", "format": "date"},
    inspect.TimeDeltaType: {"type": "string", "format": "duration"},
    inspect.UUIDType: {"type": "string", "format": "uuid"},
    inspect.DecimalType: {"type": "string", "format": "decimal"},
}

_RANGE = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
}

_KIND_OF_CHOICE = {type(None): "null", bool: "boolean", int: "integer", str: "string"}


class _Builder:
    """Turns what msgspec knows of a type into a schema, each class once."""

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        self.adapters = adapters
        self.definitions: dict[str, Schema] = {}
        self.direct = True
        self.has_texts = False
        self.closed: list[Schema] = []
        self._names: dict[object, str] = {}

    def directness(self, root: Schema) -> Literal["always", "dict", "never"]:
        """Tell when the converter alone decides; it overlooks unknown members of a WireMap."""
        if not self.direct:
            return "never"
        if not self.closed:
            return "always"
        definition = self.definitions.get(root.get("$ref", "").removeprefix("#/$defs/"))
        only_root = self.closed == [definition] and not any(
            _refers(each, root["$ref"]) for each in self.definitions.values()
        )
        return "dict" if only_root else "never"

    def schema(self, info: inspect.Type) -> Schema:
        if isinstance(info, inspect.Metadata):
            if isinstance(info.type, inspect.DictType) and (info.extra or {}).get(AS_MAP):
                schema = self._dict(info.type, is_map=True)
            else:
                schema = self.schema(info.type)
            if info.extra_json_schema:
                schema["extra"] = info.extra_json_schema
            return schema
        simple = _SIMPLE.get(type(info))
        if simple is not None:
            # Their strings are read by stricter rules than msgspec's (see `lower`).
            if isinstance(info, inspect.UUIDType | inspect.DecimalType):
                self.direct, self.has_texts = False, True
            return dict(simple)
        if isinstance(info, inspect.IntType | inspect.FloatType | inspect.StrType):
            return self._scalar(info)
        if isinstance(info, inspect.BytesType | inspect.ByteArrayType | inspect.MemoryViewType):
            self.has_texts = True
            return {"type": "bytes"} | _lengths(info, "minLength", "maxLength")
        if isinstance(info, inspect.DateTimeType):
            self.has_texts = True
            return {"type": "date"} if info.tz is not False else dict(_LOCAL_DATE)
        if isinstance(info, inspect.TimeType):
            return {"type": "string", "format": "time"}
        if isinstance(info, inspect.EnumType):
            return _choices([member.value for member in info.cls])
        if isinstance(info, inspect.LiteralType):
            return _choices(list(info.values))
        if isinstance(info, inspect.UnionType):
            return self._union(info)
        if isinstance(info, inspect.CollectionType):
            return self._collection(info)
        if isinstance(info, inspect.TupleType):
            items = [self.schema(item) for item in info.item_types]
            return _tuple(items, len(items), closed=True)
        if isinstance(info, inspect.DictType):
            return self._dict(info)
        if isinstance(info, inspect.CustomType | inspect.DataclassType):
            for adapter in self.adapters:
                if adapter.adapts(info.cls):
                    return self._adapted(info.cls, adapter)
            if hasattr(info.cls, "__pydantic_validator__"):
                # msgspec would fill a dataclass of pydantic's without validating anything.
                raise TypeError(f"{_title(info.cls)} needs a converter with a PydanticAdapter")
        if isinstance(info, inspect.CustomType):
            return self._custom(info)
        if isinstance(
            info,
            inspect.StructType
            | inspect.DataclassType
            | inspect.TypedDictType
            | inspect.NamedTupleType,
        ):
            return self._defined(info)
        raise TypeError(f"no argument can be converted to {type(info).__name__}")

    def _scalar(self, info: inspect.IntType | inspect.FloatType | inspect.StrType) -> Schema:
        if isinstance(info, inspect.StrType):
            schema = {"type": "string"} | _lengths(info, "minLength", "maxLength")
        else:
            schema = {"type": "integer" if isinstance(info, inspect.IntType) else "number"}
        for name, keyword in _RANGE.items():
            if (bound := getattr(info, name, None)) is not None:
                schema[keyword] = bound
        return schema

    def _union(self, info: inspect.UnionType) -> Schema:
        branches = [self.schema(branch) for branch in info.types]
        if {} in branches:
            return {}
        schema: Schema = {"anyOf": branches}
        tagged = [
            (branch, schema)
            for branch, schema in zip(info.types, branches, strict=True)
            if isinstance(branch, inspect.StructType) and branch.tag is not None
        ]
        if len(tagged) > 1:
            first = tagged[0][0]
            schema["tags"] = {
                "member": 0 if first.array_like else first.tag_field,
                "branches": {branch.tag: branch_schema for branch, branch_schema in tagged},
            }
        return schema

    def _collection(self, info: inspect.CollectionType) -> Schema:
        schema: Schema = {"type": "array", "items": self.schema(info.item_type)}
        if isinstance(info, inspect.SetType | inspect.FrozenSetType):
            self.direct = False  # msgspec merges repeated items
            schema |= {"type": "set", "distinct": hashable_type(info.item_type)}
        return schema | _lengths(info, "minItems", "maxItems")

    def _dict(self, info: inspect.DictType, *, is_map: bool = False) -> Schema:
        key, value = self.schema(info.key_type), self.schema(info.value_type)
        if is_map or type(info.key_type) is not inspect.StrType:
            self.direct = False  # several keys of the wire may be one key after conversion
        distinct = hashable_type(info.key_type)
        if not is_map and (not key or "string" in _kinds(key)):
            schema: Schema = {"type": "object", "additionalProperties": value}
            if key != {"type": "string"} and key:
                schema["propertyNames"] = key
            schema |= {"pairs": [key, value], "distinct": distinct}
            return schema | _lengths(info, "minProperties", "maxProperties")
        schema = {"type": "map", "pairs": [key, value], "distinct": distinct}
        return schema | _lengths(info, "minItems", "maxItems")

    def _adapted(self, cls: type, adapter: Adapter) -> Schema:
        self.direct = False
        name = self._names.get(cls)
        if name is None:
            name = self._names[cls] = _free_name(cls, self.definitions)
            self.definitions[name] = {"custom": adapter, "instance": cls, "name": name}
        return {"$ref": f"#/$defs/{name}"}

    def _custom(self, info: inspect.CustomType) -> Schema:
        if info.cls is BigInt:
            self.direct = False  # the codec decodes large bigints to int
            return {"type": "bigint"}
        if info.cls is WireSet:
            return {"type": "set", "items": {}, "class": WireSet}
        if info.cls is WireMap:
            return {"type": "map", "pairs": [{}, {}], "class": WireMap}
        if not isinstance(info.cls, type) or info.cls.__module__ in ("collections.abc", "typing"):
            # The converter would ask what the value can do, but not look at its parts.
            raise TypeError(f"no argument can be converted to {info.cls!r}")
        return {"instance": info.cls}

    def _defined(
        self,
        info: (
            inspect.StructType
            | inspect.DataclassType
            | inspect.TypedDictType
            | inspect.NamedTupleType
        ),
    ) -> Schema:
        name = self._names.get(info.cls)
        if name is None:
            name = _free_name(info.cls, self.definitions)
            self._names[info.cls] = name
            self.definitions[name] = {}  # taken before a recursive member asks for it
            self.definitions[name].update(self._members(info))
        return {"$ref": f"#/$defs/{name}"}

    def _members(
        self,
        info: (
            inspect.StructType
            | inspect.DataclassType
            | inspect.TypedDictType
            | inspect.NamedTupleType
        ),
    ) -> Schema:
        fields = info.fields
        schemas = {field.encode_name: self._field(field) for field in fields}
        required = [field.encode_name for field in fields if field.required]
        cls = get_origin(info.cls) or info.cls
        title = _title(info.cls)
        tag = info.tag if isinstance(info, inspect.StructType) else None
        closed = isinstance(info, inspect.StructType) and info.forbid_unknown_fields
        if isinstance(info, inspect.NamedTupleType):
            return _tuple(list(schemas.values()), len(required), closed=True) | {"title": title}
        if isinstance(info, inspect.StructType) and info.array_like:
            items = list(schemas.values())
            if tag is not None:
                return _tuple([_choices([tag]), *items], len(required) + 1, closed=closed) | {
                    "title": title,
                    "class": cls,
                }
            return _tuple(items, len(required), closed=closed) | {"title": title, "class": cls}
        if isinstance(info, inspect.StructType) and tag is not None:
            assert info.tag_field is not None
            schemas = {info.tag_field: _choices([tag])} | schemas
        schema: Schema = {"type": "object", "title": title, "properties": schemas}
        if required:
            schema["required"] = required
        if closed:
            schema["additionalProperties"] = False
            self.closed.append(schema)
        if not isinstance(info, inspect.TypedDictType):
            schema["class"] = cls
        return schema

    def _field(self, field: inspect.Field) -> Schema:
        schema = self.schema(field.type)
        default = field.default
        if field.default_factory in (list, set, tuple, frozenset):
            default = []
        elif field.default_factory is dict:
            default = {}
        if type(default) in (type(None), bool, int, str) or default in ([], {}):
            schema["default"] = default
        return schema


_LOCAL_DATE: Schema = {"type": "string", "format": "date-time", "local": True}


def _refers(schema: object, ref: str) -> bool:
    if isinstance(schema, dict):
        return schema.get("$ref") == ref or any(_refers(each, ref) for each in schema.values())
    return isinstance(schema, list) and any(_refers(each, ref) for each in schema)


def _lengths(info: object, minimum: str, maximum: str) -> Schema:
    bounds = {minimum: "min_length", maximum: "max_length"}
    found = {keyword: getattr(info, name, None) for keyword, name in bounds.items()}
    return {keyword: bound for keyword, bound in found.items() if bound is not None}


def _choices(values: list[Any]) -> Schema:
    kinds = list(dict.fromkeys(_KIND_OF_CHOICE[type(value)] for value in values))
    return {"type": kinds[0] if len(kinds) == 1 else kinds, "enum": values}


def _tuple(items: list[Schema], required: int, *, closed: bool) -> Schema:
    schema: Schema = {"type": "array", "prefixItems": items, "minItems": required}
    if closed:
        schema["maxItems"] = len(items)
    return schema


def _kinds(schema: Schema) -> set[str]:
    if "anyOf" in schema:
        return set().union(*(_kinds(branch) for branch in schema["anyOf"]))
    kinds = schema.get("type", [])
    return {kinds} if isinstance(kinds, str) else set(kinds)


def _free_name(cls: object, taken: dict[str, Schema]) -> str:
    name = "".join(c if c.isalnum() else "_" for c in _title(cls))
    number = 1
    while (free := name if number == 1 else f"{name}_{number}") in taken:
        number += 1
    return free


def _title(cls: object) -> str:
    return cls.__name__ if isinstance(cls, type) else str(cls).rpartition(".")[2]
