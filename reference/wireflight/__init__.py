"""Wireflight: a wire protocol for remote functions with single-flight mutations."""

from wireflight.app import Wireflight
from wireflight.codec import (
    canonical,
    decode_payload,
    dumps,
    loads,
    payload,
    plain_dumps,
    plain_loads,
)
from wireflight.errors import DecodeError, DecodeErrorCode, EncodeError, WireflightError
from wireflight.functions import (
    ApplicationError,
    Command,
    Functions,
    Query,
    QueryInstance,
    RedirectRaised,
    RequestEvent,
    error,
    get_request_event,
    invalidate,
    invalidate_all,
    redirect,
    requested,
    reset,
)
from wireflight.issues import Issue, ValidationError
from wireflight.keys import Key, KeyFormatError, is_function_id, make_key, parse_key
from wireflight.limits import Limits
from wireflight.runtime.hooks import ErrorText
from wireflight.types import BigInt, Extension, Extensions, WireMap, WireSet

__all__ = [
    "ApplicationError",
    "BigInt",
    "Command",
    "DecodeError",
    "DecodeErrorCode",
    "EncodeError",
    "ErrorText",
    "Extension",
    "Extensions",
    "Functions",
    "Issue",
    "Key",
    "KeyFormatError",
    "Limits",
    "Query",
    "QueryInstance",
    "RedirectRaised",
    "RequestEvent",
    "ValidationError",
    "WireMap",
    "WireSet",
    "Wireflight",
    "WireflightError",
    "canonical",
    "decode_payload",
    "dumps",
    "error",
    "get_request_event",
    "invalidate",
    "invalidate_all",
    "is_function_id",
    "loads",
    "make_key",
    "parse_key",
    "payload",
    "plain_dumps",
    "plain_loads",
    "redirect",
    "requested",
    "reset",
]
