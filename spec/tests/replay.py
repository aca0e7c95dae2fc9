"""Replay the transcripts of `spec/examples` against the reference's demo.

Each file starts on a fresh blog in a process whose name and counter are fixed, so that a
response is the same bytes every time. Run as a program it rewrites the responses in the
files, and the blocks of `protocol.md` that show them:

    python spec/tests/replay.py --update

Form of a file: lines with `#` tell what it shows; `>` is sent, `<` is received; a blank line
stands between two exchanges. Names of header fields are written as people write them.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import anyio

from wireflight import Wireflight
from wireflight.demo.app import demo_app
from wireflight.demo.store import Blog

SPEC = Path(__file__).resolve().parents[1]
EXAMPLES = SPEC / "examples"
PROTOCOL = SPEC / "protocol.md"

PROCESS = "k3v9x0q2m7ab"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MARK = "<!-- example: "
BLOCK = re.compile(
    rf"(?P<head>{MARK}(?P<file>\S+) -->\n```http\n)(?:[^`\n].*\n|\n)*```", re.MULTILINE
)
ALLOWED_ORIGIN = "https://pages.example"


class Exchange(NamedTuple):
    """One request with its response, without the marks."""

    request: tuple[str, ...]
    response: tuple[str, ...]


class Transcript(NamedTuple):
    """What stands in one file."""

    about: tuple[str, ...]
    exchanges: tuple[Exchange, ...]

    def block(self) -> str:
        """Return the exchanges as text."""
        return "\n".join(
            "".join(f"{mark} {line}".rstrip() + "\n" for mark, line in marked(exchange))
            for exchange in self.exchanges
        )

    def text(self) -> str:
        """Return the whole file."""
        return "".join(f"{line}\n" for line in self.about) + self.block()


def marked(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield each line with its mark."""
    yield from ((">", line) for line in exchange.request)
    yield from (("<", line) for line in exchange.response)


def parse(text: str) -> Transcript:
    """Read a file.

    Raises:
        ValueError: when a line has no mark, or a response no request.
    """
    about: list[str] = []
    exchanges: list[tuple[list[str], list[str]]] = []
    is_new = True
    for number, line in enumerate(text.splitlines(), 1):
        mark, rest = line[:1], line[2:]
        if mark == "#" and not exchanges:
            about.append(line)
        elif mark == ">":
            if is_new or exchanges[-1][1]:
                exchanges.append(([], []))
            is_new = False
            exchanges[-1][0].append(rest)
        elif mark == "<" and exchanges:
            exchanges[-1][1].append(rest)
        elif not line:
            is_new = True
        else:
            raise ValueError(f"line {number} has no mark, or answers nothing: {line!r}")
    return Transcript(
        tuple(about), tuple(Exchange(tuple(sent), tuple(came)) for sent, came in exchanges)
    )


def scope_and_body(lines: tuple[str, ...]) -> tuple[dict[str, object], bytes]:
    """Make the ASGI scope and the body of a request.

    Raises:
        ValueError: when `Content-Length` is not the body's.
    """
    blank = lines.index("") if "" in lines else len(lines)
    method, target, protocol = lines[0].split(" ")
    fields = [line.partition(": ") for line in lines[1:blank]]
    headers = [(name.lower().encode(), value.encode()) for name, _, value in fields]
    body = "\n".join(lines[blank + 1 :]).encode()
    if dict(headers).get(b"content-length", b"0") != str(len(body)).encode():
        raise ValueError(f"the Content-Length of {lines[0]!r} is not {len(body)}")
    path, _, query = target.partition("?")
    scope: dict[str, object] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": protocol.removeprefix("HTTP/"),
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    return scope, body


async def exchange_with(app: Wireflight, lines: tuple[str, ...]) -> tuple[str, ...]:
    """Send a request to the app and return the lines of its response."""
    scope, body = scope_and_body(lines)
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        if incoming:
            return dict(incoming.pop())
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    status = HTTPStatus(int(str(start["status"])))
    content = b"".join(bytes(message.get("body", b"")) for message in rest)  # type: ignore[call-overload]
    head = [f"HTTP/1.1 {status.value} {status.phrase}"]
    for name, value in start["headers"]:  # type: ignore[attr-defined]
        written = "-".join(part.capitalize() for part in name.decode().split("-"))
        head.append(f"{written}: {value.decode()}")
    return (*head, "", *content.decode().splitlines()) if content else tuple(head)


@contextmanager
def fresh_app() -> Iterator[Wireflight]:
    """Make the demo on a new blog, with the fixed name, counter, time and allow-list."""
    with tempfile.TemporaryDirectory() as directory:
        blog = Blog(Path(directory) / "blog.sqlite")
        try:
            blog.seed()
            yield demo_app(
                blog,
                now=lambda: NOW,
                allowed_origins=[ALLOWED_ORIGIN],
                process=PROCESS,
            )
        finally:
            blog.close()


def replay(transcript: Transcript, *, backend: str = "asyncio") -> Transcript:
    """Return the transcript with the responses that the reference gives."""

    async def run() -> Transcript:
        with fresh_app() as app:
            return transcript._replace(
                exchanges=tuple(
                    [
                        Exchange(exchange.request, await exchange_with(app, exchange.request))
                        for exchange in transcript.exchanges
                    ]
                )
            )

    return anyio.run(run, backend=backend)


def with_blocks(protocol: str) -> str:
    """Return the text of the protocol with each example's block as its file has it.

    Raises:
        ValueError: when a mark is not followed by a block.
    """

    def filled(match: re.Match[str]) -> str:
        transcript = parse((SPEC / match["file"]).read_text(encoding="utf-8"))
        return f"{match['head']}{transcript.block()}```"

    written, count = BLOCK.subn(filled, protocol)
    if count != protocol.count(MARK):
        raise ValueError(f"{protocol.count(MARK)} marks of examples, but {count} blocks")
    return written


def main() -> int:
    """Compare or, with `--update`, rewrite."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="rewrite the responses")
    update = parser.parse_args().update
    changed = []
    for path in sorted(EXAMPLES.glob("*.http")):
        text = path.read_text(encoding="utf-8")
        replayed = replay(parse(text)).text()
        if replayed != text:
            changed.append(path)
            if update:
                path.write_text(replayed, encoding="utf-8")
    # Read after the replay and written at once: somebody may be editing the text.
    protocol = PROTOCOL.read_text(encoding="utf-8")
    if (filled := with_blocks(protocol)) != protocol:
        changed.append(PROTOCOL)
        if update:
            PROTOCOL.write_text(filled, encoding="utf-8")
    for path in changed:
        print(f"{'rewrote' if update else 'differs'}: {path.relative_to(SPEC.parent)}")
    return 1 if changed and not update else 0


if __name__ == "__main__":
    sys.exit(main())
