"""The demo's data: what is written is committed, kept apart and found again."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from wireflight.demo.store import Blog, NoSuchPostError, SlugTakenError

NOW = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the database is."""
    return tmp_path / "blog.sqlite"


@pytest.fixture
def blog(path: Path) -> Iterator[Blog]:
    """Return a blog with its first posts."""
    blog = Blog(path)
    blog.seed()
    yield blog
    blog.close()


def test_store_commits_before_it_returns(blog: Blog, path: Path) -> None:
    """Another connection sees a like as soon as the call is over (UPD-3)."""
    assert blog.like(1) == "hello-world"
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM likes WHERE post_id = 1").fetchone() == (3,)
    assert blog.post("hello-world").likes == 3


def test_store_loses_no_like_of_many_threads(blog: Blog) -> None:
    """Likes from several threads all count."""
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(blog.like, [2] * 80)) == {"one-round-trip"}
    assert blog.posts()[0].likes == 81


def test_store_leaves_nothing_of_a_write_that_fails(blog: Blog, path: Path) -> None:
    """A write that is refused changes nothing, and its connection goes on working."""
    with pytest.raises(NoSuchPostError):
        blog.add_comment(99, "Ada", "Hi", NOW)
    with pytest.raises(SlugTakenError):
        blog.create_post("hello-world", "Again", "Text", NOW)
    with pytest.raises(SlugTakenError):
        blog.create_post("a-single-flight", "Again", "Text", NOW)
    assert len(blog.posts()) == 2
    assert blog.add_comment(1, "Ada", "Hi", NOW) == 2


def test_store_cuts_a_time_to_milliseconds_in_utc(blog: Blog) -> None:
    """What is read back is the instant, as the protocol writes it (VAL-4)."""
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))
    blog.add_comment(2, "Grace", "Hello", there)
    (comment,) = blog.comments(2)
    assert comment.written == NOW.replace(microsecond=123000)
    assert comment.written.utcoffset() == timedelta(0)


def test_store_lists_the_newest_post_first(blog: Blog) -> None:
    """A new post stands at the head of the list with its counts."""
    number = blog.create_post("third", "Third", "Text", NOW)
    assert [post.slug for post in blog.posts()] == ["third", "one-round-trip", "hello-world"]
    assert (blog.posts()[0].id, blog.posts()[0].likes, blog.posts()[0].comments) == (number, 0, 0)


def test_store_knows_the_slug_that_a_post_had(blog: Blog) -> None:
    """A former slug leads to the one of now; any other leads nowhere."""
    assert blog.current_slug("a-single-flight") == "one-round-trip"
    assert blog.current_slug("hello-world") is None
    with pytest.raises(NoSuchPostError):
        blog.post("a-single-flight")


def test_store_keeps_what_a_file_holds(blog: Blog, path: Path) -> None:
    """Opening and seeding a database that has posts adds nothing to it."""
    blog.like(1)
    with closing(Blog(path)) as again:
        again.seed()
        assert [post.likes for post in again.posts()] == [1, 3]
