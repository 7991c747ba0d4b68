"""The count day by day: each line by hand, and its end that of the engine."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.worktime import (
    MOST_DAYS,
    Pause,
    PreparedCalendar,
    Rule,
    StartRule,
    Unit,
    Why,
    count_days,
    due_instant,
    elapsed,
    parse_rule,
)
from shared.worktime.words import Line, due_words, headline, lines, listing
from tests.unit.worktime.calendars import closed, general, local
from tests.unit.worktime.test_properties import (
    calendars,
    counts_on,
    instants,
    pauses_of,
    rules,
    spans,
)


def shown(
    start: str, rule: str, *pauses: Pause, calendar: PreparedCalendar | None = None
) -> list[tuple[str | None, str, str]]:
    count = count_days(local(start), parse_rule(rule), calendar or general(), pauses)
    return [(line.date and line.date[5:], line.words, line.total) for line in lines(count)]


def test_working_days_are_counted_with_a_finger() -> None:
    act = closed("2026-09-17", opens=None, prevails=True, reason="Inundación", act="Acuerdo 12")
    independence = closed("2026-09-16", reason="Independencia")
    calendar = general(days=(independence, act))
    assert shown("2026-09-11 10:00", "3 dia_habil", calendar=calendar) == [
        ("09-11", "día del hecho: se cuenta desde el siguiente", "0"),
        ("09-12", "no cuenta: no es día hábil de la semana", "0"),
        ("09-13", "no cuenta: no es día hábil de la semana", "0"),
        ("09-14", "cuenta", "1"),
        ("09-15", "cuenta", "2"),
        ("09-16", "no cuenta: Independencia", "2"),
        ("09-17", "no cuenta: Inundación (Acuerdo 12)", "2"),
        ("09-18", "cuenta", "3"),
    ]


def test_a_pause_is_shown_on_each_of_its_dates() -> None:
    paused = Pause(local("2026-07-08 10:00"), local("2026-07-09 10:00"))
    assert shown("2026-07-06 10:00", "2 dia_habil", paused)[1:] == [
        ("07-07", "cuenta", "1"),
        ("07-08", "en pausa: no cuenta", "1"),
        ("07-09", "en pausa: no cuenta", "1"),
        ("07-10", "cuenta", "2"),
    ]


def test_a_month_is_folded_and_its_end_moves_to_a_day_that_counts() -> None:
    # 3 May is a Sunday.
    assert shown("2026-04-03 10:00", "1 mes") == [
        ("04-03", "día del hecho: se cuenta desde el siguiente", "0"),
        ("04-04", "cuenta", "1"),
        (None, "27 días más, fecha a fecha", ""),
        ("05-02", "cuenta", "29"),
        ("05-03", "se cumple de fecha a fecha", "30"),
        ("05-04", "primer día que cuenta: aquí vence", "30"),
    ]
    assert len(shown("2026-05-01 10:00", "0 mes")) == 1


def test_a_month_waits_through_its_paused_dates() -> None:
    paused = Pause(local("2026-04-04 10:00"), local("2026-04-05 10:00"))
    # 3 May and two dates more.
    assert shown("2026-04-03 10:00", "1 mes", paused) == [
        ("04-03", "día del hecho: se cuenta desde el siguiente", "0"),
        ("04-04", "en pausa: no cuenta", "0"),
        ("04-05", "en pausa: no cuenta", "0"),
        ("04-06", "cuenta", "1"),
        (None, "27 días más, fecha a fecha", ""),
        ("05-04", "cuenta", "29"),
        ("05-05", "se cumple de fecha a fecha", "30"),
        ("05-06", "primer día que cuenta: aquí vence", "30"),
    ]


def test_office_hours_are_shown_with_what_ran_on_each_day() -> None:
    paused = Pause(local("2026-07-07 00:00"), local("2026-07-08 00:00"))
    assert shown("2026-07-03 17:29:30", "1.5 h_habil", paused) == [
        ("07-03", "corren 0 h 30 min 30 s", "0 h 30 min 30 s"),
        ("07-04", "no cuenta: no es día hábil de la semana", "0 h 30 min 30 s"),
        ("07-05", "no cuenta: no es día hábil de la semana", "0 h 30 min 30 s"),
        ("07-06", "corren 0 h 59 min 30 s", "1 h 30 min"),
    ]
    assert shown("2026-07-06 18:00", "1 h_habil", paused)[:2] == [
        ("07-06", "ya no corre ese día", "0 h 00 min"),
        ("07-07", "en pausa: no cuenta", "0 h 00 min"),
    ]


def test_the_count_goes_on_past_its_end_and_shows_how_late_it_is() -> None:
    start, stop = local("2026-07-06 10:00"), local("2026-07-09 10:00")
    count = count_days(start, parse_rule("1 dia_habil"), general(), until=stop)
    assert [day.total for day in count.days] == [0, 1, 2, 3]
    count = count_days(start, parse_rule("1 mes"), general(), until=local("2026-08-08 10:00"))
    assert count.days[-1].why is Why.RUNNING


def test_an_open_pause_is_shown_as_far_as_it_is_known() -> None:
    start, waiting = local("2026-07-06 10:00"), Pause(local("2026-07-08 10:00"), None)
    rule = parse_rule("5 dia_habil")
    count = count_days(start, rule, general(), (waiting,))
    assert count.due is None
    assert count.days[-1].day.isoformat() == "2026-07-08"
    assert due_words(count, general()) == (
        "El plazo está en pausa: todavía no se sabe cuándo vence."
    )
    count = count_days(start, rule, general(), (waiting,), until=local("2026-07-10 10:00"))
    assert count.days[-1].why is Why.PAUSED
    hours = count_days(start, parse_rule("40 h_habil"), general(), (waiting,))
    assert [day.added // 3_600_000_000 for day in hours.days] == [8, 9, 1]


def test_what_is_too_long_is_cut_and_says_by_how_much() -> None:
    count = count_days(local("2026-07-06 10:00"), parse_rule("10000 dia_natural"), general())
    assert (len(count.days), count.left_out) == (MOST_DAYS, 10_001 - MOST_DAYS)


def test_a_count_is_said_in_words() -> None:
    calendar = general()
    count = count_days(local("2026-07-06 08:00"), parse_rule("1 dia_habil"), calendar)
    assert headline(count, calendar) == "1 día hábil desde el lunes 6 de julio de 2026 a las 08:00"
    assert due_words(count, calendar) == "Vence al terminar el martes 7 de julio de 2026."
    hours = count_days(local("2026-07-06 09:00"), parse_rule("2.50 h_habil"), calendar)
    assert headline(hours, calendar).startswith("2.5 horas hábiles desde")
    assert due_words(hours, calendar) == "Vence el lunes 6 de julio de 2026 a las 11:30:00."
    listed = listing(count, calendar)
    assert listed["calendar"] == {
        "id": "HAB-GRAL",
        "version": 1,
        "zone": "America/Mexico_City",
    }
    assert listed["due_at"] == "2026-07-08T06:00:00+00:00"
    assert listed["days"][1]["hours"] == "09:00–18:00"
    assert (
        listing(
            count_days(
                local("2026-07-06 08:00"),
                parse_rule("1 mes"),
                calendar,
                (Pause(local("2026-07-06 09:00"), None),),
            ),
            calendar,
        )["due_at"]
        is None
    )


def test_a_closed_day_says_so() -> None:
    count = count_days(local("2026-07-03 12:00"), parse_rule("1 dia_habil"), general())
    saturday = lines(count)[1]
    assert saturday == Line(
        "2026-07-04", "sábado", "cerrado", "no cuenta: no es día hábil de la semana", "0", False
    )


@pytest.mark.parametrize("text", ["", "dia_habil", "10", "10 dias", "-1 mes", "1e3 mes", "1 MES"])
def test_a_term_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a term is a number and one of s, min, h"):
        parse_rule(text)


def test_a_term_is_read_with_its_start_rule() -> None:
    rule = parse_rule(" 10dia_habil ", StartRule.START_DAY)
    assert rule == Rule(Decimal(10), Unit.WORKING_DAY, StartRule.START_DAY)
    start = local("2026-07-06 10:00")
    assert count_days(start, rule, general()).days[0].total == 1


@given(
    calendars(), instants, st.tuples(st.integers(1, 12), st.sampled_from(Unit)), pauses_of(), rules
)
def test_the_count_of_a_person_ends_where_the_engine_says(
    calendar: PreparedCalendar,
    start: datetime,
    term: tuple[int, Unit],
    pauses: tuple[Pause, ...],
    rule: StartRule,
) -> None:
    limit, unit = term
    known = tuple(pause for pause in pauses if pause.end is not None)
    asked = Rule(Decimal(limit), unit, rule)
    count = count_days(start, asked, calendar, known)
    due = due_instant(start, limit, unit, calendar, known, start_rule=rule)
    assert count.due == due
    assert due is not None
    last = count.days[-1]
    if unit in (Unit.WORKING_DAY, Unit.CALENDAR_DAY):
        assert last.total == limit
        assert last.added == 1
    elif unit is Unit.MONTH:
        assert last.why in (Why.DATE_TO_DATE, Why.MOVED, Why.MOVED_HERE)
        ends = [
            day for day in count.days if day.why in (Why.DATE_TO_DATE, Why.MOVED, Why.MOVED_HERE)
        ]
        assert [counts_on(calendar.calendar, day.day) for day in ends][:-1] == [False] * len(
            ends[:-1]
        )
    else:
        assert last.total == elapsed(start, due, unit, calendar, known, start_rule=rule)


@given(calendars(), instants, spans, pauses_of())
def test_a_count_that_goes_on_shows_what_has_elapsed(
    calendar: PreparedCalendar, start: datetime, span: timedelta, pauses: tuple[Pause, ...]
) -> None:
    known = tuple(pause for pause in pauses if pause.end is not None)
    stop = start + span
    count = count_days(start, Rule(Decimal(1), Unit.OPEN_HOUR), calendar, known, until=stop)
    end = max(stop, count.due or stop)
    assert count.days[-1].total == elapsed(start, end, Unit.OPEN_HOUR, calendar, known)
