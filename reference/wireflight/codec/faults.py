"""Where in a table a string is that cannot be written."""

from __future__ import annotations

from typing import Any

__all__ = ["path_of_bad_string"]


def path_of_bad_string(table: list[Any]) -> list[str | int]:
    """Find the first lone surrogate, from the references that lead to its entry."""
    steps: dict[int, tuple[int, str | int]] = {}
    bad: tuple[int, str | int | None] | None = None
    for index, entry in enumerate(table):
        if isinstance(entry, dict):
            members: list[tuple[str | int, Any]] = list(entry.items())
        elif isinstance(entry, list):
            tagged = bool(entry) and isinstance(entry[0], str)
            members = list(enumerate(entry[1:] if tagged else entry))
        else:
            members = []
        for step, ref in members:
            if isinstance(ref, int) and ref > index:
                steps.setdefault(ref, (index, step))
            if bad is None and isinstance(step, str) and not _is_well_formed(step):
                bad = index, step
        if bad is None and isinstance(entry, str) and not _is_well_formed(entry):
            bad = index, None
    path: list[str | int] = []
    if bad is not None:
        index = bad[0]
        path = [] if bad[1] is None else [bad[1]]
        while index in steps:
            index, step = steps[index]
            path.append(step)
    return path[::-1]


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
