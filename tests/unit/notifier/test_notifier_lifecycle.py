from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.lifecycle import (
    LEGAL,
    RESULT,
    Actor,
    Outcome,
    Step,
    may_take,
    outcome,
)
from shared.contracts.cartas import Role
from shared.contracts.corrective_actions import ActionState

CHAIN = ("ventanilla", "tesoreria")


def walk(steps: list[tuple[Step, str]]) -> list[ActionState]:
    """Follow steps (with their content) as the service does; return every state reached."""
    state, acknowledged, last = ActionState.REQUESTED, False, None
    states = [state]
    for step in steps:
        decided = outcome(step[0], state, same_as_last=step == last, acknowledged=acknowledged)
        if decided is Outcome.TAKE:
            state, last = RESULT[step[0]][0], step
            acknowledged = acknowledged or step[0] in (Step.ACKNOWLEDGE, Step.FILE)
        states.append(state)
    return states


steps = st.tuples(st.sampled_from(Step), st.sampled_from(["a", "b"]))


@given(st.lists(steps, max_size=12))
def test_a_step_taken_twice_changes_what_once_changes(taken: list[tuple[Step, str]]) -> None:
    twice = [step for step in taken for _ in range(2)]

    assert walk(twice)[-1] == walk(taken)[-1]


@given(st.lists(steps, max_size=12))
def test_nothing_is_approved_that_was_not_filed(taken: list[tuple[Step, str]]) -> None:
    states = walk(taken)
    for before, after in pairwise(states):
        if after is ActionState.APPROVED and before is not ActionState.APPROVED:
            assert before is ActionState.FILED


@given(st.lists(steps, max_size=12), st.lists(steps, max_size=6))
def test_an_approved_action_stays_approved(
    taken: list[tuple[Step, str]], further: list[tuple[Step, str]]
) -> None:
    states = walk([*taken, *further])
    if ActionState.APPROVED in states:
        assert states[-1] is ActionState.APPROVED


def test_only_a_filed_action_is_approved_or_returned() -> None:
    judged = [state for state, legal in LEGAL.items() if Step.APPROVE in legal]

    assert judged == [ActionState.FILED]
    assert Step.RETURN in LEGAL[ActionState.FILED]


def test_other_content_in_the_same_state_is_another_step() -> None:
    assert walk([(Step.FILE, "a"), (Step.FILE, "b")])[-1] is ActionState.FILED
    again = outcome(Step.FILE, ActionState.FILED, same_as_last=False, acknowledged=True)
    assert again is Outcome.ILLEGAL


def test_a_late_acknowledgement_is_answered_as_a_repeat() -> None:
    late = outcome(Step.ACKNOWLEDGE, ActionState.APPROVED, same_as_last=False, acknowledged=True)

    assert late is Outcome.REPEATED


def test_a_unit_files_for_itself_and_for_units_under_it_only() -> None:
    assert may_take(Step.FILE, Actor("enlace", Role.UNIT, "ventanilla"), CHAIN)
    assert may_take(Step.FILE, Actor("direccion", Role.UNIT, "tesoreria"), CHAIN)
    assert not may_take(Step.FILE, Actor("otro", Role.UNIT, "obras"), CHAIN)
    assert not may_take(Step.FILE, Actor("sin_unidad", Role.UNIT, None), CHAIN)


def test_only_the_coordination_approves_and_returns() -> None:
    for step in (Step.APPROVE, Step.RETURN):
        assert may_take(step, Actor("coordinacion", Role.COORDINATION, None), CHAIN)
        for role in (Role.UNIT, Role.CONTRALORIA, Role.ADMINISTRATOR):
            assert not may_take(step, Actor("p", role, "ventanilla"), CHAIN)
