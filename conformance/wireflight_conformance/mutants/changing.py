"""Mutants and controls made of changes inside the reference, named by dotted paths.

Each decorator registers a function that stands in the place of one of the reference's, and gets
that one first::

    @change("UPD-4", "lets the first instruction win", "wireflight.functions.updates.Plan.follow")
    def first_instruction_wins(follow: Original, plan: Plan, given: Iterable[Instruction]) -> None:
        follow(plan, reversed(list(given)))

Paths are texts, so that nothing here imports the reference before a trial does; one that leads
nowhere raises, and the self-test is red. A name that several modules import is several paths; the
last name may be that of an entry of a table, as in ``wireflight.exchange.checks.STAGES.origin``.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import types
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from wireflight_conformance.mutants import Patch, codec_patch, control_patch, patch

__all__ = [
    "Original",
    "change",
    "change_codec",
    "change_control",
    "changed",
    "replaced",
    "together",
]

Original: TypeAlias = Callable[..., Any]
"""A function of the reference, whatever its signature."""


def _resolve(path: str) -> tuple[dict[str, Any] | Any, str]:
    """Return what holds the last name of a path, a table or an object, and that name.

    Raises:
        AttributeError: The path leads nowhere: the reference has changed.
    """
    *parents, name = path.split(".")
    owner: Any = None
    for count in range(len(parents), 0, -1):
        try:
            owner = importlib.import_module(".".join(parents[:count]))
        except ModuleNotFoundError:
            continue
        for parent in parents[count:]:
            owner = getattr(owner, parent)
        break
    if owner is None or name not in (owner if isinstance(owner, dict) else vars(owner)):
        raise AttributeError(f"the reference has no {path}")
    return owner, name


@contextlib.contextmanager
def changed(path: str, make: Callable[[Any], object]) -> Iterator[None]:
    """Put `make(original)` in the place of what stands at the path, and the original back.

    Static methods, class methods and properties are unwrapped before and wrapped after.

    Raises:
        AttributeError: The path leads nowhere.
    """
    owner, name = _resolve(path)
    if isinstance(owner, dict):
        kept = owner[name]
        owner[name] = make(kept)
        try:
            yield
        finally:
            owner[name] = kept
        return
    original = vars(owner)[name]
    made: object
    if isinstance(original, staticmethod):
        made = staticmethod(_callable(make(original.__func__)))
    elif isinstance(original, property):
        made = property(_callable(make(original.fget)))
    else:
        made = make(original)
    setattr(owner, name, made)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _callable(made: object) -> Callable[..., Any]:
    if not callable(made):
        raise TypeError("a method is replaced by a method")
    return made


def replaced(path: str, value: object) -> contextlib.AbstractContextManager[None]:
    """Put a value in the place of what stands at the path."""
    return changed(path, lambda _: value)


def _patch_of(function: Callable[..., object], paths: tuple[str, ...]) -> Patch:
    def make(original: Original) -> object:
        # a plain function: it has to bind to the class that it is put into
        def standing_in(*args: object, **kwargs: object) -> object:
            return function(original, *args, **kwargs)

        if isinstance(original, types.FunctionType):
            functools.update_wrapper(standing_in, original)
        return standing_in

    @contextlib.contextmanager
    def opened() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for path in paths:
                stack.enter_context(changed(path, make))
            yield

    functools.update_wrapper(opened, function)
    return opened


Standing: TypeAlias = Callable[..., object]


def change(
    clause: str, about: str, *paths: str, step: int | None = None
) -> Callable[[Standing], Standing]:
    """Register a function that stands in for those at the paths so that the clause breaks."""

    def register(function: Standing) -> Standing:
        patch(clause, about, step=step)(_patch_of(function, paths))
        return function

    return register


def change_codec(
    clause: str, about: str, *paths: str, step: int | None = None
) -> Callable[[Standing], Standing]:
    """Register a function as `change` does, for the cases of a codec."""

    def register(function: Standing) -> Standing:
        codec_patch(clause, about, step=step)(_patch_of(function, paths))
        return function

    return register


def change_control(about: str, *paths: str) -> Callable[[Standing], Standing]:
    """Register a function that stands in for those at the paths in a way that no case may mind."""

    def register(function: Standing) -> Standing:
        control_patch(about)(_patch_of(function, paths))
        return function

    return register


@contextlib.contextmanager
def together(*changes: contextlib.AbstractContextManager[None]) -> Iterator[None]:
    """Open several changes at a time."""
    with contextlib.ExitStack() as stack:
        for one in changes:
            stack.enter_context(one)
        yield
