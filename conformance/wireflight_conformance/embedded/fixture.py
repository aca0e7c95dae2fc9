"""The server under test of section 20 on the reference, as an ASGI app.

Serve it by any ASGI server, e.g. ``uvicorn wireflight_conformance.embedded.fixture:app``.
"""

from __future__ import annotations

from typing import Final

from wireflight import Limits, Wireflight
from wireflight_conformance.embedded.functions import fixture_extensions, fixture_functions
from wireflight_conformance.embedded.state import Runs
from wireflight_conformance.embedded.steps import commit

__all__ = ["app", "fixture_app"]

_LIMITS: Final = Limits(
    handler_ms=1500, body_idle_ms=1000, refresh_phase_ms=800, body_total_ms=2500
)


def fixture_app(
    *,
    limits: Limits = _LIMITS,
    allowed_hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]"),
    runs: Runs | None = None,
) -> Wireflight:
    """Make a server under test.

    Args:
        limits: Section 20 asks for short times; the other limits stay as they are.
        allowed_hosts: The names it answers to.
        runs: The state, where several processes under one test share it; by default its own.
    """
    app = Wireflight(
        limits=limits,
        allowed_hosts=allowed_hosts,
        allowed_origins=("https://allowed.example",),
        redirect_origins=("https://allowed.example",),
        build="fixture",
        extensions=fixture_extensions(),
        expose_functions=True,
        refresh_concurrency=8,
        after_commit=commit,
    )
    app.include(fixture_functions(runs or Runs(), response_bytes=limits.response_bytes))
    return app


def quick_limits() -> Limits:
    """Return the limits of `fixture_app`: short times, so that what waits for them does not."""
    return _LIMITS


app: Final = fixture_app()
