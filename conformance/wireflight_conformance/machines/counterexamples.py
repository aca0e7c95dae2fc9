"""Counterexamples as JSON files: the calls, decoded, and what came of the last one."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from .play import Call, Play, ViolationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wireflight_conformance.driver import Server

__all__ = ["CounterexampleError", "keep", "read", "replay"]

VERSION: Final = 1


class CounterexampleError(ValueError):
    """A file that holds no counterexample."""


def keep(folder: Path, violation: ViolationError, calls: Sequence[Call]) -> Path:
    """Write a counterexample into the folder and return its path, the same for the same calls."""
    document = {
        "version": VERSION,
        "about": "Calls of the fixture functions; $run stands for the name of a fresh run.",
        "clause": violation.clause,
        "expected": violation.expected,
        "got": violation.got,
        "calls": calls,
    }
    name = hashlib.sha256(json.dumps(calls).encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{violation.clause}-{name}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def read(path: Path) -> Sequence[Call]:
    """Return the calls of a counterexample.

    Raises:
        CounterexampleError: The file is none of this version.
    """
    try:
        document: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CounterexampleError(f"{path}: {error}") from error
    calls = document.get("calls") if isinstance(document, dict) else None
    if not isinstance(calls, list) or document.get("version") != VERSION:
        raise CounterexampleError(f"{path} is no counterexample of version {VERSION}")
    if not all(isinstance(call, dict) and isinstance(call.get("call"), str) for call in calls):
        raise CounterexampleError(f"{path} has calls of another form")
    return calls


def replay(server: Server, calls: Sequence[Call], *, run: str = "") -> ViolationError | None:
    """Make the calls again, without Hypothesis, and return the violation that they still show.

    Args:
        server: The server.
        calls: What to do.
        run: The name of a fresh run; by default the server's.

    Raises:
        TooSlowError: Nothing can be said.
        WireError: The server stopped answering.
    """
    play = Play(server, run or server.run)
    try:
        for call in calls:
            play.do(call)
        play.finish()
    except ViolationError as violation:
        return violation
    finally:
        play.abandon()
    return None
