"""Queries and commands through ASGI: results, refreshes and everything else that is said."""

import asyncio
import contextlib
import math

import anyio
import anyio.lowlevel
import msgspec
import pytest

from wireflight import (
    ApplicationError,
    EncodeError,
    Functions,
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

OURS = ("content-type", "application/wireflight+json")


def key(function_id: str, argument: object) -> str:
    return f"{function_id}/{payload(argument)}"


class Position(msgspec.Struct):
    """A place."""

    x: int


class Shop:
    """A server with a little state, made anew for each test."""

    def __init__(self, **options: object) -> None:
        self.app = app = Wireflight(process="p" * 12, **options)
        self.stock = {"a": 1, "b": 2}
        self.runs: list[str] = []

        @app.query
        async def count(name: str) -> int:
            self.runs.append(f"count {name}")
            await anyio.lowlevel.checkpoint()
            return self.stock[name]

        @app.query
        def names() -> list[str]:
            self.runs.append("names")
            return sorted(self.stock)

        @app.query
        async def total(factor: int = 1, offset: int = 0) -> int:
            self.runs.append("total")
            return (await count("a") + await count("b")) * factor + offset

        self.count, self.names, self.total = count, names, total

    def command(self, handler):
        """Make a command that the test names `act`."""
        return self.app.command(id="act")(handler)


async def test_server_answers_queries_in_both_encodings(asgi) -> None:
    """A query by GET and by POST, by payload and by plain argument, gives the same value."""
    shop = Shop()
    client = asgi(shop.app)
    by_get = await client.get("/count", query=f"payload={payload('a')}")
    assert (
        by_get.body == b'[{"type":1,"value":2,"at":3},"result",1,"pppppppppppp.0000000000000001"]'
    )
    by_post = await client.request(
        "POST", "/count", body=dumps({"payload": payload("a")}).encode(), headers=[OURS]
    )
    assert by_post.document()["value"] == 1
    assert (await client.get("/count", query="arg=%22b%22")).body == (
        b'{"type":"result","value":2,"at":"pppppppppppp.0000000000000003"}'
    )
    assert (await client.post("/count", {"arg": "b"})).document()["value"] == 2
    assert (await client.get("/names")).document()["value"] == ["a", "b"]
    assert (await client.get("/total", query='arg={"offset":10}')).document()["value"] == 13
    assert (await client.get("/total")).document()["value"] == 3


async def test_server_runs_each_nested_query_once_within_a_query(asgi) -> None:
    """The memo of one request holds values and errors, also for calls at the same time."""
    shop = Shop()
    app = shop.app

    @app.query
    async def twice() -> list[int]:
        values = [await shop.count("a"), await shop.count("a")]
        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(read_b)
        return values

    async def read_b() -> None:
        assert await shop.count("b") == 2

    @app.query
    async def failing() -> None:
        for _ in range(2):
            with pytest.raises(KeyError):
                await shop.count("none")

    client = asgi(app)
    assert (await client.get("/twice")).document()["value"] == [1, 1]
    assert (await client.get("/failing")).status == 200
    assert shop.runs == ["count a", "count b", "count none"]
    await client.get("/twice")
    assert shop.runs.count("count a") == 2


async def test_server_ends_a_query_that_waits_for_itself(asgi) -> None:
    """A circle of queries is an error and no endless wait."""
    app = Wireflight()

    @app.query
    async def first() -> None:
        await second()

    @app.query
    async def second() -> None:
        await first()

    assert (await asgi(app).get("/first")).code == "internal"


async def test_server_runs_nested_queries_anew_within_a_command(asgi) -> None:
    """What a command reads is never remembered from before."""
    shop = Shop()

    @shop.command
    async def act() -> list[int]:
        before = await shop.count("a")
        shop.stock["a"] = 5
        return [before, await shop.count("a"), await shop.total()]

    response = await asgi(shop.app).post("/act")
    assert response.document()["value"] == [1, 5, 7]
    assert "updates" not in response.document()


async def test_server_sends_what_a_command_refreshes_sets_and_invalidates(asgi) -> None:
    """Refreshes show the effects of the command; a value that was only read is not sent."""
    shop = Shop()

    @shop.command
    async def act(by: int) -> str:
        await shop.count("b")
        shop.count("a").refresh()
        await shop.names().set(["set"])
        shop.total(2).invalidate()
        await anyio.lowlevel.checkpoint()
        shop.stock["a"] += by
        return "done"

    document = (await asgi(shop.app).post("/act", {"arg": 3})).document()
    stamps = [f"pppppppppppp.{n:016x}" for n in range(5)]
    assert document == {
        "type": "result",
        "value": "done",
        "at": stamps[2],
        "updates": [
            {"op": "set", "key": key("count", "a"), "value": 4, "at": stamps[4]},
            {"op": "set", "key": "names/", "value": ["set"], "at": stamps[3], "from": stamps[1]},
            {"op": "invalidate", "key": key("total", {"factor": 2})},
        ],
    }


async def test_server_says_what_concerns_more_than_one_instance(asgi) -> None:
    """A reset stands first, then everything, then functions."""
    shop = Shop()

    @shop.command
    async def act() -> None:
        shop.names().refresh()
        invalidate(shop.count)
        invalidate_all()
        reset()

    updates = (await asgi(shop.app).post("/act")).document()["updates"]
    assert [update["op"] for update in updates] == ["reset", "invalidate", "invalidate", "set"]
    assert updates[1:3] == [{"op": "invalidate", "all": True}, {"op": "invalidate", "id": "count"}]


async def test_server_accounts_for_every_requested_key(asgi) -> None:
    """Accepted keys are refreshed under the client's own spelling, others say why not."""
    shop = Shop()

    @shop.command
    async def act() -> None:
        requested(shop.count, limit=3).refresh_all()
        await requested(shop.total, limit=1).refresh_all()

    spelt = key("total", {"factor": 1, "offset": 0})
    keys = [
        "nonsense", key("count", "b"), "names/", key("count", 7), key("count", "a"), spelt,
        "act/", "gone/", "count/LTE", key("count", "c"), key("count", "none"), key("total", {}),
    ]  # fmt: skip
    response = await asgi(shop.app).post("/act", {"refreshes": keys})
    updates = response.updates()
    assert sorted(updates) == sorted(keys)
    outcomes = {
        name: update.get("value", update.get("error", {}).get("code", update["op"]))
        for name, update in updates.items()
    }
    assert outcomes == {
        "nonsense": "invalid_key",
        key("count", "b"): 2,
        "names/": "ignore",
        key("count", 7): "invalid_argument",
        key("count", "a"): 1,
        spelt: 3,
        "act/": "not_refreshable",
        "gone/": "unknown_function",
        "count/LTE": "non_canonical",
        key("count", "c"): "refresh_limit",
        key("count", "none"): "refresh_limit",
        key("total", {}): "refresh_limit",
    }


async def test_server_offers_requested_keys_one_by_one(asgi) -> None:
    """A handler reads the argument and says of each what becomes of it, or nothing."""
    shop = Shop()
    seen = []

    @shop.command
    async def act() -> None:
        for instance in requested(shop.count, limit=9):
            seen.append(instance.argument)
            if instance.argument == "a":
                instance.set(100)
            elif instance.argument == "b":
                instance.refresh()
            elif instance.argument == "c":
                instance.invalidate()
        seen.extend(instance.argument for instance in requested(shop.total, limit=9))

    keys = [key("count", name) for name in "dcba"] + [key("total", {"factor": 3})]
    updates = (await asgi(shop.app).post("/act", {"refreshes": keys})).updates()
    assert seen == ["d", "c", "b", "a", {"factor": 3}]
    assert updates[key("count", "a")]["value"] == 100
    assert updates[key("count", "b")]["value"] == 2
    assert updates[key("count", "c")] == {"op": "invalidate", "key": key("count", "c")}
    assert updates[key("count", "d")]["op"] == "ignore"
    assert updates[keys[4]]["op"] == "ignore"


async def test_server_lets_further_acceptances_take_further_keys(asgi) -> None:
    """No key is taken twice, and the sum of the limits counts."""
    shop = Shop()

    @shop.command
    async def act() -> None:
        requested(shop.count, limit=1).refresh_all()
        requested(shop.count, limit=1).refresh_all()

    keys = [key("count", name) for name in ("a", "b", "c")]
    updates = (await asgi(shop.app).post("/act", {"refreshes": keys})).updates()
    assert [updates[name]["op"] for name in keys] == ["set", "set", "fail"]
    assert updates[keys[2]]["error"]["code"] == "refresh_limit"


async def test_server_ignores_a_key_that_was_left_over_and_then_taken(asgi) -> None:
    """The last acceptance that saw a key decides, also where the handler is silent on it."""
    shop = Shop()

    @shop.app.command
    async def take(fails: bool) -> None:
        list(requested(shop.count, limit=1))
        if fails:
            error(400, "no")

    @shop.command
    async def act(fails: bool) -> None:
        requested(shop.count, limit=1).refresh_all()
        with contextlib.suppress(ApplicationError):
            await take(fails)

    keys = [key("count", name) for name in ("a", "b", "c")]
    for fails, outcomes in (
        (False, ["set", "ignore", "fail"]),
        (True, ["set", "fail", "fail"]),
    ):
        reply = await asgi(shop.app).post("/act", {"arg": fails, "refreshes": keys})
        updates = reply.updates()
        assert [updates[name]["op"] for name in keys] == outcomes
        assert updates[keys[2]]["error"]["code"] == "refresh_limit"


async def test_server_gives_a_key_that_the_handler_named_its_own_outcome(asgi) -> None:
    """What is said by name stands, whether the key was requested or over a limit."""
    shop = Shop()

    @shop.command
    async def act() -> None:
        requested(shop.count, limit=1).refresh_all()
        shop.count("b").refresh()
        shop.names().refresh()

    keys = [key("count", "a"), key("count", "b"), "names/"]
    updates = (await asgi(shop.app).post("/act", {"refreshes": keys})).updates()
    assert [updates[name]["op"] for name in keys] == ["set", "set", "set"]


async def test_server_reports_a_refresh_that_fails_as_that_keys_own(asgi) -> None:
    """Errors, redirects and values that cannot be sent leave the rest as it is."""
    shop = Shop()
    app = shop.app

    @app.query
    async def refuse() -> None:
        error(403, "no", code="app.denied")

    @app.query
    async def crash() -> None:
        raise ValueError("secret")

    @app.query
    async def leave() -> None:
        redirect("/login")

    @app.query
    async def stray() -> None:
        redirect("//evil.example")

    @app.query
    async def odd() -> object:
        return object()

    @app.query
    async def spoil() -> None:
        get_request_event().cookies.set("a", "b")

    @shop.command
    async def act() -> int:
        for query in (refuse, crash, leave, stray, odd, spoil):
            query().refresh()
        shop.names().refresh()
        shop.count("a").set(object())
        return 1

    response = await asgi(app).post("/act")
    updates = response.updates()
    assert response.document()["value"] == 1
    assert updates["refuse/"]["error"] == {"status": 403, "code": "app.denied", "message": "no"}
    assert updates["crash/"]["error"]["code"] == "internal"
    assert updates["leave/"] == {"op": "redirect", "key": "leave/", "location": "/login"}
    assert updates["stray/"]["error"]["code"] == "invalid_redirect"
    assert updates["odd/"]["error"]["code"] == "unencodable_result"
    assert updates["spoil/"]["error"]["code"] == "cookie_in_query"
    assert updates[key("count", "a")]["error"]["code"] == "unencodable_result"
    assert updates["names/"]["value"] == ["a", "b"]
    assert b"secret" not in response.body
    assert response.header("set-cookie") is None


@pytest.mark.parametrize("concurrency", [1, 3, 8])
async def test_server_remembers_within_a_refresh_phase(asgi, concurrency: int) -> None:
    """The phase starts with an empty memo and runs each instance once, nested or not."""
    shop = Shop(refresh_concurrency=concurrency)

    @shop.command
    async def act() -> None:
        await shop.count("a")
        shop.total(1).refresh()
        shop.total(2).refresh()
        shop.count("a").refresh()

    updates = (await asgi(shop.app).post("/act")).updates()
    assert [update["value"] for update in updates.values()] == [3, 6, 1]
    assert shop.runs.count("count a") == 2
    assert shop.runs.count("count b") == 1
    assert len({update["at"] for update in updates.values()}) == 1


async def test_server_never_runs_more_refreshes_at_a_time_than_it_may(asgi) -> None:
    """The number that run together is the configured one."""
    for concurrency in (1, 4, 8):
        app = Wireflight(refresh_concurrency=concurrency)
        running = peak = 0

        @app.query
        async def slow(n: int) -> int:
            nonlocal running, peak
            running += 1
            peak = max(peak, running)
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            running -= 1
            return n

        @app.command
        async def act() -> None:
            for n in range(20):
                slow(n).refresh()

        updates = (await asgi(app).post("/act")).updates()
        assert [update["value"] for update in updates.values()] == list(range(20))
        assert peak == concurrency
    for wrong in (0, 9):
        with pytest.raises(ValueError, match="1 to 8"):
            Wireflight(refresh_concurrency=wrong)


async def test_server_follows_refreshes_of_refreshed_queries(asgi) -> None:
    """Eight rounds at most; what is refreshed by a query alone has no effect."""
    app = Wireflight()

    @app.query
    async def chain(n: int) -> int:
        chain(n + 1).refresh()
        chain(0).refresh()
        return n

    @app.command
    async def act() -> None:
        await chain(40)
        chain(0).refresh()

    client = asgi(app)
    updates = (await client.post("/act")).updates()
    assert [updates[key("chain", n)]["op"] for n in range(9)] == ["set"] * 8 + ["fail"]
    assert updates[key("chain", 8)]["error"]["code"] == "refresh_limit"
    assert len(updates) == 9
    alone = (await client.get("/chain", query="arg=3")).document()
    assert (alone["value"], "updates" in alone) == (3, False)


async def test_server_follows_refreshes_of_queries_that_did_not_fail(asgi) -> None:
    """What a refreshed query said goes with it if it fails, not if it redirects."""
    app = Wireflight()

    @app.query
    async def read(n: int) -> int:
        return n

    @app.query
    async def away() -> None:
        read(1).refresh()
        redirect("/")

    @app.query
    async def broken() -> None:
        read(2).refresh()
        error(418, "no")

    @app.command
    async def act() -> None:
        away().refresh()
        broken().refresh()
        read(1).invalidate()

    updates = (await asgi(app).post("/act")).updates()
    ops = {name: update["op"] for name, update in updates.items()}
    assert ops == {"away/": "redirect", "broken/": "fail", key("read", 1): "set"}


@pytest.mark.parametrize("kind", ["refresh", "set", "invalidate"])
async def test_server_refuses_instructions_for_what_is_no_instance(asgi, kind: str) -> None:
    """Arguments that the query's type refuses, or that have no normal form, name nothing."""
    app = Wireflight()
    caught: list[type[Exception]] = []

    @app.query
    async def read(n: int, at: Position | None = None) -> int:
        return n

    @app.query
    async def unchecked(value):
        return value

    def instruct(instance) -> None:
        getattr(instance, kind)(*([1] if kind == "set" else []))

    @app.command
    async def act(is_caught: bool) -> None:
        for instance in (read("x"), read(n=1, at=1), unchecked(object())):
            for _ in range(2):
                try:
                    instruct(instance)
                except (ValidationError, EncodeError) as raised:
                    caught.append(type(raised))
                    if not is_caught:
                        raise
        instruct(read(1, Position(2)))

    client = asgi(app)
    updates = (await client.post("/act", {"arg": True})).updates()
    assert list(updates) == [key("read", {"n": 1, "at": {"x": 2}})]
    assert caught == [ValidationError] * 4 + [EncodeError] * 2
    assert (await client.post("/act", {"arg": False})).code == "internal"


async def test_server_refuses_instructions_of_queries(asgi) -> None:
    """Only a command says what becomes of values, and only a command calls commands."""
    shop = Shop()
    app = shop.app

    @shop.command
    async def act() -> None:
        shop.runs.append("act")

    doings = {
        "put": lambda: shop.names().set([]),
        "stale": lambda: shop.names().invalidate(),
        "function": lambda: invalidate(shop.names),
        "all": invalidate_all,
        "drop": reset,
        "accept": lambda: requested(shop.names, limit=1).refresh_all(),
    }

    @app.query
    async def do(what: str) -> None:
        doings[what]()

    @app.query
    async def write() -> None:
        await act()

    client = asgi(app)
    for what in doings:
        assert (await client.get("/do", query=f"arg=%22{what}%22")).code == "internal"
    assert (await client.get("/write")).code == "internal"
    assert shop.runs == []


async def test_server_discards_what_a_failed_child_said(asgi) -> None:
    """Updates, acceptances and cookies of a child count only if it succeeds."""
    shop = Shop()
    app = shop.app

    @app.command
    async def child(fails: bool) -> str:
        shop.names().refresh()
        shop.count("a").invalidate()
        requested(shop.total, limit=1).refresh_all()
        get_request_event().cookies.set("child", "1")
        assert get_request_event().function_id == "child"
        if fails:
            error(400, "no")
        return "child"

    @shop.command
    async def act(fails: bool) -> str | None:
        get_request_event().cookies.set("parent", "1")
        shop.count("a").refresh()
        try:
            value = await child(fails)
        except Exception:  # noqa: BLE001 - whatever a child raises
            assert get_request_event().cookies.get("child") is None
            return None
        assert get_request_event().cookies.get("child") == "1"
        return value

    client = asgi(app)
    asked = {"refreshes": ["total/"]}
    response = await client.post("/act", {"arg": True, **asked})
    assert {name: update["op"] for name, update in response.updates().items()} == {
        key("count", "a"): "set",
        "total/": "ignore",
    }
    assert [v for n, v in response.headers if n == "set-cookie"] == [
        "parent=1; Path=/; Secure; HttpOnly; SameSite=Lax"
    ]
    response = await client.post("/act", {"arg": False, **asked})
    assert response.document()["value"] == "child"
    assert {name: update["op"] for name, update in response.updates().items()} == {
        key("count", "a"): "invalidate",
        "names/": "set",
        "total/": "set",
    }
    assert len([v for n, v in response.headers if n == "set-cookie"]) == 2


@pytest.mark.parametrize("anyio_backend", ["asyncio"])  # trio lets no task outlive its nursery
async def test_server_refuses_instructions_after_the_end_of_a_handler(asgi) -> None:
    """A task that outlives its handler is told, and changes nothing."""
    shop = Shop()
    caught: list[Exception] = []
    ended = anyio.Event()
    tasks = []

    async def linger() -> None:
        await ended.wait()
        for late in (lambda: shop.names().refresh(), reset):
            with pytest.raises(RuntimeError, match="has ended") as info:
                late()
            caught.append(info.value)
        with pytest.raises(RuntimeError, match="has ended") as info:
            await shop.names()
        caught.append(info.value)

    @shop.command
    async def act() -> None:
        tasks.append(asyncio.create_task(linger()))

    response = await asgi(shop.app).post("/act")
    ended.set()
    await tasks[0]
    assert "updates" not in response.document()
    assert len(caught) == 3


async def test_server_runs_functions_that_are_not_async_in_a_thread(asgi) -> None:
    """Their request is theirs: instructions, locals and the event work there as well."""
    import threading

    app = Wireflight()
    threads = []

    @app.query
    def where() -> str:
        threads.append(threading.current_thread())
        return get_request_event().function_id

    @app.command
    def act() -> None:
        threads.append(threading.current_thread())
        get_request_event().locals.seen = 1
        where().refresh()

    updates = (await asgi(app).post("/act")).updates()
    assert updates["where/"]["value"] == "where"
    assert threading.main_thread() not in threads


async def test_server_lets_refreshes_see_what_the_handler_left(asgi) -> None:
    """Cookies and locals of the command are those of its refreshes."""
    app = Wireflight()

    @app.query
    async def me() -> list:
        event = get_request_event()
        return [event.cookies.get("user"), event.cookies.get("old"), event.locals.mark,
                event.function_id, event.claimed_page, event.headers["X-One"]]  # fmt: skip

    @app.command
    async def log_in() -> None:
        event = get_request_event()
        assert event.cookies.get("user") == "nobody"
        event.cookies.set("user", "me", max_age=60)
        event.cookies.delete("old")
        event.locals.mark = [1]
        me().refresh()

    headers = [
        ("cookie", "user=nobody; old=1"), ("cookie", "bad; user=other"), ("x-one", "1"),
        ("x-one", "2"), ("wireflight-page", "/claimed"),
    ]  # fmt: skip
    response = await asgi(app).post("/log_in", headers=headers)
    value = response.updates()["me/"]["value"]
    assert value == ["me", None, [1], "me", "/claimed", "1, 2"]
    assert [v for n, v in response.headers if n == "set-cookie"] == [
        "user=me; Path=/; Max-Age=60; Secure; HttpOnly; SameSite=Lax",
        "old=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax",
    ]


async def test_server_keeps_results_and_arguments_of_every_type(asgi) -> None:
    """Undefined, non-finite numbers and shared values arrive as they left."""
    app = Wireflight()

    @app.query
    async def echo(value):
        return value

    client = asgi(app)
    response = await client.get("/echo", query="payload=")
    assert "value" not in response.document()
    shared = {"x": 1}
    text = dumps({"payload": payload([math.inf, shared, shared, 2**70])}).encode()
    response = await client.request("POST", "/echo", body=text, headers=[OURS])
    assert response.document()["value"] == [math.inf, shared, shared, 2**70]


async def test_server_calls_functions_that_have_no_key(asgi) -> None:
    """A query of no group, or with an argument that has no normal form, can still be called."""
    app, apart = Wireflight(), Functions()

    @apart.query
    async def lonely() -> str:
        return get_request_event().function_id

    @app.query
    async def measure(value: object) -> str:
        return type(value).__name__

    @app.query
    async def read() -> list[str]:
        return [await lonely(), await measure(object()), await measure(object())]

    @app.command
    async def act() -> None:
        with pytest.raises(LookupError):
            lonely().refresh()
        with pytest.raises(EncodeError):
            measure(object()).refresh()

    client = asgi(app)
    assert (await client.get("/read")).document()["value"] == ["lonely", "object", "object"]
    assert (await client.post("/act")).status == 200


async def test_server_forgets_a_run_that_was_cancelled(asgi) -> None:
    """Who waited for a nested query whose caller was cancelled runs it again."""
    app = Wireflight()
    runs = []

    @app.query
    async def nested() -> int:
        runs.append(1)
        if len(runs) == 1:
            await anyio.sleep_forever()
        return len(runs)

    @app.query
    async def read() -> int:
        values = []

        async def wait() -> None:
            values.append(await nested())

        async with anyio.create_task_group() as group:
            with anyio.move_on_after(0.01):
                group.start_soon(wait)
                await nested()
            await anyio.lowlevel.checkpoint()
        return values[0]

    assert (await asgi(app).get("/read")).document()["value"] == 2
