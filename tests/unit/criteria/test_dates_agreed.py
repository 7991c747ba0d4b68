"""Times that start with a date set beforehand: what comes before it is early, and no fault."""

from typing import Any

from shared.criteria import Case, CaseReason, CaseStatus, CaseVerdict, Part
from tests.unit.criteria.builders import case, judged, paused, wait
from tests.unit.worktime.calendars import local

AGREED = {"visit_scheduled": "2026-07-01 09:00", "visit_scheduled_for": "2026-07-06 09:00"}


def visit(limit: dict[str, Any] | None = None, **clock: Any) -> Part:
    """Done on the day agreed, or up to two days after it."""
    told = {
        "start": {"event": "visit.scheduled_for"},
        "stop": {"event": "visit.done"},
        "unit": "dia_natural",
        "calendar": "HAB-GRAL",
        "from_due": True,
        **clock,
    }
    return wait(
        population={"event": "visit.scheduled", "anchor": "due"},
        clock=told,
        limit=limit or {"op": "<=", "value": 2},
    )


def done(at: str, **changes: Any) -> Case:
    return case(**AGREED, visit_done=at, **changes)


# The 6th is day 0: the term ends with the 8th.
END = local("2026-07-09")
LAST_MOMENT = local("2026-07-08 23:59:59.999999")
KEPT = CaseVerdict(CaseStatus.MET, None, LAST_MOMENT, END, END, 0)


def test_what_is_early_took_nothing_and_keeps_its_date() -> None:
    assert judged(visit(), done("2026-07-03 12:00")) == KEPT
    assert judged(visit(), done("2026-07-08 12:00")) == KEPT._replace(amount=2)
    late = KEPT._replace(status=CaseStatus.FAILED, amount=3)
    assert judged(visit(), done("2026-07-09 00:00")) == late


def test_where_the_very_day_is_promised_a_day_early_is_not_kept() -> None:
    # 23:59 of the 5th is the 6th in UTC.
    exact = visit(exact_day=True)
    early = KEPT._replace(status=CaseStatus.FAILED)
    assert judged(exact, done("2026-07-05 23:59")) == early
    assert judged(exact, done("2026-07-06 00:00")) == KEPT
    assert judged(exact, done("2026-07-06 09:00")) == KEPT


def test_a_stop_before_another_start_is_a_fault() -> None:
    verdict = judged(
        visit(from_due=False, start_rule="next_counting_day"), done("2026-07-05 12:00")
    )
    fault = KEPT._replace(status=CaseStatus.EXCLUDED, reason=CaseReason.STOP_BEFORE_START)
    assert verdict == fault._replace(amount=None)


def test_what_ended_early_ended_its_pauses_too() -> None:
    rain = (paused("lluvia", "2026-07-03 12:00", None),)
    paused_then_done = done("2026-07-04 12:00", pauses=rain)
    assert judged(visit(pauses=["lluvia"]), paused_then_done) == KEPT
    months = visit({"op": "<", "value": 1}, pauses=["lluvia"], unit="mes")
    assert judged(months, paused_then_done).status is CaseStatus.MET
