"""The demo as ASGI apps: the blog's functions, and a page in front of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from importlib.resources import files
from string import Template

from wireflight import Wireflight
from wireflight.asgi import Receive, Scope, Send
from wireflight.demo.functions import blog_functions, utc_now
from wireflight.demo.store import Blog

__all__ = ["BASE", "DemoSite", "demo_app"]

BASE = "/rpc"


def demo_app(
    blog: Blog,
    *,
    now: Callable[[], datetime] = utc_now,
    allowed_hosts: Sequence[str] | None = None,
    allowed_origins: Sequence[str] = (),
    process: str | None = None,
) -> Wireflight:
    """Make the blog's server.

    Args:
        blog: Its data.
        now: Tells the time of a comment or post.
        allowed_hosts: The names it answers for; None for all.
        allowed_origins: Other origins whose pages may call.
        process: The name of this process in stamps; None for a random one.
    """
    app = Wireflight(
        base=BASE, allowed_hosts=allowed_hosts, allowed_origins=allowed_origins, process=process
    )
    app.include(blog_functions(blog, now=now))
    return app


class DemoSite:
    """Serve a page at `/` that shows what to try, and the server below its base."""

    def __init__(self, app: Wireflight, *, origin: str) -> None:
        """Prepare the page.

        Args:
            app: The blog's server.
            origin: The address of this site, as a client would write it.
        """
        self._app = app
        self._origin = origin
        page = files("wireflight.demo").joinpath("landing.html").read_text(encoding="utf-8")
        commands = escape("\n".join(self.curl_lines()), quote=False)
        self._page = Template(page).substitute(curl=commands).encode()

    def curl_lines(self) -> list[str]:
        """Return commands to try."""
        rpc = f"{self._origin}{BASE}"
        json = "-H 'Content-Type: application/json'"
        comment = '{"arg": {"post_id": 1, "author": "Grace", "text": "Hi"}}'
        return [
            f"curl -s {rpc}/get_posts",
            f"curl -s '{rpc}/get_comments?arg=1'",
            f"curl -s {rpc}/like {json} -d '" + '{"arg": 1, "refreshes": ["get_posts/"]}' + "'",
            f"curl -s {rpc}/add_comment {json} -d '{comment}'",
            f"curl -s {rpc}/~manifest",
        ]

    def introduction(self) -> str:
        """Return what a person who started the demo wants to know."""
        return "\n  ".join(
            [f"A blog at {self._origin}/ to try in a browser, or:", *self.curl_lines()]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it and the lifespan on to the server."""
        if scope["type"] != "http" or scope["path"] != "/" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        headers = [
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", str(len(self._page)).encode()),
            (b"cache-control", b"no-store"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self._page})
