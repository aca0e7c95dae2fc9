"""The manifest: what a server says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireflight.exchange.settings import SUPPORTED_VERSIONS, Settings

if TYPE_CHECKING:
    from wireflight.functions import FunctionEntry

__all__ = ["LIMIT_NAMES", "manifest"]

LIMIT_NAMES: Final = (
    *("get_payload_chars", "header_bytes", "body_bytes", "table_entries", "expanded_nodes"),
    *("depth", "container_members", "bigint_digits", "refresh_keys", "response_bytes"),
    *("handler_ms", "refresh_phase_ms", "body_idle_ms", "body_total_ms"),
)
"""The limits of section 17, in its order."""


def manifest(settings: Settings) -> dict[str, object]:
    """Describe the server.

    Spec: MAN-1, MAN-2, MAN-3.
    """
    document: dict[str, object] = {
        "type": "manifest",
        "versions": list(SUPPORTED_VERSIONS),
        "capabilities": list(settings.capabilities),
        "limits": {name: getattr(settings.limits, name) for name in LIMIT_NAMES},
    }
    if settings.build is not None:
        document["build"] = settings.build
    if settings.exposes_functions:
        document["functions"] = [_described(entry) for entry in settings.registry]
    return document


def _described(entry: FunctionEntry) -> dict[str, object]:
    signature = entry.function.signature
    described: dict[str, object] = {
        "id": entry.function_id,
        "kind": "query" if entry.is_query else "command",
        "contract": entry.contract,
    }
    schemas = {"argument": signature.argument_schema(), "result": signature.result_schema()}
    return described | {name: schema for name, schema in schemas.items() if schema is not None}
