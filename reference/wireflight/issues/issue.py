"""What an issue is, how it reads, and the error that carries issues."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, cast, get_args

import msgspec

from wireflight.errors import WireflightError

__all__ = [
    "CODES",
    "MAX_ISSUES",
    "Code",
    "Issue",
    "Param",
    "Path",
    "Step",
    "ValidationError",
    "from_standard",
    "make_issue",
    "to_standard",
]

Code = Literal[
    "required",
    "unknown_member",
    "type",
    "minimum",
    "maximum",
    "exclusive_minimum",
    "exclusive_maximum",
    "multiple_of",
    "min_length",
    "max_length",
    "pattern",
    "format",
    "min_items",
    "max_items",
    "min_members",
    "max_members",
    "choice",
    "duplicate",
    "invalid",
    "custom",
    "truncated",
]
"""The codes of ISS-1."""

CODES: Final[frozenset[str]] = frozenset(get_args(Code))

MAX_ISSUES: Final = 100
"""How many issues are reported before one `truncated` ends the list (ISS-3)."""

Step = str | int
Path = tuple[Step, ...]
Param = str | int | float | bool | list[str | int | bool | None] | None

_MESSAGES: Final[Mapping[str, str]] = {
    "required": "is required",
    "unknown_member": "is not a member that is known here",
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "exclusive_minimum": "must be greater than {limit}",
    "exclusive_maximum": "must be less than {limit}",
    "multiple_of": "must be a multiple of {factor}",
    "min_length": "must have a length of at least {limit}",
    "max_length": "must have a length of at most {limit}",
    "pattern": "must match the pattern {pattern}",
    "format": "must have the format {format}",
    "min_items": "must have at least {limit} items",
    "max_items": "must have at most {limit} items",
    "min_members": "must have at least {limit} members",
    "max_members": "must have at most {limit} members",
    "duplicate": "repeats another one",
    "invalid": "is not valid",
    "truncated": "there were more than {limit} issues",
}


class Issue(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with one place of an argument.

    Spec: ISS-1, ISS-2.

    Attributes:
        path: Member names and indexes from the root; `()` is the whole argument.
        code: A word of ISS-1.
        message: A sentence without its subject, such as "must be at most 100".
        params: What the type demands, by the names of ISS-1.
    """

    path: Path
    code: Code
    message: str
    params: dict[str, Param] | None = None


class ValidationError(WireflightError):
    """An argument is not a value of the declared type.

    Spec: ISS-3.

    Attributes:
        issues: At least one issue, in the order in which the type names the places.
    """

    issues: tuple[Issue, ...]

    def __init__(self, issues: Iterable[Issue]) -> None:
        """Keep the first issues and tell when there were more.

        Raises:
            ValueError: When there is no issue.
        """
        kept: list[Issue] = []
        for issue in issues:
            if len(kept) == MAX_ISSUES:
                kept.append(make_issue((), "truncated", limit=MAX_ISSUES))  # ISS-3
                break
            kept.append(issue)
        if not kept:
            raise ValueError("a validation error needs at least one issue")
        super().__init__("; ".join(f"{_place(issue.path)} {issue.message}" for issue in kept[:3]))
        self.issues = tuple(kept)


def make_issue(path: Path, code: Code, **params: Param) -> Issue:
    """Build an issue whose message is made of its code and params alone.

    Spec: ISS-1, ISS-2.

    Args:
        path: Where the fault is.
        code: Any code of ISS-1 but `custom`, whose message is the application's.
        params: What the type demands; never a part of the argument.
    """
    return Issue(path, code, _message(code, params), params or None)


def _message(code: Code, params: Mapping[str, Param]) -> str:
    if code == "type":
        return f"must be {_with_article(str(params['expected']))}"
    if code == "choice":
        choices = params["choices"]
        assert isinstance(choices, list)
        return "must be one of " + ", ".join(_spelt(choice) for choice in choices)
    return _MESSAGES[code].format_map(params)


def _with_article(expected: str) -> str:
    bare = expected.startswith(("null", "bytes"))
    return expected if bare else f"{'an' if expected[0] in 'aeiou' else 'a'} {expected}"


def _spelt(choice: object) -> str:
    return msgspec.json.encode(choice).decode()


def _place(path: Path) -> str:
    return "$" + "".join(f"[{step!r}]" for step in path)


def to_standard(issue: Issue) -> dict[str, object]:
    """Return the issue as Standard Schema has it: `{message, path}`."""
    return {"message": issue.message, "path": list(issue.path)}


def from_standard(issue: Mapping[str, object]) -> Issue:
    """Read an issue of Standard Schema: the message is kept and the code is `custom`.

    A step of the path is a name, an index, or an object whose `key` is one.

    Raises:
        ValueError: When it is not `{message, path?}` with a path of names and indexes.
    """
    message = issue.get("message")
    path = issue.get("path")
    if path is None:
        path = []
    if isinstance(message, str) and isinstance(path, list | tuple):
        return Issue(tuple(_standard_step(step) for step in path), "custom", message)
    raise ValueError("a standard issue is {message, path?}, a string and a list")


def _standard_step(step: object) -> Step:
    if isinstance(step, Mapping):
        step = cast("object", step.get("key"))
    if isinstance(step, float) and step.is_integer():
        step = int(step)
    if isinstance(step, str) or (isinstance(step, int) and not isinstance(step, bool)):
        return step
    raise ValueError("a step of a standard path is a name, an index or {key}")
