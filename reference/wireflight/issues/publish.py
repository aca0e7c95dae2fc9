"""The JSON Schema of a type, as the manifest shows it and the contract hashes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wireflight.issues.describe import Description, Schema

__all__ = ["publish"]

_PRIVATE: Final = frozenset({"pairs", "distinct", "tags", "class", "instance", "custom", "local",
                             "extra", "name"})  # fmt: skip


def publish(description: Description) -> dict[str, object]:
    """Return the schema of the type's values in plain JSON (PLAIN-3).

    Spec: MAN-3.
    """
    schema = _published(description.root)
    definitions: Schema = {}
    for name, definition in description.definitions.items():
        definitions[name] = _published(definition)
        definitions |= definitions[name].pop("$defs", {})
    if definitions:
        schema["$defs"] = definitions
    return schema


def _published(schema: Schema) -> Schema:
    public = {key: value for key, value in schema.items() if key not in _PRIVATE}
    for key in ("anyOf", "prefixItems"):
        if key in public:
            public[key] = [_published(each) for each in public[key]]
    if "tags" in schema and isinstance(schema["tags"]["member"], str):
        # Alone a tagged class needs no tag; among others it does.
        tagged, tag = list(schema["tags"]["branches"].values()), schema["tags"]["member"]
        public["anyOf"] = [
            each | {"required": [tag]} if each in tagged else each for each in public["anyOf"]
        ]
    for key in ("items", "additionalProperties", "propertyNames"):
        if isinstance(public.get(key), dict):
            public[key] = _published(public[key])
    if "properties" in public:
        public["properties"] = {n: _published(s) for n, s in public["properties"].items()}
    if "custom" in schema:
        public |= schema["custom"].schema(schema["instance"], schema["name"])
    elif "instance" in schema:
        public["title"] = schema["instance"].__name__
    kind = public.get("type")
    spell = _SPELT.get(kind) if isinstance(kind, str) else None
    if spell is not None:
        public = {key: value for key, value in public.items() if key != "type"}
        public = spell(schema, public) | {"x-wireflight": kind}
    return dict(schema.get("extra", {})) | public


def _date(_schema: Schema, rest: Schema) -> Schema:
    return {"type": "string", "format": "date-time"} | rest


def _bytes(_schema: Schema, rest: Schema) -> Schema:
    for key in ("minLength", "maxLength"):
        if key in rest:
            rest[key] = 4 * ((rest[key] + 2) // 3)  # characters of base64 with padding
    return {"type": "string", "contentEncoding": "base64"} | rest


def _bigint(_schema: Schema, rest: Schema) -> Schema:
    return {"type": "string", "pattern": "^(0|-?[1-9][0-9]*)$"} | rest


def _set(_schema: Schema, rest: Schema) -> Schema:
    return {"type": "array", "uniqueItems": True} | rest


def _map(schema: Schema, rest: Schema) -> Schema:
    pair = {
        "type": "array",
        "prefixItems": [_published(each) for each in schema["pairs"]],
        "minItems": 2,
        "maxItems": 2,
    }
    return {"type": "array", "items": pair} | rest


_SPELT: Final[Mapping[str, Callable[[Schema, Schema], Any]]] = {
    "date": _date,
    "bytes": _bytes,
    "bigint": _bigint,
    "set": _set,
    "map": _map,
}
