"""The codec mode: drives a codec behind a pipe of JSON lines.

The codec stands in a *driver*, a program that reads one request from each line of its standard
input and writes one answer to each line of its standard output, in the order of the requests, until
its input ends. Requests come without waiting for answers. A driver does nothing but call the codec:

    {"id": 7, "op": "encode", "value": {"$object": [["a", 1]]}}
    {"id": 7, "ok": "[{\\"a\\":1},1]"}

    {"id": 8, "op": "decode", "mode": "request", "text": "[[0]]"}
    {"id": 8, "error": "invalid_payload"}

Values are tagged JSON, and `fx.Money` is registered, as spec/vectors/README.md says.

    op              fields                        ok
    hello           version: 1                    {name, version: 1, lacks: [need, ...]}
    echo            value                         that value, untouched: the control of the speed
    decode          mode, text or hex, quiet?     the value (quiet: true instead of it)
    encode          value                         the text
    recode          text                          decoded as a response and encoded again
    canonical       value                         the canonical text
    payload         value                         the payload
    decode_payload  payload, quiet?               the value
    plain_decode    text or hex, quiet?           the value
    plain_encode    value                         the JSON text
    parse_key       key                           [function id, payload]
    make_key        function, value               the key

An answer is {"id", "ok"}, {"id", "error": code, "limit"?: name} or {"id", "unsupported": reason}.
Codes are those of a payload that does not decode, `unencodable`, `no_normal_form` and
`invalid_key`. `lacks` names what the language cannot express (`needs` in the README): what it names
is not asked; "unsupported" to anything else fails.

A driver that does not answer in time, ends, or writes another line is started again: the request
that it owed an answer to fails, the rest goes on.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wireflight_conformance.cases import PROFILES
from wireflight_conformance.cases.codec_growth import load_growth
from wireflight_conformance.cases.codec_properties import load_properties
from wireflight_conformance.cases.codec_vectors import (
    CODEC_KINDS,
    is_lacking,
    judge,
    requests_of,
    title_of,
)
from wireflight_conformance.clauses import load
from wireflight_conformance.codec_driver import Codec, CodecCase, FaultError, ViolationError
from wireflight_conformance.corpus import Vector, load_vectors
from wireflight_conformance.engine import ExitCode, Outcome
from wireflight_conformance.engine import judge as judge_findings
from wireflight_conformance.events import CaseFinished, RunFinished, RunStarted, RunStopped
from wireflight_conformance.report.console import Console
from wireflight_conformance.verdicts import CaseResult, Finding, Verdict
from wireflight_conformance.wire.pipe import Answer, Fault, Pipe, StartError

from .server import NoTargetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wireflight_conformance.clauses import Clause
    from wireflight_conformance.events import Event, Reporter
    from wireflight_conformance.wire.pipe import Request, Transport

__all__ = ["CodecRun", "add_command", "declared", "embedded_command", "run_codec", "run_vectors"]

_EXAMPLES: Final[Mapping[str, int]] = {"smoke": 0, "quick": 100, "full": 1000}
_MOST_FAULTS: Final = 20


@dataclass(frozen=True, slots=True)
class CodecRun:
    """What the user asked for."""

    name: str
    profile: str = "quick"
    seed: int = 0
    strict: bool = False
    only: Sequence[str] = ()


def declared(pipe: Pipe) -> frozenset[str]:
    """Greet the driver and return what its language lacks.

    Raises:
        NoTargetError: It cannot be started or does not greet back.
    """
    try:
        hello = pipe.hello()
    except StartError as error:
        raise NoTargetError(f"the codec's driver: {error}") from error
    match hello.ok:
        case {"version": 1, "lacks": list(lacks)}:
            return frozenset(str(name) for name in lacks)
    raise NoTargetError(f"the codec's driver answered hello with {hello}")


def _is_chosen(only: Sequence[str], case: str, clauses: Sequence[str]) -> bool:
    return not only or any(name in clauses or case.startswith(name) for name in only)


def run_vectors(
    vectors: Sequence[Vector], transport: Transport, lacks: frozenset[str]
) -> Iterator[CaseResult]:
    """Put vectors to a codec, pipelined, and yield their results in order."""
    asked = [vector for vector in vectors if not is_lacking(vector, lacks)]
    questions = {vector.name: requests_of(vector) for vector in asked}
    flat = [request for vector in asked for request in questions[vector.name]]
    answers = transport.ask(flat)
    started = time.monotonic()
    for vector in vectors:
        if vector.name not in questions:
            note = f"the language lacks {vector.needs}"
            yield _result(vector, Verdict.UNSUPPORTED, 0.0, None, note)
            continue
        found = [next(answers) for _ in questions[vector.name]]
        seconds, started = time.monotonic() - started, time.monotonic()
        yield _judged(vector, found, lacks, seconds)


def _judged(
    vector: Vector, found: Sequence[Answer | Fault], lacks: frozenset[str], seconds: float
) -> CaseResult:
    answers = [item for item in found if isinstance(item, Answer)]
    for item in found:
        if isinstance(item, Fault):
            finding = Finding(vector.clauses[0], "an answer", item.message)
            verdict = Verdict.TIMEOUT if item.is_timeout else Verdict.FAIL
            return _result(vector, verdict, seconds, finding)
    wrong = judge(vector, answers, lacks)
    return _result(vector, Verdict.FAIL if wrong else Verdict.PASS, seconds, wrong)


def _result(
    vector: Vector, verdict: Verdict, seconds: float, finding: Finding | None, note: str = ""
) -> CaseResult:
    is_run = verdict is not Verdict.UNSUPPORTED
    return CaseResult(
        f"codec_{vector.kind}.{vector.id}",
        title_of(vector),
        vector.clauses,
        verdict,
        seconds,
        (finding,) if finding else (),
        dict.fromkeys(vector.clauses, 1) if is_run else {},
        note,
    )


def run_case(
    case: CodecCase, codec: Codec, clauses: Mapping[str, Clause], *, strict: bool = False
) -> CaseResult:
    """Run one property to its verdict."""
    from hypothesis.errors import HypothesisException

    started = time.monotonic()
    findings: list[Finding] = []
    verdict, note = Verdict.PASS, ""
    try:
        case.run(codec)
    except ViolationError as error:
        findings.append(error.finding)
        verdict = judge_findings(findings, clauses, strict)
    except FaultError as error:
        findings.append(Finding(case.clauses[0], "an answer", f"{error} to {error.request}"[:600]))
        verdict = Verdict.TIMEOUT if error.fault.is_timeout else Verdict.FAIL
    except HypothesisException as error:
        # e.g. Flaky: the codec answered the same request in two ways
        findings.append(Finding(case.clauses[0], "the same answer each time", str(error)[:600]))
        verdict = Verdict.FAIL
    seconds = time.monotonic() - started
    return CaseResult(
        *(case.id, case.title, case.clauses, verdict, seconds),
        tuple(findings),
        dict(codec.checks),
        note,
    )


def run_codec(run: CodecRun, pipe: Pipe, reporters: Sequence[Reporter]) -> Outcome:
    """Run the vectors and properties against a codec.

    Raises:
        NoTargetError: Its driver cannot be driven.
    """
    clauses, lacks = load(), declared(pipe)
    vectors = [
        vector
        for vector in load_vectors()
        if vector.kind in CODEC_KINDS
        and _is_chosen(run.only, f"codec_{vector.kind}.{vector.id}", vector.clauses)
    ]
    rank = PROFILES.index(run.profile)
    cases = [
        case
        for case in (*load_properties().values(), *load_growth().values())
        if (run.only or PROFILES.index(case.profile) <= rank)
        and _is_chosen(run.only, case.id, case.clauses)
    ]
    started = time.monotonic()
    results: list[CaseResult] = []

    def tell(event: Event) -> None:
        for reporter in reporters:
            reporter.handle(event)

    total = len(vectors) + len(cases)
    tell(RunStarted("codec", run.name, run.profile, run.seed, run.strict, total, clauses))
    faults = 0
    for result in _results(run, pipe, lacks, vectors, cases):
        results.append(result)
        tell(CaseFinished(result, len(results)))
        faults += any(f.expected == "an answer" for f in result.findings)
        if faults >= _MOST_FAULTS:
            tell(RunStopped(f"the driver left {faults} cases without an answer"))
            break
    coverage: Counter[str] = Counter()
    for result in results:
        coverage.update(result.checks)
    code = _exit_code(results)
    verdicts = Counter(result.verdict for result in results)
    cited = {name for vector in vectors for name in vector.clauses}
    cited |= {name for case in cases for name in case.clauses}
    uncovered = sorted(name for name in cited if not coverage.get(name))
    tell(RunFinished(code, time.monotonic() - started, verdicts, coverage, uncovered))
    return Outcome(code, results, dict(coverage))


def _results(
    run: CodecRun,
    pipe: Pipe,
    lacks: frozenset[str],
    vectors: Sequence[Vector],
    cases: Sequence[CodecCase],
) -> Iterator[CaseResult]:
    yield from run_vectors(vectors, pipe, lacks)
    for case in cases:
        examples = _EXAMPLES[run.profile] or _EXAMPLES["quick"]
        yield run_case(case, Codec(pipe, lacks, examples, run.seed), load(), strict=run.strict)


def _exit_code(results: Sequence[CaseResult]) -> ExitCode:
    verdicts = {result.verdict for result in results}
    if Verdict.HARNESS_ERROR in verdicts:
        return ExitCode.SUITE_ERROR
    if not verdicts - {Verdict.UNSUPPORTED, Verdict.NOT_TESTABLE}:
        return ExitCode.NOTHING_RAN
    if any(verdict.is_red for verdict in verdicts):
        return ExitCode.VIOLATION
    return ExitCode.CONFORMANT


# -- the command -------------------------------------------------------------------------------


def embedded_command() -> str:
    """Return the command of the reference codec's driver."""
    return f"'{sys.executable}' -m wireflight_conformance.embedded.codec"


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `codec`."""
    codec = commands.add_parser(
        "codec",
        help="drive a codec behind a pipe of JSON lines",
        description=__doc__,
        epilog="examples:\n"
        "  wireflight-conformance codec --embedded\n"
        "  wireflight-conformance codec --cmd 'node driver.mjs' --only PAY-6\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    codec.add_argument("--cmd", metavar="COMMAND", help="the driver's command")
    codec.add_argument("--embedded", action="store_true", help="drive the reference codec")
    codec.add_argument(
        "--profile",
        choices=PROFILES,
        default="quick",
        help="smoke: the vectors; quick (default): also properties; full: more, and growth",
    )
    codec.add_argument("--seed", type=int, default=0, metavar="N", help="draw by this number")
    codec.add_argument("--only", action="append", default=[], metavar="CLAUSE|CASE")
    codec.add_argument("--strict", action="store_true", help="a SHOULD that does not hold fails")
    codec.add_argument("--json", type=Path, metavar="FILE", help="write the report for programs")
    codec.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    codec.add_argument(
        "--timeout", type=float, default=5.0, metavar="SECONDS", help="longest wait for one answer"
    )
    codec.add_argument("--speed", action="store_true", help="measure vectors per second, and echo")
    codec.add_argument("--verbose", action="store_true", help="name passing cases too")
    codec.add_argument("--no-color", action="store_true", help="no colours")
    codec.set_defaults(run=_codec)


def _codec(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if bool(parsed.cmd) == parsed.embedded:
        parser.error("codec needs --cmd or --embedded, and not both")
    command = parsed.cmd or embedded_command()
    with Pipe(command, timeout=parsed.timeout) as pipe:
        if parsed.speed:
            return _speed(pipe)
        colour = sys.stdout.isatty() and not parsed.no_color and "NO_COLOR" not in os.environ
        reporters: list[Reporter] = [Console(sys.stdout, colour=colour, verbose=parsed.verbose)]
        if parsed.json:
            from wireflight_conformance.report.json import JsonReport

            reporters.append(JsonReport(parsed.json))
        if parsed.junit:
            from wireflight_conformance.report.junit import JUnitReport

            reporters.append(JUnitReport(parsed.junit))
        name = "reference" if parsed.embedded else parsed.cmd
        run = CodecRun(name, parsed.profile, parsed.seed, parsed.strict, parsed.only)
        return run_codec(run, pipe, reporters).exit_code


def _speed(pipe: Pipe) -> int:
    """Print how many requests of short vectors, and of echoes, go through in a second."""
    lacks = declared(pipe)
    short = [
        request
        for vector in load_vectors()
        if vector.kind in CODEC_KINDS and not is_lacking(vector, lacks)
        for request in requests_of(vector)
        if len(str(request)) < 400
    ]
    echoes: list[Request] = [{"op": "echo", "value": 1}] * (len(short) * 10)
    for name, requests in (("vectors", short * 10), ("echo (control)", echoes)):
        started = time.perf_counter()
        count = sum(1 for _ in pipe.ask(requests))
        print(f"{name}: {count / (time.perf_counter() - started):,.0f} requests/s")
    return ExitCode.CONFORMANT
