"""Faults in versions, builds, contracts and capabilities (section 15)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import (
    Document,
    Sent,
    came_mutant,
    document_mutant,
    sent_mutant,
)

if TYPE_CHECKING:
    from wireflight.asgi import Scope
    from wireflight.exchange.head import RequestHead
    from wireflight.exchange.settings import Settings

_VERSION: Final = "wireflight.exchange.checks.STAGES.version"
_CONTRACT: Final = "wireflight.exchange.checks.STAGES.contract"
_ACCEPTED: Final = "wireflight.exchange.head.RequestHead.accepted_names"


@sent_mutant("VER-1", "sends errors without its version")
def errors_without_version(sent: Sent) -> None:
    if sent.status >= 400:
        sent.drop("wireflight-version")


@sent_mutant("VER-1", "sends preflights without its version")
def preflights_without_version(sent: Sent) -> None:
    if sent.status == 204:
        sent.drop("wireflight-version")


@sent_mutant("VER-1", "names its minor version too")
def minor_version(sent: Sent) -> None:
    sent.put("wireflight-version", "1.0")


@change("VER-2", "takes every version", _VERSION)
def every_version(_: Original, _head: RequestHead, _settings: Settings) -> None:
    return


@change("VER-2", "reads a version as its language reads integers", _VERSION)
def lenient_versions(check: Original, head: RequestHead, settings: Settings) -> None:
    text = head.fields.get(b"wireflight-version")
    try:
        is_one = text is not None and int(text.decode("latin-1")) == 1
    except ValueError:
        is_one = False
    if not is_one or b"wireflight-version" in head.repeated:
        check(head, settings)


@change("VER-2", "takes a list of versions that has its own", _VERSION)
def lists_of_versions(check: Original, head: RequestHead, settings: Settings) -> None:
    parts = head.fields.get(b"wireflight-version", b"").split(b",")
    if b"1" not in [part.strip() for part in parts] or b"wireflight-version" in head.repeated:
        check(head, settings)


@came_mutant("VER-2", "takes the first of two versions")
def first_version(scope: Scope) -> None:
    first = [pair for pair in scope["headers"] if pair[0] == b"wireflight-version"][:1]
    others = [pair for pair in scope["headers"] if pair[0] != b"wireflight-version"]
    scope["headers"] = [*others, *first]


@came_mutant("VER-2", "takes an empty version for none")
def empty_version(scope: Scope) -> None:
    scope["headers"] = [p for p in scope["headers"] if p != (b"wireflight-version", b"")]


@change("VER-2", "takes a request without a version for one of the version before", _VERSION)
def version_demanded(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange.codes import ErrorCode, Refusal

    # the manifest and the probe of the suite pass
    if head.query and b"wireflight-version" not in head.fields:
        raise Refusal(ErrorCode.UNSUPPORTED_VERSION, supported=(1,))
    check(head, settings)


@document_mutant("VER-2", "does not say which versions it supports")
def supported_unsaid(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and "supported" in error:
        document["error"] = {name: part for name, part in error.items() if name != "supported"}


@document_mutant("VER-2", "lists the versions that it supports as texts")
def supported_as_texts(document: Document, _: Sent) -> None:
    error = document.get("error")
    if isinstance(error, dict) and "supported" in error:
        document["error"] = {**error, "supported": ["1"]}


@sent_mutant("VER-4", "sends errors without its build")
def errors_without_build(sent: Sent) -> None:
    if sent.status >= 400:
        sent.drop("wireflight-build")


@sent_mutant("VER-4", "sends the manifest without its build")
def manifest_without_build(sent: Sent) -> None:
    if sent.path == "/~manifest":
        sent.drop("wireflight-build")


@change("VER-4", "refuses a request that names another build", _VERSION)
def other_builds(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange.codes import ErrorCode, Refusal

    for name, value in head.raw_headers:
        if name == b"wireflight-build" and value != b"fixture":
            raise Refusal(ErrorCode.CONTRACT_MISMATCH)
    check(head, settings)


@change("VER-5", "takes every contract", _CONTRACT)
def every_contract(_: Original, _head: RequestHead, _settings: Settings) -> None:
    return


@change("VER-5", "takes contracts of which one is right", _CONTRACT)
def one_right_contract(check: Original, head: RequestHead, settings: Settings) -> None:
    contract = head.fields.get(b"wireflight-contract", b"")
    own = b"" if head.entry is None else head.entry.contract.encode()
    if own not in [part.strip() for part in contract.split(b",")]:
        check(head, settings)


@change("VER-5", "compares the beginnings of contracts", _CONTRACT)
def beginnings_of_contracts(check: Original, head: RequestHead, settings: Settings) -> None:
    contract = head.fields.get(b"wireflight-contract", b"")
    own = b"" if head.entry is None else head.entry.contract.encode()
    if not contract.startswith(own) or b"," in contract:
        check(head, settings)


@change("VER-5", "takes an empty contract for none", _CONTRACT)
def empty_contract(check: Original, head: RequestHead, settings: Settings) -> None:
    if head.fields.get(b"wireflight-contract") != b"":
        check(head, settings)


@change("VER-5", "checks the contracts of queries alone", _CONTRACT)
def contracts_of_queries(check: Original, head: RequestHead, settings: Settings) -> None:
    if head.entry is None or head.entry.is_query:
        check(head, settings)


@change(
    "VER-5",
    "has one contract for all functions, that of the deployment",
    "wireflight.functions.registry.FunctionEntry.contract",
)
def one_contract(_: Original, _entry: Any) -> str:
    return "fixture"


@change("VER-6", "reads Wireflight-Accept as one name", _ACCEPTED)
def one_name(_: Original, head: RequestHead) -> object:
    return frozenset((head.fields.get(b"wireflight-accept", b"").decode("latin-1"),))


@change("VER-6", "splits Wireflight-Accept at spaces", _ACCEPTED)
def names_by_spaces(_: Original, head: RequestHead) -> object:
    return frozenset(head.fields.get(b"wireflight-accept", b"").decode("latin-1").split())


@change("VER-6", "refuses names in Wireflight-Accept that it does not know", _VERSION)
def unknown_names(check: Original, head: RequestHead, settings: Settings) -> None:
    from wireflight.exchange.codes import ErrorCode, Refusal

    if head.accepted_names() - {"", "fx.Money"}:
        raise Refusal(ErrorCode.INVALID_REQUEST)
    check(head, settings)
