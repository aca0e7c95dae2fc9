"""Mount a server in a FastAPI site: `uvicorn mount_fastapi:site`.

FastAPI does not run the lifespan of what it mounts, so the site's own opens what the
handlers need.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from blog import app, opened
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from wireflight import Wireflight


def with_functions(
    functions: Wireflight, lifespan: Callable[[], AbstractAsyncContextManager[None]]
) -> FastAPI:
    """Make a site with the functions at /rpc."""
    site = FastAPI(lifespan=lambda _: lifespan())

    @site.get("/")
    async def page() -> PlainTextResponse:
        return PlainTextResponse("a page")

    site.mount("/rpc", functions)
    return site


site = with_functions(app, opened)
