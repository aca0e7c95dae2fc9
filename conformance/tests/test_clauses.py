"""The clauses are read from the text, and the audit is red where it has to be."""

from pathlib import Path

import pytest

from wireflight_conformance.clauses import (
    Level,
    SpecError,
    accept,
    audit,
    load,
    read_clauses,
    read_exclusions,
    read_lock,
    read_vector_citations,
)

TEXT = """# T

## 3 Things

**[AAA-1]** A server **MUST** do this:

1. First.
2. Then.

| a | b |
|---|---|
| 1 | 2 |

Not a part of it.

**[AAA-2]** A codec **SHOULD NOT** do that, unless it must.
"""


def test_clauses_have_level_class_and_what_follows() -> None:
    """A clause is its paragraph with the lists and tables right behind it."""
    found = read_clauses(TEXT)
    assert list(found) == ["AAA-1", "AAA-2"]
    first = found["AAA-1"]
    assert (first.level, first.binds, first.section) == (Level.MUST, "server", "3 Things")
    assert first.text.endswith("| 1 | 2 |")
    assert "Not a part" not in first.text
    assert (found["AAA-2"].level, found["AAA-2"].binds) == (Level.SHOULD, "codec")


def test_clause_digest_changes_with_a_word_and_not_with_a_line_break() -> None:
    """White space is no change; a word is."""
    before = read_clauses(TEXT)["AAA-1"].digest
    assert read_clauses(TEXT.replace("do this:", "do\nthis:"))["AAA-1"].digest == before
    assert read_clauses(TEXT.replace("2. Then", "2. Before"))["AAA-1"].digest != before


@pytest.mark.parametrize(
    "text",
    [
        TEXT + "\n**[AAA-1]** A server **MUST** come twice.\n",
        "**[AAA-1]** A server **MUST** do it and **MUST** do that.\n",
        "**[AAA-1]** A server does it.\n",
        TEXT + "\nA server **MUST** do this without an id.\n",
        "no clause at all",
    ],
)
def test_clauses_reject_a_text_that_cannot_be_used(text: str) -> None:
    """A text with two rules of one id, or a rule of no id, is no specification."""
    with pytest.raises(SpecError):
        read_clauses(text)


def test_clauses_of_the_specification_have_what_cases_read_from_them() -> None:
    """The tables of codes and limits stand in their clauses."""
    found = load()
    assert len(found) > 130
    assert "`unknown_function` | 404" in found["ERR-1"].text
    assert "`handler_ms`" in found["LIM-1"].text
    assert found["FUN-7"].level is Level.SHOULD


def test_audit_is_silent_where_all_is_well() -> None:
    """Cases that are accepted, and exclusions of the rest, are no fault."""
    clauses = read_clauses(TEXT)
    lock = {"AAA-1": clauses["AAA-1"].digest}
    assert audit(clauses, {"AAA-1": ["case"]}, {"AAA-2": "a good reason here"}, lock) == []


@pytest.mark.parametrize(
    ("cited", "exclusions", "lock", "word"),
    [
        ({}, {"AAA-2": "x"}, {}, "neither"),
        ({"AAA-1": ["c"], "ZZZ-1": ["c"]}, {"AAA-2": "x"}, {"AAA-1": "-"}, "no clause"),
        ({"AAA-1": ["c"]}, {"AAA-2": "x"}, {"AAA-1": "0" * 12}, "has changed"),
        ({"AAA-1": ["c"]}, {"AAA-2": "x"}, {}, "never accepted"),
        ({"AAA-1": ["c"]}, {"AAA-1": "x", "AAA-2": "x"}, {"AAA-1": "-"}, "excluded and has cases"),
        ({"AAA-1": ["c"]}, {"AAA-2": "x", "ZZZ-9": "x"}, {"AAA-1": "-"}, "ZZZ-9 is excluded"),
    ],
)
def test_audit_names_each_fault(cited, exclusions, lock, word) -> None:
    """Each of the ways in which text and cases can part is one sentence."""
    clauses = read_clauses(TEXT)
    kept = {name: clauses[name].digest if d == "-" else d for name, d in lock.items()}
    faults = audit(clauses, cited, exclusions, kept)
    assert len(faults) == 1
    assert word in faults[0]


def test_accept_keeps_the_order_of_the_text_and_forgets_old_ids(tmp_path: Path) -> None:
    """The lock has one line for each accepted clause that still exists."""
    clauses, path = read_clauses(TEXT), tmp_path / "lock.json"
    path.write_text('{"version": 1, "clauses": {"OLD-1": "x", "AAA-2": "y"}}')
    accept(clauses, ["AAA-1"], path)
    assert list(read_lock(path).items()) == [("AAA-1", clauses["AAA-1"].digest), ("AAA-2", "y")]
    with pytest.raises(SpecError):
        accept(clauses, ["OLD-1"], path)


def test_exclusions_need_a_reason() -> None:
    """An entry without words is refused."""
    assert read_exclusions('[clauses]\nA-1 = "cannot be seen from outside"') != {}
    for text in ('[clauses]\nA-1 = ""', "[clauses]\nA-1 = 1", "[clauses"):
        with pytest.raises(SpecError):
            read_exclusions(text)


def test_vectors_cite_clauses_with_or_without_a_step(tmp_path: Path) -> None:
    """`PAY-6.9` cites PAY-6; a file of another form is refused."""
    (tmp_path / "a.json").write_text('{"vectors": [{"id": "v", "req": ["PAY-6.9", "KEY-1"]}]}')
    assert read_vector_citations(tmp_path) == {"PAY-6": ["a:v"], "KEY-1": ["a:v"]}
    (tmp_path / "b.json").write_text("[]")
    with pytest.raises(SpecError):
        read_vector_citations(tmp_path)
