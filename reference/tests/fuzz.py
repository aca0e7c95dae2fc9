"""Send random and mutated bytes to the decoders and to every endpoint of a server in process.

    python reference/tests/fuzz.py --inputs 100000 [--seed 1] [--backend trio]

Half of the inputs are mutations of valid ones. Fails (exit code 1) on an exception, a 5xx,
an error code that is not in the table of ERR-1 or comes with another status, a response that
does not decode or is no envelope, a stage of CHK-1 that no input was refused at (or, for the
last, came to), or more than 5 MiB of memory gained after the first 10,000 inputs. Codes and
stages are read from the text.
"""

import argparse
import binascii
import gc
import itertools
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import anyio
import msgspec
from fuzz_inputs import (
    PLAIN,
    TABLES,
    Request,
    base64url,
    mutated,
    mutated_request,
    random_request,
    valid_requests,
)

import wireflight
from wireflight import Functions, Wireflight, get_request_event, invalidate, requested

PROTOCOL = Path(__file__).resolve().parents[2] / "spec" / "protocol.md"
GROWTH_LIMIT = 5 * 1024 * 1024
SETTLED_AFTER = 10_000

Message = dict[str, object]


class ViolationError(Exception):
    """The server or codec did what it must not do."""


# What the text says.


def listed_codes() -> dict[str, int]:
    """Return each error code of ERR-1 with its status."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (\d{3}) \|", PROTOCOL.read_text("utf-8"), re.MULTILINE)
    return {code: int(status) for code, status in rows}


def stages(codes: Sequence[str]) -> dict[str, set[str]]:
    """Return the stages of CHK-1, in order, with the codes that end at each."""
    text = PROTOCOL.read_text("utf-8").partition("**[CHK-1]**")[2].partition("**[CHK-2]**")[0]
    found = {
        f"{number} {name}": set(re.findall(r"`([a-z_]+)`", refused))
        for number, name, refused in re.findall(
            r"^\| (\d+) (\w[\w ]*) \| (.*) \|$", text, re.MULTILINE
        )
    }
    last = list(found)[-1]
    found[last] = set(codes).difference(*found.values()) | {"result"}
    return found


# The server.

functions = Functions()


class Typed(msgspec.Struct, forbid_unknown_fields=True):
    """An argument of many types."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    count: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    when: datetime | None = None
    data: bytes = b""
    tags: set[str] = msgspec.field(default_factory=set)
    scores: dict[int, float] = msgspec.field(default_factory=dict)
    inner: "Typed | None" = None


@functions.query
async def echo(value):  # type: ignore[no-untyped-def]
    """Return any value."""
    return value


@functions.query
async def none() -> str:
    """Take no argument."""
    return "none"


@functions.query(details=True)
async def typed(value: Typed) -> Typed:
    """Return a typed value."""
    return value


@functions.query
def pair(a: int, b: int = 2) -> list[int]:
    """Take two parameters, in a thread."""
    return [a, b]


@functions.query
async def seen() -> list[str | None]:
    """Return what a handler sees of the request."""
    event = get_request_event()
    return [event.function_id, event.claimed_page, event.cookies.get("session")]


@functions.command
async def save(value: Typed) -> Typed:
    """Refresh, set, accept and invalidate."""
    none().refresh()
    seen().refresh()
    typed(value).set(value)
    requested(echo, limit=2).refresh_all()
    requested(pair, limit=2).refresh_all()
    invalidate(echo)
    get_request_event().cookies.set("session", "1")
    return value


@functions.command(details=True)
async def store(a: list[int], b: dict[str, Typed] | None = None) -> int:
    """Take two parameters."""
    return len(a) + len(b or {})


def server() -> Wireflight:
    """Make the server that is fuzzed."""
    app = Wireflight(
        base="/rpc",
        allowed_hosts=["localhost", "127.0.0.1", "[::1]"],
        allowed_origins=["https://allowed.example"],
        expose_functions=True,
        build="fuzz",
    )
    app.include(functions)
    app.include(functions, prefix="deep/er")
    return app


# The run.


def check_decoders(text: bytes, rng: random.Random) -> str:
    """Give a text to one of the decoders; return what came of it."""
    match rng.randrange(4):
        case 0:
            name, decode = "loads", lambda: wireflight.loads(text, limits=wireflight.Limits())
        case 1:
            name, decode = "plain_loads", lambda: wireflight.plain_loads(text)
        case 2:
            name, decode = "decode_payload", lambda: checked_payload(base64url(text).decode())
        case _:
            name, decode = "payload text", lambda: checked_payload(text.decode("latin-1"))
    try:
        decode()
    except wireflight.DecodeError as error:
        return f"{name}: {error.code.value}"
    return f"{name}: a value"


def checked_payload(payload: str) -> None:
    """Decode a payload, which, if it is accepted, is what its value encodes to."""
    value = wireflight.decode_payload(payload)
    if wireflight.payload(value) != payload:
        raise ViolationError(f"an accepted payload is not canonical: {payload!r}")


class Fuzz:
    """One run: its server, its counts, and the check of each response."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.app = server()
        self.valid = valid_requests()
        self.codes = listed_codes()
        self.stages = stages(list(self.codes))
        self.stage_of = {code: stage for stage, codes in self.stages.items() for code in codes}
        self.reached: Counter[str] = Counter()
        self.decoded: Counter[str] = Counter()
        self.other: Counter[str] = Counter()

    async def one(self, number: int) -> None:
        """Make and send one input."""
        rng = self.rng
        is_mutation = number % 2 == 0
        if rng.random() < 0.2:
            text = rng.choice(TABLES + PLAIN).encode()
            text = mutated(text, rng) if is_mutation else rng.randbytes(rng.randrange(80))
            self.decoded[check_decoders(text, rng)] += 1
            return
        if is_mutation:
            request = mutated_request(rng.choice(self.valid), rng)
        else:
            request = random_request(rng, self.valid)
        leaves = rng.random() < 0.01
        try:
            messages = await self.send(request, leaves=leaves)
            if messages or not leaves:
                self.check(request, messages)
            else:
                self.other["left"] += 1
        except ViolationError as error:
            raise ViolationError(f"{error}\n{request}") from error
        except Exception as error:
            raise ViolationError(f"{type(error).__name__}\n{request}") from error

    async def send(self, request: Request, *, leaves: bool) -> list[Message]:
        """Send a request, its body in pieces; a client that leaves never completes it."""
        rng = self.rng
        cuts = sorted(rng.randint(0, len(request.body)) for _ in range(rng.randrange(3)))
        edges = [0, *cuts, len(request.body)]
        pieces = [request.body[a:b] for a, b in itertools.pairwise(edges)]
        incoming: list[Message] = [
            {"type": "http.request", "body": piece, "more_body": at < len(pieces) - 1 or leaves}
            for at, piece in enumerate(pieces)
        ]
        sent: list[Message] = []

        async def receive() -> Message:
            if incoming:
                return incoming.pop(0)
            if leaves:
                return {"type": "http.disconnect"}
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        path = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: binascii.unhexlify(m[1]), request.path)
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": request.method.decode("latin-1"),
            "scheme": "http",
            "path": path.decode("utf-8", "replace"),
            "raw_path": request.path,
            "query_string": request.query,
            "root_path": "",
            "headers": list(request.headers),
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await self.app(scope, receive, send)
        return sent

    def check(self, request: Request, messages: list[Message]) -> None:
        """Check a response and count the stage that its request came to."""
        if [m["type"] for m in messages[:1]] != ["http.response.start"]:
            raise ViolationError("no response")
        status, headers = messages[0]["status"], dict(messages[0]["headers"])  # type: ignore[call-overload]
        body = b"".join(m.get("body", b"") for m in messages[1:])  # type: ignore[misc]
        if not isinstance(status, int) or status >= 500:
            raise ViolationError(f"status {status}: {body!r}")
        if headers.get(b"wireflight-version") != b"1":
            raise ViolationError("a response without Wireflight-Version")
        if status == 204 and request.method == b"OPTIONS":
            self.other["204"] += 1
            return
        envelope = decoded(headers.get(b"content-type", b""), body)
        kind = envelope.get("type")
        if kind == "error":
            code = self.checked_error(envelope["error"])
            if envelope["error"]["status"] != status:
                raise ViolationError(f"status {status} with {envelope!r}")
            self.reached[self.stage_of[code]] += 1
        elif kind == "manifest" and status == 200:
            self.other["manifest"] += 1
        elif kind == "result" and status == 200:
            for update in envelope.get("updates", ()):
                if update["op"] == "fail":
                    self.checked_error(update["error"])
            self.reached[self.stage_of["result"]] += 1
        else:
            raise ViolationError(f"no envelope: {status} {envelope!r}")

    def checked_error(self, error: dict[str, object]) -> str:
        """Return the code of an error after a look at code and status."""
        code = str(error["code"])
        if self.codes.get(code) != error["status"]:
            raise ViolationError(f"not in the table of errors: {error!r}")
        return code


def decoded(media_type: bytes, body: bytes) -> dict[str, "dict[str, object]"]:
    """Decode a response by its media type."""
    loads: Callable[[bytes], object]
    if media_type == b"application/json":
        loads = json.loads
    elif media_type == b"application/wireflight+json":
        loads = wireflight.loads
    else:
        raise ViolationError(f"media type {media_type!r}")
    try:
        envelope = loads(body)
    except (ValueError, wireflight.DecodeError) as error:
        raise ViolationError(f"a response does not decode: {body!r}") from error
    if not isinstance(envelope, dict):
        raise ViolationError(f"a response is no envelope: {body!r}")
    return envelope


def resident_bytes() -> int:
    """Return the memory that this process has in use now."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def run(inputs: int, seed: int) -> list[str]:
    """Send all inputs; return what is wrong with the run as a whole.

    Raises:
        ViolationError: at the first input that is not answered as it must be.
    """
    fuzz = Fuzz(random.Random(seed))
    settled = None
    began = time.monotonic()
    for number in range(1, inputs + 1):
        await fuzz.one(number)
        if number == SETTLED_AFTER:
            settled = resident_bytes()
        if number % 10_000 == 0:
            rate = number / (time.monotonic() - began)
            print(f"{number:>9,} inputs, {rate:,.0f}/s, {resident_bytes() >> 20} MiB", flush=True)
    for stage in fuzz.stages:
        print(f"{fuzz.reached[stage]:>9,} ended at {stage}")
    for counts in (fuzz.decoded, fuzz.other):
        for name, count in sorted(counts.items()):
            print(f"{count:>9,} {name}")
    wrong = [f"no input ended at {stage}" for stage in fuzz.stages if not fuzz.reached[stage]]
    if settled is not None:
        growth = resident_bytes() - settled
        print(f"memory grew by {growth / 1024 / 1024:.1f} MiB after {SETTLED_AFTER:,} inputs")
        if growth >= GROWTH_LIMIT:
            wrong.append(f"memory grew by {growth:,} bytes")
    return wrong


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--backend", choices=("asyncio", "trio"), default="asyncio")
    options = parser.parse_args()
    try:
        wrong = anyio.run(run, options.inputs, options.seed, backend=options.backend)
    except ViolationError as error:
        wrong = [str(error)]
        if error.__cause__ is not None and not isinstance(error.__cause__, ViolationError):
            sys.excepthook(type(error), error, error.__traceback__)
    for line in wrong:
        print(f"violation: {line}")
    print(f"fuzz: {options.inputs:,} inputs, seed {options.seed}: {'FAILED' if wrong else 'ok'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
