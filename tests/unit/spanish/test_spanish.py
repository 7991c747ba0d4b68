from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from shared import spanish
from shared.contracts.results import CaseCoverage, ResultWindow, SilentSpan

MEXICO = ZoneInfo("America/Mexico_City")


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("84.7619", "%", "84.8\u00a0%"),
        ("1234.5", "min", "1,234.5\u00a0minutos"),
        ("1", "dia_habil", "1\u00a0día hábil"),
        ("0.25", "h", "0.2\u00a0horas"),
    ],
)
def test_figures_read_as_in_mexico(value: str, unit: str, words: str) -> None:
    assert spanish.quantity(Decimal(value), unit) == words


@pytest.mark.parametrize(
    ("value", "op", "unit", "words"),
    [
        ("100", ">=", "%", "todos los casos (100\u00a0%)"),
        ("90", ">=", "%", "al menos 90\u00a0%"),
        ("99.95", ">=", "%", "al menos 99.95\u00a0%"),
        ("24", "<=", "h", "máximo 24\u00a0horas"),
        ("16", "<", "dia_habil", "menos de 16\u00a0días hábiles"),
        ("1", "<=", "min", "máximo 1\u00a0minuto"),
    ],
)
def test_targets_say_which_side_the_edge_is_on(value: str, op: str, unit: str, words: str) -> None:
    assert spanish.target(Decimal(value), op, unit) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [("99.9950", "99.995\u00a0%"), ("100", "100\u00a0%"), ("98.26", "98.3\u00a0%")],
)
def test_a_figure_is_never_rounded_to_the_target_that_it_missed(value: str, words: str) -> None:
    assert spanish.figure(Decimal(value), "%", goal=Decimal(100)) == words


def window(kind: str, first: tuple[int, int], end: tuple[int, int]) -> ResultWindow:
    return ResultWindow(
        id="w",
        kind=kind,
        start=datetime(*first, 1, 6, tzinfo=UTC),
        end=datetime(*end, 1, 6, tzinfo=UTC),
        closes_at=datetime(*end, 1, 6, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("kind", "first", "end", "words"),
    [
        ("month", (2026, 9), (2026, 10), "septiembre de 2026"),
        ("quarter", (2026, 7), (2026, 10), "tercer trimestre de 2026 (julio a septiembre)"),
        ("semester", (2026, 7), (2027, 1), "segundo semestre de 2026 (julio a diciembre)"),
        ("year", (2026, 1), (2027, 1), "año 2026"),
        ("campaign", (2026, 1), (2026, 3), "del 1 de enero de 2026 al 28 de febrero de 2026"),
    ],
)
def test_windows_are_told_in_local_days(
    kind: str, first: tuple[int, int], end: tuple[int, int], words: str
) -> None:
    assert spanish.window(window(kind, first, end), MEXICO) == words


def test_instants_are_told_in_local_time() -> None:
    told = spanish.instant(datetime(2024, 10, 18, 17, 32, tzinfo=UTC), MEXICO)
    assert told == "18 de octubre de 2024, 11:32\u00a0h"


def coverage(**fields: Any) -> list[str]:
    return spanish.coverage(CaseCoverage(**fields), ZoneInfo("America/Mexico_City"))


def test_how_many_of_the_cases_were_measured_is_said_plainly() -> None:
    assert coverage(known=181, measured=178, counted_days=20, uncounted_days=2) == [
        "Se midieron 178 de 181 casos que contó el sistema en 20 días (98.3\u00a0%).",
        "En 2 días de servicio no hubo conteo: ahí no se sabe si falta algún caso.",
    ]
    assert coverage(known=37, measured=37) == ["Se midieron todos los casos que hubo: 37."]
    assert coverage(uncounted_days=20) == ["No hay un conteo aparte de cuántos casos hubo."]
    assert coverage() == []


def test_a_silence_is_said_from_when_to_when() -> None:
    start = datetime(2026, 9, 8, 15, 0, tzinfo=UTC)
    ended = SilentSpan(start=start, end=start.replace(hour=17))
    [said] = coverage(silences=(ended, SilentSpan(start=start.replace(day=9))))
    assert said == (
        "El sistema que lo mide calló en horas de servicio:"
        " del 8 de septiembre de 2026, 09:00\u00a0h al 8 de septiembre de 2026, 11:00\u00a0h;"
        " desde el 9 de septiembre de 2026, 09:00\u00a0h, y sigue."
    )
