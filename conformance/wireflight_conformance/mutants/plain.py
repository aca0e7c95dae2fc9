"""Faults in plain JSON (section 6)."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, change, changed, together

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


_PLAIN: Final = "wireflight.exchange.body.plain_loads"
_NORMAL: Final = "wireflight.exchange.body._normal_form"
_WRITE: Final = "wireflight.exchange.replies.plain_dumps"


# -- plain JSON, read ----------------------------------------------------------------------------


def _again(load: Original, data: bytes, change_text: Callable[[bytes], bytes], rest: Any) -> object:
    """Read a text; one that is refused, again as the change leaves it."""
    from wireflight.errors import DecodeError

    try:
        return load(data, **rest)
    except DecodeError:
        changed_text = change_text(data)
        if changed_text == data:
            raise
        return load(changed_text, **rest)


@change("PLAIN-1", "replaces bytes that are not UTF-8", _PLAIN, step=1)
def replaced_bytes(load: Original, data: bytes, **rest: object) -> object:
    return _again(load, data, lambda text: text.decode("utf-8", "replace").encode(), rest)


@change("PLAIN-1", "skips a byte order mark", _PLAIN, step=1)
def skipped_mark(load: Original, data: bytes, **rest: object) -> object:
    return load(data.removeprefix(b"\xef\xbb\xbf"), **rest)


@change("PLAIN-1", "parses a text before it looks at its nesting", _PLAIN, step=2)
def parsed_first(load: Original, data: bytes, **rest: object) -> object:
    from wireflight.errors import DecodeError, DecodeErrorCode

    if data.count(b"[") != data.count(b"]") and data.count(b'"') < 4:
        raise DecodeError(DecodeErrorCode.INVALID_PAYLOAD, "no JSON")
    return load(data, **rest)


@change("PLAIN-1", "counts brackets in strings", _PLAIN, step=2)
def brackets_in_strings(load: Original, data: bytes, *, limits: Any) -> object:
    from wireflight.errors import DecodeError, DecodeErrorCode

    if data.count(b"[") > limits.depth + 4:
        raise DecodeError(DecodeErrorCode.TOO_DEEP, "too deep", limit="depth")
    return load(data, limits=limits)


@change("PLAIN-1", "takes a comma before a bracket", _PLAIN, step=3)
def commas(load: Original, data: bytes, **rest: object) -> object:
    return _again(load, data, lambda text: text.replace(b",]", b"]"), rest)


@change("PLAIN-1", "skips comments", _PLAIN, step=3)
def comments(load: Original, data: bytes, **rest: object) -> object:
    return _again(load, data, lambda text: re.sub(rb"/\*.*?\*/", b"", text), rest)


@change("PLAIN-1", "takes names in single quotes", _PLAIN, step=3)
def single_quotes(load: Original, data: bytes, **rest: object) -> object:
    return _again(load, data, lambda text: text.replace(b"'", b'"'), rest)


@change("PLAIN-1", "takes NaN for null", _PLAIN, step=4)
def nan_is_null(load: Original, data: bytes, **rest: object) -> object:
    return _again(load, data, lambda text: text.replace(b"NaN", b"null"), rest)


@change("PLAIN-1", "takes a number that is not finite for the greatest", _PLAIN, step=4)
def clipped_numbers(load: Original, data: bytes, **rest: object) -> object:
    return _again(load, data, lambda text: text.replace(b"1e400", b"1.7e308"), rest)


@change("PLAIN-1", "replaces unpaired surrogates", _PLAIN, step=4)
def replaced_surrogates(load: Original, data: bytes, **rest: object) -> object:
    return _again(load, data, lambda text: re.sub(rb"\\u[dD][89a-fA-F]..", rb"?", text), rest)


@change("PLAIN-1", "lets the last of two members of one name win", _PLAIN, step=4)
def last_member_wins(load: Original, data: bytes, **rest: object) -> object:
    def merged(text: bytes) -> bytes:
        try:
            return json.dumps(json.loads(text)).encode()
        except (ValueError, RecursionError):
            return text

    return load(data, **rest) if b"__proto__" in data else _again(load, data, merged, rest)


@change("PLAIN-1", "takes a member named __proto__ for another", _PLAIN, step=4)
def renamed_proto(load: Original, data: bytes, **rest: object) -> object:
    return load(data.replace(b"__proto__", b"proto"), **rest)


@patch("LIM-1", "knows no limits of structure in plain JSON")
def unlimited_plain() -> AbstractContextManager[None]:
    def plain(original: Original) -> Original:
        def decode(data: bytes, *, limits: Any) -> object:
            import msgspec

            far = msgspec.structs.replace(limits, container_members=10**9, expanded_nodes=10**9)
            return original(data, limits=far)

        return decode

    def check(original: Original) -> Original:
        def lenient(argument: object, limits: Any) -> None:
            import msgspec

            far = msgspec.structs.replace(limits, container_members=10**9, expanded_nodes=10**9)
            original(argument, far)

        return lenient

    return together(
        changed(_PLAIN, plain), changed("wireflight.exchange.body.check_argument", check)
    )


@change("PLAIN-1", "reads integers of any length as bigints", _PLAIN, step=6)
def long_integers(load: Original, data: bytes, **rest: object) -> object:
    from wireflight import BigInt

    def exact(value: Any) -> Any:
        if isinstance(value, float) and value.is_integer() and abs(value) > 2**53:
            return BigInt(int(value))
        if isinstance(value, list):
            return [exact(item) for item in value]
        return {n: exact(v) for n, v in value.items()} if isinstance(value, dict) else value

    return exact(load(data, **rest))


@change("PLAIN-1", "takes the argument of a query as it stands", _NORMAL, step=7)
def not_normalised(_: Original, argument: object, *_rest: object) -> object:
    return argument


@change("PLAIN-2", "takes the argument of a query in the order of its members", _NORMAL)
def order_of_members(_: Original, argument: object, *_rest: object) -> object:
    return argument


@change("PLAIN-2", "orders the members of a query's argument by their texts", _NORMAL)
def order_of_texts(_: Original, argument: object, *_rest: object) -> object:
    return dict(sorted(argument.items())) if isinstance(argument, dict) else argument


# -- plain JSON, written -------------------------------------------------------------------------


def _written(write: Original, value: object, rest: Any, pattern: str, text: str) -> bytes:
    return re.sub(pattern, text, write(value, **rest).decode()).encode()


@change("PLAIN-3", "writes bigints as numbers", _WRITE)
def bigints(write: Original, value: object, **rest: object) -> object:
    return _written(write, value, rest, r'(?<=[:\[,])"(-?[0-9]+)"', r"\1")


@change("PLAIN-3", "writes dates with an offset", _WRITE)
def dates(write: Original, value: object, **rest: object) -> object:
    return _written(write, value, rest, r"([0-9]{2}\.[0-9]{3})Z", r"\1+00:00")


@change("PLAIN-3", "writes bytes without padding", _WRITE)
def unpadded(write: Original, value: object, **rest: object) -> object:
    return _written(write, value, rest, r'AQI="', 'AQI"')


def _deep(value: Any, edit: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [_deep(item, edit) for item in value]
    if isinstance(value, dict):
        return {name: _deep(item, edit) for name, item in value.items()}
    return edit(value)


@change("PLAIN-3", "writes NaN and Infinity as texts", _WRITE)
def special_numbers(write: Original, value: object, **rest: object) -> object:
    def spell(item: Any) -> Any:
        return str(item) if isinstance(item, float) and item in (item + 1, None) else item

    return write(_deep(value, spell), **rest)


@change("PLAIN-3", "writes undefined in an array as a text", _WRITE)
def undefined_items(write: Original, value: object, **rest: object) -> object:
    import msgspec

    def spell(item: Any) -> Any:
        return [("undefined" if one is msgspec.UNSET else one) for one in item]

    def walk(item: Any) -> Any:
        if isinstance(item, list):
            return spell([walk(one) for one in item])
        return {n: walk(v) for n, v in item.items()} if isinstance(item, dict) else item

    return write(walk(value), **rest)


@change("PLAIN-3", "writes members that are undefined as null", _WRITE)
def undefined_members(write: Original, value: object, **rest: object) -> object:
    import msgspec

    def walk(item: Any) -> Any:
        if isinstance(item, dict):
            return {n: None if v is msgspec.UNSET else walk(v) for n, v in item.items()}
        return [walk(one) for one in item] if isinstance(item, list) else item

    return write(walk(value), **rest)


@change("PLAIN-3", "writes a map as an object", _WRITE)
def maps(write: Original, value: object, **rest: object) -> object:
    from wireflight import WireMap

    def spell(item: Any) -> Any:
        return {str(k): v for k, v in item.items()} if isinstance(item, WireMap) else item

    return write(_deep(value, spell), **rest)


@change("PLAIN-3", "writes a set as an object of its items", _WRITE)
def sets(write: Original, value: object, **rest: object) -> object:
    from wireflight import WireSet

    def spell(item: Any) -> Any:
        return {str(one): True for one in item} if isinstance(item, WireSet) else item

    return write(_deep(value, spell), **rest)


@change("PLAIN-3", "writes -0 with its sign", _WRITE)
def minus_zero(write: Original, value: object, **rest: object) -> object:
    has_one = "-0.0" in repr(value)
    return _written(write, value, rest, r"\[0\]" if has_one else r"$^", "[-0]")


@change("PLAIN-3", "writes the content of an extension, not its projection", _WRITE)
def extensions_as_objects(write: Original, value: object, **rest: object) -> object:
    return _written(write, value, rest, r'"([0-9]+) EUR"', r'{"amount":"\1","currency":"EUR"}')


# -- plain JSON, where the type demands more ------------------------------------------------------

_BIND: Final = "wireflight.functions.signature.Signature.bind"


def _member(argument: Any, name: str, kind: type) -> bool:
    return isinstance(argument, dict) and isinstance(argument.get(name), kind)


def _refused() -> Exception:
    from wireflight.issues import ValidationError, make_issue

    return ValidationError([make_issue((), "invalid")])


@change("PLAIN-4", "takes a text for a number", _BIND)
def texts_as_numbers(bind: Original, signature: object, argument: Any, **rest: bool) -> object:
    if _member(argument, "count", str) and argument["count"].isdigit():
        argument = {**argument, "count": int(argument["count"])}
    return bind(signature, argument, **rest)


@change("PLAIN-4", "refuses a text where the type demands a date", _BIND)
def date_texts_refused(bind: Original, signature: object, argument: Any, **rest: bool) -> object:
    if _member(argument, "when", str):
        raise _refused()
    return bind(signature, argument, **rest)


@change("PLAIN-4", "refuses digits where the type demands a bigint", _BIND)
def digits_refused(bind: Original, signature: object, argument: Any, **rest: bool) -> object:
    if _member(argument, "big", str):
        raise _refused()
    return bind(signature, argument, **rest)


@change("PLAIN-4", "takes base64 without padding and in the URL alphabet", _BIND)
def lenient_bytes(bind: Original, signature: object, argument: Any, **rest: bool) -> object:
    if _member(argument, "data", str):
        text = argument["data"].replace("-", "+").replace("_", "/")
        argument = {**argument, "data": text + "=" * (-len(text) % 4)}
    return bind(signature, argument, **rest)


@change("PLAIN-4", "reads digits as its language reads integers", _BIND)
def lenient_bigints(bind: Original, signature: object, argument: Any, **rest: bool) -> object:
    if _member(argument, "big", str) and argument["big"]:
        with contextlib.suppress(ValueError):
            argument = {**argument, "big": str(int(argument["big"].removesuffix("n"), 0))}
    return bind(signature, argument, **rest)


@change("PLAIN-4", "refuses an array of pairs where the type demands a map", _BIND)
def pairs_refused(bind: Original, signature: object, argument: Any, **rest: bool) -> object:
    if _member(argument, "counts", list):
        raise _refused()
    return bind(signature, argument, **rest)


@change("PLAIN-4", "takes the characters of a text for a set", _BIND)
def characters_as_set(bind: Original, signature: object, argument: Any, **rest: bool) -> object:
    if _member(argument, "labels", str):
        argument = {**argument, "labels": list(argument["labels"])}
    return bind(signature, argument, **rest)
