"""The inputs of `fuzz.py`: valid requests, their mutations, and random ones."""

import base64
import random
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote


class Request(NamedTuple):
    """A request as ASGI hands it over."""

    method: bytes
    path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


TABLES = [
    "-1",
    "-6",
    "[null]",
    '["hello"]',
    '[{"a":1,"b":2},1,-4]',
    (
        '[[1,2,3,4,-1],["Date","2026-01-02T03:04:05.678Z"],["BigInt","12345678901234567890"],'
        '["ArrayBuffer","AQI="],["Set",5],"x"]'
    ),
    '[["Map",1,2,3,4],"k",[5],null,true,1.5]',
    '[["null","a",1],"b"]',
    '[[1,1,1],[2,2,2],[3,3,3],{"x":4},-3]',
    (
        '[{"name":1,"count":2,"when":3,"data":4,"tags":5,"inner":7},"n",7,'
        '["Date","2026-01-02T03:04:05.678Z"],["ArrayBuffer","AQI="],["Set",6],"t",{"name":1}]'
    ),
]
PLAIN = [
    "null",
    "1",
    '"hello"',
    "[1,2,[3,{}]]",
    '{"name":"n","count":7,"inner":{"name":"m"}}',
    '{"a":1,"b":2}',
    '{"a":[1,2],"b":{"x":{"name":"n"}}}',
]
TOKENS = [
    *(
        b"-0",
        b"-1",
        b"-2",
        b"1e400",
        b"NaN",
        b"0.5",
        b"99999999999999999999",
        b"null",
        b'"\\ud800"',
    ),
    *(b'"__proto__"', b'["BigInt","1"]', b'["Date","x"]', b'["Map",0,0]', b'["Set",0]', b"[0]"),
    *(
        b"\xff",
        b"\xef\xbb\xbf",
        b"\x00",
        b"%",
        b"%2F",
        b"%zz",
        b"..",
        b"//",
        b"~",
        b"+",
        b"=",
        b"&",
    ),
    *(b"&", b",", b"[", b"]", b"{", b"}", b'"', b":", b" ", b"\r\n", b"\xc3\xa9", b"\xed\xa0\x80"),
]
FIELDS = [
    *((b"host", b"evil.example"), (b"host", b"localhost:1"), (b"origin", b"null")),
    *((b"origin", b"https://allowed.example"), (b"origin", b"https://evil.example")),
    *((b"sec-fetch-site", b"cross-site"), (b"sec-fetch-site", b"same-site")),
    *(
        (b"wireflight-version", b"2"),
        (b"wireflight-version", b"01"),
        (b"wireflight-contract", b"x"),
    ),
    *((b"content-type", b"text/plain"), (b"content-type", b"application/json; charset=latin-1")),
    *((b"content-type", b"multipart/form-data; boundary=x"), (b"content-type", b"application/")),
    *((b"content-encoding", b"gzip"), (b"content-length", b"600000"), (b"content-length", b"x")),
    *((b"accept", b"*/*;q=x"), (b"accept", b"application/wireflight+json;q=0.1, application/json")),
    *((b"wireflight-accept", b"fuzz.Money,, ,patch"), (b"wireflight-page", b"/\xff")),
    *((b"cookie", b"session=a; session=b; ;=;x"), (b"x-long", b"y" * 20_000)),
]


def base64url(text: bytes) -> bytes:
    """Return a payload of any bytes."""
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def valid_requests() -> list[Request]:
    """Return requests that the server understands, for every function and encoding."""
    host = ((b"host", b"localhost"), (b"accept-language", b"en"))
    wire = (*host, (b"content-type", b"application/wireflight+json"))
    plain = (*host, (b"content-type", b"application/json"))
    made = [Request(b"GET", b"/rpc/~manifest", b"", host, b"")]
    for prefix in (b"", b"deep/er/"):
        for name in (b"echo", b"none", b"typed", b"pair", b"seen"):
            path = b"/rpc/" + prefix + name
            made.append(Request(b"GET", path, b"", host, b""))
            for table in TABLES:
                payload = base64url(table.encode())
                body = b'[{"payload":1},"' + payload + b'"]'
                made.append(Request(b"GET", path, b"payload=" + payload, host, b""))
                made.append(Request(b"POST", path, b"", wire, body))
            for text in PLAIN:
                argument = b"arg=" + quote(text).encode()
                made.append(Request(b"GET", path, argument, host, b""))
                made.append(Request(b"POST", path, b"", plain, b'{"arg":' + text.encode() + b"}"))
        keys = f'"{prefix.decode()}echo/WzFd","{prefix.decode()}none/","pair/e30","not a key"'
        for name in (b"save", b"store"):
            path = b"/rpc/" + prefix + name
            for text in PLAIN:
                body = b'{"arg":' + text.encode() + b',"refreshes":[' + keys.encode() + b"]}"
                made.append(Request(b"POST", path, b"", plain, body))
            made.append(Request(b"POST", path, b"", wire, b'[{"arg":1},{"name":2},"n"]'))
            made.append(Request(b"POST", path, b"", wire, b'[{"arg":1},{"a":2},[3,3],7]'))
    return made


def mutated(text: bytes, rng: random.Random) -> bytes:
    """Change a text in one to three places."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        end = min(len(text), at + rng.randint(0, 4))
        match rng.randrange(6):
            case 0:
                text = text[:at] + rng.choice(TOKENS) + text[at:]
            case 1:
                text = text[:at] + rng.choice(TOKENS) + text[end:]
            case 2:
                text = text[:at] + text[end:]
            case 3:
                text = text[:at] + bytes([rng.randrange(256)]) + text[at + 1 :]
            case 4:
                text = text[:end] + text[at:]
            case _:
                start = rng.randint(0, len(text))
                text = text[:at] + text[start : start + rng.randint(1, 12)] + text[at:]
    return text


def mutated_request(request: Request, rng: random.Random) -> Request:
    """Change one part of a request, now and then two."""
    for _ in range(1 if rng.random() < 0.7 else 2):
        match rng.randrange(10):
            case 0:
                request = request._replace(path=mutated(request.path, rng))
            case 1:
                methods = (b"GET", b"POST", b"PUT", b"HEAD", b"OPTIONS", b"QUERY", b"x")
                request = request._replace(method=rng.choice(methods))
            case 2 | 3:
                request = request._replace(headers=mutated_headers(request.headers, rng))
            case 4 | 5 if request.query:
                request = request._replace(query=mutated(request.query, rng))
            case 6 | 7 if b"payload" in request.query + request.body:
                request = with_payload(request, rng)
            case _:
                request = request._replace(body=mutated(request.body, rng))
    return request


def with_payload(request: Request, rng: random.Random) -> Request:
    """Give a query a payload whose text, not whose base64url, is mutated."""
    payload = base64url(mutated(rng.choice(TABLES).encode(), rng))
    if request.method == b"GET":
        return request._replace(query=b"payload=" + payload)
    return request._replace(body=b'[{"payload":1},"' + payload + b'"]')


def mutated_headers(
    headers: tuple[tuple[bytes, bytes], ...], rng: random.Random
) -> tuple[tuple[bytes, bytes], ...]:
    """Add, take away, repeat or change a field."""
    fields = list(headers)
    at = rng.randrange(len(fields)) if fields else 0
    match rng.randrange(4):
        case 0 if fields:
            del fields[at]
        case 1 if fields:
            fields.append(fields[at])
        case 2 if fields:
            name, value = fields[at]
            fields[at] = (name, mutated(value, rng))
        case _:
            name, value = rng.choice(FIELDS)
            fields = [field for field in fields if field[0] != name or rng.random() < 0.2]
            fields.append((name, value))
    return tuple(fields)


def random_request(rng: random.Random, valid: Sequence[Request]) -> Request:
    """Make a request of random bytes, for a path that exists or not."""
    paths = [
        rng.choice(valid).path,
        b"/" + rng.randbytes(rng.randrange(12)),
        b"/rpc/" + quote(rng.randbytes(rng.randrange(8))).encode(),
    ]
    size = rng.choice((0, 1, 8, 60, 600))
    types = (b"application/json", b"application/wireflight+json")
    return Request(
        rng.choice((b"GET", b"POST")),
        rng.choices(paths, (8, 1, 1))[0],
        rng.choice((b"", b"payload=" + base64url(rng.randbytes(size)), rng.randbytes(size))),
        ((b"host", b"localhost"), (b"content-type", rng.choice(types))),
        rng.randbytes(size) if rng.random() < 0.9 else b"[" * rng.choice((10, 5000, 600_000)),
    )
