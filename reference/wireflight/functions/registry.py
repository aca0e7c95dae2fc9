"""The functions of one server by their ids."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import msgspec

from wireflight.codec import payload
from wireflight.functions.call import Function, Query
from wireflight.keys import is_function_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wireflight.types import Extensions

__all__ = ["FunctionEntry", "Registry"]

CONTRACT_CHARS: Final = 32

_canonical_json: Final = msgspec.json.Encoder(order="deterministic").encode


class FunctionEntry:
    """One function under one id.

    Attributes:
        function_id: The id.
        function: The function.
        is_query: Whether it reads.
    """

    __slots__ = ("_contract", "function", "function_id", "is_query")

    def __init__(self, function_id: str, function: Function[..., Any]) -> None:
        self.function_id = function_id
        self.function = function
        self.is_query = isinstance(function, Query)
        self._contract: str | None = None

    @property
    def contract(self) -> str:
        """The hash of the function's kind, argument and result as types.

        Spec: VER-5.
        """
        if self._contract is None:
            signature = self.function.signature
            described = {
                "kind": "query" if self.is_query else "command",
                "argument": signature.argument_schema(),
                "result": signature.result_schema(),
            }
            digest = hashlib.sha256(_canonical_json(described)).hexdigest()
            self._contract = digest[:CONTRACT_CHARS]
        return self._contract


class Registry:
    """Every function of a server, and the keys of its queries.

    Spec: FUN-1.
    """

    __slots__ = ("_by_function", "_by_id", "_extensions")

    def __init__(
        self,
        functions: Iterable[tuple[str, Function[..., Any]]],
        *,
        extensions: Extensions | None = None,
    ) -> None:
        """Collect the functions.

        Raises:
            ValueError: When two have one id, or an id has not the form of one.
        """
        self._extensions = extensions
        self._by_id: dict[str, FunctionEntry] = {}
        self._by_function: dict[Function[..., Any], str] = {}
        for function_id, function in functions:
            if function_id in self._by_id:
                raise ValueError(f"two functions have the id {function_id!r}")
            if not is_function_id(function_id):
                raise ValueError(f"{function_id!r} is no function id: identifiers joined by '/'")
            self._by_id[function_id] = FunctionEntry(function_id, function)
            self._by_function.setdefault(function, function_id)

    def find(self, function_id: str) -> FunctionEntry | None:
        """Return the function of an id, or None."""
        return self._by_id.get(function_id)

    def __iter__(self) -> Iterator[FunctionEntry]:
        return iter(self._by_id.values())

    def id_of(self, function: Function[..., Any]) -> str:
        """Return the id of a function.

        Raises:
            LookupError: When it belongs to no group of this server.
        """
        try:
            return self._by_function[function]
        except KeyError:
            raise LookupError(f"{function!r} is not included in this server") from None

    def key_of(
        self, query: Query[..., Any], args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> str:
        """Return the key of a query with arguments as the server's own code wrote them.

        Raises:
            LookupError: When the query belongs to no group of this server.
            EncodeError: When an argument has no normal form.
            TypeError: When the query cannot be called like this.

        Spec: KEY-7.
        """
        argument = query.signature.as_written(args, kwargs)
        function_id = self.id_of(query)
        if argument is msgspec.UNSET:
            return f"{function_id}/"
        return f"{function_id}/{payload(argument, extensions=self._extensions)}"
