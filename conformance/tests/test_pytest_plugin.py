"""The cases as pytest items, in a pytest of their own."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from scripted import NONE, answer, scripted

MODULE = "wireflight_conformance.pytest_plugin"


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    installed = any(point.value == MODULE for point in entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", MODULE]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *arguments]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=50, check=False
    )


def test_plugin_fails_items_with_clause_and_replay(tmp_path: Path) -> None:
    """A case that fails shows what the console of the suite shows."""
    with scripted(answer(NONE)) as target:
        done = run_pytest(tmp_path, "--wireflight-url", target.url, "-k", "get_and_post", "-x")
    assert done.returncode == 1, done.stdout
    assert "HTTP-2 A server MUST accept a query by GET and by POST" in done.stdout
    assert "replay    curl" in done.stdout


def test_plugin_passes_items_of_the_embedded_server(tmp_path: Path) -> None:
    """The reference is started, driven and stopped."""
    done = run_pytest(tmp_path, "--wireflight-embedded", "-k", "versions.build or manifest.ids")
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["--wireflight-url", "http://127.0.0.1:1"],
        ["--wireflight-url", "x:y", "--wireflight-embedded"],
    ],
)
def test_plugin_rejects_a_target_that_cannot_be_driven(
    tmp_path: Path, arguments: list[str]
) -> None:
    """No target is a usage error of pytest, and no empty success."""
    done = run_pytest(tmp_path, *arguments)
    assert done.returncode == 4, done.stdout + done.stderr


def test_plugin_adds_nothing_without_its_options(tmp_path: Path) -> None:
    """Whoever has the package installed sees no item of it."""
    done = run_pytest(tmp_path)
    assert done.returncode == 5, done.stdout
