"""What every response is measured by, over responses written by hand."""

import pytest

from wireflight_conformance.universal import Observation, observe
from wireflight_conformance.wire.codec import encode
from wireflight_conformance.wire.connection import Response
from wireflight_conformance.wire.reply import WIREFLIGHT, Reply
from wireflight_conformance.wire.trace import Request, Trace
from wireflight_conformance.wire.values import Value

AT = "abcdefghijkl.0000000000000001"
FIELDS = [
    ("cache-control", "private, no-store"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-resource-policy", "same-origin"),
    ("vary", "Accept, Origin, Sec-Fetch-Site"),
    ("wireflight-version", "1"),
    ("content-type", WIREFLIGHT),
]


def broken(
    document: Value, *, fields: list[tuple[str, str]] = FIELDS, status: int = 200
) -> list[Observation]:
    """Return what does not hold for a response with this document."""
    response = Response(status, fields, encode(document).encode(), Trace("http://x:1"))
    request = Request("POST", "/fx/run", [("Accept", WIREFLIGHT)])
    return [found for found in observe(Reply(response), request) if not found.holds]


def result(*updates: Value) -> Value:
    return {"type": "result", "value": None, "at": AT, "updates": list(updates)}


def test_universal_accepts_a_result_with_updates_of_every_form() -> None:
    """Nothing is found where nothing is wrong."""
    error: Value = {"status": 504, "code": "handler_timeout", "message": "late"}
    updates: list[Value] = [
        {"op": "reset"},
        {"op": "set", "key": "a/", "value": 1, "at": AT},
        {"op": "set", "key": "b/", "value": 1, "at": AT, "from": AT},
        {"op": "fail", "key": "no key", "error": error},
        {"op": "redirect", "key": "c/", "location": "/x"},
        {"op": "ignore", "key": "d/"},
        {"op": "invalidate", "key": "e/"},
        {"op": "invalidate", "id": "a"},
        {"op": "invalidate", "all": True},
    ]
    assert broken(result(*updates)) == []


def test_universal_tells_long_keys_apart_by_their_last_character() -> None:
    """Two keys that differ behind any length of text that is shown are two."""
    long = "a/" + "x" * 5000
    marks: list[Value] = [{"op": "invalidate", "key": long + end} for end in "ab"]
    assert broken(result(*marks)) == []


@pytest.mark.parametrize("key", ["a/", "a/" + "x" * 5000])
def test_universal_finds_a_key_that_stands_twice(key: str) -> None:
    """Two updates of one key are a violation of UPD-1, whatever they say."""
    found = broken(result({"op": "ignore", "key": key}, {"op": "invalidate", "key": key}))
    assert [item.clause for item in found] == ["UPD-1"]
    assert found[0].expected == "each key once"


@pytest.mark.parametrize(
    ("update", "clause"),
    [
        ({"op": "merge", "key": "a/"}, "UPD-1"),
        ({"op": "ignore", "key": 1}, "UPD-1"),
        ({"op": "invalidate"}, "UPD-1"),
        ({"op": "invalidate", "all": False}, "UPD-1"),
        ({"op": "invalidate", "key": "a/", "id": "a"}, "UPD-1"),
        ({"op": "set", "key": "no key", "value": 1, "at": AT}, "UPD-1"),
        ({"op": "set", "key": "a/", "value": 1, "at": "yesterday"}, "ORD-1"),
        ({"op": "redirect", "key": "a/", "location": "//evil.example"}, "ENV-6"),
        ({"op": "fail", "key": "a/", "error": {"status": 500, "code": "mine"}}, "ERR-1"),
    ],
)
def test_universal_finds_an_update_of_another_form(update: Value, clause: str) -> None:
    """Each form that the table of section 10 does not have is one violation."""
    assert [item.clause for item in broken(result(update))] == [clause]


@pytest.mark.parametrize(
    ("name", "value", "clause"),
    [
        ("cache-control", "no-store", "SEC-4"),
        ("x-content-type-options", "", "SEC-4"),
        ("vary", "Accept", "SEC-5"),
        ("wireflight-version", "2", "VER-1"),
        ("content-type", "text/html", "HTTP-10"),
    ],
)
def test_universal_finds_a_field_of_another_value(name: str, value: str, clause: str) -> None:
    """The fields that all responses have are looked at in each."""
    fields = [(known, value if known == name else text) for known, text in FIELDS]
    assert [item.clause for item in broken(result(), fields=fields)] == [clause]
