"""The commands and query instances that interleavings are made of, as scripts of the fixture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from wireflight_conformance.wire.codec import key as key_of

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from wireflight_conformance.wire.values import Value

__all__ = ["Instance", "Script", "draw_script", "gated_instance"]

_INSTRUCTIONS: Final = (
    *("refresh",) * 5,
    *("set",) * 5,
    *("accept",) * 2,
    *("invalidate", "function", "ignore", "none", "none"),
)
EVALUATED: Final = ("refresh", "accept")


@dataclass(slots=True)
class Instance:
    """A query instance over one cell; a gated one stops when it is evaluated for the first time.

    Before its gate is open only one evaluation may be under way, or nobody could tell which of
    them has arrived at it.
    """

    cell: str
    function: str
    argument: Value
    reads_first: bool = False
    is_claimed: bool = False
    is_open: bool = True

    @property
    def key(self) -> str:
        """Return its key."""
        return key_of(self.function, self.argument)

    @property
    def is_free(self) -> bool:
        """Whether it may be evaluated now."""
        return self.is_open or not self.is_claimed


def gated_instance(run: str, cell: str, *, reads_first: bool) -> Instance:
    """Return an instance that opens ``reached`` and waits for ``released``."""
    read: dict[str, Value] = {
        "do": "return_read",
        "query": "fx/cell",
        "arg": {"run": run, "cell": cell},
    }
    reached: dict[str, Value] = {"do": "open", "gate": "reached"}
    wait: dict[str, Value] = {"do": "wait", "gate": "released"}
    steps = [read, reached, wait] if reads_first else [reached, wait, read]
    argument: Value = {"run": run, "steps": steps}
    return Instance(cell, "fx/act", argument, reads_first, is_open=False)


@dataclass(slots=True)
class Script:
    """What one command will do: an effect on a cell, an instruction for each instance, stops.

    At stop *n* its handler opens the gate ``{name}.at{n}`` and waits for ``{name}.go{n}``.
    """

    name: str
    effect: int
    cell: str
    plan: Mapping[str, str]
    requested: Sequence[str]
    fails: bool
    stops: int
    adds_after: int
    """The stop after which the cell has the effect."""
    steps: Sequence[dict[str, Value]] = field(default_factory=list)

    @property
    def evaluated(self) -> list[str]:
        """Return the instances that are refreshed."""
        return [] if self.fails else [n for n, i in self.plan.items() if i in EVALUATED]

    def steps_with(self, values: Mapping[str, int]) -> list[Value]:
        """Return the steps with the values that the handler sets."""
        return [
            {**step, "value": values[str(step["value"])]} if step["do"] == "set" else step
            for step in self.steps
        ]

    def told(self, keys: Mapping[str, str]) -> set[str]:
        """Return the instances for which the client is told something."""
        if self.fails:
            # the error brings the handler's invalidations (UPD-9), and the client marks what it
            # asked for (REQ-5)
            named = {n for n, i in self.plan.items() if i in ("invalidate", "function")}
            return named | {n for n in self.plan if keys[n] in self.requested}
        return {n for n, instruction in self.plan.items() if instruction != "none"}


def draw_script(chance: random.Random, instances: Mapping[str, Instance], number: int) -> Script:
    """Draw the script of a command, and claim the gated instance if that evaluates it."""
    plan = {name: chance.choice(_INSTRUCTIONS) for name in instances}
    if "accept" in (plan["a"], plan["b"]):
        # an acceptance takes the requested keys of its whole function
        plan["a"] = plan["b"] = "accept"
    gated = instances.get("gated")
    if gated is not None and plan["gated"] in EVALUATED:
        if gated.is_free:
            gated.is_claimed = True
        else:
            plan["gated"] = "set"
    requested = [
        instances[name].key
        for name, instruction in plan.items()
        if instruction in ("accept", "ignore") or chance.random() < 0.2
    ]
    for name, instruction in plan.items():
        if instruction == "none" and instances[name].key in requested:
            plan[name] = "ignore"
    script = Script(
        name=f"c{number}",
        effect=1 << number,
        cell=chance.choice("ab"),
        plan=plan,
        requested=requested,
        fails=chance.random() < 0.08 and plan.get("gated") not in EVALUATED,
        stops=chance.choice((1, 2, 2, 3)),
        adds_after=0,
    )
    _write(chance, instances, script)
    return script


def _write(chance: random.Random, instances: Mapping[str, Instance], script: Script) -> None:
    work: list[dict[str, Value]] = [{"do": "add", "cell": script.cell, "by": script.effect}]
    named = [(n, i) for n, i in script.plan.items() if i not in ("none", "ignore")]
    work += [_step(n, i, instances[n]) for n, i in named]
    chance.shuffle(work)
    cuts = sorted(chance.randrange(len(work) + 1) for _ in range(script.stops - 1))
    steps: list[dict[str, Value]] = []
    for stop, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(work)], strict=True)):
        steps.append({"do": "open", "gate": f"{script.name}.at{stop}"})
        steps.append({"do": "wait", "gate": f"{script.name}.go{stop}"})
        steps += work[start:end]
        if any(step["do"] == "add" for step in work[start:end]):
            script.adds_after = stop
    if script.fails:
        steps.append({"do": "fail", "status": 418, "message": "as asked"})
    script.steps = steps


def _step(name: str, instruction: str, instance: Instance) -> dict[str, Value]:
    if instruction == "accept":
        return {"do": "accept", "query": instance.function, "limit": 2}
    if instruction == "function":
        return {"do": "invalidate", "query": instance.function}
    step: dict[str, Value] = {
        "do": instruction,
        "query": instance.function,
        "arg": instance.argument,
    }
    if instruction == "set":
        step["value"] = name
    return step
