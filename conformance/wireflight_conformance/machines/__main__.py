"""Makes the calls of a kept counterexample again, from a file, against a server.

Called as ``python -m wireflight_conformance.machines FILE URL``.

Exit codes are those of the suite: 0 the server answers as it has to, 1 it does not, 2 the command
line or the file makes no sense, 3 there is no target.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wireflight_conformance.driver import Server
from wireflight_conformance.engine import Collector, ExitCode
from wireflight_conformance.modes.server import NoTargetError, discover
from wireflight_conformance.wire.connection import Clock, Target, WireError

from .counterexamples import read, replay
from .play import TooSlowError

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECONDS: Final = 5.0
_USAGE: Final = "python -m wireflight_conformance.machines FILE URL"


def main(arguments: Sequence[str]) -> int:
    """Replay the file against the server and say what came of it."""
    try:
        file, url = arguments
        calls, target = read(Path(file)), Target.from_url(url)
    except ValueError as error:
        print(
            f"usage: python -m wireflight_conformance.machines FILE URL\n{error}", file=sys.stderr
        )
        return ExitCode.USAGE
    try:
        server = Server(discover(target, _SECONDS), Collector(), Clock.after(4 * _SECONDS))
        violation = replay(server, calls)
    except NoTargetError as error:
        print(error, file=sys.stderr)
        return ExitCode.NOTHING_RAN
    except (TooSlowError, WireError) as error:
        print(f"the calls came to no end: {error!r}", file=sys.stderr)
        return ExitCode.VIOLATION
    if violation is None:
        print(f"{len(calls)} calls, each answered as it has to be")
        return ExitCode.CONFORMANT
    print(f"{violation}\n{violation.trace.replay()}")
    return ExitCode.VIOLATION


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
