"""How arguments become parameters, and calls become arguments."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
from msgspec import UNSET

from wireflight import Functions, ValidationError
from wireflight.functions import Registry
from wireflight.functions.signature import Signature


class Point(msgspec.Struct):
    x: int
    y: int = 0


def nothing() -> None: ...
def unchecked(value): ...
def single(value: int): ...
def optional(value: int | None = None): ...
def keyword(*, value: int): ...
def positional(value: int, /): ...
def several(a: int, b: int = 2, *, c=None): ...
def structured(point: Point): ...
def later(value: Later): ...


class Later(msgspec.Struct):
    """Defined below the function that names it."""

    n: int


def bound(handler, argument: object) -> object:
    args, kwargs = Signature(handler).bind(argument)
    return args or kwargs


def codes(handler, argument: object) -> list[tuple[tuple, str]]:
    with pytest.raises(ValidationError) as caught:
        Signature(handler).bind(argument)
    return [(tuple(issue.path), issue.code) for issue in caught.value.issues]


def test_signature_looks_for_every_issue_only_where_asked_to() -> None:
    """Without an explanation there is one issue, whatever the faults."""
    for explain, count in ((True, 2), (False, 1)):
        with pytest.raises(ValidationError) as caught:
            Signature(several).bind({"a": "x", "b": "y"}, explain=explain)
        assert len(caught.value.issues) == count


@pytest.mark.parametrize(
    ("handler", "argument", "parameters"),
    [
        (nothing, UNSET, {}),
        (unchecked, UNSET, (UNSET,)),
        (unchecked, {"a": [None]}, ({"a": [None]},)),
        (single, 3, (3,)),
        (single, 3.0, (3,)),
        (positional, 3, (3,)),
        (keyword, 3, {"value": 3}),
        (optional, None, (None,)),
        (optional, UNSET, {}),
        (several, {"a": 1}, {"a": 1}),
        (several, {"a": 1, "b": UNSET}, {"a": 1}),
        (several, {"a": 1, "b": 3, "c": "any"}, {"a": 1, "b": 3, "c": "any"}),
        (structured, {"x": 1}, (Point(1),)),
    ],
)
def test_functions_spread_an_argument_over_parameters(handler, argument, parameters) -> None:
    """None, one and several parameters; defaults stay the handler's own."""
    assert bound(handler, argument) == parameters


@pytest.mark.parametrize(
    ("handler", "argument", "issues"),
    [
        (nothing, None, [((), "invalid")]),
        (nothing, {}, [((), "invalid")]),
        (single, UNSET, [((), "required")]),
        (single, None, [((), "type")]),
        (single, "3", [((), "type")]),
        (single, True, [((), "type")]),
        (single, {"value": 3}, [((), "type")]),
        (several, UNSET, [(("a",), "required")]),
        (several, [1], [((), "type")]),
        (several, {"a": "x", "b": None}, [(("a",), "type"), (("b",), "type")]),
        (several, {"a": 1, "d": 1}, [(("d",), "unknown_member")]),
        (structured, {"y": 1}, [(("x",), "required")]),
    ],
)
def test_functions_refuse_arguments_of_other_types(handler, argument, issues) -> None:
    """The issue says which place is at fault."""
    assert codes(handler, argument) == issues


def test_functions_find_types_that_are_defined_below() -> None:
    """An annotation that names nothing yet is read again when a call comes."""
    source = "from __future__ import annotations\ndef f(value: Thing): ...\n"
    namespace: dict = {"__name__": "made"}
    exec(compile(source, "made", "exec"), namespace)
    signature = Signature(namespace["f"])
    with pytest.raises(NameError):
        signature.bind(1)
    namespace["Thing"] = int
    assert signature.bind(1) == ((1,), {})
    assert bound(later, {"n": 1}) == (Later(1),)


@pytest.mark.parametrize(
    ("handler", "args", "kwargs", "argument"),
    [
        (nothing, (), {}, UNSET),
        (single, (1,), {}, 1),
        (single, (), {"value": 1}, 1),
        (optional, (), {}, UNSET),
        (optional, (None,), {}, None),
        (several, (1,), {}, {"a": 1}),
        (several, (1,), {"c": 3}, {"a": 1, "c": 3}),
        (several, (1, 2), {}, {"a": 1, "b": 2}),
    ],
)
def test_functions_take_the_argument_of_a_call_as_written(handler, args, kwargs, argument) -> None:
    """One parameter is the bare value, several are those given; defaults are not filled in."""
    assert Signature(handler).as_written(args, kwargs) == argument


def test_functions_refuse_calls_that_the_handler_would_refuse() -> None:
    """A call with too few or too many arguments names no instance."""
    with pytest.raises(TypeError):
        Signature(single).as_written((), {"other": 1})
    with pytest.raises(TypeError):
        Signature(several).as_written((), {})


def test_functions_refuse_parameters_that_have_no_place() -> None:
    """Collecting parameters and several positional ones cannot be members."""
    refused = [lambda *a: a, lambda **k: k, lambda a, b, /: a]
    for handler in refused:
        with pytest.raises(TypeError):
            Signature(handler)
    namespace: dict = {}
    exec("def f(__proto__): ...", namespace)
    with pytest.raises(TypeError):
        Signature(namespace["f"])


def entry(handler):
    group = Functions()
    group.query(handler)
    (made,) = Registry(group.functions())
    return made


def test_functions_have_contracts_that_change_with_their_types() -> None:
    """The same types give the same contract, other types or another kind another."""

    def make(argument: object, result: object, name: str = "f"):
        def f(a): ...

        f.__name__ = name
        f.__annotations__ = {"a": argument, "return": result}
        return entry(f).contract

    base = make(int, str)
    assert len(base) == 32
    assert set(base) <= set("0123456789abcdef")
    assert make(int, str, "g") == base
    variants = [make(str, str), make(int, int), make(Annotated[int, msgspec.Meta(ge=1)], str)]
    assert len({base, *variants}) == 4

    def f(a: int) -> str: ...

    group = Functions()
    group.command(f)
    assert next(iter(Registry(group.functions()))).contract != base


def test_functions_describe_argument_and_result() -> None:
    """A function without parameters has no argument, one without annotation no result."""
    assert Signature(nothing).argument_schema() is None
    assert Signature(unchecked).argument_schema() == {}
    assert Signature(unchecked).result_schema() is None
    assert Signature(single).argument_schema() == {"type": "integer"}
    described = Signature(several).argument_schema()
    assert described is not None
    assert "a" in str(described)

    def odd() -> object.__class__: ...

    odd.__annotations__ = {"return": test_functions_describe_argument_and_result.__class__}
    assert "title" in (Signature(odd).result_schema() or {})
