"""What a command says about cached values, in the order in which it says it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from wireflight.issues import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wireflight.functions.call import QueryInstance  # noqa: TC004 - named, never decoded

__all__ = [
    "Instruction",
    "Invalidate",
    "InvalidateAll",
    "InvalidateFunction",
    "KeyInstruction",
    "Plan",
    "Refresh",
    "RefusalReason",
    "Reset",
    "SetValue",
    "Unaccepted",
    "Updates",
]


class RefusalReason(StrEnum):
    """Why a key that the client asked for is not refreshed, by the name on the wire."""

    INVALID_KEY = "invalid_key"
    UNKNOWN_FUNCTION = "unknown_function"
    NOT_REFRESHABLE = "not_refreshable"
    INVALID_PAYLOAD = "invalid_payload"
    NON_CANONICAL = "non_canonical"
    TOO_DEEP = "too_deep"
    TOO_LARGE = "too_large"
    REFRESH_LIMIT = "refresh_limit"
    INVALID_ARGUMENT = "invalid_argument"


class Refresh(msgspec.Struct, frozen=True):
    """Run the query again once the command is done."""

    key: str
    instance: QueryInstance[Any]


class SetValue(msgspec.Struct, frozen=True):
    """Take this value for the query's."""

    key: str
    value: object


class Invalidate(msgspec.Struct, frozen=True):
    """Mark one query instance as stale."""

    key: str


class Unaccepted(msgspec.Struct, frozen=True):
    """A key that the client asked for was offered to the handler and fell through."""

    key: str
    reason: RefusalReason
    validation: ValidationError | None = None
    with_details: bool = False


class InvalidateFunction(msgspec.Struct, frozen=True):
    """Mark every instance of one query as stale."""

    function_id: str


class InvalidateAll(msgspec.Struct, frozen=True):
    """Mark every value as stale."""


class Reset(msgspec.Struct, frozen=True):
    """Drop every value, as after log-in and log-out."""


KeyInstruction = Refresh | SetValue | Invalidate | Unaccepted
Instruction = KeyInstruction | InvalidateFunction | InvalidateAll | Reset


class Updates:
    """The instructions and cookies of one handler and of its children that succeeded.

    Attributes:
        instructions: What the handler said, in order.
        taken: The requested keys that its acceptances took.
        cookies: `Set-Cookie` values by name, of each name the last (SEC-9).
    """

    __slots__ = (
        *("_cookie_values", "_parent", "_takes_instructions", "cookies", "instructions"),
        *("is_closed", "taken"),
    )

    def __init__(self, parent: Updates | None = None, *, is_begun: bool = True) -> None:
        self._parent = parent
        self._takes_instructions = is_begun
        self.instructions: list[Instruction] = []
        self.taken: set[str] = set()
        self.cookies: dict[str, bytes] = {}
        self._cookie_values: dict[str, str | None] = {}
        self.is_closed = False

    def add(self, instruction: Instruction) -> None:
        """Take down an instruction.

        Raises:
            RuntimeError: When the handler has not begun or has ended.

        Spec: UPD-18.
        """
        if not self._takes_instructions:
            raise RuntimeError("the handler has ended or not begun: nothing would come of this")
        self.instructions.append(instruction)

    def set_cookie(self, name: str, field: bytes, *, value: str | None) -> None:
        """Take down a cookie; a value of None is one that is removed.

        Raises:
            RuntimeError: When the call has ended.
        """
        if self.is_closed:
            raise RuntimeError("the call has ended: its cookies are on their way already")
        self.cookies[name] = field
        self._cookie_values[name] = value

    def cookie_values(self) -> dict[str, str | None]:
        """Return what this handler and those that it is a child of set."""
        if self._parent is None:
            return self._cookie_values
        return {**self._parent.cookie_values(), **self._cookie_values}

    def has_taken(self, key: str) -> bool:
        """Tell whether this handler or one that it is a child of took the requested key."""
        return key in self.taken or (self._parent is not None and self._parent.has_taken(key))

    def absorb(self, child: Updates) -> None:
        """Take over what a child that succeeded said.

        Spec: FUN-6, SEC-9.
        """
        for instruction in child.instructions:
            self.add(instruction)
        self.taken |= child.taken
        self.cookies.update(child.cookies)
        self._cookie_values.update(child._cookie_values)

    def begin(self) -> None:
        """Take instructions from now on: the handler starts."""
        self._takes_instructions = True

    def end(self) -> None:
        """Take no more instructions: the handler has ended, and its commit follows."""
        self._takes_instructions = False

    def close(self) -> None:
        """End the call: from here on nothing is taken down."""
        self.is_closed = True
        self._takes_instructions = False


class Plan:
    """What instructions come to once the last for each key has won.

    Attributes:
        is_reset: Whether everything is dropped.
        invalidates_all: Whether everything is stale.
        function_ids: The functions all of whose instances are stale, in order.
        invalidated: The keys that are stale if the handler fails, whatever followed for them.
        by_key: The instruction of each key, in the order in which keys were first named.
    """

    __slots__ = ("by_key", "function_ids", "invalidated", "invalidates_all", "is_reset")

    def __init__(self) -> None:
        self.is_reset = False
        self.invalidates_all = False
        self.function_ids: dict[str, None] = {}
        self.invalidated: dict[str, None] = {}
        self.by_key: dict[str, KeyInstruction] = {}

    def follow(self, instructions: Iterable[Instruction]) -> None:
        """Let further instructions take effect after those before.

        Spec: UPD-1, UPD-4.
        """
        for instruction in instructions:
            if isinstance(instruction, Reset):
                self.is_reset = True
            elif isinstance(instruction, InvalidateAll):
                self.invalidates_all = True
            elif isinstance(instruction, InvalidateFunction):
                self.function_ids[instruction.function_id] = None
            elif isinstance(instruction, Unaccepted):
                # What a handler said of the key by name stands (REQ-3, step 4); what an acceptance
                # left over, a later one may still take.
                if isinstance(self.by_key.get(instruction.key), Unaccepted | None):
                    self.by_key[instruction.key] = instruction
            else:
                if isinstance(instruction, Invalidate):
                    self.invalidated[instruction.key] = None  # UPD-9
                self.by_key[instruction.key] = instruction  # UPD-4
