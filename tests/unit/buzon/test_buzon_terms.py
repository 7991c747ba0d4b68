from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.buzon.domain.terms import Term, answer_by, carta_in_force, term_of
from shared.contracts.cartas import Status
from shared.contracts.complaints import ComplaintKind
from shared.criteria import Anchor, Limit, Mean, Op, Part, Share
from shared.worktime import Pause, PreparedCalendar, Unit
from tests.unit.buzon import builders as b

CALENDAR = PreparedCalendar(b.calendar())


def promised(kind: ComplaintKind = ComplaintKind.QUEJA, **carta: Any) -> Term:
    return term_of(b.carta(**carta), kind, b.MUNICIPALITY)


def by(term: Term, *pauses: Pause, filed_at: datetime = b.FRIDAY) -> date | None:
    return answer_by(filed_at, term, pauses, calendar=CALENDAR, zone=b.ZONE)


def test_the_term_is_the_carta_s_own_promise() -> None:
    assert promised().limit == 5
    assert promised().unit is Unit.WORKING_DAY


def test_without_carta_without_promise_or_for_another_kind_it_is_ten_working_days() -> None:
    without = b.carta().compromisos[:1]
    share = b.answer_share("CC-RC-01").figure
    assert isinstance(share, Share)
    filed = share.population.model_copy(update={"anchor": Anchor.OCCURRED})
    mean = Mean(population=filed, value=share.value)
    averaged = b.compromiso("CC-RC-01-05", "tiempo_respuesta_buzon", Part(figure=mean))
    assert term_of(None, ComplaintKind.QUEJA, b.MUNICIPALITY) == b.TEN_DAYS
    assert promised(compromisos=without) == b.TEN_DAYS
    assert promised(compromisos=(averaged,)) == b.TEN_DAYS
    assert promised(ComplaintKind.RECONOCIMIENTO) == b.TEN_DAYS


def test_a_limit_may_depend_on_the_kind() -> None:
    share = b.answer_share("CC-RC-01")
    limit = Limit(op=Op.AT_MOST, by="tipo", values={"queja": Decimal(3)})
    by_kind = share.model_copy(update={"figure": share.figure.model_copy(update={"limit": limit})})
    promise = b.compromiso("CC-RC-01-05", "tiempo_respuesta_buzon", by_kind)
    assert promised(compromisos=(promise,)).limit == 3
    assert promised(ComplaintKind.SUGERENCIA, compromisos=(promise,)) == b.TEN_DAYS


def test_the_holiday_in_the_term_does_not_count() -> None:
    # 14, 15, (16 September), 17, 18, 21 | 22, 23, 24, 25, 28
    assert by(promised()) == date(2026, 9, 21)
    assert by(b.TEN_DAYS) == date(2026, 9, 28)


def test_the_local_date_of_filing_counts_not_the_one_in_utc() -> None:
    late_on_friday = datetime(2026, 9, 12, 5, 30, tzinfo=UTC)
    assert by(promised(), filed_at=late_on_friday) == date(2026, 9, 21)


def test_the_days_that_a_clarification_touches_do_not_count() -> None:
    # 14, (15 to 17), 18, 21, 22, 23
    asked, answered = b.later(4), b.later(6)
    assert by(promised(), Pause(asked, answered)) == date(2026, 9, 23)


def test_while_the_clarification_is_awaited_no_date_is_known() -> None:
    assert by(promised(), Pause(b.later(4), None)) is None


def test_a_calendar_that_has_not_come_yet_gives_no_date() -> None:
    assert answer_by(b.FRIDAY, b.TEN_DAYS, (), calendar=None, zone=b.ZONE) is None


@pytest.mark.parametrize(
    ("unit", "calendar", "expected"),
    [(Unit.CALENDAR_DAY, "HAB-GRAL", date(2026, 9, 16)), (Unit.HOUR, None, date(2026, 9, 11))],
)
def test_terms_may_be_in_calendar_days_and_in_hours(
    unit: Unit, calendar: str | None, expected: date
) -> None:
    share = b.answer_share("CC-RC-01", unit=unit, calendar=calendar)
    promise = b.compromiso("CC-RC-01-05", "tiempo_respuesta_buzon", share)
    assert by(promised(compromisos=(promise,))) == expected


def test_the_version_in_force_on_the_day_is_taken() -> None:
    old = b.carta(valid_to=date(2026, 6, 30))
    new = b.carta(version=2, valid_from=date(2026, 7, 1))
    retired = b.carta(version=3, status=Status.RETIRED)
    versions = (old, new, retired)
    assert carta_in_force(versions, date(2026, 6, 30)) == old
    assert carta_in_force(versions, date(2026, 7, 1)) == new
    assert carta_in_force(versions, date(2025, 12, 31)) is None
