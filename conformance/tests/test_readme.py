"""The guide for implementers, against what it describes."""

import re
import shlex
from pathlib import Path

import pytest

from wireflight_conformance.cases import PROFILES
from wireflight_conformance.cli import _parser
from wireflight_conformance.engine import ExitCode

README = Path(__file__).parent.parent / "README.md"


def commands() -> list[str]:
    """Return the lines of shell blocks that call the suite."""
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    lines = "".join(blocks).splitlines()
    return [line for line in lines if "wireflight-conformance " in line]


@pytest.mark.parametrize("line", commands())
def test_readme_shows_commands_that_the_parser_takes(line: str) -> None:
    """A command that was renamed does not stay in the guide."""
    assert _parser().parse_args(shlex.split(line)[1:]).run


def test_readme_has_all_exit_codes_and_profiles() -> None:
    """Tables that stand in two places say the same."""
    text = README.read_text(encoding="utf-8")
    codes = [int(code) for code in re.findall(r"^\| ([0-9]) \|", text, re.MULTILINE)]
    assert codes == [int(code) for code in ExitCode]
    assert re.findall(r"^\| `(smoke|quick|full)`", text, re.MULTILINE) == list(PROFILES)


def test_readme_links_to_files_that_are_there() -> None:
    """No link of the guide leads nowhere."""
    prose = re.sub(r"```.*?```", "", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", prose)
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
