"""Section 8: the encoding and the status of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server


ACCEPTS = [
    Row.of("wireflight", WIREFLIGHT, WIREFLIGHT),
    Row.of("plain JSON", PLAIN, PLAIN),
    Row.of("both", f"{PLAIN}, {WIREFLIGHT}", WIREFLIGHT),
    Row.of("plain JSON preferred", f"{WIREFLIGHT};q=0.5, {PLAIN}", PLAIN),
    Row.of("wireflight preferred", f"{WIREFLIGHT};q=0.9, {PLAIN};q=0.1", WIREFLIGHT),
    Row.of("wireflight refused", f"{WIREFLIGHT};q=0, {PLAIN};q=0.1", PLAIN),
    Row.of("plain JSON refused", f"{PLAIN};q=0, {WIREFLIGHT};q=0.001", WIREFLIGHT),
    Row.of("capitals", "APPLICATION/JSON", PLAIN),
    Row.of("another type first", f"text/html, {PLAIN};q=0.8, */*;q=0.1", PLAIN),
    Row.of("a parameter", f"{PLAIN};charset=utf-8", PLAIN),
    Row.of("a malformed quality", f"{WIREFLIGHT};q=x, {PLAIN}", PLAIN),
    Row.of("a quality above 1", f"{WIREFLIGHT};q=1.1, {PLAIN};q=0.1", PLAIN),
    Row.of("a quality of four digits", f"{WIREFLIGHT};q=0.1234, {PLAIN};q=0.1", PLAIN),
    Row.of("a quality without a whole number", f"{WIREFLIGHT};q=.5, {PLAIN};q=0.1", PLAIN),
    Row.of("a quality with a sign", f"{WIREFLIGHT};q=+1, {PLAIN};q=0.1", PLAIN),
    Row.of("a quality that ends in a point", f"{WIREFLIGHT};q=0.2, {PLAIN};q=1.", PLAIN),
    Row.of("a type twice", f"{PLAIN};q=0.1, {WIREFLIGHT};q=0.5, {PLAIN};q=0.9", PLAIN),
]


@case("HTTP-9", "HTTP-10", title="With Accept {row} the answer is in that encoding.", rows=ACCEPTS)
def accept_decides(server: Server, accept: str, wanted: str) -> None:
    headers = (("Accept", accept),)
    for request in (
        server.query_request("fx/echo", 1, headers=headers),
        server.query_request("fx/echo", 1, plain=True, headers=headers),
        server.post_request("fx/run", {"arg": {"run": server.run, "steps": []}}, headers=headers),
        server.request("GET", "/fx/nothing", headers=headers),
        server.request("GET", "/~manifest", headers=headers),
    ):
        reply = server.send(request)
        server.check("HTTP-9", reply.media_type == wanted, wanted, str(reply.media_type))
        server.check("HTTP-10", reply.fault is None, "a body in its encoding", str(reply))


@case(
    "HTTP-9",
    title="Without a type of ours in Accept ({row}) the request decides.",
    rows=[
        Row.of("no field", None),
        Row.of("any", "*/*"),
        Row.of("any application", "application/*"),
        Row.of("another", "text/html"),
        Row.of("both refused", f"{WIREFLIGHT};q=0, {PLAIN};q=0"),
    ],
)
def request_decides(server: Server, accept: str | None) -> None:
    headers = () if accept is None else (("Accept", accept),)
    rows = [
        ("GET", "/fx/echo?payload=WzFd", None, b"", WIREFLIGHT),
        ("GET", "/fx/echo?arg=1", None, b"", PLAIN),
        ("GET", "/fx/none", None, b"", PLAIN),
        ("GET", "/fx/nothing?payload=", None, b"", WIREFLIGHT),
        ("POST", "/fx/none", WIREFLIGHT, b"[{}]", WIREFLIGHT),
        ("POST", "/fx/none", PLAIN, b"{}", PLAIN),
        ("POST", "/fx/none", WIREFLIGHT, b"{", WIREFLIGHT),
    ]
    for method, path, content_type, body, wanted in rows:
        request = server.request(
            method, path, body=body, content_type=content_type, accept=None, headers=headers
        )
        reply = server.send(request)
        got = f"{reply.media_type} for {method} {path}"
        server.check("HTTP-9", reply.media_type == wanted, wanted, got)


@case("HTTP-9", title="Several Accept fields are one list.")
def accept_fields(server: Server) -> None:
    headers = (("Accept", f"{WIREFLIGHT};q=0.4"), ("Accept", f"{PLAIN};q=0.5"))
    reply = server.query("fx/none", headers=headers)
    server.check("HTTP-9", reply.media_type == PLAIN, PLAIN, str(reply.media_type))


@case("HTTP-11", "ENV-2", title="A refusal is never a 200, in either encoding.")
def refusals_have_their_status(server: Server) -> None:
    for plain in (False, True):
        unknown = server.query("fx/nothing", plain=plain)
        server.check("HTTP-11", unknown.status == 404, "404", str(unknown))
        refused = server.query("fx/typed", {"name": ""}, plain=plain)
        server.check("HTTP-11", refused.status == 400, "400", str(refused))
        status = refused.error.get("status")
        server.check("ENV-2", status == refused.status, f"status {refused.status}", str(status))
        fine = server.query("fx/none", plain=plain)
        server.check("ENV-2", fine.status == 200, "200 for a result", str(fine))
