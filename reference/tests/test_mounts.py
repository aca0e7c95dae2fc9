"""A server mounted in other frameworks, and bare under two servers, over real sockets."""

import importlib
import json
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from wireflight import Wireflight, requested
from wireflight_conformance.cli import main as suite
from wireflight_conformance.embedded.fixture import fixture_app

sys.path.insert(0, str(Path(__file__).parent))

from serving import under_hypercorn_on_trio, under_uvicorn

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


class State:
    """What the functions under test keep, and whether their lifespan is on."""

    def __init__(self) -> None:
        self.is_open = False
        self.count = 0


def functions_of(state: State) -> Wireflight:
    """Make a server whose functions work within its lifespan only."""
    app = Wireflight()

    @app.query(id="deep/er/count")
    async def count() -> int:
        assert state.is_open
        return state.count

    @app.query
    def double(number: int) -> int:
        assert state.is_open
        return number * 2

    @app.command
    async def add(by: int) -> None:
        state.count += by
        requested(count, limit=1).refresh_all()

    return app


class Answer(NamedTuple):
    """A response."""

    status: int
    media_type: str
    body: bytes

    def document(self) -> dict[str, object]:
        """Return the envelope of a response in plain JSON."""
        assert self.media_type == "application/json", self
        document = json.loads(self.body)
        assert isinstance(document, dict)
        return document


def ask(url: str, body: object = None) -> Answer:
    """GET, or with a body POST, a URL."""
    request = urllib.request.Request(url)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        response = urllib.request.urlopen(request, timeout=20)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return Answer(response.status, response.headers["Content-Type"], response.read())


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    """Open nothing."""
    yield


@pytest.fixture(params=["starlette", "fastapi", "litestar", "django"])
def example(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return an example's module."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    return importlib.import_module(f"mount_{request.param}")


def test_mounted_server_answers_below_the_prefix(example: ModuleType) -> None:
    """Queries and commands work at /rpc, the site's pages beside them, in the site's lifespan."""
    state = State()

    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        state.is_open = True
        yield
        state.is_open = False

    with under_uvicorn(example.with_functions(functions_of(state), opened)) as origin:
        assert ask(f"{origin}/").body == b"a page"
        assert state.is_open
        assert ask(f"{origin}/rpc/double?arg=21").document()["value"] == 42
        answer = ask(f"{origin}/rpc/add", {"arg": 3, "refreshes": ["deep/er/count/"]}).document()
        (update,) = answer["updates"]  # type: ignore[misc]
        assert (update["op"], update["key"], update["value"]) == ("set", "deep/er/count/", 3)
        assert ask(f"{origin}/rpc/~manifest").document()["type"] == "manifest"
    assert not state.is_open


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "double/",
        "double/er",
        "deep%2Fer/count",
        "deep//er/count",
        "%64ouble%",
        "~nothing",
    ],
)
def test_mounted_server_rejects_paths_of_no_function(example: ModuleType, path: str) -> None:
    """What is below the prefix and no function's gets the protocol's 404, not the site's."""
    with under_uvicorn(example.with_functions(functions_of(State()), nothing)) as origin:
        answer = ask(f"{origin}/rpc/{path}")
        assert answer.status == 404
        error = answer.document()["error"]
        assert isinstance(error, dict)
        assert error["code"] == "unknown_function"


@pytest.mark.parametrize("serve", [under_uvicorn, under_hypercorn_on_trio])
def test_bare_server_answers_within_its_lifespan(
    serve: Callable[[Wireflight], AbstractContextManager[str]],
) -> None:
    """The server runs its own lifespan, at its own base, on asyncio and on trio."""
    state = State()
    app = functions_of(state)

    @app.lifespan
    @asynccontextmanager
    async def opened() -> AsyncIterator[None]:
        state.is_open = True
        yield
        state.is_open = False

    with serve(app) as origin:
        assert ask(f"{origin}/double?arg=21").document()["value"] == 42
        answer = ask(f"{origin}/add", {"arg": 3, "refreshes": ["deep/er/count/"]}).document()
        (update,) = answer["updates"]  # type: ignore[misc]
        assert update["value"] == 3
        assert state.is_open
    assert not state.is_open


def passes_the_suite(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Fail with the suite's report unless the server at a URL passes its smoke profile."""
    code = suite(["server", url, "--profile", "smoke", "--no-color"])
    report = capsys.readouterr().out
    assert code == 0, report


def test_mounted_server_passes_the_suite(
    example: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing that a framework does to a request shows through the protocol."""
    with under_uvicorn(example.with_functions(fixture_app(), nothing)) as origin:
        passes_the_suite(f"{origin}/rpc", capsys)


@pytest.mark.parametrize("serve", [under_uvicorn, under_hypercorn_on_trio])
def test_bare_server_passes_the_suite(
    serve: Callable[[Wireflight], AbstractContextManager[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same holds for what stands below the protocol: two servers, asyncio and trio."""
    with serve(fixture_app()) as origin:
        passes_the_suite(origin, capsys)


def test_example_serves_its_own_site(example: ModuleType) -> None:
    """The `site` that the example's first line names answers as the blog does."""
    assert f"`uvicorn {example.__name__}:site`" in (example.__doc__ or "").partition("\n")[0]
    with under_uvicorn(example.site) as origin:
        before = ask(f"{origin}/rpc/get_post?arg=1").document()["value"]
        answer = ask(f"{origin}/rpc/like", {"arg": 1, "refreshes": ["get_posts/"]}).document()
        post, posts = answer["updates"]  # type: ignore[misc]
        assert isinstance(before, dict)
        assert post["value"] == {**before, "likes": before["likes"] + 1}
        assert posts["value"] == [post["value"]]
