"""Time, disconnects, requests at once, hooks and mounts, over ASGI."""

import random
import threading
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import pytest

from wireflight import (
    Limits,
    Wireflight,
    error,
    get_request_event,
    invalidate_all,
    redirect,
    reset,
)

JSON = ("content-type", "application/json")
SHORT = Limits(handler_ms=40, refresh_phase_ms=40, body_idle_ms=40, body_total_ms=120)


async def test_server_ends_handlers_after_their_time(asgi) -> None:
    """Queries, commands, threads and handlers that swallow their end get the same error."""
    app = Wireflight(limits=SHORT)
    release = threading.Event()
    seen = []

    @app.query
    async def sleep() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("ended")

    @app.query
    async def swallow() -> str:
        try:
            await anyio.sleep_forever()
        except BaseException:  # noqa: BLE001 - a handler that swallows everything is the case
            seen.append("swallowed")
        return "late"

    @app.query
    def block() -> None:
        release.wait(5)

    @app.query
    async def convert() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError("late")

    @app.command
    async def act() -> None:
        sleep().refresh()
        invalidate_all()
        await sleep()

    client = asgi(app)
    try:
        for path in ("/sleep", "/swallow", "/block", "/convert"):
            assert (await client.get(path)).code == "handler_timeout"
        response = await client.post("/act")
        assert response.code == "handler_timeout"
        assert "updates" not in response.document()
    finally:
        release.set()
    assert seen == ["ended", "swallowed", "ended"]


@pytest.mark.parametrize("concurrency", [1, 4])
@pytest.mark.parametrize("handler_ms", [20, 5000])
async def test_server_ends_the_refresh_phase_after_its_time(
    asgi, concurrency: int, handler_ms: int
) -> None:
    """What is not evaluated by then fails; what was evaluated stays."""
    limits = Limits(handler_ms=handler_ms, refresh_phase_ms=60)
    app = Wireflight(limits=limits, refresh_concurrency=concurrency)

    @app.query
    async def quick() -> int:
        return 1

    @app.query
    async def slow() -> None:
        await anyio.sleep_forever()

    @app.command
    async def act() -> str:
        quick().refresh()
        slow().refresh()
        return "done"

    response = await asgi(app).post("/act", {"refreshes": ["slow/"]})
    assert response.document()["value"] == "done"
    assert response.updates()["quick/"]["value"] == 1
    assert response.updates()["slow/"]["error"]["code"] == "handler_timeout"


async def test_server_ends_each_refresh_after_the_time_of_a_handler(asgi) -> None:
    """One slow query does not take the whole phase where handlers have less time."""
    app = Wireflight(limits=Limits(handler_ms=20, refresh_phase_ms=5000))

    @app.query
    async def slow(n: int) -> int:
        if n == 0:
            await anyio.sleep_forever()
        return n

    @app.command
    async def act() -> None:
        slow(0).refresh()
        slow(1).refresh()

    first, second = (await asgi(app).post("/act")).updates().values()
    assert first["error"]["code"] == "handler_timeout"
    assert second["value"] == 1


class Trickle:
    """A client that sends its body piece by piece, each after a while."""

    def __init__(self, app: Wireflight, pieces: list[bytes], seconds: float) -> None:
        self.app, self.pieces, self.seconds = app, pieces, seconds

    async def __call__(self, scope, receive, send) -> None:
        pieces = list(self.pieces)

        async def receive_slowly() -> dict:
            await anyio.sleep(self.seconds)
            if not pieces:
                await anyio.sleep_forever()
            piece = pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": True}

        await self.app(scope, receive_slowly, send)


@pytest.mark.parametrize(
    ("pieces", "seconds"), [([], 0.0), ([b""] * 1000, 0.01), ([b" "] * 1000, 0.01)]
)
async def test_server_refuses_bodies_that_come_too_slowly(
    asgi, pieces: list[bytes], seconds: float
) -> None:
    """Silence, empty pieces and a trickle without end are all too slow."""
    app = Trickle(Wireflight(limits=SHORT), pieces, seconds)
    app.app.command(id="act")(lambda: None)
    with anyio.fail_after(5):
        assert (await asgi(app).post("/act")).code == "body_timeout"


async def test_server_reads_a_body_in_pieces_within_its_time(asgi) -> None:
    """Each piece starts the idle time anew."""
    app = Wireflight(limits=Limits(body_idle_ms=2000, body_total_ms=5000))

    @app.query
    async def echo(value):
        await anyio.lowlevel.checkpoint()
        return value

    text = b'{"arg":"abc"}'
    pieces = [text[i : i + 1] for i in range(len(text))]
    response = await asgi(app).request("POST", "/echo", body=pieces, headers=[JSON])
    assert response.document()["value"] == "abc"


async def test_server_cancels_a_query_whose_client_has_gone(asgi) -> None:
    """The handler ends, nothing is answered, and its cleaning up runs."""
    app = Wireflight()
    started, seen = anyio.Event(), []

    @app.query
    async def wait() -> None:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("ended")

    gone = anyio.Event()
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:

            async def leave() -> None:
                await started.wait()
                gone.set()

            group.start_soon(leave)
            assert await asgi(app).request("GET", "/wait", gone=gone) is None
    assert seen == ["ended"]


async def test_server_lets_a_command_run_on_whose_client_has_gone(asgi) -> None:
    """Neither the disconnect nor a cancelled server task ends a command or its refreshes."""
    app = Wireflight()
    started, go, gone = anyio.Event(), anyio.Event(), anyio.Event()
    seen = []

    @app.query
    async def read() -> None:
        await anyio.lowlevel.checkpoint()
        seen.append("refreshed")

    @app.command
    async def act() -> None:
        started.set()
        await go.wait()
        await anyio.lowlevel.checkpoint()
        seen.append("done")
        read().refresh()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:

            async def run() -> None:
                await asgi(app).request("POST", "/act", body=b"{}", headers=[JSON], gone=gone)

            group.start_soon(run)
            await started.wait()
            gone.set()
            group.cancel_scope.cancel()
            go.set()
    assert seen == ["done", "refreshed"]


async def test_server_answers_nothing_to_a_client_that_goes_within_its_body(asgi) -> None:
    """A body that never ends because its client has gone is no call."""
    app = Wireflight()
    app.command(id="act")(lambda: pytest.fail("the command ran"))
    gone = anyio.Event()
    gone.set()
    response = await asgi(app).request(
        "POST", "/act", body=[b"{"], headers=[JSON], gone=gone, ends=False
    )
    assert response is None


async def test_server_ignores_a_client_that_cannot_be_sent_to(asgi) -> None:
    """A failing send is the client's end, not the server's."""
    app = Wireflight()
    app.query(id="read")(lambda: 1)
    scope = {
        "type": "http", "method": "GET", "path": "/read", "headers": [], "query_string": b"",
    }  # fmt: skip

    async def receive() -> dict:
        await anyio.sleep_forever()
        return {}

    async def send(message: dict) -> None:
        raise OSError

    await app(scope, receive, send)
    with pytest.raises(ValueError, match="websocket"):
        await app({"type": "websocket"}, receive, send)


async def test_server_keeps_the_state_of_requests_apart(asgi) -> None:
    """A hundred requests that take turns see their own cookies, locals and updates only."""
    app = Wireflight(refresh_concurrency=4)
    shuffled = random.Random(7)

    async def take_turns() -> None:
        for _ in range(shuffled.randrange(6)):
            await anyio.lowlevel.checkpoint()

    @app.query
    async def who(n: int) -> list:
        event = get_request_event()
        before = event.cookies.get("user")
        await take_turns()
        return [n, before, event.cookies.get("user"), getattr(event.locals, "mark", None)]

    @app.command
    async def act(n: int) -> str | None:
        event = get_request_event()
        event.locals.mark = n
        await take_turns()
        who(n).refresh()
        event.cookies.set(f"set{n}", str(n))
        await take_turns()
        who(-n).refresh()
        return event.cookies.get("user")

    client = asgi(app)

    async def one(n: int) -> None:
        cookie = [("cookie", f"user=u{n}")]
        if n % 2:
            response = await client.get("/who", query=f"arg={n}", headers=cookie)
            assert response.document()["value"] == [n, f"u{n}", f"u{n}", None]
            return
        response = await client.post("/act", {"arg": n}, headers=cookie)
        assert response.document()["value"] == f"u{n}"
        values = [update["value"] for update in response.updates().values()]
        assert values == [[n, f"u{n}", f"u{n}", n], [-n, f"u{n}", f"u{n}", n]]
        (set_cookie,) = [v for name, v in response.headers if name == "set-cookie"]
        assert set_cookie.startswith(f"set{n}={n};")

    async with anyio.create_task_group() as group:
        for n in range(2, 102):
            group.start_soon(one, n)


async def test_server_stamps_overlapping_calls_by_what_they_saw(asgi) -> None:
    """A query has its stamp before it reads, a phase after the commit, a set value both."""
    app = Wireflight()
    at_read, at_act = anyio.Event(), anyio.Event()
    go_on = anyio.Event()
    stamps: dict[str, str] = {}

    @app.query
    async def read() -> int:
        at_read.set()
        await go_on.wait()
        return 1

    @app.query
    async def other() -> int:
        return 2

    @app.command
    async def act() -> None:
        at_act.set()
        await go_on.wait()
        read().set(5)
        other().refresh()

    client = asgi(app)

    async def slow_read() -> None:
        stamps["read"] = (await client.get("/read")).document()["at"]

    async def slow_act() -> None:
        response = await client.post("/act")
        stamps["act"] = response.document()["at"]
        stamps["from"] = response.updates()["read/"]["from"]
        stamps["set"] = response.updates()["read/"]["at"]
        stamps["refresh"] = response.updates()["other/"]["at"]

    async with anyio.create_task_group() as group:
        group.start_soon(slow_read)
        await at_read.wait()
        group.start_soon(slow_act)
        await at_act.wait()
        stamps["between"] = (await client.get("/other")).document()["at"]
        go_on.set()
    stamps["last"] = (await client.get("/other")).document()["at"]
    order = sorted(stamps, key=stamps.__getitem__)
    assert order == ["read", "from", "between", "act", "set", "refresh", "last"]
    assert len({stamp.partition(".")[0] for stamp in stamps.values()}) == 1


async def test_server_commits_between_the_handler_and_the_refreshes(asgi) -> None:
    """The hook runs once, also after a child, and the stamps are taken after it."""
    app = Wireflight()
    seen: list[str] = []

    @app.query
    async def read() -> None:
        seen.append("read")

    @app.command
    async def child() -> None:
        seen.append("child")

    @app.command
    async def act() -> None:
        read().refresh()
        await child()
        seen.append("act")

    @app.after_commit
    async def commit(event) -> None:
        assert get_request_event().function_id == event.function_id == "act"
        await anyio.lowlevel.checkpoint()
        seen.append("commit")

    client = asgi(app)
    await client.post("/act")
    assert seen == ["child", "act", "commit", "read"]
    await client.get("/read")
    assert seen.count("commit") == 1


async def test_server_refuses_instructions_of_hooks(asgi) -> None:
    """Before the handler and after it nothing becomes of held values; reading may go on."""
    app = Wireflight()
    refused: list[str] = []

    @app.query
    async def read() -> int:
        return 1

    @app.command
    async def act() -> None:
        read().refresh()

    async def try_all(place: str) -> None:
        for instruct in (read().refresh, read().invalidate, lambda: read().set(2), reset):
            with pytest.raises(RuntimeError, match="has ended or not begun"):
                instruct()
            refused.append(place)
        assert await read() == 1

    @app.handle
    async def handle(event, resolve) -> None:
        await try_all("before")
        await resolve()

    @app.after_commit
    async def commit(event) -> None:
        await try_all("commit")

    updates = (await asgi(app).post("/act")).document()["updates"]
    assert [(update["op"], update["value"]) for update in updates] == [("set", 1)]
    assert refused == ["before"] * 4 + ["commit"] * 4


@pytest.mark.parametrize("raised", [ValueError("x"), None])
async def test_server_fails_a_command_whose_commit_fails(asgi, caplog, raised) -> None:
    """No value, no refresh and no cookie, whatever the hook raises."""
    app = Wireflight()
    runs = []

    @app.query
    async def read() -> None:
        runs.append(1)

    @app.command
    async def act() -> None:
        get_request_event().cookies.set("a", "b")
        read().refresh()
        invalidate_all()

    @app.after_commit
    def commit(event) -> None:
        if raised is None:
            error(409, "conflict")
        raise raised

    response = await asgi(app).post("/act")
    assert response.code == "internal"
    assert "updates" not in response.document()
    assert response.header("set-cookie") is None
    assert runs == []


async def test_server_lets_handle_run_around_every_call(asgi) -> None:
    """It runs once for a request, sees the event, and may refuse before the body is read."""
    app = Wireflight()
    seen: list[str] = []

    @app.query
    async def read() -> str:
        seen.append("read")
        return get_request_event().locals.user

    @app.command
    async def act() -> None:
        read().refresh()

    @app.handle
    async def handle(event, resolve) -> None:
        user = event.headers.get("x-user")
        if user is None:
            error(401, "who?", code="app.login")
        if user == "guest":
            redirect("/login")
        if user == "silent":
            return
        event.locals.user = user
        seen.append(f"before {event.function_id}")
        await resolve()
        if user == "twice":
            with pytest.raises(RuntimeError, match="once"):
                await resolve()
        if user == "late":
            error(418, "after all")
        seen.append("after")

    client = asgi(app)
    response = await client.get("/read", headers=[("x-user", "me")])
    assert response.document()["value"] == "me"
    response = await client.post("/act", headers=[("x-user", "twice")])
    assert response.updates()["read/"]["value"] == "twice"
    assert seen == ["before read", "read", "after", "before act", "read", "after"]
    response = await client.request("POST", "/act", body=[], headers=[JSON], ends=False)
    assert (response.status, response.code) == (401, "app.login")
    guest = [("x-user", "guest")]
    assert (await client.get("/read", headers=guest)).document()["location"] == "/login"
    assert (await client.post("/act", headers=guest)).code == "redirect_in_command"
    assert (await client.get("/read", headers=[("x-user", "silent")])).code == "internal"
    assert (await client.get("/read", headers=[("x-user", "late")])).code == "app.error"
    refused = await client.post("/act", b"[", headers=[("x-user", "me")])
    assert refused.code == "invalid_payload"
    seen.clear()
    assert (await client.get("/nothing")).code == "unknown_function"
    assert (await client.get("/~manifest")).status == 200
    assert seen == []


async def test_server_refuses_cookies_that_handle_sets_for_a_query(asgi) -> None:
    """The hook is part of the call; for a command its cookies travel."""
    app = Wireflight()
    app.query(id="read")(lambda: 1)
    app.command(id="act")(lambda: 1)

    @app.handle
    async def handle(event, resolve) -> None:
        event.cookies.set("a", "b")
        await resolve()

    client = asgi(app)
    assert (await client.get("/read")).code == "cookie_in_query"
    assert (await client.post("/act")).header("set-cookie").startswith("a=b")


async def test_server_runs_nothing_for_a_client_that_goes_while_handle_waits(asgi) -> None:
    """A disconnect within the hook's own call ends quietly."""
    app = Wireflight()
    app.command(id="act")(lambda: pytest.fail("the command ran"))

    @app.handle
    async def handle(event, resolve) -> None:
        await resolve()

    gone = anyio.Event()
    gone.set()
    response = await asgi(app).request(
        "POST", "/act", body=[b"{"], headers=[JSON], gone=gone, ends=False
    )
    assert response is None


async def lifespan_messages(app, *, shuts_down: bool = True) -> list[str]:
    incoming = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive() -> dict:
        return incoming.pop(0)

    async def send(message: dict) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    return sent


async def test_server_runs_the_lifespan_of_the_application() -> None:
    """The context manager is entered before requests and left after them."""
    seen = []
    app = Wireflight()
    assert await lifespan_messages(app) == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]

    @app.lifespan
    @asynccontextmanager
    async def lifespan():
        seen.append("start")
        yield
        seen.append("stop")

    assert len(await lifespan_messages(app)) == 2
    assert seen == ["start", "stop"]


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_server_reports_a_lifespan_that_fails(caplog, phase: str) -> None:
    """The server below is told, and the log says why."""

    @asynccontextmanager
    async def lifespan():
        if phase == "startup":
            raise RuntimeError("broken")
        yield
        raise RuntimeError("broken")

    sent = await lifespan_messages(Wireflight(lifespan=lifespan))
    assert sent[-1] == f"lifespan.{phase}.failed"
    assert "broken" in caplog.text


@pytest.mark.parametrize(
    ("root_path", "base", "path", "is_found"),
    [
        ("", "", "/deep/read", True),
        ("/mnt", "", "/mnt/deep/read", True),
        ("/mnt", "", "/deep/read", True),
        ("/mnt", "/rpc", "/mnt/rpc/deep/read", True),
        ("", "/rpc", "/rpc/deep/read", True),
        ("", "/rpc", "/deep/read", False),
        ("/mnt", "", "/mntdeep/read", False),
        ("/mnt", "", "/mnt", False),
    ],
)
async def test_server_finds_functions_below_its_mount(
    asgi, root_path: str, base: str, path: str, is_found: bool
) -> None:
    """Frameworks leave the mount in the path or take it out; both are read."""
    app = Wireflight(base=base)
    app.query(id="deep/read")(lambda: 1)
    response = await asgi(app, root_path=root_path).get(path)
    assert (response.status == 200) == is_found


async def test_server_answers_preflights_of_allowed_origins(asgi) -> None:
    """OPTIONS needs nothing but a path and a listed origin."""
    app = Wireflight(allowed_origins=["https://a.example"])
    app.command(id="act")(lambda: 1)
    client = asgi(app)
    origin = [("origin", "https://a.example")]
    response = await client.request("OPTIONS", "/act", headers=origin)
    assert (response.status, response.body) == (204, b"")
    assert response.header("access-control-allow-origin") == "https://a.example"
    assert response.header("wireflight-version") == "1"
    response = await client.request("OPTIONS", "/act", headers=[("origin", "https://b.example")])
    assert response.code == "forbidden_origin"
    assert response.header("access-control-allow-origin") is None
    response = await client.post("/act", headers=[*origin, ("sec-fetch-site", "cross-site")])
    assert response.document()["value"] == 1
    assert response.header("access-control-allow-credentials") == "true"


async def test_server_decodes_long_bodies_beside_its_loop(asgi) -> None:
    """A long body has the same result and the same errors as a short one."""
    app = Wireflight()
    app.query(id="length")(lambda values: len(list(values)))
    client = asgi(app)
    text = b'{"arg":[' + b",".join([b"12345678"] * 9000) + b"]}"
    assert len(text) > 65_536
    assert (await client.post("/length", text)).document()["value"] == 9000
    assert (await client.post("/length", text[:-1])).code == "invalid_payload"
