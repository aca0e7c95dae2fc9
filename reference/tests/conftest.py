"""An ASGI server for tests: requests in this process, bytes in and out."""

import json
from collections.abc import Callable, Sequence

import anyio
import pytest

from wireflight import Wireflight, loads

JSON = "application/json"
OURS = "application/wireflight+json"


class Response:
    """What one request got."""

    def __init__(self, status: int, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        self.status = status
        self.headers = [(name.decode(), value.decode()) for name, value in headers]
        self.body = body

    def header(self, name: str) -> str | None:
        """Return the one value of a field."""
        values = [value for field, value in self.headers if field == name]
        assert len(values) <= 1
        return values[0] if values else None

    def document(self) -> dict:
        """Return the document of the body, whichever encoding it has."""
        if self.header("content-type") == OURS:
            return loads(self.body, is_request=False)
        assert self.header("content-type") == JSON
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of an error, whose status is that of the response."""
        error = self.document()["error"]
        assert error["status"] == self.status
        return error["code"]

    def updates(self) -> dict[str, dict]:
        """Return the updates that name a key, by that."""
        listed = [update for update in self.document().get("updates", []) if "key" in update]
        by_key = {update["key"]: update for update in listed}
        assert len(by_key) == len(listed)
        return by_key


class Asgi:
    """Sends requests to an app as an ASGI server does."""

    def __init__(self, app: Callable, *, root_path: str = "") -> None:
        self.app = app
        self.root_path = root_path

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | Sequence[bytes] = b"",
        headers: Sequence[tuple[str, str]] = (),
        query: str = "",
        raw_path: bytes | None = None,
        gone: anyio.Event | None = None,
        ends: bool = True,
    ) -> Response | None:
        """Send one request; None is no response.

        Args:
            body: The body, or its pieces.
            gone: What tells that the client has gone.
            ends: Whether the last piece says that it is the last.
        """
        pieces = [body] if isinstance(body, bytes) else list(body)
        messages = [
            {"type": "http.request", "body": piece, "more_body": not ends or i + 1 < len(pieces)}
            for i, piece in enumerate(pieces)
        ]
        sent: list[dict] = []
        never = gone or anyio.Event()

        async def receive() -> dict:
            if messages:
                return messages.pop(0)
            await never.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode() if raw_path is None else raw_path,
            "query_string": query.encode(),
            "root_path": self.root_path,
            "scheme": "http",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }
        await self.app(scope, receive, send)
        if not sent:
            return None
        start, end = sent
        assert start["type"] == "http.response.start"
        assert end["type"] == "http.response.body"
        return Response(start["status"], start["headers"], end["body"])

    async def get(self, path: str, *, query: str = "", headers=()) -> Response:
        """Send a GET."""
        response = await self.request("GET", path, query=query, headers=headers)
        assert response is not None
        return response

    async def post(self, path: str, body: object = None, *, headers=(), **kwargs) -> Response:
        """Send a body in plain JSON."""
        text = (
            body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
        )
        response = await self.request(
            "POST", path, body=text, headers=[("content-type", JSON), *headers], **kwargs
        )
        assert response is not None
        return response


@pytest.fixture
def asgi() -> Callable[..., Asgi]:
    """What sends requests to an app."""
    return Asgi


@pytest.fixture
def app() -> Wireflight:
    """A server whose stamps are known."""
    return Wireflight(process="p" * 12)
