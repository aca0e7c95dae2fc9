"""What reporters write, from events alone."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from wireflight_conformance import report
from wireflight_conformance.clauses import load
from wireflight_conformance.events import CaseFinished, Event, Reporter, RunFinished, RunStarted
from wireflight_conformance.report.console import Console
from wireflight_conformance.report.json import JsonReport
from wireflight_conformance.report.junit import JUnitReport
from wireflight_conformance.verdicts import CaseResult, Finding, Verdict
from wireflight_conformance.wire.trace import Direction, Request, Trace


def traced() -> Trace:
    trace = Trace("http://127.0.0.1:8000")
    trace.request = Request("GET", "/fx/none", [("Host", "x")])
    trace.add(Direction.SENT, trace.request.to_bytes(), 0.0)
    trace.add(Direction.RECEIVED, b"HTTP/1.1 500 \x00\xff\r\n\r\n", 1.5)
    return trace


def events() -> list[Event]:
    """Return a run with one case of each verdict."""
    finding = Finding("HTTP-2", "a result", "500 \x00 <&>", traced())
    results = [
        CaseResult(
            f"http.{verdict.value}",
            "It holds.",
            ("HTTP-2",),
            verdict,
            0.25,
            (finding,) if verdict in (Verdict.FAIL, Verdict.WARN, Verdict.TIMEOUT) else (),
            {"HTTP-2": 1},
            "a note",
        )
        for verdict in Verdict
    ]
    started = RunStarted("server", "http://x", "quick", 0, False, len(results), load())
    finished = RunFinished(1, 2.5, dict.fromkeys(Verdict, 1), {"HTTP-2": 9}, ["FUN-7"])
    return [started, *(CaseFinished(r, n) for n, r in enumerate(results, 1)), finished]


def play(reporter: Reporter) -> None:
    for event in events():
        reporter.handle(event)


def test_junit_counts_failures_errors_and_skips(tmp_path: Path) -> None:
    """Each verdict is the one element that a CI system reads it by."""
    play(JUnitReport(tmp_path / "out.xml"))
    root = ET.parse(tmp_path / "out.xml").getroot()
    kinds = {case.attrib["name"]: [child.tag for child in case] for case in root.iter("testcase")}
    assert kinds == {
        "pass": [],
        "fail": ["failure"],
        "warn": ["system-out"],
        "unsupported": ["skipped"],
        "not_testable": ["skipped"],
        "known": ["skipped"],
        "stale": ["failure"],
        "harness_error": ["error"],
        "timeout": ["failure"],
    }
    for element in (root, root.find("testsuite")):
        assert element is not None
        counts = [element.attrib[name] for name in ("tests", "failures", "errors", "skipped")]
        assert counts == ["9", "3", "1", "3"]
        assert float(element.attrib["time"]) == pytest.approx(2.5 if element is root else 2.25)


def test_junit_says_what_failed_and_how_to_replay_it(tmp_path: Path) -> None:
    """The text has clause, expectation, answer and command, and no character XML cannot hold."""
    play(JUnitReport(tmp_path / "out.xml"))
    failure = ET.parse(tmp_path / "out.xml").getroot().find(".//failure")
    assert failure is not None
    assert failure.attrib["message"] == "HTTP-2: expected a result"
    assert "got 500 \ufffd <&>" in (failure.text or "")
    assert "replay: curl" in (failure.text or "")


def test_json_report_is_of_its_schema(tmp_path: Path) -> None:
    """The file says its version and validates."""
    play(JsonReport(tmp_path / "out.json"))
    document = json.loads((tmp_path / "out.json").read_text())
    schema = json.loads((Path(report.__file__).parent / "results.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["version"] == 1
    assert len(document["cases"]) == len(Verdict)
    steps = document["cases"][1]["findings"][0]["steps"]
    assert [step["direction"] for step in steps] == ["sent", "received"]


def test_console_shows_clause_bytes_and_replay() -> None:
    """A failure can be understood and repeated from what stands there."""
    stream = io.StringIO()
    play(Console(stream, colour=False))
    text = stream.getvalue()
    assert "HTTP-2 A server MUST accept a query by GET and by POST" in text
    assert "expected  a result" in text
    assert "| HTTP/1.1 500 \\x00\\xff" in text
    assert "replay    curl" in text
    assert "1 pass, 1 fail, 1 warn" in text
    assert "cited and not exercised: FUN-7" in text
    assert "\x1b" not in text


def test_console_colours_only_when_told() -> None:
    """Colour is an option and no guess of the reporter."""
    stream = io.StringIO()
    play(Console(stream, colour=True))
    assert "\x1b[31mfail\x1b[0m" in stream.getvalue()
