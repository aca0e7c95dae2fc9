"""Serve functions beside a Django site: `uvicorn mount_django:site`.

Django has neither mounts nor a lifespan for ASGI; what stands in front of it here passes the
paths below /rpc to the functions, and the lifespan too.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from blog import app, opened
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

from wireflight import Wireflight
from wireflight.asgi import Receive, Scope, Send

if not settings.configured:  # a project has a settings module instead
    settings.configure(ALLOWED_HOSTS=["localhost", "127.0.0.1"], ROOT_URLCONF=__name__)

django = get_asgi_application()


def page(request: HttpRequest) -> HttpResponse:
    """Answer with a page of the site."""
    return HttpResponse("a page", content_type="text/plain")


urlpatterns = [path("", page)]


class Site:
    """Django, with functions at /rpc."""

    def __init__(self, functions: Wireflight) -> None:
        self.functions = functions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a scope to the one it is for."""
        if scope["type"] == "lifespan":
            await self.functions(scope, receive, send)
        elif scope["path"].startswith("/rpc/"):
            await self.functions({**scope, "root_path": "/rpc"}, receive, send)
        else:
            await django(scope, receive, send)


def with_functions(
    functions: Wireflight, lifespan: Callable[[], AbstractAsyncContextManager[None]]
) -> Site:
    """Make a site with the functions at /rpc."""
    functions.lifespan(lifespan)
    return Site(functions)


site = with_functions(app, opened)
