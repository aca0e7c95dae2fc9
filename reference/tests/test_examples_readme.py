"""What the README shows runs, and answers as it shows."""

import json
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from wireflight import Wireflight
from wireflight.demo.app import demo_app
from wireflight.demo.store import Blog

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
STAMP = re.compile(r"[a-z0-9]{12}\.[0-9a-f]{16}")

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each async test on both."""
    return str(request.param)


def block(mark: str) -> str:
    """Return the block of code that follows a mark."""
    (found,) = re.findall(rf"<!-- {mark} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    return str(found)


async def ask(app: Wireflight, method: str, path: str, body: bytes = b"") -> dict[str, object]:
    """Send a request in plain JSON to the app in process and return the envelope."""
    path, _, query = path.partition("?")
    headers = [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers if method == "POST" else headers[:1],
    }
    sent = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    document = json.loads(sent[1]["body"])
    assert isinstance(document, dict)
    return document


@pytest.fixture
def pasted() -> Iterator[types.ModuleType]:
    """Run the README's server as a module of its own."""
    module = types.ModuleType("pasted_blog")
    sys.modules[module.__name__] = module  # where annotations are looked up
    exec(compile(block("server"), "README.md", "exec"), vars(module))
    yield module
    del sys.modules[module.__name__]


async def test_readme_server_works_when_pasted(pasted: types.ModuleType) -> None:
    """The twenty lines or so answer a query, and a command with both updates."""
    assert len(block("server").splitlines()) <= 35
    post = {"id": 1, "title": "Hello, world", "likes": 0}
    first = await ask(pasted.app, "GET", "/get_post?arg=1")
    assert first["value"] == post
    liked = await ask(pasted.app, "POST", "/like", b'{"arg":1,"refreshes":["get_posts/"]}')
    updates = liked["updates"]
    assert isinstance(updates, list)
    assert [update["value"] for update in updates] == [{**post, "likes": 1}, [{**post, "likes": 1}]]
    missing = await ask(pasted.app, "POST", "/like", b'{"arg":2}')
    assert missing["type"] == "error"


async def test_demo_answers_the_readme_curl_as_shown(tmp_path: Path) -> None:
    """The response in the README is the demo's, but for the stamps."""
    line = block("ci: curl")
    found = re.search(r"curl -s (\S+) .*-d '(.*)'", line)
    assert found is not None
    blog = Blog(tmp_path / "blog.sqlite")
    blog.seed()
    answer = await ask(demo_app(blog), "POST", urlsplit(found[1]).path, found[2].encode())
    blog.close()
    shown = block("response")
    assert len(STAMP.findall(shown)) == 3
    assert json.loads(STAMP.sub("", shown)) == json.loads(STAMP.sub("", json.dumps(answer)))


def test_readme_links_lead_somewhere() -> None:
    """Every file that the README links exists."""
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in target]
    assert len(targets) >= 5
    for target in targets:
        assert (Path(__file__).resolve().parents[2] / target).exists(), target
