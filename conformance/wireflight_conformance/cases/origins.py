"""Section 18: origins, cookies and caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    add,
    child,
    cookie,
    crash,
    fail,
    give,
    give_special,
    redirect,
    sleep,
)
from wireflight_conformance.universal import ALLOWED_ORIGIN
from wireflight_conformance.wire.codec import encode
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT, Reply

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.trace import Request
    from wireflight_conformance.wire.values import Value

Fields = tuple[tuple[str, str], ...]


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


HOSTS = [
    Row.of("another name", "evil.example"),
    Row.of("another name with our port", "evil.example:{port}"),
    Row.of("our name as a prefix", "localhost.evil.example"),
    Row.of("our name as a suffix", "evil-localhost"),
    Row.of("our name as user name", "localhost@evil.example"),
    Row.of("a trailing text", "127.0.0.1.evil.example:80"),
    Row.of("another address", "10.0.0.1"),
    Row.of("another loopback address", "127.0.0.2"),
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
    for host in ("localhost", "LocalHost", f"localhost:{port}", "127.0.0.1:1", "[::1]", "[::1]:80"):
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


def _filled(server: Server, fields: Fields) -> Fields:
    authority = server.settings.target.authority
    return tuple((name, value.replace("{authority}", authority)) for name, value in fields)


@case("SEC-2", title="A POST with {row} passes.", rows=PASSING)
def passing_origins(server: Server, fields: Fields) -> None:
    server.expect_value("SEC-2", post(server, _filled(server, fields)), "ran")


@case("SEC-2", title="A POST with {row} is refused, and nothing runs.", rows=REFUSED)
def refused_origins(server: Server, fields: Fields) -> None:
    server.expect_error("SEC-2", post(server, _filled(server, fields)), "forbidden_origin")
    version = (*_filled(server, fields), ("Wireflight-Version", "1"))
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
        reply = server.send(server.request("OPTIONS", path, headers=_filled(server, fields)))
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


def cookies_of(reply: Reply) -> list[str]:
    """Return name and value of each cookie that the response sets."""
    return [text.partition(";")[0] for text in reply.response.all("set-cookie")]


COOKIES: list[Row] = [
    Row.of("a result", give(1), True),
    Row.of("an error that the handler raised", fail(409, "fx.conflict", "m"), True),
    Row.of("an unencodable result", give_special("cyclic"), True),
    Row.of("a result that is too long", give_special("large"), True),
    Row.of("an unexpected exception", crash("x"), False),
    Row.of("a redirect", redirect("/x"), False),
]


@case("SEC-9", "SEC-10", title="With {row} cookies go, or stay.", rows=COOKIES)
def cookies(server: Server, step: Value, are_sent: bool) -> None:
    reply = server.command([cookie("fx_session", "new"), step])
    wanted = ["fx_session=new"] if are_sent else []
    server.check("SEC-9", cookies_of(reply) == wanted, str(wanted), str(cookies_of(reply)))
    for text in reply.response.all("set-cookie"):
        attributes = [part.strip().lower() for part in text.split(";")[1:]]
        paths = [part for part in attributes if part.startswith("path")]
        server.check("SEC-10", paths == ["path=/"], "Path=/", text)


@case("SEC-9", slow=True, title="With a handler_timeout cookies stay.")
def cookies_of_a_timeout(server: Server) -> None:
    steps = [cookie("fx_session", "new"), sleep(3 * server.limit("handler_ms"))]
    reply = server.command(steps)
    server.expect_error("SEC-9", reply, "handler_timeout")
    server.check("SEC-9", not cookies_of(reply), "no cookie", str(cookies_of(reply)))


@case("SEC-9", title="Cookies of a child go, those of a child that failed stay.")
def cookies_of_children(server: Server) -> None:
    good = server.command([child(cookie("fx_session", "child")), give(1)])
    shown = cookies_of(good)
    server.check("SEC-9", shown == ["fx_session=child"], "the child's cookie", str(shown))
    steps = [
        cookie("fx_session", "parent"),
        child(cookie("fx_session", "child"), cookie("other", "x"), fail(), catch=True),
        give(1),
    ]
    failed = server.command(steps)
    shown = cookies_of(failed)
    server.check("SEC-9", shown == ["fx_session=parent"], "the parent's alone", str(shown))
