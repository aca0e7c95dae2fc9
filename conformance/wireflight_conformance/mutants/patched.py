"""Faults inside the reference."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING
from unittest import mock

from wireflight_conformance.mutants import patch

if TYPE_CHECKING:
    from collections.abc import Iterator


@patch("FUN-5", "lets a query call a command")
@contextlib.contextmanager
def queries_call_commands() -> Iterator[None]:
    """Open the patch."""
    from wireflight.functions import CommandCall
    from wireflight.functions.context import current_frame

    def call(self: CommandCall[object]) -> Iterator[object]:
        frame = current_frame()
        return frame.caller.call_command(frame, self).__await__()

    with mock.patch.object(CommandCall, "__await__", call):
        yield
