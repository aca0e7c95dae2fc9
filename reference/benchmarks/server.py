"""Measure the reference server beside a bare ASGI app that does the same work by hand.

Both run under uvicorn, each in a process of its own: first with httptools, then with h11,
which is what `wireflight[server]` installs. A third process sends requests over keep-alive
connections. The rounds of the two servers take turns, and of each the best round counts, so
that whatever else the machine does meets both and is left out. Printed for each call: requests
per second, the server process's CPU time per request, and the ratio bare/ours of that time (1
would be no cost at all). The target is 0.6, with httptools, for the encoding that Wireflight's
own clients send.

    python reference/benchmarks/server.py [--rounds 10] [--seconds 0.5] [--connections 16]
"""

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
TARGET = 0.6
TICKS = os.sysconf("SC_CLK_TCK")


class Call(NamedTuple):
    """One request that both servers get, each in its own spelling."""

    name: str
    bare: bytes
    ours: bytes
    expected: bytes
    """Text that stands in the right response of both."""


def request(method: str, path: str, body: bytes, media_type: str) -> bytes:
    """Return the bytes of a request with the header fields that a browser sends."""
    fields = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        f"Accept: {media_type}",
        "Accept-Language: en",
        "Accept-Encoding: gzip, deflate, br",
        "Sec-Fetch-Site: same-origin",
        "Sec-Fetch-Mode: cors",
    ]
    if method == "POST":
        fields += [
            "Origin: http://127.0.0.1",
            f"Content-Type: {media_type}",
            f"Content-Length: {len(body)}",
        ]
    return "\r\n".join(fields).encode() + b"\r\n\r\n" + body


def calls() -> list[Call]:
    """Return the calls to measure, first in Wireflight's encoding, then in plain JSON."""
    plain, wire = "application/json", "application/wireflight+json"
    bare_query = request("GET", "/get_post?arg=7", b"", plain)
    bare_like = request("POST", "/like", b'{"arg":7}', plain)
    bare_three = request("POST", "/like_and_refresh", b'{"arg":7}', plain)
    return [
        Call("query", bare_query, request("GET", "/get_post?payload=Wzdd", b"", wire), b"Post 7"),
        Call("command", bare_like, request("POST", "/like", b'[{"arg":1},7]', wire), b"result"),
        Call(
            "command, 3 refreshes",
            bare_three,
            request("POST", "/like_and_refresh", b'[{"arg":1},7]', wire),
            b"Comment 3 on 7",
        ),
        Call("query, plain", bare_query, bare_query, b"Post 7"),
        Call("command, plain", bare_like, bare_like, b"result"),
        Call("command, 3 refreshes, plain", bare_three, bare_three, b"Comment 3 on 7"),
    ]


# The load: run in its own process as `server.py --load`.


class Connection(asyncio.Protocol):
    """Send one request after the other on one connection and count the responses."""

    def __init__(self, message: bytes, expected: bytes, until: float) -> None:
        self.message, self.expected, self.until = message, expected, until
        self.count = 0
        self.received = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.message)

    def data_received(self, data: bytes) -> None:
        """Count a response that is complete and send the next request."""
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return
        lowered = head.lower()
        start = lowered.index(b"content-length:") + len(b"content-length:")
        length = int(lowered[start:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        if not head.startswith(b"HTTP/1.1 200") or self.expected not in body:
            self.finish(RuntimeError(f"unexpected response: {head!r} {body!r}"))
            return
        self.received = b""
        self.count += 1
        if time.perf_counter() < self.until:
            self.transport.write(self.message)
        else:
            self.finish(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report a connection that the server closed."""
        self.finish(exc or ConnectionError("the server closed the connection"))

    def finish(self, error: Exception | None) -> None:
        """Settle, once."""
        if not self.ended.done():
            self.transport.close()
            if error is None:
                self.ended.set_result(None)
            else:
                self.ended.set_exception(error)


async def load() -> None:
    """Send what standard input describes, and write the count and the time as JSON."""
    job = json.load(sys.stdin)
    loop = asyncio.get_running_loop()
    began = time.perf_counter()
    until = began + job["seconds"]
    made = [
        await loop.create_connection(
            lambda: Connection(job["message"].encode(), job["expected"].encode(), until),
            "127.0.0.1",
            job["port"],
        )
        for _ in range(job["connections"])
    ]
    await asyncio.gather(*(connection.ended for _, connection in made))
    took = time.perf_counter() - began
    print(json.dumps({"count": sum(c.count for _, c in made), "seconds": took}))


# The measurement.


class Sample(NamedTuple):
    """What one round measured."""

    count: int
    seconds: float
    cpu: float

    @property
    def microseconds(self) -> float:
        """The CPU time of one request."""
        return 1e6 * self.cpu / self.count


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, in user and in kernel mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def served(app: str, http: str) -> Iterator[tuple[int, int]]:
    """Run an app of `server_apps` under uvicorn; yield its process id and port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", f"server_apps:{app}", "--app-dir", str(HERE)]
    command += ["--port", str(port), "--http", http, "--loop", "asyncio"]
    command += ["--log-level", "warning", "--no-access-log"]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    process = subprocess.Popen(command, env=environment)  # noqa: S603 - our own program
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                if process.poll() is not None:
                    sys.exit(f"the server {app} ended with {process.returncode}")
                time.sleep(0.1)
        else:
            sys.exit(f"the server {app} did not start")
        yield process.pid, port
    finally:
        process.terminate()
        process.wait()


def measure(server: tuple[int, int], job: dict[str, object]) -> Sample:
    """Load the server with this process id and port with one request for a while."""
    pid, port = server
    before = cpu_seconds(pid)
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, __file__, "--load"],
        input=json.dumps({**job, "port": port}).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    result = json.loads(done.stdout)
    return Sample(result["count"], result["seconds"], cpu_seconds(pid) - before)


def report(name: str, bare: Sample, ours: Sample, *, wanted: bool) -> bool:
    """Print one line; return whether the call reaches the target or has none."""
    ratio = bare.microseconds / ours.microseconds
    verdict = ("ok" if ratio >= TARGET else f"below {TARGET}") if wanted else "no target"
    print(
        f"{name:<36} {bare.count / bare.seconds:>9,.0f} {ours.count / ours.seconds:>9,.0f}"
        f" {bare.microseconds:>9.1f} {ours.microseconds:>9.1f} {ratio:>7.2f}  {verdict}",
        flush=True,
    )
    return not wanted or ratio >= TARGET


def compare(http: str, options: argparse.Namespace) -> bool:
    """Measure every call under one HTTP implementation; return whether all reach the target."""
    reached = True
    with served("bare", http) as bare_server, served("ours", http) as our_server:
        for call in calls():
            rounds: list[tuple[Sample, Sample]] = []
            job = {
                "expected": call.expected.decode(),
                "seconds": options.seconds,
                "connections": options.connections,
            }
            for _ in range(options.rounds + 1):
                one = measure(bare_server, {**job, "message": call.bare.decode()})
                two = measure(our_server, {**job, "message": call.ours.decode()})
                rounds.append((one, two))
            # the first round warms both up
            bare, ours = (min(each, key=_cost) for each in zip(*rounds[1:], strict=True))
            wanted = http == "httptools" and "plain" not in call.name
            reached &= report(f"{call.name}, {http}", bare, ours, wanted=wanted)
    return reached


def _cost(sample: Sample) -> float:
    return sample.microseconds


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.5, help="of load in each round")
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--load", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        asyncio.run(load())
        return 0
    print(f"{'':<36} {'requests/s':>19} {'CPU µs/request':>19}")
    print(f"{'':<36} {'bare':>9} {'ours':>9} {'bare':>9} {'ours':>9} {'ratio':>7}", flush=True)
    results = [compare(http, options) for http in ("httptools", "h11")]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
