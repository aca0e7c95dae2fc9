"""Seeded faults, each of which the suite has to find, and legal variations that it must not.

A mutant is a function of a few lines below its decorator. Either it wraps the fixture's ASGI app,
or it is a context manager that changes the reference while it is open, or it wraps the function
that answers the requests of the codec mode::

    @mutant("SEC-4", "sends results without nosniff")
    def no_nosniff(app: App) -> App:
        return rewriting(app, lambda sent: sent.drop("x-content-type-options"))

    @patch("UPD-4", "lets the first instruction for a key win")
    @contextlib.contextmanager
    def first_instruction_wins() -> Iterator[None]: ...

    @codec_patch("PAY-6", "reads a table without entries", step=6)
    @contextlib.contextmanager
    def empty_table() -> Iterator[None]: ...

There is one file for each area of the specification; names of codec files start with ``codec``.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from wireflight_conformance.corpus import Json
    from wireflight_conformance.embedded.server import App

__all__ = [
    "Answering",
    "Mutant",
    "Patch",
    "Wrap",
    "codec_control",
    "codec_mutant",
    "codec_patch",
    "control",
    "control_patch",
    "load_mutants",
    "mutant",
    "patch",
]

Answering: TypeAlias = "Callable[[Mapping[str, Json]], Mapping[str, Json]]"
"""What answers one request of the codec mode, as in ``embedded.codec``."""
Wrap: TypeAlias = "Callable[[App], App]"
Disguise: TypeAlias = Callable[[Answering], Answering]
Patch: TypeAlias = Callable[[], AbstractContextManager[None]]
Aim = Literal["server", "codec"]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A fault, or, without a clause, a variation that the specification allows.

    Exactly one of `wrap`, `patch` and `disguise` makes it.
    """

    name: str
    clause: str | None
    about: str
    step: int | None = None
    """Which step of the clause's algorithm it breaks."""
    aim: Aim = "server"
    wrap: Wrap | None = None
    patch: Patch | None = None
    disguise: Disguise | None = None

    @property
    def is_control(self) -> bool:
        """Whether it has to survive."""
        return self.clause is None


_FRAMEWORK: Final = frozenset({"answering", "changing", "rewriting", "trials"})
"""What makes and tries mutants; the rest of the package are the mutants."""
_REGISTRY: Final[dict[str, Mutant]] = {}


def _register(made: Mutant) -> None:
    if made.name in _REGISTRY:
        raise ValueError(f"two mutants are called {made.name}")
    _REGISTRY[made.name] = made


def _name(function: Callable[..., object]) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


def mutant(clause: str, about: str, *, step: int | None = None) -> Callable[[Wrap], Wrap]:
    """Register a function that wraps the app so that it breaks the clause."""

    def register(wrap: Wrap) -> Wrap:
        _register(Mutant(_name(wrap), clause, about, step, wrap=wrap))
        return wrap

    return register


def patch(clause: str, about: str, *, step: int | None = None) -> Callable[[Patch], Patch]:
    """Register a context manager that changes the reference so that it breaks the clause."""

    def register(change: Patch) -> Patch:
        _register(Mutant(_name(change), clause, about, step, patch=change))
        return change

    return register


def codec_mutant(
    clause: str, about: str, *, step: int | None = None
) -> Callable[[Disguise], Disguise]:
    """Register a function that wraps what answers the codec mode so that it breaks the clause."""

    def register(disguise: Disguise) -> Disguise:
        _register(Mutant(_name(disguise), clause, about, step, "codec", disguise=disguise))
        return disguise

    return register


def codec_patch(clause: str, about: str, *, step: int | None = None) -> Callable[[Patch], Patch]:
    """Register a context manager that changes the reference codec so that it breaks the clause."""

    def register(change: Patch) -> Patch:
        _register(Mutant(_name(change), clause, about, step, "codec", patch=change))
        return change

    return register


def control(about: str) -> Callable[[Wrap], Wrap]:
    """Register a function that wraps the app in a way that no case may mind."""

    def register(wrap: Wrap) -> Wrap:
        _register(Mutant(_name(wrap), None, about, wrap=wrap))
        return wrap

    return register


def control_patch(about: str) -> Callable[[Patch], Patch]:
    """Register a context manager that changes the reference in a way that no case may mind."""

    def register(change: Patch) -> Patch:
        _register(Mutant(_name(change), None, about, patch=change))
        return change

    return register


def codec_control(about: str) -> Callable[[Disguise], Disguise]:
    """Register a function that wraps the codec's answers in a way that no case may mind."""

    def register(disguise: Disguise) -> Disguise:
        _register(Mutant(_name(disguise), None, about, aim="codec", disguise=disguise))
        return disguise

    return register


@functools.cache
def load_mutants() -> Mapping[str, Mutant]:
    """Import every file of this package and return the mutants by name."""
    for module in pkgutil.iter_modules(__path__):
        if module.name not in _FRAMEWORK:
            importlib.import_module(f"{__name__}.{module.name}")
    return dict(_REGISTRY)
