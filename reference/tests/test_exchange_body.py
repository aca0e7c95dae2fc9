"""Bodies and query components as calls."""

import json

import pytest
from msgspec import UNSET

from wireflight import BigInt, Functions, Limits, dumps, payload
from wireflight.exchange.body import BodyReader, read_call
from wireflight.exchange.checks import admit
from wireflight.exchange.codes import Refusal
from wireflight.exchange.head import RequestHead
from wireflight.exchange.settings import Settings
from wireflight.functions import Registry
from wireflight.functions.updates import RefusalReason

group = Functions()


@group.query
def read(n):
    raise NotImplementedError


@group.command
def write(n):
    raise NotImplementedError


def settings(**limits: int) -> Settings:
    return Settings(Registry(group.functions()), limits=Limits(**limits))


def call(path: str, body: bytes | None, *, query: bytes = b"", ours: bool = False, **limits: int):
    headers = []
    if body is not None:
        media = b"application/wireflight+json" if ours else b"application/json"
        headers = [(b"content-type", media)]
    head = RequestHead("GET" if body is None else "POST", path, query, headers)
    its_settings = settings(**limits)
    admit(head, its_settings)
    return read_call(head, head.entry, body, its_settings)


def code(*args, **kwargs) -> str:
    with pytest.raises(Refusal) as caught:
        call(*args, **kwargs)
    return caught.value.body.code


def test_server_reads_queries_by_get() -> None:
    """A payload and a plain argument are the same argument; neither is undefined."""
    assert call("read", None).argument is UNSET
    assert call("read", None, query=b"payload=").argument is UNSET
    taken = call("read", None, query=b"payload=WyJoaSJd")
    assert (taken.argument, taken.key) == ("hi", "read/WyJoaSJd")
    assert call("read", None, query=b"other=1&payload=WyJoaSJd&x").argument == "hi"
    assert call("read", None, query=b"p%61yload=Wy%4AoaSJd").argument == "hi"
    assert call("read", None, query=b"arg=%22h%69%22").argument == "hi"
    assert call("read", None, query=b"arg=%22a+b%22").argument == "a b"
    assert call("read", None, query=b"arg=null").argument is None


def test_server_remembers_short_scalar_arguments_and_not_too_many() -> None:
    """What a payload decodes to is the same each time; what can change is decoded anew."""
    its_settings = settings()

    def argument(value: object) -> object:
        head = RequestHead("GET", "read", b"payload=" + payload(value).encode(), [])
        admit(head, its_settings)
        return read_call(head, head.entry, None, its_settings).argument

    for value in (1, True, "a", 1.5, None, [1], {"a": 1}, BigInt(1), "x" * 100):
        for _ in range(2):
            assert argument(value) == value
            assert type(argument(value)) is type(value)
    assert argument([1]) is not argument([1])
    assert set(its_settings.arguments) == {payload(value) for value in (1, True, "a", 1.5)}
    for number in range(3000):
        assert argument(number) == number
    assert len(its_settings.arguments) <= 1024


def test_server_puts_plain_arguments_of_queries_into_normal_form() -> None:
    """Members are sorted and minus zero is zero, as in the payload of the same argument."""
    query = b'arg={"b":[-0.0],"10":1,"9":2,"a":3}'
    argument = call("read", None, query=query).argument
    assert list(argument) == ["9", "10", "a", "b"]
    assert str(argument["b"][0]) == "0"
    assert str(call("read", None, query=b"arg=-0.0").argument) == "0"
    assert list(call("read", b'{"arg":{"b":1,"a":2}}').argument) == ["a", "b"]
    assert list(call("write", b'{"arg":{"b":1,"a":2}}').argument) == ["b", "a"]


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        (b"payload=&payload=", "invalid_request"),
        (b"arg=1&arg=1", "invalid_request"),
        (b"payload=&arg=1", "invalid_request"),
        (b"payload=%zz", "invalid_payload"),
        (b"arg=%2", "invalid_payload"),
        (b"payload=WyJoaSJ", "invalid_payload"),
        (b"payload=WyJoaSJe", "invalid_payload"),
        (b"payload=Wy+oaSJd", "invalid_payload"),
        (b"payload=\xff", "invalid_payload"),
        (b"payload=LTE", "non_canonical"),
        (b"payload=WyAiaGkiXQ", "non_canonical"),
        (b"arg=", "invalid_payload"),
        (b"arg=%FF", "invalid_payload"),
        (b"arg={", "invalid_payload"),
        (b"arg=" + b"[" * 70 + b"]" * 70, "too_deep"),
    ],
)
def test_server_rejects_query_components(query: bytes, refusal: str) -> None:
    """What is not one argument in its one spelling is refused."""
    assert code("read", None, query=query) == refusal


def test_server_reads_queries_by_post() -> None:
    """The body holds the payload, and in plain JSON either that or the argument."""
    assert call("read", b"{}").argument is UNSET
    assert call("read", b'{"arg":1,"other":[[]]}').argument == 1
    taken = call("read", b'{"payload":"WyJoaSJd"}')
    assert (taken.argument, taken.key) == ("hi", "read/WyJoaSJd")
    taken = call("read", dumps({"payload": "WyJoaSJd", "more": None}).encode(), ours=True)
    assert (taken.argument, taken.key) == ("hi", "read/WyJoaSJd")
    assert call("read", dumps({"payload": UNSET, "arg": UNSET}).encode(), ours=True).key is None


@pytest.mark.parametrize(
    ("body", "ours", "refusal"),
    [
        (b"", False, "invalid_payload"),
        (b"", True, "invalid_payload"),
        (b"[]", False, "invalid_request"),
        (b"1", False, "invalid_request"),
        (b"[1]", True, "invalid_request"),
        (b"-1", True, "invalid_request"),
        (b'{"payload":1}', False, "invalid_request"),
        (b'{"payload":null}', False, "invalid_request"),
        (b'{"payload":"","arg":1}', False, "invalid_request"),
        (b'[{"arg":1},1]', True, "invalid_request"),
        (b'{"payload":"LTE"}', False, "non_canonical"),
        (b'{"payload":"?"}', False, "invalid_payload"),
        (b'{"arg":1,"arg":1}', False, "invalid_payload"),
        (b"\xef\xbb\xbf{}", False, "invalid_payload"),
    ],
)
def test_server_rejects_bodies_of_queries(body: bytes, ours: bool, refusal: str) -> None:
    """A body that is not a text is invalid_payload, one with other members invalid_request."""
    assert code("read", body, ours=ours) == refusal


@pytest.mark.parametrize("path", ["read", "write"])
@pytest.mark.parametrize("query", [b"payload=", b"arg=1", b"a&arg"])
def test_server_rejects_arguments_in_the_url_of_a_post(path: str, query: bytes) -> None:
    """A POST has its argument in the body."""
    assert code(path, b"{}", query=query) == "invalid_request"
    assert call(path, b"{}", query=b"other=1").argument is UNSET


def test_server_reads_commands() -> None:
    """Requested keys are taken once each, in the client's order."""
    taken = call("write", b'{"arg":[1],"refreshes":["read/","x","read/","read/LTE"]}')
    assert taken.argument == [1]
    assert [asked.key for asked in taken.requested] == ["read/", "x", "read/LTE"]
    assert call("write", b"{}").requested == []
    assert call("write", dumps({"arg": UNSET}).encode(), ours=True).argument is UNSET


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"[]", "invalid_request"),
        (b'{"payload":""}', "invalid_request"),
        (b'{"refreshes":null}', "invalid_request"),
        (b'{"refreshes":"read/"}', "invalid_request"),
        (b'{"refreshes":{"0":"read/"}}', "invalid_request"),
        (b'{"refreshes":["read/",1]}', "invalid_request"),
    ],
)
def test_server_rejects_bodies_of_commands(body: bytes, refusal: str) -> None:
    """The members of a command are `arg` and `refreshes`."""
    assert code("write", body) == refusal


def test_server_counts_different_requested_keys() -> None:
    """Sixty-four different keys are accepted, one more is not, and repeats do not count."""
    keys = [f'"read/{n}"' for n in range(65)]
    fits = ",".join([*keys[:64], *keys[:64]])
    assert len(call("write", f'{{"refreshes":[{fits}]}}'.encode()).requested) == 64
    with pytest.raises(Refusal) as caught:
        call("write", f'{{"refreshes":[{",".join(keys)}]}}'.encode())
    assert (caught.value.body.code, caught.value.body.limit) == ("too_large", "refresh_keys")


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", RefusalReason.INVALID_KEY),
        ("read", RefusalReason.INVALID_KEY),
        ("read/!", RefusalReason.INVALID_KEY),
        ("/", RefusalReason.INVALID_KEY),
        ("~manifest/", RefusalReason.INVALID_KEY),
        ("nothing/", RefusalReason.UNKNOWN_FUNCTION),
        ("nothing/!", RefusalReason.INVALID_KEY),
        ("write/", RefusalReason.NOT_REFRESHABLE),
        ("write/LTE", RefusalReason.NOT_REFRESHABLE),
        ("read/LTE", RefusalReason.NON_CANONICAL),
        ("read/A", RefusalReason.INVALID_PAYLOAD),
        ("read/" + payload("x"), None),
        ("read/", None),
    ],
)
def test_server_judges_requested_keys(key: str, reason: RefusalReason | None) -> None:
    """Form, function, kind and payload are judged in this order before any handler runs."""
    (asked,) = call("write", f'{{"refreshes":["{key}"]}}'.encode()).requested
    assert (asked.key, asked.refusal) == (key, reason)


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_server_counts_the_structure_of_an_argument_from_its_root() -> None:
    """What is exactly at a limit passes in each encoding, and one more does not."""
    for path in ("read", "write"):
        assert call(path, b'{"arg":' + nested(64) + b"}").argument is not None
        assert code(path, b'{"arg":' + nested(65) + b"}") == "too_deep"
        assert code(path, b'{"arg":' + nested(500) + b"}") == "too_deep"
    value: list = []
    for _ in range(63):
        value = [value]
    assert call("write", dumps({"arg": value}).encode(), ours=True).argument == value
    assert code("write", dumps({"arg": [value]}).encode(), ours=True) == "too_deep"
    assert code("write", b"[" + nested(2000)[1:], ours=True) == "invalid_payload"


@pytest.mark.parametrize("ours", [False, True])
def test_server_counts_members_and_nodes_of_an_argument(ours: bool) -> None:
    """The limits of containers are the argument's own, whatever stands beside it."""

    def body(argument: object, keys: int = 0) -> bytes:
        document = {"arg": argument, "refreshes": ["read/"] * keys}
        if ours:
            return dumps(document).encode()
        return json.dumps(document).encode()

    small = {"container_members": 5, "expanded_nodes": 12}
    assert call("write", body([0] * 5, keys=20), ours=ours, **small).argument == [0] * 5
    assert code("write", body([0] * 6), ours=ours, **small) == "too_large"
    assert code("write", body({str(n): n for n in range(6)}), ours=ours, **small) == "too_large"
    call("write", body([[0] * 4, [0] * 5]), ours=ours, **small)
    assert code("write", body([[0] * 5, [0] * 5]), ours=ours, **small) == "too_large"


def test_server_counts_maps_and_sets_of_an_argument() -> None:
    """Keys, values and items are nodes."""
    maps = dumps({"arg": {1: [], 2: []}}).encode()
    sets = dumps({"arg": {1, 2, 3}}).encode()
    assert call("write", maps, ours=True, expanded_nodes=5).argument is not None
    assert code("write", maps, ours=True, expanded_nodes=4) == "too_large"
    assert call("write", sets, ours=True, container_members=3).argument is not None
    assert code("write", sets, ours=True, container_members=2) == "too_large"


def test_server_counts_a_shared_container_wherever_it_occurs() -> None:
    """A small table that unfolds to a huge value is refused in no time."""
    table = b'[{"arg":1},' + b",".join(b"[%d,%d]" % (n, n) for n in range(2, 40)) + b",[]]"
    assert code("write", table, ours=True) == "too_large"


def test_body_reader_accepts_its_limit_and_rejects_one_byte_more() -> None:
    """Bytes are counted over all pieces, however the body is cut."""
    reader = BodyReader(settings(body_bytes=6))
    for piece in (b"ab", b"", b"cdef"):
        reader.feed(piece)
    assert reader.text() == b"abcdef"
    with pytest.raises(Refusal) as caught:
        reader.feed(b"g")
    assert (caught.value.body.code, caught.value.body.limit) == ("body_too_large", "body_bytes")
    assert BodyReader(settings()).text() == b""
