"""What the runtime asks of the shell around it."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Connection", "Disconnected"]


class Disconnected(Exception):  # noqa: N818 - nobody is left to whom it would be an error
    """The client has gone; there is nobody to answer."""


class Connection(Protocol):
    """The other end of one request."""

    async def read_body(self) -> bytes:
        """Return the whole body.

        Raises:
            Refusal: When it is too long or comes too slowly.
            Disconnected: When the client has gone.
        """
        ...

    async def wait_closed(self) -> None:
        """Return once the client has gone."""
        ...
