"""Mutants are well-made: each breaks a clause that there is, at a place that there is."""

import pytest

from wireflight_conformance.cases import load_cases
from wireflight_conformance.clauses import Level, load, read_unmutated, spec_folder
from wireflight_conformance.corpus import load_vectors
from wireflight_conformance.modes.selftest import audit_mutants, clauses_without_mutant
from wireflight_conformance.mutants import Mutant, load_mutants
from wireflight_conformance.mutants.changing import changed

MUTANTS = load_mutants()


def unmutated() -> dict[str, str]:
    """Return the reasons why clauses have no mutant."""
    return read_unmutated((spec_folder() / "exclusions.toml").read_text(encoding="utf-8"))


def test_mutants_break_every_clause_that_a_target_can_break() -> None:
    """A MUST or SHOULD without a mutant has a reason, and nothing has both."""
    assert clauses_without_mutant(MUTANTS.values()) == []
    assert audit_mutants(MUTANTS.values(), load(), unmutated()) == []


def test_audit_names_clauses_without_a_mutant() -> None:
    """Without its mutants a clause is missing; a stale reason and an unknown id are faults."""
    others = [m for m in MUTANTS.values() if m.clause not in ("UPD-4", "VER-4")]
    assert clauses_without_mutant(others) == ["UPD-4", "VER-4"]
    unknown = Mutant("x.y", "UPD-99", "breaks what is not there", wrap=lambda app: app)
    assert audit_mutants([unknown], load(), {"AAA-1": "a", "MAN-2": "b"}) == [
        "AAA-1 is in [mutants] but is no clause",
        "a mutant breaks UPD-99, which is no clause",
    ]
    known = Mutant("x.y", "MAN-2", "breaks it", wrap=lambda app: app)
    faults = audit_mutants([known], load(), {"MAN-2": "b"})
    assert faults == ["MAN-2 is in [mutants] and has a mutant"]


def test_mutants_are_made_in_one_way_each() -> None:
    """A mutant wraps, patches or disguises, and says in a sentence what is wrong."""
    for mutant in MUTANTS.values():
        ways = [mutant.wrap, mutant.patch, mutant.disguise]
        assert sum(way is not None for way in ways) == 1, mutant.name
        assert len(mutant.about.split()) >= 2, mutant.name
        assert mutant.disguise is None or mutant.aim == "codec", mutant.name


def test_mutants_of_one_clause_are_told_apart() -> None:
    """No two mutants of a clause are described by the same words."""
    told = [(m.aim, m.clause, m.step, m.about) for m in MUTANTS.values()]
    assert len(set(told)) == len(told)


def test_mutants_of_a_server_have_cases_of_their_clause() -> None:
    """A server mutant can only be killed by a case that cites its clause."""
    cited = {clause for case in load_cases().values() for clause in case.clauses}
    for mutant in MUTANTS.values():
        if mutant.clause is not None and mutant.aim == "server":
            assert mutant.clause in cited, mutant.name


def test_steps_of_algorithms_have_a_mutant_each() -> None:
    """Each step that a server shows by itself is broken by a mutant of its own."""
    broken = {(m.clause, m.step) for m in MUTANTS.values()}
    steps = {"HTTP-9": 3, "REQ-3": 7, "SEC-2": 3, "KEY-5": 4}
    for clause, count in steps.items():
        assert {(clause, step) for step in range(1, count + 1)} <= broken
    # step 5 of PLAIN-1 is that of the limits: LIM-1
    assert {("PLAIN-1", step) for step in (1, 2, 3, 4, 6, 7)} <= broken
    vectors = {name for vector in load_vectors() for name in vector.req}
    for clause, step in broken:
        if step is not None and clause == "PAY-6":
            assert f"{clause}.{step}" in vectors


def test_controls_are_many_and_break_nothing() -> None:
    """There are at least fifteen, and one is the reference as it is."""
    controls = [m for m in MUTANTS.values() if m.is_control]
    assert len(controls) >= 15
    assert "controls.reference" in MUTANTS


def test_levels_of_mutants_are_must_or_should() -> None:
    """A MAY cannot be broken."""
    levels = {load()[m.clause].level for m in MUTANTS.values() if m.clause}
    assert levels == {Level.MUST, Level.SHOULD}


@pytest.mark.parametrize(
    "name", [name for name, mutant in MUTANTS.items() if mutant.patch is not None]
)
def test_patch_finds_its_place_and_leaves_it_as_it_was(name: str) -> None:
    """Whatever a patch changes is there, and is back afterwards: two in a row are as one."""
    made = MUTANTS[name].patch
    assert made is not None
    for _ in range(2):
        with made():
            pass


def test_changed_refuses_a_path_that_leads_nowhere() -> None:
    """When the reference changes, its mutants are red and not without effect."""
    for path in (
        "wireflight.exchange.checks.STAGES.nothing",
        "wireflight.exchange.checks.nothing",
        "wireflight.nothing.at_all",
        "nothing.at.all",
    ):
        with pytest.raises(AttributeError), changed(path, lambda original: original):
            pass


def test_changed_restores_after_an_exception() -> None:
    """A trial that fails leaves the reference as it was."""
    from wireflight.exchange import checks

    def fail_within() -> None:
        with (
            changed("wireflight.exchange.checks.STAGES.host", lambda _: None),
            changed("wireflight.exchange.checks.admit", lambda _: None),
        ):
            assert checks.STAGES["host"] is None
            raise LookupError

    before = checks.STAGES["host"], checks.admit
    with pytest.raises(LookupError):
        fail_within()
    assert (checks.STAGES["host"], checks.admit) == before
