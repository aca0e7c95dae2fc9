"""Section 8: exchanges over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.wire.codec import payload
from wireflight_conformance.wire.values import BigInt, Date, Map, Value

from . import case

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server


@case("HTTP-2", "ENV-1", title="A query has the same result by GET and by POST.")
def get_and_post(server: Server) -> None:
    value: Value = {"a": [1, BigInt(2), Date("2026-01-02T03:04:05.678Z")], "b": Map([("k", None)])}
    server.expect_value("HTTP-2", server.query("fx/echo", value), value)
    server.expect_value("HTTP-2", server.post_query("fx/echo", value), value)
    server.expect_value("HTTP-2", server.query("fx/none"), "none")
    server.expect_value("HTTP-2", server.post_query("fx/none"), "none")


@case("HTTP-2", title="A command by GET is refused, and does not run.")
def command_by_get(server: Server) -> None:
    steps: Value = {"run": server.run, "steps": [{"do": "add", "cell": "a", "by": 1}]}
    reply = server.send(server.request("GET", f"/fx/run?payload={payload(steps)}"))
    server.expect_error("HTTP-2", reply, "method_not_allowed")
    server.check("HTTP-2", server.cell() == 0, "a cell that nothing changed", str(server.cell()))
