"""What the model says that an answer has to be."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TypeAlias

from wireflight_conformance.wire.values import UNDEFINED, Value

__all__ = ["EndedError", "Expected", "Handled", "Outcome", "Special"]


class Special(enum.Enum):
    """What a handler may return that no payload can hold."""

    UNENCODABLE = "unencodable"


Handled: TypeAlias = Value | Special


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an update for a key has to be, and the clause that says so."""

    op: str
    clause: str
    value: Value = UNDEFINED
    code: str = ""
    location: str = ""


@dataclass(slots=True)
class Expected:
    """The envelope that a call has to be answered with."""

    type: str
    clause: str
    value: Value = UNDEFINED
    status: int = 200
    code: str | None = ""
    """None where any code will do."""
    location: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    optional: set[str] = field(default_factory=set)
    """Keys for which an `invalidate` may or may not be there."""
    functions: set[str] = field(default_factory=set)
    is_all: bool = False
    is_reset: bool = False
    marks_are_optional: bool = False
    discarded: set[str] = field(default_factory=set)
    """Keys that only a failed child named. Spec: FUN-6."""


class EndedError(Exception):
    """A handler's failure: an application error, a crash, a redirect, or a refusal."""

    def __init__(
        self, kind: str, clause: str, *, status: int = 0, code: str | None = "", text: str = ""
    ) -> None:
        super().__init__(kind)
        self.kind = kind
        self.clause = clause
        self.status = status
        self.code = code
        self.text = text
