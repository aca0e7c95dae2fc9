"""Faults that can be seen and made from outside: headers, documents, paths."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.mutants import mutant
from wireflight_conformance.mutants.rewriting import (
    Sent,
    editing_documents,
    rescoping,
    rewriting,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wireflight.asgi import Scope
    from wireflight_conformance.embedded.server import App
    from wireflight_conformance.wire.values import Value


@mutant("SEC-4", "sends errors without nosniff")
def errors_without_nosniff(app: App) -> App:
    """Wrap the app."""

    def edit(sent: Sent) -> None:
        if sent.status >= 400:
            sent.drop("x-content-type-options")

    return rewriting(app, edit)


@mutant("HTTP-11", "answers every refusal with 200, as some servers of this kind do")
def errors_as_200(app: App) -> App:
    """Wrap the app."""

    def edit(sent: Sent) -> None:
        sent.status = 200 if sent.status >= 400 else sent.status

    return rewriting(app, edit)


@mutant("REQ-2", "says nothing of requested keys that no handler accepted")
def silent_about_ignored_keys(app: App) -> App:
    """Wrap the app."""

    def edit(document: dict[str, Value], _: Sent) -> Mapping[str, Value]:
        updates = document.get("updates")
        if isinstance(updates, list):
            document["updates"] = [u for u in updates if u.get("op") != "ignore"]
        return document

    return editing_documents(app, edit)


@mutant("HTTP-1", "decodes the path twice")
def decodes_paths_twice(app: App) -> App:
    """Wrap the app."""
    from urllib.parse import unquote

    def edit(scope: Scope) -> Scope:
        path = unquote(scope["path"])
        return {**scope, "path": path, "raw_path": path.encode()}

    return rescoping(app, edit)
