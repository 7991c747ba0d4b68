from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.portal import spanish
from services.portal.domain.table import REASONS_OF_EDITION
from shared.addenda import caused, moved_count
from shared.contracts.results import AddendumReason
from shared.criteria import NotEvaluated
from tests.unit.portal import builders as b

MEXICO = ZoneInfo("America/Mexico_City")


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


def test_an_instant_is_told_with_its_seconds_also_at_midnight() -> None:
    midnight = datetime(2026, 12, 5, 6, tzinfo=UTC)
    assert spanish.moment(midnight, MEXICO) == "5 de diciembre de 2026, 00:00:00\u00a0h"


def test_a_sentence_begins_with_its_window() -> None:
    window = b.quarter(3)
    assert spanish.window_as_span(window, MEXICO) == "de julio a septiembre de 2026"
    campaign = window.model_copy(update={"kind": "campaign"})
    told = spanish.window_as_span(campaign, MEXICO)
    assert told == "del 1 de julio de 2026 al 30 de septiembre de 2026"


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    assert spanish.reason("algo_nuevo") == "algo nuevo"


@pytest.mark.parametrize("name", list(NotEvaluated))
def test_every_reason_of_the_judge_has_words_for_citizens(name: NotEvaluated) -> None:
    assert name.value in spanish.REASONS


@pytest.mark.parametrize(
    ("count", "words"),
    [
        ("met", "a tiempo o medidos"),
        ("excluded.turno_duplicado", "no contados (turnos duplicados)"),
        ("numerator.met", "en el numerador, a tiempo o medidos"),
    ],
)
def test_what_a_correction_changed_is_told_in_words(count: str, words: str) -> None:
    assert moved_count(count) == words


@pytest.mark.parametrize("reason", list(AddendumReason))
def test_every_reason_of_a_correction_has_words_for_pages_and_a_name_for_files(
    reason: AddendumReason,
) -> None:
    assert caused(reason, total=2).endswith(" (2 casos)")
    assert caused(reason, total=0) == caused(reason)
    assert REASONS_OF_EDITION[reason].isidentifier()


def test_an_import_is_named() -> None:
    assert caused(AddendumReason.IMPORT, "turnos-2026-08", 1) == (
        "la importación «turnos-2026-08» (1 caso)"
    )
