"""Faults that can be seen and made from outside: headers, documents, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from wireflight_conformance.mutants.rewriting import (
    Document,
    Sent,
    came_mutant,
    document_mutant,
    sent_mutant,
)

if TYPE_CHECKING:
    from wireflight.asgi import Scope


@sent_mutant("SEC-4", "sends errors without nosniff")
def errors_without_nosniff(sent: Sent) -> None:
    """Drop the field from errors."""
    if sent.status >= 400:
        sent.drop("x-content-type-options")


@sent_mutant("HTTP-11", "answers every refusal with 200, as some servers of this kind do")
def errors_as_200(sent: Sent) -> None:
    """Change the status of errors."""
    if sent.status >= 400:
        sent.status = 200


@document_mutant("REQ-2", "says nothing of requested keys that no handler accepted")
def silent_about_ignored_keys(document: Document, _: Sent) -> None:
    """Drop `ignore` from the updates."""
    updates = document.get("updates")
    if isinstance(updates, list):
        document["updates"] = [u for u in updates if u.get("op") != "ignore"]


@came_mutant("HTTP-1", "decodes the path twice")
def decodes_paths_twice(scope: Scope) -> None:
    """Decode the path that is decoded."""
    scope["path"] = unquote(scope["path"])
    scope["raw_path"] = scope["path"].encode()
