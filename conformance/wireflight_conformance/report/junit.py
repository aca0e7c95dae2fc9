"""JUnit XML, with the four ways a case can end that CI systems know."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from wireflight_conformance.events import CaseFinished, Event, RunFinished, RunStarted, RunStopped
from wireflight_conformance.verdicts import CaseResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["JUnitReport"]

# what went wrong at the target is a failure, what went wrong in the suite an error, and what
# could not be looked at a skip; a warning passes and says so in its output
_ELEMENTS: Final = {
    Verdict.FAIL: "failure",
    Verdict.TIMEOUT: "failure",
    Verdict.STALE: "failure",
    Verdict.HARNESS_ERROR: "error",
    Verdict.NOT_TESTABLE: "skipped",
    Verdict.UNSUPPORTED: "skipped",
    Verdict.KNOWN: "skipped",
}
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnitReport:
    """Collects the run and writes the file at its end, one suite for each file of cases."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._name = "wireflight-conformance"
        self._results: dict[str, list[CaseResult]] = {}
        self._stopped = ""

    def handle(self, event: Event) -> None:
        """Take an event; the last one writes the file."""
        if isinstance(event, RunStarted):
            self._name = f"wireflight-conformance {event.mode}"
        elif isinstance(event, CaseFinished):
            group = event.result.case.partition(".")[0]
            self._results.setdefault(group, []).append(event.result)
        elif isinstance(event, RunStopped):
            self._stopped = event.reason
        else:
            self._write(event)

    def _write(self, event: RunFinished) -> None:
        every = [result for results in self._results.values() for result in results]
        root = ET.Element("testsuites", {"name": self._name, **_counts(every)})
        root.set("time", f"{event.seconds:.3f}")
        for group, results in self._results.items():
            suite = ET.SubElement(root, "testsuite", {"name": group, **_counts(results)})
            suite.set("time", f"{sum(result.seconds for result in results):.3f}")
            for result in results:
                suite.append(_case(result))
        ET.indent(root)
        ET.ElementTree(root).write(self._path, encoding="utf-8", xml_declaration=True)


def _counts(results: Sequence[CaseResult]) -> Mapping[str, str]:
    kinds = [_ELEMENTS.get(result.verdict) for result in results]
    return {
        "tests": str(len(results)),
        "failures": str(kinds.count("failure")),
        "errors": str(kinds.count("error")),
        "skipped": str(kinds.count("skipped")),
    }


def _case(result: CaseResult) -> ET.Element:
    group, _, name = result.case.partition(".")
    element = ET.Element("testcase", classname=f"wireflight.{group}", name=_clean(name))
    element.set("time", f"{result.seconds:.3f}")
    kind = _ELEMENTS.get(result.verdict)
    text = "\n\n".join(
        f"{finding.clause}: expected {finding.expected}\ngot {finding.got}"
        + (f"\nreplay: {finding.trace.replay()[:4000]}" if finding.trace else "")
        for finding in result.findings
    )
    if kind is not None:
        first = result.findings[0] if result.findings else None
        message = f"{first.clause}: expected {first.expected}" if first else result.note[:300]
        child = ET.SubElement(element, kind, message=_clean(message))
        if kind != "skipped":
            child.set("type", result.verdict.value)
            child.text = _clean(text or result.note)
    elif result.verdict is Verdict.WARN:
        ET.SubElement(element, "system-out").text = _clean(f"warning\n{text}")
    return element


def _clean(text: str) -> str:
    """Return the text without the characters that XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
