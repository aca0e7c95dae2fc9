"""The command `wireflight`: what it prints, what it refuses, and how it starts and ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wireflight.cli import main

BLOG = '''
from wireflight import Wireflight

app = other = Wireflight()
text = "not an app"


@app.query
async def double(number: int) -> int:
    """Double a number."""
    return number * 2


@app.command
async def save(text: str) -> None:
    """Save nothing."""
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder that holds the module `cli_blog`, and forget its modules afterwards."""
    (tmp_path / "cli_blog.py").write_text(BLOG)
    (tmp_path / "cli_needy.py").write_text("import a_module_that_nobody_has\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        if name.startswith("cli_"):
            del sys.modules[name]


@contextmanager
def command(*arguments: str, cwd: Path, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own, which is ended at the latest at the end."""
    reference = Path(__file__).resolve().parents[1]
    process = subprocess.Popen(
        [sys.executable, "-c", "from wireflight.cli import main; exit(main())", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(reference), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the first line that the command prints; the socket takes connections by then."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return line


def get(url: str) -> dict[str, object]:
    """Get a JSON document."""
    with urllib.request.urlopen(url, timeout=20) as response:
        document = json.load(response)
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "-h"], ["manifest", "-h"], ["demo", "-h"]]
)
def test_cli_explains_itself(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help goes to standard output, with exit code 0 and an example of each option's value."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    if arguments == ["--help"]:
        assert all(name in printed for name in ("run", "manifest", "demo"))
    else:
        assert ("MODULE:NAME" in printed) == (arguments[0] != "demo")


def test_cli_prints_the_manifest_with_functions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`manifest` shows ids, kinds, contracts and schemas, though clients would not see them."""
    assert main(["manifest", "cli_blog:app"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["type"] == "manifest"
    assert document["limits"]["depth"] == 64
    double, save = document["functions"]
    assert (double["id"], double["kind"]) == ("double", "query")
    assert double["argument"] == {"type": "integer"} == double["result"]
    assert (save["id"], save["kind"]) == ("save", "command")
    assert double["contract"] != save["contract"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("cli_blog.py", "there is no module 'cli_blog.py'"),
        ("cli-blog:app", "'cli-blog:app' is not of the form MODULE:NAME, such as blog:app"),
        (":app", "is not of the form MODULE:NAME"),
        ("no_such_module:app", "there is no module 'no_such_module' in "),
        ("no_such.module:app", "there is no module 'no_such' in "),
        ("cli_needy:app", "the module 'cli_needy' needs 'a_module_that_nobody_has'"),
        ("cli_blog:text", "cli_blog:text is of the type str, not a Wireflight app"),
        ("cli_blog:missing", "has no 'missing'; it has cli_blog:app, cli_blog:other"),
        ("json:app", "the module 'json' has no 'app'\n"),
    ],
)
@pytest.mark.parametrize("name", ["run", "manifest"])
def test_cli_rejects_a_place_without_an_app(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, place: str, reason: str
) -> None:
    """One line on standard error says what is wrong, and the exit code is 1."""
    assert main([name, place]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert reason in printed.err
    assert printed.err.startswith("wireflight: ")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serve"],
        ["run"],
        ["run", "a:b", "--port", "70000"],
        ["demo", "--port", "http"],
        ["run", "a:b", "--base", "rpc"],
        ["run", "a:b", "--base", "/rpc/"],
    ],
)
def test_cli_rejects_wrong_arguments(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What the parser refuses ends with exit code 2 and the usage."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: wireflight" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["run", "cli_blog:app"], ["demo"]])
def test_cli_rejects_a_port_in_use(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    """A port that somebody listens on is named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main([*arguments, "--port", str(port)]) == 1
    error = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1 port {port}: something else uses it" in error
    assert "--port" in error


def test_cli_rejects_a_host_that_is_no_address(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host that has no address here is named."""
    assert main(["run", "cli_blog:app", "--host", "999.1.1.1", "--port", "0"]) == 1
    assert "999.1.1.1" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["run", "cli_blog:app"], ["demo"]])
def test_cli_names_the_extra_that_has_uvicorn(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
) -> None:
    """Where uvicorn is not installed, the way to install it is shown."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(arguments) == 1
    assert "pip install 'wireflight[server]'" in capsys.readouterr().err


@pytest.mark.parametrize("base", ["", "/rpc", "/a/b"])
def test_cli_serves_an_app_below_a_base_until_it_is_told_to_end(folder: Path, base: str) -> None:
    """`run` prints where the app is, serves it there and nowhere else, and ends with 0."""
    with command("run", "cli_blog", "--port", "0", "--base", base, cwd=folder) as process:
        address = first_line(process).split(" at ")[1].strip()
        assert address.endswith(base)
        answer = get(f"{address}/double?arg=21")
        assert (answer["type"], answer["value"]) == ("result", 42)
        if base:
            with pytest.raises(urllib.error.HTTPError) as refused:
                get(f"{address.removesuffix(base)}/double?arg=21")
            with refused.value:
                assert refused.value.code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def test_cli_reports_an_app_that_does_not_start(folder: Path) -> None:
    """A lifespan that fails ends the command with 1, after its traceback."""
    (folder / "cli_broken.py").write_text(
        "from contextlib import asynccontextmanager\n"
        "from wireflight import Wireflight\n"
        "app = Wireflight()\n"
        "@app.lifespan\n"
        "@asynccontextmanager\n"
        "async def opened():\n"
        "    raise LookupError('no database')\n"
        "    yield\n"
    )
    with command("run", "cli_broken:app", "--port", "0", cwd=folder) as process:
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 1
        assert "LookupError: no database" in errors
        assert errors.endswith("wireflight: the app did not start\n")
