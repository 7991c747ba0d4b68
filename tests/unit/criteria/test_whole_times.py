"""Everything that a verdict says of a time; local times lie 6 hours behind UTC."""

from typing import Any

from shared.criteria import (
    BEYOND,
    Case,
    CaseReason,
    CaseStatus,
    CaseVerdict,
    ContestReason,
)
from tests.unit.criteria.builders import answer, case, judged, part, paused, session, wait
from tests.unit.worktime.calendars import local

MINUTE = 60_000_000
ACCEPTED = frozenset({ContestReason.FORCE_MAJEURE.value})
ISSUED, DUE = local("2026-07-06 10:00"), local("2026-07-06 10:15")
ISSUED_AT = {"event": "ticket.issued", "anchor": "occurred"}
IN_TIME = CaseVerdict(CaseStatus.MET, None, DUE, DUE, DUE)


def waited(called: str | None = "10:10", **changes: Any) -> Case:
    events = {} if called is None else {"ticket_called": f"2026-07-06 {called}"}
    return case(ticket_issued="2026-07-06 10:00", **events, **changes)


def test_a_wait_is_kept_late_open_or_overdue() -> None:
    assert judged(wait(), waited()) == IN_TIME._replace(amount=10 * MINUTE)
    late = IN_TIME._replace(status=CaseStatus.FAILED, amount=16 * MINUTE)
    assert judged(wait(), waited("10:16")) == late
    waiting = IN_TIME._replace(status=CaseStatus.PENDING, reason=CaseReason.OPEN)
    assert judged(wait(), waited(None), known="2026-07-06 10:14") == waiting
    overdue = IN_TIME._replace(
        status=CaseStatus.FAILED, reason=CaseReason.OVERDUE_OPEN, overdue_open=True
    )
    assert judged(wait(), waited(None), known="2026-07-06 10:15") == overdue


def test_a_pause_moves_a_term_in_minutes() -> None:
    pausing = wait(
        clock={
            "start": {"event": "ticket.issued"},
            "stop": {"event": "ticket.called"},
            "unit": "min",
            "pauses": ["simulacro"],
        }
    )
    drill = (paused("simulacro", "2026-07-06 10:05", "2026-07-06 10:25"),)
    due = local("2026-07-06 10:35")
    verdict = judged(pausing, waited("10:30", pauses=drill))
    assert verdict == CaseVerdict(CaseStatus.MET, None, due, due, due, 10 * MINUTE)


def test_the_season_of_a_limit_is_that_of_the_local_day_on_which_it_starts() -> None:
    # 23:00 of the 30th of June is already July in UTC.
    summer = {"first": "07-01", "last": "08-31", "value": 60}
    seasonal = wait(limit={"op": "<=", "value": 15, "seasons": [summer]})
    for issued, due in (
        ("2026-06-30 23:00", "2026-06-30 23:15"),
        ("2026-07-01 00:00", "2026-07-01 01:00"),
    ):
        assert judged(seasonal, case(ticket_issued=issued)).due == local(due)


def test_a_term_beyond_every_calendar_leaves_a_case_where_it_came_in() -> None:
    entered = "2026-07-06 12:00"
    for anchor in ("due", "opened", "occurred"):
        endless = answer(
            population={"event": "request.received", "anchor": anchor},
            limit={"op": "<=", "field": "plazo_legal", "factor": 1},
        )
        received = case(request_received=entered, attributes={"plazo_legal": "999999"})
        assert judged(endless, received) == CaseVerdict(
            CaseStatus.EXCLUDED, CaseReason.UNKNOWN_LIMIT, local(entered)
        )


def test_an_accepted_contest_takes_a_time_out_before_any_other_reason() -> None:
    out = IN_TIME._replace(
        status=CaseStatus.EXCLUDED, reason=ContestReason.FORCE_MAJEURE, amount=10 * MINUTE
    )
    unlisted = wait(population={"event": "ticket.issued", "anchor": "due"})
    listed = frozenset({"turno_duplicado"})
    for promise in (wait(), unlisted):
        for exclusions in (ACCEPTED, ACCEPTED | listed):
            assert judged(promise, waited(exclusions=exclusions)) == out
    assert judged(wait(), waited(exclusions=listed)) == out._replace(reason="turno_duplicado")
    assert judged(unlisted, waited(exclusions=listed)) == out._replace(
        status=CaseStatus.MET, reason=None
    )


def test_a_percentile_ranks_times_in_whole_seconds_and_open_cases_beyond_all() -> None:
    clock = wait().figure.model_dump()["value"]
    most = {"op": "<=", "value": 15, "unit": "min"}
    ranked = part("percentile", p=90, population=ISSUED_AT, value=clock, target=most)
    placed = IN_TIME._replace(anchor_instant=ISSUED)
    for called, taken, seconds in (
        ("10:10", 10 * MINUTE, 600),
        ("10:10:00.000001", 10 * MINUTE + 1, 601),
        ("10:40", 40 * MINUTE, 2400),
    ):
        rank = seconds * 1_000_000
        verdict = judged(ranked, waited(called))
        assert verdict == placed._replace(amount=taken, span=(rank, rank))
    waiting = placed._replace(status=CaseStatus.PENDING, reason=CaseReason.OPEN)
    assert judged(ranked, waited(None), known="2026-07-06 10:14") == waiting
    assert judged(ranked, waited(None)) == placed._replace(
        status=CaseStatus.FAILED,
        reason=CaseReason.OVERDUE_OPEN,
        overdue_open=True,
        span=(BEYOND, BEYOND),
    )
    contested = judged(ranked, waited(exclusions=ACCEPTED))
    assert contested == placed._replace(
        status=CaseStatus.EXCLUDED, reason=ContestReason.FORCE_MAJEURE, amount=10 * MINUTE
    )


def test_whole_seconds_are_rounded_to_the_side_that_breaks_an_upper_limit() -> None:
    """A time just over a whole second is over it under `<=` and `>`, under it under the others."""
    clock = wait().figure.model_dump()["value"]
    told = waited("10:10:00.000001")
    for op, seconds in (("<=", 601), (">", 601), ("<", 600), (">=", 600)):
        target = {"op": op, "value": 15, "unit": "min"}
        ranked = part("percentile", p=90, population=ISSUED_AT, value=clock, target=target)
        assert judged(ranked, told).span == (seconds * 1_000_000,) * 2
    informative = part("percentile", p=90, population=ISSUED_AT, value=clock)
    assert judged(informative, told).span == (601_000_000,) * 2


def test_days_are_ranked_as_they_are_counted() -> None:
    clock = answer().figure.model_dump()["value"]
    population = {"event": "request.received", "anchor": "occurred"}
    ranked = part("percentile", p=90, population=population, value=clock)
    resolved = case(request_received="2026-07-06 12:00", request_resolved="2026-07-08 12:00")
    assert judged(ranked, resolved).span == (2, 2)


def test_a_time_counts_in_the_group_of_its_attribute_or_of_its_local_day() -> None:
    clock = wait().figure.model_dump()["value"]
    inner = {"form": "mean", "population": ISSUED_AT, "value": clock}
    late = case(
        ticket_issued="2026-07-06 23:50",
        ticket_called="2026-07-07 00:05",
        attributes={"fila": "preferente"},
    )
    for grouping, cell in (({"attribute": "fila"}, "preferente"), ({"by": "day"}, "2026-07-06")):
        grouped = part("nested_share", inner=inner, limit={"op": "<=", "value": 15}, **grouping)
        assert judged(grouped, late).cell == cell


def test_whoever_left_in_the_very_moment_of_the_call_was_called() -> None:
    left = local("2026-07-06 10:10")
    kept = IN_TIME._replace(amount=10 * MINUTE)
    assert judged(wait(), waited(abandoned_at=left)) == kept
    before = judged(wait(), waited("10:10:00.000001", abandoned_at=left))
    assert (before.status, before.reason) == (CaseStatus.EXCLUDED, CaseReason.LEFT_BEFORE_DUE)


def test_a_mean_that_is_to_be_long_waits_for_the_end() -> None:
    """Under a lower limit an open case of a share is kept; of a mean it has nothing to add yet."""
    begun, enough = local("2026-07-06 10:00"), local("2026-07-06 10:50")
    clock = session().figure.model_dump()["value"]
    at_least = {"op": ">=", "value": 50, "unit": "min"}
    population = {"event": "appointment.started", "anchor": "occurred"}
    lasting = part("mean", population=population, value=clock, target=at_least)
    verdict = judged(lasting, case(appointment_started="2026-07-06 10:00"))
    assert verdict == CaseVerdict(CaseStatus.PENDING, CaseReason.OPEN, begun, enough, enough)


def test_a_session_that_goes_on_is_kept_once_it_has_lasted() -> None:
    begun, enough = local("2026-07-06 10:00"), local("2026-07-06 10:50")
    lasting = case(appointment_started="2026-07-06 10:00")
    assert judged(session(), lasting, known="2026-07-06 10:50") == CaseVerdict(
        CaseStatus.MET, CaseReason.OPEN, begun, enough, enough
    )
