"""Section 8: white space around the values of header fields, which is no part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import add, give
from wireflight_conformance.universal import ALLOWED_ORIGIN
from wireflight_conformance.wire.codec import encode
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT

from .origins import filled, post

if TYPE_CHECKING:
    from wireflight_conformance.cases.origins import Fields
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.values import Value

# one space stands before every value anyway
AROUND = ("  {}", "{}  ", "\t {}\t", " \t {} \t ")


def spaced(fields: Fields) -> list[Fields]:
    """Return the fields with white space of several kinds around their values."""
    return [tuple((name, text.replace("{}", value)) for name, value in fields) for text in AROUND]


TAKEN: list[Row] = [
    Row.of("Host", (("Host", "localhost"),)),
    Row.of("Host with a port", (("Host", "127.0.0.1:80"),)),
    Row.of("Sec-Fetch-Site", (("Sec-Fetch-Site", "same-origin"),)),
    Row.of("Wireflight-Version", (("Wireflight-Version", "1"),)),
    Row.of("Content-Type", (("Content-Type", WIREFLIGHT),)),
    Row.of("Content-Encoding", (("Content-Encoding", "identity"),)),
    Row.of("Accept", (("Accept", WIREFLIGHT),)),
    Row.of("Origin and Host", (("Host", "localhost"), ("Origin", "http://localhost"))),
    Row.of("Origin", (("Origin", ALLOWED_ORIGIN),)),
    Row.of(
        "Sec-Fetch-Site and Origin",
        (("Sec-Fetch-Site", "cross-site"), ("Origin", ALLOWED_ORIGIN)),
    ),
]


@case("HTTP-16", title="White space around {row} is no part of its value.", rows=TAKEN)
def white_space(server: Server, fields: Fields) -> None:
    for headers in spaced(fields):
        server.expect_value("HTTP-16", post(server, headers), "ran")
        server.expect_value("HTTP-16", server.query("fx/none", headers=headers), "none")


JUDGED: list[Row] = [
    Row.of("Host", (("Host", "evil.example"),), "forbidden_host"),
    Row.of("Sec-Fetch-Site", (("Sec-Fetch-Site", "cross-site"),), "forbidden_origin"),
    Row.of("Origin", (("Origin", "https://evil.example"),), "forbidden_origin"),
    Row.of("Wireflight-Version", (("Wireflight-Version", "9"),), "unsupported_version"),
    Row.of("Wireflight-Contract", (("Wireflight-Contract", "x"),), "contract_mismatch"),
    Row.of("Content-Type", (("Content-Type", "a/b"),), "forbidden_origin"),
    Row.of("Content-Encoding", (("Content-Encoding", "gzip"),), "unsupported_media_type"),
]


@case("HTTP-16", title="White space around {row} lets nothing pass.", rows=JUDGED)
def white_space_lets_nothing_pass(server: Server, fields: Fields, code: str) -> None:
    for headers in spaced(filled(server, fields)):
        server.expect_error("HTTP-16", post(server, headers), code)
    ran = server.calls("fx/run")
    server.check("HTTP-16", ran == 0, "a handler that did not run", str(ran))


@case("HTTP-16", "HTTP-9", title="White space around Accept changes no encoding.")
def white_space_around_accept(server: Server) -> None:
    for wanted in (PLAIN, WIREFLIGHT):
        for headers in spaced((("Accept", wanted),)):
            for path in ("/fx/none", "/fx/none?payload="):
                reply = server.send(server.request("GET", path, headers=headers))
                server.check("HTTP-16", reply.media_type == wanted, wanted, str(reply.media_type))
    document: Value = {"arg": {"run": server.run, "steps": [add(), give("ran")]}}
    body = encode(document).encode()
    for headers in spaced((("Content-Type", WIREFLIGHT),)):
        request = server.request("POST", "/fx/run", body=body, accept=None, headers=headers)
        reply = server.send(request)
        server.check("HTTP-9", reply.media_type == WIREFLIGHT, WIREFLIGHT, str(reply.media_type))


@case("HTTP-16", "SEC-8", title="White space around Origin stays out of the answer.")
def white_space_around_origin(server: Server) -> None:
    for headers in spaced((("Origin", ALLOWED_ORIGIN),)):
        for reply in (
            server.query("fx/none", headers=headers),
            server.send(server.request("OPTIONS", "/fx/run", headers=headers)),
        ):
            shown = reply.response.all("access-control-allow-origin")
            server.check("HTTP-16", shown == [ALLOWED_ORIGIN], ALLOWED_ORIGIN, str(shown))
