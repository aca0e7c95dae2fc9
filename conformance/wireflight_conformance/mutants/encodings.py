"""Faults in the choice of a response's encoding (HTTP-9), one or more for each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.mutants.changing import Original, change
from wireflight_conformance.mutants.rewriting import Document, Sent, came_mutant, document_mutant

if TYPE_CHECKING:
    from wireflight.asgi import Scope
    from wireflight.exchange.head import RequestHead

_MEDIA = "wireflight.exchange.media"
_ACCEPTED = "wireflight.exchange.head.accepted_encoding"
_CHOSEN = "wireflight.exchange.head.RequestHead._chosen_encoding"
_OURS = b"application/wireflight+json"
_PLAIN = b"application/json"


@change("HTTP-9", "takes the type that Accept names first", _ACCEPTED, step=1)
def first_named(_: Original, accept: bytes) -> object:
    places = {kind: accept.lower().find(kind) for kind in (_OURS, _PLAIN)}
    found = sorted((place, kind) for kind, place in places.items() if place >= 0)
    return None if not found else "wireflight" if found[0][1] == _OURS else "plain"


@change("HTTP-9", "prefers plain JSON at equal quality", _ACCEPTED, step=1)
def plain_at_equal_quality(accepted: Original, accept: bytes) -> object:
    both = _OURS in accept and _PLAIN in accept and b"q=" not in accept
    return "plain" if both else accepted(accept)


@change("HTTP-9", "takes a type of quality 0 for one that is accepted", _ACCEPTED, step=1)
def quality_0(accepted: Original, accept: bytes) -> object:
    return accepted(accept.replace(b"q=0,", b"q=1,"))


@change("HTTP-9", "takes a malformed quality for 1", f"{_MEDIA}._quality", step=1)
def malformed_quality(quality: Original, text: bytes) -> object:
    found = quality(text)
    return 1000 if found is None else found


@change("HTTP-9", "reads Accept by a cache that forgets quality", f"{_MEDIA}._quality", step=1)
def every_quality_is_1(_: Original, _text: bytes) -> int:
    return 1000


@change("HTTP-9", "takes a range with a star for our type", _ACCEPTED, step=1)
def stars(accepted: Original, accept: bytes) -> object:
    return accepted(accept) or ("wireflight" if b"/*" in accept else None)


@change("HTTP-9", "compares types in Accept with regard to case", _ACCEPTED, step=1)
def accept_in_one_case(accepted: Original, accept: bytes) -> object:
    return accepted(accept) if accept == accept.lower() else None


@came_mutant("HTTP-9", "reads the first Accept field alone", step=1)
def first_accept_field(scope: Scope) -> None:
    first = [value for name, value in scope["headers"] if name == b"accept"][:1]
    others = [pair for pair in scope["headers"] if pair[0] != b"accept"]
    scope["headers"] = [*others, *((b"accept", value) for value in first)]


@change("HTTP-9", "lets the request decide whatever Accept says", _ACCEPTED, step=1)
def ignored_accept(_: Original, _accept: bytes) -> None:
    return


@change("HTTP-9", "gives no regard to payload in the query component", _CHOSEN, step=2)
def payload_decides_nothing(choose: Original, head: RequestHead) -> object:
    query, head.query = head.query, ()
    try:
        return choose(head)
    finally:
        head.query = query


@change(
    "HTTP-9",
    "gives no regard to the type of the body",
    "wireflight.exchange.head.names_wireflight",
    step=2,
)
def body_decides_nothing(_: Original, _field: bytes) -> bool:
    return False


@change("HTTP-9", "sends Wireflight encoding where nothing decides", _CHOSEN, step=3)
def wireflight_by_default(choose: Original, head: RequestHead) -> object:
    accept = head.fields.get(b"accept", b"")
    chosen = choose(head)
    return chosen if _PLAIN in accept.lower() else "wireflight"


@change(
    "HTTP-9",
    "sends refusals in plain JSON, as a front layer would",
    "wireflight.exchange.replies.Replier.refusal",
)
def refusals_in_plain(refuse: Original, replier: object, head: RequestHead, why: object) -> object:
    head.encoding = "plain"
    return refuse(replier, head, why)


@document_mutant("HTTP-9", "sends the manifest in plain JSON alone")
def plain_manifest(document: Document, sent: Sent) -> None:
    if document.get("type") == "manifest":
        sent.put("content-type", "application/json")
        document["plain"] = True
