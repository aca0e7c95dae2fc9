"""What a person at a terminal sees: progress, every failure with its replay, the sums."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final, TextIO

from wireflight_conformance.events import CaseFinished, Event, RunFinished, RunStarted, RunStopped
from wireflight_conformance.verdicts import CaseResult, Finding, Verdict
from wireflight_conformance.wire.trace import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireflight_conformance.clauses import Clause

__all__ = ["Console"]

_COLOURS: Final = {
    Verdict.PASS: "32",
    Verdict.FAIL: "31",
    Verdict.TIMEOUT: "31",
    Verdict.HARNESS_ERROR: "35",
    Verdict.WARN: "33",
    Verdict.STALE: "31",
}
_REPLAY_LIMIT: Final = 4000


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
        self._clauses: Mapping[str, Clause] = clauses or {}

    def handle(self, event: Event) -> None:
        """Write what the event says."""
        if isinstance(event, RunStarted):
            self._total, self._clauses = event.cases, event.clauses
            strict = ", strict" if event.strict else ""
            seed = f", seed {event.seed}" if event.seed else ""
            self._line(
                f"{event.mode} {event.target}: {event.cases} cases, profile {event.profile}"
                f"{seed}{strict}"
            )
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

    def _clear(self) -> None:
        if self._live:
            self._stream.write("\r\x1b[K")

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _finished(self, event: CaseFinished) -> None:
        result = event.result
        self._clear()
        if result.verdict is not Verdict.PASS:
            self.show(result)
        elif self._verbose:
            self._line(f"{self._paint('32', 'pass')} {result.case}")
        if self._live:
            self._stream.write(f"{event.done}/{self._total} {result.case}"[:78])
            self._stream.flush()

    def show(self, result: CaseResult) -> None:
        """Write one result that did not pass, with all that helps to replay it."""
        word = result.verdict.value.replace("_", " ")
        head = self._paint(_COLOURS.get(result.verdict, "36"), word)
        if not result.findings:
            note = result.note if result.verdict is Verdict.HARNESS_ERROR else result.note[:200]
            self._line(f"{head} {result.case}: {note}")
            return
        self._line(f"\n{head} {result.case}\n  {result.title}")
        for finding in result.findings:
            self._finding(finding)
        if result.verdict is Verdict.HARNESS_ERROR:
            self._line(textwrap.indent(result.note, "  "))

    def _finding(self, finding: Finding) -> None:
        clause = self._clauses.get(finding.clause)
        sentence = clause.sentence if clause else ""
        label = self._paint("1", finding.clause)
        self._line(
            textwrap.fill(f"{label} {sentence}", 96, initial_indent="  ", subsequent_indent="    ")
        )
        self._line(f"    expected  {finding.expected}")
        self._line(f"    got       {finding.got}")
        if finding.trace is None:
            return
        self._line("    sent")
        self._line(textwrap.indent(printable(finding.trace.sent, 1200), "      | "))
        self._line("    received")
        received = printable(finding.trace.received, 1200) or "(nothing)"
        self._line(textwrap.indent(received, "      | "))
        for note in finding.trace.notes:
            self._line(f"    note      {note}")
        replay = finding.trace.replay()
        if len(replay) > _REPLAY_LIMIT:
            replay = "the request is long: its bytes are in the report that --json writes"
        self._line(f"    replay    {replay}")

    def _summary(self, event: RunFinished) -> None:
        counts = [
            self._paint(_COLOURS.get(verdict, "36"), f"{count} {verdict.value.replace('_', ' ')}")
            for verdict in Verdict
            if (count := event.verdicts.get(verdict, 0))
        ]
        checks = sum(event.coverage.values())
        exercised = sum(1 for count in event.coverage.values() if count)
        self._line(f"\n{', '.join(counts) or 'nothing ran'} in {event.seconds:.1f} s")
        self._line(f"{checks} checks of {exercised} clauses")
        if event.uncovered:
            self._line(f"cited and not exercised: {', '.join(event.uncovered)}")
