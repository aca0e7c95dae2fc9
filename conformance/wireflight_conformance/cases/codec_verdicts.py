"""What the suite itself reads in a text or payload: that with which properties compare a codec."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Final

from wireflight_conformance.wire import codec as own
from wireflight_conformance.wire.values import UNDEFINED, BigInt, Extension, Map, Set, Value

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["EITHER", "parts_of", "verdict_of_payload", "verdict_of_text"]

EITHER: Final = "either"
"""The verdict where the protocol leaves open whether a text is read."""


def parts_of(value: Value) -> Iterator[Value]:
    """Yield the value and all that is in it, however deep, and what is shared once."""
    pending, seen = [value], set[int]()
    while pending:
        part = pending.pop()
        if isinstance(part, Extension | Map | Set | dict | list):
            if id(part) in seen:
                continue
            seen.add(id(part))
        yield part
        if isinstance(part, Extension):
            pending.append(part.value)
        elif isinstance(part, Map):
            pending.extend(item for pair in part.pairs for item in pair)
        elif isinstance(part, Set):
            pending.extend(part.items)
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, list):
            pending.extend(part)


def _is_money(value: Value) -> bool:
    if not isinstance(value, dict) or set(value) != {"amount", "currency"}:
        return False
    return isinstance(value["amount"], BigInt) and isinstance(value["currency"], str)


def _references(entry: object) -> list[int]:
    if isinstance(entry, dict):
        found = list(entry.values())
    elif not isinstance(entry, list):
        return []
    elif entry and isinstance(entry[0], str):
        if entry[0] in ("BigInt", "Date", "ArrayBuffer"):
            return []
        found = entry[2::2] if entry[0] == "null" else entry[1:]
    else:
        found = entry
    return [int(item) for item in found if item >= 0]


def _is_whole(table: list[object]) -> bool:
    """Tell whether every entry can be reached from entry 0. Spec: PAY-6, step 10."""
    seen, pending = {0}, [0]
    while pending:
        for index in _references(table[pending.pop()]):
            if index not in seen:
                seen.add(index)
                pending.append(index)
    return len(seen) == len(table)


def _hides_a_name(data: bytes) -> bool:
    """Tell whether an object has a name twice, which PAY-11 leaves open."""
    twice = False

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        nonlocal twice
        twice = twice or len({name for name, _ in pairs}) < len(pairs)
        return dict(pairs)

    try:
        json.loads(data, object_pairs_hook=members)
    except (ValueError, RecursionError):
        return False
    return twice


def verdict_of_text(data: bytes, mode: str) -> tuple[str, Value]:
    """Return ``value`` with the value, ``invalid_payload``, or ``either``. Spec: PAY-6.

    Args:
        data: A text far below all limits.
        mode: ``request`` or ``response``.
    """
    if _hides_a_name(data):
        return EITHER, UNDEFINED
    try:
        value = own.decode(data)
    except own.CodecError as error:
        # whether step 12 holds for entries that nothing reaches is open
        is_open = mode == "response" and "equal" in str(error) and not _is_whole(json.loads(data))
        return (EITHER if is_open else "invalid_payload"), UNDEFINED
    parsed = json.loads(data)
    if mode == "request" and isinstance(parsed, list) and not _is_whole(parsed):
        return "invalid_payload", UNDEFINED
    if any(isinstance(part, Extension) and not _is_money(part.value) for part in parts_of(value)):
        return "invalid_payload", UNDEFINED
    return "value", value


def verdict_of_payload(text: str) -> tuple[str, Value]:
    """Return ``value`` with the value, the code of the failure, or ``either``. Spec: KEY-5."""
    if not text:
        return "value", UNDEFINED
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        return "invalid_payload", UNDEFINED
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(data).decode().rstrip("=") != text:
        return "invalid_payload", UNDEFINED
    verdict, value = verdict_of_text(data, "request")
    if verdict != "value":
        return verdict, UNDEFINED
    try:
        is_canonical = own.payload(value) == text
    except own.CodecError:
        is_canonical = False
    return ("value", value) if is_canonical else ("non_canonical", UNDEFINED)
