"""The books of a refresh phase."""

import pytest

from wireflight import messages
from wireflight.exchange.codes import ErrorCode, error_body
from wireflight.exchange.phase import (
    MAX_ROUNDS,
    RefreshPhase,
    given_invalidations,
    stale_updates,
)
from wireflight.functions import RequestedKey
from wireflight.functions.updates import (
    Instruction,
    Invalidate,
    InvalidateAll,
    InvalidateFunction,
    Plan,
    Refresh,
    RefusalReason,
    Reset,
    SetValue,
    Unaccepted,
    Updates,
)


def plan(*instructions: Instruction) -> Plan:
    made = Plan()
    made.follow(instructions)
    return made


def refresh(key: str) -> Refresh:
    return Refresh(key, None)


def run(phase: RefreshPhase) -> list[list[str]]:
    """Run every round, each key with its own name for a value."""
    rounds = []
    while round_ := phase.next_round():
        rounds.append([one.key for one in round_])
        for one in round_:
            phase.record(messages.SetValue(one.key, one.key, "p.1"))
    return rounds


def test_plan_lets_the_last_instruction_for_a_key_win() -> None:
    """Refresh, set and invalidate replace each other in the order given."""
    orders = [
        (refresh("k/"), SetValue("k/", 1)),
        (SetValue("k/", 1), refresh("k/")),
        (refresh("k/"), Invalidate("k/")),
        (Invalidate("k/"), refresh("k/")),
        (SetValue("k/", 1), SetValue("k/", 2)),
    ]
    for first, last in orders:
        assert plan(first, last).by_key == {"k/": last}


def test_plan_keeps_keys_apart_from_functions_and_from_everything() -> None:
    """Invalidating a function or all, and a reset, are no instruction for a key."""
    made = plan(refresh("k/"), InvalidateFunction("k"), InvalidateAll(), Reset(), SetValue("l/", 1))
    assert list(made.by_key) == ["k/", "l/"]
    assert (made.is_reset, made.invalidates_all, list(made.function_ids)) == (True, True, ["k"])


def test_plan_lets_a_handlers_own_word_stand_over_a_refusal() -> None:
    """A key that fell through an acceptance but was named has the outcome of its name."""
    fallen = Unaccepted("k/", RefusalReason.REFRESH_LIMIT)
    assert plan(fallen, refresh("k/")).by_key == {"k/": refresh("k/")}
    assert plan(refresh("k/"), fallen).by_key == {"k/": refresh("k/")}
    assert plan(fallen).by_key == {"k/": fallen}


def test_phase_orders_updates_and_names_each_key_once() -> None:
    """A reset comes first, then what is stale, then the keys as the handler named them."""
    made = plan(
        refresh("b/"), InvalidateFunction("f"), SetValue("a/", 1), Invalidate("c/"), Reset(),
        InvalidateAll(), InvalidateFunction("f"), refresh("b/"),
    )  # fmt: skip
    phase = RefreshPhase(made, [])
    assert run(phase) == [["b/"]]
    (given,) = phase.values_set()
    phase.record(messages.SetValue(given.key, given.value, "p.3", "p.2"))
    assert phase.updates() == [
        messages.Reset(),
        messages.InvalidateAll(),
        messages.InvalidateFunction("f"),
        messages.SetValue("b/", "b/", "p.1"),
        messages.SetValue("a/", 1, "p.3", "p.2"),
        messages.InvalidateKey("c/"),
    ]


def test_phase_accounts_for_every_requested_key() -> None:
    """Keys that nobody accepted are ignored, and those that never could be fail."""
    asked = [
        RequestedKey("x", refusal=RefusalReason.INVALID_KEY),
        RequestedKey("a/"),
        RequestedKey("b/"),
        RequestedKey("c/W", refusal=RefusalReason.TOO_DEEP, limit="depth", position="entry 1"),
    ]
    phase = RefreshPhase(plan(refresh("a/")), asked)
    run(phase)
    too_deep = error_body(ErrorCode.TOO_DEEP, limit="depth", position="entry 1")
    assert phase.updates() == [
        messages.SetValue("a/", "a/", "p.1"),
        messages.Fail("x", error_body(ErrorCode.INVALID_KEY)),
        messages.Ignore("b/"),
        messages.Fail("c/W", too_deep),
    ]


def test_phase_fails_keys_without_an_outcome() -> None:
    """What is not evaluated when the phase is over took too long."""
    phase = RefreshPhase(plan(refresh("a/"), refresh("b/")), [])
    phase.next_round()
    phase.record(messages.SetValue("a/", 1, "p.1"))
    timeout = error_body(ErrorCode.HANDLER_TIMEOUT)
    assert phase.updates()[1] == messages.Fail("b/", timeout)


def test_phase_runs_a_key_once_and_new_ones_in_the_next_round() -> None:
    """A refreshed query that refreshes others is followed; a circle ends."""
    phase = RefreshPhase(plan(refresh("a/"), SetValue("s/", 1)), [RequestedKey("r/")])
    rounds = []
    while round_ := phase.next_round():
        rounds.append([one.key for one in round_])
        phase.follow([refresh("a/"), refresh("b/"), refresh("s/"), refresh("r/")])
        for one in round_:
            phase.record(messages.SetValue(one.key, one.key, "p.1"))
    assert rounds == [["a/"], ["b/", "s/", "r/"]]
    assert [update.key for update in phase.updates()] == ["a/", "s/", "b/", "r/"]
    assert all(isinstance(update, messages.SetValue) for update in phase.updates())


def test_phase_ends_after_eight_rounds() -> None:
    """A key that is first named in the eighth round fails with the limit."""
    phase = RefreshPhase(plan(refresh("k0/")), [])
    rounds = 0
    while round_ := phase.next_round():
        rounds += 1
        for one in round_:
            phase.record(messages.SetValue(one.key, rounds, "p.1"))
        phase.follow([refresh(f"k{rounds}/")])
    assert rounds == MAX_ROUNDS == 8
    updates = phase.updates()
    assert len(updates) == 9
    assert updates[8] == messages.Fail("k8/", error_body(ErrorCode.REFRESH_LIMIT))


def test_phase_takes_nothing_but_refreshes_from_queries() -> None:
    """Other instructions are no query's to give."""
    phase = RefreshPhase(plan(), [])
    phase.follow([SetValue("a/", 1), Reset(), InvalidateAll()])
    assert phase.updates() == []
    assert not phase.has_refreshes


def test_phase_tells_what_is_stale_after_a_result_that_cannot_be_sent() -> None:
    """Every key that was named or requested is stale, and a reset is everything."""
    made = plan(refresh("a/"), SetValue("b/", 1), Invalidate("c/"), InvalidateFunction("f"))
    assert stale_updates(made, [RequestedKey("r/"), RequestedKey("a/")]) == [
        messages.InvalidateFunction("f"),
        *map(messages.InvalidateKey, ["a/", "b/", "c/", "r/"]),
    ]
    for instruction in (Reset(), InvalidateAll()):
        assert stale_updates(plan(instruction), []) == [messages.InvalidateAll()]


def test_phase_keeps_of_a_failed_command_its_invalidations() -> None:
    """An error carries what the handler called stale, whatever followed, and nothing else."""
    made = plan(
        refresh("a/"), Invalidate("c/"), InvalidateFunction("f"), InvalidateAll(), Reset(),
        Invalidate("d/"), refresh("d/"),
    )  # fmt: skip
    assert given_invalidations(made) == [
        messages.InvalidateAll(),
        messages.InvalidateFunction("f"),
        messages.InvalidateKey("c/"),
        messages.InvalidateKey("d/"),
    ]
    assert given_invalidations(plan(Reset())) == []


def test_updates_reject_instructions_after_the_end() -> None:
    """A scope that is closed takes nothing, also from a child."""
    updates = Updates()
    child = Updates(updates)
    child.add(InvalidateAll())
    updates.close()
    with pytest.raises(RuntimeError):
        updates.add(Reset())
    with pytest.raises(RuntimeError):
        updates.absorb(child)
    with pytest.raises(RuntimeError):
        updates.set_cookie("a", b"a=b", value="b")
