"""The self-test is red where it has to be, and its exit codes say how."""

import json
from pathlib import Path

import pytest

from wireflight_conformance.cli import main
from wireflight_conformance.engine import ExitCode
from wireflight_conformance.modes.selftest import exit_code, red_without_fault, write_matrix
from wireflight_conformance.mutants import Mutant, load_mutants
from wireflight_conformance.mutants import trials as module
from wireflight_conformance.mutants.rewriting import Sent, rewriting
from wireflight_conformance.mutants.trials import Killer, Trial, run_trials

KILLER = Killer("updates.a_case", "UPD-4", "this", "that")


def trial(level: str, *, killed: bool, fault: str = "", red: tuple[str, ...] = ()) -> Trial:
    """Return a trial."""
    clause = None if level == "control" else "UPD-4"
    killers = (KILLER,) if killed else ()
    return Trial("a.b", clause, None, "does this", level, killers, 1, 0.1, red, fault)


@pytest.mark.parametrize(
    ("trials", "missing", "code"),
    [
        ([trial("MUST", killed=True), trial("control", killed=False)], [], ExitCode.CONFORMANT),
        ([trial("MUST", killed=False)], [], ExitCode.VIOLATION),
        ([trial("control", killed=True)], [], ExitCode.VIOLATION),
        ([trial("MUST", killed=True)], ["UPD-5"], ExitCode.VIOLATION),
        ([trial("MUST", killed=True, red=("updates.x",))], [], ExitCode.VIOLATION),
        ([trial("MUST", killed=True, fault="it did not start")], [], ExitCode.SUITE_ERROR),
        (
            [trial("SHOULD", killed=True)] * 9 + [trial("SHOULD", killed=False)],
            [],
            ExitCode.CONFORMANT,
        ),
        (
            [trial("SHOULD", killed=True)] * 8 + [trial("SHOULD", killed=False)],
            [],
            ExitCode.VIOLATION,
        ),
    ],
)
def test_exit_code_follows_its_table(
    trials: list[Trial], missing: list[str], code: ExitCode
) -> None:
    """All of a MUST, nine in ten of a SHOULD, no control, no clause without a mutant."""
    assert exit_code(trials, missing) is code


def test_matrix_is_json_with_a_row_for_each_trial(tmp_path: Path) -> None:
    """A reader of the file sees every trial, and whether it is as it should be."""
    path = tmp_path / "matrix.json"
    tried = [trial("MUST", killed=True), trial("control", killed=True, red=("x.y",))]
    write_matrix(path, tried, ["UPD-5"], 1.0, ExitCode.VIOLATION)
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["version"] == 1
    assert document["exit_code"] == 1
    assert document["clauses_without_mutant"] == ["UPD-5"]
    assert document["red_without_fault"] == ["x.y"] == red_without_fault(tried)
    assert [row["is_right"] for row in document["trials"]] == [True, False]
    assert document["trials"][0]["killers"][0]["case"] == "updates.a_case"


def test_selftest_lists_and_refuses_unknown_names(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` starts nothing; a name that nothing has is no success."""
    assert main(["selftest", "--list", "--only", "VER-4"]) == ExitCode.CONFORMANT
    assert "versions.other_builds" in capsys.readouterr().out
    assert main(["selftest", "--only", "no.such.mutant"]) == ExitCode.NOTHING_RAN


def _registered(monkeypatch: pytest.MonkeyPatch, *mutants: Mutant) -> None:
    known = {**load_mutants(), **{mutant.name: mutant for mutant in mutants}}
    monkeypatch.setattr(module, "load_mutants", lambda: known)


def test_trial_kills_by_the_broken_clause_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that breaks one clause is not found by the cases of another."""

    def no_vary(sent: Sent) -> None:
        sent.drop("vary")

    right = Mutant("t.vary", "SEC-5", "sends no Vary", wrap=lambda app: rewriting(app, no_vary))
    wrong = Mutant("t.build", "MAN-3", "sends no Vary", wrap=lambda app: rewriting(app, no_vary))
    _registered(monkeypatch, right, wrong)
    (killed,), (survived,) = run_trials(["t.vary"]), run_trials(["t.build"])
    assert killed.is_right
    assert [killer.clause for killer in killed.killers] == ["SEC-5"]
    assert not survived.is_right
    assert not survived.killers


def test_trial_survives_if_the_mutant_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference as it is breaks no clause, so no case kills it."""
    _registered(monkeypatch, Mutant("t.idle", "VER-6", "does nothing", wrap=lambda app: app))
    (survived,) = run_trials(["t.idle"])
    assert not survived.killers
    assert survived.cases > 0
    assert not survived.is_right


def test_trial_is_an_error_if_its_edit_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that breaks by its own mistake is no fault that a case has found."""

    def stumble(sent: Sent) -> None:
        if sent.status >= 400:
            raise LookupError("a mistake of the mutant")

    made = Mutant("t.stumble", "ERR-6", "stumbles", wrap=lambda app: rewriting(app, stumble))
    _registered(monkeypatch, made)
    (tried,) = run_trials(["t.stumble"])
    assert "a mistake of the mutant" in tried.fault
    assert exit_code([tried], []) is ExitCode.SUITE_ERROR


def test_trial_is_an_error_if_its_patch_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A patch of what is no longer there is red."""
    from wireflight_conformance.mutants.changing import replaced

    made = Mutant("t.lost", "ERR-6", "is lost", patch=lambda: replaced("wireflight.errors.gone", 1))
    _registered(monkeypatch, made)
    (tried,) = run_trials(["t.lost"])
    assert "the reference has no wireflight.errors.gone" in tried.fault
    assert exit_code([tried], []) is ExitCode.SUITE_ERROR
