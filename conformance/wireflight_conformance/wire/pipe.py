"""One program at the other end of a pipe: a line of JSON to it, a line of JSON back, in order.

Requests are pipelined: lines are written while answers are read, in one thread, so that neither
side can block the other. The program answers in order; when it crashes, hangs or writes something
else, the first request without an answer is to blame, and a fresh one goes on with the next.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self

if TYPE_CHECKING:
    from types import TracebackType
    from typing import IO

    from wireflight_conformance.corpus import Json

__all__ = ["Answer", "Fault", "Pipe", "Request", "StartError", "Transport"]

Request = Mapping[str, "Json"]
_CHUNK: Final = 1 << 16
_START_SECONDS: Final = 30.0


class StartError(Exception):
    """The program cannot be started, or does not speak the protocol of the pipe."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came for one request: `ok` with a value, an error's code, or "unsupported"."""

    ok: Json = None
    error: str | None = None
    limit: str | None = None
    unsupported: str | None = None

    @property
    def is_ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None and self.unsupported is None

    def __str__(self) -> str:
        if self.unsupported is not None:
            return f"unsupported: {self.unsupported}"
        if self.error is not None:
            return self.error + (f" (limit {self.limit})" if self.limit else "")
        text = json.dumps(self.ok)
        return text if len(text) <= 600 else f"{text[:600]}… ({len(text)} characters)"


@dataclass(frozen=True, slots=True)
class Fault:
    """No answer: a hang, the end of the program, or a line that is no answer."""

    is_timeout: bool
    message: str

    def __str__(self) -> str:
        return self.message


class Transport(Protocol):
    """Whatever carries requests to a codec."""

    def ask(self, requests: Sequence[Request]) -> Iterator[Answer | Fault]:
        """Yield one answer or fault for each request, in order."""

    def close(self) -> None:
        """End it."""


class Pipe:
    """A program that is started on demand, and again after each fault."""

    def __init__(self, command: str, *, timeout: float = 5.0) -> None:
        """Prepare to run a command.

        Args:
            command: The words of the command, quoted as for a shell.
            timeout: Longest wait in seconds from one answer to the next.
        """
        self._words = shlex.split(command)
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._count = 0
        self.starts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None:
            return self._process
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        try:
            process = subprocess.Popen(  # noqa: S603 - the command is the user's own
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                start_new_session=True,
            )
        except (OSError, IndexError) as error:
            self._errors.close()
            raise StartError(f"the command cannot be started: {error}") from error
        self.starts += 1
        self._process = process
        if process.stdin is not None:
            os.set_blocking(process.stdin.fileno(), False)
        return process

    def hello(self) -> Answer:
        """Start the program and return its answer to ``hello``.

        Raises:
            StartError: It does not answer as the protocol of the pipe says.
        """
        waited, self._timeout = self._timeout, max(self._timeout, _START_SECONDS)
        try:
            answer = next(self.ask([{"op": "hello", "version": 1}]))
        finally:
            self._timeout = waited
        if isinstance(answer, Fault):
            raise StartError(answer.message)
        return answer

    def ask(self, requests: Sequence[Request]) -> Iterator[Answer | Fault]:
        """Send requests and yield their answers; see the module for faults.

        Whoever stops before the last answer leaves a program that still owes some: it is ended.
        """
        done = 0
        try:
            while done < len(requests):
                for answer in self._exchange(requests[done:]):
                    done += 1
                    yield answer
                    if isinstance(answer, Fault):
                        break
        finally:
            if done < len(requests):
                self.close()

    def _exchange(self, requests: Sequence[Request]) -> Iterator[Answer | Fault]:
        """Yield answers until all are there or after one fault."""
        process = self._started()
        if process.stdin is None or process.stdout is None:
            raise StartError("the program has no pipes")
        source, sink = process.stdout.fileno(), process.stdin.fileno()
        first = self._count + 1
        self._count += len(requests)
        lines = _lines(requests, first)
        waiting, tail = memoryview(b""), b""
        answered, is_sent = 0, False
        deadline = time.monotonic() + self._timeout
        while answered < len(requests):
            if not waiting and not is_sent:
                chunk = next(lines, b"")
                waiting, is_sent = memoryview(chunk), not chunk
            left = deadline - time.monotonic()
            if left <= 0:
                yield self._fault(f"no answer within {self._timeout:g} s", is_timeout=True)
                return
            readable, writable, _ = select.select([source], [sink] if waiting else [], [], left)
            if writable:
                try:
                    waiting = waiting[os.write(sink, waiting[:_CHUNK]) :]
                except BrokenPipeError:
                    # what it wrote before its end is still to be read
                    waiting, is_sent = memoryview(b""), True
            if not readable:
                continue
            data = os.read(source, _CHUNK)
            if not data:
                yield self._fault("the program ended", is_timeout=False)
                return
            *whole, tail = (tail + data).split(b"\n")
            for line in whole:
                answer = _read(line, first + answered)
                if answer is None:
                    shown = line[:200].decode("utf-8", "replace")
                    yield self._fault(f"a line that is no answer: {shown}", is_timeout=False)
                    return
                answered += 1
                deadline = time.monotonic() + self._timeout
                yield answer

    def _fault(self, message: str, *, is_timeout: bool) -> Fault:
        process = self._process
        errors = self._end()
        if not is_timeout and process is not None:
            message += f" (exit code {process.returncode})"
        return Fault(is_timeout, f"{message}; it wrote: {errors}" if errors else message)

    def close(self) -> None:
        """End the program and what it started."""
        self._end()

    def _end(self) -> str:
        """End the program; return the last of what it wrote to its error output."""
        process, self._process = self._process, None
        if process is None or self._errors is None:
            return ""
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
        # its own session: whatever it started goes with it
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        with self._errors as errors:
            size = errors.seek(0, os.SEEK_END)
            errors.seek(max(0, size - 400))
            return errors.read().decode("utf-8", "replace").strip()


def _lines(requests: Sequence[Request], first: int) -> Iterator[bytes]:
    """Yield the requests as lines, in chunks."""
    held: list[str] = []
    size = 0
    for number, request in enumerate(requests, first):
        line = json.dumps({"id": number, **request}) + "\n"
        held.append(line)
        size += len(line)
        if size >= _CHUNK:
            yield "".join(held).encode("ascii")
            held, size = [], 0
    if held:
        yield "".join(held).encode("ascii")


def _read(line: bytes, wanted: int) -> Answer | None:
    """Return the answer in a line, or None if the line is none to this request."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    match found:
        case {"id": int(number), "ok": value} if number == wanted:
            return Answer(ok=value)
        case {"id": int(number), "error": str(code)} if number == wanted:
            limit = found.get("limit")
            return Answer(error=code, limit=limit if isinstance(limit, str) else None)
        case {"id": int(number), "unsupported": str(reason)} if number == wanted:
            return Answer(unsupported=reason)
    return None
