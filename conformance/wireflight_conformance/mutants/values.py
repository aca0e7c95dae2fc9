"""Faults in values and payload texts (sections 3 and 4), as a server shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from wireflight.exchange.head import RequestHead

_ACCEPTED: Final = "wireflight.exchange.head.RequestHead.accepted_names"
_LOADS: Final = "wireflight.exchange.body.loads"
_PLAIN: Final = "wireflight.exchange.body.plain_loads"


# -- extensions ----------------------------------------------------------------------------------


@change("VAL-8", "sends extensions to clients that do not name them", _ACCEPTED)
def unasked(_: Original, _head: RequestHead) -> object:
    return frozenset(("fx.Money",))


@change("VAL-8", "projects extensions for every client", _ACCEPTED)
def projected(_: Original, _head: RequestHead) -> object:
    return frozenset()


@change("VAL-8", "looks for an extension's name anywhere in Wireflight-Accept", _ACCEPTED)
def anywhere(_: Original, head: RequestHead) -> object:
    listed = head.fields.get(b"wireflight-accept", b"")
    return frozenset(("fx.Money",) if b"fx.Money" in listed else ())


@change("VAL-8", "compares extension names without regard to case", _ACCEPTED)
def names_in_any_case(accepted: Original, head: RequestHead) -> object:
    lowered = {name.lower() for name in accepted(head)}
    return frozenset(("fx.Money",) if "fx.money" in lowered else ())


@change("PAY-7", "drops the tag of an extension that it does not know", _LOADS)
def unknown_tags(load: Original, data: bytes, **rest: object) -> object:
    return load(re.sub(rb'\["(Money|URL|Object)",', b'["Set",', data), **rest)


@change("PAY-7", "finds extension names without regard to case", _LOADS)
def tags_in_any_case(load: Original, data: bytes, **rest: object) -> object:
    return load(data.replace(b'["fx.money",2],"x"', b"[2],1"), **rest)


@patch("PAY-7", "takes a content that the extension refuses as it is")
def refused_content() -> AbstractContextManager[None]:
    def money(original: Original) -> Original:
        def lenient(value: object) -> object:
            try:
                return original(value)
            except ValueError:
                return value

        return lenient

    return changed("wireflight_conformance.embedded.functions._money", money)


@change("VAL-5", "drops members named __proto__", _PLAIN)
def drops_proto(load: Original, data: bytes, **rest: object) -> object:
    return load(data.replace(b"__proto__", b"x").replace(b"\\u005f_proto__", b"x"), **rest)


@change(
    "VAL-5", "refuses members named constructor", _PLAIN, "wireflight.exchange.body.decode_payload"
)
def refuses_constructor(load: Original, data: Any, **rest: object) -> object:
    from wireflight.errors import DecodeError, DecodeErrorCode

    value = load(data, **rest)
    if isinstance(value, dict) and "constructor" in value:
        raise DecodeError(DecodeErrorCode.INVALID_PAYLOAD, "refused")
    return value


@change("VAL-2", "merges bigints with numbers", "wireflight.exchange.replies.dumps")
def bigints_as_numbers(write: Original, value: Any, **rest: object) -> object:
    text = write(value, **rest)
    return re.sub(r'\["BigInt","(-?[0-9]{1,9})"\]', r"\1", text)


@change(
    "PAY-4",
    "answers a value that holds itself with null",
    "wireflight.exchange.replies.Replier.encode",
)
def cycles_as_null(
    encode: Original, replier: object, head: object, value: Any, **rest: bool
) -> object:
    from wireflight.errors import EncodeError

    try:
        return encode(replier, head, value, **rest)
    except EncodeError as error:
        if error.limit is not None or value.get("type") != "result":
            raise
        return encode(replier, head, {**value, "value": None}, **rest)


@change("PAY-5", "writes the buffer below a view", "wireflight.exchange.replies.dumps")
def whole_buffers(write: Original, value: Any, **rest: object) -> object:
    if isinstance(value, dict) and isinstance(value.get("value"), memoryview):
        value = {**value, "value": bytes(value["value"].obj)}
    return write(value, **rest)


@change("PAY-6", "refuses a command's argument with shared parts", _LOADS)
def shared_parts(load: Original, data: bytes, **rest: object) -> object:
    from wireflight.errors import DecodeError, DecodeErrorCode

    if re.search(rb"\[(\d+),\1\]", data):
        raise DecodeError(DecodeErrorCode.INVALID_PAYLOAD, "shared")
    return load(data, **rest)
