"""The fixture functions of section 20, on the reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

import anyio
import anyio.lowlevel
import msgspec

from wireflight import BigInt, Extensions, WireMap
from wireflight.functions import Functions, get_request_event
from wireflight.issues import Converter
from wireflight.types import AS_MAP
from wireflight_conformance.embedded.steps import Arguments, Queries, Script

if TYPE_CHECKING:
    from .state import Runs

__all__ = ["Money", "fixture_extensions", "fixture_functions"]

UNSET: Final = msgspec.UNSET
Unset = msgspec.UnsetType
Integer = Annotated[int, msgspec.Meta(ge=-(2**53 - 1), le=2**53 - 1)]


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """The nested object of ``fx/typed``."""

    x: float


class Typed(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The argument of ``fx/typed``."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    count: Annotated[int, msgspec.Meta(ge=0, le=100)]
    when: datetime | Unset = UNSET
    mode: Literal["a", "b"] | Unset = UNSET
    tags: Annotated[list[str], msgspec.Meta(max_length=3)] | Unset = UNSET
    at: Place | Unset = UNSET
    data: bytes | Unset = UNSET
    big: BigInt | Unset = UNSET
    labels: set[str] | Unset = UNSET
    counts: Annotated[dict[str, Integer], msgspec.Meta(extra={AS_MAP: True})] | Unset = UNSET

    def as_sent(self) -> Typed:
        """Return what is sent as it came: a dict with names for keys would be an object."""
        if not isinstance(self.counts, dict):
            return self
        return msgspec.structs.replace(self, counts=WireMap(self.counts.items()))


class CellName(msgspec.Struct, forbid_unknown_fields=True):
    """The argument of ``fx/cell``."""

    run: str
    cell: str


class RunName(msgspec.Struct, forbid_unknown_fields=True):
    """The argument of ``fx/calls``."""

    run: str


class Steps(msgspec.Struct, forbid_unknown_fields=True):
    """The argument of ``fx/act`` and ``fx/run``."""

    run: str
    steps: list[object]


class Money(msgspec.Struct, frozen=True):
    """The value behind the extension ``fx.Money``."""

    amount: int
    currency: str


class Pair(msgspec.Struct):
    """The result of ``fx/pair``."""

    a: int
    b: int


class Seen(msgspec.Struct):
    """The result of ``fx/seen``."""

    id: str
    page: str | None


def fixture_functions(runs: Runs, *, response_bytes: int) -> Functions:
    """Make the functions over the state of `runs`.

    Args:
        runs: Where they keep what they keep.
        response_bytes: The server's limit, for the step ``return_special`` of kind ``large``.
    """
    functions = Functions(prefix="fx")

    @functions.query
    async def echo(value=UNSET):  # type: ignore[no-untyped-def] # unchecked, as section 20 asks
        return value

    @functions.query
    async def none() -> str:
        return "none"

    @functions.query
    async def pair(a: Integer, b: Integer = 2) -> Pair:
        return Pair(a, b)

    @functions.query(details=True)
    async def typed(value: Typed) -> Typed:
        return value.as_sent()

    @functions.query
    async def cell(name: CellName) -> int:
        state = runs[name.run]
        state.calls["fx/cell"] += 1
        return state.cells[name.cell]

    @functions.query
    async def calls(name: RunName) -> dict[str, int]:
        counted = runs[name.run].calls
        return {function: counted[function] for function in ("fx/cell", "fx/act", "fx/run")}

    @functions.query
    async def whoami() -> str | None:
        for _ in range(3):
            await anyio.lowlevel.checkpoint()
        return get_request_event().cookies.get("fx_session")

    @functions.query
    async def seen() -> Seen:
        event = get_request_event()
        return Seen(event.function_id, event.claimed_page)

    @functions.query
    async def money(value: Money) -> Money:
        return value

    @functions.query
    async def act(script: Steps):  # type: ignore[no-untyped-def] # returns what a step says
        runs[script.run].calls["fx/act"] += 1
        return await Script(runs, script.run, queries, response_bytes).play(script.steps)

    @functions.command
    async def run(script: Steps):  # type: ignore[no-untyped-def] # returns what a step says
        runs[script.run].calls["fx/run"] += 1
        return await Script(runs, script.run, queries, response_bytes).play(script.steps)

    def single(kind: type[msgspec.Struct]) -> Callable[[object], Arguments]:
        return lambda argument: ((msgspec.convert(argument, kind),), {})

    queries = Queries(
        child=lambda run_name, steps: run(Steps(run_name, list(steps))),
        by_id={
            "fx/echo": (echo, lambda argument: ((argument,), {})),
            "fx/none": (none, _nothing),
            "fx/pair": (pair, _members),
            "fx/typed": (typed, _typed),
            "fx/cell": (cell, single(CellName)),
            "fx/calls": (calls, single(RunName)),
            "fx/whoami": (whoami, _nothing),
            "fx/seen": (seen, _nothing),
            "fx/money": (money, lambda argument: ((argument,), {})),
            "fx/act": (act, single(Steps)),
        },
    )
    return functions


_typed_converter: Final[Converter[Typed]] = Converter(Typed)


def _typed(argument: object) -> Arguments:
    return (_typed_converter.convert(argument).as_sent(),), {}


def _nothing(_argument: object) -> Arguments:
    raise TypeError("a function without parameters refuses any argument")


def _members(argument: object) -> Arguments:
    if not isinstance(argument, Mapping):
        raise TypeError("fx/pair takes an object")
    return (), dict(argument)


def fixture_extensions() -> Extensions:
    """Return the extensions of the fixture: ``fx.Money``."""
    extensions = Extensions()
    extensions.register(
        "fx.Money",
        Money,
        encode=lambda money: {"amount": BigInt(money.amount), "currency": money.currency},
        decode=_money,
        plain=lambda money: f"{money.amount} {money.currency}",
    )
    return extensions


def _money(value: object) -> Money:
    if not isinstance(value, Mapping) or set(value) != {"amount", "currency"}:
        raise ValueError("fx.Money is an object of amount and currency")
    amount, currency = value["amount"], value["currency"]
    if not isinstance(amount, int) or not isinstance(currency, str):
        raise ValueError("fx.Money has a bigint and a string")  # noqa: TRY004
    return Money(int(amount), currency)
