"""The demo as a person starts it: its page, its calls, and what it leaves behind."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[1]


class Demo:
    """A demo that runs in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.printed = ""
        assert process.stdout is not None
        while "The database is" not in self.printed:
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            self.printed += line
        found = re.search(r"http://127\.0\.0\.1:\d+", self.printed)
        database = re.search(r"The database is (.*)\.\n", self.printed)
        assert found is not None
        assert database is not None
        self.origin = found[0]
        self.database = Path(database[1])

    def ask(self, path: str, body: object = None) -> tuple[str, str]:
        """Return media type and text of a response."""
        request = urllib.request.Request(f"{self.origin}{path}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.headers["Content-Type"], response.read().decode()

    def end(self, number: int) -> int:
        """End the demo by a signal and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def demo(temporary: Path, *arguments: str) -> Iterator[Demo]:
    """Run the demo on a free port, with its temporary files in a folder."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", "from wireflight.cli import main; exit(main())"),
            *("demo", "--port", "0", *arguments),
        ],
        env={**os.environ, "PYTHONPATH": str(REFERENCE), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Demo(process)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_removes_its_temporary_database(tmp_path: Path, number: int) -> None:
    """However it is ended, the demo ends with 0 and leaves nothing."""
    with demo(tmp_path) as running:
        assert running.database.exists()
        assert tmp_path in running.database.parents
        assert running.end(number) == 0
    assert list(tmp_path.iterdir()) == []


def test_demo_keeps_a_database_that_was_named(tmp_path: Path) -> None:
    """Likes are still there when the demo runs again on the same file."""
    path = tmp_path / "kept.sqlite"
    for likes in (3, 4):
        with demo(tmp_path, "--database", str(path)) as running:
            _, text = running.ask("/rpc/like", {"arg": 1})
            (update,) = json.loads(text)["updates"]
            assert update["value"]["likes"] == likes
            assert running.end(signal.SIGTERM) == 0
    assert path.exists()


def test_demo_page_shows_the_lines_that_were_printed(tmp_path: Path) -> None:
    """The page at / and the terminal have the same curl lines, and each of them works."""
    with demo(tmp_path) as running:
        media_type, page = running.ask("/")
        assert media_type == "text/html; charset=utf-8"
        lines = [line.strip() for line in running.printed.splitlines() if "curl" in line]
        assert len(lines) >= 4
        for line in lines:
            assert line in page
            found = re.fullmatch(r"curl -s '?(http://[^' ]+)'?(?: -H '[^']+' -d '(.*)')?", line)
            assert found is not None, line
            body = None if found[2] is None else json.loads(found[2])
            _, text = running.ask(found[1].removeprefix(running.origin), body)
            assert json.loads(text)["type"] in {"result", "manifest"}


def test_demo_answers_loopback_names_only(tmp_path: Path) -> None:
    """On a loopback address another name in Host is refused (SEC-1)."""
    with demo(tmp_path) as running:
        request = urllib.request.Request(f"{running.origin}/rpc/get_posts")
        request.add_header("Host", "rebound.example")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        with refused.value as response:
            assert json.load(response)["error"]["code"] == "forbidden_host"
