"""Keys that a server makes of its own code's arguments, against ours. Imports Hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import hypothesis
from hypothesis import strategies as st

from wireflight_conformance.strategies import arguments
from wireflight_conformance.wire.codec import key as key_of
from wireflight_conformance.wire.reply import pick
from wireflight_conformance.wire.values import UNDEFINED, Extension, Map, Set, Value, show

from .play import violation_of
from .profiles import settings_of
from .searching import Search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.reply import Reply

__all__ = ["search_keys"]

_BATCH: Final = 12


def search_keys(server: Server, *, profile: str, seed: int) -> Search:
    """Let a handler name instances of ``fx/echo``, and look for keys that are not as we make them.

    Args:
        server: The server; every key that is right is counted there.
        profile: How many.
        seed: With the same seed the same arguments come.

    Raises:
        WireError: The server stopped answering.
    """
    result = Search()
    many = st.lists(arguments().filter(_has_plain_form), min_size=1, max_size=_BATCH)

    @settings_of(profile)
    @hypothesis.seed(seed)
    @hypothesis.given(many)
    def names(drawn: Sequence[Value]) -> None:
        wanted = {key_of("fx/echo", value): value for value in drawn}
        steps: list[Value] = [_step("refresh", value) for value in wanted.values()]
        result.examples += 1
        with result.call(server, [{"call": "command", "steps": steps}]):
            _check(server, wanted, steps)

    return result.run(names)


def _has_plain_form(value: Value) -> bool:
    """Leave out extensions: what a handler holds of one is the application's."""
    if isinstance(value, Extension):
        return False
    if isinstance(value, Map):
        return all(_has_plain_form(part) for pair in value.pairs for part in pair)
    if isinstance(value, Set):
        return all(map(_has_plain_form, value.items))
    if isinstance(value, dict):
        return all(map(_has_plain_form, value.values()))
    return not isinstance(value, list) or all(map(_has_plain_form, value))


def _check(server: Server, wanted: Mapping[str, Value], steps: Sequence[Value]) -> None:
    refreshes: list[Value] = [*wanted]
    reply = server.command(steps, refreshes=refreshes)
    _hold(server, "ENV-1", reply.is_result, "a result", reply)
    named: Mapping[Value, Mapping[str, Value]] = {pick(u, "key"): u for u in reply.updates}
    # a key that the server makes otherwise stands beside the one that was requested
    extra = sorted(set(map(str, named)) - set(wanted))
    _hold(server, "KEY-7", not extra, f"no other key than {sorted(wanted)}", reply)
    for name, value in wanted.items():
        text = f"the key {name} for {show(value)}"
        _hold(server, "KEY-7", name in named, text, reply)
        fits = key_of("fx/echo", pick(named[name], "value")) == name
        _hold(server, "UPD-3", fits, f"the value of {name}", reply)


def _step(do: str, value: Value) -> Value:
    step: dict[str, Value] = {"do": do, "query": "fx/echo"}
    return step if value is UNDEFINED else {**step, "arg": value}


def _hold(server: Server, clause: str, holds: bool, expected: str, reply: Reply) -> None:
    if not holds:
        raise violation_of(clause)(clause, expected, str(reply), reply.trace)
    server.check(clause, True, expected, "", of=reply)
