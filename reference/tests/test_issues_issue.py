"""Issues themselves: their words, how many there are, and Standard Schema."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from wireflight.errors import WireflightError
from wireflight.issues import (
    CODES,
    MAX_ISSUES,
    Converter,
    Issue,
    ValidationError,
    from_standard,
    make_issue,
    to_standard,
)

PARAMS: dict[str, Any] = {
    "limit": 3,
    "factor": 2,
    "pattern": "^a",
    "format": "uuid",
    "expected": "array or null",
    "choices": ["a", 1, None],
}

SENTENCES = [
    ("required", {}, "is required"),
    ("type", {"expected": "integer"}, "must be an integer"),
    ("type", {"expected": "null or string"}, "must be null or string"),
    ("type", {"expected": "bytes"}, "must be bytes"),
    ("maximum", {"limit": 100}, "must be at most 100"),
    ("exclusive_minimum", {"limit": 0.5}, "must be greater than 0.5"),
    ("multiple_of", {"factor": 3}, "must be a multiple of 3"),
    ("min_length", {"limit": 2}, "must have a length of at least 2"),
    ("max_items", {"limit": 2}, "must have at most 2 items"),
    ("pattern", {"pattern": "^{limit}$"}, "must match the pattern ^{limit}$"),
    ("format", {"format": "uuid"}, "must have the format uuid"),
    ("choice", {"choices": ["a", 1, None]}, 'must be one of "a", 1, null'),
    ("truncated", {"limit": 100}, "there were more than 100 issues"),
]


@pytest.mark.parametrize(("code", "params", "sentence"), SENTENCES)
def test_issue_says_what_its_code_and_params_say(
    code: Any, params: dict[str, Any], sentence: str
) -> None:
    """The message is made of the code and the params alone."""
    issue = make_issue(("a", 0), code, **params)
    assert issue == Issue(("a", 0), code, sentence, params or None)


@pytest.mark.parametrize("code", sorted(CODES - {"custom"}))
def test_issue_has_a_sentence_for_every_code(code: Any) -> None:
    """Every code of the protocol but the application's own has a message."""
    message = make_issue((), code, **PARAMS).message
    assert message
    assert "{" not in message


def test_issue_is_written_with_the_members_of_the_protocol() -> None:
    """An issue encodes as `{path, code, message, params?}`."""
    with_params = msgspec.json.encode(make_issue(("a", 0), "maximum", limit=5))
    assert with_params == (
        b'{"path":["a",0],"code":"maximum","message":"must be at most 5","params":{"limit":5}}'
    )
    assert msgspec.json.encode(make_issue((), "required")) == (
        b'{"path":[],"code":"required","message":"is required"}'
    )


def test_validation_error_is_an_error_of_the_package_and_has_issues() -> None:
    """The error is one of ours and cannot be made without an issue."""
    error = ValidationError([make_issue(("a",), "required")])
    assert isinstance(error, WireflightError)
    assert str(error) == "$['a'] is required"
    with pytest.raises(ValueError, match="at least one"):
        ValidationError([])


class Line(Struct):
    qty: Annotated[int, Meta(ge=1)]
    name: str


@pytest.mark.parametrize(("faults", "reported"), [(1, 1), (100, 100), (101, 101), (5000, 101)])
def test_converter_reports_a_hundred_issues_and_that_there_were_more(
    faults: int, reported: int
) -> None:
    """Up to 100 issues are told; from the next on one `truncated` stands for the rest."""
    with pytest.raises(ValidationError) as caught:
        Converter(list[int]).convert(["x"] * faults)
    issues = caught.value.issues
    assert len(issues) == reported
    assert [issue.path for issue in issues[:100]] == [(i,) for i in range(min(faults, 100))]
    if faults > MAX_ISSUES:
        assert issues[-1] == make_issue((), "truncated", limit=100)


def test_converter_tells_both_faults_of_a_value() -> None:
    """Two faults in two places are two issues."""
    with pytest.raises(ValidationError) as caught:
        Converter(list[Line]).convert([{"qty": 0, "name": "a"}, {"qty": 1, "name": 2}])
    assert caught.value.issues == (
        make_issue((0, "qty"), "minimum", limit=1),
        make_issue((1, "name"), "type", expected="string"),
    )


@pytest.mark.parametrize(
    ("value", "issue"),
    [
        ([{"qty": "x", "name": "a"}], make_issue((0, "qty"), "type", expected="integer")),
        ([{"qty": 0, "name": "a"}], make_issue((0, "qty"), "invalid")),
        ("x", make_issue((), "type", expected="array")),
    ],
)
def test_converter_gives_its_own_issue_when_it_need_not_explain(
    value: object, issue: Issue
) -> None:
    """Without an explanation the error has the one issue that the converter met."""
    with pytest.raises(ValidationError) as caught:
        Converter(list[Line]).convert(value, explain=False)
    assert caught.value.issues == (issue,)


def test_issue_becomes_a_standard_issue() -> None:
    """Standard Schema has the message and the path."""
    issue = make_issue(("items", 0, "qty"), "minimum", limit=1)
    assert to_standard(issue) == {"message": "must be at least 1", "path": ["items", 0, "qty"]}


@pytest.mark.parametrize(
    ("standard", "path"),
    [
        ({"message": "no"}, ()),
        ({"message": "no", "path": None}, ()),
        ({"message": "no", "path": ["a", 0]}, ("a", 0)),
        ({"message": "no", "path": [{"key": "a"}, {"key": 1.0}]}, ("a", 1)),
    ],
)
def test_standard_issue_becomes_a_custom_issue(standard: dict[str, object], path: Any) -> None:
    """The message is kept; steps may be names, indexes or objects with a key."""
    assert from_standard(standard) == Issue(path, "custom", "no")


@pytest.mark.parametrize(
    "standard",
    [
        {},
        {"message": 1},
        {"message": "no", "path": "a"},
        {"message": "no", "path": [None]},
        {"message": "no", "path": [True]},
        {"message": "no", "path": [1.5]},
        {"message": "no", "path": [{"name": "a"}]},
    ],
)
def test_standard_issue_of_another_form_is_refused(standard: dict[str, object]) -> None:
    """What is no `{message, path?}` raises ValueError."""
    with pytest.raises(ValueError, match="standard"):
        from_standard(standard)


@given(st.lists(st.text() | st.integers(0)), st.text())
def test_standard_issue_keeps_its_message_and_path(path: list[str | int], message: str) -> None:
    """There and back nothing of a standard issue is lost."""
    standard = {"message": message, "path": path}
    assert to_standard(from_standard(standard)) == standard
