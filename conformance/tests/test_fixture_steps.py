"""The fixture on the reference: what its functions and steps do with what they are given."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from wireflight_conformance import fixture
from wireflight_conformance.embedded.fixture import fixture_app
from wireflight_conformance.embedded.server import serve
from wireflight_conformance.wire.connection import Target


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with serve(fixture_app()) as served:
        yield served


def call(target: Target, function: str, argument: object) -> dict:
    """Call a function in plain JSON and return the envelope."""
    request = urllib.request.Request(
        f"{target.url}/{function}",
        json.dumps({"arg": argument}).encode(),
        {"Content-Type": "application/json", "Sec-Fetch-Site": "none"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)


def play(target: Target, *steps: object) -> dict:
    return call(target, "fx/run", {"run": "steps", "steps": list(steps)})


@pytest.mark.parametrize("query", ["fx/none", "fx/whoami", "fx/seen"])
def test_fixture_refuses_null_where_there_is_no_parameter(target: Target, query: str) -> None:
    """A step with `arg: null` names another instance than one without `arg`."""
    for do in ("read", "refresh", "set", "invalidate"):
        step = {"do": do, "query": query, "value": 1}
        assert play(target, step)["type"] == "result"
        assert play(target, {**step, "arg": None})["error"]["code"] == "internal"


def test_fixture_takes_null_for_an_argument(target: Target) -> None:
    """The key of `null` is not that of no argument, and invalidating it is not the function."""
    for do in ("refresh", "set", "invalidate"):
        step = {"do": do, "query": "fx/echo", "value": None, "arg": None}
        (update,) = play(target, step)["updates"]
        assert update["key"] == "fx/echo/W251bGxd"
    (update,) = play(target, fixture.invalidate("fx/echo"))["updates"]
    assert update == {"op": "invalidate", "id": "fx/echo"}
    assert play(target, {"do": "return_read", "query": "fx/echo", "arg": None})["value"] is None
