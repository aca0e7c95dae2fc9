"""The fixture on the reference: what its functions and steps do with what they are given."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from wireflight import WireMap, canonical, loads, payload
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


TYPED = {"name": "a", "count": 1}


def call_in_wireflight(target: Target, function: str, argument: object) -> dict:
    """Call a query by GET in Wireflight encoding and return the envelope."""
    url = f"{target.url}/{function}?payload={payload(argument)}"
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return loads(response.read(), is_request=False)
    except urllib.error.HTTPError as error:
        with error:
            return loads(error.read(), is_request=False)


@pytest.mark.parametrize(
    ("pair", "path", "code"),
    [
        (["a", 1.5], ["counts", 1, 1], "type"),
        (["a", 2**53], ["counts", 1, 1], "maximum"),
        ([1, 1], ["counts", 1, 0], "type"),
        (["b", "x"], ["counts", 1, 1], "type"),
    ],
)
def test_fixture_tells_the_place_of_a_fault_in_a_map(
    target: Target, pair: list, path: list, code: str
) -> None:
    """Keys and values have their places in both encodings, whatever else is at fault."""
    pairs = [["z", 1], pair]
    for name in ("a", ""):
        plain = call(target, "fx/typed", {**TYPED, "name": name, "counts": pairs})
        ours = call_in_wireflight(
            target, "fx/typed", {**TYPED, "name": name, "counts": WireMap(map(tuple, pairs))}
        )
        expected = [(path, code)] if name else [(["name"], "min_length"), (path, code)]
        found = [(issue["path"], issue["code"]) for issue in plain["error"]["issues"]]
        assert found == expected
        if code == "type":  # the other is a bigint in this encoding, whose keys are sorted
            found = [(issue["path"], issue["code"]) for issue in ours["error"]["issues"]]
            at = [key for key, _ in loads(canonical(WireMap(map(tuple, pairs)))).items()]
            place = ["counts", at.index(pair[0]), path[2]]
            assert found == [*expected[:-1], (place, code)]


@pytest.mark.parametrize("pair", [1, [], ["a"], ["a", 1, 1], {"a": 1}])
def test_fixture_tells_the_place_of_what_is_no_pair(target: Target, pair: object) -> None:
    """An item that is no array of two is at fault itself."""
    found = call(target, "fx/typed", {**TYPED, "counts": [["z", 1], pair, ["y", 1.5]]})
    paths = [issue["path"] for issue in found["error"]["issues"]]
    assert paths == [["counts", 1], ["counts", 2, 1]]


def test_fixture_returns_a_map_as_a_map(target: Target) -> None:
    """What came as a map goes as one, also where a step names the argument."""
    counts = WireMap([("a", 1), ("b", 2)])
    assert call(target, "fx/typed", {**TYPED, "counts": []})["value"]["counts"] == []
    found = call(target, "fx/typed", {**TYPED, "counts": [["b", 2], ["a", 1]]})
    assert sorted(found["value"]["counts"]) == [["a", 1], ["b", 2]]
    argument = {**TYPED, "counts": counts}
    assert call_in_wireflight(target, "fx/typed", argument)["value"]["counts"] == counts
    step = {"do": "return_read", "query": "fx/typed", "arg": {**TYPED, "counts": [["a", 1]]}}
    assert play(target, step)["value"]["counts"] == [["a", 1]]
    (update,) = play(target, {**step, "do": "refresh"})["updates"]
    one = {**TYPED, "counts": WireMap([("a", 1)])}
    assert update["key"] == f"fx/typed/{payload(one)}"
