"""The two apps that `server.py` compares: one on Wireflight, one on msgspec and ASGI alone."""

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import msgspec

from wireflight import Wireflight

Message = MutableMapping[str, object]
START = datetime(2026, 1, 2, tzinfo=UTC)


class Post(msgspec.Struct):
    """A post as its own page shows it."""

    id: int
    slug: str
    title: str
    body: str
    published: datetime
    likes: int


class Summary(msgspec.Struct):
    """A post as the list shows it."""

    id: int
    slug: str
    title: str
    likes: int


class Comment(msgspec.Struct):
    """A comment below a post."""

    id: int
    author: str
    text: str
    written: datetime


LIKES = dict.fromkeys(range(1, 11), 0)


async def read_post(post_id: int) -> Post:
    """Return one post."""
    likes = LIKES[post_id]
    return Post(post_id, f"post-{post_id}", f"Post {post_id}", "A body. " * 40, START, likes)


async def read_posts() -> list[Summary]:
    """Return the list of ten posts."""
    return [Summary(n, f"post-{n}", f"Post {n}", likes) for n, likes in LIKES.items()]


async def read_comments(post_id: int) -> list[Comment]:
    """Return the three comments of a post."""
    return [
        Comment(n, "Ada", f"Comment {n} on {post_id}", START + timedelta(hours=n))
        for n in range(1, 4)
    ]


async def add_like(post_id: int) -> None:
    """Count a like."""
    LIKES[post_id] += 1


ours = Wireflight()


@ours.query
async def get_post(post_id: int) -> Post:
    """Return one post."""
    return await read_post(post_id)


@ours.query
async def get_posts() -> list[Summary]:
    """Return the list of posts."""
    return await read_posts()


@ours.query
async def get_comments(post_id: int) -> list[Comment]:
    """Return the comments of a post."""
    return await read_comments(post_id)


@ours.command
async def like(post_id: int) -> None:
    """Count a like."""
    await add_like(post_id)


@ours.command
async def like_and_refresh(post_id: int) -> None:
    """Count a like and refresh all that shows it."""
    await add_like(post_id)
    get_post(post_id).refresh()
    get_posts().refresh()
    get_comments(post_id).refresh()


class Body(msgspec.Struct):
    """The body of a command."""

    arg: int


read_body = msgspec.json.Decoder(Body)
read_arg = msgspec.json.Decoder(int)
writer = msgspec.json.Encoder()


async def bare(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answer the same calls with nothing between the socket and msgspec."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    envelope: dict[str, object] = {"type": "result", "value": None}
    if scope["method"] == "GET":
        query = scope["query_string"]
        assert isinstance(query, bytes)
        envelope["value"] = await read_post(read_arg.decode(parse_qs(query.decode())["arg"][0]))
    else:
        post_id = read_body.decode(await whole_body(receive)).arg
        await add_like(post_id)
        if scope["path"] == "/like_and_refresh":
            envelope["updates"] = [
                {"op": "set", "key": "get_post", "value": await read_post(post_id)},
                {"op": "set", "key": "get_posts", "value": await read_posts()},
                {"op": "set", "key": "get_comments", "value": await read_comments(post_id)},
            ]
    text = writer.encode(envelope)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(text)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


async def whole_body(receive: Callable[[], Awaitable[Message]]) -> bytes:
    """Return the request's body."""
    body = b""
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        assert isinstance(chunk, bytes)
        body += chunk
        if not message.get("more_body"):
            return body


async def lifespan(
    receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Start and stop with nothing to do."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
