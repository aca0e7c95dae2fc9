"""Faults in the manifest (section 16)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Document, Sent, document_mutant

if TYPE_CHECKING:
    from collections.abc import Callable

    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings


def _is_manifest(document: Document) -> bool:
    return document.get("type") == "manifest"


@document_mutant("MAN-1", "gives the manifest no type")
def untyped(document: Document, _: Sent) -> None:
    if _is_manifest(document):
        del document["type"]


@document_mutant("MAN-1", "lists its versions as texts")
def versions_as_texts(document: Document, _: Sent) -> None:
    if _is_manifest(document):
        document["versions"] = ["1"]


@document_mutant("MAN-1", "lists its functions by their ids")
def functions_by_id(document: Document, _: Sent) -> None:
    listed: Any = document.get("functions")
    if _is_manifest(document) and listed:
        document["functions"] = {entry["id"]: entry for entry in listed}


@document_mutant("MAN-1", "leaves out that it has no capabilities")
def no_capabilities(document: Document, _: Sent) -> None:
    if _is_manifest(document):
        del document["capabilities"]


@document_mutant("MAN-1", "says nothing of one of its limits")
def a_limit_less(document: Document, _: Sent) -> None:
    shown = document.get("limits")
    if isinstance(shown, dict):
        document["limits"] = {n: v for n, v in shown.items() if n != "bigint_digits"}


@document_mutant("MAN-1", "writes its limits as texts")
def limits_as_texts(document: Document, _: Sent) -> None:
    shown = document.get("limits")
    if isinstance(shown, dict):
        document["limits"] = {**shown, "table_entries": "50000"}


@document_mutant("MAN-1", "says nothing of its build in the manifest")
def no_build(document: Document, _: Sent) -> None:
    if _is_manifest(document):
        document.pop("build", None)


@document_mutant("MAN-1", "wraps the manifest into a result")
def wrapped(document: Document, _: Sent) -> None:
    if _is_manifest(document):
        inner = dict(document)
        document.clear()
        document.update(type="result", value=inner, at="aaaaaaaaaaaa.0000000000000000")


@change("MAN-1", "answers POST with the manifest too", "wireflight.exchange.checks.STAGES.method")
def by_post(check: Original, head: RequestHead, settings: Settings) -> None:
    if not (head.is_manifest and head.method == "POST"):
        check(head, settings)


def _edit_entries(document: Document, edit: Callable[[dict[str, Any]], None]) -> None:
    listed = document.get("functions")
    if isinstance(listed, list):
        copies = [dict(entry) for entry in listed]
        for copy in copies:
            edit(copy)
        document["functions"] = copies


@document_mutant("MAN-3", "calls commands mutations")
def other_kind(document: Document, _: Sent) -> None:
    def edit(entry: dict[str, Any]) -> None:
        entry["kind"] = entry["kind"].replace("command", "mutation")

    _edit_entries(document, edit)


@document_mutant("MAN-3", "says nothing of contracts")
def no_contracts(document: Document, _: Sent) -> None:
    _edit_entries(document, lambda entry: entry.pop("contract") and None)


@document_mutant("MAN-3", "writes schemas as texts")
def schemas_as_texts(document: Document, _: Sent) -> None:
    _edit_entries(document, lambda entry: entry.update(argument="{}"))


@document_mutant("MAN-3", "calls every function a query")
def all_queries(document: Document, _: Sent) -> None:
    _edit_entries(document, lambda entry: entry.update(kind="query"))


@document_mutant("FUN-1", "has two functions of one id")
def two_of_one_id(document: Document, _: Sent) -> None:
    listed = document.get("functions")
    if isinstance(listed, list):
        document["functions"] = [*listed, listed[0]]


@document_mutant("FUN-1", "has a function whose id begins with a tilde")
def reserved_id(document: Document, _: Sent) -> None:
    listed = document.get("functions")
    if isinstance(listed, list):
        document["functions"] = [*listed, {**listed[0], "id": "~health"}]


@document_mutant("FUN-1", "has a function whose id has a dot in it")
def dotted_id(document: Document, _: Sent) -> None:
    listed = document.get("functions")
    if isinstance(listed, list):
        document["functions"] = [*listed, {**listed[0], "id": "fx.none"}]
