"""The codec mode: what it asks, how it judges, and that no driver can stop or fool it."""

from __future__ import annotations

import io
import json
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from wireflight_conformance.cases.codec_vectors import CODEC_KINDS, judge, requests_of
from wireflight_conformance.cli import main
from wireflight_conformance.codec_driver import Codec, FaultError, ViolationError, violation_of
from wireflight_conformance.corpus import Vector, load_vectors
from wireflight_conformance.engine import ExitCode
from wireflight_conformance.modes.codec import (
    CodecRun,
    declared,
    embedded_command,
    run_codec,
    run_vectors,
)
from wireflight_conformance.modes.server import NoTargetError
from wireflight_conformance.report.console import Console
from wireflight_conformance.verdicts import Verdict
from wireflight_conformance.wire.pipe import Answer, Fault, Pipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LOOP = """
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"], "ok": request.get("value")}
    if request["op"] == "hello":
        answer["ok"] = {"name": "x", "version": 1, "lacks": []}
    %s
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[object]:
    """Start drivers that do one thing wrong, and end them."""
    started: list[Pipe] = []

    def start(fault: str, *, timeout: float = 5.0) -> Pipe:
        path = tmp_path / f"driver{len(started)}.py"
        path.write_text(LOOP % fault)
        started.append(Pipe(shlex.join([sys.executable, str(path)]), timeout=timeout))
        return started[-1]

    yield start
    for pipe in started:
        pipe.close()


def echoes(count: int) -> list[dict[str, object]]:
    return [{"op": "echo", "value": index} for index in range(count)]


def vector(name: str) -> Vector:
    return next(item for item in load_vectors() if item.name == name)


# -- the pipe ----------------------------------------------------------------------------------


def test_pipe_keeps_the_order_of_many_large_requests(driver) -> None:
    """Requests and answers that fill the pipes both ways all come back, in order."""
    pipe = driver("")
    requests = [{"op": "echo", "value": [index, "x" * 2000]} for index in range(2000)]
    answers = list(pipe.ask(requests))
    assert [answer.ok[0] for answer in answers] == list(range(2000))
    assert pipe.starts == 1


def test_pipe_blames_the_request_that_a_driver_ends_at_and_goes_on(driver) -> None:
    """One request kills the driver: it alone has no answer."""
    pipe = driver('if request.get("value") == 5: sys.stderr.write("sorry"); os._exit(3)')
    answers = list(pipe.ask(echoes(10)))
    faults = [index for index, answer in enumerate(answers) if isinstance(answer, Fault)]
    assert faults == [5]
    assert "exit code 3" in str(answers[5])
    assert "sorry" in str(answers[5])
    assert [answer.ok for answer in answers if isinstance(answer, Answer)] == [
        0,
        1,
        2,
        3,
        4,
        6,
        7,
        8,
        9,
    ]
    assert pipe.starts == 2


def test_pipe_ends_a_driver_that_hangs(driver) -> None:
    """A request without an answer in time is a timeout, and the next is answered."""
    pipe = driver('if request.get("value") == 1: time.sleep(60)', timeout=1.0)
    answers = list(pipe.ask(echoes(3)))
    assert isinstance(answers[1], Fault)
    assert answers[1].is_timeout
    assert [answers[0].ok, answers[2].ok] == [0, 2]


@pytest.mark.parametrize(
    "fault",
    [
        'if request.get("value") == 1: print("debug: hello")',
        'if request.get("value") == 1: answer["id"] += 1',
        'if request.get("value") == 1: answer = []',
        'if request.get("value") == 1: answer.pop("ok")',
        'if request.get("value") == 1: answer["error"] = 5; answer.pop("ok")',
        'if request.get("value") == 1: print("[" * 100000)',
    ],
)
def test_pipe_refuses_a_line_that_is_no_answer(driver, fault: str) -> None:
    """What is not the answer to the request is that request's fault alone."""
    answers = list(driver(fault).ask(echoes(3)))
    assert isinstance(answers[1], Fault)
    assert [answers[0].ok, answers[2].ok] == [0, 2]


def test_pipe_does_not_mix_answers_when_a_caller_stops_early(driver) -> None:
    """Answers that nobody waited for are not taken for those of the next requests."""
    pipe = driver("")
    first = pipe.ask(echoes(50))
    assert next(first).ok == 0
    first.close()
    assert [answer.ok for answer in pipe.ask([{"op": "echo", "value": "next"}])] == ["next"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/no/such/program", "cannot be started"),
        ("", "cannot be started"),
        (f"{shlex.quote(sys.executable)} -c pass", "ended"),
        (f"{shlex.quote(sys.executable)} -c 'print(1)'", "no answer"),
    ],
)
def test_codec_mode_refuses_a_command_that_is_no_driver(command: str, words: str) -> None:
    """A driver that does not greet back is no target, and says why."""
    with Pipe(command, timeout=2.0) as pipe, pytest.raises(NoTargetError, match=words):
        declared(pipe)


# -- judging -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "answers", "is_right"),
    [
        ("decode:cycle-array", [Answer(error="invalid_payload")] * 2, True),
        ("decode:cycle-array", [Answer(error="too_deep")] * 2, False),
        ("decode:cycle-array", [Answer(error="invalid_payload"), Answer(ok=[])], False),
        ("decode:cycle-array", [Answer(unsupported="no")] * 2, False),
        ("decode:value-true", [Answer(ok=True)] * 2, True),
        ("decode:value-true", [Answer(ok=1)] * 2, False),
        ("decode:value-true", [Answer(error="invalid_payload")] * 2, False),
        ("decode:entry-duplicate-name", [Answer(error="invalid_payload")] * 2, True),
        ("decode:entry-duplicate-name", [Answer(ok={"$object": [["a", "x"]]})] * 2, True),
        ("decode:entry-duplicate-name", [Answer(ok={"$object": []})] * 2, False),
        ("decode:depth-array-over-limit", [Answer(error="too_deep", limit="depth")], True),
        ("decode:depth-array-over-limit", [Answer(error="too_deep")], False),
        ("encode:root-one", [Answer(ok="[1]")], True),
        ("encode:root-one", [Answer(ok="[1.0]")], False),
        ("encode:root-one", [Answer(ok=1)], False),
        ("canonical:root-undefined", [Answer(ok="-1"), Answer(ok="")], True),
        ("canonical:root-undefined", [Answer(ok="-1"), Answer(ok="LTE")], False),
        ("number:write-one", [Answer(ok="[1]")], True),
        ("number:read-one-point-zero", [Answer(ok=1)], True),
        ("number:read-one-point-zero", [Answer(ok=2)], False),
        ("plain:out-minus-zero", [Answer(ok="0")], True),
        ("plain:out-minus-zero", [Answer(ok="-0")], False),
        ("plain:out-minus-zero", [Answer(ok="zero")], False),
        ("plain:out-map", [Answer(ok='[["k",1], [2,"v"]]')], True),
        ("key:parse-argument", [Answer(ok=["get_post", "WyJoZWxsby13b3JsZCJd"])], True),
        ("key:parse-argument", [Answer(ok=["get_post", ""])], False),
    ],
)
def test_codec_mode_judges_answers(name: str, answers: Sequence[Answer], *, is_right: bool) -> None:
    """An answer is right if it is the one that the vector wants, and no other."""
    assert (judge(vector(name), answers) is None) is is_right


def test_codec_mode_takes_the_other_text_where_identity_is_lacking() -> None:
    """A language that declares no identity may write what is shared twice."""
    shared = vector("encode:steps-shared-array")
    apart = [Answer(ok=shared.text("without"))]
    assert judge(shared, apart) is not None
    assert judge(shared, apart, {"identity"}) is None


def test_codec_mode_asks_something_for_every_vector_of_its_kinds() -> None:
    """No vector of a codec's kind is passed over."""
    for item in load_vectors():
        if item.kind in CODEC_KINDS:
            assert requests_of(item), item.name


# -- whole runs --------------------------------------------------------------------------------


def test_codec_mode_finds_each_vector_of_a_codec_that_knows_nothing(driver) -> None:
    """A driver that answers everything with its own word passes no vector."""
    pipe = driver('answer["ok"] = "?" if request["op"] != "hello" else answer["ok"]')
    vectors = [item for item in load_vectors() if item.kind in CODEC_KINDS]
    results = list(run_vectors(vectors, pipe, declared(pipe)))
    quiet = [r for r in results if r.verdict is Verdict.PASS]
    # it accepted: right only where the value is too large to be written out
    assert all("value" not in v.fields for v, r in zip(vectors, results, strict=True) if r in quiet)
    assert len(quiet) < 60


def test_codec_mode_stops_when_a_driver_answers_nothing(driver) -> None:
    """A driver that ends at every request does not keep the run going."""
    pipe = driver('if request["op"] != "hello": os._exit(1)')
    stream = io.StringIO()
    console = Console(stream, colour=False)
    outcome = run_codec(CodecRun("x", profile="smoke"), pipe, [console])
    assert outcome.exit_code == ExitCode.VIOLATION
    assert "stopped" in stream.getvalue()
    assert pipe.starts < 50


def test_codec_mode_reports_what_a_language_lacks_as_unsupported(driver) -> None:
    """What the driver declares is not asked, and counts apart."""
    pipe = driver('if request["op"] == "hello": answer["ok"]["lacks"] = ["view"]')
    view = vector("encode:bytes-view")
    (result,) = run_vectors([view], pipe, declared(pipe))
    assert result.verdict is Verdict.UNSUPPORTED
    assert result.checks == {}


def test_codec_mode_writes_the_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command runs the reference's vectors and writes JSON and JUnit."""
    report, junit = tmp_path / "x.json", tmp_path / "x.xml"
    words = ["codec", "--embedded", "--only", "KEY-8", "--json", str(report), "--junit", str(junit)]
    assert main(words) == ExitCode.CONFORMANT
    found = json.loads(report.read_text())
    assert found["run"]["mode"] == "codec"
    assert {case["verdict"] for case in found["cases"]} == {"pass"}
    assert len(found["cases"]) > 60
    assert "codec_key" in junit.read_text()
    assert "KEY-8" not in capsys.readouterr().err


def test_codec_mode_needs_one_driver(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither or both ways to name the driver are a usage error."""
    for words in (["codec"], ["codec", "--embedded", "--cmd", "x"]):
        with pytest.raises(SystemExit) as stopped:
            main(words)
        assert stopped.value.code == ExitCode.USAGE
    assert "--cmd or --embedded" in capsys.readouterr().err


def test_codec_mode_has_nothing_to_run_for_a_clause_of_servers() -> None:
    """A selection that no codec case fits is not a success."""
    assert main(["codec", "--embedded", "--only", "SEC-4"]) == ExitCode.NOTHING_RAN


# -- properties --------------------------------------------------------------------------------


def test_codec_driver_has_one_exception_for_each_clause() -> None:
    """Each clause has its own subclass, and always the same one."""
    assert violation_of("PAY-1") is violation_of("PAY-1")
    assert violation_of("PAY-1") is not violation_of("PAY-2")
    assert issubclass(violation_of("PAY-1"), ViolationError)


def test_codec_driver_counts_checks_and_raises_the_finding(driver) -> None:
    """A check that does not hold carries its clause, what was expected and what came."""
    codec = Codec(driver(""))
    codec.check("PAY-1", True, "a", "a")
    with pytest.raises(ViolationError) as raised:
        codec.check("PAY-1", False, "a", "b")
    assert codec.checks == {"PAY-1": 2}
    assert (raised.value.finding.expected, raised.value.finding.got) == ("a", "b")


def test_codec_driver_raises_where_no_answer_came(driver) -> None:
    """A property sees a fault as an exception."""
    codec = Codec(driver("os._exit(1)"))
    with pytest.raises(FaultError):
        codec.ask("encode", value=1)


def test_embedded_codec_passes_the_vectors_of_keys_and_payloads() -> None:
    """The reference behind its driver does what these vectors say."""
    vectors = [item for item in load_vectors() if item.kind in ("key", "payload")]
    with Pipe(embedded_command()) as pipe:
        results = list(run_vectors(vectors, pipe, declared(pipe)))
    wrong = [(r.case, [f.got for f in r.findings]) for r in results if r.findings]
    assert not wrong
