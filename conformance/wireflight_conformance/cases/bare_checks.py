"""What every server refuses, seen without a function of the suite's.

Nothing here calls a command, and queries of the target's own are called only so that they are
refused before they run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.cases.bare import MANIFEST, UNKNOWN, VERSION, manifest_of
from wireflight_conformance.driver import NotTestableError
from wireflight_conformance.wire.codec import payload_of_text
from wireflight_conformance.wire.reply import WIREFLIGHT, pick
from wireflight_conformance.wire.trace import Request
from wireflight_conformance.wire.values import show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server


def listed(server: Server, kind: str) -> str:
    """Return the path of a function that the manifest lists.

    Raises:
        NotTestableError: It lists none of that kind.
    """
    functions = pick(manifest_of(server).document, "functions")
    for entry in functions if isinstance(functions, list) else []:
        name = pick(entry, "id")
        if pick(entry, "kind") == kind and isinstance(name, str):
            return f"/{name}"
    raise NotTestableError(f"the manifest lists no {kind}")


# -- the checks that need no function ------------------------------------------------------------


@case("SEC-1", "CHK-1", needs="bare", title="A request for another host is refused first of all.")
def foreign_host(server: Server) -> None:
    foreign = (("Host", "wireflight-conformance.invalid"),)
    first = server.send(server.request("GET", MANIFEST, headers=foreign))
    if first.type == "manifest":
        raise NotTestableError("the target takes any Host, so that it has no list of its names")
    if not first.response.all("wireflight-version"):
        raise NotTestableError("another server answers for other hosts here")
    server.expect_error("SEC-1", first, "forbidden_host")
    for method, path in (("GET", UNKNOWN), ("DELETE", MANIFEST), ("OPTIONS", MANIFEST)):
        reply = server.send(server.request(method, path, headers=foreign))
        server.expect_error("CHK-1", reply, "forbidden_host")


@case(
    "SEC-3",
    needs="bare",
    title="A GET with {row} is refused.",
    rows=[
        Row.of("cross-site", (("Sec-Fetch-Site", "cross-site"),)),
        Row.of("same-site", (("Sec-Fetch-Site", "same-site"),)),
        Row.of(
            "cross-site from another origin",
            (("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")),
        ),
        Row.of(
            "same-origin twice",
            (("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "same-origin")),
        ),
    ],
)
def refused_gets(server: Server, fields: tuple[tuple[str, str], ...]) -> None:
    reply = server.send(server.request("GET", MANIFEST, headers=fields))
    server.expect_error("SEC-3", reply, "forbidden_origin")


@case("SEC-3", needs="bare", title="A GET from its own pages, or from no page, passes.")
def passing_gets(server: Server) -> None:
    for site in ("same-origin", "none"):
        reply = server.send(server.request("GET", MANIFEST, headers=(("Sec-Fetch-Site", site),)))
        server.check("SEC-3", reply.type == "manifest", "the manifest", str(reply), of=reply)


@case(
    "SEC-7", "CHK-1", needs="bare", title="OPTIONS from an origin that is not allowed is refused."
)
def refused_preflight(server: Server) -> None:
    for fields in ((), (("Origin", "https://evil.example"),), (("Origin", "null"),)):
        reply = server.send(server.request("OPTIONS", MANIFEST, headers=fields))
        server.expect_error("SEC-7", reply, "forbidden_origin")
        unknown = server.send(server.request("OPTIONS", UNKNOWN, headers=fields))
        server.expect_error("CHK-1", unknown, "unknown_function")


@case(
    "VER-2",
    needs="bare",
    title="The version `{row}` is refused, with the versions that are supported.",
    rows=[Row.of(text or "empty", text) for text in ("99999999999", "0", "01", "1.0", "x", "")],
)
def refused_versions(server: Server, version: str) -> None:
    headers = (("Wireflight-Version", version),)
    reply = server.send(server.request("GET", MANIFEST, headers=headers))
    server.expect_error("VER-2", reply, "unsupported_version")
    supported = reply.error.get("supported")
    named = isinstance(supported, list) and 1 in supported
    server.check("VER-2", named, "supported, with 1", show(reply.error), of=reply)


@case("VER-2", needs="bare", title="Version 1 is taken, and twice it is refused.")
def taken_version(server: Server) -> None:
    once = server.send(server.request("GET", MANIFEST, headers=(VERSION,)))
    server.check("VER-2", once.type == "manifest", "the manifest", str(once), of=once)
    twice = server.send(server.request("GET", MANIFEST, headers=(VERSION, VERSION)))
    server.expect_error("VER-2", twice, "unsupported_version")


@case("VER-6", "HTTP-14", needs="bare", title="What a client says of itself changes no answer.")
def claims_of_clients(server: Server) -> None:
    for field in (
        ("Wireflight-Accept", "patch, a.B,, x"),
        ("Wireflight-Accept", ""),
        ("Wireflight-Page", "https://evil.example/admin"),
    ):
        reply = server.send(server.request("GET", MANIFEST, headers=(field,)))
        clause = "VER-6" if field[0] == "Wireflight-Accept" else "HTTP-14"
        server.check(clause, reply.type == "manifest", "the manifest", str(reply), of=reply)


@case("CHK-1", needs="bare", title="Of route, method, origin and version the first is answered.")
def order_of_checks(server: Server) -> None:
    cross, bad = ("Sec-Fetch-Site", "cross-site"), ("Wireflight-Version", "99")
    for method, path, fields, code in (
        ("DELETE", UNKNOWN, (cross, bad), "unknown_function"),
        ("DELETE", MANIFEST, (cross, bad), "method_not_allowed"),
        ("GET", MANIFEST, (cross, bad), "forbidden_origin"),
        ("GET", MANIFEST, (bad,), "unsupported_version"),
    ):
        reply = server.send(server.request(method, path, headers=fields))
        server.expect_error("CHK-1", reply, code)


@case("CHK-2", needs="bare", title="An unknown function is answered although the body never comes.")
def answered_without_the_body(server: Server) -> None:
    made = server.request("POST", UNKNOWN, content_type=WIREFLIGHT)
    waiting = Request(made.method, made.target, made.headers, b"", "1000")
    patience = min(server.limit("body_idle_ms") / 1000 * 0.7, 2.0)
    pending = server.begin(waiting)
    answered = pending.is_answered(patience)
    server.check("CHK-2", answered, "an answer before the body", f"none in {patience:.1f} s")
    server.expect_error("CHK-2", pending.reply(), "unknown_function")


@case("HTTP-10", needs="bare", title="Several requests on one connection are each answered.")
def keep_alive(server: Server) -> None:
    with server.connect() as connection:
        for path, status in ((MANIFEST, 200), (UNKNOWN, 404), (MANIFEST, 200)):
            request = server.request("GET", path)
            connection.send_request(request, server.clock())
            reply = server.received(connection.read_response(server.clock()), request)
            server.check("HTTP-10", reply.status == status, str(status), str(reply), of=reply)


# -- a query that the manifest lists ---------------------------------------------------------------


@case("SEC-2", needs="bare", title="A POST from another site to a listed query is refused.")
def cross_site_post(server: Server) -> None:
    path = listed(server, "query")
    for fields in (
        (("Sec-Fetch-Site", "cross-site"), VERSION),
        (("Origin", "https://evil.example"), VERSION),
        (("Origin", "null"), VERSION),
    ):
        request = server.request(
            "POST", path, body=b"[{}]", content_type=WIREFLIGHT, headers=fields
        )
        server.expect_error("SEC-2", server.send(request), "forbidden_origin")


@case(
    "CHK-1",
    needs="bare",
    title="A listed query with {row} is refused before it runs.",
    rows=[
        Row.of("another method", "DELETE", "", (VERSION,), "method_not_allowed"),
        Row.of("another contract", "GET", "", (("Wireflight-Contract", "x"),), "contract_mismatch"),
        Row.of("payload and arg", "GET", "?payload=&arg=1", (), "invalid_request"),
        Row.of("a payload that is none", "GET", "?payload=!", (), "invalid_payload"),
        Row.of("the text of undefined", "GET", "?payload=LTE", (), "non_canonical"),
        Row.of(
            "a payload that is not canonical",
            "GET",
            f"?payload={payload_of_text('[1 ]')}",
            (),
            "non_canonical",
        ),
        Row.of("an arg that is no JSON", "GET", "?arg=%7B", (), "invalid_payload"),
    ],
)
def refused_queries(
    server: Server, method: str, query: str, fields: tuple[tuple[str, str], ...], code: str
) -> None:
    path = listed(server, "query")
    reply = server.send(server.request(method, path + query, headers=fields))
    server.expect_error("CHK-1", reply, code)


@case("HTTP-5", "HTTP-8", needs="bare", title="A body of another type or encoding is refused.")
def refused_bodies(server: Server) -> None:
    path = listed(server, "query")
    for clause, content_type, fields in (
        ("HTTP-5", "text/plain", (VERSION,)),
        ("HTTP-5", "application/json; charset=latin1", (VERSION,)),
        ("HTTP-8", WIREFLIGHT, (VERSION, ("Content-Encoding", "gzip"))),
    ):
        request = server.request(
            "POST", path, body=b"[{}]", content_type=content_type, headers=fields
        )
        server.expect_error(clause, server.send(request), "unsupported_media_type")


@case("SEC-11", "HTTP-2", needs="bare", title="A listed command is not there by DELETE.")
def command_by_delete(server: Server) -> None:
    # not by GET: a server that is wrong would run a command that is not the suite's own
    path = listed(server, "command")
    reply = server.send(server.request("DELETE", path, headers=(VERSION,)))
    server.expect_error("HTTP-2", reply, "method_not_allowed")
    allow = {part.strip() for part in (reply.response.header("allow") or "").split(",")}
    server.check("SEC-11", allow == {"POST"}, "Allow: POST", f"Allow: {sorted(allow)}", of=reply)
