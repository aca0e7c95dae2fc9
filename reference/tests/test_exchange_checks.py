"""The order of checks, and each check that needs no body."""

import itertools

import pytest

from wireflight import Functions, Limits
from wireflight.exchange.checks import STAGES, admit
from wireflight.exchange.codes import Refusal
from wireflight.exchange.head import RequestHead, function_path
from wireflight.exchange.settings import Settings, host_and_port
from wireflight.functions import Registry

JSON = (b"content-type", b"application/json")

group = Functions()


@group.query
def read(n: int = 0) -> int:
    return n


@group.command(id="deep/write")
def write(n: int) -> None:
    raise NotImplementedError


def settings(**options: object) -> Settings:
    options.setdefault("limits", Limits())
    return Settings(Registry(group.functions()), **options)


def refused(
    method: str = "GET",
    path: str | None = "read",
    *headers: tuple[bytes, bytes],
    query: bytes = b"",
    **options: object,
) -> str | None:
    """Return the code with which a request is refused, or None if it is admitted."""
    try:
        admit(RequestHead(method, path, query, headers), settings(**options))
    except Refusal as refusal:
        return refusal.body.code
    return None


FAULTS: dict[str, tuple[str, dict]] = {
    "host": ("forbidden_host", {"host": b"evil.example"}),
    "route": ("unknown_function", {"path": "nothing"}),
    "method": ("method_not_allowed", {"method": "PATCH"}),
    "origin": ("forbidden_origin", {"sec-fetch-site": b"cross-site"}),
    "version": ("unsupported_version", {"wireflight-version": b"9"}),
    "contract": ("contract_mismatch", {"wireflight-contract": b"old"}),
    "media type": ("unsupported_media_type", {"content-type": b"text/plain"}),
    "limits": ("headers_too_large", {"x-filler": b"x" * 20_000}),
}


def refused_for(*faults: str) -> str | None:
    parts: dict = {
        "method": "POST",
        "path": "read",
        "host": b"good.example",
        "sec-fetch-site": b"same-origin",
        "content-type": b"application/json",
    }
    for fault in faults:
        parts |= FAULTS[fault][1]
    method, path = parts.pop("method"), parts.pop("path")
    headers = [(name.encode(), value) for name, value in parts.items()]
    return refused(method, path, *headers, allowed_hosts=["good.example"])


def test_checks_list_the_stages_in_the_order_of_the_protocol() -> None:
    """The table of stages is that of CHK-1 as far as no body is needed."""
    assert list(STAGES) == list(FAULTS)


def test_checks_admit_a_request_without_a_fault() -> None:
    """The request into which the tests put faults has none of its own."""
    assert refused_for() is None


@pytest.mark.parametrize("fault", FAULTS)
def test_checks_refuse_each_fault_with_its_code(fault: str) -> None:
    """One fault is answered with the error of its stage."""
    assert refused_for(fault) == FAULTS[fault][0]


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(FAULTS, 2)))
def test_checks_answer_two_faults_with_the_earlier(first: str, second: str) -> None:
    """Of two faults the error is that of the earlier stage, whatever they are."""
    assert refused_for(second, first) == FAULTS[first][0]


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        (b"a.example", True),
        (b"A.Example:8080", True),
        (b"[::1]:80", True),
        (b"[::1]", True),
        (b"b.example", False),
        (b"a.example.", False),
        (b"a.example@b.example", False),
        (b"a.example:x", False),
        (b"a.example:", False),
        (b"a.example:80x", False),
        (b"[::1]:x", False),
        (b" a.example\t", True),
        (b"::1", False),
        (b"", False),
        (None, False),
    ],
)
def test_server_judges_the_host_without_port_and_case(host: bytes | None, is_allowed: bool) -> None:
    """Only hosts of the list pass, and a request must name one."""
    headers = [] if host is None else [(b"host", host)]
    code = refused("GET", "read", *headers, allowed_hosts=["a.example", "[::1]"])
    assert code == (None if is_allowed else "forbidden_host")


def test_server_rejects_two_hosts() -> None:
    """A request that names two hosts names none."""
    pair = (b"host", b"a.example")
    assert refused("GET", "read", pair, pair, allowed_hosts=["a.example"]) == "forbidden_host"


@pytest.mark.parametrize(
    ("authority", "parts"),
    [
        (b"a", (b"a", b"")),
        (b"a:1", (b"a", b"1")),
        (b"[::1]", (b"[::1]", b"")),
        (b"[::1]:8", (b"[::1]", b"8")),
        (b"a:x", (b"a:x", b"")),
        (b"a:", (b"a:", b"")),
    ],
)
def test_server_splits_authorities(authority: bytes, parts: tuple[bytes, bytes]) -> None:
    """The port of an authority stands after the last colon outside of brackets."""
    assert host_and_port(authority) == parts


@pytest.mark.parametrize(
    ("path", "raw_path", "base", "function"),
    [
        ("/read", b"/read", "", "read"),
        ("/deep/write", b"/deep/write", "", "deep/write"),
        ("/api/read", b"/api/read", "/api", "read"),
        ("/read", None, "", "read"),
        ("/read", b"/%72ead", "", "read"),
        ("/deep/write", b"/deep%2Fwrite", "", None),
        ("/deep/write", b"/deep%2fwrite", "", None),
        ("/deep/write", b"/deep/writ%65?q=%2F", "", "deep/write"),
        ("/read%", b"/read%", "", None),
        ("/read%zz", b"/read%zz", "", None),
        ("/%72ead", b"/%2572ead", "", "%72ead"),
        ("/api", b"/api", "/api", None),
        ("/apiread", b"/apiread", "/api", None),
        ("/other/read", b"/other/read", "/api", None),
        ("", b"", "", None),
    ],
)
def test_server_takes_the_function_from_the_path(
    path: str, raw_path: bytes | None, base: str, function: str | None
) -> None:
    """What follows the base and a slash names the function, unless a slash was encoded."""
    assert function_path(path, raw_path, base) == function


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "nothing",
        "read/",
        "/read",
        "deep",
        "deep//write",
        "deep/./write",
        "~other",
        "READ",
    ],
)
def test_server_rejects_paths_of_no_function(path: str | None) -> None:
    """Nothing but an id or a name of the protocol is a path."""
    assert refused("GET", path) == "unknown_function"


@pytest.mark.parametrize(
    ("path", "allowed"), [("read", "GET, POST"), ("deep/write", "POST"), ("~manifest", "GET")]
)
@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "QUERY", "TRACE", "get"])
def test_server_rejects_other_methods(path: str, allowed: str, method: str) -> None:
    """Every other method is refused with the list of those that the path has."""
    with pytest.raises(Refusal) as caught:
        admit(RequestHead(method, path, b"", []), settings())
    assert caught.value.body.code == "method_not_allowed"
    assert caught.value.allowed_methods == allowed


def test_server_rejects_a_command_by_get_and_the_manifest_by_post() -> None:
    """The methods of a path are its own."""
    assert refused("GET", "deep/write") == "method_not_allowed"
    assert refused("POST", "~manifest", JSON) == "method_not_allowed"


HOST = (b"host", b"app.example:8000")
ALLOWED = b"https://allowed.example"


@pytest.mark.parametrize(
    ("site", "origin", "is_allowed"),
    [
        (b"same-origin", None, True),
        (b"none", None, True),
        (b"same-origin", b"https://evil.example", True),
        (b"same-site", None, False),
        (b"cross-site", None, False),
        (b"cross-site", b"https://app.example:8000", False),
        (b"cross-site", ALLOWED, True),
        (b"cross-site", b"\t" + ALLOWED + b" ", True),
        (b" same-origin ", None, True),
        (b"cross-site ", None, False),
        (b"something", None, False),
        (b"", None, False),
        (None, b"https://app.example:8000", True),
        (None, b"http://APP.example:8000", True),
        (None, b"https://app.example", False),
        (None, b"https://sub.app.example:8000", False),
        (None, b"https://evil.example", False),
        (None, b"null", False),
        (None, b"", False),
        (None, b"app.example:8000", False),
        (None, ALLOWED, True),
        (None, b"http://allowed.example", False),
        (None, None, True),
    ],
)
def test_server_judges_the_origin_of_a_post(
    site: bytes | None, origin: bytes | None, is_allowed: bool
) -> None:
    """Fetch metadata decides; without it Origin against Host; without both the media type."""
    headers = [HOST, JSON]
    headers += [] if site is None else [(b"sec-fetch-site", site)]
    headers += [] if origin is None else [(b"origin", origin)]
    code = refused("POST", "read", *headers, allowed_origins=["https://allowed.example"])
    assert code == (None if is_allowed else "forbidden_origin")


@pytest.mark.parametrize(
    ("origin", "authority", "is_allowed"),
    [
        (b"https://app.example", "app.example:443", True),
        (b"https://app.example:443", "app.example", True),
        (b"http://app.example", "app.example:80", True),
        (b"https://app.example:80", "app.example", True),
        (b"https://app.example:8443", "app.example", False),
        (b"https://app.example:8000", "app.example", False),
    ],
)
def test_server_compares_origins_without_default_ports(
    origin: bytes, authority: str, is_allowed: bool
) -> None:
    """The configured authority takes the place of Host, and default ports are as none."""
    headers = [HOST, JSON, (b"origin", origin)]
    code = refused("POST", "read", *headers, authority=authority)
    assert code == (None if is_allowed else "forbidden_origin")


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ([(b"content-type", b"Application/JSON; charset=UTF-8")], None),
        (
            [(b"content-type", b"text/plain"), (b"wireflight-version", b"1")],
            "unsupported_media_type",
        ),
        ([(b"content-type", b"text/plain")], "forbidden_origin"),
        ([(b"content-type", b"application/json;charset=x")], "unsupported_media_type"),
        (
            [(b"content-type", b"application/json;charset=utf-8;charset=utf-8")],
            "unsupported_media_type",
        ),
        ([(b"content-type", b"application/json;x")], "unsupported_media_type"),
        ([(b"content-type", b" application/json;x=1;x=2 ")], None),
        ([(b"content-type", b"text/plain;x=application/json")], "forbidden_origin"),
        ([(b"content-type", b"application/json/")], "forbidden_origin"),
        ([JSON, JSON], "forbidden_origin"),
        ([], "forbidden_origin"),
        ([JSON, (b"origin", b"null"), (b"origin", b"null")], "forbidden_origin"),
        ([JSON, (b"sec-fetch-site", b"none"), (b"sec-fetch-site", b"none")], "forbidden_origin"),
    ],
)
def test_server_judges_a_post_of_no_browser(
    headers: list[tuple[bytes, bytes]], code: str | None
) -> None:
    """Without Origin and fetch metadata something must stand there that pages cannot send."""
    assert refused("POST", "read", *headers) == code


@pytest.mark.parametrize(
    ("site", "origin", "is_allowed"),
    [
        (None, None, True),
        (None, b"https://evil.example", True),
        (b"same-origin", None, True),
        (b"none", None, True),
        (b"cross-site", None, False),
        (b"same-site", None, False),
        (b"cross-site", ALLOWED, True),
        (b"cross-site", b"https://evil.example", False),
        (b"cross-site ", None, False),
        (b"\tsame-site", None, False),
        (b"cross-site\t", ALLOWED + b" ", True),
    ],
)
def test_server_judges_the_origin_of_a_get(
    site: bytes | None, origin: bytes | None, is_allowed: bool
) -> None:
    """A GET from another site is refused unless its origin is on the list."""
    headers = [] if site is None else [(b"sec-fetch-site", site)]
    headers += [] if origin is None else [(b"origin", origin)]
    code = refused("GET", "read", *headers, allowed_origins=["https://allowed.example"])
    assert code == (None if is_allowed else "forbidden_origin")


@pytest.mark.parametrize("version", [b"2", b"01", b"1.0", b"", b"x", b"1, 1", b"1;q=1"])
def test_server_rejects_other_versions_and_lists_its_own(version: bytes) -> None:
    """A version that is none of the server's is answered with those."""
    with pytest.raises(Refusal) as caught:
        admit(RequestHead("GET", "read", b"", [(b"wireflight-version", version)]), settings())
    assert caught.value.body.code == "unsupported_version"
    assert caught.value.body.supported == (1,)


def test_server_rejects_the_version_field_twice() -> None:
    """Two fields are refused, also where they say the same."""
    field = (b"wireflight-version", b"1")
    assert refused("GET", "read", field) is None
    assert refused("GET", "read", (b"wireflight-version", b" 1\t")) is None
    assert refused("GET", "read", field, field) == "unsupported_version"


def test_server_compares_every_contract_field() -> None:
    """One contract that is another than the function's refuses the request."""
    contract = settings().registry.find("read").contract.encode()
    own, other = (b"wireflight-contract", contract), (b"wireflight-contract", b"x")
    assert refused("GET", "read", own) is None
    assert refused("GET", "read", own, own) is None
    assert refused("GET", "read", own, other) == "contract_mismatch"
    assert refused("GET", "~manifest", other) is None


@pytest.mark.parametrize(
    ("headers", "is_accepted"),
    [
        ([JSON], True),
        ([(b"content-type", b"application/wireflight+json")], True),
        ([(b"content-type", b' application/JSON ; charset="utf-8"; x=y ')], True),
        ([(b"content-type", b"application/json; charset=latin-1")], False),
        ([(b"content-type", b"application/json; charset=utf-8; charset=utf-8")], False),
        ([(b"content-type", b"text/json")], False),
        ([(b"content-type", b"application/json, application/json")], False),
        ([(b"content-type", b"")], False),
        ([], False),
        ([JSON, JSON], False),
        ([JSON, (b"content-encoding", b"identity")], True),
        ([JSON, (b"content-encoding", b"Identity")], True),
        ([JSON, (b"content-encoding", b" identity ")], True),
        ([JSON, (b"content-encoding", b"identity, identity")], False),
        ([JSON, (b"content-encoding", b"identity"), (b"content-encoding", b"identity")], False),
        ([JSON, (b"content-encoding", b"gzip")], False),
        ([JSON, (b"content-encoding", b"")], False),
    ],
)
def test_server_judges_the_media_type_of_a_body(
    headers: list[tuple[bytes, bytes]], is_accepted: bool
) -> None:
    """Two types pass, once, in UTF-8 and without a coding."""
    site = (b"sec-fetch-site", b"none")
    code = refused("POST", "deep/write", site, *headers)
    assert code == (None if is_accepted else "unsupported_media_type")


def test_server_ignores_the_media_type_of_a_get() -> None:
    """A GET has no body that could be of a wrong type."""
    headers = [(b"content-type", b"text/plain"), (b"content-encoding", b"gzip")]
    assert refused("GET", "read", *headers) is None


def test_server_accepts_heads_at_their_limits_and_rejects_longer_ones() -> None:
    """Each limit of the head admits what is exactly at it."""
    limits = Limits(header_bytes=100, get_payload_chars=10, body_bytes=1000)
    filler = [(b"x" * 40, b"y" * 60)]
    assert refused("GET", "read", *filler, limits=limits) is None
    assert refused("GET", "read", *filler, (b"z", b""), limits=limits) == "headers_too_large"
    for name in (b"payload", b"arg"):
        fits, long = name + b"=" + b"a" * 10, name + b"=" + b"a" * 11
        assert refused("GET", "read", query=fits, limits=limits) is None
        assert refused("GET", "read", query=long, limits=limits) == "payload_too_long"
        assert refused("GET", "read", query=name + b"=" + b"%41" * 10, limits=limits) is None
        assert refused("GET", "~manifest", query=long, limits=limits) is None
        assert refused("POST", "read", JSON, query=long, limits=limits) is None
    umlauts = b"arg=" + "ä".encode() * 10
    assert refused("GET", "read", query=umlauts, limits=limits) is None
    assert refused("POST", "read", JSON, (b"content-length", b"1000"), limits=limits) is None
    for length in (b"1001", b"9" * 5000, b"0001001"):
        code = refused("POST", "read", JSON, (b"content-length", length), limits=limits)
        assert code == ("body_too_large" if len(length) < 100 else "headers_too_large")
    for length in (b"-1", b"+5", b"1e9", b""):
        assert refused("POST", "read", JSON, (b"content-length", length), limits=limits) is None


def test_server_takes_no_field_with_the_white_space_around_it() -> None:
    """Whatever reads a field, the space around its value is none of it, nor of its length."""
    head = RequestHead("GET", "read", b"", [(b"wireflight-page", b" /a b\t"), (b"x", b" \t")])
    assert head.fields == {b"wireflight-page": b"/a b", b"x": b""}
    assert head.raw_headers == [(b"wireflight-page", b"/a b"), (b"x", b"")]
    assert head.header_bytes == len(b"wireflight-page/a bx")
    padded = (b"content-length", b" 1001 ")
    limits = Limits(body_bytes=1000)
    assert refused("POST", "read", JSON, padded, limits=limits) == "body_too_large"


def test_server_answers_preflights_by_the_list_alone() -> None:
    """OPTIONS leaves the order after the route."""
    odd = (b"wireflight-version", b"9")
    origin = (b"origin", ALLOWED)
    allowed = ["https://allowed.example"]
    assert refused("OPTIONS", "read", odd, origin, allowed_origins=allowed) is None
    assert refused("OPTIONS", "read", origin) == "forbidden_origin"
    assert refused("OPTIONS", "read", allowed_origins=allowed) == "forbidden_origin"
    assert refused("OPTIONS", "nothing", origin, allowed_origins=allowed) == "unknown_function"


@pytest.mark.parametrize(
    "options",
    [
        {"base": "api"},
        {"base": "/api/"},
        {"allowed_origins": ["app.example"]},
        {"allowed_origins": ["https://app.example/"]},
        {"allowed_origins": ["https://user@app.example"]},
        {"redirect_origins": ["https://"]},
        {"build": ""},
        {"build": "a\nb"},
    ],
)
def test_settings_reject_what_has_not_its_form(options: dict) -> None:
    """A configuration that could never match is an error at the start."""
    with pytest.raises(ValueError, match=r"base|origin|build"):
        settings(**options)
