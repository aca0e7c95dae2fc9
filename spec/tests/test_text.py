"""What `protocol.md` claims about texts and about itself holds."""

import json
import re
from pathlib import Path

import pytest

import wireflight
from wireflight import DecodeError, Extensions

SPEC = Path(__file__).resolve().parents[1]
PROTOCOL = (SPEC / "protocol.md").read_text(encoding="utf-8")


def cells(column: str) -> list[tuple[str, str]]:
    """Return type and text of each example in a column of the table of section 3."""
    lines = PROTOCOL.partition("| type | form in a payload text |")
    header = (lines[1] + lines[2].split("\n", 1)[0]).strip("| ").split(" | ")
    at = header.index(column)
    found = []
    for row in lines[2].split("\n\n", 1)[0].splitlines()[2:]:
        # A `|` within code stands escaped in a table, where one does.
        fields = [field.strip() for field in re.split(r"(?<!\\)\|", row.strip()[1:-1])]
        found += [(fields[0], text) for text in re.findall(r"`([^`]+)`", fields[at])]
    return found


def money() -> Extensions:
    """Return the extension that the table's example has."""
    extensions = Extensions()
    extensions.register(
        "app.Money", Money, encode=lambda value: value.amount, decode=Money, plain=str
    )
    return extensions


class Money:
    """An amount of money."""

    def __init__(self, amount: object) -> None:
        self.amount = amount


def test_table_of_types_has_an_example_and_a_counter_example_for_each() -> None:
    """No row of the table is without either."""
    kinds = {kind for kind, _ in cells("example")}
    assert len(kinds) == 12
    assert kinds == {kind for kind, _ in cells("counter-example")}


@pytest.mark.parametrize(("kind", "text"), cells("example"))
def test_codec_accepts_the_example_of_a_type(kind: str, text: str) -> None:
    """The example decodes, and what it decodes to is written as the example."""
    value = wireflight.loads(text.encode(), limits=wireflight.Limits(), extensions=money())
    accept = ["app.Money"] if kind == "extension" else []
    assert wireflight.dumps(value, extensions=money(), accept=accept) == text


@pytest.mark.parametrize(("kind", "text"), cells("counter-example"))
def test_codec_rejects_the_counter_example_of_a_type(kind: str, text: str) -> None:
    """The counter-example does not decode."""
    with pytest.raises(DecodeError) as raised:
        wireflight.loads(text.encode(), limits=wireflight.Limits(), extensions=money())
    assert raised.value.code.value == "invalid_payload", kind


def test_claims_about_payloads_hold() -> None:
    """The payloads that the text names are those of the values it names."""
    assert "`get_post/WyJoZWxsby13b3JsZCJd`" in PROTOCOL
    assert wireflight.payload("hello-world") == "WyJoZWxsby13b3JsZCJd"
    assert "null is a value: `W251bGxd`" in PROTOCOL
    assert wireflight.payload(None) == "W251bGxd"
    assert "base64url form too (`LTE`)" in PROTOCOL
    with pytest.raises(DecodeError) as raised:
        wireflight.decode_payload("LTE")
    assert raised.value.code.value == "non_canonical"


def test_claims_about_numbers_hold() -> None:
    """The numbers of PAY-2 are written as they stand there."""
    clause = re.search(r"\*\*\[PAY-2\]\*\*.*", PROTOCOL)
    assert clause is not None
    texts = re.findall(r"`([0-9][^`]*)`", clause[0])
    assert len(texts) >= 5
    for text in texts:
        assert wireflight.dumps(float(text)) == f"[{text}]"


def test_fenced_blocks_are_of_kinds_that_are_checked() -> None:
    """A block is a marked transcript, grammar, JSON that decodes, or the form of an envelope."""
    for language, content in re.findall(
        r"^```(\w*)\n(.*?)^```$", PROTOCOL, re.DOTALL | re.MULTILINE
    ):
        if language == "json":
            json.loads(content)
        elif language == "http":
            assert f"-->\n```http\n{content}" in PROTOCOL
        elif language == "":
            assert content.startswith("{type: ")
        else:
            assert language == "abnf"


def test_contents_link_every_section() -> None:
    """The contents at the top name each section once, in order, by its anchor."""
    links = re.findall(
        r"\[([^\]]+)\]\(#([^)]+)\)", PROTOCOL.partition("Contents:")[2].split("\n")[0]
    )
    headings = re.findall(r"^## (.+)$", PROTOCOL, re.MULTILINE)
    assert [title for title, _ in links] == headings
    for title, anchor in links:
        assert anchor == re.sub(r"[^a-z0-9 ]", "", title.lower()).replace(" ", "-")


def test_grammar_has_the_rules_of_the_text() -> None:
    """Each rule of an abnf block stands in grammar.abnf too, and is the same there."""

    def rules(text: str) -> dict[str, str]:
        lines = [line.partition(";")[0].rstrip() for line in text.splitlines()]
        joined = re.sub(r"\n[ \t]+", " ", "\n".join(lines))
        found = re.findall(r"^([a-z-]+)\s*=\s*(.+)$", joined, re.MULTILINE)
        return {name: " ".join(definition.split()) for name, definition in found}

    blocks = re.findall(r"```abnf\n(.*?)```", PROTOCOL, re.DOTALL)
    assert len(blocks) >= 3
    collected = rules((SPEC / "grammar.abnf").read_text(encoding="utf-8"))
    for block in blocks:
        for name, definition in rules(block).items():
            assert collected[name] == definition, name


def test_links_to_files_lead_somewhere() -> None:
    """Files that the text names in code or links exist beside it."""
    for name in ("grammar.abnf", "schema/", "vectors/", "CHANGES.md"):
        assert f"`{name}`" in PROTOCOL
        assert (SPEC / name).exists(), name
