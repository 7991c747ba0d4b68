from datetime import timedelta
from typing import Any

import pytest

from services.measurements.domain.checks import Reason, check
from services.measurements.domain.contests import Hindrance, Standing, Step, decider, decision_id
from services.measurements.domain.registration import Registration
from shared.contracts import hot
from shared.criteria import ContestReason
from tests.unit.measurements.builders import NOON, QUEUE, source

FORCE_MAJEURE = ContestReason.FORCE_MAJEURE.value
DECIDER = decider("nogal")


def excluded(uri: str, reason: str | None = FORCE_MAJEURE, **more: Any) -> hot.ServiceEvent:
    data = hot.ServiceEventData(
        municipality="nogal", case="A-17", service="RC-ACTAS", reason=reason, **more
    )
    return hot.ServiceEvent(id="e1", source=uri, type="case.excluded", time=NOON, data=data)


@pytest.mark.parametrize("name", list(ContestReason))
def test_no_emitter_may_say_what_only_the_coordination_decides(name: ContestReason) -> None:
    refusal = check(excluded(QUEUE, name.value), source(), NOON)
    assert refusal is not None
    assert (refusal.reason, refusal.field) == (Reason.RESERVED_EXCLUSION, "data.reason")
    assert check(excluded(QUEUE, "turno_duplicado"), source(), NOON) is None


def test_the_source_of_decisions_says_nothing_else() -> None:
    ours = source(uri=DECIDER, services=frozenset("*"), decides=True)
    assert check(excluded(DECIDER), ours, NOON) is None
    refusal = check(excluded(DECIDER, "turno_duplicado"), ours, NOON)
    assert refusal is not None
    assert refusal.reason is Reason.NOT_DECIDED


def test_nobody_registers_the_source_of_decisions() -> None:
    fields = {"municipality": "nogal", "services": ["*"], "reports": ["*"]}
    with pytest.raises(ValueError, match="the service's own"):
        Registration.model_validate({"uri": DECIDER, **fields})
    assert Registration.model_validate({"uri": QUEUE, **fields}).uri == QUEUE


@pytest.mark.parametrize(
    ("step", "seconds", "excluded", "hindrance"),
    [
        (Step.ACCEPT, -1, False, None),
        (Step.ACCEPT, 0, False, Hindrance.PAST_CUTOFF),
        (Step.ACCEPT, 1, False, Hindrance.PAST_CUTOFF),
        (Step.ACCEPT, -1, True, Hindrance.ALREADY_EXCLUDED),
        (Step.TAKE_BACK, -1, True, None),
        (Step.TAKE_BACK, -1, False, None),
        (Step.TAKE_BACK, 0, True, Hindrance.PAST_CUTOFF),
    ],
)
def test_a_case_is_taken_out_and_back_in_before_the_cut_off_only(
    step: Step, *, seconds: int, excluded: bool, hindrance: Hindrance | None
) -> None:
    standing = Standing(NOON, excluded)
    assert standing.hindrance(step, NOON + timedelta(seconds=seconds)) is hindrance


def test_each_decision_is_an_event_of_its_own() -> None:
    decisions = [(1, Step.ACCEPT), (1, Step.TAKE_BACK), (2, Step.ACCEPT)]
    one, other = (
        {decision_id(number, "nogal", step, decided_at=NOON) for number, step in order}
        for order in (decisions, decisions[::-1])
    )
    assert one == other
    assert len(one) == 3
