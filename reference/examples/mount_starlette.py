"""Mount a server in a Starlette site: `uvicorn mount_starlette:site`.

Starlette does not run the lifespan of what it mounts, so the site's own opens what the
handlers need.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from blog import app, opened
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from wireflight import Wireflight


async def page(request: Request) -> PlainTextResponse:
    """Answer with a page of the site."""
    return PlainTextResponse("a page")


def with_functions(
    functions: Wireflight, lifespan: Callable[[], AbstractAsyncContextManager[None]]
) -> Starlette:
    """Make a site with the functions at /rpc."""
    return Starlette(
        routes=[Route("/", page), Mount("/rpc", functions)], lifespan=lambda _: lifespan()
    )


site = with_functions(app, opened)
