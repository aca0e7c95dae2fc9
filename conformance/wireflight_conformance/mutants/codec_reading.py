"""Reading payload texts step by step after PAY-6, where each check can be left out by its name.

It is slow and short, and it is no reference: it exists so that a fault is one word. With no word it
is a codec of its own, and the control `codec_faults.stepwise` holds it to every vector.
"""

from __future__ import annotations

import base64
import datetime as dt
import itertools
import re
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from wireflight_conformance.mutants.codec_parsing import (
    SENTINELS,
    Number,
    RefusedError,
    fail,
    over,
    parse,
    tagged_number,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wireflight_conformance.corpus import Json
    from wireflight_conformance.mutants.codec_parsing import Off

__all__ = ["LIMITS", "read", "scalar_text"]

LIMITS: Final = {
    "table_entries": 50_000,
    "expanded_nodes": 100_000,
    "depth": 64,
    "container_members": 10_000,
    "bigint_digits": 1_024,
}
_BASE64: Final = r"[A-Za-z0-9+/]"
_FOREIGN_TAGS: Final = {
    "tag-regexp": r"RegExp",
    "tag-url": r"URL|URLSearchParams",
    "tag-view": r".*Array|DataView",
    "tag-boxed": r"Object",
    "tag-temporal": r"Temporal\..*",
    "tag-error": r"\w*Error|Function|Promise|Symbol",
    "tag-inherited": r"constructor|__proto__|toString|hasOwnProperty|valueOf|__class__|__init__",
    "tag-any-extension": r"\w+\.\w+(\.\w+)*",
    "tag-undefined": r"undefined",
    "tag-file": r"File",
}


# -- entries -----------------------------------------------------------------------------------


class Entry(NamedTuple):
    """An entry after step 9."""

    kind: str
    references: list[int] = []  # noqa: RUF012 - never changed
    names: list[str] = []  # noqa: RUF012
    value: Json = None


class Reader:
    """One text being read."""

    def __init__(self, table: list[object], off: Off, *, is_request: bool) -> None:
        self._table = table
        self._off = off
        self._is_request = is_request
        self.entries = [self._entry(item) for item in table]

    def _entry(self, item: object) -> Entry:
        if isinstance(item, dict):
            return Entry("$object", self._references(item.values()), list(item))
        if isinstance(item, list):
            if item and isinstance(item[0], str):
                return self._typed(item[0], item[1:])
            if item and item[0] == -7 and "sparse" in self._off:
                return Entry("array", self._references(item[3::2]))
            return Entry("array", self._references(item))
        return Entry("scalar", value=self._literal(item))

    def _literal(self, item: object) -> Json:
        if isinstance(item, Number):
            return tagged_number(item)
        if isinstance(item, str):
            return unicodedata.normalize("NFC", item) if "nfc" in self._off else item
        if item is True and "true-as-one" in self._off:
            return 1.0
        return item if item is None or isinstance(item, bool) else fail()

    def _references(self, items: Iterable[object]) -> list[int]:
        return [self._reference(item) for item in items]

    def _reference(self, item: object) -> int:
        off, count = self._off, len(self._table)
        if isinstance(item, bool) and "ref-boolean" in off:
            return int(item) if int(item) < count else -1
        if isinstance(item, str) and item.isdigit() and "ref-string" in off:
            return int(item) if int(item) < count else -1
        if not isinstance(item, Number):
            return -1 if item is None and "ref-null" in off else fail()
        if not item.is_integer() and "ref-fraction" not in off:
            fail()
        index = int(item)
        if index in SENTINELS or 0 <= index < count:
            return index
        if index == -2 and "ref-hole" in off:
            return -1
        if index < 0 and "ref-negative" in off:
            return index % count
        if index >= 2**32 and index % 2**32 < count and "ref-wraps" in off:
            return index % 2**32
        return -1 if index >= 0 and "ref-past-end" in off else fail()

    def _typed(self, tag: str, rest: list[object]) -> Entry:
        off = self._off
        if "tag-case" in off:
            known = ("Set", "Map", "Date", "BigInt", "ArrayBuffer", "null", "fx.Money")
            tag = next((name for name in known if name.lower() == tag.lower()), tag)
        tag = tag.strip() if "tag-space" in off else tag
        if tag == "Set":
            return Entry("$set", self._references(rest))
        if tag == "Map" and (len(rest) % 2 == 0 or "map-odd" in off):
            return Entry("$map", self._references(rest[: len(rest) // 2 * 2]))
        if tag == "null":
            return self._null_object(rest)
        if tag in ("BigInt", "Date", "ArrayBuffer"):
            return Entry("scalar", value=self._text_entry(tag, rest))
        is_money = tag.startswith("fx.Mon") if "tag-prefix" in off else tag == "fx.Money"
        if is_money and (len(rest) == 1 or (rest and "arity" in off)):
            return Entry("$extension", self._references(rest[:1]), ["fx.Money"])
        for name, pattern in _FOREIGN_TAGS.items():
            if name in off and re.fullmatch(pattern, tag):
                references = [
                    int(i) for i in rest if isinstance(i, Number) and i < len(self._table)
                ]
                return Entry("array", references)
        raise RefusedError

    def _null_object(self, rest: list[object]) -> Entry:
        off = self._off
        if len(rest) % 2 and "null-odd" not in off:
            fail()
        names: list[str] = []
        for raw in rest[: len(rest) // 2 * 2 : 2]:
            name = str(raw) if "null-names" in off else raw
            if not isinstance(name, str) or (name == "__proto__" and "null-proto" not in off):
                fail()
            names.append(name)
        if len(set(names)) < len(names) and "null-twice" not in off:
            fail()
        return Entry("$object", self._references(rest[1::2]), names)

    # -- typed entries that hold a text

    def _text_entry(self, tag: str, rest: list[object]) -> Json:
        off = self._off
        if len(rest) != 1 and not (rest and "arity" in off):
            fail()
        text = rest[0]
        if tag == "BigInt" and isinstance(text, Number) and "bigint-number" in off:
            return {"$bigint": str(int(text))}
        if not isinstance(text, str):
            fail()
        if tag == "BigInt":
            return self._bigint(text)
        return self._date(text) if tag == "Date" else self._bytes(text)

    def _bigint(self, text: str) -> Json:
        off = self._off
        digits = r"\d" if "bigint-unicode" in off else "[0-9]"
        pattern = rf"0|-?[1-9]{digits}*" if digits == "[0-9]" else r"0|-?\d+"
        end = r"\n?" if "newline" in off else ""
        if "bigint-minus-zero" in off:
            pattern = "-?(?:" + pattern.replace("-?", "") + ")"
        if "bigint-python" in off:
            pattern = r"\s*[+-]?\d+(?:_\d+)*\s*"
        if not re.fullmatch(f"(?:{pattern}){end}", text):
            fail()
        count = len(text) if "bigint-sign" in off else len(text.lstrip("-"))
        is_bound = self._is_request or "limits-in-response" in off
        if is_bound and count > LIMITS["bigint_digits"] and "bigint-limit" not in off:
            over("bigint_digits")
        if "bigint-as-number" in off and count < 16:
            return float(int(text))
        return {"$bigint": text.strip()}

    def _date(self, text: str) -> Json:
        off = self._off
        digit = r"\d" if "date-unicode" in off else "[0-9]"
        fraction = rf"\.{digit}{{3}}" if "date-fraction" not in off else rf"(?:[.,]{digit}+)?"
        zone = "Z" if "date-offset" not in off else r"(?:[Zz]|[+-]\d\d:\d\d)?"
        pattern = rf"{digit}{{4}}-{digit}{{2}}-{digit}{{2}}T{digit}{{2}}:{digit}{{2}}:{digit}{{2}}"
        end = r"\n?" if "newline" in off else ""
        if not re.fullmatch(pattern + fraction + zone + end, text):
            fail()
        hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:19])
        is_leap = second == 60 and "date-leap-second" in off
        is_24 = (hour, minute, second) == (24, 0, 0) and "date-24" in off
        if not (is_24 or (hour < 24 and minute < 60 and (second < 60 or is_leap))):
            fail()
        year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
        if year == 0 and "date-year-0" in off:
            year = 4
        try:
            dt.date(year, month, day)
        except ValueError:
            if not ("date-calendar" in off and 1 <= month <= 12 and 1 <= day <= 31 and year):
                fail()
        return {"$date": text}

    def _bytes(self, text: str) -> Json:
        off = self._off
        if "bytes-space" in off:
            text = re.sub(r"\s", "", text)
        if "bytes-url" in off:
            text = text.replace("-", "+").replace("_", "/")
        if "bytes-padding" in off and len(text.rstrip("=")) % 4 != 1:
            text = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        if not re.fullmatch(f"(?:{_BASE64}{{4}})*(?:{_BASE64}{{2}}==|{_BASE64}{{3}}=)?", text):
            fail()
        clean = base64.b64encode(base64.b64decode(text)).decode()
        return {"$bytes": clean} if clean == text or "bytes-trailing-bits" in off else fail()

    # -- steps 10 to 16

    def value(self) -> Json:
        """Return the value of entry 0."""
        off = self._off
        order, is_whole = self._order()
        is_strict = self._is_request or "unreached-in-response" in off
        if is_strict and not is_whole and "unreached" not in off:
            fail()
        if "shared-in-response" in off:
            used = [i for e in self.entries for i in e.references if i >= 0]
            if any(used.count(i) > 1 and self.entries[i].kind != "scalar" for i in set(used)):
                fail()
        if self._is_request or "limits-in-response" in off:
            self._limits(order)
        made: dict[int, Json] = dict(SENTINELS)
        if "undefined-as-null" in off:
            made[-1] = None
        for index in order:
            made[index] = self._build(self.entries[index], made)
        return made[0]

    def _order(self) -> tuple[list[int], bool]:
        """Return the entries, parts first, and whether entry 0 reaches all. Spec: PAY-6.11."""
        state: dict[int, int] = {}
        order: list[int] = []
        whole = 0
        starts = [0] if "unreached-unread" in self._off else range(len(self.entries))
        for start in starts:
            stack = [start]
            while stack:
                index = stack[-1]
                if state.get(index) == 2:
                    stack.pop()
                elif state.get(index) == 1:
                    state[index] = 2
                    order.append(index)
                    stack.pop()
                else:
                    state[index] = 1
                    for part in self.entries[index].references:
                        if part >= 0 and state.get(part) == 1 and "cycle" not in self._off:
                            fail()
                        if part >= 0 and part not in state:
                            stack.append(part)
            whole = whole or len(order)
        return order, whole == len(self.entries)

    def _limits(self, order: list[int]) -> None:
        off = self._off
        depth: dict[int, int] = {}
        nodes: dict[int, int] = {}
        for index in order:
            entry = self.entries[index]
            parts = entry.references
            if entry.kind == "scalar":
                depth[index] = int(isinstance(entry.value, dict) and "depth-of-scalars" in off)
                nodes[index] = 1
                continue
            count = (
                len(parts) // 2
                if entry.kind == "$map" and "members-of-maps" not in off
                else len(parts)
            )
            most = LIMITS["container_members"] - ("members-one-less" in off)
            if entry.kind != "$extension" and count > most and "members-limit" not in off:
                over("container_members")
            deepest = max(
                (depth.get(part, 0) for part in parts), default=-("depth-of-empty" in off)
            )
            is_level = not (entry.kind == "$map" and "depth-of-maps" in off)
            is_level = is_level and not (
                entry.kind == "$extension" and "depth-of-extensions" in off
            )
            depth[index] = deepest + is_level
            counted = parts[1::2] if entry.kind == "$map" and "nodes-of-keys" in off else parts
            if "nodes-shared" in off:
                counted = sorted({part for part in counted if part >= 0})
            bare = int("nodes-of-sentinels" not in off)
            nodes[index] = 1 + sum(nodes.get(part, 1) if part >= 0 else bare for part in counted)
        if depth[0] > LIMITS["depth"] - ("depth-one-less" in off) and "depth-limit" not in off:
            over("depth")
        if (
            nodes[0] > LIMITS["expanded_nodes"] - ("nodes-one-less" in off)
            and "nodes-limit" not in off
        ):
            over("expanded_nodes")

    def _build(self, entry: Entry, made: Mapping[int, Json]) -> Json:
        off = self._off
        if entry.kind == "scalar":
            return entry.value
        parts = [made.get(part) for part in entry.references]
        if entry.kind == "array":
            return parts
        if entry.kind == "$object":
            names = sorted(entry.names) if "members-sorted" in off else entry.names
            held = dict(zip(entry.names, parts, strict=True))
            return {"$object": [[name, held[name]] for name in names]}
        if entry.kind == "$extension":
            return {"$extension": [entry.names[0], _money(parts[0], off)]}
        keys = parts[::2] if entry.kind == "$map" else parts
        _refuse_equal(keys, entry.references[:: 2 if entry.kind == "$map" else 1], off)
        if entry.kind == "$map":
            return {"$map": [[k, v] for k, v in zip(keys, parts[1::2], strict=True)]}
        return {"$set": parts}


def _money(content: Json, off: Off) -> Json:
    match content:
        case {"$object": [["amount", {"$bigint": _}], ["currency", str()]]}:
            return content
        case {"$object": [["currency", str()], ["amount", {"$bigint": _}]]}:
            return content
    return content if "extension-content" in off else fail()


def scalar_text(value: Json, off: Off = ()) -> str | None:
    """Return a text that two scalars or byte strings share if they are equal, else None."""
    if isinstance(value, list):
        return None
    if isinstance(value, dict):
        ((tag, body),) = value.items()
        if tag == "$number" and body == "-0" and "equal-zero" not in off:
            return "number 0.0"
        if tag == "$number" and body == "NaN" and "equal-nan" in off:
            return None
        if tag == "$date" and "equal-dates" in off:
            return None
        if tag == "$bytes" and "equal-bytes" not in off:
            return f"{tag} {body}"
        return f"{tag} {body}" if tag in ("$undefined", "$number", "$bigint", "$date") else None
    if isinstance(value, bool) or value is None:
        return f"number {float(value or 0)}" if "equal-python" in off else f"literal {value}"
    if isinstance(value, str):
        return "string " + (unicodedata.normalize("NFC", value) if "equal-nfc" in off else value)
    return f"number {float(cast('float', value))}"


def _refuse_equal(keys: list[Json], references: list[int], off: Off) -> None:
    if "equal" in off:
        return
    # one container under two references: containers have no text of their own
    pairs = zip(references, keys, strict=True)
    held = [entry for entry, key in pairs if entry >= 0 and scalar_text(key, off) is None]
    if len(set(held)) < len(held) and "equal-entries" not in off:
        fail()
    texts = [text for key in keys if (text := scalar_text(key, off)) is not None]
    if "equal-neighbours" in off:
        is_double = any(a == b for a, b in itertools.pairwise(texts))
    elif "equal-pairwise" in off:
        is_double = any(texts[i] in texts[:i] for i in range(len(texts)))
    else:
        is_double = len(set(texts)) < len(texts)
    if is_double or ("equal-containers" in off and len({repr(k) for k in keys}) < len(keys)):
        fail()


def read(data: bytes, off: Off, *, is_request: bool) -> Json:
    """Return the tagged value of a payload text, by the steps of PAY-6.

    Raises:
        RefusedError: It fails one that is not left out.
    """
    value = parse(data, off)
    if isinstance(value, Number):
        bare = float(value)
        if bare in SENTINELS:
            return SENTINELS[int(bare)]
        if "bare-hole" in off and bare in (-2, -7):
            return SENTINELS[-1]
        return tagged_number(bare) if "bare-number" in off else fail()
    if not isinstance(value, list):
        return None if "bare-value" in off else fail()
    if not value:
        return SENTINELS[-1] if "empty-table" in off else fail()
    is_bound = is_request or "limits-in-response" in off
    most = LIMITS["table_entries"] - ("table-one-less" in off)
    if is_bound and len(value) > most and "table-limit" not in off:
        over("table_entries")
    return Reader(value, off, is_request=is_request).value()
