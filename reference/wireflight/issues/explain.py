"""Every issue of a value that its type refuses, found by the type's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from msgspec import UNSET, structs

from wireflight.issues.demands import (
    DEMANDS,
    Found,
    IssueFault,
    Keyword,
    expected_types,
    fault_at,
    is_looked_into,
)
from wireflight.issues.issue import Issue, Path, ValidationError
from wireflight.issues.lower import (
    Lowering,
    Refused,
    collisions,
    is_unchecked,
    members_of,
    pair_issues,
    placed_pairs,
)
from wireflight.types import WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema.exceptions import ValidationError as Fault

    from wireflight.issues.describe import Description, Schema

__all__ = ["Explainer"]


def _nothing(_validator: Any, _demand: Any, _value: Any, _schema: Schema) -> None:
    """Find nothing."""


class Explainer:
    """Finds the issues of values of one type.

    Spec: ISS-1, ISS-2, ISS-5.
    """

    def __init__(self, description: Description, lowering: Lowering) -> None:
        self._root = description.root
        self._lowering = lowering
        keywords: dict[str, Keyword] = {
            "$ref": self._ref,
            "anyOf": self._any_of,
            "properties": self._properties,
            "required": self._required,
            "additionalProperties": self._additional,
            "prefixItems": self._prefix_items,
            "items": self._items,
            "pairs": self._pairs,
            "distinct": self._distinct,
            "class": self._class,
            "instance": self._instance,
        }
        unknown = Draft202012Validator.VALIDATORS.keys() - keywords.keys() - DEMANDS.keys()
        checks = extend(
            Draft202012Validator,
            # A keyword that has no rule here would see wire values that it cannot judge.
            validators={**dict.fromkeys(unknown, _nothing), **DEMANDS, **keywords},
        )
        self._validator = checks(description.root)

    def issues(self, value: object) -> Iterator[Issue]:
        """Find the issues of a value in the order in which the type names the places."""
        for fault in self._validator.iter_errors(value):
            assert isinstance(fault, IssueFault)
            path = (*fault.absolute_path, *fault.issue.path)
            yield structs.replace(fault.issue, path=path)

    def _ref(self, validator: Any, _ref: Any, value: Any, schema: Schema) -> Found:
        return self._below(validator, value, self._lowering.resolve(schema))

    def _any_of(self, validator: Any, branches: Any, value: Any, schema: Schema) -> Found:
        fitting = self._lowering.branches(schema, value)
        if not fitting:
            yield self._no_branch(branches, value, schema)
            return
        first: list[Fault] = []
        for branch in fitting:
            faults = list(self._below(validator, value, branch))
            if not faults:
                return
            first = first or faults
        yield from first

    def _no_branch(self, branches: list[Schema], value: Any, schema: Schema) -> Fault:
        tags = schema.get("tags")
        if tags is None or self._lowering.tag(tags["member"], value) is UNSET:
            return fault_at("type", expected=expected_types(map(self._lowering.resolve, branches)))
        member, known = tags["member"], list(tags["branches"])
        if member == 0 and not value:
            return fault_at("min_items", limit=1)
        if member != 0 and member not in value:
            return fault_at("required", member)
        if type(value[member]) is not type(known[0]):
            expected = "string" if isinstance(known[0], str) else "integer"
            return fault_at("type", member, expected=expected)
        return fault_at("choice", member, choices=known)

    def _properties(self, validator: Any, members: Any, value: Any, schema: Schema) -> Found:
        if not is_looked_into(schema, value):
            return
        value = members_of(value)
        for name, member in members.items():
            if not _is_missing(value, name, member):
                yield from self._below(validator, value[name], member, name)

    def _required(self, _validator: Any, names: Any, value: Any, schema: Schema) -> Found:
        if is_looked_into(schema, value):
            value = members_of(value)
            for name in names:
                if _is_missing(value, name, schema["properties"][name]):
                    yield fault_at("required", name)

    def _additional(self, _validator: Any, rest: Any, value: Any, schema: Schema) -> Found:
        # The members of a dict are looked at under `pairs`.
        if rest is False and is_looked_into(schema, value):
            for name, each in members_of(value).items():
                if name not in schema["properties"] and each is not UNSET:
                    yield fault_at("unknown_member", name)

    def _prefix_items(self, validator: Any, items: Any, value: Any, schema: Schema) -> Found:
        if is_looked_into(schema, value):
            for i, (item, each) in enumerate(zip(items, value, strict=False)):
                yield from self._below(validator, each, item, i)

    def _items(self, validator: Any, item: Any, value: Any, schema: Schema) -> Found:
        if item and is_looked_into(schema, value):
            for i, each in enumerate(value):
                yield from self._below(validator, each, item, i)

    def _pairs(self, validator: Any, demand: Any, value: Any, schema: Schema) -> Found:
        if not is_looked_into(schema, value):
            return
        key, each = demand
        if not isinstance(value, dict):
            if isinstance(value, list):
                yield from map(IssueFault, pair_issues(value))
            for i, (k, v) in placed_pairs(value):
                yield from self._below(validator, k, key, i, 0)
                yield from self._below(validator, v, each, i, 1)
            return
        for name, v in value.items():
            if not _is_missing(value, name, each):
                if "propertyNames" in schema:
                    yield from self._below(validator, name, key, name)
                yield from self._below(validator, v, each, name)

    def _distinct(self, _validator: Any, _type: Any, value: Any, schema: Schema) -> Found:
        if not is_looked_into(schema, value):
            return
        item, members = self._members(value, schema)
        lowered = []
        for member, path in members:
            try:
                lowered.append((self._lowering.lower(item, member), path))
            except Refused:  # it has issues of its own
                continue
        for issue in collisions(schema, lowered):
            yield IssueFault(issue)

    @staticmethod
    def _members(value: Any, schema: Schema) -> tuple[Schema, list[tuple[object, Path]]]:
        """Return the schema of the items or keys, and each of them with its place."""
        if "items" in schema:
            return schema["items"], [(each, (i,)) for i, each in enumerate(value)]
        key, each = schema["pairs"]
        if isinstance(value, dict):
            names = [name for name in value if not _is_missing(value, name, each)]
            return key, [(name, (name,)) for name in names]
        return key, [(k, (i, 0)) for i, (k, _) in placed_pairs(value)]

    def _class(self, validator: Any, cls: Any, value: Any, schema: Schema) -> Found:
        if cls in (WireSet, WireMap) and not isinstance(value, cls):
            yield from self._distinct(validator, None, value, schema)

    @staticmethod
    def _instance(_validator: Any, cls: Any, value: Any, schema: Schema) -> Found:
        if isinstance(value, cls):
            return
        if "custom" not in schema:
            yield fault_at("invalid")
            return
        try:
            schema["custom"].convert(cls, value)
        except ValidationError as error:
            for issue in error.issues:
                yield IssueFault(issue)

    def _below(self, validator: Any, value: object, schema: Schema, *path: str | int) -> Found:
        for fault in validator.descend(value, schema):
            fault.path.extendleft(reversed(path))
            yield fault


def _is_missing(value: Mapping[str, object], name: str, member: Schema) -> bool:
    """Tell whether an object lacks a member; an undefined one is as good as none."""
    return name not in value or (value[name] is UNSET and not is_unchecked(member))
