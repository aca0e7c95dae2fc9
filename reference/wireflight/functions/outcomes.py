"""The ways in which a handler ends a call other than by returning."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from wireflight.errors import WireflightError

__all__ = ["ApplicationError", "CookieInQuery", "RedirectRaised", "error", "redirect"]

DEFAULT_CODE: Final = "app.error"

_CODE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_MAX_CODE_CHARS: Final = 64
_PROTOCOL_STATUSES: Final = frozenset((407, 408, 421, 425))


def check_application_code(code: str) -> str:
    """Return the code if an application may use it.

    Raises:
        ValueError: When it is not two or more identifiers joined by dots.

    Spec: ERR-1, VAL-7.
    """
    if len(code) > _MAX_CODE_CHARS or _CODE.fullmatch(code) is None:
        raise ValueError(
            f"{code!r} is no application code: two or more identifiers, as 'app.error'"
        )
    return code


def check_text(text: str) -> None:
    """Check that a text for the client can be sent.

    Raises:
        ValueError: When it holds a lone surrogate.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("a message for the client is well-formed Unicode") from None


class ApplicationError(WireflightError):
    """A handler refuses a call, with a status and a message that the client may see."""

    def __init__(self, status: int, message: str, *, code: str = DEFAULT_CODE) -> None:
        """Describe the refusal.

        Raises:
            ValueError: When the status or the code is not an application's to use, or the
                message cannot be sent.

        Spec: ERR-1.
        """
        is_whole = isinstance(status, int)  # a constant of `http.HTTPStatus` is
        if not is_whole or not 400 <= status <= 599 or status in _PROTOCOL_STATUSES:
            raise ValueError(f"{status} is no status for an application: 400 to 599 but four")
        super().__init__(message)
        check_text(message)
        self.status = int(status)
        self.message = message
        self.code = check_application_code(code)


class RedirectRaised(WireflightError):  # noqa: N818 - named after what it is
    """A handler sends the client elsewhere."""

    def __init__(self, location: str) -> None:
        super().__init__("a handler redirects")
        self.location = location


class CookieInQuery(WireflightError):  # noqa: N818 - named after what it is
    """The handler of a query set a cookie; its call ends with `cookie_in_query`."""


def error(status: int, message: str, *, code: str = DEFAULT_CODE) -> NoReturn:
    """End the call with an error that the client sees.

    Args:
        status: 400 to 599, except 407, 408, 421 and 425.
        message: What the client may show; it leaves the server.
        code: Two or more identifiers joined by dots.

    Raises:
        ApplicationError: Always; a parent that calls this function may catch it.
        ValueError: When the status or the code is not an application's to use.

    Spec: ERR-1.
    """
    raise ApplicationError(status, message, code=code)


def redirect(location: str) -> NoReturn:
    """End the call by sending the client to another page.

    Args:
        location: A path that starts with one `/`, or an https URL on an allowed origin.

    Raises:
        RedirectRaised: Always.

    Spec: ENV-4, ENV-5, ENV-6.
    """
    raise RedirectRaised(location)
