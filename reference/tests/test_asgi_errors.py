"""Every error over ASGI: its code and status, and nothing in it that should not leave."""

import json
import logging
from datetime import UTC, datetime, timedelta, timezone

import anyio
import pytest

from wireflight import (
    ApplicationError,
    ErrorText,
    Limits,
    ValidationError,
    Wireflight,
    dumps,
    error,
    get_request_event,
    invalidate,
    invalidate_all,
    payload,
    redirect,
    requested,
    reset,
)
from wireflight.exchange.codes import ErrorCode
from wireflight.issues import make_issue

JSON = ("content-type", "application/json")
SECRET = "SENTINEL-SECRET"


def scripted(**options: object) -> Wireflight:
    """Make a server that reaches every error."""
    options.setdefault(
        "limits",
        Limits(handler_ms=30, refresh_phase_ms=30, body_idle_ms=30, body_total_ms=60, depth=3,
               body_bytes=500, response_bytes=2000, header_bytes=400, get_payload_chars=50),
    )  # fmt: skip
    app = Wireflight(allowed_hosts=["a.example"], **options)

    @app.query
    async def do(what: str = "") -> object:
        if what == "crash":
            raise ValueError(SECRET)
        if what == "redirect":
            redirect("//" + SECRET)
        if what == "cookie":
            get_request_event().cookies.set("a", "b")
        if what == "hidden cookie":
            try:
                get_request_event().cookies.set("a", "b")
            except Exception:  # noqa: BLE001 - a handler that hides it is the case
                return None
        if what == "sleep":
            await anyio.sleep_forever()
        if what == "odd":
            return object()
        return "x" * 3000 if what == "large" else what

    @app.command
    async def act(what: str = "") -> object:
        do().refresh()
        do("sleep").invalidate()
        invalidate(do)
        get_request_event().cookies.set("a", "b")
        if what == "redirect":
            redirect("/")
        if what == "refuse":
            error(402, "pay", code="app.pay")
        return await do(what)

    return app


REQUESTS: dict[str, tuple] = {
    "invalid_request": ("POST", "/do", b"[]", {}),
    "unsupported_version": ("GET", "/do", b"", {"wireflight-version": "2"}),
    "invalid_payload": ("POST", "/do", b"{", {}),
    "non_canonical": ("POST", "/do", b'{"payload":"LTE"}', {}),
    "too_deep": ("POST", "/do", b'{"arg":[[[[]]]]}', {}),
    "too_large": ("POST", "/act", json.dumps({"refreshes": [*map(str, range(65))]}).encode(), {}),
    "invalid_argument": ("POST", "/do", b'{"arg":1}', {}),
    "forbidden_host": ("GET", "/do", b"", {"host": "b.example"}),
    "forbidden_origin": ("GET", "/do", b"", {"sec-fetch-site": "cross-site"}),
    "unknown_function": ("GET", "/nothing", b"", {}),
    "method_not_allowed": ("PUT", "/do", b"", {}),
    "body_timeout": ("POST", "/do", b"never ends", {}),
    "contract_mismatch": ("GET", "/do", b"", {"wireflight-contract": "x"}),
    "body_too_large": ("POST", "/do", b" " * 501, {}),
    "payload_too_long": ("GET", "/do?payload=" + "a" * 51, b"", {}),
    "unsupported_media_type": ("POST", "/do", b"{}", {"content-encoding": "br"}),
    "headers_too_large": ("GET", "/do", b"", {"x": "y" * 400}),
    "internal": ("POST", "/do", b'{"arg":"crash"}', {}),
    "redirect_in_command": ("POST", "/act", b'{"arg":"redirect"}', {}),
    "invalid_redirect": ("POST", "/do", b'{"arg":"redirect"}', {}),
    "unencodable_result": ("POST", "/do", b'{"arg":"odd"}', {}),
    "response_too_large": ("POST", "/do", b'{"arg":"large"}', {}),
    "cookie_in_query": ("POST", "/do", b'{"arg":"cookie"}', {}),
    "handler_timeout": ("POST", "/do", b'{"arg":"sleep"}', {}),
}
IN_FAIL = {"invalid_key": "!", "not_refreshable": "act/", "refresh_limit": "do/"}


async def send(asgi, app: Wireflight, *parts):
    method, path, body, headers = parts
    base = {"host": "a.example", "wireflight-version": "1"}
    if method != "GET":
        base["content-type"] = "application/json"
    path, _, query = path.partition("?")
    response = await asgi(app).request(
        method,
        path,
        query=query,
        body=body,
        headers=list((base | headers).items()),
        ends=body != b"never ends",
    )
    assert response is not None
    return response


def test_server_errors_are_all_reached() -> None:
    """Every code of the table is sent by a test of this file."""
    assert {*REQUESTS, *IN_FAIL} == {code.value for code in ErrorCode}


@pytest.mark.parametrize("code", REQUESTS)
async def test_server_answers_each_fault_with_its_error(asgi, code: str) -> None:
    """The code comes with its status, the header fields of every response, and no secret."""
    response = await send(asgi, scripted(), *REQUESTS[code])
    assert response.code == code
    assert response.header("cache-control") == "private, no-store"
    assert response.header("x-content-type-options") == "nosniff"
    assert response.header("cross-origin-resource-policy") == "same-origin"
    assert response.header("vary") == "Accept, Origin, Sec-Fetch-Site"
    assert response.header("wireflight-version") == "1"
    assert response.header("set-cookie") is None
    assert response.header("etag") is None
    assert SECRET.encode() not in response.body
    assert SECRET not in str(response.headers)


@pytest.mark.parametrize("code", IN_FAIL)
async def test_server_reports_each_fault_of_a_requested_key(asgi, code: str) -> None:
    """Errors of keys stand in their `fail`."""
    app = scripted()

    @app.command
    async def accept(what: str) -> None:
        query = next(f for name, f in app.functions() if name == "do")
        requested(query, limit=1).refresh_all()

    keys = ["do/" + payload("first"), IN_FAIL[code]]
    body = json.dumps({"arg": "", "refreshes": keys}).encode()
    response = await send(asgi, app, "POST", "/accept", body, {})
    assert response.updates()[keys[1]]["error"]["code"] == code


@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("too_deep", "depth"),
        ("too_large", "refresh_keys"),
        ("body_too_large", "body_bytes"),
        ("payload_too_long", "get_payload_chars"),
        ("headers_too_large", "header_bytes"),
        ("response_too_large", "response_bytes"),
        ("internal", None),
    ],
)
async def test_server_names_the_limit_that_was_passed(asgi, code: str, limit: str | None) -> None:
    """An error about a limit says which, and any other has no such member."""
    response = await send(asgi, scripted(), *REQUESTS[code])
    assert response.document()["error"].get("limit") == limit


async def test_server_answers_a_query_that_hides_its_cookie(asgi) -> None:
    """Catching the exception does not make a query that sets cookies a good one."""
    response = await send(asgi, scripted(), "POST", "/do", b'{"arg":"hidden cookie"}', {})
    assert response.code == "cookie_in_query"
    assert response.header("set-cookie") is None


async def test_server_refuses_the_body_before_it_is_complete(asgi) -> None:
    """Too many bytes are refused as they arrive, and the stages before need no body at all."""
    app = scripted()
    headers = [("host", "a.example"), JSON]
    client = asgi(app)
    pieces = [b" " * 250, b" " * 250, b" "]
    response = await client.request("POST", "/do", body=pieces, headers=headers, ends=False)
    assert response.code == "body_too_large"
    for code in ("unsupported_media_type", "contract_mismatch", "forbidden_host"):
        _, path, _, more = REQUESTS[code]
        its_headers = dict(headers) | more | {"sec-fetch-site": "none"}
        response = await client.request(
            "POST", path, body=[], headers=list(its_headers.items()), ends=False
        )
        assert response.code == code
    long = [*headers, ("content-length", "501")]
    response = await client.request("POST", "/do", body=[], headers=long)
    assert response.code == "body_too_large"


@pytest.mark.parametrize(
    ("what", "answer", "ops", "has_cookie"),
    [
        ("redirect", ("redirect_in_command", 500), [], False),
        ("crash", ("internal", 500), [], False),
        ("sleep", ("handler_timeout", 504), [], False),
        ("cookie", ("cookie_in_query", 500), [], False),
        ("refuse", ("app.pay", 402), [("invalidate", "do"), ("invalidate", "do/sleep")], True),
        ("odd", ("unencodable_result", 500), ..., True),
        ("large", ("response_too_large", 500), ..., True),
    ],
)
async def test_server_sends_with_an_error_of_a_command_what_belongs_to_it(
    asgi, what: str, answer: tuple[str, int], ops: object, has_cookie: bool
) -> None:
    """Cookies and invalidations travel with errors that were raised or came too late."""
    slept = "do/" + payload("sleep")
    body = json.dumps({"arg": what, "refreshes": ["do/", "x"]}).encode()
    response = await send(asgi, scripted(), "POST", "/act", body, {})
    assert (response.code, response.status) == answer
    assert (response.header("set-cookie") is not None) == has_cookie
    updates = response.document().get("updates", [])
    if ops is ...:
        assert updates == [
            {"op": "invalidate", "id": "do"},
            {"op": "invalidate", "key": "do/"},
            {"op": "invalidate", "key": slept},
            {"op": "invalidate", "key": "x"},
        ]
    elif ops:
        assert updates == [{"op": "invalidate", "id": "do"}, {"op": "invalidate", "key": slept}]
    else:
        assert updates == []


async def test_server_runs_no_refresh_where_the_result_cannot_be_sent(asgi) -> None:
    """Everything is stale instead, and after a reset everything is."""
    app = Wireflight()
    runs = []

    @app.query
    async def read() -> None:
        runs.append(1)

    @app.command
    async def act(resets: bool) -> object:
        read().refresh()
        if resets:
            reset()
        return object()

    document = (await asgi(app).post("/act", {"arg": False})).document()
    assert document["updates"] == [{"op": "invalidate", "key": "read/"}]
    document = (await asgi(app).post("/act", {"arg": True})).document()
    assert document["updates"][0] == {"op": "invalidate", "all": True}
    assert runs == []


async def test_server_answers_an_error_of_a_query_without_updates(asgi) -> None:
    """An application error has the message and code that its handler gave."""
    app = Wireflight()

    @app.query
    async def read() -> None:
        async with anyio.create_task_group():
            error(404, "no such post")

    response = await asgi(app).get("/read")
    assert response.document() == {
        "type": "error",
        "error": {"status": 404, "code": "app.error", "message": "no such post"},
    }
    assert response.status == 404


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ApplicationError(409, "taken", code="app.taken"), "app.taken"),
        (ValidationError([make_issue((), "invalid")]), "internal"),
        (ValueError(SECRET), "internal"),
    ],
)
async def test_server_answers_with_the_failure_of_a_nested_call(
    asgi, raised: Exception, code: str
) -> None:
    """It passes through queries, commands and refreshes, but for what blames the argument."""
    app = Wireflight(validation_details=True)

    @app.query
    async def inner() -> None:
        raise raised

    @app.query
    async def outer() -> None:
        await inner()

    @app.command
    async def child() -> None:
        raise raised

    @app.command
    async def act(what: str) -> None:
        if what == "refresh":
            outer().refresh()
        else:
            await {"query": outer, "command": child}[what]()

    client = asgi(app)
    replies = [await client.post("/act", {"arg": what}) for what in ("query", "command")]
    errors = [reply.document()["error"] for reply in (await client.get("/outer"), *replies)]
    updates = (await client.post("/act", {"arg": "refresh"})).updates()
    errors.append(updates["outer/"]["error"])
    assert [error["code"] for error in errors] == [code] * 4
    assert not any("issues" in error for error in errors)


async def test_server_logs_an_unexpected_exception_under_the_id_that_it_sends(
    asgi, caplog: pytest.LogCaptureFixture
) -> None:
    """The traceback is in the log, the id in both, the text in the log alone."""
    response = await send(asgi, scripted(), *REQUESTS["internal"])
    error_id = response.document()["error"]["id"]
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "wireflight"
    assert error_id in record.getMessage()
    assert SECRET in caplog.text
    assert SECRET.encode() not in response.body


async def test_server_logs_of_refused_requests_their_code_alone(
    asgi, caplog: pytest.LogCaptureFixture
) -> None:
    """No value of a request stands in the log of its refusal."""
    caplog.set_level(logging.DEBUG, logger="wireflight")
    app = scripted()
    for headers in ({"wireflight-version": SECRET}, {"host": SECRET}, {"origin": SECRET}):
        await send(asgi, app, "POST", "/do", b"{}", headers)
    for body in (f'{{"arg":{SECRET}', f'["{SECRET}"]', f'{{"payload":"{SECRET}"}}'):
        response = await send(asgi, app, "POST", "/do", body.encode(), {})
        assert SECRET.encode() not in response.body
    await send(asgi, app, "GET", f"/{SECRET}", b"", {})
    assert "refused: unknown_function" in caplog.text
    assert SECRET not in caplog.text


async def test_server_sends_issues_only_where_asked_for(asgi) -> None:
    """Details are off unless the function or the server turns them on."""
    for details, everywhere in ((False, False), (True, False), (False, True)):
        app = Wireflight(validation_details=everywhere)

        @app.query(details=details)
        async def read(a: int, b: int) -> None: ...

        @app.command
        async def act() -> None:
            requested(read, limit=5).refresh_all()

        client = asgi(app)
        alone = (await client.get("/read", query='arg={"a":"x"}')).document()["error"]
        assert alone["code"] == "invalid_argument"
        assert ("issues" in alone) == (details or everywhere)
        key = "read/" + payload({"a": "x"})
        updates = (await client.post("/act", {"refreshes": [key]})).updates()
        assert updates[key]["error"] == alone
        if details:
            assert [(issue["path"], issue["code"]) for issue in alone["issues"]] == [
                (["a"], "type"),
                (["b"], "required"),
            ]


async def test_server_answers_alike_for_functions_that_are_not_there(asgi) -> None:
    """Unknown, private and malformed names are indistinguishable."""
    client = asgi(scripted())
    headers = [("host", "a.example")]
    paths = ["/nothing", "/do/x", "/do/", "/%2564o", "/~batch", "//do", "/./do", "/do%00", "/"]
    answers = {(await client.get(path, headers=headers)).body for path in paths}
    assert len(answers) == 1


async def test_server_lets_hooks_replace_the_text_of_errors(asgi, caplog) -> None:
    """Message, application code and further members; the status and the id stay."""
    app = scripted(validation_details=True)
    seen = []

    @app.handle_error
    async def on_error(raised, event):
        seen.append((type(raised), event.function_id))
        return ErrorText(message="Sorry.", code="app.broken", extra={"hint": 1, "status": 0})

    @app.handle_validation_error
    def on_invalid(raised, event):
        seen.append((len(raised.issues), event.function_id))
        return ErrorText(message="No.")

    crashed = (await send(asgi, app, *REQUESTS["internal"])).document()["error"]
    assert crashed.pop("id")
    assert crashed == {"status": 500, "code": "app.broken", "message": "Sorry.", "hint": 1}
    refused = (await send(asgi, app, *REQUESTS["invalid_argument"])).document()["error"]
    assert (refused["code"], refused["message"]) == ("invalid_argument", "No.")
    assert refused["issues"]
    assert seen == [(ValueError, "do"), (1, "do")]


async def test_server_tells_the_validation_hook_every_issue(asgi) -> None:
    """The hook sees all that is wrong, of calls and requested keys, where the client does not."""
    app = Wireflight()
    counts: list[int] = []

    @app.query
    async def read(a: int, b: int) -> None: ...

    @app.command
    async def act() -> None:
        requested(read, limit=1).refresh_all()

    @app.handle_validation_error
    def on_invalid(raised, event) -> None:
        counts.append(len(raised.issues))

    client = asgi(app)
    refused = (await client.get("/read", query='arg={"a":"x"}')).document()["error"]
    key = "read/" + payload({"a": "x"})
    await client.post("/act", {"refreshes": [key]})
    assert "issues" not in refused
    assert counts == [2, 2]


async def test_server_survives_hooks_that_fail_or_keep_silent(asgi, caplog) -> None:
    """A broken hook is logged and the answer is the one without it."""
    for raises in (True, False):
        app = scripted()

        async def hook(raised, event, raises=raises):
            if raises:
                raise RuntimeError(SECRET)

        app.handle_error(hook)
        app.handle_validation_error(hook)
        for code in ("internal", "invalid_argument"):
            response = await send(asgi, app, *REQUESTS[code])
            assert response.code == code
            assert SECRET.encode() not in response.body
    with pytest.raises(ValueError, match="application code"):
        ErrorText(code="internal")
    with pytest.raises(ValueError, match="well-formed"):
        ErrorText(message="\ud800")


async def test_server_answers_internal_for_a_fault_of_its_own(asgi, caplog) -> None:
    """An annotation that names nothing is found when the call comes, and is no crash."""
    namespace: dict = {}
    exec(
        compile("from __future__ import annotations\ndef read(a: Missing): ...\n", "made", "exec"),
        namespace,
    )
    app = Wireflight()
    app.query(namespace["read"])
    response = await asgi(app).get("/read", query="arg=1")
    assert response.code == "internal"
    assert b"Missing" not in response.body


async def test_server_writes_errors_in_the_encoding_of_the_request(asgi) -> None:
    """The first check that fails knows already which encoding to use."""
    headers = [("content-type", "application/wireflight+json"), ("host", "evil")]
    response = await asgi(scripted()).request(
        "POST", "/do", body=dumps({}).encode(), headers=headers
    )
    assert response.header("content-type") == "application/wireflight+json"
    assert response.code == "forbidden_host"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"path": "/app"}, "path"),
        ({"name": "a b"}, "name"),
        ({"name": ""}, "name"),
        ({"value": "a;b"}, "value"),
        ({"value": "ä"}, "value"),
        ({"value": "a\r\nb"}, "value"),
        ({"domain": "a;b"}, "domain"),
        ({"expires": datetime(2030, 1, 1)}, "time zone"),  # noqa: DTZ001
    ],
)
async def test_server_rejects_cookies_that_could_not_be_sent(asgi, arguments, match) -> None:
    """A handler that sets a bad cookie is told so."""
    app = Wireflight()

    @app.command
    async def act() -> bool:
        with pytest.raises(ValueError, match=match):
            get_request_event().cookies.set(**{"name": "a", "value": "b", **arguments})
        invalidate_all()
        return True

    response = await asgi(app).post("/act")
    assert response.document()["value"] is True
    assert response.header("set-cookie") is None


async def test_server_spells_every_attribute_of_a_cookie(asgi) -> None:
    """Dates are those of HTTP, in whatever zone they were given."""
    app = Wireflight()
    east = timezone(timedelta(hours=2))

    @app.command
    async def act() -> list:
        cookies = get_request_event().cookies
        cookies.set(
            "a",
            "b",
            expires=datetime(2030, 3, 1, 1, 2, 3, tzinfo=east),
            domain="a.example",
            secure=False,
            http_only=False,
            same_site="none",
        )
        cookies.set("c", "d", expires=datetime(2030, 3, 1, tzinfo=UTC))
        cookies.set("d", "1")
        cookies.set("d", "2", max_age=1)
        cookies.delete("d", domain="a.example")
        headers = get_request_event().headers
        return [len(headers), sorted(headers), headers.get("nothing")]

    response = await asgi(app).post("/act", headers=[("x", "1")])
    assert response.document()["value"] == [2, ["content-type", "x"], None]
    assert [value for name, value in response.headers if name == "set-cookie"] == [
        "a=b; Path=/; Expires=Thu, 28 Feb 2030 23:02:03 GMT; Domain=a.example; SameSite=None",
        "c=d; Path=/; Expires=Fri, 01 Mar 2030 00:00:00 GMT; Secure; HttpOnly; SameSite=Lax",
        "d=; Path=/; Max-Age=0; Domain=a.example; Secure; HttpOnly; SameSite=Lax",
    ]
