"""The watch for a disconnect beside a request."""

from __future__ import annotations

import asyncio
import sys
import types
from typing import TYPE_CHECKING

from wireflight.runtime.watching import start_watch

if TYPE_CHECKING:
    import pytest


def test_watch_starts_on_asyncio_while_another_thread_imports_trio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A module of trio that has no parts yet says nothing about the loop that runs here."""
    monkeypatch.setitem(sys.modules, "trio", types.ModuleType("trio"))
    started = []

    async def watch() -> None:
        started.append(True)
        await asyncio.Event().wait()

    async def serve() -> None:
        running = start_watch(watch)
        await asyncio.sleep(0)
        await running.stop()

    asyncio.run(serve())
    assert started == [True]
