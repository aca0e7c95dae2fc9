"""The vectors of `request.json`: one request each, and all that is asked of its answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from wireflight_conformance.clauses import spec_folder
from wireflight_conformance.corpus import expand, read_vectors, same_tagged, tag
from wireflight_conformance.wire.reply import PLAIN, WIREFLIGHT, pick

from . import Row, case

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wireflight_conformance.corpus import Json, Vector
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.reply import Reply
    from wireflight_conformance.wire.trace import Request


def _request(server: Server, vector: Vector) -> Request:
    asked = cast("Mapping[str, Json]", vector.fields["request"])

    def filled(text: str) -> str:
        authority = server.settings.target.authority
        return text.replace("{run}", server.run).replace("{authority}", authority)

    pairs = cast("Sequence[tuple[str, str]]", asked.get("headers", []))
    return server.request(
        str(asked["method"]),
        filled(expand(asked["path"])),
        body=filled(expand(asked.get("body", ""))).encode(),
        accept=None,
        headers=[(name, filled(value)) for name, value in pairs],
    )


def request(server: Server, vector: Vector) -> None:
    """Send the request and look at everything that the vector names."""
    reply = server.send(_request(server, vector))
    clause, wanted = vector.clauses[0], vector.fields
    if vector.verdict == "reject":
        _refusal(server, clause, vector, reply)
    else:
        status = wanted["status"]
        server.require(clause, reply.status == status, f"the status {status}", str(reply))
    if "value" in wanted:
        holds = reply.is_result and same_tagged(_sorted(tag(reply.value)), _sorted(wanted["value"]))
        server.check(clause, holds, f"a result with {json.dumps(wanted['value'])}", str(reply))
    if "location" in wanted:
        found = pick(reply.document, "location")
        holds = reply.type == "redirect" and found == wanted["location"]
        server.check(clause, holds, f"a redirect to {wanted['location']}", str(reply))
    if "encoding" in wanted:
        media_type = {"wireflight": WIREFLIGHT, "plain": PLAIN}[str(wanted["encoding"])]
        server.check("HTTP-9", reply.media_type == media_type, media_type, str(reply.media_type))
    if "absent" in wanted:
        hidden = str(wanted["absent"]).encode()
        server.check(clause, hidden not in reply.trace.received, "nothing of it", str(reply))
    _fields(server, clause, vector, reply)
    _outcomes(server, clause, vector, reply)


def _sorted(tagged: Json) -> Json:
    """Put the members of objects, which a result may have in any order, into one order."""
    if isinstance(tagged, dict):
        if "$object" in tagged:
            members = cast("list[list[Json]]", tagged["$object"])
            made = [[name, _sorted(item)] for name, item in members]
            return {"$object": sorted(made, key=lambda member: str(member[0]))}
        return {name: _sorted(item) for name, item in tagged.items()}
    if isinstance(tagged, list):
        return [_sorted(item) for item in tagged]
    return tagged


def _refusal(server: Server, clause: str, vector: Vector, reply: Reply) -> None:
    status = vector.fields["status"]
    holds = reply.type == "error" and reply.code in vector.codes and reply.status == status
    if vector.limit is not None:
        holds = holds and pick(reply.error, "limit") == vector.limit
    limit = f" with limit {vector.limit}" if vector.limit else ""
    expected = f"the error {status} {' or '.join(vector.codes)}{limit}"
    server.check(clause, holds, expected, str(reply))


def _fields(server: Server, clause: str, vector: Vector, reply: Reply) -> None:
    """Check header fields: lists in any order, and null for a field that must not be there."""
    for name, value in cast("Mapping[str, str | None]", vector.fields.get("fields", {})).items():
        found = reply.response.all(name)
        if value is None:
            server.check(clause, not found, f"no field {name}", f"{name}: {found}")
            continue
        parts = {part.strip() for text in found for part in text.split(",")}
        wanted = {part.strip() for part in value.split(",")}
        server.check(clause, parts == wanted, f"{name}: {value}", f"{name}: {found}")


def _outcomes(server: Server, clause: str, vector: Vector, reply: Reply) -> None:
    wanted = cast("Mapping[str, Json]", vector.fields.get("outcomes", {}))
    for key, outcome in wanted.items():
        op, code = (outcome, "") if isinstance(outcome, str) else cast("Sequence[str]", outcome)
        server.expect_outcome(clause, reply, key, str(op), code)


def _register() -> None:
    for vector in read_vectors(spec_folder() / "vectors" / "request.json"):
        verb = "answered" if vector.verdict == "accept" else f"refused: {', '.join(vector.codes)}"
        case(
            *vector.clauses,
            title=f"The request {vector.id} is {verb}.",
            rows=[Row.of(vector.id, vector)],
            profile="quick",
            slow=bool(vector.fields.get("slow")),
        )(request)


_register()
