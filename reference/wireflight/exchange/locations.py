"""Where a redirect may lead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wireflight.exchange.settings import Settings

__all__ = ["is_location_allowed"]

_match_path: Final = re.compile(r"/(?![/\\])[\x21-\x5B\x5D-\x7E]*").fullmatch
_match_url: Final = re.compile(
    r"(https://[a-z0-9.-]+(?::[0-9]{1,5})?)(?:/[\x21-\x5B\x5D-\x7E]*)?"
).fullmatch


def is_location_allowed(location: str, settings: Settings) -> bool:
    """Tell whether a client may be sent there.

    Spec: ENV-6.
    """
    if _match_path(location):
        return True
    url = _match_url(location)
    return url is not None and url[1].encode("ascii") in settings.redirect_origins
