"""A server of three functions: `wireflight run blog:app`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from wireflight import Wireflight, error, requested


class Post(msgspec.Struct):
    """A post."""

    id: int
    title: str
    likes: int = 0


posts: dict[int, Post] = {}


@asynccontextmanager
async def opened() -> AsyncIterator[None]:
    """Load the posts before the first request; a database would be opened here."""
    posts[1] = Post(1, "Hello, world")
    yield
    posts.clear()


app = Wireflight(lifespan=opened)


@app.query
async def get_posts() -> list[Post]:
    """List the posts."""
    return list(posts.values())


@app.query
async def get_post(post_id: int) -> Post:
    """Read one post."""
    return posts.get(post_id) or error(404, "there is no such post")


@app.command
async def like(post_id: int) -> None:
    """Like a post."""
    if post_id not in posts:
        error(404, "there is no such post")
    posts[post_id].likes += 1
    get_post(post_id).refresh()
    requested(get_posts, limit=1).refresh_all()
