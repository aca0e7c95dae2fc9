"""Faults in how white space around the values of header fields is read (section 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wireflight_conformance.mutants import patch
from wireflight_conformance.mutants.changing import Original, changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from contextlib import AbstractContextManager


def _keeping(*names: bytes) -> AbstractContextManager[None]:
    """Take white space for a part of the values of these fields.

    The HTTP server below has cut it off, so it is put back, as a character that nobody cuts off.
    """

    def make(original: Original) -> Original:
        def decode(lines: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
            lines = list(lines)
            for line, (name, value) in zip(lines, original(lines), strict=True):
                raw = bytes(line).partition(b":")[2].removeprefix(b" ")
                is_kept = bytes(name).lower() in names and raw != raw.strip(b" \t")
                yield name, b"\xa0" + value if is_kept else value

        return decode

    return changed("h11._readers._decode_header_lines", make)


@patch("HTTP-16", "takes the white space around Host for a part of it")
def white_space_of_hosts() -> AbstractContextManager[None]:
    return _keeping(b"host")


@patch("HTTP-16", "takes the white space around Origin for a part of it")
def white_space_of_origins() -> AbstractContextManager[None]:
    return _keeping(b"origin")


@patch("HTTP-16", "takes the white space around Sec-Fetch-Site for a part of it")
def white_space_of_sites() -> AbstractContextManager[None]:
    return _keeping(b"sec-fetch-site")


@patch("HTTP-16", "takes the white space around Wireflight-Version for a part of it")
def white_space_of_versions() -> AbstractContextManager[None]:
    return _keeping(b"wireflight-version")


@patch("HTTP-16", "takes the white space around media types for a part of them")
def white_space_of_types() -> AbstractContextManager[None]:
    return _keeping(b"content-type", b"accept")
