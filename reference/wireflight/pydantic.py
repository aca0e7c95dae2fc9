"""Arguments that are pydantic models, for the extra `wireflight[pydantic]`.

Signatures that name a model load this themselves; the codec reads models in results. A
model validates by its own rules: what its configuration coerces or merges is coerced or
merged. What it refuses becomes the same issues as any other type's.
"""

from __future__ import annotations

import re
from ast import literal_eval
from typing import TYPE_CHECKING, Any, Final

import pydantic
from msgspec import UNSET
from pydantic.dataclasses import is_pydantic_dataclass

from wireflight.issues import MAX_ISSUES, Issue, ValidationError, make_issue
from wireflight.issues.lower import collisions
from wireflight.types import BigInt, WireMap, WireSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic_core import ErrorDetails

    from wireflight.issues.issue import Code, Param, Path

__all__ = ["PydanticAdapter"]

_EXPECTED: Final[Mapping[str, str]] = {
    "none": "null",
    "bool": "boolean",
    "int": "integer",
    "float": "number",
    "string": "string",
    "bytes": "bytes",
    "list": "array",
    "tuple": "array",
    "set": "set",
    "frozen_set": "set",
    "dict": "object",
    "mapping": "object",
    "model": "object",
    "model_attributes": "object",
    "dataclass": "object",
    "dataclass_exact": "object",
    "named_tuple": "array",
}
"""The word of ISS-1 for what stands before `_type` in a code of pydantic's."""

_FORMATS: Final[Mapping[str, str]] = {
    "date": "date",
    "datetime": "date-time",
    "timezone": "date-time",
    "time": "time",
    "time_delta": "duration",
    "uuid": "uuid",
    "decimal": "decimal",
    "url": "uri",
}
"""The format for what starts a code of pydantic's that refuses a text."""

_DEMANDS: Final[Mapping[str, tuple[Code, str, str]]] = {
    "greater_than_equal": ("minimum", "limit", "ge"),
    "less_than_equal": ("maximum", "limit", "le"),
    "greater_than": ("exclusive_minimum", "limit", "gt"),
    "less_than": ("exclusive_maximum", "limit", "lt"),
    "multiple_of": ("multiple_of", "factor", "multiple_of"),
    "string_too_short": ("min_length", "limit", "min_length"),
    "string_too_long": ("max_length", "limit", "max_length"),
    "bytes_too_short": ("min_length", "limit", "min_length"),
    "bytes_too_long": ("max_length", "limit", "max_length"),
    "string_pattern_mismatch": ("pattern", "pattern", "pattern"),
    "too_short": ("min_items", "limit", "min_length"),
    "too_long": ("max_items", "limit", "max_length"),
}
"""Our code and param for pydantic's code, and the name of the param in its context."""

_PARSED: Final[Mapping[str, str]] = {
    "int_parsing": "integer",
    "int_from_float": "integer",
    "int_parsing_size": "integer",
    "finite_number": "number",
    "float_parsing": "number",
    "bool_parsing": "boolean",
    "string_sub_type": "string",
    "string_unicode": "string",
    "needs_python_object": "object",
}

_CHOICES: Final = frozenset({"enum", "literal_error", "union_tag_invalid"})
_CHOICE: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|-?[0-9]+|None|True|False""")
_QUOTED: Final = re.compile("'([^']+)'")
_CHOICE_LIST: Final = re.compile(rf"(?:{_CHOICE.pattern})(?:(?:, | or )(?:{_CHOICE.pattern}))*")


class PydanticAdapter:
    """Converts values to pydantic's models and dataclasses.

    Signatures of functions have it; give it to a `Converter(adapters=…)` of your own.
    """

    def __init__(self) -> None:
        self._known: dict[type, pydantic.TypeAdapter[object]] = {}

    def _of(self, type_: type) -> pydantic.TypeAdapter[object]:
        """Return what validates a class; it costs too much to be made for each value."""
        if type_ not in self._known:
            self._known[type_] = pydantic.TypeAdapter(type_)
        return self._known[type_]

    def adapts(self, type_: type) -> bool:
        """Tell whether the class is a model or a dataclass of pydantic's."""
        return is_pydantic_dataclass(type_) or (
            isinstance(type_, type) and issubclass(type_, pydantic.BaseModel)
        )

    def convert(self, type_: type, value: object) -> object:
        """Validate a wire value as a model.

        Raises:
            ValidationError: When the model refuses it.
        """
        plain = _plain(value, ())
        try:
            return self._of(type_).validate_python(plain)
        except pydantic.ValidationError as error:
            details = error.errors(include_url=False, include_input=False)
        # Each branch of a union may have an error of its own for what is one issue.
        issues = (_issue(detail, plain) for detail in details[: 10 * MAX_ISSUES])
        raise ValidationError(_joined(issues))

    def schema(self, type_: type, name: str) -> dict[str, object]:
        """Return the model's JSON Schema; its definitions are named after `name`."""
        template = f"#/$defs/{name}.{{model}}"
        schema = self._of(type_).json_schema(ref_template=template)
        definitions = schema.pop("$defs", None)
        if definitions:
            schema["$defs"] = {f"{name}.{key}": value for key, value in definitions.items()}
        return schema


def _plain(value: object, path: Path) -> object:
    """Return a value without the types that only the wire has.

    Raises:
        ValidationError: When keys of a map are one key in Python, or cannot be keys.
    """
    if isinstance(value, BigInt):
        return int(value)
    if isinstance(value, list | WireSet):
        return [_plain(each, (*path, i)) for i, each in enumerate(value)]
    if isinstance(value, dict):
        return {k: _plain(v, (*path, k)) for k, v in value.items() if v is not UNSET}
    if not isinstance(value, WireMap):
        return value
    names = [(_plain(k, (*path, i, 0)), (*path, i, 0)) for i, k in enumerate(value)]
    issues = list(collisions({"distinct": Any}, names))
    if issues:
        raise ValidationError(issues)
    values = (_plain(each, (*path, i, 1)) for i, each in enumerate(value.values()))
    return dict(zip((name for name, _ in names), values, strict=True))


def _issue(detail: ErrorDetails, value: object) -> Issue:
    code = detail["type"]
    context: Mapping[str, Any] = detail.get("ctx", {})
    missing = code in ("missing", "missing_argument", "missing_keyword_only_argument")
    path = _path(detail["loc"], value, ends_with_name=missing)
    if missing:
        return make_issue(path, "required")
    if code in ("union_tag_not_found", "union_tag_invalid"):
        member = _QUOTED.fullmatch(context["discriminator"])
        path += (member[1],) if member else ()  # otherwise a function finds the tag
    if code == "union_tag_not_found":
        return make_issue(path, "required")
    if code == "extra_forbidden" or code.startswith("unexpected_"):
        return make_issue(path, "unknown_member")
    if code in _CHOICES:
        listed = context.get("expected", context.get("expected_tags", ""))
        if _CHOICE_LIST.fullmatch(listed):
            choices = [literal_eval(text) for text in _CHOICE.findall(listed)]
            return make_issue(path, "choice", choices=choices)
        return make_issue(path, "invalid")
    if code in _DEMANDS:
        return _demand(path, code, context)
    if code in _PARSED:
        return make_issue(path, "type", expected=_PARSED[code])
    kind = code.removesuffix("_type")
    if kind in _EXPECTED:
        return make_issue(path, "type", expected=_EXPECTED[kind])
    for prefix in sorted(_FORMATS, key=len, reverse=True):
        if code.startswith(f"{prefix}_"):
            if code.endswith("_type"):
                return make_issue(path, "type", expected="string")
            return make_issue(path, "format", format=_FORMATS[prefix])
    return make_issue(path, "invalid")


def _demand(path: Path, code: str, context: Mapping[str, Any]) -> Issue:
    ours, name, theirs = _DEMANDS[code]
    demand = context.get(theirs)
    if not isinstance(demand, int | float | str):
        demand = str(demand)  # a limit may be a Decimal or a date
    params: dict[str, Param] = {name: demand}
    return make_issue(path, ours, **params)


def _path(location: Iterable[str | int], value: object, *, ends_with_name: bool) -> Path:
    """Return the steps of a location that are places in the value.

    Pydantic puts labels of union branches and validators between them.
    """
    path: list[str | int] = []
    steps = list(location)
    for i, step in enumerate(steps):
        part = _part(value, step)
        if part is not UNSET:
            value = part
        elif not (ends_with_name and i == len(steps) - 1):
            continue
        path.append(step)
    return tuple(path)


def _part(value: object, step: str | int) -> object:
    """Return a member or an item of a value, or UNSET when it does not have it."""
    if isinstance(value, dict):
        return value.get(step, UNSET)
    if isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
        return value[step]
    return UNSET


def _joined(issues: Iterable[Issue]) -> list[Issue]:
    """Join the issues of one place that say that another type was expected there."""
    found: dict[object, Issue] = {}
    for issue in issues:
        if issue.code != "type":
            found[issue.path, issue.code, str(issue.params)] = issue
            continue
        words = _words(issue)
        if (issue.path, "type") in found:
            words = _words(found[issue.path, "type"]) | words
        found[issue.path, "type"] = make_issue(issue.path, "type", expected=" or ".join(words))
    return list(found.values())


def _words(issue: Issue) -> dict[str, None]:
    assert issue.params is not None
    return dict.fromkeys(str(issue.params["expected"]).split(" or "))
