"""The command `wireflight`: serve an app, print its manifest, run the demo."""

import argparse
import errno
import importlib
import importlib.util
import json
import signal
import socket
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NoReturn

from wireflight import Wireflight
from wireflight.asgi import Receive, Scope, Send
from wireflight.exchange.manifest import manifest

__all__ = ["main"]

ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

DEFAULT_PORT = 8000
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


class CommandFailedError(Exception):
    """The command cannot do what it was asked to; the text says why, for a person."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: What follows the command's name; None for those of the process.

    Returns:
        The exit code: 0, or 1 if the command cannot do what it was asked to.

    Raises:
        SystemExit: with 2 when the arguments are wrong, with 0 after `--help`.
    """
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except CommandFailedError as error:
        print(f"wireflight: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wireflight",
        description="Serve remote functions whose writes bring the changed data back.",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="serve an app with uvicorn",
        description="Serve an app with uvicorn. For reloading, several processes or TLS call "
        "uvicorn itself: an app is an ASGI app.",
    )
    run.set_defaults(run=_run)
    _add_app(run)
    _add_address(run)
    run.add_argument(
        "--base",
        default="",
        type=_base,
        metavar="PATH",
        help="serve below this path, such as /rpc, before the base that the app has (default: "
        "none)",
    )

    show = commands.add_parser(
        "manifest",
        help="print an app's functions and their types",
        description="Print the manifest of an app as JSON, with its functions and their JSON "
        "Schemas, whether the app shows them to clients or not.",
    )
    show.set_defaults(run=_manifest)
    _add_app(show)

    demo = commands.add_parser(
        "demo",
        help="serve a small blog on SQLite",
        description="Serve a small blog on SQLite below /rpc, and print commands to try.",
    )
    demo.set_defaults(run=_demo)
    _add_address(demo)
    demo.add_argument(
        "--database",
        type=Path,
        metavar="PATH",
        help="the database file, made and filled if it is absent (default: a temporary one, "
        "removed at the end)",
    )
    return parser


def _add_app(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "app",
        metavar="MODULE:NAME",
        help="the module, looked for in this folder and where Python looks, and the variable "
        "in it that holds the app; without :NAME it is `app`",
    )


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="the address (default: %(default)s)")
    parser.add_argument(
        "--port",
        default=DEFAULT_PORT,
        type=_port,
        help="the port; 0 takes a free one (default: %(default)s)",
    )


def _version() -> str:
    try:
        return f"wireflight {version('wireflight')}"
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "wireflight (not installed)"


def _port(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number from 0 to 65535")
    return int(text)


def _base(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/")):
        raise argparse.ArgumentTypeError("it starts with / and does not end with one")
    return text


def _run(options: argparse.Namespace) -> None:
    _require_uvicorn()
    app = load_app(options.app)
    settings = app.server.settings
    settings.base = options.base + settings.base
    with _until_ended(), _listen(options.host, options.port) as listener:
        print(f"{options.app} at {_origin(listener)}{settings.base}", flush=True)
        _serve(app, listener)


def _manifest(options: argparse.Namespace) -> None:
    settings = load_app(options.app).server.settings
    settings.exposes_functions = True
    json.dump(manifest(settings), sys.stdout, indent=2)
    print()


def _demo(options: argparse.Namespace) -> None:
    from wireflight.demo.app import DemoSite, demo_app
    from wireflight.demo.store import Blog

    _require_uvicorn()
    with (
        _until_ended(),
        _listen(options.host, options.port) as listener,
        TemporaryDirectory(prefix="wireflight-demo-") as directory,
    ):
        path = options.database or Path(directory) / "blog.sqlite"
        try:
            blog = Blog(path)
            blog.seed()
        except sqlite3.Error as error:
            raise CommandFailedError(f"cannot use the database {path}: {error}") from None
        hosts = LOOPBACK_NAMES if options.host in {*LOOPBACK_NAMES, "::1"} else None
        site = DemoSite(demo_app(blog, allowed_hosts=hosts), origin=_origin(listener))
        try:
            print(site.introduction(), f"The database is {path}.", sep="\n\n", flush=True)
            _serve(site, listener)
        finally:
            blog.close()


def load_app(text: str) -> Wireflight:
    """Import an app by its place.

    Args:
        text: `MODULE:NAME`, or the module alone if the app is called `app`.

    Raises:
        CommandFailedError: when there is no such module or name, or it holds something else.
    """
    module_name, _, name = text.partition(":")
    name = name or "app"
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise CommandFailedError(f"{text!r} is not of the form MODULE:NAME, such as blog:app")
    if "" not in sys.path and (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if module_name == missing or module_name.startswith(f"{missing}."):
            raise CommandFailedError(
                f"there is no module {missing!r} in {Path.cwd()} or where Python looks"
            ) from None
        raise CommandFailedError(f"the module {module_name!r} needs {missing!r}") from error
    found = getattr(module, name, None)
    if isinstance(found, Wireflight):
        return found
    if found is not None:
        raise CommandFailedError(
            f"{module_name}:{name} is of the type {type(found).__qualname__}, not a Wireflight app"
        )
    apps = [key for key, value in vars(module).items() if isinstance(value, Wireflight)]
    hint = f"; it has {', '.join(f'{module_name}:{key}' for key in apps)}" if apps else ""
    raise CommandFailedError(f"the module {module_name!r} has no {name!r}{hint}")


def _listen(host: str, port: int) -> socket.socket:
    """Take an address before anything is started on it.

    Raises:
        CommandFailedError: when it cannot be taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CommandFailedError(f"{host!r} is no address: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        # From here on a client that is early waits instead of being refused.
        listener.listen(2048)
    except OSError as error:
        listener.close()
        reason = error.strerror
        if error.errno == errno.EADDRINUSE:
            reason = "something else uses it; another can be given with --port"
        raise CommandFailedError(f"cannot listen on {host} port {port}: {reason}") from None
    return listener


def _origin(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _require_uvicorn() -> None:
    if importlib.util.find_spec("uvicorn") is None:
        raise CommandFailedError(
            "this needs uvicorn, which is not installed: pip install 'wireflight[server]'"
        )


def _serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until the process is interrupted or told to end."""
    import uvicorn

    config = uvicorn.Config(app, log_level="info", access_log=False, lifespan="on")
    server = uvicorn.Server(config)
    with suppress(SystemExit):  # how some releases end when the app does not start
        server.run(sockets=[listener])
    if not server.started:
        raise CommandFailedError("the app did not start")


@contextmanager
def _until_ended() -> Iterator[None]:
    """Let an interruption and a request to end unwind the stack, and take both for the end.

    uvicorn repeats the signal that ended it once it is done, and one may come before it has
    its handlers; either would leave the temporary database behind.
    """

    def end(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, end)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, previous)
