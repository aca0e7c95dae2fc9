"""Payload texts, read. Spec: PAY-6, PAY-7, PAY-10."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .encoding import CodecError
from .normal import is_scalar, normalise, scalar_text
from .values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value, number

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

__all__ = ["decode", "parse_json"]

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
    seen: set[tuple[str, object]] = set()
    for item in items:
        if is_scalar(item):
            # KEY-3 compares after step 2 of KEY-1: −0 is 0
            identity: tuple[str, object] = ("scalar", scalar_text(normalise(item)))
        elif isinstance(item, bytes):
            identity = ("bytes", item)
        else:
            identity = ("entry", id(item))  # each entry was built once
        if identity in seen:
            raise CodecError("two map keys or set items are equal")
        seen.add(identity)
