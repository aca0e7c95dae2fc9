"""Servers that do not mount the fixture functions."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from wireflight import Wireflight
from wireflight.demo.app import BASE, demo_app
from wireflight.demo.store import Blog
from wireflight_conformance import report
from wireflight_conformance.cases import load_cases
from wireflight_conformance.cli import main
from wireflight_conformance.embedded.server import serve
from wireflight_conformance.wire.connection import Target


@contextlib.contextmanager
def file_server(folder: Path) -> Iterator[Target]:
    """Serve files, as a server does that knows nothing of the protocol."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield Target("127.0.0.1", server.server_port)
        finally:
            server.shutdown()
            thread.join()


def verdicts_of(target: Target, folder: Path, *options: str) -> tuple[int, dict[str, str]]:
    """Run the command; return its exit code and the verdict of each case."""
    path = folder / "out.json"
    code = main(["server", target.url, "--no-color", "--json", str(path), *options])
    document = json.loads(path.read_text())
    schema = json.loads((Path(report.__file__).parent / "results.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(document)
    assert document["run"]["has_fixture"] is False
    assert "UPD-4" in document["untestable"]
    return code, {case["id"]: case["verdict"] for case in document["cases"]}


def test_bare_profile_fails_a_server_that_is_none_of_the_protocol(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever answers in HTTP can be wrong, and is not called untestable."""
    with file_server(tmp_path) as target:
        code, verdicts = verdicts_of(target, tmp_path)
    assert code == 1
    bare = {name: v for name, v in verdicts.items() if name.startswith("bare")}
    red = [name for name, verdict in bare.items() if verdict == "fail"]
    assert len(red) > len(bare) * 0.8
    assert verdicts["updates.late_instructions"] == "not_testable"
    shown = capsys.readouterr().out
    assert "does not mount the fixture functions" in shown
    assert "not testable: " in shown
    # of the many that could not be run there is one line, and no line each
    assert "updates.late_instructions" not in shown


def test_bare_profile_passes_the_demo(tmp_path: Path) -> None:
    """An app with functions of its own conforms as far as that can be seen."""
    with contextlib.closing(Blog(tmp_path / "blog.sqlite")) as blog:
        blog.seed()
        with serve(demo_app(blog, allowed_hosts=("127.0.0.1",))) as target:
            base = Target(target.host, target.port, BASE)
            code, verdicts = verdicts_of(base, tmp_path)
    assert code == 0
    assert verdicts["bare.unknown_function"] == "pass"
    assert {verdicts[name] for name in verdicts} == {"pass", "not_testable"}


def test_bare_profile_calls_queries_that_the_manifest_lists_and_runs_none(tmp_path: Path) -> None:
    """What is sent to a function of the target's is refused before it runs."""
    ran: list[str] = []
    app = Wireflight(allowed_hosts=("127.0.0.1",), expose_functions=True, build="b")

    @app.query
    async def read() -> None:
        ran.append("read")

    @app.command
    async def write() -> None:
        ran.append("write")

    with serve(app) as target:
        code, verdicts = verdicts_of(target, tmp_path)
    assert code == 0
    bare = {case.id for case in load_cases().values() if case.needs == "bare"}
    assert {verdicts[name] for name in bare} == {"pass"}
    assert ran == []


def test_bare_profile_ends_with_3_where_nothing_ran(tmp_path: Path) -> None:
    """Cases that all need the fixture are no success."""
    with serve(Wireflight()) as target:
        code, verdicts = verdicts_of(target, tmp_path, "--only", "UPD-4")
    assert code == 3
    assert set(verdicts.values()) == {"not_testable"}
