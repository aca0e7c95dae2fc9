"""Query instances of the fixture, and how a requested key is judged."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wireflight_conformance.wire.codec import CodecError, decode, payload
from wireflight_conformance.wire.codec import key as key_of
from wireflight_conformance.wire.values import UNDEFINED, BigInt, Value

__all__ = ["Instance", "Refusal", "Step", "instance_of", "is_valid", "judge_key", "steps_of"]

QUERIES: Final = frozenset(
    {
        "fx/act",
        "fx/calls",
        "fx/cell",
        "fx/echo",
        "fx/money",
        "fx/none",
        "fx/pair",
        "fx/seen",
        "fx/typed",
        "fx/whoami",
    }
)
_KEY: Final = re.compile(r"((?:[A-Za-z_][A-Za-z0-9_]*/)+)([A-Za-z0-9_-]*)", re.ASCII)
Step = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Instance:
    """A query instance."""

    function: str
    argument: Value = UNDEFINED

    @property
    def key(self) -> str:
        """Return its key."""
        return key_of(self.function, self.argument)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a requested key has no query to be run."""

    code: str


def judge_key(text: str, *, depth: int) -> Instance | Refusal:
    """Judge a requested key by steps 1 to 3. Spec: REQ-3, KEY-5, KEY-8."""
    match = _KEY.fullmatch(text)
    if match is None or len(match[1]) > 256:
        return Refusal("invalid_key")
    function = match[1][:-1]
    if function == "fx/run":
        return Refusal("not_refreshable")
    if function not in QUERIES:
        return Refusal("unknown_function")
    return _judge_payload(function, match[2], depth)


def _judge_payload(function: str, text: str, depth: int) -> Instance | Refusal:
    if not text:
        return Instance(function)
    if len(text) % 4 == 1:
        return Refusal("invalid_payload")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        return Refusal("invalid_payload")
    try:
        value = decode(data)
    except CodecError:
        return Refusal("invalid_payload")
    if _depth(value) > depth:
        return Refusal("too_deep")
    try:
        spelt = payload(value)
    except CodecError:
        return Refusal("non_canonical")
    return Instance(function, value) if spelt == text else Refusal("non_canonical")


def _depth(value: Value) -> int:
    level, deepest = [value], 0
    while level := [part for item in level for part in _parts(item)]:
        deepest += 1
    return deepest


def _parts(value: Value) -> Iterable[Value]:
    """Return what is one level deeper; an empty container counts a level too (PAY-6, step 14)."""
    if isinstance(value, Mapping):
        return list(value.values()) or [None]
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return list(value) or [None]
    return []


def is_valid(instance: Instance) -> bool:
    """Whether the type of the fixture's function takes the argument."""
    argument = instance.argument
    if instance.function == "fx/echo":
        return True
    if instance.function in ("fx/none", "fx/whoami", "fx/seen"):
        return argument is UNDEFINED
    if not isinstance(argument, Mapping):
        return False
    if instance.function == "fx/pair":
        integers = [_is_integer(value) for value in argument.values()]
        return "a" in argument and set(argument) <= {"a", "b"} and all(integers)
    wanted: dict[str, type | tuple[type, ...]] = {"run": str}
    if instance.function == "fx/cell":
        wanted["cell"] = str
    elif instance.function == "fx/act":
        wanted["steps"] = list
    return set(argument) == set(wanted) and all(
        isinstance(argument[name], kind) for name, kind in wanted.items()
    )


def _is_integer(value: Value) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or isinstance(value, BigInt)


def steps_of(value: Value) -> list[Step]:
    """Return a script's steps."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise TypeError("steps are an array")
    return [step for step in value if isinstance(step, Mapping)]


def instance_of(step: Step) -> Instance:
    """Return the query instance that a step names."""
    return Instance(str(step["query"]), step.get("arg", UNDEFINED))
