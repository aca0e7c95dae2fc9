"""What a search with Hypothesis has found, and when it is over.

Hypothesis shrinks as long as it finds something smaller; a server that hangs, or the end of the
case's time, has to end that. So the smallest counterexamples are kept here as they come.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from hypothesis.errors import Flaky

from wireflight_conformance.wire.connection import WireError

from .play import Call, TooSlowError, ViolationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wireflight_conformance.driver import Server

__all__ = ["Counterexample", "Search"]

_SHRINK_SECONDS: Final = 4.0


class _StopError(BaseException):
    """Ends a search at once; Hypothesis would shrink any `Exception`."""


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Calls that show a violation, the last of them with the answer that is wrong."""

    violation: ViolationError
    calls: Sequence[Call]

    @property
    def size(self) -> tuple[int, int]:
        """Return what a smaller one has less of."""
        return len(self.calls), len(str(self.calls))


@dataclass(slots=True)
class Search:
    """What a search came to."""

    examples: int = 0
    calls: int = 0
    too_slow: int = 0
    found: dict[str, Counterexample] = field(default_factory=dict)
    """Clause -> its smallest counterexample."""
    first_found: float = 0.0
    lost: WireError | None = None
    is_stopped: bool = False
    """Whether the search ended before its examples did."""

    def run(self, body: Callable[[], None]) -> Search:
        """Run what searches, to its end or to the end of its time.

        Raises:
            WireError: The server stopped answering, and no violation was found before.
        """
        try:
            body()
        except _StopError:
            pass
        except (ViolationError, BaseExceptionGroup, Flaky):
            # What was found stands here; a failure that does not is the suite's own. To
            # Hypothesis, an example that was stopped is one that behaves otherwise each time.
            if not self.found and not self.is_stopped:
                raise
        if self.lost is not None and not self.found:
            raise self.lost
        return self

    @contextlib.contextmanager
    def call(self, server: Server, calls: Sequence[Call]) -> Iterator[None]:
        """Make a call of the search: note a violation, and stop where going on makes no sense.

        Raises:
            ViolationError: As the body does; `calls` are kept with it.
            TooSlowError: As the body does.
        """
        shrunk = self.first_found and time.monotonic() - self.first_found > _SHRINK_SECONDS
        if shrunk or server.clock().left < server.settings.request_timeout / 2:
            self.is_stopped = True
            raise _StopError
        self.calls += 1
        try:
            yield
        except ViolationError as violation:
            self._keep(Counterexample(violation, list(calls)))
            raise
        except TooSlowError:
            self.too_slow += 1
            raise
        except WireError as error:
            self.lost, self.is_stopped = error, True
            raise _StopError from error

    def _keep(self, found: Counterexample) -> None:
        clause = found.violation.clause
        known = self.found.get(clause)
        if known is None or found.size <= known.size:
            self.found[clause] = found
        self.first_found = self.first_found or time.monotonic()
