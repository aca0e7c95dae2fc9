"""The self-test: the suite against seeded faults and legal variations of the reference.

Every mutant has to be killed by a check of the clause that it breaks; every control has to survive
the quick profile. Clauses that a server or a codec can break and that no mutant breaks are as red
as survivors, unless `[mutants]` of spec/exclusions.toml says why there can be none.

exit codes:
  0  every fault of a MUST found, at least nine in ten of a SHOULD, no control killed
  1  a fault that was not found, a control that was killed, a clause without a mutant, or a case
     that is red without a fault too
  3  nothing to try
  4  an error in the suite, e.g. a mutant that does not start
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from wireflight_conformance.clauses import (
    Level,
    load,
    read_exclusions,
    read_unmutated,
    spec_folder,
)
from wireflight_conformance.engine import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wireflight_conformance.clauses import Clause
    from wireflight_conformance.mutants import Mutant
    from wireflight_conformance.mutants.trials import Trial

__all__ = [
    "SHOULD_SHARE",
    "add_command",
    "audit_mutants",
    "clauses_without_mutant",
    "exit_code",
    "red_without_fault",
    "write_matrix",
]

SHOULD_SHARE: Final = 0.9
"""Of the mutants of SHOULD clauses, how many have to be killed."""
_PROCESSES: Final = 2
_AT_A_TIME: Final = 7
"""How many controls are tried by one run of all cases."""


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command `selftest`."""
    selftest = commands.add_parser(
        "selftest",
        help="prove by seeded faults that the suite finds what it should",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    selftest.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME|CLAUSE",
        help="only mutants of a clause, or whose name starts so (repeatable)",
    )
    selftest.add_argument("--list", action="store_true", help="list mutants and controls")
    selftest.add_argument("--json", type=Path, metavar="FILE", help="write the kill matrix")
    selftest.add_argument(
        "--processes", type=int, default=_PROCESSES, metavar="N", help="how many at a time"
    )
    selftest.add_argument("--no-color", action="store_true", help="no colours")
    selftest.set_defaults(run=_selftest)


def _selftest(parsed: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from wireflight_conformance.mutants import load_mutants

    if parsed.processes < 1:
        parser.error("--processes is 1 or more")
    # controls first: each takes as long as a whole run, and the end is not to wait for one
    chosen = [m for m in load_mutants().values() if _is_wanted(m, parsed.only)]
    chosen.sort(key=lambda m: not m.is_control)
    if not chosen:
        print("no mutant is called so, and none breaks a clause of that id", file=sys.stderr)
        return ExitCode.NOTHING_RAN
    if parsed.list:
        for item in chosen:
            print(f"{_place(item.clause, item.step):10} {item.name}  {item.about}")
        return ExitCode.CONFORMANT
    colour = sys.stdout.isatty() and not parsed.no_color and "NO_COLOR" not in os.environ
    started = time.monotonic()
    trials: list[Trial] = []
    for trial in _tried(chosen, parsed.processes):
        trials.append(trial)
        _write_trial(trial, sys.stdout, colour=colour)
    seconds = time.monotonic() - started
    missing = [] if parsed.only else clauses_without_mutant(load_mutants().values())
    code = exit_code(trials, missing)
    if parsed.json:
        write_matrix(parsed.json, trials, missing, seconds, code)
    _write_summary(trials, missing, seconds, sys.stdout)
    return code


def _is_wanted(mutant: Mutant, only: Sequence[str]) -> bool:
    return not only or any(n == mutant.clause or mutant.name.startswith(n) for n in only)


def _tried(chosen: Sequence[Mutant], processes: int) -> Iterator[Trial]:
    """Try mutants in processes of their own, and yield what came of them, in their order."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    from wireflight_conformance.mutants.trials import run_trials

    # spawned: a process that was forked would share the threads of a server in this one
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(chosen)), mp_context=context) as pool:
        for trials in pool.map(run_trials, _portions(chosen)):
            yield from trials


def _portions(chosen: Sequence[Mutant]) -> list[list[str]]:
    """Return what is tried at a time: a mutant, or a few controls of a server."""
    controls = [m.name for m in chosen if m.is_control and m.aim == "server"]
    together = [controls[at : at + _AT_A_TIME] for at in range(0, len(controls), _AT_A_TIME)]
    return together + [[m.name] for m in chosen if m.name not in controls]


def clauses_without_mutant(mutants: Iterable[Mutant]) -> list[str]:
    """Return the clauses that a target can break, that no mutant breaks, and nobody says why.

    Args:
        mutants: All that there are.
    """
    text = (spec_folder() / "exclusions.toml").read_text(encoding="utf-8")
    excused = {**read_exclusions(text), **read_unmutated(text)}
    broken = {mutant.clause for mutant in mutants}
    return [
        name
        for name, clause in load().items()
        if clause.level is not Level.MAY and name not in broken and name not in excused
    ]


def audit_mutants(
    mutants: Iterable[Mutant], clauses: Mapping[str, Clause], unmutated: Mapping[str, str]
) -> list[str]:
    """Return what is wrong between mutants, clauses, and reasons why there is no mutant.

    Args:
        mutants: All that there are.
        clauses: The clauses.
        unmutated: Clause id -> why no mutant can break it.
    """
    broken = {mutant.clause for mutant in mutants if mutant.clause is not None}
    faults = [f"a mutant breaks {name}, which is no clause" for name in broken - set(clauses)]
    faults += [f"{name} is in [mutants] but is no clause" for name in set(unmutated) - set(clauses)]
    faults += [f"{name} is in [mutants] and has a mutant" for name in set(unmutated) & broken]
    return sorted(faults)


def exit_code(trials: Sequence[Trial], missing: Sequence[str]) -> ExitCode:
    """Return what the command ends with, by the first line of the table above that fits."""
    if any(trial.fault for trial in trials):
        return ExitCode.SUITE_ERROR
    if red_without_fault(trials):
        return ExitCode.VIOLATION
    for level, share in (("MUST", 1.0), ("SHOULD", SHOULD_SHARE), ("control", 1.0)):
        group = [trial for trial in trials if trial.level == level]
        if sum(trial.is_right for trial in group) < share * len(group):
            return ExitCode.VIOLATION
    return ExitCode.VIOLATION if missing else ExitCode.CONFORMANT


def red_without_fault(trials: Sequence[Trial]) -> list[str]:
    """Return the cases that find in the reference as it is what they find in a mutant."""
    return sorted({case for trial in trials for case in trial.red})


def _place(clause: str | None, step: int | None) -> str:
    if clause is None:
        return "control"
    return clause if step is None else f"{clause}.{step}"


def _write_trial(trial: Trial, stream: TextIO, *, colour: bool) -> None:
    """Write one line of the matrix, more where the suite did not do as it should."""
    word = "ERROR" if trial.fault else "killed" if trial.killers else "survived"
    shown = f"{word:8}"
    if colour:
        shown = f"\x1b[{32 if trial.is_right else 31}m{shown}\x1b[0m"
    by = f"  by {trial.killers[0].case}" if trial.killers else ""
    mark = " " if trial.is_right else "!"
    place = _place(trial.clause, trial.step)
    stream.write(f"{mark} {shown} {place:10} {trial.name}{by}  ({trial.seconds:.2f} s)\n")
    if not trial.is_right:
        stream.write(f"    {trial.about}; {trial.cases} cases were run\n")
        for killer in trial.killers[:5]:
            stream.write(f"    {killer.case} [{killer.clause}]\n")
            stream.write(f"      expected {killer.expected[:300]}\n      got {killer.got[:300]}\n")
        stream.writelines(f"    {line}\n" for line in trial.fault.splitlines())
    stream.flush()


def _write_summary(
    trials: Sequence[Trial], missing: Sequence[str], seconds: float, stream: TextIO
) -> None:
    areas: dict[str, Counter[str]] = {}
    for trial in trials:
        area = "control" if trial.clause is None else trial.clause.partition("-")[0]
        areas.setdefault(area, Counter()).update(["tried", "right"][: 1 + trial.is_right])
    stream.write("\narea       tried  as it should\n")
    for area, count in sorted(areas.items()):
        stream.write(f"{area:10} {count['tried']:5}  {count['right']:5}\n")
    for level, done in (("MUST", "killed"), ("SHOULD", "killed"), ("control", "survived")):
        group = [trial for trial in trials if trial.level == level]
        right = sum(trial.is_right for trial in group)
        stream.write(f"{level}: {right} of {len(group)} {done}\n")
    red = red_without_fault(trials)
    if red:
        stream.write(f"red without a fault too, and so no proof: {', '.join(red)}\n")
    if missing:
        stream.write(f"no mutant breaks: {', '.join(missing)}\n")
    stream.write(f"{len(trials)} trials in {seconds:.1f} s\n")


def write_matrix(
    path: Path, trials: Sequence[Trial], missing: Sequence[str], seconds: float, code: ExitCode
) -> None:
    """Write the kill matrix as JSON."""
    document = {
        "version": 1,
        "exit_code": int(code),
        "seconds": round(seconds, 2),
        "clauses_without_mutant": list(missing),
        "red_without_fault": red_without_fault(trials),
        "trials": [
            {**asdict(trial), "seconds": round(trial.seconds, 3), "is_right": trial.is_right}
            for trial in trials
        ],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
