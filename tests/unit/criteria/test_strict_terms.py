"""Less than some months, and pauses that began too late to stop the clock."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.criteria import Part, term_of
from shared.criteria.verdict import CaseStatus
from shared.worktime import Rule, count_days, parse_rule
from shared.worktime.words import term_words
from tests.unit.criteria.builders import GENERAL, answer, case, judged, measure, paused
from tests.unit.worktime.calendars import ZONE, local

CLOCK: dict[str, Any] = {
    "start": {"event": "request.received"},
    "stop": {"event": "request.resolved"},
    "unit": "dia_habil",
    "calendar": "HAB-GRAL",
}


def within_months(op: str, limit: int) -> Part:
    return answer(clock=CLOCK | {"unit": "mes"}, limit={"op": op, "value": limit})


def preventing(term: float) -> Part:
    """Answered within 3 working days; the right to ask for more is lost after `term`."""
    return answer(clock=CLOCK | {"pauses": ["prevencion"], "pause_terms": {"prevencion": term}})


@pytest.mark.parametrize(
    ("op", "stop", "status"),
    [
        # From the 10th of February, two months are complete on the 10th of April.
        ("<", "2026-04-09 23:59", CaseStatus.MET),
        ("<", "2026-04-10 00:00", CaseStatus.FAILED),
        ("<=", "2026-04-10 23:59", CaseStatus.MET),
        ("<=", "2026-04-11 00:00", CaseStatus.FAILED),
    ],
)
def test_less_than_two_months_ends_the_day_before_they_are_complete(
    op: str, stop: str, status: CaseStatus
) -> None:
    verdict = judged(
        within_months(op, 2), case(request_received="2026-02-10 09:00", request_resolved=stop)
    )
    assert verdict.status is status


def test_an_open_case_is_due_before_the_day_that_completes_its_months() -> None:
    verdict = judged(within_months("<", 2), case(request_received="2026-02-10 09:00"))
    assert verdict.due == verdict.overdue_from == local("2026-04-10 00:00")


def test_while_a_pause_is_open_months_have_no_end() -> None:
    part = answer(
        clock=CLOCK | {"unit": "mes", "pauses": ["prevencion"]}, limit={"op": "<", "value": 2}
    )
    a_case = case(
        request_received="2026-02-10 09:00",
        pauses=(paused("prevencion", "2026-02-12 09:00", None),),
    )
    assert judged(part, a_case).due is None


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        # Received on Monday the 6th. A pause takes Tuesday and Wednesday: the days are 9, 10, 13.
        ("2026-07-06 09:30", "2026-07-14 00:00"),  # day 0: in time
        ("2026-07-07 23:59", "2026-07-14 00:00"),  # day 1: in time
        ("2026-07-08 00:00", "2026-07-10 00:00"),  # day 2: too late, the days are 7, 8, 9
    ],
)
def test_a_pause_that_began_after_its_own_term_stops_nothing(asked: str, due: str) -> None:
    a_case = case(
        request_received="2026-07-06 09:00",
        pauses=(paused("prevencion", asked, "2026-07-08 12:00"),),
    )
    verdict = judged(preventing(1), a_case)
    assert verdict.due == local(due)
    term = term_of(measure(preventing(1)), a_case, ZONE, GENERAL)
    assert term is not None
    assert bool(term.pauses) is (due != "2026-07-10 00:00")


def test_a_pause_before_the_clock_is_in_time() -> None:
    a_case = case(
        request_received="2026-07-06 09:00",
        pauses=(paused("prevencion", "2026-07-03 09:00", "2026-07-07 12:00"),),
    )
    assert judged(preventing(0), a_case).due == local("2026-07-11 00:00")


def test_a_term_to_pause_belongs_to_a_pause() -> None:
    with pytest.raises(ValidationError, match="belongs to a pause"):
        answer(clock=CLOCK | {"pause_terms": {"prevencion": 5}})


@pytest.mark.parametrize(
    ("unit", "limit", "received", "due"),
    [
        # Two months of 6 July end with 6 September, a Sunday, so with Monday 7: the day before.
        ("mes", "2", "2026-07-06 09:00", "2026-09-07 00:00"),
        ("mes", "1", "2026-07-06 09:00", "2026-08-06 00:00"),
        ("dia_habil", "3", "2026-07-06 09:00", "2026-07-09 00:00"),
        ("dia_natural", "3", "2026-07-10 09:00", "2026-07-13 00:00"),
        ("h", "2", "2026-07-06 09:00", "2026-07-06 11:00"),
    ],
)
def test_less_than_a_term_is_counted_to_the_end_of_the_verdict(
    unit: str, limit: str, received: str, due: str
) -> None:
    part = answer(clock=CLOCK | {"unit": unit}, limit={"op": "<", "value": limit})
    a_case = case(request_received=received)
    term = term_of(measure(part), a_case, ZONE, GENERAL)
    assert term is not None
    rule = Rule(term.limit, term.unit, term.start_rule, term.below)
    assert rule == parse_rule(f"< {limit} {unit}")
    count = count_days(term.start, rule, GENERAL, term.pauses)
    assert (count.due, judged(part, a_case).due) == (local(due), local(due))
    assert term_words(count).startswith("menos de ")
    if unit not in ("h", "mes"):
        assert count.days[-1].total == int(limit) - 1


def test_a_case_without_a_start_or_a_limit_has_no_term_to_count() -> None:
    own = answer(limit={"op": "<=", "own_due": True})
    by_kind = answer(limit={"op": "<=", "by": "tipo", "values": {"a": 3}})
    received = case(request_received="2026-07-06 09:00")
    for part, a_case in ((own, received), (by_kind, received), (answer(), case())):
        assert term_of(measure(part), a_case, ZONE, GENERAL) is None


def test_a_stop_before_the_start_leaves_the_term_running() -> None:
    a_case = case(request_received="2026-07-06 09:00", request_resolved="2026-07-05 09:00")
    term = term_of(measure(answer()), a_case, ZONE, GENERAL)
    assert term is not None
    assert (term.start, term.stop) == (local("2026-07-06 09:00"), None)
