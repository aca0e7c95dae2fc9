"""The command `wireflight-conformance`."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib.util
import itertools
import os
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from . import __version__
from .cases import PROFILES, Case, citations, is_asked_for, load_cases, select
from .clauses import (
    LOCK,
    SpecError,
    accept,
    audit,
    load,
    read_exclusions,
    read_lock,
    read_unmutated,
    read_vector_citations,
    spec_folder,
)
from .engine import Budget, ExitCode
from .modes.server import NoTargetError, ServerRun, diagnose, run_server
from .report.console import Console
from .wire.connection import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .events import Reporter

__all__ = ["main"]

_EXIT_CODES: Final = """exit codes:
  0  conformant
  1  a violation, or a hang
  2  the command line makes no sense
  3  nothing ran, or there is no target
  4  an error in the suite
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    parsed = parser.parse_args(arguments)
    try:
        code: int = parsed.run(parsed, parser)
    except NoTargetError as error:
        print(error, file=sys.stderr)
        return ExitCode.NOTHING_RAN
    except SpecError as error:
        print(f"the specification cannot be used: {error}", file=sys.stderr)
        return ExitCode.SUITE_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # whoever read the output, e.g. `head`, has gone; nothing more can be said to anybody
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wireflight-conformance",
        description="Prove that an implementation of Wireflight does what the protocol says.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_server(commands)
    _add_codec(commands)
    _add_selftest(commands)
    _add_reading(commands)
    return parser


def _add_server(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    server = commands.add_parser(
        "server",
        help="drive a server at a URL",
        description="Drive a server at a URL. If it mounts the fixture functions of section 20 of "
        "the protocol, every\ncase is run; if it does not, those that need none of them, and the "
        "others are counted apart.",
        epilog="examples:\n"
        "  wireflight-conformance server --embedded\n"
        "  wireflight-conformance server http://127.0.0.1:8000/rpc --only UPD-4\n"
        "  wireflight-conformance server http://127.0.0.1:8000 --junit out.xml\n\n" + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    server.add_argument("url", nargs="?", metavar="URL", help="the server's base URL")
    server.add_argument(
        "--embedded", action="store_true", help="start the reference and drive that"
    )
    server.add_argument(
        "--profile",
        choices=PROFILES,
        default="quick",
        help="smoke: some rows of each table, in a second; quick (default): all, and "
        "what waits; full: long runs too",
    )
    server.add_argument("--seed", type=int, default=0, metavar="N", help="shuffle by this number")
    server.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="CLAUSE|CASE",
        help="only the cases of a clause, or whose id starts so (repeatable)",
    )
    server.add_argument("--strict", action="store_true", help="a SHOULD that does not hold fails")
    server.add_argument("--json", type=Path, metavar="FILE", help="write the report for programs")
    server.add_argument("--junit", type=Path, metavar="FILE", help="write JUnit XML")
    server.add_argument(
        "--timeout",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="longest wait for one response (default 5); a case has four times as long",
    )
    server.add_argument("--verbose", action="store_true", help="name passing cases too")
    server.add_argument("--no-color", action="store_true", help="no colours")
    server.set_defaults(run=_server)


def _add_codec(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    if importlib.util.find_spec("wireflight_conformance.modes.codec") is None:
        return
    mode = importlib.import_module("wireflight_conformance.modes.codec")
    mode.add_command(commands)


def _add_selftest(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from .modes.selftest import add_command

    add_command(commands)


def _add_reading(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser("explain", help="show a clause and what checks it")
    explain.add_argument("clause", metavar="CLAUSE", help="such as UPD-4")
    explain.set_defaults(run=_explain)
    listing = commands.add_parser("list", help="list the cases")
    listing.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="CLAUSE|CASE",
        help="only the cases of a clause, or whose id starts so (repeatable)",
    )
    listing.add_argument(
        "--profile", choices=PROFILES, default="full", help="the cases of a profile (default full)"
    )
    listing.set_defaults(run=_list)
    clauses = commands.add_parser(
        "clauses", help="check that every clause has a case, and that no clause changed unseen"
    )
    clauses.add_argument(
        "--accept",
        nargs="+",
        metavar="ID",
        help="the cases of these clauses fit their text (`all`: every clause that has some)",
    )
    clauses.set_defaults(run=_clauses)
    doctor = commands.add_parser("doctor", help="see whether the harness is wired to a server")
    doctor.add_argument("url", metavar="URL", help="the server's base URL")
    doctor.add_argument(
        "--timeout",
        type=_seconds,
        default=5.0,
        metavar="SECONDS",
        help="longest wait for one response (default 5)",
    )
    doctor.set_defaults(run=_doctor)


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= 3600:
        raise argparse.ArgumentTypeError("a number of seconds above 0, at most 3600")
    return value


def _colour(no_color: bool) -> bool:
    return sys.stdout.isatty() and not no_color and "NO_COLOR" not in os.environ


def _server(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if bool(parsed.url) == parsed.embedded:
        parser.error("server needs a URL or --embedded, and not both")
    # an embedded server starts in a process of its own while the cases are imported here
    with _target(parsed, parser) as wait_for_target:
        chosen = _chosen(parsed, parser)
        reporters = _reporters(parsed, parser)
        run = ServerRun(
            wait_for_target(),
            chosen,
            profile=parsed.profile,
            seed=parsed.seed,
            strict=parsed.strict,
            request_timeout=parsed.timeout,
            only=parsed.only,
            budget=Budget(run_seconds=60 * parsed.timeout),
        )
        return run_server(run, reporters).exit_code


def _reporters(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> list[Reporter]:
    for path in (parsed.json, parsed.junit):
        # found out now, and not when all has run and nothing can be written
        if path is not None and not path.parent.is_dir():
            parser.error(f"{path}: there is no folder {path.parent}")
    console = Console(sys.stdout, colour=_colour(parsed.no_color), verbose=parsed.verbose)
    reporters: list[Reporter] = [console]
    if parsed.json:
        from .report.json import JsonReport

        reporters.append(JsonReport(parsed.json))
    if parsed.junit:
        from .report.junit import JUnitReport

        reporters.append(JUnitReport(parsed.junit))
    return reporters


def _chosen(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> Sequence[Case]:
    cases = load_cases().values()
    for name in parsed.only:
        found = [item for item in cases if is_asked_for(item, [name])]
        if not found:
            parser.error(f"--only {name}: {_missing(name)}")
        if not select(found, [name], parsed.profile):
            least = min((item.profile for item in found), key=PROFILES.index)
            parser.error(
                f"--only {name}: its cases are in the profile {least}, not {parsed.profile}"
            )
    return select(cases, parsed.only, parsed.profile)


def _missing(name: str) -> str:
    """Say why nothing is called so, and what may have been meant."""
    clause = load().get(name.upper())
    if clause is not None and name != clause.id:
        return f"clauses are written in capitals: {clause.id}"
    if clause is not None and clause.binds == "client":
        return "the clause binds clients, and no case of a server cites it"
    if clause is not None:
        return f"no case of a server cites the clause (`explain {name}` shows what does)"
    names = [*load(), *load_cases(), *sorted({case.partition(".")[0] for case in load_cases()})]
    close = difflib.get_close_matches(name, names, n=3)
    meant = f"; did you mean {' or '.join(close)}?" if close else " (`list` shows all)"
    return f"no case is called so, and no clause{meant}"


@contextlib.contextmanager
def _target(
    parsed: argparse.Namespace, parser: argparse.ArgumentParser
) -> Iterator[Callable[[], Target]]:
    if not parsed.embedded:
        try:
            target = Target.from_url(parsed.url)
        except ValueError as error:
            parser.error(str(error))
        yield lambda: target
        return
    # the one place, with selftest, that imports the reference
    from .embedded.server import start_fixture

    with start_fixture() as started:
        yield lambda: started(20.0)


def _cited() -> dict[str, list[str]]:
    # the properties of codecs bring Hypothesis, which no other command waits for
    from .cases.codec_growth import load_growth
    from .cases.codec_properties import load_properties

    cited = citations(load_cases().values())
    for case in (*load_properties().values(), *load_growth().values()):
        for clause in case.clauses:
            cited.setdefault(clause, []).append(case.id)
    for clause, vectors in read_vector_citations(spec_folder() / "vectors").items():
        cited.setdefault(clause, []).extend(vectors)
    return cited


def _explain(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    clause = load().get(parsed.clause.upper())
    if clause is None:
        parser.error(f"{parsed.clause} is no clause of the specification")
    print(f"{clause.id}  {clause.level.value}, binds a {clause.binds}, section {clause.section}\n")
    for line in clause.text.splitlines():
        # the rows of a table stay whole
        print(line if line.startswith("|") else textwrap.fill(line, 80, break_on_hyphens=False))
    exclusion = read_exclusions((spec_folder() / "exclusions.toml").read_text()).get(clause.id)
    if exclusion:
        print(f"\nexcluded: {exclusion}")
    cited = _cited().get(clause.id, [])
    titles = {item.id: item.title for item in load_cases().values()}
    print(f"\n{len(cited)} cases and vectors cite it")
    for group, members in itertools.groupby(cited, lambda name: re.split(r"[\[:]", name)[0]):
        names = list(members)
        if len(names) == 1:
            print(f"  {names[0]}  {titles.get(names[0], '')}".rstrip())
        else:
            print(f"  {group}: {len(names)} rows, such as {names[0]}")
    return ExitCode.CONFORMANT


def _list(parsed: argparse.Namespace, _parser: argparse.ArgumentParser) -> int:
    chosen = select(load_cases().values(), parsed.only, parsed.profile)
    for item in chosen:
        print(f"{item.id}  [{', '.join(item.clauses)}]  {item.title}")
    return ExitCode.CONFORMANT if chosen else ExitCode.NOTHING_RAN


def _clauses(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    clauses, cited = load(), _cited()
    if parsed.accept:
        names = [n for n in clauses if n in cited] if parsed.accept == ["all"] else parsed.accept
        unknown = [name for name in names if name not in clauses]
        if unknown:
            parser.error(f"no clause of the specification: {', '.join(unknown)}")
        accept(clauses, names)
    exclusions = read_exclusions((spec_folder() / "exclusions.toml").read_text("utf-8"))
    faults = audit(clauses, cited, exclusions, read_lock(LOCK)) + _mutant_faults()
    for fault in faults:
        print(fault)
    covered = sum(1 for name in clauses if cited.get(name))
    print(
        f"{len(clauses)} clauses: {covered} with cases or vectors, {len(exclusions)} excluded, "
        f"{len(faults)} faults"
    )
    return ExitCode.VIOLATION if faults else ExitCode.CONFORMANT


def _mutant_faults() -> list[str]:
    from .modes.selftest import audit_mutants, clauses_without_mutant
    from .mutants import load_mutants

    mutants = load_mutants().values()
    unmutated = read_unmutated((spec_folder() / "exclusions.toml").read_text("utf-8"))
    missing = clauses_without_mutant(mutants)
    return [f"{name} has neither a mutant nor a reason in [mutants]" for name in missing] + (
        audit_mutants(mutants, load(), unmutated)
    )


def _doctor(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    try:
        target = Target.from_url(parsed.url)
    except ValueError as error:
        parser.error(str(error))
    findings = list(diagnose(target, parsed.timeout))
    for finding in findings:
        label = f"{'ok ' if finding.is_well else 'NOT'} {finding.name}: "
        detail = finding.detail if len(finding.detail) < 400 else f"{finding.detail[:400]}…"
        print(textwrap.fill(label + detail, 80, subsequent_indent="    ", break_long_words=False))
    if findings[0].name == "reach":
        return ExitCode.NOTHING_RAN
    return ExitCode.CONFORMANT if all(f.is_well for f in findings) else ExitCode.VIOLATION


if __name__ == "__main__":
    sys.exit(main())
