"""How the one argument of a call becomes the parameters of a handler, and back."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING, Any, Final, get_type_hints

import msgspec

from wireflight.functions.models import ADAPTERS
from wireflight.issues import Converter, ValidationError, make_issue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Signature"]

UNDEFINED: Final = msgspec.UNSET

_COLLECTING: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_UNRESOLVED: Final = object()


def _converter(type_: object) -> Converter[Any]:
    return Converter(type_, adapters=ADAPTERS)


class Signature:
    """The parameters of a handler as the client sees them.

    No parameter is no argument, one parameter is the bare value, several are the members
    of an object. A parameter without an annotation takes any value, unchecked.
    """

    __slots__ = ("_converter", "_hints", "_single", "handler", "parameters", "python")

    def __init__(self, handler: Callable[..., object]) -> None:
        """Read the parameters; annotations that name types defined later are read when used.

        Raises:
            TypeError: When a parameter has no place in an argument.
        """
        self.handler = handler
        self.python = inspect.signature(handler)
        self.parameters = tuple(self.python.parameters.values())
        for parameter in self.parameters:
            if parameter.kind in _COLLECTING:
                raise TypeError(f"{handler!r}: *{parameter.name} has no place in an argument")
            if parameter.name == "__proto__":
                raise TypeError(f"{handler!r}: no member may be named __proto__")
            if parameter.kind is parameter.POSITIONAL_ONLY and len(self.parameters) > 1:
                raise TypeError(f"{handler!r}: {parameter.name} is passed by its name")
        self._single = self.parameters[0] if len(self.parameters) == 1 else None
        self._hints: dict[str, Any] | None = None
        self._converter: Converter[Any] | object = _UNRESOLVED
        # A type that is defined below the handler is found at the first use.
        with contextlib.suppress(NameError):
            self._resolve()

    def _resolve(self) -> None:
        hints = get_type_hints(self.handler, include_extras=True)
        self._hints = hints
        checked = [p for p in self.parameters if p.name in hints]
        if self._single is not None:
            self._converter = _converter(hints[self._single.name]) if checked else None
        elif not self.parameters:
            self._converter = None
        else:
            self._converter = _converter(self._members(hints))

    def _members(self, hints: Mapping[str, Any]) -> type[msgspec.Struct]:
        """Make the type of the object that holds several parameters."""
        fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
        for parameter in self.parameters:
            annotation = hints.get(parameter.name, Any)
            if parameter.default is parameter.empty:
                fields.append((parameter.name, annotation))
            else:
                # The default stays the handler's own, so that no two calls share one.
                fields.append((parameter.name, annotation | msgspec.UnsetType, UNDEFINED))
        return msgspec.defstruct(
            self.handler.__name__, fields, kw_only=True, forbid_unknown_fields=True
        )

    def resolved_hints(self) -> Mapping[str, Any]:
        """Return the annotations as types.

        Raises:
            NameError: When one names a type that does not exist.
        """
        if self._hints is None:
            self._resolve()
        hints = self._hints
        return hints if hints is not None else {}

    def bind(
        self, argument: object, *, explain: bool = True
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        """Check a received argument and spread it over the parameters.

        Args:
            argument: The argument as it was decoded.
            explain: Whether to look for every issue, which may cost more than the call.

        Returns:
            What the handler is called with.

        Raises:
            ValidationError: When the argument is not of the parameters' types.

        Spec: ISS-4.
        """
        if self._converter is _UNRESOLVED:
            self._resolve()
        converter = self._converter
        single = self._single
        if single is not None:
            if argument is UNDEFINED and single.default is not single.empty:
                return (), {}
            if isinstance(converter, Converter):
                argument = converter.convert(argument, explain=explain)
            if single.kind is single.KEYWORD_ONLY:
                return (), {single.name: argument}
            return (argument,), {}
        if not isinstance(converter, Converter):
            if argument is not UNDEFINED:
                raise ValidationError([make_issue((), "invalid")])
            return (), {}
        if argument is UNDEFINED:
            argument = {}
        members = converter.convert(argument, explain=explain)
        named = {
            parameter.name: value
            for parameter in self.parameters
            if (value := getattr(members, parameter.name)) is not UNDEFINED
        }
        return (), named

    def as_written(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
        """Return the argument that a call in the server's own code stands for.

        Raises:
            TypeError: When the handler cannot be called like this.

        Spec: KEY-7.
        """
        if self._single is not None and len(args) == 1 and not kwargs:
            return args[0]
        if not (args or kwargs or self.parameters):
            return UNDEFINED
        given = self.python.bind(*args, **kwargs).arguments
        if self._single is not None:
            return given.get(self._single.name, UNDEFINED)
        return dict(given)

    def check_written(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        """Check the arguments of a call in the server's own code, which stay as they are.

        Raises:
            ValidationError: When they are not of the parameters' types.
            TypeError: When the handler cannot be called like this.

        Spec: UPD-18.
        """
        if self.parameters:
            self.bind(self.as_written(args, kwargs), explain=False)

    def argument_schema(self) -> dict[str, object] | None:
        """Return the JSON Schema of the argument, or None if the function takes none."""
        self.resolved_hints()
        if not self.parameters:
            return None
        return self._converter.schema() if isinstance(self._converter, Converter) else {}

    def result_schema(self) -> dict[str, object] | None:
        """Return the JSON Schema of the result, or None if the handler does not say."""
        hints = self.resolved_hints()
        if "return" not in hints:
            return None
        try:
            return _converter(hints["return"]).schema()
        except TypeError:  # a type that can be sent but not received
            return {"title": str(hints["return"])}
