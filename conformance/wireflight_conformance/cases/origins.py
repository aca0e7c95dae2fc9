"""Section 18: hosts and origins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    add,
    give,
)
from wireflight_conformance.universal import ALLOWED_ORIGIN
from wireflight_conformance.wire.codec import encode
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT, Reply

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.values import Value


Fields = tuple[tuple[str, str], ...]


HOSTS = [
    Row.of("another name", "evil.example"),
    Row.of("another name with our port", "evil.example:{port}"),
    Row.of("our name as a prefix", "localhost.evil.example"),
    Row.of("our name as a suffix", "evil-localhost"),
    Row.of("our name as user name", "localhost@evil.example"),
    Row.of("a trailing text", "127.0.0.1.evil.example:80"),
    Row.of("another address", "10.0.0.1"),
    Row.of("another loopback address", "127.0.0.2"),
    Row.of("our name with two ports", "localhost:80:80"),
    Row.of("our name with a port that is no number", "localhost:80a"),
    Row.of("our name with a port below zero", "localhost:-1"),
    Row.of("our name with a space before its port", "localhost :80"),
    Row.of("our address without its brackets", "::1"),
    Row.of("an empty text", ""),
]


@case("SEC-1", title="A request whose Host is {row} is refused.", rows=HOSTS)
def foreign_hosts(server: Server, host: str) -> None:
    text = host.replace("{port}", str(server.settings.target.port))
    for request in (
        server.query_request("fx/none", headers=(("Host", text),)),
        server.command_request([add()], headers=(("Host", text),)),
        server.request("GET", "/~manifest", headers=(("Host", text),)),
    ):
        server.expect_error("SEC-1", server.send(request), "forbidden_host")
    server.check("SEC-1", server.calls("fx/run") == 0, "a handler that did not run", "it ran")


@case("SEC-1", title="The server's own names are taken, with any port and in any case.")
def own_hosts(server: Server) -> None:
    port = server.settings.target.port
    names = ("localhost", "LocalHost", f"localhost:{port}", "127.0.0.1:1", "[::1]", "[::1]:80")
    # more digits than a port has: what they say is not looked at
    for host in (*names, "localhost:000000", "LOCALHOST:123456789"):
        reply = server.query("fx/none", headers=(("Host", host),))
        server.expect_value("SEC-1", reply, "none")


def post(server: Server, fields: Fields, content_type: str | None = WIREFLIGHT) -> Reply:
    """Call a command that counts, with these fields."""
    document: Value = {"arg": {"run": server.run, "steps": [add(), give("ran")]}}
    body = encode(document).encode()
    return server.send(
        server.request("POST", "/fx/run", body=body, content_type=content_type, headers=fields)
    )


PASSING: list[Row] = [
    Row.of("same-origin", (("Sec-Fetch-Site", "same-origin"),)),
    Row.of("none", (("Sec-Fetch-Site", "none"),)),
    Row.of(
        "same-origin beside another Origin",
        (("Sec-Fetch-Site", "same-origin"), ("Origin", "https://evil.example")),
    ),
    Row.of(
        "cross-site from an allowed origin",
        (("Sec-Fetch-Site", "cross-site"), ("Origin", ALLOWED_ORIGIN)),
    ),
    Row.of("an Origin that is Host", (("Origin", "http://{authority}"),)),
    Row.of("an Origin that is Host by https", (("Origin", "https://{authority}"),)),
    Row.of("an allowed Origin", (("Origin", ALLOWED_ORIGIN),)),
    Row.of("another case", (("Host", "LOCALHOST"), ("Origin", "http://localhost"))),
    Row.of("a default port in Origin", (("Host", "localhost"), ("Origin", "http://localhost:80"))),
    Row.of("a default port in Host", (("Host", "localhost:443"), ("Origin", "https://localhost"))),
    Row.of("neither field, and our media type", ()),
]


REFUSED: list[Row] = [
    Row.of("cross-site", (("Sec-Fetch-Site", "cross-site"),)),
    Row.of("same-site", (("Sec-Fetch-Site", "same-site"),)),
    Row.of("an unknown value", (("Sec-Fetch-Site", "x"),)),
    Row.of("an empty value", (("Sec-Fetch-Site", ""),)),
    Row.of(
        "cross-site with an Origin that is Host",
        (("Sec-Fetch-Site", "cross-site"), ("Origin", "http://{authority}")),
    ),
    Row.of(
        "cross-site with an Origin not allowed",
        (("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")),
    ),
    Row.of("another Origin", (("Origin", "https://evil.example"),)),
    Row.of("a null Origin", (("Origin", "null"),)),
    Row.of("an empty Origin", (("Origin", ""),)),
    Row.of("another port", (("Host", "localhost:8000"), ("Origin", "http://localhost:8001"))),
    Row.of("no port against a port", (("Host", "localhost:8000"), ("Origin", "http://localhost"))),
    Row.of(
        "the host as prefix", (("Host", "localhost"), ("Origin", "http://localhost.evil.example"))
    ),
    Row.of("the host as suffix", (("Host", "localhost"), ("Origin", "http://xlocalhost"))),
    Row.of("a subdomain of the allowed", (("Origin", "https://x.allowed.example"),)),
    Row.of("the allowed host without TLS", (("Origin", "http://allowed.example"),)),
    Row.of("the allowed host at another port", (("Origin", "https://allowed.example:8443"),)),
    Row.of("the allowed origin as prefix", (("Origin", "https://allowed.example.evil.example"),)),
    Row.of("two origins in one field", (("Origin", f"{ALLOWED_ORIGIN}, https://evil.example"),)),
    Row.of("Origin twice", (("Origin", ALLOWED_ORIGIN), ("Origin", ALLOWED_ORIGIN))),
    Row.of(
        "Sec-Fetch-Site twice",
        (("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")),
    ),
    Row.of(
        "same-origin and cross-site",
        (("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")),
    ),
]


def filled(server: Server, fields: Fields) -> Fields:
    """Return the fields with the target's own authority put in."""
    authority = server.settings.target.authority
    return tuple((name, value.replace("{authority}", authority)) for name, value in fields)


@case("SEC-2", title="A POST with {row} passes.", rows=PASSING)
def passing_origins(server: Server, fields: Fields) -> None:
    server.expect_value("SEC-2", post(server, filled(server, fields)), "ran")


@case("SEC-2", title="A POST with {row} is refused, and nothing runs.", rows=REFUSED)
def refused_origins(server: Server, fields: Fields) -> None:
    server.expect_error("SEC-2", post(server, filled(server, fields)), "forbidden_origin")
    version = (*filled(server, fields), ("Wireflight-Version", "1"))
    server.expect_error("SEC-2", post(server, version), "forbidden_origin")
    server.check("SEC-2", server.calls("fx/run") == 0, "a handler that did not run", "it ran")


STEP_THREE: list[Row] = [
    Row.of("no Content-Type", None, (), "forbidden_origin"),
    Row.of("text/plain", "text/plain", (), "forbidden_origin"),
    Row.of("a form", "application/x-www-form-urlencoded", (), "forbidden_origin"),
    Row.of("multipart", "multipart/form-data; boundary=x", (), "forbidden_origin"),
    Row.of("a malformed type", "application/json, text/plain", (), "forbidden_origin"),
    Row.of("a type without slash", "json", (), "forbidden_origin"),
    Row.of(
        "text/plain and a version",
        "text/plain",
        (("Wireflight-Version", "1"),),
        "unsupported_media_type",
    ),
    Row.of(
        "our type in another charset",
        f"{PLAIN}; charset=iso-8859-1",
        (),
        "unsupported_media_type",
    ),
    Row.of("no type and a version", None, (("Wireflight-Version", "1"),), "unsupported_media_type"),
    Row.of(
        "two types",
        None,
        (("Content-Type", PLAIN), ("Content-Type", PLAIN)),
        "forbidden_origin",
    ),
]


@case("SEC-2", title="Without both fields, a POST with {row} is judged by step 3.", rows=STEP_THREE)
def neither_field(server: Server, content_type: str | None, fields: Fields, code: str) -> None:
    server.expect_error("SEC-2", post(server, fields, content_type), code)
    server.check("SEC-2", server.calls("fx/run") == 0, "a handler that did not run", "it ran")


@case("SEC-2", title="The origin is checked for every method but GET.")
def origins_of_other_methods(server: Server) -> None:
    cross = (("Sec-Fetch-Site", "cross-site"),)
    request = server.post_request("fx/none", {}, headers=cross)
    server.expect_error("SEC-2", server.send(request), "forbidden_origin")


GETS: list[Row] = [
    Row.of("cross-site", (("Sec-Fetch-Site", "cross-site"),), False),
    Row.of("same-site", (("Sec-Fetch-Site", "same-site"),), False),
    Row.of(
        "cross-site from another origin",
        (("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")),
        False,
    ),
    Row.of(
        "cross-site from a null origin",
        (("Sec-Fetch-Site", "cross-site"), ("Origin", "null")),
        False,
    ),
    Row.of(
        "cross-site from the allowed origin",
        (("Sec-Fetch-Site", "cross-site"), ("Origin", ALLOWED_ORIGIN)),
        True,
    ),
    Row.of(
        "same-origin twice",
        (("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")),
        False,
    ),
    Row.of(
        "same-origin and cross-site",
        (("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")),
        False,
    ),
    Row.of("same-origin", (("Sec-Fetch-Site", "same-origin"),), True),
    Row.of("none", (("Sec-Fetch-Site", "none"),), True),
    Row.of("neither field", (), True),
    Row.of("another Origin alone", (("Origin", "https://evil.example"),), True),
]


@case("SEC-3", title="A GET with {row} is judged by Sec-Fetch-Site.", rows=GETS)
def origins_of_a_get(server: Server, fields: Fields, passes: bool) -> None:
    reply = server.query("fx/cell", server.cell_argument(), headers=fields)
    manifest = server.send(server.request("GET", "/~manifest", headers=fields))
    if passes:
        server.expect_value("SEC-3", reply, 0)
        server.check("SEC-3", manifest.type == "manifest", "the manifest", str(manifest))
    else:
        server.expect_error("SEC-3", reply, "forbidden_origin")
        server.expect_error("SEC-3", manifest, "forbidden_origin")
        ran = server.calls("fx/cell")
        server.check("SEC-3", ran == 0, "a handler that did not run", str(ran))
