"""Section 3: values, as a server sends and takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.cases import case
from wireflight_conformance.fixture import give, refresh
from wireflight_conformance.wire.codec import encode, key
from wireflight_conformance.wire.reply import WIREFLIGHT
from wireflight_conformance.wire.values import BigInt, Extension, Value

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

MONEY = Extension("fx.Money", {"amount": BigInt(1050), "currency": "EUR"})
ACCEPTING = (("Wireflight-Accept", "patch, fx.Money"),)


@case(
    "VAL-8", "VER-6", title="An extension goes as itself to a client that names it, else projected."
)
def extensions(server: Server) -> None:
    server.expect_value("VAL-8", server.query("fx/money", MONEY, headers=ACCEPTING), MONEY)
    server.expect_value("VAL-8", server.query("fx/money", MONEY), "1050 EUR")
    for names in ("fx.Other", "fx.money", "fx", "money", "xfx.Money", "fx.Money2"):
        reply = server.query("fx/money", MONEY, headers=(("Wireflight-Accept", names),))
        server.expect_value("VAL-8", reply, "1050 EUR")
    for names in ("fx.Money", "a.B,fx.Money", " fx.Money , a.B", ",fx.Money,"):
        reply = server.query("fx/money", MONEY, headers=(("Wireflight-Accept", names),))
        server.expect_value("VER-6", reply, MONEY)


@case("VAL-8", "UPD-2", title="Refreshed values are projected as results are.")
def extensions_in_updates(server: Server) -> None:
    name = key("fx/money", MONEY)
    plain = server.command([refresh("fx/money", MONEY), give([MONEY])])
    server.expect_value("VAL-8", plain, ["1050 EUR"])
    server.expect_set("UPD-2", plain, name, "1050 EUR")
    typed = server.command([refresh("fx/money", MONEY), give([MONEY])], headers=ACCEPTING)
    server.expect_value("VAL-8", typed, [MONEY])
    server.expect_set("UPD-2", typed, name, MONEY)


@case("VAL-8", "PLAIN-3", title="Plain JSON has the projection, whatever the client names.")
def extensions_in_plain_json(server: Server) -> None:
    headers = (("Accept", "application/json"), *ACCEPTING)
    reply = server.query("fx/money", MONEY, headers=headers)
    server.expect_value("PLAIN-3", reply, "1050 EUR")


@case("PAY-7", title="Tags that are not registered, and values that an extension refuses, fail.")
def unknown_tags(server: Server) -> None:
    for text in (
        '[["Money",1],"x"]',
        '[["fx.money",1],"x"]',
        '[["fx.Money "  ,1],"x"]',
        '[["toString",1],"x"]',
        '[["__proto__",1],"x"]',
        '[["hasOwnProperty",1],"x"]',
        '[["__class__",1],"x"]',
        '[["set",1],"x"]',
        '[["URL",1],"https://a.example"]',
        '[["Object",1],"x"]',
        '[["fx.Money",1],"not money"]',
        '[["fx.Money",1,1],"x"]',
        '[["fx.Money"]]',
    ):
        body = '[{"arg":1},' + text.replace(",1]", ",2]").replace(",1,1]", ",2,2]")[1:]
        reply = server.send(
            server.request("POST", "/fx/run", body=body.encode(), content_type=WIREFLIGHT)
        )
        server.expect_error("PAY-7", reply, "invalid_payload")


@case("PAY-6", title="A command's argument may share containers, and is counted expanded.")
def shared_arguments(server: Server) -> None:
    inner: Value = {"x": 1}
    body = encode({"arg": {"run": server.run, "steps": [give([inner, inner])]}}).encode()
    reply = server.send(server.request("POST", "/fx/run", body=body, content_type=WIREFLIGHT))
    server.expect_value("PAY-6", reply, [{"x": 1}, {"x": 1}])


@case("VAL-5", title="A member called __proto__ is refused, others of that kind are plain data.")
def member_names(server: Server) -> None:
    fine: Value = {"constructor": 1, "prototype": {"x": 2}, "__class__": 3, "then": 4}
    server.expect_value("VAL-5", server.query("fx/echo", fine), fine)
    server.expect_value("VAL-5", server.query("fx/echo", fine, plain=True), fine)
    for text in ('{"__proto__":1}', '{"a":{"__proto__":null}}', '{"\\u005f_proto__":1}'):
        body = f'{{"arg":{text}}}'.encode()
        reply = server.send(
            server.request("POST", "/fx/echo", body=body, content_type="application/json")
        )
        server.expect_error("VAL-5", reply, "invalid_payload")
