"""Models of pydantic as parameters and results, where an application has them.

Nothing is imported before a signature names one, so that nobody else needs pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wireflight.issues import Adapter

__all__ = ["ADAPTERS"]


class _ModelAdapter:
    """Converts to models and dataclasses of pydantic, by what `wireflight.pydantic` knows."""

    def __init__(self) -> None:
        self._adapter: Adapter | None = None

    def _loaded(self) -> Adapter:
        if self._adapter is None:
            from wireflight.pydantic import PydanticAdapter

            self._adapter = PydanticAdapter()
        return self._adapter

    def adapts(self, type_: type) -> bool:
        return hasattr(type_, "__pydantic_validator__") and self._loaded().adapts(type_)

    def convert(self, type_: type, value: object) -> object:
        return self._loaded().convert(type_, value)

    def schema(self, type_: type, name: str) -> dict[str, object]:
        return self._loaded().schema(type_, name)


ADAPTERS: Final[tuple[Adapter, ...]] = (_ModelAdapter(),)
"""What converts to classes of other libraries, for every signature."""
