"""Section 12 tried out in memory: servers that stamp, clients that order, nothing else.

Every step of every request may come between any two steps of another. A cell of the store is a
set of effects, each the bit of the command that wrote it, so that what a value has seen can be
read off the value. The rule holds if at no moment an unmarked key of a client lacks an effect of
a command of that client which had an outcome for the key.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .cache import ClientCache, Held, Request

if TYPE_CHECKING:
    from wireflight_conformance.wire.values import Value

__all__ = ["RULE", "Rule", "Tally", "Violation", "explore"]

_READS: Final[Mapping[str, Sequence[int]]] = {
    "first/": (0,),
    "second/": (1,),
    # two reads with other steps between them
    "both/": (0, 1),
}
_KEYS: Final = tuple(_READS)
_INSTRUCTIONS: Final = (
    *("refresh",) * 5,
    *("set",) * 5,
    *("invalidate", "ignore", "fail", "redirect", "function", "none"),
)
Steps = Generator[None, None, None]
Plan = dict[str, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """How servers stamp and what clients keep; the fields are the ways to do it wrong."""

    set_stamped_when_called: bool = False
    set_without_from: bool = False
    query_stamped_after_reading: bool = False
    refresh_stamped_before_handler: bool = False
    refreshed_before_commit: bool = False
    stamped_by_clocks: bool = False
    one_name_for_all_processes: bool = False
    cache: Callable[[], ClientCache] = ClientCache


RULE: Final = Rule()


@dataclass(frozen=True, slots=True)
class Violation:
    """An unmarked key that lacks effects."""

    seed: str
    key: str
    held: Held
    lacks: int

    def __str__(self) -> str:
        return f"interleaving {self.seed}: {self.key} holds {self.held} and lacks {self.lacks:b}"


@dataclass(slots=True)
class Tally:
    """What a number of interleavings came to."""

    interleavings: int = 0
    steps: int = 0
    deliveries: int = 0
    refetches: int = 0
    violations: int = 0
    first: Violation | None = None


@dataclass(slots=True)
class _Process:
    """One process of the server: a name and a counter, or, wrongly, a clock."""

    name: str
    count: int
    skew: int

    def stamp(self, world: _World) -> str:
        if world.rule.stamped_by_clocks:
            # the best clock there could be: exact, and only off by a constant
            return f"aaaaaaaaaaaa.{world.tally.steps + self.skew:016x}"
        self.count += 1
        return f"{self.name}.{self.count:016x}"


class _Client:
    """A client, and which effects each of its keys has to show."""

    def __init__(self, rule: Rule) -> None:
        self.cache = rule.cache()
        self.due = dict.fromkeys(_KEYS, 0)


@dataclass(slots=True)
class _World:
    """One interleaving."""

    rule: Rule
    seed: str
    tally: Tally
    chance: random.Random
    processes: list[_Process] = field(default_factory=list)
    clients: list[_Client] = field(default_factory=list)
    cells: list[int] = field(default_factory=lambda: [0, 0])
    effects: int = 0
    running: list[Steps] = field(default_factory=list)
    is_settling: bool = False

    # -- what clients do -----------------------------------------------------------------------

    def client(self, client: _Client, requests: int) -> Steps:
        """Send requests at moments of its own, and fetch what is stale when it may."""
        for _ in range(requests):
            if self.chance.random() < 0.4:
                self.running.append(self.query(client, self.chance.choice(_KEYS)))
            else:
                self.running.append(self.command(client))
            yield
            if self.chance.random() < 0.5:
                self.fetch(client)

    def fetch(self, client: _Client) -> None:
        """Do as ORD-8 says."""
        for key in client.cache.to_fetch(_KEYS):
            self.tally.refetches += 1
            self.running.append(self.query(client, key))

    def check(self, client: _Client) -> None:
        """Look whether what the client shows as fresh is so."""
        self.tally.deliveries += 1
        for key in _KEYS:
            held = client.cache.held(key)
            if held is None or client.cache.is_stale(key):
                continue
            lacks = client.due[key] & ~held.value if isinstance(held.value, int) else -1
            if lacks:
                self.tally.violations += 1
                if self.tally.first is None:
                    self.tally.first = Violation(self.seed, key, held, lacks)
                # each lack counts once
                client.due[key] &= ~lacks
        if not self.is_settling and self.chance.random() < 0.06:
            client.cache.forget(self.chance.choice(_KEYS))

    # -- what servers do -----------------------------------------------------------------------

    def read(self, key: str) -> Generator[None, None, int]:
        """Read the cells of a query, one step each."""
        value = 0
        for cell in _READS[key]:
            value |= self.cells[cell]
            yield
        return value

    def query(self, client: _Client, key: str) -> Steps:
        """Answer a query; each `yield` is a place where others may come in."""
        request = client.cache.send_query(key)
        process = self.chance.choice(self.processes)
        yield
        at = process.stamp(self)  # ORD-2
        value = yield from self.read(key)
        if self.rule.query_stamped_after_reading:
            at = process.stamp(self)
        yield
        client.cache.receive_value(request, value, at)
        self.check(client)

    def command(self, client: _Client) -> Steps:
        """Answer a command: handler, commit, refresh phase, response."""
        chance, rule = self.chance, self.rule
        plan = {key: chance.choice(_INSTRUCTIONS) for key in _KEYS}
        effect, cell = 1 << self.effects, chance.choice((0, 1))
        self.effects += 1
        resets = chance.random() < 0.04
        requested = [key for key in _KEYS if plan[key] == "ignore" or chance.random() < 0.3]
        request = client.cache.send_mutation(requested)
        process = chance.choice(self.processes)
        yield
        began = early = process.stamp(self)  # the `from` of ORD-3
        yield
        commits_at_end = chance.random() < 0.5
        if not commits_at_end:
            self.cells[cell] |= effect
            yield
        values: dict[str, int] = {}
        called: dict[str, str] = {}
        for key in [key for key in _KEYS if plan[key] == "set"]:
            values[key] = yield from self.read(key)
            if cell in _READS[key]:
                values[key] |= effect
            called[key] = process.stamp(self)
            yield
        if rule.refreshed_before_commit:
            values |= yield from self.refresh(plan)
        self.cells[cell] |= effect  # the commit, if it was not written at once
        yield
        after = process.stamp(self)  # ORD-3, ORD-4
        yield
        in_phase = early if rule.refresh_stamped_before_handler else process.stamp(self)  # ORD-2
        if not rule.refreshed_before_commit:
            values |= yield from self.refresh(plan)
        yield
        updates: list[dict[str, Value]] = [{"op": "reset"}] if resets else []
        for key, instruction in plan.items():
            if instruction == "refresh":
                updates.append({"op": "set", "key": key, "value": values[key], "at": in_phase})
            elif instruction == "set":
                at = called[key] if rule.set_stamped_when_called else after
                update: dict[str, Value] = {"op": "set", "key": key, "value": values[key], "at": at}
                if not (rule.set_without_from or rule.set_stamped_when_called):
                    update["from"] = began
                updates.append(update)
            elif instruction == "function":
                updates.append({"op": "invalidate", "id": key.rpartition("/")[0]})
            elif instruction in ("invalidate", "fail", "redirect") or key in requested:
                updates.append({"op": instruction, "key": key})
        self.deliver(client, request, updates, plan, effect if cell == 0 else -effect)

    def refresh(self, plan: Plan) -> Generator[None, None, dict[str, int]]:
        """Run the refreshed queries, one after the other."""
        values: dict[str, int] = {}
        for key in [key for key in _KEYS if plan[key] == "refresh"]:
            values[key] = yield from self.read(key)
        return values

    def deliver(
        self,
        client: _Client,
        request: Request,
        updates: Sequence[Mapping[str, Value]],
        plan: Plan,
        effect: int,
    ) -> None:
        """Let a command's answer arrive, or get lost; a positive effect is one of cell 0."""
        cell, effect = (0, effect) if effect > 0 else (1, -effect)
        chance = self.chance.random()
        if chance < 0.05:
            # the handler failed after it wrote: the client marks what it asked for
            client.cache.receive_error(request)
            told = set(request.requested)
        else:
            client.cache.receive_updates(request, updates)
            told = {key for key in _KEYS if plan[key] != "none"} | set(request.requested)
        for key in told:
            if cell in _READS[key]:
                client.due[key] |= effect
        self.check(client)

    def run(self) -> None:
        """Take steps in any order until none is left; then fetch what is stale and look again."""
        running, draw = self.running, self.chance.random
        for self.is_settling in (False, True):
            for client in self.clients if self.is_settling else ():
                self.fetch(client)
            while running:
                index = int(draw() * len(running))
                self.tally.steps += 1
                try:
                    next(running[index])
                except StopIteration:
                    running[index] = running[-1]
                    running.pop()
        for client in self.clients:
            stale = [key for key in _KEYS if client.cache.is_stale(key)]
            absent = [key for key in _KEYS if client.cache.held(key) is None]
            if stale or absent:
                raise AssertionError(f"interleaving {self.seed} never settles: {stale} {absent}")


def explore(rule: Rule, *, interleavings: int, seed: int = 0, first: int = 0) -> Tally:
    """Try a number of random interleavings of one or two clients over one to three processes.

    Args:
        rule: How stamps are made and values kept.
        interleavings: How many.
        seed: With the same seed the same interleavings come.
        first: The number of the first; a violation's `seed` ends with its number.
    """
    tally = Tally()
    for number in range(first, first + interleavings):
        chance = random.Random(f"{seed}:{number}")
        world = _World(rule, f"{seed}:{number}", tally, chance)
        for index in range(chance.choice((1, 1, 2, 3))):
            name = "abc"[0 if rule.one_name_for_all_processes else index] * 12
            world.processes.append(_Process(name, chance.randrange(50), chance.randrange(-30, 30)))
        world.clients = [_Client(rule) for _ in range(chance.choice((1, 1, 2)))]
        for client in world.clients:
            world.running.append(world.client(client, chance.choice((2, 3, 4))))
        world.run()
        tally.interleavings += 1
    return tally
