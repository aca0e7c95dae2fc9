"""Media types: the encoding of a request and of its response."""

import pytest

from wireflight.exchange.head import RequestHead
from wireflight.exchange.media import accepted_encoding, body_encoding, media_type

OURS, JSON = b"application/wireflight+json", b"application/json"


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        (b"", None),
        (b"*/*", None),
        (b"application/*", None),
        (b"text/html", None),
        (OURS, "wireflight"),
        (JSON, "plain"),
        (b"Application/JSON", "plain"),
        (JSON + b"," + OURS, "wireflight"),
        (JSON + b", " + OURS + b";q=0.9", "plain"),
        (JSON + b";q=0.5, " + OURS + b"; Q=0.5", "wireflight"),
        (JSON + b";q=0", None),
        (JSON + b";q=0.000, " + OURS + b";q=0.001", "wireflight"),
        (JSON + b";q=0.3, " + OURS + b";q=0.5, " + JSON + b";q=0.8", "plain"),
        (JSON + b";q=1.1", None),
        (JSON + b";q=0.1234", None),
        (JSON + b";q=x", None),
        (JSON + b";q=-1", None),
        (JSON + b";q=", None),
        (JSON + b";q=1.", "plain"),
        (JSON + b";v=2;q=0.4", "plain"),
        (JSON + b';v="a,b;q=0";q=0.4,' + OURS + b";q=0.3", "plain"),
        (JSON + b';v="a\\",' + OURS + b'"', "plain"),
        (b"text/html, " + JSON + b";q=0.1, */*;q=0.8", "plain"),
        (b",, ," + JSON, "plain"),
        (JSON + b";v;=;q=0.4;v=1;v=2," + OURS + b";q=0.3", "plain"),
        (JSON + b";v=a b;q=0.2," + OURS + b";q=0.3", "wireflight"),
        (JSON + b";q=0.5;q=0.5", None),
        (JSON + b";q", None),
        (JSON + b";q =0.5", None),
        (JSON + b';q="0.5"', None),
    ],
)
def test_server_reads_accept(accept: bytes, encoding: str | None) -> None:
    """The type of highest quality wins, ours at a tie, and a malformed quality names nothing."""
    assert accepted_encoding(accept) == encoding


def test_server_reads_a_long_accept_in_one_pass() -> None:
    """A header as long as it may be is read, and what follows the rest still counts."""
    assert accepted_encoding(b"text/html;q=0.5," * 1000 + JSON) == "plain"


@pytest.mark.parametrize(
    ("headers", "query", "encoding"),
    [
        ([], b"", "plain"),
        ([], b"payload=", "wireflight"),
        ([], b"x=1&payload", "wireflight"),
        ([], b"p%61yload=1", "wireflight"),
        ([], b"arg=1", "plain"),
        ([(b"content-type", OURS)], b"", "wireflight"),
        ([(b"content-type", b"Application/Wireflight+JSON;x=1")], b"", "wireflight"),
        ([(b"content-type", JSON)], b"", "plain"),
        ([(b"content-type", JSON), (b"content-type", OURS)], b"", "wireflight"),
        ([(b"accept", JSON), (b"content-type", OURS)], b"payload=", "plain"),
        ([(b"accept", b"*/*"), (b"content-type", OURS)], b"", "wireflight"),
        ([(b"accept", b"text/html"), (b"accept", OURS)], b"arg=1", "wireflight"),
    ],
)
def test_server_chooses_the_encoding_of_a_response(
    headers: list[tuple[bytes, bytes]], query: bytes, encoding: str
) -> None:
    """Accept decides, then what the request itself is written in, then plain JSON."""
    assert RequestHead("GET", "read", query, headers).encoding == encoding


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b"text/plain", b"text/plain"),
        (b" Text/Plain ; a=b", b"text/plain"),
        (b'text/plain;a="b;c"', b"text/plain"),
        (b"text/plain;", b"text/plain"),
        (b"text", None),
        (b"/plain", None),
        (b"text/", None),
        (b"te xt/plain", None),
        (b"text/plain;a", None),
        (b"text/plain;a=", None),
        (b'text/plain;a="b', None),
        (b"text/plain;a=b;A=c", b"text/plain"),
        (b"text/plain, text/html", None),
    ],
)
def test_server_reads_a_media_type(field: bytes, name: bytes | None) -> None:
    """A field that is not well-formed names no type."""
    assert media_type(field) == name


@pytest.mark.parametrize(
    ("field", "encoding"),
    [
        (OURS, "wireflight"),
        (JSON, "plain"),
        (JSON + b"; charset=utf-8", "plain"),
        (JSON + b'; charset="UTF-8"', "plain"),
        (JSON + b"; charset=utf8", None),
        (JSON + b"; charset=utf-8; Charset=utf-8", None),
        (JSON + b"; x=1; x=2", "plain"),
        (JSON + b"; profile=x", "plain"),
        (b"application/problem+json", None),
    ],
)
def test_server_reads_the_encoding_of_a_body(field: bytes, encoding: str | None) -> None:
    """The charset, where it stands, is UTF-8."""
    assert body_encoding(field) == encoding
