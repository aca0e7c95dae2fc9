"""Section 15: versions, builds and contracts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import add, give
from wireflight_conformance.wire.reply import pick
from wireflight_conformance.wire.values import Value, show

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server

CONTRACT = re.compile(r"[A-Za-z0-9_-]{1,64}")


@case("VER-1", title="Every kind of response names version 1.")
def version_of_responses(server: Server) -> None:
    for request in (
        server.query_request("fx/none"),
        server.query_request("fx/nothing"),
        server.request("GET", "/~manifest"),
        server.request("DELETE", "/fx/none"),
        server.request("OPTIONS", "/fx/none", headers=(("Origin", "https://allowed.example"),)),
        server.request("GET", "/fx/none", headers=(("Host", "evil.example"),)),
    ):
        reply = server.send(request)
        shown = reply.response.all("wireflight-version")
        server.check("VER-1", shown == ["1"], "Wireflight-Version: 1", str(shown))


@case("VER-2", title="A request without a version, or with version 1, is taken.")
def taken_versions(server: Server) -> None:
    server.expect_value("VER-2", server.query("fx/none"), "none")
    server.expect_value("VER-2", server.query("fx/echo", 1), 1)
    server.expect_value("VER-2", server.command([give(1)]), 1)
    for value in ("1", " 1 "):
        reply = server.query("fx/none", headers=(("Wireflight-Version", value),))
        server.expect_value("VER-2", reply, "none")


VERSIONS = ["2", "0", "-1", "1.0", "01", "+1", "1, 1", "1,2", "x", "", "１", "1e0", "99999999999"]


@case(
    "VER-2",
    title="The version `{row}` is refused, with the versions that are supported.",
    rows=[Row.of(text or "empty", text) for text in VERSIONS],
)
def refused_versions(server: Server, version: str) -> None:
    text = version.encode().decode("latin-1")
    for request in (
        server.query_request("fx/none", headers=(("Wireflight-Version", text),)),
        server.command_request([add()], headers=(("Wireflight-Version", text),)),
    ):
        reply = server.send(request)
        server.expect_error("VER-2", reply, "unsupported_version")
        supported = reply.error.get("supported")
        server.check("VER-2", supported == [1], "supported: [1]", str(reply.error))
    server.check("VER-2", server.calls("fx/run") == 0, "a command that did not run", "it ran")


@case("VER-2", title="A request with the version twice is refused.")
def repeated_version(server: Server) -> None:
    twice = (("Wireflight-Version", "1"), ("Wireflight-Version", "1"))
    server.expect_error("VER-2", server.query("fx/none", headers=twice), "unsupported_version")


@case("VER-4", title="Every response names the build of the deployment.")
def build(server: Server) -> None:
    for path in ("/fx/none", "/fx/nothing", "/~manifest"):
        reply = server.send(server.request("GET", path))
        shown = reply.response.all("wireflight-build")
        server.check("VER-4", shown == ["fixture"], "Wireflight-Build: fixture", str(shown))


@case("VER-4", title="A request that names another build is not refused.")
def other_build(server: Server) -> None:
    for value in ("yesterday", "", "x" * 300):
        reply = server.query("fx/none", headers=(("Wireflight-Build", value),))
        server.expect_value("VER-4", reply, "none")


def contracts(server: Server) -> dict[str, str]:
    """Return function id -> contract, as the manifest shows them."""
    manifest = server.send(server.request("GET", "/~manifest"))
    functions = pick(manifest.document, "functions")
    found: dict[str, str] = {}
    if isinstance(functions, list):
        for entry in functions:
            name, contract = pick(entry, "id"), pick(entry, "contract")
            if isinstance(name, str) and isinstance(contract, str):
                found[name] = contract
    server.require("VER-5", "fx/none" in found, "fx/none in the manifest", show(manifest.document))
    return found


@case("VER-5", title="A request that names the function's contract is taken, any other refused.")
def contract(server: Server) -> None:
    known = contracts(server)
    for name in ("fx/none", "fx/typed"):
        formed = CONTRACT.fullmatch(known.get(name, "")) is not None
        server.check("VER-5", formed, "1 to 64 characters", known.get(name, ""))
    right = ("Wireflight-Contract", known["fx/none"])
    server.expect_value("VER-5", server.query("fx/none", headers=(right,)), "none")
    for wrong in ("wrong", "", known["fx/none"] + "x", known["fx/typed"], "a" * 65):
        if wrong == known["fx/none"]:
            continue
        reply = server.query("fx/none", headers=(("Wireflight-Contract", wrong),))
        server.expect_error("VER-5", reply, "contract_mismatch")
    both = (right, ("Wireflight-Contract", "wrong"))
    server.expect_error("VER-5", server.query("fx/none", headers=both), "contract_mismatch")
    server.expect_error("VER-5", server.query("fx/none", headers=both[::-1]), "contract_mismatch")


@case("VER-5", title="A command with another contract does not run.")
def contract_of_a_command(server: Server) -> None:
    known = contracts(server)
    wrong = server.command([add()], headers=(("Wireflight-Contract", "wrong"),))
    server.expect_error("VER-5", wrong, "contract_mismatch")
    server.check("VER-5", server.calls("fx/run") == 0, "a handler that did not run", "it ran")
    right = server.command([add()], headers=(("Wireflight-Contract", known["fx/run"]),))
    server.expect_value("VER-5", right, None)


@case("VER-5", title="Functions of different types have different contracts.")
def contracts_differ(server: Server) -> None:
    known = contracts(server)
    typed: list[Value] = [known.get(n) for n in ("fx/none", "fx/pair", "fx/typed", "fx/cell")]
    server.check("VER-5", len(set(map(show, typed))) == 4, "four contracts", show(typed))
    again = contracts(server)
    server.check("VER-5", again == known, "the same contracts", "others")


@case("VER-6", title="Wireflight-Accept is a list, and names that nobody knows are ignored.")
def accepted_names(server: Server) -> None:
    for value in ("", ",", "patch", "a.B, c.D,", "fx.Money,x,, y ", '"quoted"', "x" * 500, "a;q=1"):
        reply = server.query("fx/none", headers=(("Wireflight-Accept", value),))
        server.expect_value("VER-6", reply, "none")
