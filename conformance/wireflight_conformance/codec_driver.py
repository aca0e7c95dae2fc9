"""The codec under test as a case sees it: operations, checks, and what its language lacks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .verdicts import Finding
from .wire.pipe import Answer, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .corpus import Json
    from .wire.pipe import Request, Transport

__all__ = ["Codec", "CodecCase", "FaultError", "ViolationError", "violation_of"]


class FaultError(Exception):
    """The codec gave no answer."""

    def __init__(self, fault: Fault, request: Request) -> None:
        super().__init__(fault.message)
        self.fault = fault
        self.request = request


class ViolationError(AssertionError):
    """A check of a property did not hold; each clause has a subclass of its own.

    Hypothesis tells failures apart by their type, so it reports each violated clause once.
    """

    finding: Finding


_VIOLATIONS: Final[dict[str, type[ViolationError]]] = {}


def violation_of(clause: str) -> type[ViolationError]:
    """Return the exception of a clause."""
    if clause not in _VIOLATIONS:
        name = clause.replace("-", "") + "Violation"
        _VIOLATIONS[clause] = type(name, (ViolationError,), {})
    return _VIOLATIONS[clause]


@dataclass(slots=True)
class Codec:
    """A codec, its declarations, and the checks of one case."""

    transport: Transport
    lacks: frozenset[str] = frozenset()
    examples: int = 100
    seed: int = 0
    checks: dict[str, int] = field(default_factory=dict)
    last: Request = field(default_factory=dict)

    def ask(self, op: str, **fields: Json) -> Answer:
        """Do one operation.

        Raises:
            FaultError: No answer came.
        """
        return next(self.ask_all([{"op": op, **fields}]))

    def ask_all(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Do several operations, pipelined.

        Raises:
            FaultError: One had no answer.
        """
        for request, answer in zip(requests, self.transport.ask(requests), strict=True):
            self.last = request
            if isinstance(answer, Fault):
                raise FaultError(answer, request)
            yield answer

    def check(self, clause: str, condition: bool, expected: str, got: object) -> None:
        """Count a check, and end the example if it does not hold.

        Raises:
            ViolationError: The subclass of the clause.
        """
        self.checks[clause] = self.checks.get(clause, 0) + 1
        if not condition:
            error = violation_of(clause)(f"{clause}: expected {expected}, got {got}")
            error.finding = Finding(clause, expected, str(got))
            raise error


@dataclass(frozen=True, slots=True)
class CodecCase:
    """A property of a codec, or one way in which its time may grow."""

    id: str
    title: str
    clauses: tuple[str, ...]
    run: Callable[[Codec], None]
    profile: str = "quick"
