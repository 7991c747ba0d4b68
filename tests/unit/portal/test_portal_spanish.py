from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from services.portal import spanish
from tests.unit.portal import builders as b

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


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (930_000_000, "min", "15.5\u00a0minutos"),
        (61_500_000, "s", "61.5\u00a0segundos"),
        (6, "dia_habil", "6\u00a0días hábiles"),
    ],
)
def test_a_case_took_its_time_in_the_unit_of_the_promise(value: int, unit: str, words: str) -> None:
    assert spanish.elapsed(value, unit) == words


def test_a_term_that_ends_with_a_day_is_told_by_that_day() -> None:
    """It ends at the next midnight, which is outside."""
    midnight = datetime(2026, 12, 5, 6, tzinfo=UTC)
    assert spanish.deadline(midnight, MEXICO) == "4 de diciembre de 2026"
    later = midnight + timedelta(hours=9)
    assert spanish.deadline(later, MEXICO) == "5 de diciembre de 2026, 09:00\u00a0h"


def test_windows_are_told_in_local_days() -> None:
    window = b.quarter(3)
    assert spanish.window(window, MEXICO) == "tercer trimestre de 2026 (julio a septiembre)"
    assert spanish.window_as_span(window, MEXICO) == "de julio a septiembre de 2026"
    campaign = window.model_copy(update={"kind": "campaign"})
    assert spanish.window(campaign, MEXICO) == "del 1 de julio de 2026 al 30 de septiembre de 2026"


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    assert spanish.reason("algo_nuevo") == "algo nuevo"
