"""The fuzz run passes on the reference, and finds servers that break what it checks."""

import importlib
import random
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.anyio

Message = dict[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Run each async test on both."""
    return str(request.param)


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Return the program as a module."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parent))
    return importlib.import_module("fuzz")


def tampering(app: Callable[..., Awaitable[None]], change: Callable[[Message], Message]):  # type: ignore[no-untyped-def]
    """Return an app that changes each message of a response to a GET."""

    async def tampered(scope: Message, receive: Receive, send: Send) -> None:
        async def send_changed(message: Message) -> None:
            await send(change(message) if scope["method"] == "GET" else message)

        await app(scope, receive, send_changed)

    return tampered


def crash(message: Message) -> Message:
    """Break down."""
    raise LookupError(str(message["type"]))


def with_status(status: int) -> Callable[[Message], Message]:
    """Return a change of the status alone."""
    return lambda message: {**message, "status": status} if "status" in message else message


def without_version(message: Message) -> Message:
    """Leave a header field out."""
    if "headers" not in message:
        return message
    headers = [field for field in message["headers"] if field[0] != b"wireflight-version"]  # type: ignore[attr-defined]
    return {**message, "headers": headers}


def with_body(old: bytes, new: bytes) -> Callable[[Message], Message]:
    """Return a change of the body alone."""
    return lambda message: (
        {**message, "body": message["body"].replace(old, new)}  # type: ignore[attr-defined]
        if "body" in message
        else message
    )


async def test_fuzz_passes_on_the_reference(fuzz: ModuleType) -> None:
    """A short run finds nothing, and most of its inputs are answered or decoded."""
    run = fuzz.Fuzz(random.Random(3))
    for number in range(600):
        await run.one(number)
    assert sum(run.reached.values()) > 300
    assert sum(run.decoded.values()) > 50


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (crash, "LookupError"),
        (with_status(500), "status 500"),
        (with_status(418), "418"),
        (without_version, "a response without Wireflight-Version"),
        (with_body(b"unknown_function", b"no_such_function"), "not in the table of errors"),
        (with_body(b"[{", b"[{,"), "a response does not decode"),
        (with_body(b'"error"', b'"fault"'), "no envelope"),
    ],
)
async def test_fuzz_finds_a_server_that_breaks(
    fuzz: ModuleType, change: Callable[[Message], Message], finding: str
) -> None:
    """Each fault is a violation within a few hundred inputs, named by what is wrong."""
    run = fuzz.Fuzz(random.Random(3))
    run.app = tampering(run.app, change)

    async def many() -> None:
        for number in range(600):
            await run.one(number)

    with pytest.raises(fuzz.ViolationError, match=finding):
        await many()
