"""The test vectors of `spec/vectors`, and values as tagged JSON, by its README.

Tagged values stay plain JSON here: they go to codecs and come back as they are, and two of them are
one value exactly if `same_tagged` says so.
"""

from __future__ import annotations

import base64
import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from .clauses import SpecError, spec_folder
from .wire.values import UNDEFINED, BigInt, Date, Extension, Map, Set, Value, number

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "KINDS",
    "Json",
    "Vector",
    "expand",
    "load_vectors",
    "read_vectors",
    "same_tagged",
    "steps_cited",
    "tag",
    "untag",
]

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

KINDS: Final = (
    *("decode", "encode", "canonical", "payload", "plain", "key", "number", "grammar"),
    "request",
)
_VERDICTS: Final = ("accept", "reject", "either")
_NUMBERS: Final[Mapping[str, float]] = {
    "NaN": math.nan,
    "Infinity": math.inf,
    "-Infinity": -math.inf,
    "-0": -0.0,
}


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector: what stands in its file."""

    id: str
    kind: str
    req: Sequence[str]
    verdict: str
    codes: Sequence[str]
    """The codes with which it may be refused; empty if it may not."""
    limit: str | None
    needs: str | None
    fields: Mapping[str, Json]

    @property
    def name(self) -> str:
        """The file and the id: unique among all vectors."""
        return f"{self.kind}:{self.id}"

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that it cites, without their steps, each once."""
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.req))

    def text(self, field: str) -> str:
        """Return a text, written out."""
        return expand(self.fields[field])


def expand(text: Json) -> str:
    """Write a text out that is described by its parts.

    Raises:
        SpecError: It is not of the form that the README gives.
    """
    if isinstance(text, str):
        return text
    if not isinstance(text, Mapping) or not isinstance(text.get("concat"), list):
        raise SpecError("a text is a string or {concat: [part, ...]}")
    return "".join(map(_part, cast("list[Json]", text["concat"])))


def _part(part: Json) -> str:
    if isinstance(part, str):
        return part
    match part:
        case {"repeat": [str(piece), int(count)]}:
            return piece * count
        case {"series": [str(pattern), int(first), int(last)]}:
            return ",".join(pattern.replace("#", str(n)) for n in range(first, last + 1))
    raise SpecError(f"no part of a text: {part!r}"[:200])


@functools.cache
def load_vectors() -> Sequence[Vector]:
    """Return all vectors, from the wheel or the checkout, in the order of their files.

    Raises:
        SpecError: A file is not of the form that the README gives, or there is none.
    """
    folder = spec_folder() / "vectors"
    found = [vector for path in sorted(folder.glob("*.json")) for vector in read_vectors(path)]
    if not found:
        raise SpecError(f"{folder} holds no vectors")
    return found


def read_vectors(path: Path) -> list[Vector]:
    """Return the vectors of one file.

    Raises:
        SpecError: It is not of the form that the README gives.
    """
    try:
        document = json.loads(path.read_text(encoding="ascii"))
    except ValueError as error:
        raise SpecError(f"{path.name}: {error}") from error
    match document:
        case {"version": 1, "kind": str(kind), "vectors": list(rows)} if kind in KINDS:
            vectors = [_vector(kind, row, path.name) for row in rows]
        case _:
            raise SpecError(f"{path.name} is no file of vectors of version 1")
    seen: set[str] = set()
    for vector in vectors:
        if vector.id in seen:
            raise SpecError(f"{path.name}: two vectors are called {vector.id}")
        seen.add(vector.id)
    return vectors


def _vector(kind: str, row: Mapping[str, Json], file: str) -> Vector:
    match row:
        case {"id": str(name), "req": [str(), *_] as req, "verdict": str(verdict)}:
            pass
        case _:
            raise SpecError(f"{file}: a vector has an id, a req and a verdict: {row!r}"[:300])
    if verdict not in _VERDICTS:
        raise SpecError(f"{file}: {name}: no such verdict: {verdict}")
    code = row.get("code")
    codes = [code] if isinstance(code, str) else cast("list[str]", code or [])
    if kind not in ("grammar", "request") and (verdict == "accept") == bool(codes):
        raise SpecError(f"{file}: {name}: a reject needs a code, an accept has none")
    return Vector(
        name,
        kind,
        cast("list[str]", req),
        verdict,
        codes,
        cast("str | None", row.get("limit")),
        cast("str | None", row.get("needs")),
        row,
    )


def steps_cited(vectors: Sequence[Vector]) -> dict[str, list[str]]:
    """Return ``PAY-6.9`` -> names of the vectors that cite this step of this algorithm."""
    found: dict[str, list[str]] = {}
    for vector in vectors:
        for name in vector.req:
            if "." in name:
                found.setdefault(name, []).append(vector.name)
    return found


# -- tagged values -----------------------------------------------------------------------------


def same_tagged(left: Json, right: Json) -> bool:
    """Tell whether two tagged values are one value: numbers as doubles, all types apart."""
    pending: list[tuple[Json, Json]] = [(left, right)]
    while pending:
        a, b = pending.pop()
        if isinstance(a, list | tuple) and isinstance(b, list | tuple):
            if len(a) != len(b):
                return False
            pending.extend(zip(a, b, strict=True))
        elif isinstance(a, Mapping) and isinstance(b, Mapping):
            if a.keys() != b.keys():
                return False
            pending.extend((a[name], b[name]) for name in a)
        elif not _same_literal(a, b):
            return False
    return True


def _same_literal(a: Json, b: Json) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        try:
            return float(a) == float(b)
        except OverflowError:
            return a == b
    return type(a) is type(b) and a == b


def tag(value: Value) -> Json:
    """Write a value as tagged JSON."""
    if value is None or isinstance(value, bool | str):
        return value
    if value is UNDEFINED:
        return {"$undefined": True}
    if isinstance(value, int | float):
        return _tag_number(float(value))
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, BigInt):
        return {"$bigint": str(value.value)}
    if isinstance(value, Date):
        return {"$date": value.text}
    if isinstance(value, Map):
        return {"$map": [[tag(k), tag(v)] for k, v in value.pairs]}
    if isinstance(value, Set):
        return {"$set": [tag(item) for item in value.items]}
    if isinstance(value, Extension):
        return {"$extension": [value.name, tag(value.value)]}
    if isinstance(value, Mapping):
        return {"$object": [[name, tag(item)] for name, item in value.items()]}
    return [tag(item) for item in value]


def _tag_number(value: float) -> Json:
    for name, special in _NUMBERS.items():
        same_sign = math.copysign(1, value) == math.copysign(1, special)
        if (value == special and same_sign) or (math.isnan(value) and name == "NaN"):
            return {"$number": name}
    return number(value)


def untag(tagged: Json) -> Value:
    """Return the value of tagged JSON without identity: no ``$def``, no ``$ref``.

    Raises:
        SpecError: It is no such tagged value.
    """
    if tagged is None or isinstance(tagged, bool | str):
        return tagged
    if isinstance(tagged, int | float):
        return number(float(tagged))
    if not isinstance(tagged, Mapping):
        return [untag(item) for item in tagged]
    match tagged:
        case {"$undefined": True}:
            return UNDEFINED
        case {"$number": str(name)} if name in _NUMBERS:
            return _NUMBERS[name]
        case {"$bigint": str(digits)}:
            return BigInt(int(digits))
        case {"$bytes": str(text)}:
            return base64.b64decode(text, validate=True)
        case {"$view": [str(text), int(start), int(end)]}:
            return base64.b64decode(text, validate=True)[start:end]
        case {"$date": str(text)}:
            return Date(text)
        case {"$utf16": str(units)}:
            return bytes.fromhex(units).decode("utf-16-be", "surrogatepass")
        case {"$extension": [str(name), value]}:
            return Extension(name, untag(value))
        case {"$set": list(items)}:
            return Set([untag(item) for item in items])
        case {"$map": list(pairs)}:
            return Map([(untag(key), untag(value)) for key, value in pairs])
        case {"$object": list(members)}:
            return {cast("str", untag(name)): untag(value) for name, value in members}
    raise SpecError(f"no tagged value: {tagged!r}"[:200])
