"""Spans of time at their edges, and the windows in which what lasts is counted."""

from datetime import UTC, datetime

import pytest

from shared.criteria import Case, Criterion, Window, Windows, measures_of
from shared.criteria.ledger import Bench, judged
from shared.criteria.outages import instant, microseconds, open_hours, service_time, within, without
from shared.criteria.verdict import Span
from shared.worktime import Unit
from tests.unit.criteria.builders import GENERAL, part
from tests.unit.criteria.test_shapes import outage, portal, visits
from tests.unit.worktime.calendars import ZONE, local

HOUR = 3_600_000_000
MONTH = Window.model_validate({"kind": "month"})


@pytest.mark.parametrize(
    ("spans", "merged"),
    [
        # What touches is one; what ends as it starts is nothing.
        ([(10, 20), (0, 10)], [(0, 20)]),
        ([(0, 10), (11, 20)], [(0, 10), (11, 20)]),
        ([(50, 50)], []),
        ([(0, 30), (5, 10), (20, 40)], [(0, 40)]),
        # What lies outside leaves nothing, and does not hide what lies inside.
        ([(-20, -10), (-5, 5), (98, 120), (100, 110)], [(0, 5), (98, 100)]),
    ],
)
def test_spans_within_a_window_are_merged_and_cut(spans: list[Span], merged: list[Span]) -> None:
    assert within(spans, 0, 100) == merged


@pytest.mark.parametrize(
    ("spans", "taken", "left"),
    [
        ([(0, 100)], [(10, 20), (30, 40)], [(0, 10), (20, 30), (40, 100)]),
        ([(50, 60)], [(0, 50), (60, 70)], [(50, 60)]),
        ([(50, 60)], [(0, 10), (55, 60)], [(50, 55)]),
        ([(0, 10)], [(0, 5)], [(5, 10)]),
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10), (20, 30)], [(5, 25)], [(0, 5), (25, 30)]),
        ([(0, 10)], [], [(0, 10)]),
    ],
)
def test_planned_spans_are_taken_out_of_others(
    spans: list[Span], taken: list[Span], left: list[Span]
) -> None:
    assert without(spans, taken) == left


def test_moments_are_exact_as_far_as_dates_go() -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert microseconds(last) == 253_402_300_799_999_999  # no float holds it
    assert instant(253_402_300_799_999_999) == last


def test_service_time_is_that_of_the_open_hours() -> None:
    # Monday from 7 to 10: the office opens at 9.
    start, end = (microseconds(local(f"2026-09-07 {time}")) for time in ("07:00", "10:00"))
    assert service_time([(start, end)], None) == 3 * HOUR
    assert service_time([(start, end)], GENERAL) == HOUR
    assert open_hours(Unit.MINUTE, GENERAL) is None
    assert open_hours(Unit.OPEN_MINUTE, GENERAL) is GENERAL
    assert open_hours(Unit.OPEN_HOUR, None) is None


DOWN = portal()


@pytest.mark.parametrize(
    ("told", "known", "months"),
    [
        # Until midnight is not a moment of the next day.
        (outage("2026-08-31 23:00", "2026-09-01 00:00"), "2026-10-01", ["2026-08"]),
        (
            outage("2026-08-31 23:00", "2026-09-01 00:00:00.000001"),
            "2026-10-01",
            ["2026-08", "2026-09"],
        ),
        (outage("2026-08-31 23:00", "2026-08-31 23:00"), "2026-10-01", ["2026-08"]),
        (outage("2026-07-31 23:00", "2026-09-01 01:00"), None, ["2026-07", "2026-08", "2026-09"]),
        # One that goes on: as far as is known.
        (outage("2026-08-31 23:00", None), None, ["2026-08"]),
        (outage("2026-08-31 23:00", None), "2026-08-01", ["2026-08"]),
        (outage("2026-08-31 23:00", None), "2026-08-31 23:59", ["2026-08"]),
        (outage("2026-08-31 23:00", None), "2026-09-15", ["2026-08", "2026-09"]),
    ],
)
def test_an_outage_counts_in_every_window_that_it_touches(
    told: Case, known: str | None, months: list[str]
) -> None:
    assert counted_in(Criterion(parts=(DOWN,)), MONTH, told, known) == months


def test_what_happens_counts_in_the_window_of_its_local_time_or_in_none() -> None:
    counted = Criterion(parts=(visits(None),))
    # It is already September in UTC.
    late = Case(events={"visit.done": local("2026-08-31 23:30")})
    assert counted_in(counted, MONTH, late, None) == ["2026-08"]
    campaign = Window.model_validate(
        {"kind": "campaign", "id": "julio", "first": "2026-07-01", "last": "2026-07-31"}
    )
    assert counted_in(counted, campaign, late, None) == []
    down = Criterion(parts=(DOWN,))
    before = outage("2026-06-30 23:00", "2026-07-01 00:00")
    assert counted_in(down, campaign, before, None) == []
    over = outage("2026-06-30 23:00", "2026-07-01 00:01")
    assert counted_in(down, campaign, over, None) == ["julio"]


def test_a_case_that_waits_for_its_end_is_in_no_window_yet() -> None:
    closed = part(
        "mean",
        population={"event": "ticket.issued", "anchor": "closed"},
        value={
            "kind": "duration",
            "start": {"event": "ticket.issued"},
            "stop": {"event": "ticket.called"},
            "unit": "min",
        },
    )
    waiting = Case(events={"ticket.issued": local("2026-08-31 23:30")})
    assert counted_in(Criterion(parts=(closed,)), MONTH, waiting, None) == [None]


def counted_in(
    criterion: Criterion, window: Window, told: Case, known: str | None
) -> list[str | None]:
    calendars = [None for _ in measures_of(criterion)]
    bench = Bench(criterion, Windows(window, ZONE), calendars)
    through = None if known is None else local(known)
    placed = judged(bench, told, known=through)
    return [None if each.window is None else each.window.id for each in placed]
