"""Mount a server in a Litestar site: `uvicorn mount_litestar:site`.

Litestar does not run the lifespan of what it mounts, so the site's own opens what the
handlers need.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from urllib.parse import unquote

from blog import app, opened
from litestar import Litestar, get
from litestar.handlers import asgi
from litestar.types import Receive, Scope, Send

from wireflight import Wireflight


@get("/", media_type="text/plain")
async def page() -> str:
    """Answer with a page of the site."""
    return "a page"


def with_functions(
    functions: Wireflight, lifespan: Callable[[], AbstractAsyncContextManager[None]]
) -> Litestar:
    """Make a site with the functions at /rpc."""

    @asgi("/rpc", is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        # Litestar takes the prefix away, puts a slash at the end and merges slashes; to the
        # functions those are other paths.
        path = unquote(scope["raw_path"].partition(b"?")[0].decode("ascii"))
        await functions({**scope, "path": path, "root_path": "/rpc"}, receive, send)

    return Litestar([page, mounted], lifespan=[lambda _: lifespan()])


site = with_functions(app, opened)
