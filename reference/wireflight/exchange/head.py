"""The head of a request: what can be known of it before its body."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from wireflight.exchange.media import accepted_encoding, names_wireflight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wireflight.exchange.settings import Encoding
    from wireflight.functions import FunctionEntry

__all__ = ["MANIFEST", "RequestHead", "function_path"]

MANIFEST: Final = "~manifest"

_SPACE: Final = b" \t"
_SINGLE: Final = frozenset(
    (
        *(b"host", b"origin", b"sec-fetch-site", b"content-type", b"content-length"),
        *(b"content-encoding", b"wireflight-version", b"wireflight-page"),
    )
)
_LISTS: Final = frozenset((b"accept", b"wireflight-accept", b"wireflight-contract"))


class RequestHead:
    """Method, path and header fields of one request.

    Attributes:
        path: What follows the base and its `/`, percent-decoded once, or None if the path
            is no function's.
        fields: The fields by their names. Of those that the protocol knows, lists are
            joined, and of others the first is kept.
        repeated: Names of fields that came more than once though they must not.
        header_bytes: The length of all names and values.
        encoding: The encoding of the response.
        entry: The function, once the route is found.
        is_allowed_origin: Whether the origin is on the allow-list, once that is known.
    """

    __slots__ = (
        *("encoding", "entry", "fields", "header_bytes", "is_allowed_origin", "is_manifest"),
        *("method", "path", "query", "raw_headers", "repeated"),
    )

    def __init__(
        self,
        method: str,
        path: str | None,
        query_string: bytes,
        headers: Sequence[tuple[bytes, bytes]],
    ) -> None:
        """Read the head.

        Args:
            method: The method as it came.
            path: See the attribute.
            query_string: The query component, undecoded.
            headers: Names in lower case and values.

        Spec: HTTP-16.
        """
        headers = [(name, value.strip(_SPACE)) for name, value in headers]
        self.method = method
        self.path = path
        self.raw_headers = headers
        self.entry: FunctionEntry | None = None
        self.is_manifest = False
        self.is_allowed_origin = False
        self.header_bytes = sum(map(len, chain.from_iterable(headers)))
        self.fields = dict(headers)
        self.repeated: frozenset[bytes] | set[bytes] = _NONE
        if len(self.fields) != len(headers):
            self._join_fields()
        self.query: Sequence[tuple[bytes, bytes | None]] = (
            _form(query_string) if query_string else ()
        )
        self.encoding = self._chosen_encoding()

    def _join_fields(self) -> None:
        """Join the lists among the fields that came more than once, and note the others."""
        fields: dict[bytes, bytes] = {}
        repeated: set[bytes] = set()
        for name, value in self.raw_headers:
            if name not in fields:
                fields[name] = value
            elif name in _LISTS:
                fields[name] += b"," + value
            elif name in _SINGLE:
                repeated.add(name)
        self.fields = fields
        self.repeated = repeated

    def _chosen_encoding(self) -> Encoding:
        """Choose the encoding of the response.

        Spec: HTTP-9.
        """
        accept = self.fields.get(b"accept")
        if accept is not None and accept != b"*/*":
            encoding = accepted_encoding(accept)
            if encoding is not None:
                return encoding
        for name, _ in self.query:
            if name == b"payload":
                return "wireflight"
        if b"content-type" in self.fields:
            for name, value in self.raw_headers:
                if name == b"content-type" and names_wireflight(value):
                    return "wireflight"
        return "plain"

    def accepted_names(self) -> frozenset[str]:
        """Return the capabilities and extension names that the client understands.

        Spec: VER-6, VAL-8.
        """
        listed = self.fields.get(b"wireflight-accept", b"")
        return frozenset(part.strip(_SPACE).decode("latin-1") for part in listed.split(b","))

    def parameters(self, name: bytes) -> list[bytes | None]:
        """Return every value of a parameter in the URL, decoded, None where that fails."""
        return [value for key, value in self.query if key == name]


_NONE: Final[frozenset[bytes]] = frozenset()
_match_escaped: Final = re.compile(rb"[^%]*(?:%[0-9A-Fa-f]{2}[^%]*)*").fullmatch


def has_good_escapes(text: bytes) -> bool:
    """Tell whether each `%` begins an escape of two hexadecimal digits."""
    return b"%" not in text or _match_escaped(text) is not None


def _form(query_string: bytes) -> Sequence[tuple[bytes, bytes | None]]:
    """Split the query component into names and values; a malformed value is None.

    Spec: HTTP-4.
    """
    pairs = [part.partition(b"=") for part in query_string.split(b"&")]
    if b"%" not in query_string and b"+" not in query_string:
        return [(name, value) for name, _, value in pairs]
    return [
        (
            unquote_to_bytes(name.replace(b"+", b" ")),
            unquote_to_bytes(value.replace(b"+", b" ")) if has_good_escapes(value) else None,
        )
        for name, _, value in pairs
    ]


def function_path(path: str, raw_path: bytes | None, base: str) -> str | None:
    """Return what follows the base and a `/`, or None if the path is no function's.

    A name of the protocol or of a function has no character that needs an escape, so the
    only paths that two readings take apart are those with an encoded `/` or a malformed
    escape: their segments, decoded one by one, are not those of the decoded path.

    Args:
        path: The path, percent-decoded once.
        raw_path: The path as it came, or None where the server below does not keep it.
        base: What stands before.

    Spec: HTTP-1.
    """
    start = len(base)
    if path[start : start + 1] != "/" or (start and not path.startswith(base)):
        return None
    name = path[start + 1 :]
    if raw_path is not None and b"%" in raw_path:
        segments = name.split("/")
        raw_segments = raw_path.partition(b"?")[0].split(b"/")[-len(segments) :]
        if not all(map(has_good_escapes, raw_segments)):
            return None
        if [unquote_to_bytes(part) for part in raw_segments] != [
            segment.encode("utf-8", "surrogateescape") for segment in segments
        ]:
            return None
    return name
