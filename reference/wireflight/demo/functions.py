"""The blog's queries and commands.

They are sync functions, which the server runs in worker threads; each returns after its
transaction is committed.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import msgspec

from wireflight import Functions, error, redirect, requested
from wireflight.demo.store import (
    Blog,
    Comment,
    NoSuchPostError,
    Post,
    PostSummary,
    SlugTakenError,
)

PostId = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Slug = Annotated[str, msgspec.Meta(pattern="^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Author = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class NewComment(msgspec.Struct, forbid_unknown_fields=True):
    """What a visitor writes below a post."""

    post_id: PostId
    author: Author
    text: Text


def utc_now() -> datetime:
    """Return the time at which something is written."""
    return datetime.now(UTC)


def no_such_post() -> NoReturn:
    """End a call that names a post that does not exist."""
    error(404, "there is no such post", code="blog.no_such_post")


def blog_functions(blog: Blog, *, now: Callable[[], datetime] = utc_now) -> Functions:
    """Make the functions of a blog.

    Args:
        blog: The data they read and write.
        now: Tells the time of a comment or post.
    """
    functions = Functions()

    @functions.query
    def get_posts() -> list[PostSummary]:
        """List the posts, the newest first."""
        return blog.posts()

    @functions.query
    def get_post(slug: str) -> Post:
        """Read one post; a slug that it had before redirects to its page."""
        try:
            return blog.post(slug)
        except NoSuchPostError:
            current = blog.current_slug(slug)
        if current is not None:
            redirect(f"/posts/{current}")
        no_such_post()

    @functions.query
    def get_comments(post_id: PostId) -> list[Comment]:
        """Read the comments of a post, the oldest first."""
        try:
            return blog.comments(post_id)
        except NoSuchPostError:
            no_such_post()

    @functions.command
    def like(post_id: PostId) -> None:
        """Like a post. Sends its new state, and the list to a client that shows it."""
        try:
            slug = blog.like(post_id)
        except NoSuchPostError:
            no_such_post()
        get_post(slug).refresh()
        requested(get_posts, limit=1).refresh_all()

    @functions.command(details=True)
    def add_comment(comment: NewComment) -> int:
        """Add a comment and return its id. Sends the post's comments."""
        try:
            number = blog.add_comment(comment.post_id, comment.author, comment.text, now())
        except NoSuchPostError:
            no_such_post()
        get_comments(comment.post_id).refresh()
        requested(get_posts, limit=1).refresh_all()
        return number

    @functions.command(details=True)
    def create_post(slug: Slug, title: Title, body: Text) -> int:
        """Publish a post and return its id. Sends the list."""
        try:
            number = blog.create_post(slug, title, body, now())
        except SlugTakenError:
            error(409, "another post has, or had, this slug", code="blog.slug_taken")
        get_posts().refresh()
        requested(get_post, limit=1).refresh_all()
        return number

    return functions
