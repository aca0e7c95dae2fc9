"""Section 14: the order of checks."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final

from wireflight_conformance.cases import Row, case
from wireflight_conformance.fixture import fail
from wireflight_conformance.wire.codec import encode, payload, payload_of_text
from wireflight_conformance.wire.reply import WIREFLIGHT
from wireflight_conformance.wire.trace import Request

if TYPE_CHECKING:
    from wireflight_conformance.driver import Server
    from wireflight_conformance.wire.values import Value

STAGES: Final = {
    1: "forbidden_host",
    2: "unknown_function",
    3: "method_not_allowed",
    4: "forbidden_origin",
    5: "unsupported_version",
    6: "contract_mismatch",
    7: "unsupported_media_type",
    8: "body_too_large",
    9: "invalid_payload",
    10: "non_canonical",
    11: "invalid_argument",
}
VALID: Final[Value] = {"name": "x", "count": 1}
# one text for what stands in a payload: broken, not canonical, refused by the type
TEXTS: Final = {
    frozenset({9}): '[{"count":9,"name":2},1,"x"]',
    frozenset({10}): '[{"name":1,"count":2},"x",1]',
    frozenset({11}): '[{"count":1,"name":2},1,""]',
    frozenset({9, 10}): '[{"name":1,"count":9},"x",1]',
    frozenset({9, 11}): '[{"count":9,"name":2},1,""]',
    frozenset({10, 11}): '[{"name":1,"count":2},"",1]',
}


def faulty(server: Server, faults: frozenset[int]) -> Request:
    """Return a query by POST with a fault of each of these stages and no other."""
    text = TEXTS.get(faults & {9, 10, 11})
    document: Value = {"payload": payload(VALID) if text is None else payload_of_text(text)}
    body = encode(document).encode()
    if 8 in faults:
        body += b" " * (server.limit("body_bytes") + 1 - len(body))
    return server.request(
        "DELETE" if 3 in faults else "POST",
        "/fx/nothing" if 2 in faults else "/fx/typed",
        body=body,
        headers=(
            ("Host", "evil.example" if 1 in faults else server.settings.target.authority),
            ("Sec-Fetch-Site", "cross-site" if 4 in faults else "same-origin"),
            ("Wireflight-Version", "99" if 5 in faults else "1"),
            *((("Wireflight-Contract", "wrong"),) if 6 in faults else ()),
            ("Content-Type", "text/plain" if 7 in faults else WIREFLIGHT),
        ),
    )


PAIRS = [
    Row.of(f"{STAGES[first]} and {STAGES[second]}", first, second)
    for first, second in combinations(STAGES, 2)
]


@case("CHK-1", title="A request without a fault passes every stage.")
def no_fault(server: Server) -> None:
    reply = server.send(faulty(server, frozenset()))
    server.expect_value("CHK-1", reply, VALID)


@case(
    "CHK-1",
    title="A request with the one fault {row} is refused for it.",
    rows=[Row.of(code, stage) for stage, code in STAGES.items()],
)
def one_fault(server: Server, stage: int) -> None:
    server.expect_error("CHK-1", server.send(faulty(server, frozenset({stage}))), STAGES[stage])


@case("CHK-1", title="Of {row} the first is answered.", rows=PAIRS)
def two_faults(server: Server, first: int, second: int) -> None:
    reply = server.send(faulty(server, frozenset({first, second})))
    server.expect_error("CHK-1", reply, STAGES[first])


@case("CHK-1", title="With a fault of every stage the host is answered, and so on downwards.")
def all_faults(server: Server) -> None:
    for first in STAGES:
        faults = frozenset(stage for stage in STAGES if stage >= first)
        if first <= 8:
            # one payload cannot be broken, not canonical and of another type at a time
            faults -= {10, 11}
            reply = server.send(faulty(server, faults))
            server.expect_error("CHK-1", reply, STAGES[first])


@case("CHK-1", title="The argument of a command is validated before the handler runs.")
def validated_before_running(server: Server) -> None:
    more: Value = {"run": server.run, "steps": [fail()], "more": 1}
    for argument in ({"run": server.run}, more):
        document: Value = {"arg": argument}
        reply = server.send(server.post_request("fx/run", document))
        server.expect_error("CHK-1", reply, "invalid_argument")
    runs = server.calls("fx/run")
    server.check("CHK-1", runs == 0, "a handler that did not run", str(runs))


@case("CHK-1", title="OPTIONS leaves the order after the route.")
def options_after_route(server: Server) -> None:
    allowed = (("Origin", "https://allowed.example"),)
    unknown = server.send(server.request("OPTIONS", "/fx/nothing", headers=allowed))
    server.expect_error("CHK-1", unknown, "unknown_function")
    host = server.request("OPTIONS", "/fx/none", headers=(*allowed, ("Host", "evil.example")))
    server.expect_error("CHK-1", server.send(host), "forbidden_host")
    version = server.request("OPTIONS", "/fx/none", headers=(*allowed, ("Wireflight-Version", "9")))
    reply = server.send(version)
    server.check("CHK-1", reply.status == 204, "204: no version check", str(reply.status))


WITHOUT_BODY = [Row.of(code, stage) for stage, code in STAGES.items() if stage <= 7]


@case(
    "CHK-2",
    title="{row} is answered although the body never comes.",
    rows=WITHOUT_BODY,
)
def answered_without_the_body(server: Server, stage: int) -> None:
    request = faulty(server, frozenset({stage}))
    waiting = Request(request.method, request.target, request.headers, b"", "1000")
    # less than body_idle_ms: a server that waits for the body answers nothing in this time
    patience = min(server.limit("body_idle_ms") / 1000 * 0.7, 2.0)
    pending = server.begin(waiting)
    answered = pending.is_answered(patience)
    if server.check("CHK-2", answered, "an answer before the body", f"none in {patience:.1f} s"):
        server.expect_error("CHK-2", pending.reply(), STAGES[stage])
    else:
        pending.abort()
