"""The blog's data: posts, comments and likes in one SQLite database.

Every method is one transaction: it has been committed when the method returns, so that
queries refreshed afterwards read what the command wrote (UPD-3). The methods block; the
functions of the demo run them in worker threads.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import msgspec

SCHEMA = """
CREATE TABLE IF NOT EXISTS posts (
    id        INTEGER PRIMARY KEY,
    slug      TEXT NOT NULL UNIQUE,
    title     TEXT NOT NULL,
    body      TEXT NOT NULL,
    published TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS former_slugs (
    slug    TEXT PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id)
);
CREATE TABLE IF NOT EXISTS comments (
    id      INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    author  TEXT NOT NULL,
    text    TEXT NOT NULL,
    written TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS likes (
    id      INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id)
);
CREATE INDEX IF NOT EXISTS comments_of_post ON comments (post_id);
CREATE INDEX IF NOT EXISTS likes_of_post ON likes (post_id);
"""

COUNTS = """
    (SELECT count(*) FROM likes WHERE post_id = posts.id) AS likes,
    (SELECT count(*) FROM comments WHERE post_id = posts.id) AS comments
"""

SEED_POSTS = (
    ("hello-world", "Hello, world", "The first post.", "2026-01-02T09:00:00.000Z"),
    ("one-round-trip", "One round trip", "A write that answers.", "2026-01-05T16:30:00.000Z"),
)
SEED_FORMER_SLUGS = (("a-single-flight", 2),)
SEED_COMMENTS = ((1, "Ada", "Welcome!", "2026-01-02T10:15:00.000Z"),)
SEED_LIKES = (1, 1, 2)


class PostSummary(msgspec.Struct):
    """A post as the list shows it."""

    id: int
    slug: str
    title: str
    likes: int
    comments: int


class Post(msgspec.Struct):
    """A post as its own page shows it."""

    id: int
    slug: str
    title: str
    body: str
    published: datetime
    likes: int


class Comment(msgspec.Struct):
    """A comment below a post."""

    id: int
    author: str
    text: str
    written: datetime


class NoSuchPostError(LookupError):
    """No post has the id or slug that was asked for."""


class SlugTakenError(ValueError):
    """A post has, or once had, the slug that a new post was to get."""


class Blog:
    """Keep the blog's data in the SQLite database at `path`, which is made if it is absent.

    Safe to use from several threads; each call works on a connection of its own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = Lock()
        self._closed = False
        connection = self._connect()
        # Readers do not wait for a writer, and the setting stays with the file.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        self._put_back(connection)

    def seed(self) -> None:
        """Add the first posts, comments and likes, unless the blog has a post already."""
        with self._writing() as connection:
            if connection.execute("SELECT 1 FROM posts").fetchone():
                return
            connection.executemany(
                "INSERT INTO posts (slug, title, body, published) VALUES (?, ?, ?, ?)", SEED_POSTS
            )
            connection.executemany("INSERT INTO former_slugs VALUES (?, ?)", SEED_FORMER_SLUGS)
            connection.executemany(
                "INSERT INTO comments (post_id, author, text, written) VALUES (?, ?, ?, ?)",
                SEED_COMMENTS,
            )
            connection.executemany(
                "INSERT INTO likes (post_id) VALUES (?)", [(post_id,) for post_id in SEED_LIKES]
            )

    def posts(self) -> list[PostSummary]:
        """Return all posts, the newest first."""
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT id, slug, title, {COUNTS} FROM posts ORDER BY published DESC, id DESC"  # noqa: S608 - a constant
            ).fetchall()
        return [PostSummary(*row) for row in rows]

    def post(self, slug: str) -> Post:
        """Return the post with this slug.

        Raises:
            NoSuchPostError: if no post has it now.
        """
        with self._reading() as connection:
            row = connection.execute(
                f"SELECT id, slug, title, body, published, {COUNTS} FROM posts WHERE slug = ?",  # noqa: S608 - a constant
                (slug,),
            ).fetchone()
        if row is None:
            raise NoSuchPostError(slug)
        number, slug, title, body, published, likes, _ = row
        return Post(number, slug, title, body, datetime.fromisoformat(published), likes)

    def current_slug(self, former: str) -> str | None:
        """Return the slug now of the post that once had the slug `former`, or None."""
        with self._reading() as connection:
            row = connection.execute(
                "SELECT posts.slug FROM posts JOIN former_slugs ON posts.id = post_id "
                "WHERE former_slugs.slug = ?",
                (former,),
            ).fetchone()
        return None if row is None else str(row[0])

    def comments(self, post_id: int) -> list[Comment]:
        """Return the comments of a post, the oldest first.

        Raises:
            NoSuchPostError: if there is no such post.
        """
        with self._reading() as connection:
            _slug_of(connection, post_id)
            rows = connection.execute(
                "SELECT id, author, text, written FROM comments WHERE post_id = ? ORDER BY id",
                (post_id,),
            ).fetchall()
        return [
            Comment(number, author, text, datetime.fromisoformat(written))
            for number, author, text, written in rows
        ]

    def like(self, post_id: int) -> str:
        """Add a like to a post and return its slug.

        Raises:
            NoSuchPostError: if there is no such post.
        """
        with self._writing() as connection:
            slug = _slug_of(connection, post_id)
            connection.execute("INSERT INTO likes (post_id) VALUES (?)", (post_id,))
        return slug

    def add_comment(self, post_id: int, author: str, text: str, written: datetime) -> int:
        """Add a comment to a post and return the comment's id.

        Raises:
            NoSuchPostError: if there is no such post.
        """
        with self._writing() as connection:
            _slug_of(connection, post_id)
            cursor = connection.execute(
                "INSERT INTO comments (post_id, author, text, written) VALUES (?, ?, ?, ?)",
                (post_id, author, text, _instant(written)),
            )
        return _new_id(cursor)

    def create_post(self, slug: str, title: str, body: str, published: datetime) -> int:
        """Add a post and return its id.

        Raises:
            SlugTakenError: if a post has the slug, or had it once.
        """
        with self._writing() as connection:
            taken = connection.execute(
                "SELECT 1 FROM posts WHERE slug = ?1 UNION SELECT 1 FROM former_slugs "
                "WHERE slug = ?1",
                (slug,),
            ).fetchone()
            if taken:
                raise SlugTakenError(slug)
            cursor = connection.execute(
                "INSERT INTO posts (slug, title, body, published) VALUES (?, ?, ?, ?)",
                (slug, title, body, _instant(published)),
            )
        return _new_id(cursor)

    def close(self) -> None:
        """Close the connections; one that is in use closes when its call ends."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        # IMMEDIATE: two writers queue up; with a deferred transaction the one that read
        # first would fail instead of waiting.
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            connection.execute(begin)
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            self._put_back(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=10, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _put_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _slug_of(connection: sqlite3.Connection, post_id: int) -> str:
    row = connection.execute("SELECT slug FROM posts WHERE id = ?", (post_id,)).fetchone()
    if row is None:
        raise NoSuchPostError(post_id)
    return str(row[0])


def _new_id(cursor: sqlite3.Cursor) -> int:
    if cursor.lastrowid is None:  # only after something other than an INSERT
        raise RuntimeError("no row was inserted")
    return cursor.lastrowid


def _instant(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
