"""What a person at a terminal sees: progress, every failure with its replay, the sums."""

from __future__ import annotations

import shutil
import textwrap
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final, TextIO

from wireflight_conformance.events import CaseFinished, Event, RunFinished, RunStarted, RunStopped
from wireflight_conformance.verdicts import CaseResult, Finding, Verdict
from wireflight_conformance.wire.trace import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wireflight_conformance.clauses import Clause
    from wireflight_conformance.wire.trace import Trace

__all__ = ["Console"]

_COLOURS: Final = {
    Verdict.PASS: "32",
    Verdict.FAIL: "31",
    Verdict.TIMEOUT: "31",
    Verdict.HARNESS_ERROR: "35",
    Verdict.WARN: "33",
    Verdict.STALE: "31",
}
_WIDTH: Final = 80
_REPLAY_LIMIT: Final = 4000
_TRACE_LIMIT: Final = 1200
_EXCHANGES: Final = 3
"""Of one case, how many exchanges are shown whole; the JSON report has all."""
_IN_FULL: Final = 20
"""How many results are shown whole; of more than these, one line each is enough."""
_UNTESTED: Final = frozenset({Verdict.NOT_TESTABLE, Verdict.UNSUPPORTED})


def _word(verdict: Verdict) -> str:
    return verdict.value.replace("_", " ")


def _quoted(data: bytes) -> str:
    text = printable(data, _TRACE_LIMIT).rstrip("\n") or "(nothing)"
    return textwrap.indent(text, "      | ", lambda _: True)


class Console:
    """Writes to a terminal or a file, with colour only where it is wanted."""

    def __init__(
        self,
        stream: TextIO,
        *,
        colour: bool,
        verbose: bool = False,
        clauses: Mapping[str, Clause] | None = None,
    ) -> None:
        self._stream = stream
        self._colour = colour
        self._verbose = verbose
        self._live = stream.isatty()
        self._total = 0
        self._shown = 0
        self._violated: Counter[str] = Counter()
        self._untested: Counter[tuple[Verdict, str]] = Counter()
        self._clauses: Mapping[str, Clause] = clauses or {}

    def handle(self, event: Event) -> None:
        """Write what the event says."""
        if isinstance(event, RunStarted):
            self._started(event)
        elif isinstance(event, CaseFinished):
            self._finished(event)
        elif isinstance(event, RunStopped):
            self._clear()
            self._line(self._paint("31", f"stopped: {event.reason}"))
        else:
            self._clear()
            self._summary(event)

    def _line(self, text: str = "") -> None:
        self._stream.write(text + "\n")
        self._stream.flush()

    def _fill(self, text: str, first: str, then: str) -> None:
        # the words of a value are no words: they are broken nowhere but at spaces
        self._line(
            textwrap.fill(
                text,
                _WIDTH,
                initial_indent=first,
                subsequent_indent=then,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )

    def _clear(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _started(self, event: RunStarted) -> None:
        self._total, self._clauses = event.cases, event.clauses
        strict = ", strict" if event.strict else ""
        seed = f", seed {event.seed}" if event.seed else ""
        self._line(
            f"{event.mode} {event.target}: {event.cases} cases, profile {event.profile}"
            f"{seed}{strict}"
        )
        if not event.has_fixture:
            self._fill(
                "It does not mount the fixture functions (section 20 of the protocol), so that "
                "only cases are run that need none; the others are counted apart. `doctor URL` "
                "shows what answers below this path.",
                "",
                "",
            )

    def _finished(self, event: CaseFinished) -> None:
        result = event.result
        self._clear()
        if result.verdict in _UNTESTED or (result.note and not result.seconds):
            # many for one reason: a target that offers less, a run that was stopped
            self._untested[result.verdict, result.note] += 1
            if self._verbose:
                self._line(f"{self._painted(result.verdict)} {result.case}")
        elif result.verdict is not Verdict.PASS:
            self._note(result)
        elif self._verbose:
            self._line(f"{self._paint('32', 'pass')} {result.case}")
        if self._live:
            room = min(shutil.get_terminal_size().columns, _WIDTH) - 2
            self._stream.write(f"{event.done}/{self._total} {result.case}"[:room])
            self._stream.flush()

    def _note(self, result: CaseResult) -> None:
        self._violated.update({finding.clause for finding in result.findings})
        self._shown += 1
        if self._shown <= _IN_FULL or self._verbose:
            self.show(result)
            return
        if self._shown == _IN_FULL + 1:
            self._line(
                "\nof the others one line each (whole: --verbose, --only CASE or --json FILE)"
            )
        told = f": {result.findings[0].clause}" if result.findings else ""
        self._line(f"{self._painted(result.verdict)} {result.case}{told}")

    def _painted(self, verdict: Verdict) -> str:
        return self._paint(_COLOURS.get(verdict, "36"), _word(verdict))

    def show(self, result: CaseResult) -> None:
        """Write one result that did not pass, with all that helps to replay it."""
        head = self._painted(result.verdict)
        if not result.findings:
            note = result.note if result.verdict is Verdict.HARNESS_ERROR else result.note[:200]
            self._line(f"{head} {result.case}: {note}")
            return
        self._line(f"\n{head} {result.case}")
        self._fill(result.title, "  ", "  ")
        told: set[str] = set()
        exchanges = [list(found) for _, found in groupby(result.findings, lambda f: id(f.trace))]
        for findings in exchanges[:_EXCHANGES]:
            self._findings(findings, told)
        rest = sum(len(findings) for findings in exchanges[_EXCHANGES:])
        if rest:
            self._line(f"  and {rest} more findings, which the report of --json has")
        if result.verdict is Verdict.HARNESS_ERROR:
            self._line(textwrap.indent(result.note, "  "))

    def _findings(self, findings: Sequence[Finding], told: set[str]) -> None:
        """Write what was found in one exchange, and then the exchange."""
        for finding in findings:
            self._sentence(finding.clause, told)
            self._fill(finding.expected, "    expected  ", " " * 14)
            self._fill(finding.got, "    got       ", " " * 14)
        if findings[0].trace is not None:
            self._trace(findings[0].trace)

    def _sentence(self, clause_id: str, told: set[str]) -> None:
        clause = self._clauses.get(clause_id)
        sentence = clause.sentence if clause and clause_id not in told else ""
        told.add(clause_id)
        lines = textwrap.wrap(
            f"{clause_id} {sentence}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
        # painted after it is wrapped: the marks of a colour have no width
        lines[0] = lines[0].replace(clause_id, self._paint("1", clause_id), 1)
        self._line("\n".join(lines))

    def _trace(self, trace: Trace) -> None:
        self._line("    sent")
        self._line(_quoted(trace.sent))
        self._line("    received")
        self._line(_quoted(trace.received))
        for note in trace.notes:
            self._line(f"    note      {note}")
        replay = trace.replay()
        if len(replay) > _REPLAY_LIMIT:
            replay = "the request is long: its bytes are in the report that --json writes"
        self._line(f"    replay    {replay}")

    def _summary(self, event: RunFinished) -> None:
        counts = [
            self._paint(_COLOURS.get(verdict, "36"), f"{count} {_word(verdict)}")
            for verdict in Verdict
            if (count := event.verdicts.get(verdict, 0))
        ]
        checks = sum(event.coverage.values())
        exercised = sum(1 for count in event.coverage.values() if count)
        self._line(f"\n{', '.join(counts) or 'nothing ran'} in {event.seconds:.1f} s")
        self._line(f"{checks} checks of {exercised} clauses")
        for (verdict, note), count in self._untested.most_common():
            self._fill(f"{_word(verdict)}: {count} cases: {note}", "", "  ")
        if self._violated:
            most = self._violated.most_common()
            self._list("violated", [f"{name} ({count})" for name, count in most])
        if event.uncovered:
            self._list("cited and not exercised", event.uncovered)
        if event.untestable:
            self._list(f"not testable here: {len(event.untestable)} clauses", event.untestable)

    def _list(self, label: str, names: Iterable[str]) -> None:
        self._fill(f"{label}: {', '.join(names)}", "", "  ")
