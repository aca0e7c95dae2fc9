"""What went over one connection, in order, and how to send it again."""

from __future__ import annotations

import enum
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Direction", "Request", "Step", "Trace", "printable"]


class Direction(enum.Enum):
    """Which side did the step."""

    SENT = "sent"
    RECEIVED = "received"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Step:
    """One write, one read, or one remark (half-close, deadline, disconnect)."""

    direction: Direction
    data: bytes
    at_ms: float


@dataclass(slots=True)
class Trace:
    """The steps of one exchange."""

    target: str
    steps: list[Step] = field(default_factory=list)
    request: Request | None = None

    def add(self, direction: Direction, data: bytes, at_ms: float) -> None:
        """Record a step."""
        self.steps.append(Step(direction, data, at_ms))

    @property
    def sent(self) -> bytes:
        """All bytes that the suite wrote."""
        return b"".join(s.data for s in self.steps if s.direction is Direction.SENT)

    @property
    def received(self) -> bytes:
        """All bytes that the target wrote."""
        return b"".join(s.data for s in self.steps if s.direction is Direction.RECEIVED)

    @property
    def notes(self) -> Sequence[str]:
        """The remarks, in order."""
        return [s.data.decode() for s in self.steps if s.direction is Direction.NOTE]

    def replay(self) -> str:
        """Return a command that sends the same bytes again, as far as one command can."""
        if self.request is not None and self.request.fits_curl:
            return self.request.curl(self.target)
        host, _, port = self.target.rpartition("//")[2].partition("/")[0].rpartition(":")
        octal = "".join(_printf(byte) for byte in self.sent)
        return f"printf '{octal}' | nc -q 5 {host.strip('[]')} {port}"


def _printf(byte: int) -> str:
    char = chr(byte)
    if char == "%":
        return "%%"
    if 0x20 <= byte < 0x7F and char not in "\\'":
        return char
    return {0x0D: "\\r", 0x0A: "\\n"}.get(byte, f"\\{byte:03o}")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP/1.1 request, spelt exactly so on the wire."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    framing: str = "length"
    """``length``: Content-Length; ``chunked``; ``none``: no field at all; any other text: that
    Content-Length, whatever the body has."""

    @property
    def head(self) -> bytes:
        """The request line and header fields with the empty line."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.framing == "chunked":
            lines.append("Transfer-Encoding: chunked")
        elif self.framing == "length":
            if self.body or self.method not in ("GET", "HEAD", "OPTIONS"):
                lines.append(f"Content-Length: {len(self.body)}")
        elif self.framing != "none":
            lines.append(f"Content-Length: {self.framing}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def body_frames(self, size: int = 65536) -> list[bytes]:
        """Return the body as it goes over the wire, in pieces of `size` bytes."""
        pieces = [self.body[at : at + size] for at in range(0, len(self.body), size)]
        if self.framing != "chunked":
            return pieces
        return [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces] + [b"0\r\n\r\n"]

    def to_bytes(self) -> bytes:
        """Return the whole request."""
        return self.head + b"".join(self.body_frames())

    @property
    def fits_curl(self) -> bool:
        """Whether `curl` can send these bytes."""
        return self.framing in ("length", "chunked") and len(self.body) <= 16384

    def curl(self, target: str) -> str:
        """Return the `curl` command that sends this request to the origin of `target`."""
        scheme, _, rest = target.partition("//")
        origin = f"{scheme}//{rest.partition('/')[0]}"
        words = ["curl", "--http1.1", "-sS", "-i", "--globoff", "--path-as-is"]
        words += ["--request-target", self.target, "-X", self.method]
        sent = {name.lower() for name, _ in self.headers}
        for name, value in self.headers:
            words += ["-H", f"{name}: {value}" if value else f"{name};"]
        defaults = ["Accept", "User-Agent"] + (["Content-Type", "Expect"] if self.body else [])
        for name in defaults:
            if name.lower() not in sent:
                words += ["-H", f"{name}:"]
        if self.framing == "chunked":
            words += ["-H", "Transfer-Encoding: chunked"]
        if self.body or self.method not in ("GET", "HEAD", "OPTIONS"):
            return shlex.join(words) + f" --data-binary {_dollar(self.body)} {origin}/"
        return f"{shlex.join(words)} {origin}/"


def _dollar(data: bytes) -> str:
    """Return the bytes as one word of bash (`$'…'`)."""
    named = {0x0A: "\\n", 0x0D: "\\r", 0x27: "\\'", 0x5C: "\\\\"}
    text = "".join(
        named.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in data
    )
    return f"$'{text}'" if "\\" in text else f"'{text}'"


def printable(data: bytes, limit: int = 2000) -> str:
    """Return wire bytes for a person: text as it is, everything else escaped."""
    text = data[:limit].decode("latin-1").replace("\r\n", "\n")
    shown = "".join(c if c == "\n" or " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)
    return shown if len(data) <= limit else f"{shown}… ({len(data)} bytes)"
