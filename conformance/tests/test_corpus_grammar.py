"""The grammars of the text stand in `grammar.abnf`, and match what their vectors say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from wireflight_conformance.clauses import spec_folder
from wireflight_conformance.corpus import Vector, load_vectors

if TYPE_CHECKING:
    from collections.abc import Mapping

CORE = {"ALPHA": "[A-Za-z]", "DIGIT": "[0-9]"}
TOKEN = re.compile(
    r'%s"(?P<text>[^"]*)"|"(?P<plain>[^"]*)"|%x(?P<low>[0-9A-F]+)(?:-(?P<high>[0-9A-F]+))?'
    r"|(?P<name>[A-Za-z][A-Za-z0-9-]*)|(?P<count>\d*\*\d*|\d+)|(?P<mark>[()\[\]/])|(?P<space>\s+)"
)


def rules_of(text: str) -> dict[str, str]:
    """Return name -> definition, comments and line ends left out."""
    found: dict[str, str] = {}
    name = ""
    for raw in text.splitlines():
        line = re.sub(r"\s;.*|^;.*", "", raw).rstrip()
        match = re.match(r"([A-Za-z][A-Za-z0-9-]*)\s+=\s+(.*)", line)
        if match:
            name = match[1]
            assert name not in found, f"two rules are called {name}"
            found[name] = match[2]
        elif line.strip():
            found[name] += " " + line.strip()
    return {name: " ".join(body.split()) for name, body in found.items()}


def pattern_of(name: str, rules: Mapping[str, str]) -> str:
    """Return the regular expression of a rule that does not refer to itself."""
    return CORE.get(name) or f"(?:{_pattern(rules[name], rules)})"


def _pattern(body: str, rules: Mapping[str, str]) -> str:
    made, count, at = "", "", 0
    while at < len(body):
        token = TOKEN.match(body, at)
        assert token, f"no ABNF: {body[at:]}"
        at = token.end()
        if token["space"]:
            continue
        if token["count"]:
            low, star, high = token["count"].partition("*")
            count = f"{{{low or 0},{high}}}" if star else f"{{{low}}}"
            continue
        if token["mark"] and token["mark"] != "(" and token["mark"] != "[":
            made += {"/": "|", ")": ")", "]": ")?"}[token["mark"]]
            continue
        if token["mark"]:
            end = _closing(body, at - 1)
            item = f"(?:{_pattern(body[at:end], rules)})" + ("?" if token["mark"] == "[" else "")
            at = end + 1
        elif token["name"]:
            item = pattern_of(token["name"], rules)
        elif token["low"]:
            low = chr(int(token["low"], 16))
            high = chr(int(token["high"] or token["low"], 16))
            item = f"[{re.escape(low)}-{re.escape(high)}]"
        else:
            item = f"(?:{re.escape(token['text'] or token['plain'] or '')})"
        made += item + count
        count = ""
    return made


def _closing(body: str, start: int) -> int:
    depth = 0
    for at in range(start, len(body)):
        depth += (body[at] in "([") - (body[at] in ")]")
        if not depth:
            return at
    raise AssertionError(f"a bracket is not closed: {body}")


RULES = rules_of((spec_folder() / "grammar.abnf").read_text("ascii"))


def test_grammar_contains_every_block_of_the_text_rule_by_rule() -> None:
    """Each rule in an abnf block of protocol.md stands in grammar.abnf with the same words."""
    text = (spec_folder() / "protocol.md").read_text("utf-8")
    blocks = re.findall(r"^```abnf\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    for block in blocks:
        for name, body in rules_of(block).items():
            assert RULES.get(name) == body, name


def test_grammar_defines_every_rule_that_it_uses() -> None:
    """No rule refers to one that is not there, and letters are case-sensitive."""
    for name, body in RULES.items():
        re.compile(pattern_of(name, RULES))
        literals = [token["plain"] or "" for token in TOKEN.finditer(body)]
        assert not any(char.isalpha() for text in literals for char in text), name


@pytest.mark.parametrize(
    "vector",
    [vector for vector in load_vectors() if vector.kind == "grammar"],
    ids=lambda vector: vector.id,
)
def test_grammar_matches_what_the_vectors_say(vector: Vector) -> None:
    """A rule matches the whole text exactly if the vector accepts it."""
    matched = re.fullmatch(pattern_of(vector.text("rule"), RULES), vector.text("text"))
    assert bool(matched) == (vector.verdict == "accept")


@pytest.mark.parametrize(
    ("tag", "rule"),
    [("BigInt", "bigint-text"), ("Date", "date-text"), ("ArrayBuffer", "bytes-text")],
)
def test_grammar_agrees_with_the_decode_vectors(tag: str, rule: str) -> None:
    """The texts in typed entries match their rule if the vector accepts them."""
    import json

    from wireflight_conformance.wire.codec import CodecError, parse_json

    seen = 0
    for vector in load_vectors():
        if vector.kind != "decode" or "text" not in vector.fields or vector.limit:
            continue
        try:
            table = parse_json(vector.text("text").encode("utf-8", "surrogatepass"))
        except (CodecError, UnicodeEncodeError, json.JSONDecodeError):
            continue
        match table:
            case [[str(found), str(text)]] if found == tag:
                matched = re.fullmatch(pattern_of(rule, RULES), text)
                # the grammar does not know how many days a month has
                if vector.verdict == "accept" or "february" not in vector.id:
                    is_real = vector.id not in ("date-april-31", "date-year-0")
                    assert bool(matched) == (vector.verdict == "accept" or not is_real), vector.name
                    seen += 1
    assert seen > 10
