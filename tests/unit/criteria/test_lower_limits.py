"""What must last long enough counts as soon as it has, whether or not it has ended."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.criteria import CasePause, CaseReason, CaseStatus, Part, judge_case
from shared.worktime import PreparedCalendar
from tests.unit.criteria.builders import (
    GENERAL,
    case,
    counter,
    happening,
    judged,
    measure,
    paused,
    wait,
)
from tests.unit.worktime.calendars import ZONE, local

START = "2026-09-04 14:00"
KINDS = {
    "start": {"event": "appointment.started"},
    "stop": {"event": "appointment.ended"},
    "calendar": "HAB-GRAL",
    "pauses": ["receso"],
}


def lasting(op: str, value: str, unit: str) -> Part:
    return wait(
        population={"event": "appointment.started", "anchor": "occurred"},
        clock={**KINDS, "unit": unit},
        limit={"op": op, "value": value},
    )


@pytest.mark.parametrize(
    ("op", "value", "unit", "first"),
    [
        (">=", "0", "min", "2026-09-04 14:00:00"),
        (">=", "50", "min", "2026-09-04 14:50:00"),
        (">", "50", "min", "2026-09-04 14:50:00.000001"),
        # The office closes on Friday at 18:00 and opens on Monday at 9:00.
        (">=", "4", "h_habil", "2026-09-04 18:00:00"),
        (">", "4", "h_habil", "2026-09-07 09:00:00.000001"),
        # Day 1 is Monday; a second day has begun to count on Tuesday.
        (">=", "1", "dia_habil", "2026-09-05 00:00:00"),
        (">", "1", "dia_habil", "2026-09-08 00:00:00"),
        (">=", "2", "dia_habil", "2026-09-08 00:00:00"),
        (">=", "1.5", "dia_natural", "2026-09-06 00:00:00"),
        (">=", "1", "mes", "2026-09-05 00:00:00"),
    ],
)
def test_an_open_case_is_kept_from_the_very_instant(
    op: str, value: str, unit: str, first: str
) -> None:
    part, session = lasting(op, value, unit), case(appointment_started=START)
    before = local(first) - timedelta(microseconds=1)
    kept = judged(part, session, known=first)
    assert (kept.status, kept.reason, kept.overdue_open) == (
        CaseStatus.MET,
        CaseReason.OPEN,
        False,
    )
    assert kept.overdue_from == local(first)
    waiting = judge_case(measure(part), session, GENERAL, zone=ZONE, complete_through=before)
    assert waiting is not None
    assert waiting.status is CaseStatus.PENDING


@given(
    op=st.sampled_from([">", ">="]),
    value=st.sampled_from(["0", "0.3333333", "1", "2.5", "7", "90"]),
    unit=st.sampled_from(["s", "min", "h", "min_habil", "h_habil", "dia_habil", "dia_natural"]),
    after=st.integers(0, 20 * 24 * 3600 * 4).map(lambda quarter: timedelta(seconds=quarter / 4)),
    pause=st.none() | st.tuples(st.integers(4, 12), st.integers(13, 20)),
)
def test_it_is_kept_exactly_when_it_would_be_had_it_ended_now(
    op: str, value: str, unit: str, after: timedelta, pause: tuple[int, int] | None
) -> None:
    part, known = lasting(op, value, unit), local(START) + after
    spans: tuple[CasePause, ...] = ()
    if pause is not None:
        first, last = (f"2026-09-{day:02} 15:00" for day in pause)
        spans = (paused("receso", first, last),) if local(first) <= known else ()
    session = case(appointment_started=START, pauses=spans)
    ended = happening(session, "appointment.ended", known)

    def status(a_case: Any, calendar: PreparedCalendar = GENERAL) -> CaseStatus:
        verdict = judge_case(measure(part), a_case, calendar, zone=ZONE, complete_through=known)
        assert verdict is not None
        return verdict.status

    assert (status(session) is CaseStatus.MET) == (status(ended) is CaseStatus.MET)


def test_a_mean_that_must_be_long_has_nothing_to_add_up_before_the_end() -> None:
    slow = counter(target={"op": ">=", "value": 6, "unit": "min"})
    verdict = judged(slow, case(service_started=START))
    assert (verdict.status, verdict.amount) == (CaseStatus.PENDING, None)
