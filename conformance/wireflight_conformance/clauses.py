"""The clauses of the specification, read from its text: there is no second list."""

from __future__ import annotations

import enum
import functools
import hashlib
import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = [
    "Clause",
    "Level",
    "SpecError",
    "accept",
    "audit",
    "load",
    "read_clauses",
    "read_exclusions",
    "read_lock",
    "read_unmutated",
    "read_vector_citations",
    "spec_folder",
]

_PACKAGE: Final = Path(__file__).parent
LOCK: Final = _PACKAGE / "clauses.lock.json"

_START: Final = re.compile(r"\*\*\[([A-Z]+-[0-9]+)\]\*\* ")
_KEYWORD: Final = re.compile(r"\*\*(MUST|SHOULD|MAY)( NOT)?\*\*")
_HEADING: Final = re.compile(r"(#{2,3}) ([0-9.]+ .*)")
_LIST: Final = re.compile(r"(?:[0-9]+\.|[*-]) ")
_SUBJECT: Final = re.compile(r"\b(codec|server|client|sender|receiver)s?\b")
# the class of clauses whose subject is a thing and not one who acts
_AREA_CLASS: Final = {"VAL": "codec", "PAY": "codec", "KEY": "codec"}


class SpecError(Exception):
    """The specification, or a file that goes with it, cannot be used."""


class Level(enum.Enum):
    """How binding a clause is."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause."""

    id: str
    level: Level
    binds: str
    section: str
    text: str

    @property
    def sentence(self) -> str:
        """Return the paragraph alone, without bold marks."""
        return self.text.partition("\n")[0].replace("**", "")

    @property
    def digest(self) -> str:
        """Return 12 hex digits that change when a word of the clause does."""
        plain = " ".join(self.text.split())
        return hashlib.sha256(plain.encode()).hexdigest()[:12]


def spec_folder() -> Path:
    """Return the folder of the specification: in the wheel, or beside the package in a checkout.

    Raises:
        SpecError: There is none.
    """
    for folder in (_PACKAGE / "_spec", _PACKAGE.parent.parent / "spec"):
        if (folder / "protocol.md").is_file():
            return folder
    raise SpecError("the specification (spec/protocol.md) is neither in the package nor beside it")


@functools.cache
def load() -> Mapping[str, Clause]:
    """Return all clauses by id, in the order of the text."""
    return read_clauses((spec_folder() / "protocol.md").read_text(encoding="utf-8"))


def read_clauses(text: str) -> dict[str, Clause]:
    """Return the clauses of a specification's text.

    Raises:
        SpecError: An id stands twice, or a clause has not exactly one key word.
    """
    found: dict[str, Clause] = {}
    section = ""
    blocks = _blocks(text)
    for index, block in enumerate(blocks):
        heading = _HEADING.match(block)
        if heading:
            section = heading[2]
        start = _START.match(block)
        if not start:
            if _KEYWORD.search(block) and index and not section.startswith("2 "):
                raise SpecError(f"a rule outside a clause: {block[:80]!r}")
            continue
        clause_id = start[1]
        if clause_id in found:
            raise SpecError(f"{clause_id} stands twice")
        body = [block[start.end() :], *_followers(blocks[index + 1 :])]
        found[clause_id] = _clause(clause_id, section, "\n\n".join(body))
    if not found:
        raise SpecError("the text has no clauses")
    return found


def _clause(clause_id: str, section: str, text: str) -> Clause:
    words = _KEYWORD.findall(text)
    if len(words) != 1:
        raise SpecError(f"{clause_id} has {len(words)} key words, not one")
    before = text[: text.index(f"**{words[0][0]}")]
    subject = _SUBJECT.search(before)
    area = clause_id.partition("-")[0]
    binds = subject[1] if subject else _AREA_CLASS.get(area, "server")
    return Clause(clause_id, Level(words[0][0]), binds, section, text)


def _blocks(text: str) -> list[str]:
    """Split at empty lines, and keep a fenced block in one piece."""
    blocks: list[str] = []
    lines: list[str] = []
    fenced = False
    for line in text.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        if line.strip() or fenced:
            lines.append(line)
        elif lines:
            blocks.append("\n".join(lines))
            lines = []
    return [*blocks, "\n".join(lines)] if lines else blocks


def _followers(blocks: Sequence[str]) -> Iterable[str]:
    """Yield the lists, tables and code that directly follow a clause's paragraph."""
    for block in blocks:
        if not (block.startswith(("|", "```")) or _LIST.match(block)):
            return
        yield block


def read_exclusions(text: str) -> dict[str, str]:
    """Return clause id -> reason why no case checks it.

    Raises:
        SpecError: It is not TOML of the form ``[clauses]`` with texts that say something.
    """
    return _reasons(text, "clauses")


def read_unmutated(text: str) -> dict[str, str]:
    """Return clause id -> reason why no mutant can break it.

    Raises:
        SpecError: It is not TOML of the form ``[mutants]`` with texts that say something.
    """
    return _reasons(text, "mutants")


def _reasons(text: str, name: str) -> dict[str, str]:
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"exclusions.toml: {error}") from error
    entries = table.get(name, {})
    for clause_id, reason in entries.items():
        if not isinstance(reason, str) or len(reason.split()) < 4:
            raise SpecError(f"exclusions.toml: {clause_id} has no reason")
    return dict(entries)


def read_lock(path: Path = LOCK) -> dict[str, str]:
    """Return clause id -> digest at which its cases were last looked at."""
    if not path.is_file():
        return {}
    entries: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["clauses"]
    return entries


def accept(
    clauses: Mapping[str, Clause], accepted: Iterable[str], path: Path = LOCK
) -> dict[str, str]:
    """Write into the lock that the cases of these clauses fit their present text.

    Raises:
        SpecError: One of them is no clause.
    """
    lock = {name: digest for name, digest in read_lock(path).items() if name in clauses}
    for clause_id in accepted:
        if clause_id not in clauses:
            raise SpecError(f"{clause_id} is no clause of the specification")
        lock[clause_id] = clauses[clause_id].digest
    ordered = {name: lock[name] for name in clauses if name in lock}
    path.write_text(json.dumps({"version": 1, "clauses": ordered}, indent=1) + "\n", "utf-8")
    return ordered


def read_vector_citations(folder: Path) -> dict[str, list[str]]:
    """Return clause id -> names of the vectors that cite it.

    Raises:
        SpecError: A file is not of the vectors' form.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            for vector in document["vectors"]:
                for requirement in vector["req"]:
                    # "PAY-6.9" is step 9 of PAY-6
                    clause_id = requirement.partition(".")[0]
                    found.setdefault(clause_id, []).append(f"{path.stem}:{vector['id']}")
        except (ValueError, KeyError, TypeError) as error:
            raise SpecError(f"{path.name} is no file of vectors: {error!r}") from error
    return found


def audit(
    clauses: Mapping[str, Clause],
    cited: Mapping[str, Sequence[str]],
    exclusions: Mapping[str, str],
    lock: Mapping[str, str],
) -> list[str]:
    """Return what is wrong between the specification and its cases, one sentence each.

    Args:
        clauses: The clauses.
        cited: Clause id -> what cites it (cases and vectors).
        exclusions: Clause id -> reason.
        lock: Clause id -> digest when its cases were last looked at.
    """
    faults: list[str] = []
    for clause_id, clause in clauses.items():
        covered = bool(cited.get(clause_id))
        if covered and clause_id in exclusions:
            faults.append(f"{clause_id} is excluded and has cases ({cited[clause_id][0]})")
        elif not covered and clause_id not in exclusions and clause.level is not Level.MAY:
            faults.append(f"{clause_id} ({clause.level.value}) has neither a case nor an exclusion")
        if covered and clause_id not in lock:
            faults.append(f"{clause_id} has cases that were never accepted (clauses --accept)")
        elif covered and lock[clause_id] != clause.digest:
            faults.append(f"{clause_id} has changed since its cases were looked at")
    faults += [
        f"{citing[0]} cites {clause_id}, which is no clause"
        for clause_id, citing in cited.items()
        if clause_id not in clauses
    ]
    faults += [f"{name} is excluded but is no clause" for name in exclusions if name not in clauses]
    return faults
