"""What people read of a count: each phrase, in plain Spanish."""

from datetime import date
from decimal import Decimal

import pytest

from shared.worktime import Count, Pause, PreparedCalendar, Rule, Unit, count_days, parse_rule
from shared.worktime.words import (
    Line,
    due_words,
    headline,
    lines,
    listing,
    long_day,
    term_words,
)
from tests.unit.worktime.calendars import MONDAY_TO_FRIDAY, closed, general, local, natural


def split() -> PreparedCalendar:
    return general(
        week=dict.fromkeys(MONDAY_TO_FRIDAY, (("09:00", "14:00"), ("16:00", "18:00"))),
        days=(closed("2026-07-07", reason="Inundación", act="Acuerdo 12"),),
        source="Gaceta 7",
    )


START = local("2026-07-06 09:30")


def count(text: str, *pauses: Pause, calendar: PreparedCalendar | None = None) -> Count:
    return count_days(START, parse_rule(text), calendar or split(), pauses)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 s", "1 segundo"),
        ("2 s", "2 segundos"),
        ("1 min", "1 minuto"),
        ("20 min", "20 minutos"),
        ("1 h", "1 hora"),
        ("72 h", "72 horas"),
        ("1 min_habil", "1 minuto hábil"),
        ("15 min_habil", "15 minutos hábiles"),
        ("1 h_habil", "1 hora hábil"),
        ("2.50 h_habil", "2.5 horas hábiles"),
        ("1.0 dia_habil", "1 día hábil"),
        ("10 dia_habil", "10 días hábiles"),
        ("1 dia_natural", "1 día natural"),
        ("100 dia_natural", "100 días naturales"),
        ("1 mes", "1 mes"),
        ("0 mes", "0 meses"),
        ("< 2 mes", "menos de 2 meses"),
        ("< 1 h", "menos de 1 hora"),
    ],
)
def test_a_term_is_said_in_one_and_in_many(text: str, words: str) -> None:
    assert term_words(count(text)) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 1, 5), "lunes 5 de enero de 2026"),
        (date(2026, 2, 3), "martes 3 de febrero de 2026"),
        (date(2026, 3, 4), "miércoles 4 de marzo de 2026"),
        (date(2026, 8, 20), "jueves 20 de agosto de 2026"),
        (date(2026, 11, 20), "viernes 20 de noviembre de 2026"),
        (date(2027, 5, 1), "sábado 1 de mayo de 2027"),
        (date(2028, 12, 31), "domingo 31 de diciembre de 2028"),
    ],
)
def test_a_date_is_said_in_full(day: date, words: str) -> None:
    assert long_day(day) == words


def test_hours_of_a_working_day_are_shown_split_and_a_free_day_as_closed() -> None:
    assert lines(count("1 dia_habil")) == [
        Line(
            "2026-07-06",
            "lunes",
            "09:00–14:00 y 16:00–18:00",
            "día del hecho: se cuenta desde el siguiente",
            "0",
            False,
        ),
        Line("2026-07-07", "martes", "cerrado", "no cuenta: Inundación (Acuerdo 12)", "0", False),
        Line("2026-07-08", "miércoles", "09:00–14:00 y 16:00–18:00", "cuenta", "1", True),
    ]


def test_several_reasons_are_all_said() -> None:
    days = (
        closed("2026-07-07", reason="Inundación", act="Acuerdo 12"),
        closed("2026-07-07", reason="Fiesta patronal"),
    )
    shown = lines(count("1 dia_habil", calendar=general(days=days)))
    assert shown[1].words == "no cuenta: Inundación (Acuerdo 12); Fiesta patronal"


def test_office_hours_are_shown_with_what_ran() -> None:
    assert lines(count("7 h_habil")) == [
        Line(
            "2026-07-06",
            "lunes",
            "09:00–14:00 y 16:00–18:00",
            "corren 6 h 30 min",
            "6 h 30 min",
            True,
        ),
        Line(
            "2026-07-07",
            "martes",
            "cerrado",
            "no cuenta: Inundación (Acuerdo 12)",
            "6 h 30 min",
            False,
        ),
        Line(
            "2026-07-08",
            "miércoles",
            "09:00–14:00 y 16:00–18:00",
            "corren 0 h 30 min",
            "7 h 00 min",
            True,
        ),
    ]


def test_where_opening_hours_do_not_matter_none_are_shown() -> None:
    day = Line("2026-07-06", "lunes", "", "corren 1 h 01 min 1 s", "1 h 01 min 1 s", True)
    assert lines(count("3661 s")) == [day]
    assert lines(count("3661.999 s")) == [day]  # what is left of a second is not shown
    assert [line.hours for line in lines(count("1 dia_natural"))] == ["", ""]


def test_a_start_after_hours_says_that_nothing_runs_that_day() -> None:
    late = count_days(local("2026-07-06 18:00"), parse_rule("1 h_habil"), split())
    assert lines(late)[0].words == "ya no corre ese día"
    assert lines(late)[0].counts is False


def waiting_from(day: str) -> list[Line]:
    """Return the lines of a month that began on 6 July and waits since a day."""
    start, waiting = local("2026-07-06 10:00"), Pause(local(f"{day} 10:00"), None)
    return lines(count_days(start, parse_rule("1 mes"), natural(), (waiting,)))


def test_three_dates_in_a_row_are_each_shown() -> None:
    shown = [(line.date, line.words, line.total) for line in waiting_from("2026-07-10")]
    assert shown == [
        ("2026-07-06", "día del hecho: se cuenta desde el siguiente", "0"),
        ("2026-07-07", "cuenta", "1"),
        ("2026-07-08", "cuenta", "2"),
        ("2026-07-09", "cuenta", "3"),
        ("2026-07-10", "en pausa: no cuenta", "3"),
    ]


def test_four_dates_in_a_row_are_shown_as_the_first_and_the_last() -> None:
    assert waiting_from("2026-07-11")[1:] == [
        Line("2026-07-07", "martes", "", "cuenta", "1", True),
        Line(None, "", "", "2 días más, fecha a fecha", "", True),
        Line("2026-07-10", "viernes", "", "cuenta", "4", True),
        Line("2026-07-11", "sábado", "", "en pausa: no cuenta", "4", False),
    ]


def test_a_month_says_why_its_end_moves() -> None:
    start = local("2026-06-04 10:00")
    found = lines(count_days(start, parse_rule("1 mes"), split()))
    assert [(line.date, line.words, line.counts) for line in found[-4:]] == [
        ("2026-07-03", "cuenta", True),
        ("2026-07-04", "se cumple de fecha a fecha", True),
        ("2026-07-05", "no cuenta: el vencimiento se recorre", False),
        ("2026-07-06", "primer día que cuenta: aquí vence", False),
    ]


def test_the_headline_says_from_when_in_the_calendar_s_own_time() -> None:
    assert headline(count("3 h_habil"), split()) == (
        "3 horas hábiles desde el lunes 6 de julio de 2026 a las 09:30"
    )
    night = count_days(local("2026-07-06 23:05"), parse_rule("< 3 dia_habil"), split())
    assert headline(night, split()) == (
        "menos de 3 días hábiles desde el lunes 6 de julio de 2026 a las 23:05"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 dia_habil", "Vence al terminar el miércoles 8 de julio de 2026."),
        ("1 dia_natural", "Vence al terminar el martes 7 de julio de 2026."),
        ("1 mes", "Vence al terminar el jueves 6 de agosto de 2026."),
        ("7 h_habil", "Vence el miércoles 8 de julio de 2026 a las 09:30:00."),
        ("20 h", "Vence el martes 7 de julio de 2026 a las 05:30:00."),
        ("61 s", "Vence el lunes 6 de julio de 2026 a las 09:31:01."),
    ],
)
def test_days_are_due_at_the_end_of_one_and_durations_at_a_time(text: str, words: str) -> None:
    assert due_words(count(text), split()) == words


def test_an_open_pause_is_said_instead_of_a_date() -> None:
    waiting = Pause(local("2026-07-06 10:00"), None)
    for text in ("1 dia_habil", "7 h_habil"):
        assert due_words(count(text, waiting), split()) == (
            "El plazo está en pausa: todavía no se sabe cuándo vence."
        )


def test_a_count_is_listed_whole() -> None:
    listed = listing(count_days(START, Rule(Decimal("1.50"), Unit.OPEN_HOUR), split()), split())
    assert listed == {
        "calendar": {"id": "HAB-GRAL", "version": 1, "zone": "America/Mexico_City"},
        "source": "Gaceta 7",
        "start": "2026-07-06T15:30:00+00:00",
        "term": {"limit": "1.50", "unit": "h_habil", "less_than": False},
        "due_at": "2026-07-06T17:00:00+00:00",
        "headline": "1.5 horas hábiles desde el lunes 6 de julio de 2026 a las 09:30",
        "due": "Vence el lunes 6 de julio de 2026 a las 11:00:00.",
        "left_out": 0,
        "days": [
            {
                "date": "2026-07-06",
                "weekday": "lunes",
                "hours": "09:00–14:00 y 16:00–18:00",
                "words": "corren 1 h 30 min",
                "total": "1 h 30 min",
                "counts": True,
            }
        ],
    }


def test_a_listing_tells_less_than_two_months_from_two_months() -> None:
    rule = Rule(Decimal(2), Unit.MONTH, below=True)
    term = listing(count_days(START, rule, split()), split())["term"]
    assert term == {"limit": "2", "unit": "mes", "less_than": True}
