"""The bounds that protect a server from a request."""

from __future__ import annotations

import msgspec

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Every limit of the protocol, with its default.

    Structure limits are counted from the root of the argument. They bind requests;
    a response is bound by its size alone.
    """

    get_payload_chars: int = 4096
    """Characters of the payload in the query string of a GET."""

    body_bytes: int = 512 * 1024
    """Bytes of a JSON, wireflight or urlencoded request body."""

    table_entries: int = 50_000
    """Entries of one flat table."""

    expanded_nodes: int = 100_000
    """Nodes of a value when every reference to an entry is counted where it occurs."""

    depth: int = 64
    """Levels of containers: a scalar has none, a container one more than its deepest child."""

    container_members: int = 10_000
    """Members of one array, object, map or set."""

    bigint_digits: int = 1024
    """Decimal digits of one bigint, without its sign."""

    refresh_keys: int = 64
    """Different keys that one mutation may ask to be refreshed."""

    response_bytes: int = 4 * 1024 * 1024
    """Bytes of one response body."""

    header_bytes: int = 16_384
    """Bytes of all header fields of one request."""

    handler_ms: int = 30_000
    """Milliseconds that one handler may run."""

    refresh_phase_ms: int = 10_000
    """Milliseconds that all refreshes of one mutation may take together."""

    body_idle_ms: int = 10_000
    """Milliseconds between two pieces of a request body."""

    body_total_ms: int = 60_000
    """Milliseconds until a request body is complete."""
