"""Guards, suspensions, weeks that change and zones of their own, as an author writes them."""

from datetime import date

import pytest

from services.cartas.domain import read_catalogue
from services.cartas.domain.years import missing_next_year
from shared.worktime import Calendar, DayException, PreparedCalendar, Unit, due_instant
from tests.unit.cartas.files import CATALOGUE, changed
from tests.unit.worktime.calendars import closed, general, local, natural

DAYS_OFF = "    no_habiles_2026:\n"
CHILD = """\
  - id: GUARDIA
    tipo: habil
    hereda: HAB
    jornada: {lun_vie: ['09:00', '15:00']}
"""


def with_lines(*lines: str) -> bytes:
    """Return the catalogue with more in its calendar."""
    more = "".join(f"    {line}\n" for line in lines)
    return changed(DAYS_OFF, more + DAYS_OFF)


def calendars_of(content: bytes) -> dict[str, Calendar]:
    reading = read_catalogue(content)
    assert reading.catalogue is not None, reading.faults
    return {each.id: each for each in reading.catalogue.calendars}


def due(calendar: Calendar, start: str, limit: int, unit: Unit) -> object:
    return due_instant(local(start), limit, unit, PreparedCalendar(calendar))


def test_work_and_terms_are_suspended_apart_each_by_its_act() -> None:
    content = with_lines(
        "suspensiones:",
        "  - {fecha: 2026-09-10, motivo: Inundación, suspende: labores, acto: Acuerdo 12/2026}",
        "  - {desde: 2026-07-15, hasta: 2026-07-26, motivo: Receso, suspende: plazos, acto: DOF 1}",
        "  - {fecha: 2026-09-11, motivo: Sismo, suspende: labores_y_plazos, acto: Acuerdo 13/2026}",
    )
    calendar = calendars_of(content)["HAB"]
    holiday, work, terms, both = calendar.days
    assert (work.opens, work.counts, work.act) == (False, None, "Acuerdo 12/2026")
    assert (terms.opens, terms.counts, both.opens, both.counts) == (None, False, False, False)
    assert (holiday.prevails, work.prevails) == (False, True)
    assert due(calendar, "2026-07-14 10:00", 1, Unit.WORKING_DAY) == local("2026-07-28")
    assert due(calendar, "2026-07-14 10:00", 6, Unit.OPEN_HOUR) == local("2026-07-15 10:00")
    assert due(calendar, "2026-09-09 10:00", 1, Unit.WORKING_DAY) == local("2026-09-11")


def test_a_unit_keeps_a_guard_on_a_day_that_its_parent_closes() -> None:
    guard = "    guardias: [{fecha: 2026-09-16, horario: ['10:00', '12:00'], motivo: Guardia}]\n"
    found = calendars_of(changed("escalamiento:\n", CHILD + guard + "escalamiento:\n"))
    start = "2026-09-15 14:00"
    assert due(found["GUARDIA"], start, 3, Unit.OPEN_HOUR) == local("2026-09-16 12:00")
    assert due(found["HAB"], start, 3, Unit.OPEN_HOUR) == local("2026-09-17 11:00")
    assert due(found["GUARDIA"], start, 1, Unit.WORKING_DAY) == local("2026-09-18")


def test_hours_change_from_a_day_on() -> None:
    week = "  - {desde: 2026-10-05, jornada: {lun_vie: ['08:00', '12:00']}, cuentan: [lun]}"
    calendar = calendars_of(with_lines("cambios_de_jornada:", week))["HAB"]
    assert due(calendar, "2026-10-02 14:00", 2, Unit.OPEN_HOUR) == local("2026-10-05 09:00")
    assert due(calendar, "2026-10-02 14:00", 2, Unit.WORKING_DAY) == local("2026-10-13")


def test_a_calendar_can_have_a_zone_of_its_own_and_hand_it_down() -> None:
    zone = "    zona_horaria: America/Tijuana\n"
    grandchild = CHILD.replace("GUARDIA", "NIETO").replace("hereda: HAB", "hereda: GUARDIA")
    calendars = CHILD + zone + grandchild + "escalamiento:\n"
    found = calendars_of(changed("escalamiento:\n", calendars))
    assert [found[name].zone for name in ("HAB", "GUARDIA", "NIETO")] == [
        "America/Mexico_City",
        "America/Tijuana",
        "America/Tijuana",
    ]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("suspensiones: [{fecha: 2026-09-10, motivo: x, suspende: todo, acto: y}]", "labores"),
        ("suspensiones: [{fecha: 2026-09-10, motivo: x, suspende: plazos}]", "falta este campo"),
        ("guardias: [{fecha: 2026-09-16, motivo: x}]", "falta el horario de la guardia"),
        ("guardias: [{fecha: 2026-09-16, motivo: x, horario: ['10:00']}]", "pares de horas"),
        ("zona_horaria: America/Metepec", "no se conoce la zona horaria"),
        (
            "cambios_de_jornada: [{desde: 2026-10-05, jornada: {lun: []}}]",
            "el calendario no abre ningún día",
        ),
        (
            "suspensiones: [{desde: 2026-01-01, hasta: 2026-12-31, motivo: x, suspende: labores,"
            " acto: y}]",
            "en 2026 el calendario no abre ningún día",
        ),
        (
            "suspensiones: [{desde: 2026-01-01, hasta: 2026-12-31, motivo: x, suspende: plazos,"
            " acto: y}]",
            "ninguno cuenta para los plazos",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_the_author_s_words(line: str, fault: str) -> None:
    reading = read_catalogue(with_lines(line))
    assert reading.catalogue is None
    assert any(fault in each.message for each in reading.faults), reading.faults


def test_weeks_go_in_order() -> None:
    week = "  - {desde: 2026-10-05, jornada: {lun_vie: ['08:00', '12:00']}}"
    reading = read_catalogue(with_lines("cambios_de_jornada:", week, week))
    assert [each.message for each in reading.faults] == [
        "se esperaba una fecha posterior a 2026-10-05"
    ]


def test_a_natural_calendar_has_no_suspensions() -> None:
    content = with_lines("guardias: [{fecha: 2026-09-16, horario: ['1:00', '2:00'], motivo: x}]")
    text = content.decode().replace("tipo: habil", "tipo: natural", 1)
    assert "tipo: natural" not in CATALOGUE
    assert any("natural" in each.message for each in read_catalogue(text.encode()).faults)


@pytest.mark.parametrize(
    ("today", "days", "expected"),
    [
        ("2026-10-31", (), []),
        ("2026-11-01", (), ["HAB-GRAL"]),
        ("2026-12-31", (closed("2026-12-21", "2027-01-05"),), ["HAB-GRAL"]),
        ("2026-11-01", (closed("2027-01-01"),), []),
    ],
)
def test_a_calendar_that_lacks_next_year_is_known_in_november(
    today: str, days: tuple[DayException, ...], expected: list[str]
) -> None:
    calendars = [general(days=days).calendar, natural().calendar]
    assert missing_next_year(calendars, date.fromisoformat(today)) == expected
