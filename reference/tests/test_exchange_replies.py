"""Responses: status, header fields and the exact bytes of bodies."""

import pytest
from msgspec import UNSET

from wireflight import Extensions, Functions, Limits, messages
from wireflight.exchange.codes import MESSAGES, STATUSES, ErrorCode, Refusal, error_body
from wireflight.exchange.head import RequestHead
from wireflight.exchange.locations import is_location_allowed
from wireflight.exchange.manifest import LIMIT_NAMES, manifest
from wireflight.exchange.replies import Replier, Unencodable
from wireflight.exchange.settings import Settings
from wireflight.exchange.stamps import Stamps
from wireflight.functions import Registry

PLAIN = RequestHead("GET", "f", b"", [])
OURS = RequestHead("GET", "f", b"payload=", [])


def settings(**options: object) -> Settings:
    return Settings(Registry(()), limits=Limits(**options.pop("limits", {})), **options)


def replier(**options: object) -> Replier:
    return Replier(settings(**options))


def cycle() -> list:
    value: list = []
    value.append(value)
    return value


def test_server_writes_a_result_in_plain_json() -> None:
    """Every header field of a response and the text of its envelope, byte for byte."""
    reply = replier(build="b1").result(PLAIN, {"a": 1}, "p.1", updates=[messages.Ignore("f/")])
    assert reply.status == 200
    assert reply.headers == [
        (b"content-type", b"application/json"),
        (b"cache-control", b"private, no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"vary", b"Accept, Origin, Sec-Fetch-Site"),
        (b"wireflight-version", b"1"),
        (b"wireflight-build", b"b1"),
        (b"content-length", b"83"),
    ]
    assert reply.body == (
        b'{"type":"result","value":{"a":1},"at":"p.1","updates":[{"op":"ignore","key":"f/"}]}'
    )
    assert len(reply.body) == int(dict(reply.headers)[b"content-length"])


def test_server_writes_a_result_in_our_encoding() -> None:
    """The envelope is one payload text; an undefined value is left out."""
    reply = replier().result(OURS, UNSET, "p.1")
    assert reply.headers[0] == (b"content-type", b"application/wireflight+json")
    assert reply.body == b'[{"type":1,"at":2},"result","p.1"]'


@pytest.mark.parametrize("head", [OURS, PLAIN])
def test_server_writes_nothing_as_it_writes_everything(head: RequestHead) -> None:
    """The envelope of null, which is not encoded anew each time, is what encoding gives."""
    at = "p" * 12 + "." + "0" * 15 + "1"
    made = replier()
    envelope = messages.ResultEnvelope(None, at)
    assert made.result(head, None, at).body == made.encode(head, envelope.as_value())


def test_server_writes_redirects_and_documents() -> None:
    """A redirect has status 200 and no Location field."""
    reply = replier().redirect(PLAIN, "/login")
    assert (reply.status, reply.body) == (200, b'{"type":"redirect","location":"/login"}')
    assert b"location" not in dict(reply.headers)
    assert replier().document(PLAIN, {"type": "manifest"}).body == b'{"type":"manifest"}'


def test_server_sends_cors_fields_to_allowed_origins_only() -> None:
    """The origin itself is named, and nobody else gets the fields."""
    origin = (b"origin", b"https://a.example")
    head = RequestHead("GET", "f", b"", [origin])
    assert not [n for n, _ in replier().redirect(head, "/").headers if n.startswith(b"access-")]
    head.is_allowed_origin = True
    headers = dict(replier().redirect(head, "/").headers)
    assert headers[b"access-control-allow-origin"] == b"https://a.example"
    assert headers[b"access-control-allow-credentials"] == b"true"
    reply = replier().preflight(head)
    assert (reply.status, reply.body) == (204, b"")
    headers = dict(reply.headers)
    assert headers[b"access-control-allow-origin"] == b"https://a.example"
    assert headers[b"access-control-allow-methods"] == b"GET, POST"
    assert b"Wireflight-Contract" in headers[b"access-control-allow-headers"]
    assert headers[b"cache-control"] == b"private, no-store"
    assert b"content-type" not in headers
    assert b"content-length" not in headers


def test_server_writes_refusals_with_what_belongs_to_them() -> None:
    """Limits, versions and methods stand where a client looks for them."""
    reply = replier().refusal(PLAIN, Refusal(ErrorCode.METHOD_NOT_ALLOWED, allowed_methods="GET"))
    assert (reply.status, dict(reply.headers)[b"allow"]) == (405, b"GET")
    reply = replier().refusal(PLAIN, Refusal(ErrorCode.TOO_DEEP, limit="depth", position="byte 3"))
    assert reply.body == (
        b'{"type":"error","error":{"status":400,"code":"too_deep","message":'
        b'"The argument is too deep.","limit":"depth","position":"byte 3"}}'
    )


def test_codes_have_one_status_and_one_message_each() -> None:
    """The table is complete."""
    assert set(STATUSES) == set(MESSAGES) == set(ErrorCode)
    assert len(set(MESSAGES.values())) == len(ErrorCode)


@pytest.mark.parametrize("head", [PLAIN, OURS], ids=["plain", "ours"])
@pytest.mark.parametrize("value", [cycle(), object(), "\ud800", {"__proto__": 1}])
def test_server_tells_a_result_that_cannot_be_encoded(head: RequestHead, value: object) -> None:
    """A call's own result spoils the whole response."""
    with pytest.raises(Unencodable):
        replier().result(head, [value], "p.1")


@pytest.mark.parametrize("head", [PLAIN, OURS], ids=["plain", "ours"])
def test_server_lets_an_update_that_cannot_be_encoded_spoil_itself_alone(head: RequestHead) -> None:
    """Each bad value becomes its key's `fail`, and the rest arrives."""
    updates = [
        messages.SetValue("a/", 1, "p.1"),
        messages.SetValue("b/", cycle(), "p.1"),
        messages.SetValue("c/", {"deep": ["\ud800"]}, "p.1"),
        messages.SetValue("d/", 2, "p.1"),
    ]
    failed = messages.Fail("b/", error_body(ErrorCode.UNENCODABLE_RESULT))
    expected = [updates[0], failed, messages.Fail("c/", failed.error), updates[3]]
    made = replier()
    assert made.result(head, None, "p.2", updates=updates) == made.result(
        head, None, "p.2", updates=expected
    )


@pytest.mark.parametrize("head", [PLAIN, OURS], ids=["plain", "ours"])
def test_server_replaces_updates_that_do_not_fit_last_first(head: RequestHead) -> None:
    """As few as possible are replaced, from the end, and others than values stay."""
    updates = [
        messages.SetValue(f"k{n}/", str(n) * 300, "p.1") if n != 2 else messages.Ignore("k2/")
        for n in range(6)
    ]
    full = len(replier().result(head, None, "p.2", updates=updates).body)

    def left(limit: int) -> list[str]:
        made = replier(limits={"response_bytes": limit})
        reply = made.result(head, None, "p.2", updates=updates)
        assert len(reply.body) <= limit
        return [f"k{n}/" for n in range(6) if str(n) * 300 in reply.body.decode()]

    assert left(full) == ["k0/", "k1/", "k3/", "k4/", "k5/"]
    assert left(full - 1) == ["k0/", "k1/", "k3/", "k4/"]
    assert left(full - 700) == ["k0/", "k1/"]
    assert left(500) == []
    with pytest.raises(Refusal) as caught:
        replier(limits={"response_bytes": 60}).result(head, None, "p.2", updates=updates)
    assert caught.value.body.code == "response_too_large"


@pytest.mark.parametrize("head", [PLAIN, OURS], ids=["plain", "ours"])
def test_server_refuses_a_result_that_does_not_fit(head: RequestHead) -> None:
    """A result that is too long alone names the limit; one that fits exactly is sent."""
    size = len(replier().result(head, "x" * 500, "p.1").body)
    assert replier(limits={"response_bytes": size}).result(head, "x" * 500, "p.1").status == 200
    with pytest.raises(Refusal) as caught:
        replier(limits={"response_bytes": size - 1}).result(head, "x" * 500, "p.1")
    assert caught.value.body.code == "response_too_large"
    assert caught.value.body.limit == "response_bytes"


def test_server_refuses_a_result_that_unfolds_without_end_in_plain_json() -> None:
    """Sharing that plain JSON has to write out is too long, not a waste of memory."""
    value: list = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(Refusal) as caught:
        replier(limits={"response_bytes": 9000}).result(PLAIN, value, "p.1")
    assert caught.value.body.code == "response_too_large"


def test_server_finds_a_bad_update_behind_one_that_does_not_fit() -> None:
    """Length and form are judged apart."""
    updates = [
        messages.SetValue("a/", "x" * 2000, "p.1"),
        messages.SetValue("b/", cycle(), "p.1"),
    ]
    made = replier(limits={"response_bytes": 700})
    body = made.result(PLAIN, None, "p.2", updates=updates).body
    assert b'{"op":"invalidate","key":"a/"}' in body
    assert b'"key":"b/"' in body


def test_server_sends_the_updates_of_an_error_unless_they_do_not_fit() -> None:
    """What is stale may be said shortly."""
    updates = [messages.InvalidateKey(f"k{n}/") for n in range(40)]
    error = error_body(ErrorCode.UNENCODABLE_RESULT)
    assert replier().error(PLAIN, error, updates=updates).body.count(b"invalidate") == 40
    body = replier(limits={"response_bytes": 500}).error(PLAIN, error, updates=updates).body
    assert body.endswith(b'"updates":[{"op":"invalidate","all":true}]}')


def test_server_drops_what_a_hook_added_if_it_cannot_be_sent() -> None:
    """A hook's members cannot keep an error from its client."""
    error = messages.ErrorBody(status=500, code="internal", message="m", extra={"a": object()})
    body = replier().error(PLAIN, error).body
    assert body == b'{"type":"error","error":{"status":500,"code":"internal","message":"m"}}'


class Money:
    """An application's own type."""


def test_server_sends_extensions_to_clients_that_name_them() -> None:
    """Any other client gets the plain projection."""
    extensions = Extensions()
    extensions.register(
        "app.Money",
        Money,
        encode=lambda money: "10",
        decode=lambda value: Money(),
        plain=lambda money: "ten",
    )
    made = replier(extensions=extensions)
    knowing = RequestHead("GET", "f", b"payload=", [(b"wireflight-accept", b"x, app.Money ,,")])
    assert made.document(knowing, Money()).body == b'[["app.Money",1],"10"]'
    for head in (OURS, RequestHead("GET", "f", b"payload=", [(b"wireflight-accept", b"app")])):
        assert made.document(head, Money()).body == b'["ten"]'
    assert made.document(PLAIN, Money()).body == b'"ten"'


@pytest.mark.parametrize(
    ("location", "is_allowed"),
    [
        ("/", True),
        ("/a?b=c#d", True),
        ("/a//b", True),
        ("", False),
        ("a", False),
        ("//evil.example", False),
        ("/\\evil.example", False),
        ("/a\\b", False),
        ("/a b", False),
        ("/a\n", False),
        ("/ä", False),
        ("javascript:alert(1)", False),
        ("https://go.example", True),
        ("https://go.example/a?b", True),
        ("https://go.example/a\n", False),
        ("https://go.example:8443/", False),
        ("https://other.example/", False),
        ("https://go.example@evil.example/", False),
        ("https://GO.example/", False),
        ("http://go.example/", False),
    ],
)
def test_server_judges_locations(location: str, is_allowed: bool) -> None:
    """A redirect leads to a path of this origin or to a listed one."""
    known = settings(redirect_origins=["https://go.example"])
    assert is_location_allowed(location, known) == is_allowed


def test_stamps_grow_and_name_their_process() -> None:
    """Stamps of one process compare as texts in the order in which they were taken."""
    stamps = Stamps("a" * 12)
    taken = [stamps.take() for _ in range(300)]
    assert taken[0] == "aaaaaaaaaaaa.0000000000000001"
    assert sorted(set(taken)) == taken
    for name in ("", "A" * 12, "a" * 11, "a" * 13, "a" * 12 + "\n"):
        with pytest.raises(ValueError, match="12 lower-case"):
            Stamps(name)


def test_manifest_describes_the_server() -> None:
    """Functions stand in it only where the application says so."""
    document = manifest(settings(limits={"depth": 7}))
    assert document["type"] == "manifest"
    assert document["versions"] == [1]
    assert document["capabilities"] == []
    assert list(document["limits"]) == list(LIMIT_NAMES)
    assert document["limits"]["depth"] == 7
    assert "build" not in document
    assert "functions" not in document


def test_manifest_lists_functions_where_the_application_says_so() -> None:
    """Each has its kind, its contract and the schemas of its types."""
    group = Functions()

    @group.query
    def read(n: int) -> str:
        raise NotImplementedError

    @group.command(id="deep/write")
    def write():
        raise NotImplementedError

    registry = Registry(group.functions())
    known = Settings(registry, limits=Limits(), build="b", exposes_functions=True)
    document = manifest(known)
    assert document["build"] == "b"
    assert document["functions"] == [
        {
            "id": "read",
            "kind": "query",
            "contract": registry.find("read").contract,
            "argument": {"type": "integer"},
            "result": {"type": "string"},
        },
        {
            "id": "deep/write",
            "kind": "command",
            "contract": registry.find("deep/write").contract,
        },
    ]
