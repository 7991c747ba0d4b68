"""Elapsed and due agree, and equal naive loops, on random calendars, zones and pauses."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.worktime import (
    Calendar,
    DayException,
    Pause,
    PreparedCalendar,
    Segment,
    StartRule,
    Unit,
    Weekday,
    due_instant,
    due_instants,
    elapsed,
    elapsed_each,
    kept_until,
)

BASE = datetime(2022, 3, 1, tzinfo=UTC)
"""Mexico City's last summer time, Tijuana's and Warsaw's changes fall in the nine months after."""
STEP = timedelta(minutes=15)
HOURS: list[tuple[Segment, ...]] = [
    (),
    (("09:00", "18:00"),),
    (("08:30", "13:00"), ("15:00", "19:15")),
    (("00:00", "24:00"),),
    (("00:00", "04:00"), ("20:00", "24:00")),
]
OPENINGS: list[bool | tuple[Segment, ...]] = [False, True, *HOURS[1:]]
DURATIONS = {
    Unit.MINUTE: 60_000_000,
    Unit.HOUR: 3_600_000_000,
    Unit.OPEN_MINUTE: 60_000_000,
    Unit.OPEN_HOUR: 3_600_000_000,
}
DATES = [Unit.WORKING_DAY, Unit.CALENDAR_DAY, Unit.MONTH]

steps = st.integers(0, 96 * 240)
instants = steps.map(lambda n: BASE + n * STEP)
spans = st.integers(0, 96 * 20).map(lambda n: n * STEP)
rules = st.sampled_from(StartRule)


@st.composite
def exceptions(draw: st.DrawFn) -> DayException:
    first = BASE.date() + timedelta(days=draw(st.integers(-10, 290)))
    return DayException(
        first=first,
        last=first + timedelta(days=draw(st.integers(0, 20))),
        reason="random",
        opens=draw(st.sampled_from(OPENINGS)),
        counts=draw(st.booleans()),
    )


@st.composite
def calendars(draw: st.DrawFn) -> PreparedCalendar:
    week = {weekday: draw(st.sampled_from(HOURS)) for weekday in Weekday}
    if not any(week.values()):
        week[Weekday.MONDAY] = HOURS[1]
    calendar = Calendar(
        id="random",
        version=1,
        kind="working",
        zone=draw(st.sampled_from(["America/Mexico_City", "America/Tijuana", "Europe/Warsaw"])),
        week=week,
        counting=tuple(draw(st.sets(st.sampled_from(Weekday), min_size=1))),
        days=tuple(draw(st.lists(exceptions(), max_size=6))),
        start_rule=draw(rules),
    )
    return PreparedCalendar(calendar)


@st.composite
def pauses_of(draw: st.DrawFn) -> tuple[Pause, ...]:
    starts = draw(st.lists(instants, max_size=3))
    return tuple(Pause(start, draw(st.none() | spans.map(start.__add__))) for start in starts)


def opens_at(calendar: Calendar, moment: datetime) -> bool:
    """Look up one moment, without any of the code under test."""
    found = [e for e in calendar.days if e.first <= moment.date() <= e.last]
    hours = calendar.week[tuple(Weekday)[moment.weekday()]]
    for exception in found:
        if exception.opens is False:
            return False
        hours = exception.opens if isinstance(exception.opens, tuple) else hours
    return any(opens <= moment.strftime("%H:%M") < closes for opens, closes in hours)


def counts_on(calendar: Calendar, day: date) -> bool:
    found = [e for e in calendar.days if e.first <= day <= e.last]
    if found:
        return all(e.counts for e in found)
    return tuple(Weekday)[day.weekday()] in calendar.counting


def is_paused(moment: datetime, pauses: tuple[Pause, ...]) -> bool:
    return any(p.start <= moment and (p.end is None or moment < p.end) for p in pauses)


def touches(day: date, pauses: tuple[Pause, ...], calendar: PreparedCalendar) -> bool:
    return any(
        p.start.astimezone(calendar.zone).date() <= day
        and (p.end is None or day <= p.end.astimezone(calendar.zone).date())
        for p in pauses
    )


@given(
    calendars(), instants, spans, pauses_of(), st.tuples(st.integers(0, 30), st.sampled_from(DATES))
)
def test_elapsed_days_and_the_due_instant_agree(
    calendar: PreparedCalendar,
    start: datetime,
    span: timedelta,
    pauses: tuple[Pause, ...],
    term: tuple[int, Unit],
) -> None:
    stop, (limit, unit) = start + span, term
    due = due_instant(start, limit, unit, calendar, pauses)
    taken = elapsed(start, stop, unit, calendar, pauses)
    assert (taken <= limit) == (due is None or stop < due)


@given(
    calendars(),
    instants,
    spans,
    pauses_of(),
    st.tuples(st.integers(0, 90), st.sampled_from(list(DURATIONS))),
)
def test_elapsed_time_and_the_due_instant_agree(
    calendar: PreparedCalendar,
    start: datetime,
    span: timedelta,
    pauses: tuple[Pause, ...],
    term: tuple[int, Unit],
) -> None:
    stop, (limit, unit) = start + span, term
    taken = elapsed(start, stop, unit, calendar, pauses)
    until = kept_until(start, limit, unit, calendar, pauses)
    due = due_instant(start, limit, unit, calendar, pauses)
    assert (taken <= limit * DURATIONS[unit]) == (until is None or stop <= until)
    assert (taken < limit * DURATIONS[unit]) == (due is None or stop < due)


@given(calendars(), instants, st.integers(0, 96 * 6), pauses_of(), st.booleans())
def test_elapsed_time_equals_a_loop_over_quarters_of_an_hour(
    calendar: PreparedCalendar,
    start: datetime,
    quarters: int,
    pauses: tuple[Pause, ...],
    is_open_time: bool,
) -> None:
    moments = [start + n * STEP for n in range(quarters)]
    expected = sum(
        not is_paused(m, pauses)
        and (not is_open_time or opens_at(calendar.calendar, m.astimezone(calendar.zone)))
        for m in moments
    )
    unit = Unit.OPEN_MINUTE if is_open_time else Unit.MINUTE
    stop = start + quarters * STEP
    assert elapsed(start, stop, unit, calendar, pauses) == expected * 15 * 60_000_000


@given(calendars(), instants, st.integers(1, 30), pauses_of(), rules)
def test_a_term_in_working_days_equals_a_loop_over_the_days(
    calendar: PreparedCalendar,
    start: datetime,
    limit: int,
    pauses: tuple[Pause, ...],
    rule: StartRule,
) -> None:
    closed_pauses = tuple(p for p in pauses if p.end is not None)
    day = start.astimezone(calendar.zone).date()
    if rule is StartRule.START_DAY:
        day -= timedelta(days=1)
    remaining = limit
    while remaining:
        day += timedelta(days=1)
        if counts_on(calendar.calendar, day) and not touches(day, closed_pauses, calendar):
            remaining -= 1
    due = due_instant(start, limit, Unit.WORKING_DAY, calendar, closed_pauses, start_rule=rule)
    assert due is not None
    after = datetime.combine(day + timedelta(days=1), datetime.min.time(), calendar.zone)
    assert due == after


@given(calendars(), instants, st.lists(spans, min_size=2), pauses_of(), st.sampled_from(Unit))
def test_a_later_stop_never_takes_less(
    calendar: PreparedCalendar,
    start: datetime,
    stops: list[timedelta],
    pauses: tuple[Pause, ...],
    unit: Unit,
) -> None:
    taken = [elapsed(start, start + s, unit, calendar, pauses) for s in sorted(stops)]
    assert all(earlier <= later for earlier, later in pairwise(taken))


@given(calendars(), instants, st.lists(st.integers(0, 60), min_size=2), st.sampled_from(Unit))
def test_a_longer_limit_is_never_due_earlier(
    calendar: PreparedCalendar, start: datetime, limits: list[int], unit: Unit
) -> None:
    dues = [due_instant(start, limit, unit, calendar) for limit in sorted(limits)]
    known = [due for due in dues if due is not None]
    assert len(known) == len(limits)
    assert known == sorted(known)


@given(calendars(), instants, spans, st.tuples(st.integers(0, 40), st.sampled_from(Unit)), rules)
def test_a_later_start_is_never_due_earlier(
    calendar: PreparedCalendar,
    start: datetime,
    later: timedelta,
    term: tuple[int, Unit],
    rule: StartRule,
) -> None:
    limit, unit = term
    first = due_instant(start, limit, unit, calendar, start_rule=rule)
    second = due_instant(start + later, limit, unit, calendar, start_rule=rule)
    assert first is not None
    assert second is not None
    assert first <= second


@given(
    calendars(), instants, st.tuples(st.integers(1, 40), st.sampled_from(Unit)), pauses_of(), rules
)
def test_exactly_the_limit_has_elapsed_when_a_term_ends(
    calendar: PreparedCalendar,
    start: datetime,
    term: tuple[int, Unit],
    pauses: tuple[Pause, ...],
    rule: StartRule,
) -> None:
    """Of days and months, through the last moment before; `due` is the first one too late."""
    limit, unit = term
    due = due_instant(start, limit, unit, calendar, pauses, start_rule=rule)
    if due is None:
        return
    if unit in DURATIONS or unit is Unit.SECOND:
        taken = elapsed(start, due, unit, calendar, pauses)
        assert taken == limit * DURATIONS.get(unit, 1_000_000)
        return
    last = due - timedelta(microseconds=1)
    assert elapsed(start, last, unit, calendar, pauses, start_rule=rule) == limit
    assert elapsed(start, due, unit, calendar, pauses, start_rule=rule) > limit


changes_of_clocks = st.sampled_from(
    [
        ("America/Mexico_City", "2022-04-03"),
        ("America/Mexico_City", "2022-10-30"),
        ("America/Ojinaga", "2022-10-30"),
        ("America/Ciudad_Juarez", "2022-11-30"),
        ("America/Tijuana", "2026-03-08"),
        ("America/Tijuana", "2026-11-01"),
        ("America/Cancun", "2015-02-01"),
        ("America/Hermosillo", "1998-10-25"),
        ("Europe/Warsaw", "2026-03-29"),
    ]
)


@given(
    changes_of_clocks,
    st.integers(-5 * 96, 5 * 96),
    st.tuples(st.integers(1, 12), st.sampled_from(Unit)),
    st.sampled_from(HOURS[1:]),
)
def test_the_rules_hold_across_a_change_of_the_clocks(
    change: tuple[str, str],
    offset: int,
    term: tuple[int, Unit],
    hours: tuple[Segment, ...],
) -> None:
    zone, day = change
    calendar = PreparedCalendar(
        Calendar(
            id="border",
            version=1,
            kind="working",
            zone=zone,
            week=dict.fromkeys(Weekday, hours),
            counting=tuple(Weekday),
        )
    )
    start = datetime.fromisoformat(f"{day}T12:00:00+00:00") + offset * STEP
    limit, unit = term
    due = due_instant(start, limit, unit, calendar)
    assert due is not None
    if unit in DURATIONS or unit is Unit.SECOND:
        assert elapsed(start, due, unit, calendar) == limit * DURATIONS.get(unit, 1_000_000)
        return
    assert due.astimezone(calendar.zone).time() == datetime.min.time()
    assert elapsed(start, due - timedelta(microseconds=1), unit, calendar) == limit
    if unit is not Unit.MONTH:
        dates = due.astimezone(calendar.zone).date() - start.astimezone(calendar.zone).date()
        assert dates == timedelta(days=limit + 1)


@given(
    calendars(),
    st.lists(st.tuples(instants, spans), max_size=8),
    st.tuples(st.integers(0, 30), st.sampled_from(Unit)),
    rules,
)
def test_many_at_once_are_each_what_one_is(
    calendar: PreparedCalendar,
    pairs: list[tuple[datetime, timedelta]],
    term: tuple[int, Unit],
    rule: StartRule,
) -> None:
    limit, unit = term
    starts = [start for start, _ in pairs]
    stops = [start + span for start, span in pairs]
    found = due_instants(starts, limit, unit, calendar, start_rule=rule)
    assert found == [due_instant(s, limit, unit, calendar, start_rule=rule) for s in starts]
    taken = elapsed_each(starts, stops, unit, calendar, start_rule=rule)
    assert taken == [
        elapsed(start, stop, unit, calendar, start_rule=rule)
        for start, stop in zip(starts, stops, strict=True)
    ]


def test_a_stop_before_its_start_is_refused_among_many_too() -> None:
    calendar = PreparedCalendar(
        Calendar(
            id="x",
            version=1,
            kind="working",
            zone="America/Mexico_City",
            week={Weekday.MONDAY: HOURS[1]},
            counting=(Weekday.MONDAY,),
        )
    )
    hour = timedelta(hours=1)
    with pytest.raises(ValueError, match="before the start"):
        elapsed_each([BASE, BASE + hour], [BASE + hour, BASE], Unit.WORKING_DAY, calendar)


OFFICE = PreparedCalendar(
    Calendar(
        id="x",
        version=1,
        kind="working",
        zone="America/Mexico_City",
        week={Weekday.MONDAY: (("09:00", "14:00"), ("15:00", "18:00"))},
        counting=(Weekday.MONDAY,),
    )
)


def test_office_hours_of_many_from_any_zone() -> None:
    """Two hours from 12:00 are up as the office closes; from 13:00 they go on after its pause."""
    local = [datetime(2026, 9, 7, hour, tzinfo=OFFICE.zone) for hour in (8, 12, 13, 17, 19)]
    ends = [(7, 11), (7, 14), (7, 16), (14, 10), (14, 11)]
    due = [datetime(2026, 9, day, hour, tzinfo=OFFICE.zone) for day, hour in ends]
    assert due_instants(local, 2, Unit.OPEN_HOUR, OFFICE) == due
    assert due_instants(local, 0, Unit.OPEN_HOUR, OFFICE) == local


def test_a_naive_start_is_refused_among_many() -> None:
    with pytest.raises(ValueError, match="naive"):
        due_instants([BASE.replace(tzinfo=None)], 2, Unit.OPEN_HOUR, OFFICE)
