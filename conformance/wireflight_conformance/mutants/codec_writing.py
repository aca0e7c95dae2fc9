"""Writing values and normal forms step by step after PAY-1 and KEY-1, with switches for faults.

The counterpart of `codec_reading`. It works on tagged JSON, and each word in `off` is one fault.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from wireflight_conformance.wire.codec import number_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireflight_conformance.corpus import Json
    from wireflight_conformance.mutants.codec_parsing import Off

__all__ = ["NoFormError", "UnencodableError", "normalise", "understand", "write"]


class UnencodableError(Exception):
    """The value has no text. Spec: PAY-4."""


class NoFormError(Exception):
    """The argument has no normal form. Spec: KEY-1."""


@dataclass(eq=False, slots=True)
class Node:
    """A value: primitives by their content, all else also by identity."""

    kind: str
    body: object = None
    parts: list[Node] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


_KINDS: Final = {"$undefined": -1, "NaN": -3, "Infinity": -4, "-Infinity": -5, "-0": -6}
_PRIMITIVES: Final = ("null", "boolean", "number", "string", "bigint")
SCALARS: Final = (*_PRIMITIVES, "sentinel", "date")


def understand(tagged: Json, off: Off, known: dict[int, Node] | None = None) -> Node:
    """Make the value of tagged JSON.

    Raises:
        UnencodableError: It is no value of section 3.
    """
    known = {} if known is None else known
    if isinstance(tagged, dict):
        ((tag, body),) = tagged.items()
        return _tagged(tag, body, off, known)
    if isinstance(tagged, list):
        return Node("array", None, [understand(item, off, known) for item in tagged])
    if tagged is None:
        return Node("null", "null")
    if isinstance(tagged, bool):
        return Node("boolean", "true" if tagged else "false")
    if isinstance(tagged, str):
        return Node("string", tagged)
    return Node("number", float(cast("float", tagged)))


def _tagged(tag: str, body: Json, off: Off, known: dict[int, Node]) -> Node:
    match tag, body:
        case ("$undefined", _) | ("$number", _):
            return Node("sentinel", _KINDS[str(body) if tag == "$number" else tag])
        case "$bigint", str(digits):
            return Node("bigint", digits)
        case "$bytes", str(text):
            return Node("bytes", base64.b64decode(text))
        case "$view", [str(text), int(start), int(end)]:
            data = base64.b64decode(text)
            return Node("bytes", data if "view-buffer" in off else data[start:end])
        case "$date", str(text):
            return Node("date", _date_text(text, off))
        case "$utf16", str(units):
            return Node("string", _string(units, off))
        case "$ref", int(number):
            return known[number]
        case "$def", [int(number), value]:
            node = known[number] = Node("")
            made = understand(value, off, known)
            node.kind, node.body, node.parts, node.names = (
                made.kind,
                made.body,
                made.parts,
                made.names,
            )
            return node
        case "$extension", [str(name), value]:
            return Node("extension", name, [understand(value, off, known)])
        case "$set", list(items):
            return Node("set", None, [understand(item, off, known) for item in items])
        case "$map", list(pairs):
            parts = [
                understand(part, off, known)
                for pair in cast("list[list[Json]]", pairs)
                for part in pair
            ]
            return Node("map", None, parts)
        case "$object", list(members):
            return _object(cast("list[list[Json]]", members), off, known)
    if tag == "$foreign" and "foreign-null" in off:
        return Node("null", "null")
    raise UnencodableError


def _object(members: list[list[Json]], off: Off, known: dict[int, Node]) -> Node:
    names = [str(understand(name, off, known).body) for name, _ in members]
    if "__proto__" in names and "proto-written" not in off:
        raise UnencodableError
    return Node("object", None, [understand(value, off, known) for _, value in members], names)


def _string(units: str, off: Off) -> str:
    text = bytes.fromhex(units).decode("utf-16-be", "surrogatepass")
    if any("\ud800" <= char <= "\udfff" for char in text):
        if "surrogates-replaced" in off:
            return re.sub("[\ud800-\udfff]", "\ufffd", text)
        if "surrogates-escaped" not in off:
            raise UnencodableError
    return text


def _date_text(text: str, off: Off) -> str:
    try:
        at = dt.datetime.fromisoformat(text)
        if "date-zone" not in off:
            at = at.astimezone(dt.UTC)
        if "date-rounded" in off:
            at += dt.timedelta(microseconds=500)
    except (ValueError, OverflowError) as error:
        if "date-wide" in off:
            return text[:23] + "Z"
        raise UnencodableError from error
    shown = at.replace(tzinfo=None).isoformat(timespec="milliseconds")
    if "date-trimmed" in off:
        shown = shown.removesuffix(".000")
    if "date-microseconds" in off and at.microsecond % 1000:
        shown = at.replace(tzinfo=None).isoformat(timespec="microseconds")
    return shown if "date-no-zone" in off else shown + "Z"


# -- PAY-1 -------------------------------------------------------------------------------------

_Identity = tuple[str, object]


class Writer:
    """One text being written."""

    def __init__(self, off: Off) -> None:
        self._off = off
        self._table: list[str] = []
        self._known: dict[_Identity, int] = {}
        self._open: set[int] = set()

    def text(self, root: Node) -> str:
        """Return the text of a value."""
        reference = self._refer(root)
        if reference.startswith("-"):
            return reference
        comma = ", " if "white-space" in self._off else ","
        return "[" + comma.join(self._table) + "]"

    def _identity(self, node: Node) -> _Identity:
        off = self._off
        if node.kind in _PRIMITIVES:
            if "known-nothing" in off or f"known-no-{node.kind}" in off:
                return ("new", object())
            if "known-by-text" in off:
                return ("text", str(node.body).removesuffix(".0"))
            return (node.kind, node.body)
        if node.kind in ("date", "bytes") and "known-by-value" in off:
            return (node.kind, node.body)
        if not node.parts and node.kind in ("array", "object") and "known-empty" in off:
            return (node.kind, "")
        if "known-no-identity" in off:
            return ("new", object())
        return ("identity", id(node))

    def _refer(self, node: Node) -> str:
        off = self._off
        if node.kind == "sentinel":
            if node.body == -6 and "minus-zero-as-zero" in off:
                node = Node("number", 0.0)
            elif ("undefined-as-null" if node.body == -1 else "not-finite-as-null") in off:
                node = Node("null", "null")
            else:
                return str(node.body)
        name = self._identity(node)
        if id(node) in self._open:
            if "cycle-written" in off:
                return str(self._known[("identity", id(node))])
            raise UnencodableError
        if name in self._known:
            return str(self._known[name])
        if "place-after" in off and node.kind in ("array", "object"):
            entry = self._entry(node)
            self._table.append(entry)
            self._known[name] = len(self._table) - 1
            return str(len(self._table) - 1)
        index = self._known[name] = len(self._table)
        self._table.append("")
        self._open.add(id(node))
        self._table[index] = self._entry(node)
        self._open.discard(id(node))
        return str(index)

    def _entry(self, node: Node) -> str:
        off, body = self._off, node.body
        match node.kind:
            case "null" | "boolean":
                return str(body)
            case "number":
                return number(cast("float", body), off)
            case "string":
                return string(str(body), off)
            case "bigint":
                return str(body) if "bigint-bare" in off else f'["BigInt","{body}"]'
            case "date":
                return f'["Date","{body}"]'
            case "bytes":
                return f'["ArrayBuffer","{_base64(cast("bytes", body), off)}"]'
            case "object":
                return self._object(node)
        refer: Callable[[Node], str] = self._refer
        parts = node.parts
        if "items-reversed" in off and node.kind == "set":
            parts = parts[::-1]
        if "value-before-key" in off and node.kind == "map":
            found = {
                id(part): refer(part)
                for i in range(0, len(parts), 2)
                for part in (parts[i + 1], parts[i])
            }
            references = [found[id(part)] for part in parts]
        elif "breadth-first" in off:
            references = self._breadth(parts)
        else:
            references = [refer(part) for part in parts]
        head = {"array": [], "map": ['"Map"'], "set": ['"Set"'], "extension": [f'"{body}"']}[
            node.kind
        ]
        return "[" + ",".join([*head, *references]) + "]"

    def _breadth(self, parts: list[Node]) -> list[str]:
        """Give the scalars among the parts their places before the containers."""
        found = {id(part): self._refer(part) for part in sorted(parts, key=lambda p: bool(p.parts))}
        return [found[id(part)] for part in parts]

    def _object(self, node: Node) -> str:
        off = self._off
        members = list(zip(node.names, node.parts, strict=True))
        if "members-sorted" in off:
            members.sort(key=lambda member: member[0])
        if "undefined-dropped" in off:
            members = [m for m in members if (m[1].kind, m[1].body) != ("sentinel", -1)]
        if "null-objects" in off:
            return (
                "["
                + ",".join(['"null"'] + [f"{string(n, off)},{self._refer(p)}" for n, p in members])
                + "]"
            )
        colon = ": " if "white-space" in off else ":"
        return "{" + ",".join(f"{string(n, off)}{colon}{self._refer(p)}" for n, p in members) + "}"


def _base64(data: bytes, off: Off) -> str:
    text = (base64.urlsafe_b64encode if "bytes-url" in off else base64.b64encode)(data).decode()
    return text.rstrip("=") if "bytes-unpadded" in off else text


def number(value: float, off: Off) -> str:
    """Write a number. Spec: PAY-2."""
    if "number-python" in off:
        return repr(value)
    if "number-integer" in off and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if "number-15-digits" in off:
        return number_text(float(f"{value:.15g}")) if math.isfinite(float(f"{value:.15g}")) else "0"
    text = number_text(value)
    if "number-fraction" in off and value.is_integer() and "e" not in text:
        return text + ".0"
    if "number-no-plus" in off:
        return text.replace("e+", "e")
    return text.upper() if "number-upper" in off else text


_ESCAPED: Final = {"<": "\\u003C", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def string(value: str, off: Off) -> str:
    """Write a string. Spec: PAY-3."""
    text = json.dumps(value, ensure_ascii="escape-ascii" in off)
    for char, escape in _ESCAPED.items():
        if f"raw-{ord(char):x}" not in off:
            text = text.replace(char, escape.lower() if "escape-lower" in off else escape)
    if "escape-slash" in off:
        text = text.replace("/", "\\/")
    if "escape-greater" in off:
        text = text.replace(">", "\\u003E")
    if "escape-del" in off:
        text = text.replace("\x7f", "\\u007f")
    if "escape-long" in off:
        text = text.replace("\\n", "\\u000a").replace("\\b", "\\u0008")
    if "escape-upper" in off:
        text = re.sub(r"\\u00[01][0-9a-f]", lambda m: m.group().upper().replace("U", "u"), text)
    return text


_LEFT_OVER = Writer(())


def write(root: Node, off: Off) -> str:
    """Return the payload text of a value.

    Raises:
        UnencodableError: It contains itself.
    """
    if "table-kept" in off:
        return _LEFT_OVER.text(root)
    return Writer(off).text(root)


# -- KEY-1 -------------------------------------------------------------------------------------


def normalise(node: Node, off: Off, inside: tuple[int, ...] = ()) -> Node:
    """Return the normal form of an argument.

    Raises:
        NoFormError: It has none.
        UnencodableError: It contains itself.
    """
    if id(node) in inside:
        raise UnencodableError
    if node.kind == "sentinel" and node.body == -6 and "minus-zero-kept" not in off:
        return Node("number", 0.0)
    if node.kind in ("date", "bytes") and f"{node.kind}-shared" in off:
        return node
    parts = [normalise(part, off, (*inside, id(node))) for part in node.parts]
    made = Node(node.kind, node.body, parts, list(node.names))
    if node.kind == "object":
        _order_members(made, off)
    elif node.kind == "array" and "items-dropped" in off:
        made.parts = [part for part in parts if not _is_undefined(part)]
    elif node.kind in ("map", "set"):
        _order_items(made, off)
    if "shared-kept" in off and node.kind not in SCALARS:
        node.parts, node.names = made.parts, made.names
        return node
    return made


def _is_undefined(node: Node) -> bool:
    return (node.kind, node.body) == ("sentinel", -1)


def _order_members(node: Node, off: Off) -> None:
    members = list(zip(node.names, node.parts, strict=True))
    if "undefined-kept" not in off:
        members = [member for member in members if not _is_undefined(member[1])]
    if "null-dropped" in off:
        members = [member for member in members if member[1].kind != "null"]
    if "members-unordered" not in off:
        members.sort(key=lambda member: _rank(member[0], off))
    node.names = [name for name, _ in members]
    node.parts = [part for _, part in members]


def _rank(name: str, off: Off) -> tuple[int, int, bytes]:
    pattern = r"0|[1-9][0-9]{0,9}"
    if "leading-zeros" in off:
        pattern = r"[0-9]{1,10}"
    if "unicode-digits" in off:
        pattern = r"\d{1,10}"
    most = 4294967295 if "index-limit" in off else 4294967294
    most = 2**53 if "index-any" in off else most
    if re.fullmatch(pattern, name) and int(name) <= most and "indexes-as-text" not in off:
        return (2 if "indexes-last" in off else 0, int(name), b"")
    folded = name.lower() if "folded" in off else name
    how = "utf-32-be" if "members-code-points" in off else "utf-16-be"
    return (1, 0, folded.encode(how, "surrogatepass"))


def _order_items(node: Node, off: Off) -> None:
    step = 2 if node.kind == "map" else 1
    items = [node.parts[i : i + step] for i in range(0, len(node.parts), step)]
    if "map-values-dropped" in off and step == 2:
        items = [item for item in items if not _is_undefined(item[1])]
    allowed = (*SCALARS, "bytes") if "bytes-as-keys" in off else SCALARS
    if "containers-as-keys" not in off and any(item[0].kind not in allowed for item in items):
        raise NoFormError
    if f"{node.kind}s-unordered" not in off:
        items = _sorted(items, off)
    node.parts = [part for item in items for part in item]


def _sorted(items: list[list[Node]], off: Off) -> list[list[Node]]:
    def rank(item: list[Node]) -> tuple[float, bytes]:
        key = item[0]
        text = Writer(()).text(key)
        if "items-by-value" in off and key.kind == "string":
            text = str(key.body)
        how = "utf-32-be" if "items-code-points" in off else "utf-16-be"
        numeric = key.kind == "number" and "items-by-number" in off
        return (cast("float", key.body) if numeric else 0.0, text.encode(how, "surrogatepass"))

    if "items-inserted" not in off:
        return sorted(items, key=rank)
    made: list[list[Node]] = []
    for item in items:
        at = next((i for i, other in enumerate(made) if rank(other) > rank(item)), len(made))
        made.insert(at, item)
    return made
