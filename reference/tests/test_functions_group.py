"""Groups, ids and handles outside of requests."""

import types
from http import HTTPStatus

import pytest

from wireflight import (
    ApplicationError,
    Functions,
    RedirectRaised,
    Wireflight,
    error,
    get_request_event,
    invalidate,
    invalidate_all,
    redirect,
    requested,
    reset,
)
from wireflight.functions import Registry


def ids(group: Functions) -> list[str]:
    return [function_id for function_id, _ in group.functions()]


def test_group_names_functions_after_themselves_or_as_told() -> None:
    """The id of a function is its name unless another is given."""
    group = Functions()

    @group.query
    def one() -> None: ...

    @group.query(id="deep/two", details=True)
    async def other() -> None: ...

    @group.command
    async def three() -> None: ...

    @group.command(id="four")
    def another() -> None: ...

    assert ids(group) == ["one", "deep/two", "three", "four"]
    assert (one.name, other.name, other.sends_details) == ("one", "deep/two", True)
    assert repr(one) == "<query one>"
    assert repr(three) == "<command three>"
    assert one.__name__ == "one"
    assert one.handler() is None


def test_group_puts_prefixes_before_the_ids_of_included_groups() -> None:
    """Prefixes stand from the outside in; functions added later come too."""
    inner, outer, app = Functions(prefix="in"), Functions(), Wireflight()
    outer.include(inner, prefix="mid/dle")
    app.include(outer, prefix="out")

    @inner.query
    def read() -> None: ...

    assert ids(app) == ["out/mid/dle/in/read"]
    registry = app.server.settings.registry
    assert registry.find("out/mid/dle/in/read").function is read
    assert registry.id_of(read) == "out/mid/dle/in/read"


def test_group_includes_every_group_of_a_module() -> None:
    """A module stands for the groups that are its variables."""
    module = types.ModuleType("posts")
    module.posts = module.alias = Functions()
    module.posts.query(id="read")(lambda: None)
    module.other = Functions(prefix="other")
    module.other.command(id="write")(lambda: None)
    app = Wireflight()
    app.include(module, prefix="blog")
    assert ids(app) == ["blog/read", "blog/other/write"]
    with pytest.raises(ValueError, match="holds no group"):
        app.include(types.ModuleType("empty"))


def test_group_rejects_an_id_twice_and_stays_as_it_was() -> None:
    """Two functions of one server never share an id, wherever the second comes from."""
    first, second, app = Functions(), Functions(), Wireflight()
    first.query(id="a")(lambda: None)
    with pytest.raises(ValueError, match="two functions"):
        first.command(id="a")(lambda: None)
    app.include(first)
    app.include(second)
    with pytest.raises(ValueError, match="two functions"):
        second.query(id="a")(lambda: None)
    assert ids(app) == ["a"]
    third = Functions()
    third.query(id="a")(lambda: None)
    with pytest.raises(ValueError, match="two functions"):
        app.include(third)
    third.query(id="b")(lambda: None)
    assert ids(app) == ["a"]
    with pytest.raises(ValueError, match="include itself"):
        app.include(app)


@pytest.mark.parametrize(
    "bad", ["", "1a", "a-b", "a/", "/a", "a//b", "~a", "a.b", "ä", "a\n", "a" * 256]
)
def test_group_rejects_ids_and_prefixes_that_have_not_their_form(bad: str) -> None:
    """Ids are identifiers with slashes between them."""
    with pytest.raises(ValueError, match="function id"):
        Functions().query(id=bad)(lambda: None)
    if bad:
        with pytest.raises(ValueError, match="cannot stand before"):
            Functions(prefix=bad)
        with pytest.raises(ValueError, match="cannot stand before"):
            Functions().include(Functions(), prefix=bad)


def test_group_rejects_an_id_that_grows_too_long() -> None:
    """The whole id counts, with every prefix."""
    inner = Functions()
    inner.query(id="a" * 200)(lambda: None)
    with pytest.raises(ValueError, match="too long"):
        Functions().include(inner, prefix="b" * 60)


def test_group_rejects_handlers_that_yield() -> None:
    """A generator is no query of this version."""

    def generator():
        yield 1

    async def async_generator():
        yield 1

    for handler in (generator, async_generator):
        with pytest.raises(TypeError, match="yields"):
            Functions().query(handler)


group = Functions()


@group.query
async def read(n: int, m: int = 0) -> int:
    return n


@group.command
async def write(n: int) -> int:
    return n


async def test_functions_cannot_be_used_outside_of_a_request() -> None:
    """Whatever needs a request says so, and the bare handler is there for tests."""
    uses = [
        read(1).key, read(1).refresh, read(1).invalidate, lambda: read(1).set(2),
        lambda: invalidate(read), invalidate_all, reset, get_request_event,
        lambda: requested(read, limit=1).refresh_all(), lambda: iter(requested(read, limit=1)),
    ]  # fmt: skip
    for use in uses:
        with pytest.raises(RuntimeError, match="running request"):
            use()
    with pytest.raises(RuntimeError, match="running request"):
        await read(1)
    with pytest.raises(RuntimeError, match="running request"):
        await write(1)
    assert await read.handler(1) == 1


def test_requested_needs_a_limit() -> None:
    """An acceptance covers at least one key."""
    with pytest.raises(ValueError, match="at least one"):
        requested(read, limit=0)


def test_registry_makes_keys_of_calls_as_written() -> None:
    """Equal calls have equal keys, and defaults are not filled in."""
    registry = Registry(group.functions())
    assert registry.key_of(read, (1,), {}) == "read/W3sibiI6MX0sMV0"
    assert registry.key_of(read, (), {"n": 1}) == "read/W3sibiI6MX0sMV0"
    assert registry.key_of(read, (1, 0), {}) != registry.key_of(read, (1,), {})
    with pytest.raises(LookupError, match="not included"):
        Registry(()).key_of(read, (1,), {})


@pytest.mark.parametrize("status", [200, 302, 399, 407, 408, 421, 425, 600, -1, 404.5, "404"])
def test_error_rejects_statuses_that_are_not_an_applications(status: object) -> None:
    """Statuses with a meaning to HTTP or the protocol are not for applications."""
    with pytest.raises(ValueError, match="no status"):
        error(status, "m")


@pytest.mark.parametrize(
    "code", ["internal", "", "a.", ".a", "a..b", "a.b-c", "1.a", "a." + "b" * 64]
)
def test_error_rejects_codes_that_could_be_the_protocols(code: str) -> None:
    """An application's code has a dot in it."""
    with pytest.raises(ValueError, match="no application code"):
        error(400, "m", code=code)


def test_error_takes_a_status_by_its_name() -> None:
    """The constants of the standard library are numbers on the wire."""
    with pytest.raises(ApplicationError) as caught:
        error(HTTPStatus.NOT_FOUND, "m")
    assert type(caught.value.status) is int


def test_error_and_redirect_raise_what_they_say() -> None:
    """Both never return."""
    with pytest.raises(ApplicationError) as caught:
        error(404, "gone", code="app.gone")
    raised = caught.value
    assert (raised.status, raised.message, raised.code) == (404, "gone", "app.gone")
    with pytest.raises(ApplicationError) as caught:
        error(400, "m")
    assert caught.value.code == "app.error"
    with pytest.raises(ValueError, match="well-formed"):
        error(400, "\ud800")
    with pytest.raises(RedirectRaised) as redirected:
        redirect("/x")
    assert redirected.value.location == "/x"
