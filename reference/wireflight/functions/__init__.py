"""Functions, their validation, and what they say about cached values.

Nothing here knows how a message is spelt: several HTTP bindings can stand on it.
"""

from wireflight.functions.call import Command, CommandCall, Function, Query, QueryInstance
from wireflight.functions.context import (
    Caller,
    Frame,
    RequestState,
    current_frame,
    get_request_event,
    running_frame,
)
from wireflight.functions.event import RequestEvent
from wireflight.functions.group import Functions
from wireflight.functions.outcomes import (
    ApplicationError,
    CookieInQuery,
    RedirectRaised,
    error,
    redirect,
)
from wireflight.functions.registry import FunctionEntry, Registry
from wireflight.functions.requested import (
    Requested,
    RequestedInstance,
    RequestedKey,
    requested,
)
from wireflight.functions.scopes import invalidate, invalidate_all, reset
from wireflight.functions.updates import Updates

__all__ = [
    "ApplicationError",
    "Caller",
    "Command",
    "CommandCall",
    "CookieInQuery",
    "Frame",
    "Function",
    "FunctionEntry",
    "Functions",
    "Query",
    "QueryInstance",
    "RedirectRaised",
    "Registry",
    "RequestEvent",
    "RequestState",
    "Requested",
    "RequestedInstance",
    "RequestedKey",
    "Updates",
    "current_frame",
    "error",
    "get_request_event",
    "invalidate",
    "invalidate_all",
    "redirect",
    "requested",
    "reset",
    "running_frame",
]
