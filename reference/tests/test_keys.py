"""Function ids and keys."""

from __future__ import annotations

import pytest

from wireflight.keys import Key, KeyFormatError, is_function_id, make_key, parse_key


@pytest.mark.parametrize("text", ["a", "_", "a1", "posts/get_post", "A/b/C_9", "a" * 255])
def test_function_id_does_match(text: str) -> None:
    """Segments of letters, digits and underscores, with slashes between."""
    assert is_function_id(text)
    assert parse_key(f"{text}/") == Key(text, "")


@pytest.mark.parametrize(
    "text",
    [
        *("", "/", "a/", "/a", "a//b", "1a", "a/1", "a-b", "a.b", "~batch", "a/~x", "é", "a b"),
        *("a\n", "a/b\n", "a" * 256, "a\0", "％61", "a%2Fb", ".", "..", "a/../b"),
    ],
)
def test_function_id_does_not_match(text: str) -> None:
    """Nothing else is an id, and no key is made with it."""
    assert not is_function_id(text)
    with pytest.raises(KeyFormatError):
        make_key(text, "")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("posts/get/WzFd", Key("posts/get", "WzFd")),
        ("a/", Key("a", "")),
        ("a/b", Key("a", "b")),
        ("a/-_9", Key("a", "-_9")),
        ("a/b/", Key("a/b", "")),
    ],
)
def test_key_splits_at_its_last_slash(text: str, key: Key) -> None:
    """The payload holds no slash, so the last one ends the id."""
    assert parse_key(text) == key
    assert make_key(*key) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "/", "/x", "a/b=", "a/b c", "a/b\n", "a//x", "1/x", "~batch/x", "a/é", "a/b.c"),
        "a" * 256 + "/x",
    ],
)
def test_key_parser_rejects_other_texts(text: str) -> None:
    """A text that is no key is a typed error that repeats nothing of it."""
    with pytest.raises(KeyFormatError) as caught:
        parse_key(text)
    assert not text or len(text) < 3 or text not in str(caught.value)


@pytest.mark.parametrize("payload", ["a/b", "x=", " ", "\n", "é"])
def test_key_maker_rejects_what_is_no_payload(payload: str) -> None:
    """A key that is made can be parsed into the same parts."""
    with pytest.raises(KeyFormatError):
        make_key("f", payload)


def test_key_parser_reads_long_keys_in_one_pass() -> None:
    """A long text that almost is a key is refused at once."""
    with pytest.raises(KeyFormatError):
        parse_key("a/" * 100_000 + "!")
