"""Payload texts, canonical texts, payloads and keys, from sections 4 and 5 alone."""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from .values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value, number

__all__ = [
    "CodecError",
    "canonical",
    "decode",
    "decode_payload",
    "encode",
    "key",
    "normalise",
    "number_text",
    "payload",
    "payload_of_text",
    "string_text",
]

SENTINELS: Final[Mapping[int, Value]] = {
    -1: UNDEFINED,
    -3: math.nan,
    -4: math.inf,
    -5: -math.inf,
    -6: -0.0,
}
_BIGINT: Final = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_BASE64: Final = re.compile(
    r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"
)
_PAYLOAD: Final = re.compile(r"[A-Za-z0-9_-]*")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_ESCAPES: Final = {
    **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    "<": "\\u003C",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_ESCAPED: Final = re.compile('[\x00-\x1f"\\\\<\u2028\u2029]')


Item = TypeVar("Item")


class CodecError(ValueError):
    """A text that does not decode, or a value that has no text."""


# -- writing -----------------------------------------------------------------------------------


def number_text(value: float) -> str:
    """Return a finite number as ECMAScript writes it. Spec: PAY-2."""
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(float(value))).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    # point: the value is 0.digits × 10^point (the n of ECMA-262, 6.1.6.1.20)
    leading = len(whole + fraction) - len(digits)
    point = len(whole) - leading + int(exponent or 0)
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = f"e{point - 1:+d}"
    return sign + digits[0] + ("." + digits[1:] if count > 1 else "") + power


def string_text(value: str) -> str:
    """Return a string as JSON with the escapes of PAY-3."""
    return '"' + _ESCAPED.sub(lambda match: _ESCAPES[match.group()], value) + '"'


@dataclass(slots=True)
class _Frame:
    """An entry that is being written: what is done of it and what is still to be referred to."""

    index: int
    source: object
    pieces: list[str]
    rest: list[tuple[str, Value]]
    brackets: str = "[]"
    label: str = ""


def _sentinel(value: Value) -> int | None:
    if value is UNDEFINED:
        return -1
    if isinstance(value, float):
        if math.isnan(value):
            return -3
        if math.isinf(value):
            return -4 if value > 0 else -5
        if value == 0 and math.copysign(1, value) < 0:
            return -6
    return None


def _identity(value: Value) -> tuple[str, object]:
    if value is None or isinstance(value, bool):
        return ("literal", str(value))
    if isinstance(value, int | float):
        return ("number", float(value))
    if isinstance(value, str):
        return ("string", value)
    if isinstance(value, BigInt):
        return ("bigint", value.value)
    return ("object", id(value))


def _entry_text(value: Value) -> str | None:
    """Return the whole entry of a value without parts, and None for a container."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(float(value))
    if isinstance(value, str):
        return string_text(value)
    if isinstance(value, BigInt):
        return f'["BigInt","{value.value}"]'
    if isinstance(value, Date):
        return f'["Date","{value.text}"]'
    if isinstance(value, bytes):
        return f'["ArrayBuffer","{base64.b64encode(value).decode()}"]'
    return None


def _frame(index: int, value: Value) -> _Frame:
    if isinstance(value, Mapping):
        rest = [(string_text(name) + ":", item) for name, item in value.items()]
        return _Frame(index, value, [], rest, "{}")
    if isinstance(value, Map):
        return _Frame(
            index, value, ['"Map"'], [("", part) for pair in value.pairs for part in pair]
        )
    if isinstance(value, Set):
        return _Frame(index, value, ['"Set"'], [("", item) for item in value.items])
    if isinstance(value, Extension):
        return _Frame(index, value, [string_text(value.name)], [("", value.value)])
    if isinstance(value, Sequence):
        return _Frame(index, value, [], [("", item) for item in value])
    raise CodecError(f"a {type(value).__name__} is not a value")


def encode(value: Value) -> str:
    """Return the payload text of the value, by the steps of PAY-1.

    Raises:
        CodecError: The value contains itself.
    """
    bare = _sentinel(value)
    if bare is not None:
        return str(bare)
    table: list[str] = []
    known: dict[tuple[str, object], int] = {}
    open_frames: set[int] = set()
    stack: list[_Frame] = []

    def refer(item: Value) -> str | None:
        """Return the reference, or None if an entry has first to be completed."""
        code = _sentinel(item)
        if code is not None:
            return str(code)
        name = _identity(item)
        if name in known:
            if known[name] in open_frames:
                raise CodecError("the value contains itself")
            return str(known[name])
        index = known[name] = len(table)
        text = _entry_text(item)
        table.append(text or "")
        if text is not None:
            return str(index)
        stack.append(_frame(index, item))
        stack[-1].rest.reverse()
        open_frames.add(index)
        return None

    refer(value)
    while stack:
        frame = stack[-1]
        if not frame.rest:
            stack.pop()
            open_frames.discard(frame.index)
            table[frame.index] = frame.brackets[0] + ",".join(frame.pieces) + frame.brackets[1]
            continue
        label, item = frame.rest.pop()
        # the index that a new entry gets is known before the entry is complete
        upcoming = len(table)
        reference = refer(item)
        frame.pieces.append(label + (str(upcoming) if reference is None else reference))
    return "[" + ",".join(table) + "]"


# -- canonical form ----------------------------------------------------------------------------


def _member_rank(name: str) -> tuple[int, int, bytes]:
    if _INDEX.fullmatch(name) and int(name) <= 4294967294:
        return (0, int(name), b"")
    return (1, 0, name.encode("utf-16-be", "surrogatepass"))


def _is_scalar(value: Value) -> bool:
    is_plain = value is None or isinstance(value, bool | int | float | str | BigInt | Date)
    return is_plain or value is UNDEFINED


def _scalar_text(value: Value) -> str:
    """Return the payload text of a scalar alone: one entry, or a sentinel."""
    code = _sentinel(value)
    return str(code) if code is not None else f"[{_entry_text(value)}]"


def _scalar_rank(value: Value) -> bytes:
    if not _is_scalar(value):
        raise CodecError("a map key or set item that is not a scalar has no normal form")
    return _scalar_text(value).encode("utf-16-be", "surrogatepass")


class _Copy(bytes):
    """A byte string with an identity of its own, which the empty `bytes` has not."""


def normalise(value: Value) -> Value:
    """Return the normal form of an argument, every part of it a copy of its own. Spec: KEY-1.

    Raises:
        CodecError: The argument has no normal form.
    """
    if isinstance(value, float) and value == 0:
        return 0
    if value is None or isinstance(value, bool | int | float | str | BigInt):
        return value
    if value is UNDEFINED:
        return value
    if isinstance(value, bytes):
        return _Copy(value)
    if isinstance(value, Date):
        return Date(value.text)
    if isinstance(value, Extension):
        return Extension(value.name, normalise(value.value))
    if isinstance(value, Map):
        pairs = [(normalise(k), normalise(v)) for k, v in value.pairs]
        ranked = _ranked([(_scalar_rank(k), (k, v)) for k, v in pairs])
        return Map(ranked)
    if isinstance(value, Set):
        items = [normalise(item) for item in value.items]
        return Set(_ranked([(_scalar_rank(item), item) for item in items]))
    if isinstance(value, Mapping):
        names = sorted((n for n in value if value[n] is not UNDEFINED), key=_member_rank)
        return {name: normalise(value[name]) for name in names}
    if isinstance(value, Sequence):
        return [normalise(item) for item in value]
    raise CodecError(f"a {type(value).__name__} is not a value")


def _ranked(pairs: list[tuple[bytes, Item]]) -> list[Item]:
    ordered = sorted(pairs, key=lambda pair: pair[0])
    for (left, _), (right, _) in itertools.pairwise(ordered):
        if left == right:
            raise CodecError("two map keys or set items are equal")
    return [item for _, item in ordered]


def canonical(value: Value) -> str:
    """Return the canonical text of an argument. Spec: KEY-2."""
    return encode(normalise(value))


def payload_of_text(text: str | bytes) -> str:
    """Return any text in the spelling of a payload: base64url without padding."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def payload(value: Value = UNDEFINED) -> str:
    """Return the payload of an argument. Spec: KEY-4."""
    return "" if value is UNDEFINED else payload_of_text(canonical(value))


def key(function_id: str, argument: Value = UNDEFINED) -> str:
    """Return the key of a query instance. Spec: KEY-8."""
    return f"{function_id}/{payload(argument)}"


# -- reading -----------------------------------------------------------------------------------


def _refuse_constant(text: str) -> None:
    raise CodecError(f"{text} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise CodecError("a number is not finite as a double")
    return value


def _unsigned_zero(text: str) -> float:
    value = _finite(text)
    if value == 0 and text.startswith("-"):
        raise CodecError("a zero with a minus sign")
    return value


def _members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise CodecError("an object has a name twice")
    if "__proto__" in members:
        raise CodecError("a member is named __proto__")
    return members


def parse_json(data: bytes, *, read_number: Callable[[str], float] = _finite) -> object:
    """Parse one strict JSON text: all numbers doubles, no duplicate names, no `__proto__`.

    Raises:
        CodecError: The bytes are not such a text.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise CodecError("the text starts with a byte order mark")
    try:
        text = data.decode("utf-8")
        root: object = json.loads(
            text,
            parse_int=read_number,
            parse_float=read_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_members,
        )
        # json reads "\ud800" as a lone surrogate, which UTF-8 cannot write
        if "\\u" in text:
            json.dumps(root, ensure_ascii=False).encode("utf-8")
    except CodecError:
        raise
    except UnicodeEncodeError as error:
        raise CodecError("a string has an unpaired surrogate") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CodecError(f"not JSON in UTF-8: {error}") from error
    except RecursionError as error:
        raise CodecError("JSON nested too deeply for any table") from error
    return root


@dataclass(slots=True)
class _Entry:
    kind: str
    references: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    value: Value = UNDEFINED


def _read_typed(tag: str, rest: list[object], extensions: Collection[str]) -> _Entry:
    text = rest[0] if len(rest) == 1 and isinstance(rest[0], str) else None
    if tag == "BigInt" and text is not None and _BIGINT.fullmatch(text):
        return _Entry("scalar", value=BigInt(int(text)))
    if tag == "Date" and text is not None and _DATE.fullmatch(text):
        try:
            dt.datetime.fromisoformat(text)
        except ValueError as error:
            raise CodecError("a date names no instant") from error
        return _Entry("scalar", value=Date(text))
    if tag == "ArrayBuffer" and text is not None and _BASE64.fullmatch(text):
        return _Entry("scalar", value=base64.b64decode(text))
    if tag == "Set":
        return _Entry("set", _references(rest))
    if tag == "Map" and len(rest) % 2 == 0:
        return _Entry("map", _references(rest))
    if tag == "null" and len(rest) % 2 == 0:
        names = [name for name in rest[::2] if isinstance(name, str) and name != "__proto__"]
        if len(set(names)) * 2 == len(rest):
            return _Entry("object", _references(rest[1::2]), names)
    if tag in extensions and len(rest) == 1:
        return _Entry("extension", _references(rest), [tag])
    raise CodecError(f"no typed entry {tag[:40]!r} of this form")


def _references(items: list[object]) -> list[int]:
    found: list[int] = []
    for item in items:
        if not isinstance(item, float) or not item.is_integer():
            raise CodecError("something in the place of a reference is not an index")
        found.append(int(item))
    return found


def _read_entry(item: object, extensions: Collection[str]) -> _Entry:
    if isinstance(item, dict):
        return _Entry("object", _references(list(item.values())), list(item))
    if isinstance(item, list):
        if item and isinstance(item[0], str):
            return _read_typed(item[0], item[1:], extensions)
        return _Entry("array", _references(item))
    if isinstance(item, float):
        return _Entry("scalar", value=number(item))
    if item is None or isinstance(item, bool | str):
        return _Entry("scalar", value=item)
    raise CodecError("an entry is no JSON value")


def decode(data: bytes | str, *, extensions: Collection[str] = ("fx.Money",)) -> Value:
    """Return the value of a payload text that a server sent. Spec: PAY-6, PAY-7, PAY-10.

    Args:
        data: The text.
        extensions: The extension names that are known.

    Raises:
        CodecError: The text fails one of the steps.
    """
    text = data.encode() if isinstance(data, str) else data
    root = parse_json(text, read_number=_unsigned_zero)
    if isinstance(root, float):
        if root in SENTINELS:
            return SENTINELS[int(root)]
        raise CodecError("a bare number that is no sentinel")
    if not isinstance(root, list) or not root:
        raise CodecError("neither a table nor a sentinel")
    entries = [_read_entry(item, extensions) for item in root]
    for entry in entries:
        for reference in entry.references:
            if not 0 <= reference < len(entries) and reference not in SENTINELS:
                raise CodecError(f"the reference {reference} leads nowhere")
    return _values(entries)[0]


def _values(entries: list[_Entry]) -> list[Value]:
    """Build the value of every entry, parts first; an entry that reaches itself fails."""
    values: dict[int, Value] = {}
    active: set[int] = set()
    for start in range(len(entries)):
        stack = [start]
        while stack:
            index = stack[-1]
            if index in values:
                stack.pop()
                continue
            # each entry is looked at twice at most: before its parts and after them
            missing = [r for r in entries[index].references if r >= 0 and r not in values]
            if missing:
                active.add(index)
                if any(r in active for r in missing):
                    raise CodecError("an entry can be reached from itself")
                stack.extend(missing)
                continue
            parts = [values[r] if r >= 0 else SENTINELS[r] for r in entries[index].references]
            values[index] = _build(entries[index], parts)
            active.discard(index)
            stack.pop()
    return [values[index] for index in range(len(entries))]


def _build(entry: _Entry, parts: list[Value]) -> Value:
    if entry.kind == "scalar":
        return entry.value
    if entry.kind == "array":
        return parts
    if entry.kind == "object":
        return dict(zip(entry.names, parts, strict=True))
    if entry.kind == "extension":
        return Extension(entry.names[0], parts[0])
    if entry.kind == "set":
        _refuse_equal(parts)
        return Set(parts)
    _refuse_equal(parts[::2])
    return Map(list(zip(parts[::2], parts[1::2], strict=True)))


def _refuse_equal(items: list[Value]) -> None:
    seen: set[str] = set()
    for item in items:
        if _is_scalar(item):
            # KEY-3 compares after step 2 of KEY-1: −0 is 0
            text = _scalar_text(normalise(item))
            if text in seen:
                raise CodecError("two map keys or set items are equal")
            seen.add(text)


def decode_payload(text: str) -> Value:
    """Return the argument of a payload. Spec: KEY-5.

    Raises:
        CodecError: It is not a canonical payload.
    """
    if not text:
        return UNDEFINED
    if not _PAYLOAD.fullmatch(text) or len(text) % 4 == 1:
        raise CodecError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    value = decode(data)
    if payload(value) != text:
        raise CodecError("not canonical")
    return value
