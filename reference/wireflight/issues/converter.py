"""Conversion of decoded arguments to declared types."""

from __future__ import annotations

import re
from functools import partial
from itertools import islice
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Final,
    Generic,
    TypeVar,
    cast,
    get_args,
    get_origin,
)

import msgspec
from msgspec import UNSET

from wireflight.issues.describe import Adapter, Schema, describe
from wireflight.issues.explain import Explainer
from wireflight.issues.issue import MAX_ISSUES, Issue, Path, Step, ValidationError, make_issue
from wireflight.issues.lower import BUILTIN, Lowering, Refused, is_unchecked
from wireflight.issues.publish import publish

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Converter"]

T = TypeVar("T")

_WITHOUT_EFFECT: Final = frozenset(("pydantic", "annotated_types"))
_AT: Final = re.compile(r" - at `(?:key` in `)?\$([^`]*)`$")
_INDEX: Final = re.compile(r"\[([0-9]{1,9})\]")
_MEMBER_END: Final = re.compile(r"$|[.\[]")
_EXPECTED: Final = re.compile(r"Expected `([a-z |]+)`, got ")
_WORDS: Final = {
    "null": "null",
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "str": "string",
    "bytes": "bytes",
    "datetime": "date",
    "date": "string",
    "time": "string",
    "duration": "string",
    "uuid": "string",
    "decimal": "string",
    "array": "array",
    "object": "object",
}
"""The words of ISS-1 for those in which msgspec says what it expected."""


class Converter(Generic[T]):
    """Converts decoded values, of the wire or of plain JSON, to one type.

    Beside the wire's own values it takes the forms that plain JSON has for them: a date
    as an RFC 3339 text with an offset, bytes as base64, a bigint (declared `BigInt`) as
    its digits, a set as an array, a map as an array of pairs. An `int` takes a bigint and
    an integral number, never a text. A member that is undefined counts as missing.

    Spec: ISS-1, ISS-2, ISS-3, ISS-5.
    """

    def __init__(self, type_: type[T] | object = Any, *, adapters: Sequence[Adapter] = ()) -> None:
        """Prepare for a type; do it once, not for each value.

        Args:
            type_: Any annotation; `Any` makes a converter that returns values as they are.
            adapters: What converts to classes of other libraries; the first that adapts a
                class does.

        Raises:
            TypeError: When no argument can be converted to the type, or it has constraints
                that would not be checked.
        """
        _refuse_unchecked_constraints(type_)
        self._description = describe(type_, adapters)
        self._lowering = Lowering(self._description)
        self._explainer = Explainer(self._description, self._lowering)
        self._direct = self._description.direct
        # To name them costs as much as the conversion of a small object.
        own = {"builtin_types": BUILTIN} if self._description.has_texts else {}
        self._msgspec: Callable[[object], T] = partial(msgspec.convert, type=type_, **own)
        self._unchecked = is_unchecked(self._description.root)

    def convert(self, value: object, *, explain: bool = True) -> T:
        """Convert a value.

        Args:
            value: What a decoder returned; it is not changed.
            explain: Whether to look for every issue. Without it the error has one, which
                costs no more than the conversion.

        Returns:
            The converted value; parts of it may be those of the value itself.

        Raises:
            ValidationError: When the value is not of the type.
        """
        if self._direct == "always" or (self._direct == "dict" and type(value) is dict):
            try:
                return self._msgspec(value)
            except (msgspec.ValidationError, TypeError):
                # It may still be a value in another form; a map with keys that cannot be
                # hashed is a TypeError here and an issue below.
                pass
        if value is UNSET:
            if self._unchecked or self._description.takes_undefined:
                return cast("T", value)
            raise ValidationError([make_issue((), "required")])
        refused: tuple[Issue, ...]
        try:
            lowered = self._lowering.lower(self._description.root, value)
        except Refused as refusal:
            refused = refusal.issues
        else:
            try:
                return self._msgspec(lowered)
            except msgspec.ValidationError as error:
                refused = (self._own_issue(error),)
        if explain:
            found = tuple(islice(self._explainer.issues(value), MAX_ISSUES + 1))
            refused = found or refused
        raise ValidationError(refused)

    def schema(self) -> dict[str, object]:
        """Return the type's JSON Schema (2020-12) of the values in plain JSON.

        A type that plain JSON lacks is named beside its form there, as `x-wireflight`.

        Spec: MAN-3.
        """
        return publish(self._description)

    def _own_issue(self, error: msgspec.ValidationError) -> Issue:
        """Make an issue of what the converter alone refuses, without a word of its text.

        The text may quote the value, and so may the path in it, where the application's
        own code (`__post_init__`) has written the text: steps are taken only so far as
        the type knows them.
        """
        text = str(error)
        at = _AT.search(text)
        path = self._known_path(at[1]) if at else ()
        expected = _EXPECTED.match(text)
        if error.__cause__ is None and expected:
            words = expected[1].split(" | ")
            if all(word in _WORDS for word in words):
                kinds = dict.fromkeys(_WORDS[word] for word in words)
                return make_issue(path, "type", expected=" or ".join(kinds))
        return make_issue(path, "invalid")

    def _known_path(self, text: str) -> Path:
        schemas = [self._description.root]
        path: list[Step] = []
        while text:
            schemas = self._unfolded(schemas)
            index = _INDEX.match(text)
            if index:
                step: Step = int(index[1])
                text = text[index.end() :]
                schemas = [item for schema in schemas for item in _items(schema, int(index[1]))]
            else:
                found = [
                    (name, member)
                    for schema in schemas
                    for name, member in schema.get("properties", {}).items()
                    if _MEMBER_END.match(text.removeprefix(f".{name}"))
                    and text.startswith(f".{name}")
                ]
                if not found:
                    break  # a dict's member, which msgspec does not name, or foreign text
                name = max((name for name, _ in found), key=len)
                schemas = [member for known, member in found if known == name]
                text = text[len(name) + 1 :]
                step = name
            if not schemas:
                break
            path.append(step)
        return tuple(path)

    def _unfolded(self, schemas: Sequence[Schema]) -> list[Schema]:
        """Return the schemas with their references resolved and their unions taken apart."""
        unfolded: list[Schema] = []
        for schema in map(self._lowering.resolve, schemas):
            unfolded += self._unfolded(schema["anyOf"]) if "anyOf" in schema else [schema]
        return unfolded


def _items(schema: Schema, index: int) -> list[Schema]:
    if "items" in schema:
        return [schema["items"]]
    return cast("list[Schema]", schema.get("prefixItems", []))[index : index + 1]


def _refuse_unchecked_constraints(type_: object) -> None:
    """Refuse constraints of other libraries beside a type that msgspec converts.

    Raises:
        TypeError: When there is one: it would look like a check, and check nothing.
    """
    parts = get_args(type_)
    if get_origin(type_) is Annotated:
        for constraint in parts[1:]:
            if type(constraint).__module__.partition(".")[0] in _WITHOUT_EFFECT:
                raise TypeError(
                    f"{type(constraint).__qualname__} has no effect in an annotation here:"
                    " write msgspec.Meta, or declare a pydantic model"
                )
        parts = parts[:1]
    for part in parts:
        _refuse_unchecked_constraints(part)
