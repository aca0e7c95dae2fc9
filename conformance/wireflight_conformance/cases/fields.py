"""Section 18: the fields of responses, for caches and for other origins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    crash,
    fail,
    give,
    redirect,
)
from wireflight_conformance.universal import ALLOWED_ORIGIN
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT

from .origins import Fields, filled

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.trace import Request
    from wireflight_conformance.wire.values import Value


def kinds_of_response(server: Server) -> list[tuple[str, Request]]:
    """Return one request for each kind of response that there is."""
    bad = (("Wireflight-Version", "9"),)
    allowed = (("Origin", ALLOWED_ORIGIN),)
    large = b" " * (server.limit("body_bytes") + 1)
    argument: Value = {"run": server.run, "steps": [redirect("/x")]}
    return [
        ("result", server.query_request("fx/none")),
        ("result in plain JSON", server.query_request("fx/none", plain=True)),
        ("result of a command", server.command_request([give(1)])),
        ("redirect", server.query_request("fx/act", argument)),
        ("manifest", server.request("GET", "/~manifest")),
        ("400", server.query_request("fx/typed", {})),
        ("400 by version", server.query_request("fx/none", headers=bad)),
        ("400 by body", server.request("POST", "/fx/none", body=b"{", content_type=PLAIN)),
        ("403 by host", server.query_request("fx/none", headers=(("Host", "evil.example"),))),
        (
            "403 by origin",
            server.query_request("fx/none", headers=(("Sec-Fetch-Site", "cross-site"),)),
        ),
        ("404", server.request("GET", "/nothing")),
        ("405", server.request("DELETE", "/fx/none")),
        ("409", server.query_request("fx/none", headers=(("Wireflight-Contract", "x"),))),
        ("413", server.request("POST", "/fx/none", body=large, content_type=PLAIN)),
        ("414", server.query_request("fx/echo", "x" * (server.limit("get_payload_chars") + 1))),
        (
            "415",
            server.request(
                "POST",
                "/fx/none",
                body=b"x",
                content_type="text/plain",
                headers=(("Wireflight-Version", "1"),),
            ),
        ),
        ("application error", server.command_request([fail(418, "fx.teapot", "m")])),
        ("500", server.command_request([crash("x")])),
        ("OPTIONS, allowed", server.request("OPTIONS", "/fx/none", headers=allowed)),
        ("OPTIONS, refused", server.request("OPTIONS", "/fx/none")),
        ("allowed origin", server.query_request("fx/none", headers=allowed)),
        ("HEAD", server.request("HEAD", "/fx/none")),
    ]


@case(
    "SEC-4",
    "SEC-5",
    "SEC-6",
    "SEC-8",
    "VER-1",
    "VER-4",
    "HTTP-10",
    title="Every kind of response has the fields that all have.",
)
def fields_of_all_responses(server: Server) -> None:
    for name, request in kinds_of_response(server):
        reply = server.send(request)
        fields = reply.response
        directives = {p.strip() for p in (fields.header("cache-control") or "").lower().split(",")}
        expected: list[tuple[str, bool, str]] = [
            ("SEC-4", directives == {"private", "no-store"}, "Cache-Control: private, no-store"),
            ("SEC-4", fields.all("x-content-type-options") == ["nosniff"], "nosniff"),
            ("SEC-4", fields.all("cross-origin-resource-policy") == ["same-origin"], "CORP"),
            ("SEC-6", not fields.all("etag"), "no ETag"),
            ("VER-1", fields.all("wireflight-version") == ["1"], "the version"),
            ("VER-4", fields.all("wireflight-build") == ["fixture"], "the build"),
        ]
        vary = {p.strip() for p in (fields.header("vary") or "").lower().split(",")}
        expected.append(("SEC-5", vary >= {"accept", "origin", "sec-fetch-site"}, "a full Vary"))
        has_type = reply.media_type in (WIREFLIGHT, PLAIN)
        expected.append(("HTTP-10", has_type is (reply.status != 204), "its Content-Type"))
        for clause, holds, what in expected:
            server.check(clause, holds, f"{what} ({name})", f"{reply.status} {fields.headers}")
        is_allowed = ("Origin", ALLOWED_ORIGIN) in request.headers
        origin = fields.all("access-control-allow-origin")
        right = origin == ([ALLOWED_ORIGIN] if is_allowed else [])
        server.check("SEC-8", right, f"CORS only where allowed ({name})", str(origin))


@case("SEC-6", title="A conditional request is answered in full.")
def conditional_requests(server: Server) -> None:
    conditions: list[Fields] = [
        (("If-None-Match", "*"),),
        (("If-None-Match", '"x"'),),
        (("If-Modified-Since", "Fri, 20 Nov 2099 00:00:00 GMT"),),
        (("Range", "bytes=0-1"),),
    ]
    for fields in conditions:
        server.expect_value("SEC-6", server.query("fx/none", headers=fields), "none")


@case("SEC-7", title="OPTIONS from an allowed origin is 204 with the CORS fields.")
def preflight(server: Server) -> None:
    fields = (
        ("Origin", ALLOWED_ORIGIN),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "content-type, x-other"),
    )
    for path in ("/fx/run", "/fx/none", "/~manifest"):
        reply = server.send(server.request("OPTIONS", path, headers=fields))
        server.check("SEC-7", reply.status == 204, "204", str(reply.status))
        server.check("SEC-7", not reply.response.body, "no body", str(reply.response.body))
        found = reply.response
        origin = found.all("access-control-allow-origin")
        server.check("SEC-7", origin == [ALLOWED_ORIGIN], ALLOWED_ORIGIN, str(origin))
        credentials = found.all("access-control-allow-credentials")
        server.check("SEC-7", credentials == ["true"], "credentials", str(credentials))
        methods = {
            m.strip() for m in (found.header("access-control-allow-methods") or "").split(",")
        }
        server.check("SEC-7", methods == {"GET", "POST"}, "GET, POST", str(methods))
        names = (found.header("access-control-allow-headers") or "").lower()
        allowed = {name.strip() for name in names.split(",")}
        wanted = {"content-type"} | {
            f"wireflight-{name}" for name in ("version", "build", "contract", "accept", "page")
        }
        server.check("SEC-7", allowed >= wanted, str(sorted(wanted)), str(sorted(allowed)))


@case(
    "SEC-7",
    title="OPTIONS with {row} is refused.",
    rows=[
        Row.of("no Origin", ()),
        Row.of("another Origin", (("Origin", "https://evil.example"),)),
        Row.of("a null Origin", (("Origin", "null"),)),
        Row.of("the server's own origin", (("Origin", "http://{authority}"),)),
        Row.of("the allowed one in a list", (("Origin", f"{ALLOWED_ORIGIN} x"),)),
    ],
)
def refused_preflight(server: Server, fields: Fields) -> None:
    for path in ("/fx/run", "/fx/none", "/~manifest"):
        reply = server.send(server.request("OPTIONS", path, headers=filled(server, fields)))
        server.expect_error("SEC-7", reply, "forbidden_origin")
        shown = reply.response.all("access-control-allow-origin")
        server.check("SEC-7", not shown, "no CORS fields", str(shown))


@case(
    "SEC-8", title="Responses to an allowed origin have the CORS fields, errors too; others none."
)
def cross_origin_responses(server: Server) -> None:
    for origin, wanted in (
        (ALLOWED_ORIGIN, [ALLOWED_ORIGIN]),
        ("https://evil.example", []),
        ("null", []),
        (f"http://{server.settings.target.authority}", []),
    ):
        for path in ("/fx/none", "/fx/nothing", "/~manifest"):
            reply = server.send(server.request("GET", path, headers=(("Origin", origin),)))
            shown = reply.response.all("access-control-allow-origin")
            server.check("SEC-8", shown == wanted, str(wanted), str(shown))
            flag = reply.response.all("access-control-allow-credentials")
            right = flag == (["true"] if wanted else [])
            server.check("SEC-8", right, "credentials with it only", str(flag))
