"""Every document of the specification is of the form that its schema gives, and no other is."""

from __future__ import annotations

import functools
import json
import re
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from wireflight_conformance.clauses import spec_folder
from wireflight_conformance.corpus import load_vectors
from wireflight_conformance.tables import error_codes, issue_codes, limits
from wireflight_conformance.wire import codec
from wireflight_conformance.wire.values import BigInt, Date, Extension, Map, Set, Undefined, Value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMAS = sorted((spec_folder() / "schema").glob("*.json"))
EXAMPLES = sorted((spec_folder() / "examples").glob("*.http"))
ERROR = {"status": 400, "code": "invalid_payload", "message": "no"}
STAMP = "abc123def456.00000000000000ff"


@functools.cache
def registry() -> Registry:
    made = Registry()
    for path in SCHEMAS:
        made = made.with_resource(path.name, Resource.from_contents(json.loads(path.read_text())))
    return made


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{name}.json"}, registry=registry())


def as_json(value: Value) -> object:
    """Show a decoded document to a schema; what JSON has no word for stands as a text."""
    if isinstance(value, Undefined | BigInt | Date | Extension | Map | Set | bytes):
        return repr(value)
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    return value


def bodies() -> Iterator[tuple[str, str, str, str]]:
    """Yield file, request line, mark and body of each message of the examples."""
    for path in EXAMPLES:
        line = ""
        for block in re.findall(r"(?:^[<>].*\n?)+", path.read_text(), re.MULTILINE):
            for mark in "><":
                lines = [text[2:] for text in block.splitlines() if text.startswith(mark)]
                line = lines[0] if mark == ">" else line
                if "" in lines and lines[lines.index("") + 1 :]:
                    yield path.name, line, mark, "\n".join(lines[lines.index("") + 1 :])


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_schema_is_a_schema(path: Path) -> None:
    """Each file is a valid schema of draft 2020-12 under its own name."""
    document = json.loads(path.read_text())
    Draft202012Validator.check_schema(document)
    assert document["$id"] == path.name


@pytest.mark.parametrize("path", sorted((spec_folder() / "vectors").glob("*.json")), ids=str)
def test_schema_accepts_vector_files(path: Path) -> None:
    """Each file of vectors has exactly the members that the README gives its kind."""
    faults = [
        f"{list(error.absolute_path)}: {error.message[:200]}"
        for error in validator("vectors").iter_errors(json.loads(path.read_text()))
    ]
    assert not faults


def test_schema_of_tables_accepts_what_the_vectors_accept() -> None:
    """A table that decodes is of the form that the schema of tables gives."""
    check = validator("payload-table")
    for vector in load_vectors():
        if vector.kind != "decode" or vector.verdict != "accept" or "text" not in vector.fields:
            continue
        if len(text := vector.text("text")) < 2000:
            assert check.is_valid(json.loads(text)), vector.name


def test_schema_of_tables_refuses_forms_that_the_vectors_refuse() -> None:
    """Of the tables that steps 8 and 9 refuse, the schema finds nearly all by itself."""
    check = validator("payload-table")
    seen = missed = 0
    for vector in load_vectors():
        if vector.kind != "decode" or vector.verdict != "reject":
            continue
        if not {"PAY-6.8", "PAY-6.9"} & set(vector.req) or "text" not in vector.fields:
            continue
        try:
            table = json.loads(vector.text("text"))
        except (ValueError, RecursionError):
            continue
        seen += 1
        missed += check.is_valid(table)
    # what a schema cannot say: ranges, odd counts, days of months, other extensions, digits
    assert seen > 150
    assert missed < seen / 4


def test_schema_accepts_every_message_of_the_examples() -> None:
    """The bodies of all transcripts are documents of sections 8, 9 and 16."""
    seen = 0
    for file, line, mark, body in bodies():
        if mark == ">" and "invalid-payload" in file:
            continue
        table = json.loads(body)
        if isinstance(table, list) and validator("payload-table").is_valid(table):
            document = as_json(codec.decode(body))
        else:
            document = table
        name = "envelope"
        if mark == ">":
            is_query = isinstance(document, dict) and "payload" in document
            name = "query-request" if is_query else "command-request"
        elif "~manifest" in line:
            name = "manifest"
        faults = [error.message for error in validator(name).iter_errors(document)]
        assert not faults, f"{file} {line}"
        seen += 1
    assert seen >= len(EXAMPLES)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("envelope", {"type": "result", "value": 1, "at": STAMP, "later": [1]}),
        ("envelope", {"type": "result", "at": STAMP, "updates": [{"op": "reset", "x": 1}]}),
        ("envelope", {"type": "redirect", "location": "/login?next=%2F"}),
        ("envelope", {"type": "redirect", "location": "https://a.example:8443/x"}),
        ("envelope", {"type": "error", "error": ERROR, "updates": []}),
        ("error", {"status": 418, "code": "app.teapot", "message": "", "later": 1}),
        ("update", {"op": "set", "key": "a/", "value": None, "at": STAMP, "from": STAMP}),
        ("update", {"op": "fail", "key": "no key", "error": ERROR}),
        ("update", {"op": "invalidate", "all": True}),
        ("command-request", {"arg": 1, "refreshes": ["x", "x"], "later": 1}),
        ("query-request", {}),
        ("manifest", {"type": "manifest", "versions": [1], "capabilities": [], "limits": {}}),
    ],
)
def test_schema_accepts_document(name: str, document: object) -> None:
    """Documents of this version, and of later ones with more members, are valid."""
    assert validator(name).is_valid(document)


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("envelope", []),
        ("envelope", {"type": "result", "value": 1}),
        ("envelope", {"type": "result", "at": "1"}),
        ("envelope", {"type": "redirect", "location": "//evil.example"}),
        ("envelope", {"type": "redirect", "location": "/a b"}),
        ("envelope", {"type": "redirect", "location": "http://a.example/"}),
        ("envelope", {"type": "invalid", "issues": []}),
        ("envelope", {"type": "error", "error": {**ERROR, "status": 500}}),
        ("envelope", {"type": "error", "error": ERROR, "updates": [{"op": "reset"}]}),
        (
            "envelope",
            {
                "type": "result",
                "at": STAMP,
                "updates": [{"op": "ignore", "key": ""}, {"op": "reset"}],
            },
        ),
        ("error", {**ERROR, "code": "no_such_code"}),
        ("error", {**ERROR, "code": "too_large"}),
        ("error", {**ERROR, "code": "too_large", "limit": "patience"}),
        ("error", {**ERROR, "issues": []}),
        ("error", {**ERROR, "code": "unsupported_version"}),
        ("error", {"status": 500, "code": "internal", "message": ""}),
        ("error", {"status": 408, "code": "app.slow", "message": ""}),
        ("issue", {"path": [-1], "code": "required", "message": ""}),
        ("issue", {"path": [], "code": "minimum", "message": ""}),
        ("issue", {"path": [], "code": "type", "message": "", "params": {"expected": "int"}}),
        ("update", {"op": "insert", "key": "a/"}),
        ("update", {"op": "set", "key": "a", "at": STAMP}),
        ("update", {"op": "set", "key": "a/"}),
        ("update", {"op": "invalidate"}),
        ("update", {"op": "invalidate", "key": "a/", "all": True}),
        ("update", {"op": "invalidate", "all": False}),
        ("command-request", {"refreshes": "a/"}),
        ("command-request", {"refreshes": [1]}),
        ("command-request", {"payload": ""}),
        ("query-request", {"payload": "", "arg": 1}),
        ("query-request", {"payload": None}),
        ("manifest", {"type": "manifest", "versions": [], "capabilities": [], "limits": {}}),
        ("payload-table", []),
        ("payload-table", -2),
        ("payload-table", [["Date", "2026-01-02"]]),
        ("payload-table", [[-2]]),
        ("vectors", {"version": 1, "kind": "decode", "about": "no vectors", "vectors": []}),
    ],
)
def test_schema_refuses_document(name: str, document: object) -> None:
    """Documents with a mistake in them are not valid."""
    assert not validator(name).is_valid(document)


def test_schema_names_the_codes_and_limits_of_the_text() -> None:
    """The tables of the text and the lists in the schemas are the same."""
    error = json.loads((spec_folder() / "schema" / "error.json").read_text())
    issue = json.loads((spec_folder() / "schema" / "issue.json").read_text())
    manifest = json.loads((spec_folder() / "schema" / "manifest.json").read_text())
    statuses = {
        code: rule["then"]["properties"]["status"]["const"]
        for rule in error["allOf"]
        if "const" in rule["then"].get("properties", {}).get("status", {})
        for code in rule["if"]["properties"]["code"]["enum"]
    }
    assert statuses == dict(error_codes())
    assert set(error["properties"]["code"]["anyOf"][0]["enum"]) == set(error_codes())
    assert set(error["properties"]["limit"]["enum"]) == set(limits())
    assert set(manifest["properties"]["limits"]["properties"]) == set(limits())
    assert set(issue["properties"]["code"]["enum"]) == set(issue_codes())
