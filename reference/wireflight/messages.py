"""The documents of an exchange as typed objects, and their members as values.

Nothing here knows of functions, of HTTP or of an encoding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from wireflight.errors import WireflightError

__all__ = [
    "CommandBody",
    "ErrorBody",
    "ErrorEnvelope",
    "Fail",
    "Ignore",
    "InvalidateAll",
    "InvalidateFunction",
    "InvalidateKey",
    "MalformedDocument",
    "QueryBody",
    "Redirect",
    "RedirectEnvelope",
    "Reset",
    "ResultEnvelope",
    "SetValue",
    "Update",
    "read_command_body",
    "read_query_body",
]

UNDEFINED: Final = msgspec.UNSET

Value = dict[str, Any]
"""A document as the codec writes it."""


class MalformedDocument(WireflightError):  # noqa: N818 - named after what it is
    """A body decodes but does not have the members that its call has. Holds nothing of it."""


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What an `error` envelope and a `fail` update say.

    Spec: ENV-1, ERR-1, ERR-4, ENV-11.

    Attributes:
        id: The name of the log entry of an unexpected failure.
        limit: The name of the limit that was passed.
        position: Where a text is at fault.
        supported: The versions that the server has.
        issues: What is wrong with an argument, as values.
        extra: Further members; those above win.
    """

    status: int
    code: str
    message: str
    id: str | None = None
    limit: str | None = None
    position: str | None = None
    supported: tuple[int, ...] | None = None
    issues: Sequence[Mapping[str, object]] | None = None
    extra: Mapping[str, object] | None = None

    def as_value(self) -> Value:
        """Return the members that are there."""
        value: Value = {"status": self.status, "code": self.code, "message": self.message}
        for name in ("id", "limit", "position", "supported", "issues"):
            member = getattr(self, name)
            if member is not None:
                value[name] = member
        if self.extra:
            value = {**self.extra, **value}
        return value


class SetValue(msgspec.Struct, frozen=True):
    """The value of one query instance.

    Spec: UPD-1, ORD-3.
    """

    key: str
    value: object
    at: str
    since: str | None = None
    """The stamp `from`, where it is another than `at`."""

    def as_value(self) -> Value:
        value: Value = {"op": "set", "key": self.key, "value": self.value, "at": self.at}
        if self.since is not None:
            value["from"] = self.since
        return value


class Fail(msgspec.Struct, frozen=True):
    """The refresh of one query instance failed; the mutation did not.

    Spec: UPD-1, UPD-7.
    """

    key: str
    error: ErrorBody

    def as_value(self) -> Value:
        return {"op": "fail", "key": self.key, "error": self.error.as_value()}


class Redirect(msgspec.Struct, frozen=True):
    """The refresh of one query instance redirected.

    Spec: UPD-1, UPD-8.
    """

    key: str
    location: str

    def as_value(self) -> Value:
        return {"op": "redirect", "key": self.key, "location": self.location}


class Ignore(msgspec.Struct, frozen=True):
    """The client asked for this key and no handler accepted it.

    Spec: UPD-1, REQ-3.
    """

    key: str

    def as_value(self) -> Value:
        return {"op": "ignore", "key": self.key}


class InvalidateKey(msgspec.Struct, frozen=True):
    """One query instance is stale.

    Spec: UPD-1.
    """

    key: str

    def as_value(self) -> Value:
        return {"op": "invalidate", "key": self.key}


class InvalidateFunction(msgspec.Struct, frozen=True):
    """Every instance of one query is stale.

    Spec: UPD-1.
    """

    id: str

    def as_value(self) -> Value:
        return {"op": "invalidate", "id": self.id}


class InvalidateAll(msgspec.Struct, frozen=True):
    """Everything is stale.

    Spec: UPD-1.
    """

    def as_value(self) -> Value:
        return {"op": "invalidate", "all": True}


class Reset(msgspec.Struct, frozen=True):
    """Every value is dropped.

    Spec: UPD-1.
    """

    def as_value(self) -> Value:
        return {"op": "reset"}


Update = (
    SetValue | Fail | Redirect | Ignore | InvalidateKey | InvalidateFunction | InvalidateAll | Reset
)


def _with_updates(value: Value, updates: Sequence[Update]) -> Value:
    if updates:
        value["updates"] = [update.as_value() for update in updates]
    return value


class ResultEnvelope(msgspec.Struct, frozen=True):
    """A call succeeded.

    Spec: ENV-1, ENV-3.
    """

    value: object
    at: str
    updates: Sequence[Update] = ()

    def as_value(self) -> Value:
        # A missing value is undefined (ENV-1).
        if self.value is UNDEFINED:
            return _with_updates({"type": "result", "at": self.at}, self.updates)
        return _with_updates({"type": "result", "value": self.value, "at": self.at}, self.updates)


class RedirectEnvelope(msgspec.Struct, frozen=True):
    """A query sends the client elsewhere.

    Spec: ENV-1, ENV-4.
    """

    location: str
    updates: Sequence[Update] = ()

    def as_value(self) -> Value:
        return _with_updates({"type": "redirect", "location": self.location}, self.updates)


class ErrorEnvelope(msgspec.Struct, frozen=True):
    """A call failed or was refused.

    Spec: ENV-1, ERR-2.
    """

    error: ErrorBody
    updates: Sequence[Update] = ()

    def as_value(self) -> Value:
        return _with_updates({"type": "error", "error": self.error.as_value()}, self.updates)


class QueryBody(msgspec.Struct, frozen=True):
    """The body of a query by POST: one of the two, or neither.

    Spec: HTTP-6.
    """

    payload: str | None = None
    argument: object = UNDEFINED
    has_argument: bool = False


class CommandBody(msgspec.Struct, frozen=True):
    """The body of a command; requested keys are different and in the client's order.

    Spec: HTTP-6, REQ-1.
    """

    argument: object = UNDEFINED
    refreshes: tuple[str, ...] = ()


def read_query_body(value: object, *, takes_argument: bool) -> QueryBody:
    """Read the body of a query.

    Args:
        value: The decoded body.
        takes_argument: Whether `arg` may stand in it, as in plain JSON.

    Raises:
        MalformedDocument: When the members are not those of a query.

    Spec: HTTP-6, HTTP-7.
    """
    members = _members(value)
    payload = members.get("payload", UNDEFINED)
    # An undefined member is one that is not there, as everywhere in a document.
    argument = members.get("arg", UNDEFINED)
    has_argument = argument is not UNDEFINED
    if has_argument and not takes_argument:
        raise MalformedDocument("in this encoding the argument of a query is its payload")
    if payload is UNDEFINED:
        return QueryBody(argument=argument, has_argument=has_argument)
    if has_argument:
        raise MalformedDocument("a query has a payload or an argument, not both")
    if not isinstance(payload, str):
        raise MalformedDocument("the payload is not a string")
    return QueryBody(payload=payload)


def read_command_body(value: object) -> CommandBody:
    """Read the body of a command.

    Raises:
        MalformedDocument: When the members are not those of a command.

    Spec: HTTP-6, HTTP-7, REQ-1.
    """
    members = _members(value)
    if members.get("payload", UNDEFINED) is not UNDEFINED:
        raise MalformedDocument("the argument of a command is its arg")
    refreshes = members.get("refreshes", UNDEFINED)
    if refreshes is UNDEFINED:
        return CommandBody(members.get("arg", UNDEFINED))
    if not isinstance(refreshes, list) or not all(isinstance(key, str) for key in refreshes):
        raise MalformedDocument("refreshes is not an array of strings")
    return CommandBody(members.get("arg", UNDEFINED), tuple(dict.fromkeys(refreshes)))


def _members(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MalformedDocument("the body is not an object")
    return value
