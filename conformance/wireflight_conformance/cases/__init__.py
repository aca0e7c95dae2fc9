"""The cases, one file for each section of the specification, and how they are written.

A case is a function that takes a `Server`. Its decorator cites the clauses it checks, in the order
of what it is about, and says in one sentence what has to hold::

    @case("HTTP-2", title="A query has the same result by GET and by POST.")
    def get_and_post(server: Server) -> None:
        server.expect_value("HTTP-2", server.query("fx/echo", 1), 1)
        server.expect_value("HTTP-2", server.post_query("fx/echo", 1), 1)

With `rows`, the function is one case for each row and takes the row's values after the server.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

__all__ = ["Case", "Row", "case", "cases_of", "citations", "is_asked_for", "load_cases", "select"]

PROFILES: Final = ("smoke", "quick", "full")
_SMOKE_ROWS: Final = 4
"""How many rows of a table the profile smoke has: it is to be over within a second."""

CaseFunction = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to prove about a server."""

    id: str
    title: str
    clauses: tuple[str, ...]
    run: Callable[[Server], None]
    needs: str = "fixture"
    """``fixture``: the functions of section 20; ``bare``: any server."""
    profile: str = "smoke"
    """The smallest profile that has it."""
    is_slow: bool = False
    """Whether it waits for a limit of time, and not for the wire alone."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a case's table: a name and the values the function gets."""

    name: str
    values: tuple[object, ...]

    @classmethod
    def of(cls, name: str, *values: object) -> Row:
        """Return a row."""
        return cls(name, values)


_REGISTRY: Final[dict[str, Case]] = {}


def case(
    *clauses: str,
    title: str,
    rows: Sequence[Row] | None = None,
    needs: str = "fixture",
    profile: str = "smoke",
    slow: bool = False,
) -> Callable[[CaseFunction], CaseFunction]:
    """Register a function as a case, or as one case for each row.

    Args:
        clauses: The clauses it checks, the one it is about first.
        title: What has to hold, in one sentence; ``{row}`` stands for the row's name.
        rows: The table.
        needs: What the target has to offer.
        profile: The smallest profile that has the case; ``quick`` for what takes its time, and
            for the rows of a table after its first few.
        slow: Whether it waits for a limit of time.
    """
    if not clauses or profile not in PROFILES:
        raise ValueError(f"a case needs a clause and a known profile: {title}")

    def register(function: CaseFunction) -> CaseFunction:
        name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        for number, row in enumerate(rows if rows is not None else (None,)):
            case_id = name if row is None else f"{name}[{row.name}]"
            run = function if row is None else _bound(function, row)
            text = title if row is None else title.replace("{row}", row.name)
            if case_id in _REGISTRY:
                raise ValueError(f"two cases are called {case_id}")
            is_beyond_smoke = profile == "smoke" and (slow or number >= _SMOKE_ROWS)
            smallest = "quick" if is_beyond_smoke else profile
            _REGISTRY[case_id] = Case(case_id, text, clauses, run, needs, smallest, slow)
        return function

    return register


def _bound(function: CaseFunction, row: Row) -> Callable[[Server], None]:
    def run(server: Server) -> None:
        function(server, *row.values)

    return run


@functools.cache
def load_cases() -> Mapping[str, Case]:
    """Import every file of cases of a server and return the cases by id."""
    for module in pkgutil.iter_modules(__path__):
        # those of a codec have their own mode, and some bring Hypothesis with them
        if not module.name.startswith("codec"):
            importlib.import_module(f"{__name__}.{module.name}")
    return dict(_REGISTRY)


def citations(cases: Iterable[Case]) -> dict[str, list[str]]:
    """Return clause id -> ids of the cases that cite it."""
    found: dict[str, list[str]] = {}
    for item in cases:
        for clause in item.clauses:
            found.setdefault(clause, []).append(item.id)
    return found


def cases_of(clause: str) -> list[Case]:
    """Return the cases that cite a clause."""
    return [item for item in load_cases().values() if clause in item.clauses]


def select(cases: Iterable[Case], only: Sequence[str], profile: str) -> list[Case]:
    """Return the cases of a profile, or those of them that were asked for.

    Args:
        cases: All there are.
        only: Clauses, and ids of cases or beginnings of ids. A case whose whole id is given,
            with or without its row, is in whatever the profile.
        profile: The profile.
    """
    rank = PROFILES.index(profile)
    chosen = [
        item for item in cases if _is_named(item, only) or PROFILES.index(item.profile) <= rank
    ]
    return [item for item in chosen if is_asked_for(item, only)] if only else chosen


def _is_named(item: Case, only: Sequence[str]) -> bool:
    return item.id in only or item.id.partition("[")[0] in only


def is_asked_for(item: Case, only: Sequence[str]) -> bool:
    """Tell whether a clause, an id or the beginning of an id names the case."""
    return any(name in item.clauses or item.id.startswith(name) for name in only)
