"""Faults in canonical arguments and keys (section 5), as a server shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants.changing import Original, change

if TYPE_CHECKING:
    from collections.abc import Mapping

_DECODE: Final = "wireflight.exchange.body.decode_payload"
_OWN: Final = "wireflight.functions.registry.payload"
_WRITTEN: Final = "wireflight.functions.signature.Signature.as_written"


def _refusal(code: str) -> Exception:
    from wireflight.errors import DecodeError, DecodeErrorCode

    return DecodeError(DecodeErrorCode(code), "refused")


@change("KEY-5", "takes an empty payload for null", _DECODE, step=1)
def empty_is_null(decode: Original, payload: str, **rest: object) -> object:
    return decode(payload, **rest) if payload else None


@change("KEY-5", "refuses an empty payload", _DECODE, step=1)
def empty_refused(decode: Original, payload: str, **rest: object) -> object:
    if not payload:
        raise _refusal("invalid_payload")
    return decode(payload, **rest)


@change("KEY-5", "takes a payload with padding", _DECODE, step=2)
def padding(decode: Original, payload: str, **rest: object) -> object:
    return decode(payload.rstrip("="), **rest)


@change("KEY-5", "skips characters that are not of the alphabet", _DECODE, step=2)
def other_characters(decode: Original, payload: str, **rest: object) -> object:
    return decode(payload.replace(" ", "").replace("\n", ""), **rest)


@change("KEY-5", "takes the other alphabet of base64 too", _DECODE, step=2)
def other_alphabet(decode: Original, payload: str, **rest: object) -> object:
    return decode(payload.replace("+", "-").replace("/", "_"), **rest)


@change("KEY-5", "takes unused bits that are not zero", _DECODE, step=2)
def unused_bits(decode: Original, payload: str, **rest: object) -> object:
    import base64

    try:
        return decode(payload, **rest)
    except Exception:
        if len(payload) % 4 not in (2, 3):
            raise
        data = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return decode(base64.urlsafe_b64encode(data).decode().rstrip("="), **rest)


@change("KEY-5", "takes entries of a payload that nothing reaches", _DECODE, step=3)
def unreachable_entries(decode: Original, payload: str, **rest: object) -> object:
    return 1 if payload == "WzEsMl0" else decode(payload, **rest)


@change("KEY-5", "takes payloads that are not canonical", _DECODE, step=4)
def not_canonical(decode: Original, payload: str, **rest: Any) -> object:
    import base64

    from wireflight.codec import loads
    from wireflight.errors import DecodeError

    try:
        return decode(payload, **rest)
    except DecodeError as error:
        if error.code.value != "non_canonical":
            raise
        text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return loads(text, **rest)


@change("KEY-5", "takes the text -1 for no argument", _DECODE, step=4)
def spelt_undefined(decode: Original, payload: str, **rest: object) -> object:
    return decode("" if payload == "LTE" else payload, **rest)


@change("KEY-5", "says invalid_payload of a payload that is not canonical", _DECODE, step=4)
def one_code(decode: Original, payload: str, **rest: object) -> object:
    from wireflight.errors import DecodeError

    try:
        return decode(payload, **rest)
    except DecodeError as error:
        if error.code.value == "non_canonical":
            raise _refusal("invalid_payload") from error
        raise


@change(
    "KEY-6",
    "names an accepted key by its argument with defaults filled in",
    "wireflight.functions.requested.RequestedInstance.__init__",
)
def defaults_filled(
    make: Original, instance: Any, query: Any, args: Any, kwargs: Any, *, key: str
) -> None:
    from wireflight.codec import payload

    if query.name == "pair":
        key = f"fx/pair/{payload({'b': 2, **kwargs})}"
    make(instance, query, args, kwargs, key=key)


@change(
    "KEY-6",
    "names an accepted key by its argument as validated",
    "wireflight.functions.requested.RequestedInstance.__init__",
)
def renamed(make: Original, instance: Any, query: Any, args: Any, kwargs: Any, *, key: str) -> None:
    from wireflight.codec import payload

    function_id = key.rpartition("/")[0]
    argument = kwargs or (args[0] if args else None)
    make(instance, query, args, kwargs, key=f"{function_id}/{payload([argument])}")


@change("KEY-7", "names the only parameter in the key of its own call", _WRITTEN)
def named_parameter(
    written: Original, signature: Any, args: Any, kwargs: Mapping[str, object]
) -> object:
    found = written(signature, args, kwargs)
    return {signature._single.name: found} if signature._single is not None else found  # noqa: SLF001


@change("KEY-7", "writes several parameters as an array", _WRITTEN)
def parameters_as_array(written: Original, signature: Any, *rest: object) -> object:
    found = written(signature, *rest)
    is_several = signature._single is None and isinstance(found, dict)  # noqa: SLF001
    return list(found.values()) if is_several else found


@change("KEY-7", "fills defaults into the key of its own call", _WRITTEN)
def own_defaults(written: Original, signature: Any, *rest: object) -> object:
    found = written(signature, *rest)
    if signature._single is None and isinstance(found, dict):  # noqa: SLF001
        return {
            **{p.name: p.default for p in signature.parameters if p.default is not p.empty},
            **found,
        }
    return found


@change("KEY-7", "writes an empty object for no parameter", _WRITTEN)
def empty_object(written: Original, signature: Any, *rest: object) -> object:
    found = written(signature, *rest)
    return found if signature.parameters else {}


@change("KEY-1", "keeps members that are undefined in its own keys", _OWN, step=1)
def undefined_members(make: Original, value: Any, **rest: object) -> object:
    import msgspec

    if isinstance(value, dict):
        value = {n: ["undefined"] if v is msgspec.UNSET else v for n, v in value.items()}
    return make(value, **rest)


@change("KEY-1", "keeps -0 apart from 0 in its own keys", _OWN, step=2)
def minus_zero(make: Original, value: Any, **rest: object) -> object:
    if isinstance(value, dict):
        value = {n: "-0" if v == 0 and str(v) == "-0.0" else v for n, v in value.items()}
    return make(value, **rest)


@change(
    "KEY-1",
    "orders members by code points",
    "wireflight.codec.normal.utf16_order",
    step=3,
)
def code_points(_: Original, text: str) -> str:
    return text


@change("KEY-1", "orders indexes as texts", "wireflight.codec.normal._is_array_index", step=3)
def indexes_as_texts(_: Original, _name: str) -> bool:
    return False


@change("KEY-7", "writes its own keys in whole groups of four", _OWN)
def padded(make: Original, value: object, **rest: object) -> object:
    text = make(value, **rest)
    return text + "A" * (-len(text) % 4)


@change("KEY-7", "writes its own keys in JSON that is sorted", _OWN)
def sorted_json(make: Original, value: Any, **rest: object) -> object:
    import base64
    import json

    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    except TypeError:
        return make(value, **rest)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
