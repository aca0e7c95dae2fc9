"""The order of values against a running server: forced interleavings, judged by the cache.

Handlers stop at gates of the fixture, so that the suite decides what comes before what. The only
thing left to the server is how it stamps and when it reads. A cell is a set of effects, each the
bit of the command that added it. All is drawn from the seed; no draw depends on an answer.
"""

from __future__ import annotations

import random
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wireflight_conformance.wire.codec import payload
from wireflight_conformance.wire.reply import pick
from wireflight_conformance.wire.values import Value, show

from .cache import ClientCache
from .scripts import Instance, Script, draw_script, gated_instance

if TYPE_CHECKING:
    from wireflight_conformance.driver import Pending, Server
    from wireflight_conformance.wire.reply import Reply
    from wireflight_conformance.wire.trace import Request as WireRequest


__all__ = ["Interleavings", "interleave"]

Steps = Generator[None, None, None]


@dataclass(slots=True)
class Interleavings:
    """What a number of interleavings came to."""

    count: int = 0
    too_slow: int = 0
    """How many were given up because the machine was so slow that limits of time could act."""
    requests: int = 0
    deliveries: int = 0
    stale: int = 0
    """How often a key with effects to show was looked at and found marked."""
    refetched: int = 0


class _TooSlowError(Exception):
    """A gate was held so long that a limit of time may have ended a handler."""


@dataclass(slots=True)
class _Client:
    """A client's cache, and for each key the effects that it has to show and why."""

    cache: ClientCache = field(default_factory=ClientCache)
    due: dict[str, dict[int, str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Probes:
    """Answers with stamps that were taken at known moments of a command."""

    second: Reply | None = None
    """The first that was asked for when the handler was known to be at work."""
    last: Reply | None = None
    """The one that let the handler come to its end."""
    phase: Reply | None = None
    """The one that let a stopped refresh go on."""


class _World:
    """One interleaving."""

    def __init__(self, server: Server, processes: Sequence[Server], name: str, run: str) -> None:
        self.server = server
        self.processes = processes
        self.chance = chance = random.Random(name)
        self.name = name
        self.run = run
        self.told = Interleavings(count=1)
        self.cells = {"a": 0, "b": 0}
        self.commands = 0
        self.running: list[Steps] = []
        self.pending: list[Pending] = []
        self.instances = {
            cell: Instance(cell, "fx/cell", {"run": run, "cell": cell}) for cell in "ab"
        }
        if chance.random() < 0.6:
            cell, reads_first = chance.choice("ab"), chance.random() < 0.6
            self.instances["gated"] = gated_instance(run, cell, reads_first=reads_first)
        self.keys = {name: instance.key for name, instance in self.instances.items()}
        self.clients = [_Client() for _ in range(chance.choice((1, 1, 2)))]
        # a handler that stops has to be let go well before the server may end it
        limits = (server.limit("handler_ms"), server.limit("refresh_phase_ms"))
        self.patience = min(limits) / 2000

    # -- going over the wire -------------------------------------------------------------------

    def begin(self, process: Server, request: WireRequest) -> Pending:
        """Send a request whose handler will stop."""
        self.told.requests += 1
        self.pending.append(process.begin(request))
        return self.pending[-1]

    def fetched(self, process: Server, function: str, argument: Value) -> Reply:
        """Call a query and require its result."""
        self.told.requests += 1
        request = self.server.post_request(function, {"payload": payload(argument)})
        reply = process.send(request)
        self.server.expect_result("ENV-1", reply)
        return reply

    def probe(self, process: Server, *, release: str = "", until: str = "") -> Reply:
        """Open one gate, wait for another, and return the answer with its stamp."""
        steps: list[Value] = [{"do": "open", "gate": release}] if release else []
        if until:
            steps.append({"do": "wait", "gate": until})
        return self.fetched(process, "fx/act", {"run": self.run, "steps": steps})

    def check(self, clause: str, condition: bool, expected: str, got: str, of: Reply) -> None:
        """Check, with the number of the interleaving in what is expected."""
        self.server.check(clause, condition, f"{expected} ({self.name})", got, of=of)

    def later(self, clause: str, what: str, later: str, earlier: str, of: Reply) -> None:
        """Check that one stamp was taken after another, where one process took both."""
        if later[:13] == earlier[:13]:
            self.check(clause, later > earlier, what, f"{later} is not after {earlier}", of)

    def hurry(self, started: float) -> None:
        """Give up where a handler may have been ended by a limit of time."""
        if time.monotonic() - started > self.patience:
            raise _TooSlowError

    # -- queries -------------------------------------------------------------------------------

    def query(self, client: _Client, instance: Instance) -> Steps:
        """Fetch a query instance, which stops once if it is gated and was not evaluated yet."""
        request = client.cache.send_query(instance.key)
        process = self.chance.choice(self.processes)
        yield
        before = self.probe(process) if self.chance.random() < 0.3 else None
        if instance.is_open:
            reply = self.fetched(process, instance.function, instance.argument)
        else:
            started = time.monotonic()
            document: Value = {"payload": payload(instance.argument)}
            call = self.begin(process, self.server.post_request(instance.function, document))
            self.probe(process, until="reached")
            yield
            during = self.probe(process, release="released")
            instance.is_open = True
            reply = call.reply()
            self.hurry(started)
            self.server.expect_result("ENV-1", reply)
            what = "a stamp of the query taken before its handler started"
            self.later("ORD-2", what, during.at, reply.at, reply)
        if before is not None:
            what = "a stamp of the query taken after it arrived"
            self.later("ORD-2", what, reply.at, before.at, reply)
        yield
        client.cache.receive_value(request, reply.value, reply.at)
        self.look(client, reply)

    # -- commands ------------------------------------------------------------------------------

    def command(self, client: _Client) -> Steps:
        """Call a command whose handler stops one to three times, and perhaps once more after."""
        script = draw_script(self.chance, self.instances, self.commands)
        self.commands += 1
        process = self.chance.choice(self.processes)
        request = client.cache.send_mutation(script.requested)
        yield
        started = time.monotonic()
        arg: Value = {"run": self.run, "steps": script.steps_with(self._computed(script))}
        document: Value = {"arg": arg, "refreshes": script.requested}
        call = self.begin(process, self.server.post_request("fx/run", document))
        self.probe(process, until=f"{script.name}.at0")
        probes = _Probes()
        gated = self.instances.get("gated")
        in_phase = gated is not None and not gated.is_open and "gated" in script.evaluated
        for stop in range(script.stops):
            yield
            if stop == script.adds_after:
                self.cells[script.cell] |= script.effect
            until = f"{script.name}.at{stop + 1}"
            if stop == script.stops - 1:
                until = "reached" if in_phase else ""
            probes.last = self.probe(process, release=f"{script.name}.go{stop}", until=until)
            probes.second = probes.second or probes.last
        read = {name: self.cells[self.instances[name].cell] for name in script.evaluated}
        if in_phase and gated is not None:
            yield
            probes.phase = self.probe(process, release="released")
            gated.is_open = True
        reply = call.reply()
        self.hurry(started)
        if script.fails:
            self.check("ENV-2", reply.status == 418, "the handler's error", str(reply), reply)
        else:
            self.server.expect_result("ENV-1", reply)
            self._judge(script, probes, read, reply)
        yield
        if script.fails:
            client.cache.receive_error(request, reply.updates)
        else:
            client.cache.receive_updates(request, reply.updates)
        self._owe(client, script)
        self.look(client, reply)

    def _computed(self, script: Script) -> dict[str, int]:
        """Return what the handler sets: what it reads when it starts, and its own effect."""
        values: dict[str, int] = {}
        for name, instance in self.instances.items():
            own = script.effect if instance.cell == script.cell else 0
            values[name] = self.cells[instance.cell] | own
        return values

    def _judge(
        self, script: Script, probes: _Probes, read: Mapping[str, int], reply: Reply
    ) -> None:
        """Check each stamp against those that were taken at known moments, and what was read."""
        if probes.last is None or probes.second is None:
            raise ValueError("a command that was never let go")
        inside = probes.last.at
        what = "a stamp of the result taken after the handler returned"
        self.later("ORD-4", what, reply.at, inside, reply)
        for name, instruction in script.plan.items():
            update = reply.outcome(self.keys[name])
            at, began = pick(update, "at"), pick(update, "from")
            if instruction == "set":
                what = "a set value's stamp taken after the handler returned"
                self.later("ORD-3", what, str(at), inside, reply)
                has_from = isinstance(began, str)
                self.check("ORD-3", has_from, "`from` with a set value", show(update), reply)
                what = "a `from` taken before the handler started"
                self.later("ORD-3", what, probes.second.at, str(began), reply)
        if read:
            self._judge_phase(script, probes, read, reply)

    def _judge_phase(
        self, script: Script, probes: _Probes, read: Mapping[str, int], reply: Reply
    ) -> None:
        inside = probes.last.at if probes.last is not None else ""
        stamps = {str(pick(reply.outcome(self.keys[name]), "at")) for name in script.evaluated}
        text = "one stamp for all values of a refresh phase"
        self.check("ORD-2", len(stamps) == 1, text, ", ".join(sorted(stamps)), reply)
        for at in stamps:
            what = "a stamp of the refresh phase taken after the handler returned"
            self.later("ORD-2", what, at, inside, reply)
            if probes.phase is not None:
                what = "a stamp of the refresh phase taken before it read"
                self.later("ORD-2", what, probes.phase.at, at, reply)
        for name in script.evaluated:
            value, wanted = pick(reply.outcome(self.keys[name]), "value"), read[name]
            # while a refresh stops others write, and a memo of the phase may answer its read
            exact = probes.phase is None
            got = value if exact or not isinstance(value, int) else value & wanted
            self.check("UPD-3", got == wanted, f"{wanted:b} in {name}", show(value), reply)

    # -- what a client has to show ---------------------------------------------------------------

    def _owe(self, client: _Client, script: Script) -> None:
        for name in script.told(self.keys):
            if self.instances[name].cell == script.cell:
                clause = "ORD-3" if script.plan[name] == "set" and not script.fails else "ORD-2"
                client.due.setdefault(self.keys[name], {})[script.effect] = clause

    def look(self, client: _Client, reply: Reply) -> None:
        """Look whether what the client shows as fresh is so."""
        self.told.deliveries += 1
        for name, key in self.keys.items():
            held, due = client.cache.held(key), client.due.get(key, {})
            if held is None or not due:
                continue
            if client.cache.is_stale(key):
                self.told.stale += 1
                continue
            value = held.value if isinstance(held.value, int) else 0
            lacking = [effect for effect in due if not value & effect]
            for effect in lacking or list(due)[:1]:
                self.check(
                    "ORD-3" if held.began != held.at else due[effect],
                    not lacking,
                    f"{name} with the client's own effect {effect:b}, or marked stale",
                    f"{value:b}, unmarked, with the stamps {held.began} and {held.at}",
                    reply,
                )
            for effect in lacking:
                del due[effect]

    # -- running -------------------------------------------------------------------------------

    def client(self, client: _Client, requests: int) -> Steps:
        """Send requests, and fetch what is stale when that is allowed."""
        for _ in range(requests):
            free = [name for name, instance in self.instances.items() if instance.is_free]
            if free and self.chance.random() < 0.3:
                self.start(client, self.chance.choice(free))
            else:
                self.running.append(self.command(client))
            yield
            if self.chance.random() < 0.3:
                self.fetch(client)

    def start(self, client: _Client, name: str) -> None:
        """Begin to fetch an instance; a gated one is claimed with that."""
        instance = self.instances[name]
        instance.is_claimed = True
        self.running.append(self.query(client, instance))

    def fetch(self, client: _Client) -> None:
        """Do as ORD-8 says, as far as instances can be evaluated now."""
        wanted = client.cache.to_fetch(self.keys.values())
        for name, instance in self.instances.items():
            if self.keys[name] in wanted and instance.is_free:
                self.told.refetched += 1
                self.start(client, name)

    def drive(self) -> None:
        """Take steps in any order until none is left; then fetch what is stale and look again."""
        for client in self.clients:
            self.running.append(self.client(client, self.chance.choice((2, 2, 3))))
        self._exhaust()
        for _ in self.clients:  # a gated instance can be fetched by one client at a time
            for client in self.clients:
                self.fetch(client)
            self._exhaust()
        for client in self.clients:
            stale = [name for name, key in self.keys.items() if client.cache.is_stale(key)]
            if stale:
                raise ValueError(f"{self.name}: {stale} stay stale, the model is wrong")

    def abandon(self) -> None:
        """Vanish from what still waits; what is answered is closed already."""
        for pending in self.pending:
            pending.abort()

    def _exhaust(self) -> None:
        while self.running:
            index = self.chance.randrange(len(self.running))
            try:
                next(self.running[index])
            except StopIteration:
                self.running[index] = self.running[-1]
                self.running.pop()


def interleave(
    server: Server, processes: Sequence[Server], *, count: int, seed: int, first: int = 0
) -> Interleavings:
    """Force random interleavings on the server and check each.

    Args:
        server: Where checks are recorded.
        process: Server to each process of the target; all share the fixture's store.
        count: How many; fewer if the case's time is nearly over.
        seed: With the same seed the same interleavings come.
        first: The number of the first.
    """
    total = Interleavings()
    for number in range(first, first + count):
        if server.clock().left < server.settings.request_timeout / 2:
            break
        name = f"interleaving {seed}:{number}"
        world = _World(server, processes, name, f"{server.run}-{number}")
        try:
            world.drive()
        except _TooSlowError:
            total.too_slow += 1
            continue
        finally:
            world.abandon()
        total.count += 1
        total.requests += world.told.requests
        total.deliveries += world.told.deliveries
        total.stale += world.told.stale
        total.refetched += world.told.refetched
    return total
