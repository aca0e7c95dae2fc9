"""Stamps: what orders the values of one process."""

from __future__ import annotations

import itertools
import re
from typing import Final

__all__ = ["Stamps"]

_PROCESS: Final = re.compile(r"[a-z0-9]{12}")


class Stamps:
    """Hands out the stamps of one process, each greater than every one before.

    Spec: ORD-1.
    """

    __slots__ = ("_counter", "process")

    def __init__(self, process: str) -> None:
        """Start to count.

        Args:
            process: A random name, made for this process alone.

        Raises:
            ValueError: When it is not 12 lower-case letters and digits.
        """
        if _PROCESS.fullmatch(process) is None:
            raise ValueError("the name of a process is 12 lower-case letters and digits")
        self.process = process
        self._counter = itertools.count(1)

    def take(self) -> str:
        """Return the next stamp."""
        return f"{self.process}.{next(self._counter):016x}"
