"""Who may call: hosts and origins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from wireflight.exchange.media import MEDIA_TYPES, named_type
from wireflight.exchange.settings import Settings, host_and_port

if TYPE_CHECKING:
    from wireflight.exchange.head import RequestHead

__all__ = ["is_host_allowed", "is_listed_origin", "is_origin_allowed"]

_FOREIGN: Final = (b"cross-site", b"same-site")


def is_host_allowed(head: RequestHead, settings: Settings) -> bool:
    """Tell whether the request is for one of the server's hosts.

    Spec: SEC-1.
    """
    allowed = settings.allowed_hosts
    if allowed is None:
        return True
    if b"host" in head.repeated:
        return False
    host = head.fields.get(b"host")
    return host is not None and host_and_port(host)[0].lower() in allowed


def is_listed_origin(head: RequestHead, settings: Settings) -> bool:
    """Tell whether `Origin` is on the allow-list."""
    origin = head.fields.get(b"origin")
    if origin is None or not settings.allowed_origins or b"origin" in head.repeated:
        return False
    return origin in settings.allowed_origins


def is_origin_allowed(head: RequestHead, settings: Settings) -> bool:
    """Tell whether the page that made the request may call.

    Spec: SEC-2, SEC-3.
    """
    fields = head.fields
    site = fields.get(b"sec-fetch-site")
    if head.method == "GET":
        if head.is_allowed_origin:
            return True
        return site not in _FOREIGN and b"sec-fetch-site" not in head.repeated
    if b"origin" in head.repeated or b"sec-fetch-site" in head.repeated:
        return False
    if site is not None:  # SEC-2, step 1
        return head.is_allowed_origin or site in (b"same-origin", b"none")
    origin = fields.get(b"origin")
    if origin is not None:  # SEC-2, step 2
        return head.is_allowed_origin or _is_own_origin(origin, head, settings)
    # SEC-2, step 3: what no page can send without asking first.
    content_type = fields.get(b"content-type")
    if content_type is None or b"content-type" in head.repeated:
        return b"wireflight-version" in fields
    if content_type in MEDIA_TYPES or named_type(content_type) in MEDIA_TYPES:
        return True
    return b"wireflight-version" in fields


def _is_own_origin(origin: bytes, head: RequestHead, settings: Settings) -> bool:
    _, separator, rest = origin.partition(b"://")
    authority = settings.authority
    if authority is None and b"host" not in head.repeated:
        authority = head.fields.get(b"host")
    if not separator or not authority:
        return False
    # The scheme is not compared, because a proxy may have taken TLS off; so the default
    # port of either scheme is as none.
    return _without_default_port(rest) == _without_default_port(authority)


def _without_default_port(authority: bytes) -> bytes:
    return authority.lower().removesuffix(b":80").removesuffix(b":443")
