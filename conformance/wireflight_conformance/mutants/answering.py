"""Codec mutants, tried: the reference codec in this process, without a pipe.

The vectors that cite the broken clause come first (those of its step, where any cites the step),
then the properties of that clause. A codec control has to survive them all.
"""

from __future__ import annotations

import contextlib
import functools
import re
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from wireflight_conformance.wire.pipe import Answer, Fault

if TYPE_CHECKING:
    from types import FrameType

    from wireflight_conformance.codec_driver import CodecCase
    from wireflight_conformance.corpus import Json, Vector
    from wireflight_conformance.mutants import Answering, Mutant
    from wireflight_conformance.verdicts import CaseResult

__all__ = ["CodecVerdict", "likeness", "try_codec"]

_ANSWER_SECONDS: Final = 2.0
_EXAMPLES: Final = 40
_EXAMPLES_OF_CONTROLS: Final = 15
_LITTLE_WORDS: Final = frozenset({"the", "and", "for", "that", "with", "not", "its", "one", "are"})


@dataclass(frozen=True, slots=True)
class CodecVerdict:
    """What a trial came to: (case, clause, expected, got) of what killed, and how much ran."""

    killers: Sequence[tuple[str, str, str, str]]
    cases: int


class _TooSlowError(Exception):
    """One answer took longer than a codec may."""


class _InProcess:
    """A codec in this process, in the place of one behind a pipe."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    def ask(self, requests: Sequence[Mapping[str, Json]]) -> Iterator[Answer | Fault]:
        """Yield an answer for each request; an exception stands for the end of the program."""
        for number, request in enumerate(requests):
            try:
                with _alarm(_ANSWER_SECONDS):
                    found = self._answering({"id": number, **request})
            except _TooSlowError:
                yield Fault(is_timeout=True, message=f"no answer within {_ANSWER_SECONDS:g} s")
            except Exception as error:  # noqa: BLE001 - it would end the driver's process
                yield Fault(is_timeout=False, message=f"the codec raised {error!r}")
            else:
                yield _answer(found)

    def close(self) -> None:
        """Do nothing: there is nothing to end."""


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise in this thread, the main one of a trial's process, when the time is over."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _TooSlowError

    previous = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _answer(found: Mapping[str, Json]) -> Answer:
    if "ok" in found:
        return Answer(ok=found["ok"])
    if "unsupported" in found:
        return Answer(unsupported=str(found["unsupported"]))
    limit = found.get("limit")
    return Answer(error=str(found["error"]), limit=limit if isinstance(limit, str) else None)


def likeness(mutant: Mutant, text: str) -> int:
    """Count the words that a mutant shares with a case: the likeliest are to be tried first."""
    return len(_words(f"{mutant.name} {mutant.about}") & _words(text))


@functools.lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall("[a-z0-9]{3,}", text.lower())) - _LITTLE_WORDS


def try_codec(mutant: Mutant) -> CodecVerdict:
    """Put the vectors and properties of the mutant's clause to it; all of them to a control."""
    from wireflight_conformance.embedded.codec import answer

    killers: list[tuple[str, str, str, str]] = []
    count = 0
    answering: Answering = mutant.disguise(answer) if mutant.disguise is not None else answer
    with mutant.patch() if mutant.patch is not None else contextlib.nullcontext():
        transport = _InProcess(answering)
        for run in _runs(mutant, transport):
            for result in run():
                count += 1
                if result.findings or result.verdict.is_red:
                    found = result.findings[0] if result.findings else None
                    expected, got = (found.expected, found.got) if found else ("", result.note)
                    clause = mutant.clause or result.clauses[0]
                    killers.append((result.case, clause, expected, got))
                    if mutant.clause is not None:
                        break
            if killers and mutant.clause is not None:
                break
    kept = [killer for killer in killers if killer[0] not in _red_in_reference(killer[0])]
    return CodecVerdict(kept, count)


Run = Callable[[], Iterable["CaseResult"]]


def _runs(mutant: Mutant, transport: _InProcess) -> Iterator[Run]:
    """Yield what is to be run, the vectors first."""
    from wireflight_conformance.modes.codec import run_vectors

    vectors = _vectors(mutant)
    yield lambda: run_vectors(vectors, transport, _lacks())
    cases = sorted(_properties().values(), key=lambda c: -likeness(mutant, f"{c.id} {c.title}"))
    for case in cases:
        # how time grows is a matter of mutants that make it grow
        if case.profile == "quick" if mutant.clause is None else mutant.clause in case.clauses:
            examples = _EXAMPLES_OF_CONTROLS if mutant.clause is None else _EXAMPLES
            yield functools.partial(_run_property, case, transport, examples)


def _run_property(case: CodecCase, transport: _InProcess, examples: int) -> list[CaseResult]:
    from wireflight_conformance.clauses import load
    from wireflight_conformance.codec_driver import Codec
    from wireflight_conformance.modes.codec import run_case

    return [run_case(case, Codec(transport, _lacks(), examples), load())]


@functools.cache
def _properties() -> Mapping[str, CodecCase]:
    from wireflight_conformance.cases.codec_growth import load_growth
    from wireflight_conformance.cases.codec_properties import load_properties

    return {**load_properties(), **load_growth()}


@functools.cache
def _all_vectors() -> Sequence[Vector]:
    from wireflight_conformance.cases.codec_vectors import CODEC_KINDS
    from wireflight_conformance.corpus import load_vectors

    return [vector for vector in load_vectors() if vector.kind in CODEC_KINDS]


def _vectors(mutant: Mutant) -> Sequence[Vector]:
    if mutant.clause is None:
        return _all_vectors()
    citing = [vector for vector in _all_vectors() if mutant.clause in vector.clauses]
    if mutant.step is not None:
        # whatever the step is, the other vectors of the clause must not be needed to see it
        of_step = [v for v in citing if f"{mutant.clause}.{mutant.step}" in v.req]
        return of_step or citing
    return citing


@functools.cache
def _lacks() -> frozenset[str]:
    from wireflight_conformance.embedded.codec import LACKS

    return frozenset(LACKS)


@functools.cache
def _red_in_reference(case_id: str) -> frozenset[str]:
    """Return the case if it is red with the reference codec as it is, and so proves nothing."""
    from wireflight_conformance.embedded.codec import answer
    from wireflight_conformance.modes.codec import run_vectors

    transport = _InProcess(answer)
    named = [v for v in _all_vectors() if f"codec_{v.kind}.{v.id}" == case_id]
    results = list(run_vectors(named, transport, _lacks()))
    if case_id in _properties():
        results += _run_property(_properties()[case_id], transport, _EXAMPLES)
    return frozenset(r.case for r in results if r.findings or r.verdict.is_red)
