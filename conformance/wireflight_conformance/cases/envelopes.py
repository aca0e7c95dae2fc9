"""Section 9: envelopes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    accept,
    add,
    cookie,
    fail,
    give,
    give_special,
    invalidate,
    invalidate_all,
    put,
    redirect,
    refresh,
    reset,
    return_read,
)
from wireflight_conformance.universal import STAMP
from wireflight_conformance.wire.codec import key
from wireflight_conformance.wire.values import UNDEFINED, Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

OTHER_KEY = key("fx/none")


@case("ENV-1", "ENV-2", "ENV-3", title="A result has a value, a stamp and status 200.")
def result_form(server: Server) -> None:
    for reply in (server.query("fx/none"), server.command([give("x")])):
        server.check("ENV-1", reply.type == "result", "type result", str(reply))
        server.check("ENV-2", reply.status == 200, "200", str(reply.status))
        stamped = STAMP.fullmatch(reply.at) is not None
        server.check("ENV-3", stamped, "a stamp `at`", show(reply.envelope))


@case("ENV-1", title="A missing value is undefined, and null is null.")
def undefined_and_null(server: Server) -> None:
    server.expect_value("ENV-1", server.query("fx/echo"), UNDEFINED)
    server.expect_value("ENV-1", server.query("fx/echo", None), None)
    server.expect_value("ENV-1", server.command([]), None)
    server.expect_value("ENV-1", server.command([give(UNDEFINED)]), UNDEFINED)


@case("ENV-1", "ENV-2", title="An error has status, code and message, and its status is HTTP's.")
def error_form(server: Server) -> None:
    for status in (400, 403, 404, 409, 422, 429, 500, 503, 599):
        reply = server.command([fail(status, "fx.status", "as said")])
        shown = [reply.error.get(name) for name in ("status", "code", "message")]
        expected = [status, "fx.status", "as said"]
        server.check("ENV-1", shown == expected, str(expected), show(shown))
        server.check("ENV-2", reply.status == status, str(status), str(reply.status))


LOCATIONS = [
    Row.of("a path", "/posts/1?x=%20#y"),
    Row.of("the root", "/"),
    Row.of("an allowed origin", "https://allowed.example/in?x=1"),
    Row.of("an allowed origin without a path", "https://allowed.example"),
    Row.of("a path with two slashes inside", "/a//b"),
    Row.of("a path with a colon", "/https://evil.example"),
]
REFUSED = [
    Row.of("another host by two slashes", "//evil.example"),
    Row.of("a slash and a backslash", "/\\evil.example"),
    Row.of("a backslash inside", "/a\\b"),
    Row.of("a script", "javascript:alert(1)"),
    Row.of("data", "data:text/html,x"),
    Row.of("another origin", "https://evil.example/"),
    Row.of("an allowed origin as user name", "https://allowed.example@evil.example/"),
    Row.of("an allowed origin as prefix", "https://allowed.example.evil.example/"),
    Row.of("the allowed host without TLS", "http://allowed.example/"),
    Row.of("another port of the allowed host", "https://allowed.example:8443/"),
    Row.of("a relative path", "posts/1"),
    Row.of("an empty text", ""),
    Row.of("a space", "/a b"),
    Row.of("a line break at the end", "/a\n"),
    Row.of("a line break inside", "/a\r\nSet-Cookie: x=1"),
    Row.of("a tab", "/\t/evil.example"),
    Row.of("letters outside ASCII", "/é"),
    Row.of("capitals in the host", "https://ALLOWED.example/"),
    Row.of("a query right after the host", "https://allowed.example?x=1"),
]


@case("ENV-4", "ENV-2", "ENV-6", title="A query may redirect to {row}.", rows=LOCATIONS)
def query_redirects(server: Server, location: str) -> None:
    reply = server.act([redirect(location)])
    server.check("ENV-4", reply.type == "redirect", "a redirect", str(reply))
    server.check("ENV-2", reply.status == 200, "200 without Location", str(reply.status))
    server.check("ENV-2", not reply.response.all("location"), "no Location field", "there is one")
    shown = reply.envelope.get("location")
    server.check("ENV-6", shown == location, location, show(reply.document))


@case("ENV-6", title="A redirect to {row} is invalid_redirect.", rows=REFUSED)
def refused_redirects(server: Server, location: str) -> None:
    reply = server.act([redirect(location)])
    server.expect_error("ENV-6", reply, "invalid_redirect")
    leaked = b"evil.example" in reply.response.body
    server.check("ENV-6", not leaked, "no trace of the location", str(reply))


@case("ENV-5", "UPD-9", title="A command that redirects is redirect_in_command, without values.")
def command_redirects(server: Server) -> None:
    steps = [add(), refresh("fx/none"), put("fx/echo", 1, 2), redirect("/login")]
    reply = server.command(steps, refreshes=[OTHER_KEY])
    server.expect_error("ENV-5", reply, "redirect_in_command")
    server.check("ENV-5", not reply.response.all("location"), "no Location field", "there is one")
    server.check("UPD-9", not reply.updates, "no updates", show(reply.document))
    server.expect_error(
        "ENV-5", server.command([redirect("//evil.example")]), "redirect_in_command"
    )


SPECIALS = [Row.of(kind, kind) for kind in ("cyclic", "function", "surrogate")]


@case(
    "ENV-8",
    "PAY-4",
    title="A query whose result is {row} is unencodable_result, and nothing of it is sent.",
    rows=SPECIALS,
)
def unencodable_query(server: Server, kind: str) -> None:
    reply = server.act([give_special(kind)])
    server.expect_error("ENV-8", reply, "unencodable_result")
    server.check("PAY-4", reply.value is UNDEFINED, "no value", str(reply))


@case(
    "ENV-9",
    "PAY-4",
    title="A command whose result is {row} is done, and invalidates what it named.",
    rows=SPECIALS,
)
def unencodable_command(server: Server, kind: str) -> None:
    cell, typed = server.cell_key(), key("fx/echo", 5)
    steps = [
        add(),
        refresh("fx/cell", server.cell_argument()),
        put("fx/echo", 5, 6),
        invalidate("fx/pair"),
        give_special(kind),
    ]
    reply = server.command(steps, refreshes=[OTHER_KEY, "no key"])
    server.expect_error("ENV-9", reply, "unencodable_result")
    server.check("PAY-4", reply.value is UNDEFINED, "no value", str(reply))
    for name in (cell, typed, OTHER_KEY, "no key"):
        server.expect_outcome("ENV-9", reply, name, "invalidate")
    whole = [u for u in reply.updates if u.get("id") == "fx/pair"]
    server.check("ENV-9", len(whole) == 1, "the handler's invalidate {id}", show(reply.document))
    server.check("ENV-9", server.calls("fx/cell") == 0, "no refresh", "the refresh ran")
    server.check("ENV-9", server.cell() == 1, "what the command did", str(server.cell()))


@case("ENV-9", title="In place of a reset an unencodable result has invalidate {all}.")
def unencodable_with_reset(server: Server) -> None:
    for first in (reset(), invalidate_all()):
        reply = server.command([first, give_special("cyclic")])
        server.expect_error("ENV-9", reply, "unencodable_result")
        only = len(reply.updates) == 1 and reply.updates[0].get("op") == "invalidate"
        only = only and reply.updates[0].get("all") is True
        server.check("ENV-9", only, "invalidate {all: true} alone", show(reply.document))


@case("ENV-10", title="A query that sets a cookie is cookie_in_query and sends none.")
def cookie_in_query(server: Server) -> None:
    reply = server.act([cookie("fx_session", "stolen"), give(1)])
    server.expect_error("ENV-10", reply, "cookie_in_query")
    shown = reply.response.all("set-cookie")
    server.check("ENV-10", not shown, "no Set-Cookie", str(shown))
    by_get = server.query("fx/act", {"run": server.run, "steps": [cookie("fx_session", "x")]})
    server.expect_error("ENV-10", by_get, "cookie_in_query")


@case("ENV-10", "UPD-7", title="A refreshed query that sets a cookie fails alone, without it.")
def cookie_in_refresh(server: Server) -> None:
    argument: Value = {"run": server.run, "steps": [cookie("fx_session", "stolen")]}
    name = key("fx/act", argument)
    reply = server.command([refresh("fx/act", argument), give(1)])
    server.expect_value("UPD-7", reply, 1)
    server.expect_outcome("ENV-10", reply, name, "fail", "cookie_in_query")
    shown = reply.response.all("set-cookie")
    server.check("ENV-10", not shown, "no Set-Cookie", str(shown))


@case("ENV-10", title="A query called from a command cannot set a cookie either.")
def cookie_in_call(server: Server) -> None:
    argument: Value = {"run": server.run, "steps": [cookie("fx_session", "stolen")]}
    reply = server.command([return_read("fx/act", argument)])
    server.check("ENV-10", reply.type == "error", "a failure", str(reply))
    shown = reply.response.all("set-cookie")
    server.check("ENV-10", not shown, "no Set-Cookie", str(shown))


@case("PAY-5", title="A view of a larger buffer is its own bytes.")
def view_of_a_buffer(server: Server) -> None:
    reply = server.act([give_special("view")])
    server.expect_value("PAY-5", reply, b"x")
    leaked = b"U0VOVElORUw" in reply.response.body or b"SENTINEL" in reply.response.body
    server.check("PAY-5", not leaked, "nothing beside the view", str(reply))


@case("ENV-1", title="A result may hold one object twice.")
def shared_results(server: Server) -> None:
    reply = server.act([give_special("shared")])
    server.expect_value("ENV-1", reply, [{"x": 1}, {"x": 1}])
    plain = server.query(
        "fx/act", {"run": server.run, "steps": [give_special("shared")]}, plain=True
    )
    server.expect_value("ENV-1", plain, [{"x": 1}, {"x": 1}])


@case("ENV-9", "REQ-2", title="A failing command that accepted keys sends no outcome with values.")
def unencodable_with_acceptance(server: Server) -> None:
    wanted = [key("fx/echo", n) for n in range(3)]
    reply = server.command([accept("fx/echo", 2), give_special("function")], refreshes=wanted)
    server.expect_error("ENV-9", reply, "unencodable_result")
    for name in wanted:
        server.expect_outcome("ENV-9", reply, name, "invalidate")
    plain = server.command([give("fine")], refreshes=wanted)
    server.check("REQ-2", len(plain.updates) == 3, "three outcomes", show(plain.document))
