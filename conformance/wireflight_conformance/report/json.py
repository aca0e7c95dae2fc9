"""The report for programs: one JSON document, described by ``results.schema.json`` beside it."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final

from wireflight_conformance import __version__
from wireflight_conformance.events import CaseFinished, Event, RunFinished, RunStarted, RunStopped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wireflight_conformance.clauses import Clause
    from wireflight_conformance.verdicts import CaseResult, Finding

__all__ = ["VERSION", "JsonReport"]

VERSION: Final = 1
"""Grows when a reader of the old form would read the new one wrongly."""


class JsonReport:
    """Collects the run and writes the file at its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cases: list[Mapping[str, object]] = []
        self._run: dict[str, object] = {}
        self._clauses: Mapping[str, Clause] = {}
        self._stopped: str | None = None

    def handle(self, event: Event) -> None:
        """Take an event; the last one writes the file."""
        if isinstance(event, RunStarted):
            self._clauses = event.clauses
            self._run = {
                "mode": event.mode,
                "target": event.target,
                "profile": event.profile,
                "seed": event.seed,
                "strict": event.strict,
                "has_fixture": event.has_fixture,
            }
        elif isinstance(event, CaseFinished):
            self._cases.append(_case(event.result))
        elif isinstance(event, RunStopped):
            self._stopped = event.reason
        else:
            self._path.write_text(json.dumps(self._document(event), indent=1) + "\n", "utf-8")

    def _document(self, event: RunFinished) -> dict[str, object]:
        return {
            "version": VERSION,
            "suite": __version__,
            "run": {
                **self._run,
                "seconds": round(event.seconds, 3),
                "exit_code": event.exit_code,
                "stopped": self._stopped,
            },
            "verdicts": {verdict.value: count for verdict, count in event.verdicts.items()},
            "clauses": [
                {
                    "id": clause.id,
                    "level": clause.level.value,
                    "section": clause.section,
                    "sentence": clause.sentence,
                    "digest": clause.digest,
                    "checks": event.coverage.get(clause.id, 0),
                }
                for clause in self._clauses.values()
            ],
            "untestable": list(event.untestable),
            "cases": self._cases,
        }


def _case(result: CaseResult) -> Mapping[str, object]:
    return {
        "id": result.case,
        "title": result.title,
        "clauses": list(result.clauses),
        "verdict": result.verdict.value,
        "seconds": round(result.seconds, 4),
        "checks": result.checks,
        "note": result.note,
        "findings": [_finding(finding) for finding in result.findings],
    }


def _finding(finding: Finding) -> Mapping[str, object]:
    trace = finding.trace
    return {
        "clause": finding.clause,
        "expected": finding.expected,
        "got": finding.got,
        "replay": trace.replay() if trace else None,
        "steps": [
            {
                "direction": step.direction.value,
                "base64": base64.b64encode(step.data).decode(),
                "at_ms": round(step.at_ms, 2),
            }
            for step in (trace.steps if trace else ())
        ],
    }
