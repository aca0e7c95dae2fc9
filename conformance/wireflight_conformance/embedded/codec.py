"""The reference codec behind the pipe of the codec mode: ``python -m …embedded.codec``.

Each operation is one call of the reference; all else here turns tagged JSON into Python and back.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeAlias, cast

import msgspec

import wireflight
from wireflight import (
    BigInt,
    DecodeError,
    EncodeError,
    Extensions,
    KeyFormatError,
    WireMap,
    WireSet,
)

if TYPE_CHECKING:
    from wireflight_conformance.corpus import Json

__all__ = ["LACKS", "answer", "serve"]

Fields: TypeAlias = "Mapping[str, Json]"

LACKS: Final = (
    # a list or dict can be filled after it was made; the other containers are made whole
    "cycle_any",
    # WireSet and WireMap keep one of two that are equal
    "equal_items",
    "equal_dates",
    "equal_bytes",
    "same_container",
    "wide_dates",
    "any_extension",
    "any_extension_content",
)
_NUMBERS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}


@dataclass(frozen=True, slots=True)
class Money:
    """The value of `fx.Money`."""

    amount: int
    currency: str

    @classmethod
    def of(cls, content: object) -> Money:
        """Read a content.

        Raises:
            ValueError: It is not `{amount: bigint, currency: string}`.
        """
        match content:
            case {"amount": int(amount), "currency": str(currency), **rest} if not rest:
                if isinstance(amount, BigInt) or abs(amount) > 2**53 - 1:
                    return cls(amount, currency)
        raise ValueError("the content is not {amount: bigint, currency: string}")


EXTENSIONS: Final = Extensions()
EXTENSIONS.register(
    "fx.Money",
    Money,
    encode=lambda money: {"amount": BigInt(money.amount), "currency": money.currency},
    decode=Money.of,
    plain=lambda money: f"{money.amount} {money.currency}",
)


class Foreign:
    """A thing that is no value."""


_FOREIGN: Final[Mapping[str, Callable[[], object]]] = {
    "function": lambda: _FOREIGN.get,
    "class": lambda: Foreign,
    "error": lambda: ValueError("x"),
    "promise": lambda: (number for number in range(1)),
    "regexp": Foreign,
    "url": Foreign,
    "symbol": Foreign,
}


class Untagger:
    """Makes the Python value of one tagged value."""

    def __init__(self) -> None:
        self._known: dict[int, object] = {}

    def __call__(self, tagged: Json) -> object:
        """Return the value."""
        if isinstance(tagged, Mapping):
            ((kind, body),) = tagged.items()
            return self._tagged(kind, body)
        if isinstance(tagged, str) or tagged is None or isinstance(tagged, bool | float):
            return tagged
        if isinstance(tagged, int):
            # a number, not a bigint: beyond 2^53 - 1 it is a double
            return tagged if abs(tagged) <= 2**53 - 1 else float(tagged)
        return [self(item) for item in tagged]

    def _tagged(self, kind: str, body: Json) -> object:
        match kind, body:
            case "$undefined", _:
                return msgspec.UNSET
            case "$number", str(name):
                return _NUMBERS[name]
            case "$bigint", str(digits):
                return BigInt(digits)
            case "$bytes", str(text):
                return base64.b64decode(text)
            case "$view", [str(text), int(start), int(end)]:
                return memoryview(base64.b64decode(text))[start:end]
            case "$date", str(text):
                return datetime.fromisoformat(text)
            case "$utf16", str(units):
                return bytes.fromhex(units).decode("utf-16-be", "surrogatepass")
            case "$foreign", str(name):
                return _FOREIGN[name]()
            case "$ref", int(number):
                return self._known[number]
            case "$def", [int(number), value]:
                return self._define(number, value)
            case "$extension", [_, value]:
                return Money(**cast("dict[str, object]", self(value)))  # type: ignore[arg-type]
            case "$set", list(items):
                return WireSet(map(self, items))
            case "$map", list(pairs):
                return WireMap((self(key), self(value)) for key, value in pairs)
            case "$object", list(members):
                return {self(name): self(value) for name, value in members}
        raise ValueError(f"no tagged value: {kind}")

    def _define(self, number: int, value: Json) -> object:
        """Make a value that its own parts may refer to."""
        made: object
        if isinstance(value, list):
            items: list[object] = []
            made = self._known[number] = items
            items.extend(map(self, value))
        elif isinstance(value, Mapping) and "$object" in value:
            members: dict[object, object] = {}
            made = self._known[number] = members
            for name, item in cast("list[tuple[Json, Json]]", value["$object"]):
                members[self(name)] = self(item)
        else:
            made = self._known[number] = self(value)
        return made


def tagged(value: object) -> Json:
    """Write a Python value that the reference decoded as tagged JSON."""
    if value is None or isinstance(value, bool | str):
        return value
    if value is msgspec.UNSET:
        return {"$undefined": True}
    if isinstance(value, int):
        is_number = not isinstance(value, BigInt) and abs(value) <= 2**53 - 1
        return int(value) if is_number else {"$bigint": int.__repr__(value)}
    if isinstance(value, float):
        if math.isnan(value) or math.isinf(value) or (value == 0 and math.copysign(1, value) < 0):
            return {
                "$number": {math.inf: "Infinity", -math.inf: "-Infinity", 0: "-0"}.get(value, "NaN")
            }
        return value
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime):
        text = value.astimezone(UTC).isoformat(timespec="milliseconds")
        return {"$date": text.replace("+00:00", "Z")}
    if isinstance(value, WireMap):
        return {"$map": [[tagged(key), tagged(item)] for key, item in value.items()]}
    if isinstance(value, WireSet):
        return {"$set": [tagged(item) for item in value]}
    if isinstance(value, Money):
        content: list[Json] = [
            ["amount", {"$bigint": str(int(value.amount))}],
            ["currency", value.currency],
        ]
        return {"$extension": ["fx.Money", {"$object": content}]}
    if isinstance(value, dict):
        return {"$object": [[name, tagged(item)] for name, item in value.items()]}
    return [tagged(item) for item in cast("Sequence[object]", value)]


def _data(fields: Fields) -> bytes:
    if "hex" in fields:
        return bytes.fromhex(str(fields["hex"]))
    return str(fields["text"]).encode()


def _shown(value: object, fields: Fields) -> Json:
    return True if fields.get("quiet") else tagged(value)


def _decode(fields: Fields) -> Json:
    value = wireflight.loads(
        _data(fields), extensions=EXTENSIONS, is_request=fields["mode"] == "request"
    )
    return _shown(value, fields)


def _recode(fields: Fields) -> Json:
    value = wireflight.loads(_data(fields), extensions=EXTENSIONS, is_request=False)
    return wireflight.dumps(value, extensions=EXTENSIONS)


def _value(fields: Fields) -> object:
    """Make the value of a request.

    Raises:
        EncodeError: Python's types for it refuse it: it cannot even be said.
    """
    try:
        return Untagger()(fields["value"])
    except (ValueError, OverflowError) as error:
        raise EncodeError(str(error)) from error


def _encode(fields: Fields) -> Json:
    return wireflight.dumps(_value(fields), extensions=EXTENSIONS)


def _canonical(fields: Fields) -> Json:
    return wireflight.canonical(_value(fields), extensions=EXTENSIONS)


def _payload(fields: Fields) -> Json:
    return wireflight.payload(_value(fields), extensions=EXTENSIONS)


def _decode_payload(fields: Fields) -> Json:
    return _shown(wireflight.decode_payload(str(fields["payload"]), extensions=EXTENSIONS), fields)


def _plain_decode(fields: Fields) -> Json:
    return _shown(wireflight.plain_loads(_data(fields)), fields)


def _plain_encode(fields: Fields) -> Json:
    return wireflight.plain_dumps(_value(fields), extensions=EXTENSIONS).decode()


def _parse_key(fields: Fields) -> Json:
    return list(wireflight.parse_key(str(fields["key"])))


def _make_key(fields: Fields) -> Json:
    payload = wireflight.payload(_value(fields), extensions=EXTENSIONS)
    return wireflight.make_key(str(fields["function"]), payload)


def _hello(_fields: Fields) -> Json:
    return {"name": "wireflight (reference)", "version": 1, "lacks": list(LACKS)}


def _echo(fields: Fields) -> Json:
    return fields["value"]


_OPERATIONS: Final[Mapping[str, Callable[[Fields], Json]]] = {
    "hello": _hello,
    "echo": _echo,
    "decode": _decode,
    "recode": _recode,
    "encode": _encode,
    "canonical": _canonical,
    "payload": _payload,
    "decode_payload": _decode_payload,
    "plain_decode": _plain_decode,
    "plain_encode": _plain_encode,
    "parse_key": _parse_key,
    "make_key": _make_key,
}
_NORMAL: Final = ("canonical", "payload", "make_key")


def answer(request: Fields) -> dict[str, Json]:
    """Answer one request."""
    operation = _OPERATIONS.get(str(request["op"]))
    if operation is None:
        return {"id": request["id"], "unsupported": "no such operation"}
    try:
        return {"id": request["id"], "ok": operation(request)}
    except DecodeError as error:
        return {"id": request["id"], "error": error.code.value, "limit": error.limit}
    except KeyFormatError:
        return {"id": request["id"], "error": "invalid_key"}
    except EncodeError:
        return {"id": request["id"], "error": _encode_code(request)}


def _encode_code(request: Fields) -> str:
    """Tell a value without a normal form from one that cannot be encoded at all."""
    if request["op"] not in _NORMAL:
        return "unencodable"
    try:
        wireflight.dumps(_value(request), extensions=EXTENSIONS)
    except EncodeError:
        return "unencodable"
    return "no_normal_form"


def serve() -> None:
    """Answer the requests of standard input until its end."""
    for line in sys.stdin.buffer:
        made = json.dumps(answer(json.loads(line)))
        sys.stdout.write(made + "\n")
        # the next request may be waited for: an answer is not held back
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
