"""What a handler can see of the request that it serves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from wireflight.functions.outcomes import CookieInQuery

if TYPE_CHECKING:
    from types import SimpleNamespace

    from wireflight.functions.context import Frame

__all__ = ["Cookies", "Headers", "RequestEvent", "read_cookies"]

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_COOKIE_VALUE: Final = re.compile(r"[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]*")
_ATTRIBUTE: Final = re.compile(r"[\x20-\x3A\x3C-\x7E]+")


class Headers(Mapping[str, str]):
    """The header fields of a request, by names without regard to case.

    A field that came more than once is one text, joined by commas.
    """

    __slots__ = ("_fields", "_raw")

    def __init__(self, raw: Iterable[tuple[bytes, bytes]]) -> None:
        self._raw = raw
        self._fields: dict[str, str] | None = None

    def _read(self) -> dict[str, str]:
        if self._fields is None:
            fields: dict[str, str] = {}
            for raw_name, raw_value in self._raw:
                name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
                fields[name] = f"{fields[name]}, {value}" if name in fields else value
            self._fields = fields
        return self._fields

    def __getitem__(self, name: str) -> str:
        return self._read()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


def read_cookies(raw_headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Read name and value of every cookie of a request, undecoded."""
    received: dict[str, str] = {}
    for field, value in raw_headers:
        if field == b"cookie":
            for pair in value.decode("latin-1").split(";"):
                name, equals, text = pair.strip(" \t").partition("=")
                if equals:
                    # User agents send the most specific path first.
                    received.setdefault(name, text)
    return received


class Cookies:
    """The cookies of the request, and a way to set some from a command."""

    __slots__ = ("_frame",)

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def get(self, name: str) -> str | None:
        """Return the value as it came or was last set, or None.

        Spec: UPD-11.
        """
        values = self._frame.updates.cookie_values()
        if name in values:
            return values[name]
        return self._frame.request.received_cookies.get(name)

    def set(
        self,
        name: str,
        value: str,
        *,
        path: str = "/",
        max_age: int | None = None,
        expires: datetime | None = None,
        domain: str | None = None,
        secure: bool = True,
        http_only: bool = True,
        same_site: Literal["strict", "lax", "none"] = "lax",
    ) -> None:
        """Set a cookie with the response of this command.

        Args:
            name: A token of RFC 9110.
            value: Characters that a cookie can hold (RFC 6265); encode anything else first.
            path: `/` only, because functions live below another path than pages do.
            max_age: Seconds to keep it; None until the browser closes.
            expires: The instant until which to keep it, with a time zone.
            domain: The domain; None for this host alone.
            secure: Whether it goes over https only; browsers make an exception for localhost.
            http_only: Whether scripts cannot read it.
            same_site: Which requests from other sites carry it.

        Raises:
            ValueError: When an argument cannot stand in a cookie, or the path is not `/`.
            CookieInQuery: When the handler is that of a query; its call ends with that
                error, also where the exception is caught.

        Spec: ENV-10, SEC-9, SEC-10.
        """
        if self._frame.is_query:
            self._frame.has_set_cookie = True
            raise CookieInQuery("a query must not set a cookie")
        if path != "/":  # SEC-10
            raise ValueError("a cookie is set with the path '/' only")
        if _TOKEN.fullmatch(name) is None:
            raise ValueError(
                "the name of a cookie is a token of letters, digits and !#$%&'*+-.^_`|~"
            )
        if _COOKIE_VALUE.fullmatch(value) is None:
            raise ValueError("a cookie cannot hold this value: encode it first")
        parts = [f"{name}={value}", "Path=/"]
        if max_age is not None:
            parts.append(f"Max-Age={max_age:d}")
        if expires is not None:
            parts.append(f"Expires={_http_date(expires)}")
        if domain is not None:
            if _ATTRIBUTE.fullmatch(domain) is None:
                raise ValueError("the domain of a cookie cannot hold these characters")
            parts.append(f"Domain={domain}")
        if secure:
            parts.append("Secure")
        if http_only:
            parts.append("HttpOnly")
        parts.append(f"SameSite={same_site.capitalize()}")
        is_removed = max_age is not None and max_age <= 0
        self._frame.updates.set_cookie(
            name, "; ".join(parts).encode("ascii"), value=None if is_removed else value
        )

    def delete(self, name: str, *, domain: str | None = None) -> None:
        """Remove a cookie from the client.

        Raises:
            ValueError: When the name cannot be that of a cookie.
            CookieInQuery: When the handler is that of a query.

        Spec: ENV-10, SEC-9, SEC-10.
        """
        self.set(name, "", max_age=0, domain=domain)


_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]


def _http_date(instant: datetime) -> str:
    if instant.utcoffset() is None:
        raise ValueError("the end of a cookie is an instant: give it a time zone")
    instant = instant.astimezone(UTC)
    # strftime would take the names from the locale.
    return (
        f"{_DAYS[instant.weekday()]}, {instant.day:02d} {_MONTHS[instant.month - 1]} "
        f"{instant.year:04d} {instant:%H:%M:%S} GMT"
    )


class RequestEvent:
    """One call as its handler sees it.

    Attributes:
        function_id: The id of the function whose handler runs; a refreshed query sees its own.
    """

    __slots__ = ("_cookies", "_frame", "function_id")

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._cookies: Cookies | None = None
        self.function_id: str = frame.function_id

    @property
    def cookies(self) -> Cookies:
        """The cookies of the request.

        Spec: UPD-11, SEC-9.
        """
        if self._cookies is None:
            self._cookies = Cookies(self._frame)
        return self._cookies

    @property
    def headers(self) -> Headers:
        """The header fields of the request.

        Spec: HTTP-16.
        """
        return self._frame.request.headers

    @property
    def locals(self) -> SimpleNamespace:
        """A place for the application's own values, shared by all calls of one request.

        Spec: FUN-3, UPD-11.
        """
        return self._frame.request.locals

    @property
    def claimed_page(self) -> str | None:
        """The page that the client says it is on: a claim, never a ground to allow anything.

        Spec: HTTP-14.
        """
        return self._frame.request.claimed_page
