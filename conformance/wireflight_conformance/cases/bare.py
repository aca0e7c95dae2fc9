"""What every server shows without a function of the suite's: its manifest and its responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.cases.encodings import ACCEPTS
from wireflight_conformance.cases.versions import CONTRACT
from wireflight_conformance.driver import NotTestableError
from wireflight_conformance.tables import limits
from wireflight_conformance.universal import FUNCTION_ID
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT, Reply, pick
from wireflight_conformance.wire.values import UNDEFINED, Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

MANIFEST = "/~manifest"
# no server has a function of this name by chance
UNKNOWN = "/wireflight_conformance/no_such_function"
MARK = "SENTINEL7f3a"
VERSION = ("Wireflight-Version", "1")


def manifest_of(server: Server) -> Reply:
    """Get the manifest, and require one.

    Raises:
        CheckFailedError: There is none.
    """
    reply = server.send(server.request("GET", MANIFEST))
    is_manifest = reply.status == 200 and reply.type == "manifest"
    server.require("MAN-1", is_manifest, "a manifest", str(reply), of=reply)
    return reply


# -- the manifest ------------------------------------------------------------------------------


@case("MAN-1", needs="bare", title="The manifest has its members, in both encodings.")
def manifest_members(server: Server) -> None:
    for accept in (PLAIN, WIREFLIGHT):
        reply = server.send(server.request("GET", MANIFEST, accept=accept))
        document = reply.document
        server.check("MAN-1", reply.status == 200, "200", str(reply))
        server.check("MAN-1", pick(document, "type") == "manifest", "type manifest", str(reply))
        versions = pick(document, "versions")
        numbers = isinstance(versions, list) and 1 in versions
        server.check("MAN-1", numbers, "versions, with 1", show(versions))
        capabilities = pick(document, "capabilities")
        server.check("MAN-1", isinstance(capabilities, list), "capabilities, an array", str(reply))
        build = pick(document, "build")
        named = build is UNDEFINED or isinstance(build, str)
        server.check("MAN-1", named, "a build that is a text, or none", show(build))


@case("MAN-1", needs="bare", title="The limits of the manifest are numbers, by their names.")
def manifest_limits(server: Server) -> None:
    shown = pick(manifest_of(server).document, "limits")
    server.require("MAN-1", isinstance(shown, Mapping), "limits, an object", show(shown))
    for name, value in shown.items() if isinstance(shown, Mapping) else ():
        if name in limits():
            counted = isinstance(value, int) and not isinstance(value, bool) and value > 0
            server.check("MAN-1", counted, f"{name}, a number above 0", f"{name}: {show(value)}")


@case("MAN-3", "FUN-1", "VER-5", needs="bare", title="What the manifest lists has its form.")
def manifest_functions(server: Server) -> None:
    functions = pick(manifest_of(server).document, "functions")
    if functions is UNDEFINED:
        raise NotTestableError("the manifest lists no functions")
    server.require("MAN-3", isinstance(functions, list), "functions, an array", show(functions))
    entries: Sequence[Value] = functions if isinstance(functions, list) else []
    names: list[str] = []
    for entry in entries:
        name, kind, contract = (pick(entry, member) for member in ("id", "kind", "contract"))
        formed = isinstance(name, str) and FUNCTION_ID.fullmatch(name) is not None
        server.check("FUN-1", formed and len(str(name)) <= 255, "a function-id", show(name))
        server.check("MAN-3", kind in ("query", "command"), "query or command", show(kind))
        formed = isinstance(contract, str) and CONTRACT.fullmatch(contract) is not None
        server.check("VER-5", formed, "a contract of 1 to 64 characters", show(contract))
        for member in ("argument", "result"):
            schema = pick(entry, member)
            fits = schema is UNDEFINED or isinstance(schema, Mapping | bool)
            server.check("MAN-3", fits, f"{member}, a JSON Schema", show(schema))
        names.append(str(name))
    twice = sorted({name for name in names if names.count(name) > 1})
    server.check("FUN-1", not twice, "each id once", show(twice))


@case(
    "SEC-11",
    "MAN-1",
    needs="bare",
    title="The manifest by {row} is method_not_allowed.",
    rows=[Row.of(method, method) for method in ("POST", "PUT", "DELETE", "HEAD", "QUERY")],
)
def manifest_by_get_alone(server: Server, method: str) -> None:
    reply = server.send(server.request(method, MANIFEST, headers=(VERSION,)))
    if method == "HEAD":
        server.check("MAN-1", reply.status == 405, "405", str(reply.status), of=reply)
    else:
        server.expect_error("MAN-1", reply, "method_not_allowed")
    allow = {part.strip() for part in (reply.response.header("allow") or "").split(",")}
    server.check("SEC-11", allow == {"GET"}, "Allow: GET", f"Allow: {sorted(allow)}", of=reply)


@case("VER-4", needs="bare", title="A server that names its build does so in every response.")
def build_of_responses(server: Server) -> None:
    build = pick(manifest_of(server).document, "build")
    if not isinstance(build, str):
        raise NotTestableError("the manifest names no build")
    for path in (MANIFEST, UNKNOWN):
        reply = server.send(server.request("GET", path))
        shown = reply.response.all("wireflight-build")
        server.check("VER-4", shown == [build], f"Wireflight-Build: {build}", str(shown), of=reply)
    other = server.send(server.request("GET", MANIFEST, headers=(("Wireflight-Build", "x"),)))
    server.check("VER-4", other.type == "manifest", "no refusal of another build", str(other))


# -- paths that are no function's --------------------------------------------------------------


@case(
    "ERR-6",
    "ERR-2",
    "HTTP-11",
    needs="bare",
    title="An unknown function is a 404 with the error envelope, by every method.",
)
def unknown_function(server: Server) -> None:
    bodies: set[bytes] = set()
    for path in (UNKNOWN, "/_hidden", "/~no_such_name"):
        for method in ("GET", "POST", "DELETE"):
            body, kind = (b"[{}]", WIREFLIGHT) if method == "POST" else (b"", None)
            reply = server.send(server.request(method, path, body=body, content_type=kind))
            server.expect_error("ERR-6", reply, "unknown_function")
            server.check("ERR-2", reply.type == "error", "the error envelope", str(reply))
            server.check("HTTP-11", reply.status == 404, "404", str(reply.status))
            bodies.add(reply.response.body)
    server.check("ERR-6", len(bodies) == 1, "one body for all", f"{len(bodies)} bodies")


@case(
    "HTTP-1",
    "ERR-2",
    needs="bare",
    title="A path with {row} is no function's.",
    rows=[
        Row.of("an encoded slash", "/a%2Fb"),
        Row.of("an encoded backslash", "/a%5Cb"),
        Row.of("an encoded NUL", "/a%00"),
        Row.of("a malformed escape", "/a%"),
        Row.of("an escape that is not hexadecimal", "/a%zz"),
        Row.of("an empty segment", "/a//b"),
        Row.of("a trailing slash", "/a/"),
        Row.of("a trailing slash after the manifest's name", "/~manifest/"),
        Row.of("a segment after the manifest's name", "/~manifest/a"),
        Row.of("a name of the protocol in capitals", "/~MANIFEST"),
    ],
)
def other_paths(server: Server, path: str) -> None:
    reply = server.send(server.request("GET", path))
    server.expect_error("HTTP-1", reply, "unknown_function")
    server.check("ERR-2", reply.type == "error", "the error envelope", str(reply))


@case("HTTP-1", needs="bare", title="The manifest's path is percent-decoded once.")
def decoded_path(server: Server) -> None:
    for path, is_there in (
        ("/%7Emanifest", True),
        ("/~%6Danifest", True),
        ("/%257Emanifest", False),
    ):
        reply = server.send(server.request("GET", path))
        if is_there:
            server.check("HTTP-1", reply.type == "manifest", f"{path}: the manifest", str(reply))
        else:
            server.expect_error("HTTP-1", reply, "unknown_function")


@case("ERR-5", needs="bare", title="The message of a refusal holds no part of the request.")
def messages_without_values(server: Server) -> None:
    for request in (
        server.request("GET", f"/{MARK}"),
        server.request("GET", f"{UNKNOWN}?payload={MARK}"),
        server.request("GET", MANIFEST, headers=(("Wireflight-Version", MARK),)),
        server.request("OPTIONS", MANIFEST, headers=(("Origin", f"https://{MARK}.example"),)),
    ):
        reply = server.send(request)
        server.check("ERR-5", reply.code is not None, "a refusal", str(reply), of=reply)
        hidden = MARK.lower() not in str(reply.error.get("message")).lower()
        server.check("ERR-5", hidden, "a message with nothing of the request", str(reply.error))


# -- the encoding and the fields of responses ----------------------------------------------------


@case(
    "HTTP-9",
    "HTTP-10",
    needs="bare",
    title="With Accept {row} manifest and refusals are in that encoding.",
    rows=ACCEPTS,
)
def accept_decides(server: Server, accept: str, wanted: str) -> None:
    for path in (MANIFEST, UNKNOWN):
        reply = server.send(server.request("GET", path, headers=(("Accept", accept),)))
        server.check("HTTP-9", reply.media_type == wanted, wanted, str(reply.media_type), of=reply)
        server.check("HTTP-10", reply.fault is None, "a body in its encoding", str(reply), of=reply)


@case("HTTP-9", needs="bare", title="Without a type of ours in Accept the request decides.")
def request_decides(server: Server) -> None:
    rows: list[tuple[str, str, str | None, bytes, str]] = [
        ("GET", MANIFEST, None, b"", PLAIN),
        ("GET", UNKNOWN, None, b"", PLAIN),
        ("GET", f"{UNKNOWN}?arg=1", None, b"", PLAIN),
        ("GET", f"{UNKNOWN}?payload=", None, b"", WIREFLIGHT),
        ("GET", f"{UNKNOWN}?x=1&payload=%%%", None, b"", WIREFLIGHT),
        ("POST", UNKNOWN, WIREFLIGHT, b"[{}]", WIREFLIGHT),
        ("POST", UNKNOWN, PLAIN, b"{}", PLAIN),
        ("POST", UNKNOWN, "text/plain", b"{}", PLAIN),
        ("DELETE", MANIFEST, None, b"", PLAIN),
    ]
    for accept in (None, "*/*", "text/html, application/*;q=0.9"):
        fields = () if accept is None else (("Accept", accept),)
        for method, path, content_type, body, wanted in rows:
            request = server.request(
                method, path, body=body, content_type=content_type, accept=None, headers=fields
            )
            reply = server.send(request)
            got = f"{reply.media_type} for {method} {path}"
            server.check("HTTP-9", reply.media_type == wanted, wanted, got, of=reply)


@case(
    "SEC-4",
    "SEC-5",
    "SEC-6",
    "SEC-8",
    "VER-1",
    needs="bare",
    title="Every kind of response has the fields that all have.",
)
def fields_of_responses(server: Server) -> None:
    cross = (("Sec-Fetch-Site", "cross-site"),)
    evil = (("Origin", "https://evil.example"),)
    for name, request in (
        ("manifest", server.request("GET", MANIFEST)),
        ("manifest, another origin", server.request("GET", MANIFEST, headers=evil)),
        ("400", server.request("GET", MANIFEST, headers=(("Wireflight-Version", "99"),))),
        ("403", server.request("GET", MANIFEST, headers=cross)),
        ("404", server.request("GET", UNKNOWN)),
        ("404, another origin", server.request("GET", UNKNOWN, headers=evil)),
        ("405", server.request("DELETE", MANIFEST)),
        ("HEAD", server.request("HEAD", MANIFEST)),
        ("OPTIONS", server.request("OPTIONS", MANIFEST)),
    ):
        reply = server.send(request)
        fields = reply.response
        directives = {p.strip() for p in (fields.header("cache-control") or "").lower().split(",")}
        vary = {part.strip() for part in (fields.header("vary") or "").lower().split(",")}
        opener = fields.all("cross-origin-resource-policy")
        for clause, holds, what in (
            ("SEC-4", directives == {"private", "no-store"}, "Cache-Control: private, no-store"),
            ("SEC-4", fields.all("x-content-type-options") == ["nosniff"], "nosniff"),
            ("SEC-4", opener == ["same-origin"], "Cross-Origin-Resource-Policy: same-origin"),
            ("SEC-5", vary >= {"accept", "origin", "sec-fetch-site"}, "a full Vary"),
            ("SEC-6", not fields.all("etag"), "no ETag"),
            ("SEC-8", not fields.all("access-control-allow-origin"), "no CORS fields"),
            ("VER-1", fields.all("wireflight-version") == ["1"], "Wireflight-Version: 1"),
        ):
            got = f"{reply.status} {list(fields.headers)}"
            server.check(clause, holds, f"{what} ({name})", got, of=reply)


@case("SEC-6", needs="bare", title="A conditional request is answered in full.")
def conditional_requests(server: Server) -> None:
    for field in (("If-None-Match", "*"), ("If-Modified-Since", "Fri, 20 Nov 2099 00:00:00 GMT")):
        reply = server.send(server.request("GET", MANIFEST, headers=(field,)))
        server.check("SEC-6", reply.type == "manifest", "the manifest", str(reply), of=reply)
