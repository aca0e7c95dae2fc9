"""The tables that stand in clauses (error codes, limits, issue codes), read from their text."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .clauses import SpecError, load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Limit", "error_codes", "issue_codes", "limits", "rows"]

_CODE: Final = re.compile(r"`([^`]+)`")


def rows(clause_id: str) -> Sequence[Sequence[str]]:
    """Return the cells of the rows, without the header, of the table in a clause.

    Raises:
        SpecError: The clause has no table.
    """
    lines = [line for line in load()[clause_id].text.splitlines() if line.startswith("|")]
    if len(lines) < 3:
        raise SpecError(f"{clause_id} has no table")
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@functools.cache
def error_codes() -> Mapping[str, int]:
    """Return code -> status of the protocol's own errors. Spec: ERR-1."""
    return {row[0].strip("` "): int(row[1]) for row in rows("ERR-1")}


@functools.cache
def issue_codes() -> frozenset[str]:
    """Return the codes of issues. Spec: ISS-1."""
    return frozenset(name for row in rows("ISS-1") for name in _CODE.findall(row[0]))


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit and what a server answers over it."""

    name: str
    default: int
    answer: str


@functools.cache
def limits() -> Mapping[str, Limit]:
    """Return the limits by name. Spec: LIM-1."""
    found = {}
    for name, default, _, answer in rows("LIM-1"):
        plain = name.strip("` ")
        found[plain] = Limit(plain, int(default.replace(",", "")), answer.strip(" |"))
    return found
