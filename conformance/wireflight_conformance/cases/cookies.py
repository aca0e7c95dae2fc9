"""Section 18: cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import (
    child,
    cookie,
    crash,
    fail,
    give,
    give_special,
    redirect,
    sleep,
)

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.reply import Reply
    from wireflight_conformance.wire.values import Value


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


@case("SEC-9", title="Of cookies of one name the last goes alone.")
def cookies_of_one_name(server: Server) -> None:
    first, last = cookie("fx_session", "first"), cookie("fx_session", "last")
    for steps in ([first, last], [first, child(last)], [child(first), last], [first, last, fail()]):
        shown = cookies_of(server.command(steps))
        server.check("SEC-9", shown == ["fx_session=last"], "the last alone", str(shown))
    two = cookies_of(server.command([first, cookie("other", "x"), last]))
    wanted = ["fx_session=last", "other=x"]
    server.check("SEC-9", sorted(two) == wanted, str(wanted), str(two))


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
