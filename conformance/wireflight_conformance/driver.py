"""What a case holds in its hands: requests to the server under test, and checks.

A case never sees a socket unless it asks for one, never waits without a deadline, and cannot make
a check that leaves no trace.
"""

from __future__ import annotations

import itertools
import os
import select
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import quote

from . import tables
from .clauses import load
from .verdicts import Finding
from .wire.codec import encode, key, payload
from .wire.connection import Clock, Connection, Response, Target
from .wire.plain import write_plain
from .wire.reply import PLAIN, WIREFLIGHT, Reply, pick
from .wire.trace import Request, Trace
from .wire.values import UNDEFINED, Value, same, show

__all__ = [
    "CheckFailedError",
    "NotTestableError",
    "Observer",
    "Pending",
    "Server",
    "Settings",
    "UnsupportedError",
]

_RUN_NAME: Final = os.urandom(6).hex()
_RUN_COUNT: Final = itertools.count(1)
Headers = Sequence[tuple[str, str]]


class CheckFailedError(Exception):
    """A check on which the rest of the case depends did not hold; it is recorded."""


class NotTestableError(Exception):
    """This target gives no way to see it."""


class UnsupportedError(Exception):
    """The target declares that it does not do this."""


class Observer(Protocol):
    """Who looks at every response of a run."""

    def observe(self, reply: Reply, request: Request) -> None:
        """Measure the response by the clauses that hold for all."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a whole run."""

    target: Target
    request_timeout: float = 5.0
    case_timeout: float = 20.0
    profile: str = "quick"
    seed: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)
    """The numbers of the target's manifest."""
    has_fixture: bool = True
    """Whether the target mounts the fixture functions of section 20."""


class Pending:
    """A request that is sent and whose response is not yet read."""

    def __init__(self, server: Server, connection: Connection, request: Request) -> None:
        self._server = server
        self._connection = connection
        self._request = request

    def send(self, data: bytes) -> None:
        """Send more bytes."""
        self._connection.send(data, self._server.clock())

    def is_answered(self, seconds: float) -> bool:
        """Wait at most so long, and tell whether something has come."""
        wait = min(seconds, self._server.clock().left)
        return bool(select.select([self._connection.fileno()], [], [], wait)[0])

    def reply(self, seconds: float | None = None) -> Reply:
        """Read the response and close."""
        clock = self._server.clock(seconds)
        with self._connection:
            response = self._connection.read_response(clock, self._request.method)
        return self._server.received(response, self._request)

    def half_close(self) -> None:
        """Say that no more will come."""
        self._connection.half_close()

    def abort(self) -> None:
        """Vanish: reset the connection."""
        self._connection.abort()


class Server:
    """The server under test, as one case sees it."""

    def __init__(self, settings: Settings, observer: Observer, clock: Clock) -> None:
        self.settings = settings
        self.run: Final = f"{_RUN_NAME}-{next(_RUN_COUNT)}"
        self.findings: list[Finding] = []
        self.checks: dict[str, int] = {}
        self._observer = observer
        self._clock = clock
        self._last: Trace | None = None

    # -- time and limits

    def clock(self, seconds: float | None = None) -> Clock:
        """Return the deadline of a request that starts now."""
        return Clock.after(seconds or self.settings.request_timeout, within=self._clock)

    def limit(self, name: str) -> int:
        """Return a limit: the manifest's number, or else the default of LIM-1."""
        return self.settings.limits.get(name, tables.limits()[name].default)

    # -- building requests

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        content_type: str | None = None,
        accept: str | None = WIREFLIGHT,
        headers: Headers = (),
        framing: str = "length",
    ) -> Request:
        """Return a request to a path below the base, e.g. ``/fx/echo?payload=``.

        Fields in `headers` stand in place of those that would be made for it.
        """
        made = [("Host", self.settings.target.authority)]
        if accept is not None:
            made.append(("Accept", accept))
        if content_type is not None:
            made.append(("Content-Type", content_type))
        given = {name.lower() for name, _ in headers}
        fields = [pair for pair in made if pair[0].lower() not in given] + list(headers)
        return Request(method, self.settings.target.base + path, fields, body, framing)

    def query_request(
        self,
        function_id: str,
        argument: Value = UNDEFINED,
        *,
        plain: bool = False,
        headers: Headers = (),
    ) -> Request:
        """Return a query by GET."""
        path = f"/{function_id}"
        if argument is not UNDEFINED:
            text = quote(write_plain(argument), safe="") if plain else payload(argument)
            path += f"?{'arg' if plain else 'payload'}={text}"
        return self.request("GET", path, accept=PLAIN if plain else WIREFLIGHT, headers=headers)

    def post_request(
        self,
        function_id: str,
        document: Value,
        *,
        plain: bool = False,
        headers: Headers = (),
        framing: str = "length",
    ) -> Request:
        """Return a POST with this document as its body."""
        text = write_plain(document) if plain else encode(document)
        return self.request(
            "POST",
            f"/{function_id}",
            body=text.encode(),
            content_type=PLAIN if plain else WIREFLIGHT,
            accept=PLAIN if plain else WIREFLIGHT,
            headers=headers,
            framing=framing,
        )

    def command_request(
        self,
        steps: Sequence[Value],
        *,
        refreshes: Sequence[Value] | None = None,
        plain: bool = False,
        headers: Headers = (),
    ) -> Request:
        """Return a call of ``fx/run`` with these steps in this case's run."""
        document: dict[str, Value] = {"arg": {"run": self.run, "steps": steps}}
        if refreshes is not None:
            document["refreshes"] = refreshes
        return self.post_request("fx/run", document, plain=plain, headers=headers)

    # -- sending

    def send(self, request: Request, pieces: Iterable[bytes] | None = None) -> Reply:
        """Send a request on a connection of its own, and return what comes."""
        return self.begin(request, pieces).reply()

    def begin(self, request: Request, pieces: Iterable[bytes] | None = None) -> Pending:
        """Send a request, or these pieces in its place, and do not wait for the response."""
        connection = self.connect()
        connection.send_request(request, self.clock(), pieces)
        return Pending(self, connection, request)

    def connect(self) -> Connection:
        """Open a connection."""
        connection = Connection(self.settings.target, self.clock())
        self._last = connection.trace
        return connection

    def raw(self, data: bytes, *, method: str = "GET", half_close: bool = False) -> Reply:
        """Send these bytes, legal or not, and return what comes.

        The response is not measured by the clauses for all: it may come from the HTTP layer.
        """
        with self.connect() as connection:
            connection.send(data, self.clock())
            if half_close:
                connection.half_close()
            return Reply(connection.read_response(self.clock(), method))

    def received(self, response: Response, request: Request) -> Reply:
        """Take note of a response that is one of the protocol."""
        reply = Reply(response)
        self._last = response.trace
        self._observer.observe(reply, request)
        return reply

    def query(
        self,
        function_id: str,
        argument: Value = UNDEFINED,
        *,
        plain: bool = False,
        headers: Headers = (),
    ) -> Reply:
        """Call a query by GET."""
        return self.send(self.query_request(function_id, argument, plain=plain, headers=headers))

    def post_query(
        self,
        function_id: str,
        argument: Value = UNDEFINED,
        *,
        plain: bool = False,
        headers: Headers = (),
    ) -> Reply:
        """Call a query by POST."""
        document: dict[str, Value] = {}
        if argument is not UNDEFINED:
            document = {"arg": argument} if plain else {"payload": payload(argument)}
        return self.send(self.post_request(function_id, document, plain=plain, headers=headers))

    def command(
        self,
        steps: Sequence[Value],
        *,
        refreshes: Sequence[Value] | None = None,
        plain: bool = False,
        headers: Headers = (),
    ) -> Reply:
        """Call ``fx/run`` with these steps."""
        return self.send(
            self.command_request(steps, refreshes=refreshes, plain=plain, headers=headers)
        )

    def act(self, steps: Sequence[Value], *, headers: Headers = ()) -> Reply:
        """Call the query ``fx/act`` with these steps."""
        return self.post_query("fx/act", {"run": self.run, "steps": steps}, headers=headers)

    # -- the fixture's state

    def script(self, *steps: Value) -> Value:
        """Return the argument of ``fx/act`` or ``fx/run`` that does these steps in this run."""
        return {"run": self.run, "steps": list(steps)}

    def cell_argument(self, cell: str = "a") -> Value:
        """Return the argument of ``fx/cell`` for a cell of this run."""
        return {"run": self.run, "cell": cell}

    def cell_key(self, cell: str = "a") -> str:
        """Return the key of ``fx/cell`` for a cell of this run."""
        return key("fx/cell", self.cell_argument(cell))

    def cell(self, cell: str = "a") -> Value:
        """Read a cell."""
        return self.query("fx/cell", self.cell_argument(cell)).value

    def calls(self, function_id: str) -> int:
        """Return how often the handler of a fixture function ran in this run.

        Raises:
            CheckFailedError: ``fx/calls`` does not count (section 20).
        """
        reply = self.query("fx/calls", {"run": self.run})
        count = pick(reply.value, function_id)
        self.require(
            "FUN-2", isinstance(count, int), f"fx/calls with a count of {function_id}", str(reply)
        )
        return count if isinstance(count, int) else -1

    # -- checks

    def check(
        self, clause: str, condition: bool, expected: str, got: str, *, of: Reply | None = None
    ) -> bool:
        """Count a check of a clause, and record it with its trace if it does not hold.

        Args:
            clause: The clause.
            condition: Whether it holds.
            expected: What the clause asks for here.
            got: What came.
            of: The reply that shows it; by default the last exchange.
        """
        self._count(clause)
        if not condition:
            trace = of.trace if of is not None else self._last
            self.findings.append(Finding(clause, expected, got, trace))
        return condition

    def _count(self, clause: str) -> bool:
        """Count a check without making the texts of one that does not hold."""
        if clause not in load():
            raise ValueError(f"{clause} is no clause")
        self.checks[clause] = self.checks.get(clause, 0) + 1
        return True

    def require(
        self, clause: str, condition: bool, expected: str, got: str, *, of: Reply | None = None
    ) -> None:
        """Check, and end the case if it does not hold.

        Raises:
            CheckFailedError: It does not.
        """
        if not self.check(clause, condition, expected, got, of=of):
            raise CheckFailedError(expected)

    def expect_value(
        self, clause: str, reply: Reply, value: Value, *, ordered: bool = False
    ) -> bool:
        """Check that the reply is a result with this value."""
        holds = reply.is_result and same(reply.value, value, ordered=ordered)
        if holds:
            return self._count(clause)
        return self.check(clause, holds, f"a result with {show(value)}", str(reply), of=reply)

    def expect_result(self, clause: str, reply: Reply) -> None:
        """Require that the reply is a result.

        Raises:
            CheckFailedError: It is not.
        """
        self.require(clause, reply.is_result, "a result", str(reply), of=reply)

    def expect_error(
        self, clause: str, reply: Reply, *codes: str, limit: str | None = None
    ) -> bool:
        """Check that the reply is an error with one of these codes, its status and limit."""
        holds = reply.code in codes
        if holds and reply.code in tables.error_codes():
            holds = reply.status == tables.error_codes()[str(reply.code)]
        if holds and limit is not None:
            holds = reply.error.get("limit") == limit
        if holds:
            return self._count(clause)
        expected = " or ".join(f"{tables.error_codes().get(code, '')} {code}" for code in codes)
        suffix = f" with limit {limit}" if limit else ""
        return self.check(clause, holds, f"the error {expected}{suffix}", str(reply), of=reply)

    def expect_outcome(self, clause: str, reply: Reply, name: str, op: str, code: str = "") -> bool:
        """Check that a key has exactly this outcome, a `fail` with this code."""
        found = reply.outcomes(name)
        holds = len(found) == 1 and found[0].get("op") == op
        if holds and code:
            holds = pick(found[0], "error", "code") == code
        if holds:
            return self._count(clause)
        expected = f"for {name!r} exactly one outcome: {op} {code}".rstrip()
        return self.check(clause, holds, expected, f"{list(map(show, found))} in {reply}", of=reply)

    def expect_set(self, clause: str, reply: Reply, name: str, value: Value) -> bool:
        """Check that a key's one outcome is `set` with this value."""
        found = reply.outcomes(name)
        holds = len(found) == 1 and found[0].get("op") == "set"
        holds = holds and same(found[0].get("value", UNDEFINED), value)
        if holds:
            return self._count(clause)
        expected = f"for {name!r} exactly one outcome: set {show(value)}"
        return self.check(clause, holds, expected, f"{list(map(show, found))} in {reply}", of=reply)
