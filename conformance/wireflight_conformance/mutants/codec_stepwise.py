"""A codec of the codec mode made of `codec_reading` and `codec_writing`: one word is one fault."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, cast

from wireflight_conformance.mutants.codec_parsing import (
    Number,
    RefusedError,
    parse,
    tagged_number,
)
from wireflight_conformance.mutants.codec_reading import LIMITS, read
from wireflight_conformance.mutants.codec_writing import (
    NoFormError,
    UnencodableError,
    normalise,
    understand,
    write,
)

if TYPE_CHECKING:
    from wireflight_conformance.corpus import Json
    from wireflight_conformance.mutants import Answering
    from wireflight_conformance.mutants.codec_parsing import Off

__all__ = ["stepwise"]

Fields = Mapping[str, "Json"]
_URL_ALPHABET: Final = str.maketrans("+/", "-_")


def stepwise(off: Off, answering: Answering) -> Answering:
    """Return what answers in place of the reference, with these checks left out.

    What it does not do itself (greeting, echo, long texts again and again) the reference does.
    """

    def answer(request: Fields) -> Mapping[str, Json]:
        operation = _OPERATIONS.get(str(request["op"]))
        if operation is None:
            return answering(request)
        number = request["id"]
        try:
            found = operation(request, off)
        except RefusedError as error:
            if "codes" in off:
                return {"id": number, "error": "invalid_payload"}
            return {"id": number, "error": error.code, "limit": error.limit}
        except UnencodableError:
            return {"id": number, "error": "unencodable"}
        except NoFormError:
            return {"id": number, "error": "no_normal_form"}
        return {"id": number, "ok": True if request.get("quiet") else found}

    return answer


def _data(fields: Fields) -> bytes:
    if "hex" in fields:
        return bytes.fromhex(str(fields["hex"]))
    return str(fields["text"]).encode()


def _decode(fields: Fields, off: Off) -> Json:
    data = _data(fields)
    if "dies-on-brackets" in off and data.count(b"[") > 2000:
        raise RecursionError
    if "dies-on-surrogates" in off and b"\\ud8" in data:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
    if "internal-error" in off and data.startswith(b"\xff"):
        raise RefusedError("internal")
    return read(data, off, is_request=fields["mode"] == "request")


def _encode(fields: Fields, off: Off) -> Json:
    return write(understand(fields["value"], off), off)


def _canonical_text(value: Json, off: Off) -> str:
    return write(normalise(understand(value, off), off), off)


def _canonical(fields: Fields, off: Off) -> Json:
    return _canonical_text(fields["value"], off)


def _payload(fields: Fields, off: Off) -> Json:
    text = _canonical_text(fields["value"], off)
    if text == "-1" and "undefined-as-LTE" not in off:
        return ""
    if text == "[null]" and "null-as-empty" in off:
        return ""
    made = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
    made = made if "payload-alphabet" in off else made.translate(_URL_ALPHABET)
    return made if "payload-padded" in off else made.rstrip("=")


def _decode_payload(fields: Fields, off: Off) -> Json:
    payload = str(fields["payload"])
    if not payload:
        if "empty-is-null" in off:
            return None
        return {"$undefined": True}
    data = _from_base64url(payload, off)
    value = read(data, off, is_request=True)
    if data == b"-1" and "LTE" in off:
        return value
    if not _is_canonical(data, value, off):
        raise RefusedError("non_canonical")
    return value


def _from_base64url(payload: str, off: Off) -> bytes:
    text = payload
    if "payload-padding" in off:
        text = text.rstrip("=")
    if "payload-space" in off:
        text = re.sub(r"\s", "", text)
    if "payload-standard" in off:
        text = text.translate(str.maketrans("+/", "-_"))
    if "payload-junk" in off:
        text = re.sub(r"[^A-Za-z0-9_-]", "", text)
    if "payload-length" in off and len(text) % 4 == 1:
        text = text[:-1]
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise RefusedError
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    again = base64.urlsafe_b64encode(data).decode().rstrip("=")
    if again != text and "payload-bits" not in off:
        raise RefusedError
    return data


def _is_canonical(data: bytes, value: Json, off: Off) -> bool:
    if "canonical" in off:
        return True
    try:
        text = _canonical_text(value, off)
    except (NoFormError, UnencodableError):
        return False
    if text == "-1":
        return False
    if "canonical-parsed" in off:
        return bool(json.loads(text) == json.loads(data))
    if "canonical-space" in off:
        return text == re.sub(r"\s", "", data.decode())
    return text.encode("utf-8", "surrogatepass") == data


# -- plain JSON --------------------------------------------------------------------------------


def _plain_decode(fields: Fields, off: Off) -> Json:
    data = _data(fields)
    if "plain-nesting" not in off:
        bare = re.sub(rb'"(?:[^"\\]|\\.)*"?', b"", data) if "plain-strings" not in off else data
        depth = 0
        for byte in bare:
            depth += (byte in b"[{") - (byte in b"]}")
            if depth > LIMITS["depth"] + 4:
                raise RefusedError("too_deep", "depth")
    value = parse(data, off, is_plain=True)
    nodes = _measure(value, off)
    if nodes > LIMITS["expanded_nodes"] and "plain-nodes" not in off:
        raise RefusedError("too_large", "expanded_nodes")
    return _of_plain(value, off)


def _measure(root: object, off: Off) -> int:
    nodes, level, depth = 0, [root], 0
    while level:
        nodes += len(level)
        below: list[object] = []
        for item in level:
            if isinstance(item, dict | list):
                if len(item) > LIMITS["container_members"] and "plain-members" not in off:
                    raise RefusedError("too_large", "container_members")
                below += item.values() if isinstance(item, dict) else item
        depth += any(isinstance(item, dict | list) for item in level)
        if depth > LIMITS["depth"] and "plain-depth" not in off:
            raise RefusedError("too_deep", "depth")
        level = below
    return nodes


def _of_plain(value: object, off: Off) -> Json:
    if isinstance(value, Number):
        if "plain-bigints" in off and abs(value) > 2**53 - 1:
            return {"$bigint": str(int(value))}
        return 0.0 if not value and "plain-zero" in off else tagged_number(value)
    if isinstance(value, list):
        return [_of_plain(item, off) for item in value]
    if isinstance(value, dict):
        return {"$object": [[name, _of_plain(item, off)] for name, item in value.items()]}
    if isinstance(value, str) and "plain-dates" in off and re.fullmatch(r"\d{4}-.*Z", value):
        return {"$date": value}
    return cast("Json", value)


def _plain_encode(fields: Fields, off: Off) -> Json:
    return json.dumps(_to_plain(fields["value"], off, {}))


def _to_plain(tagged: Json, off: Off, known: dict[int, Json]) -> Json:
    if isinstance(tagged, list):
        return [_to_plain(item, off, known) for item in tagged]
    if not isinstance(tagged, dict):
        return tagged
    match tagged:
        case {"$ref": int(number)}:
            return known[number]
        case {"$def": [int(number), value]}:
            known[number] = _to_plain(cast("Json", value), off, known)
            return known[number]
        case {"$number": str(name)}:
            if name == "-0":
                return -0.0 if "out-minus-zero" in off else 0
            return name if "out-not-finite" in off else None
        case {"$bigint": str(digits)}:
            return int(digits) if "out-bigint" in off else digits
        case {"$date": str(text)}:
            return text.replace("Z", "+00:00") if "out-date" in off else text
        case {"$bytes": str(text)}:
            return text.translate(_URL_ALPHABET) if "out-bytes" in off else text
        case {"$set": list(items)}:
            return [_to_plain(item, off, known) for item in items]
        case {"$map": list(pairs)}:
            made = [[_to_plain(part, off, known) for part in pair] for pair in pairs]
            return {str(k): v for k, v in made} if "out-map" in off else cast("Json", made)
        case {"$extension": [_, {"$object": [[_, {"$bigint": amount}], [_, currency]]} as content]}:
            if "out-extension" in off:
                return _to_plain(cast("Json", content), off, known)
            return f"{amount} {currency}"
        case {"$object": list(members)}:
            is_dropped = "out-undefined" not in off
            return {
                name: _to_plain(value, off, known)
                for name, value in cast("list[tuple[str, Json]]", members)
                if not (is_dropped and value == {"$undefined": True})
            }
    return None


# -- keys --------------------------------------------------------------------------------------


def _parse_key(fields: Fields, off: Off) -> Json:
    text = str(fields["key"])
    function, slash, payload = text.partition("/") if "key-first" in off else text.rpartition("/")
    letters = r"\w" if "key-unicode" in off else "[A-Za-z0-9_]"
    first = letters if "key-digit" in off else "[A-Za-z_]" if letters[0] == "[" else r"[^\W\d]"
    segment = f"{first}{letters}*" if "key-segments" not in off else f"(?:{first}{letters}*)?"
    end = r"\n?" if "key-newline" in off else ""
    alphabet = r"[A-Za-z0-9_=+.-]" if "key-payload" in off else "[A-Za-z0-9_-]"
    is_id = re.fullmatch(f"{segment}(?:/{segment})*", function)
    is_short = len(function) <= 255 or "key-length" in off
    if slash and is_id and is_short and re.fullmatch(f"{alphabet}*{end}", payload):
        return [function, payload]
    raise RefusedError("invalid_key")


def _make_key(fields: Fields, off: Off) -> Json:
    return f"{fields['function']}/{_payload(fields, off)}"


_OPERATIONS: Final[Mapping[str, Callable[[Fields, Off], Json]]] = {
    "decode": _decode,
    "encode": _encode,
    "canonical": _canonical,
    "payload": _payload,
    "decode_payload": _decode_payload,
    "plain_decode": _plain_decode,
    "plain_encode": _plain_encode,
    "parse_key": _parse_key,
    "make_key": _make_key,
}
