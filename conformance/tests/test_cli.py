"""Exit codes and usage of the command."""

import json
import socket
from pathlib import Path

import pytest
from scripted import NONE, answer, hang, scripted

from wireflight_conformance import cli
from wireflight_conformance.cases import load_cases, select
from wireflight_conformance.cli import main


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_command_ends_with_0_for_a_conformant_server(tmp_path: Path) -> None:
    """The reference passes, and both reports are written."""
    files = [str(tmp_path / "o.json"), str(tmp_path / "o.xml")]
    options = ["--only", "http.get_and_post", "--json", files[0], "--junit", files[1]]
    assert main(["server", "--embedded", "--no-color", *options]) == 0
    assert json.loads(Path(files[0]).read_text())["run"]["exit_code"] == 0
    assert Path(files[1]).read_text().count("<testcase") >= 1


def test_command_ends_with_1_for_a_violation(capsys: pytest.CaptureFixture[str]) -> None:
    """A server that answers everything with one text is found out."""
    with scripted(answer(NONE)) as target:
        assert main(["server", target.url, "--only", "http.get_and_post"]) == 1
    assert "fail http.get_and_post" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["server"],
        ["server", "--embedded", "http://127.0.0.1:1"],
        ["server", "ftp://x"],
        ["server", "--embedded", "--only", "NOPE-1"],
        ["server", "--embedded", "--only", "limits.container_members[", "--profile", "smoke"],
        ["server", "--embedded", "--json", "no/such/folder/out.json"],
        ["server", "--embedded", "--profile", "slow"],
        ["server", "--embedded", "--timeout", "0"],
        ["explain", "NOPE-1"],
        ["clauses", "--accept", "NOPE-1"],
        ["nonsense"],
    ],
)
def test_command_ends_with_2_for_a_line_that_makes_no_sense(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what is wrong, and nothing runs."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_command_ends_with_3_without_a_target(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens, or who listens never answers, or does not speak HTTP."""
    assert main(["server", f"http://127.0.0.1:{closed_port()}"]) == 3
    assert main(["doctor", f"http://127.0.0.1:{closed_port()}"]) == 3
    with scripted(answer(b"SSH-2.0-OpenSSH\r\n")) as target:
        assert main(["server", target.url]) == 3
    assert "'SSH-2.0-OpenSSH\\r\\n'" in capsys.readouterr().err
    with scripted(hang) as target:
        assert main(["server", target.url, "--timeout", "0.3"]) == 3
    assert "no complete response before the deadline" in capsys.readouterr().err


def test_command_ends_with_4_for_an_error_in_the_suite(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A specification that is not there is no fault of the target."""
    monkeypatch.setattr(cli, "spec_folder", lambda: tmp_path)
    (tmp_path / "exclusions.toml").write_text("[clauses")
    assert main(["clauses"]) == 4


def test_explain_shows_the_clause_and_its_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """The text, the level and who checks it stand there."""
    assert main(["explain", "upd-4"]) == 0
    shown = capsys.readouterr().out
    assert "UPD-4  MUST" in shown
    assert "updates.last_instruction_wins[refresh, set]" in shown


def test_list_names_cases_and_ends_with_3_for_none(capsys: pytest.CaptureFixture[str]) -> None:
    """What `--only` picks can be seen before it runs."""
    assert main(["list", "--only", "SEC-11"]) == 0
    assert "http.allow_lists_the_methods[a command]" in capsys.readouterr().out
    assert main(["list", "--only", "NOPE-1"]) == 3


def test_doctor_finds_nothing_wrong_with_the_embedded_server() -> None:
    """All that section 20 asks for is there."""
    from wireflight_conformance.embedded.server import serve_fixture

    with serve_fixture() as target:
        assert main(["doctor", target.url]) == 0


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("upd-4", "clauses are written in capitals: UPD-4"),
        ("UPD-14", "the clause binds clients"),
        ("PAY-2", "no case of a server cites the clause"),
        ("http.get_an_post", "did you mean http.get_and_post"),
        ("limits.table_entries[", "no case is called so"),
    ],
)
def test_command_says_what_was_meant_by_a_name_that_is_none(
    name: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing error is answered with what comes near it."""
    with pytest.raises(SystemExit):
        main(["server", "http://127.0.0.1:1", "--only", name])
    assert meant in capsys.readouterr().err


def test_list_has_the_cases_of_a_profile_and_those_that_are_named() -> None:
    """A clause asks for its cases in the profile, a whole id for one case in any."""
    cases = load_cases().values()
    by_clause = {case.id for case in select(cases, ["UPD-18"], "quick")}
    assert "updates.late_instructions" in by_clause
    assert not any(name.startswith("stateful.single_flight_at_length") for name in by_clause)
    named = select(cases, ["stateful.single_flight_at_length"], "smoke")
    assert {case.profile for case in named} == {"full"}
