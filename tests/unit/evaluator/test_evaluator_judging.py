from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.judging import Judgement, VerdictKey, judge
from services.evaluator.domain.openings import next_window_at, windows_until
from services.evaluator.domain.preparing import build_town
from services.evaluator.domain.rules import CartaRules
from shared.contracts import hot
from shared.contracts.cartas import CalendarData, CartaData, Scope, Status
from shared.criteria import CaseReason, CaseStatus, Window, WindowKind
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

LATER = local("2026-12-31 00:00")


def judged(
    data: hot.CaseData, *cartas: CartaData, known: Any = LATER
) -> dict[VerdictKey, Judgement]:
    groups = b.catalogue(*cartas).for_service(data.municipality, data.service)
    return {key: found[0] for key, found in judge(data, groups, known=known).items()}


def only(data: hot.CaseData, *cartas: CartaData, known: Any = LATER) -> Judgement:
    [judgement] = judged(data, *cartas, known=known).values()
    return judgement


def versions(*, first_until: str, second_limit: int = 5) -> tuple[CartaData, CartaData]:
    """Two versions of a carta: within 15 minutes, then within `second_limit`."""
    last = date.fromisoformat(first_until)
    stricter = b.wait(limit={"op": "<=", "value": second_limit})
    return (
        b.carta(valid_to=last),
        b.carta(b.compromiso(stricter), version=2, valid_from=last + timedelta(days=1)),
    )


@pytest.mark.parametrize(("issued", "version"), [("2026-09-15 23:59", 1), ("2026-09-16 00:00", 2)])
def test_the_version_in_force_when_the_clock_started_judges(issued: str, version: int) -> None:
    """The last day in force ends with the local midnight."""
    both = versions(first_until="2026-09-15")
    late_for_the_second = b.waited("A", 10, ticket_issued=issued)
    found = only(late_for_the_second, *both)
    assert found.carta_version == version
    assert found.status is (CaseStatus.MET if version == 1 else CaseStatus.FAILED)


def test_a_case_before_the_first_version_has_no_verdict() -> None:
    assert judged(b.waited("A", 10), b.carta(valid_from=date(2026, 9, 8))) == {}


def test_a_case_of_another_service_has_no_verdict() -> None:
    assert judged(b.waited("A", 10, service="TES")) == {}


def test_a_case_outside_of_the_campaign_has_no_verdict() -> None:
    window = Window(
        kind=WindowKind.CAMPAIGN, id="PREDIAL", first=date(2026, 9, 7), last=date(2026, 9, 8)
    )
    carta = b.carta(b.compromiso(window=window))
    assert only(b.waited("A", 10), carta).window_id == "PREDIAL"
    assert judged(b.waited("A", 10, ticket_issued="2026-09-09 10:00"), carta) == {}


def test_a_promise_for_each_unit_counts_where_the_case_was_served() -> None:
    carta = b.carta(b.compromiso(scope=Scope.UNIT))
    assert only(b.waited("A", 10, unit="norte"), carta).unit == "norte"
    assert only(b.waited("A", 10, unit=None), carta).unit == b.UNIT


def test_a_promise_of_the_carta_counts_with_the_unit_that_answers_for_it() -> None:
    assert only(b.waited("A", 10, unit="norte")).unit == b.UNIT


def test_each_part_has_a_verdict_of_its_own() -> None:
    two = b.compromiso(b.wait(), b.wait(limit={"op": "<=", "value": 5}))
    found = judged(b.waited("A", 10), b.carta(two))
    assert [found["RC-01-02", part, 0].status for part in (0, 1)] == ["met", "failed"]


@pytest.mark.parametrize(
    ("known", "status"),
    [(None, "pending"), ("2026-09-07 10:14", "pending"), ("2026-09-07 10:15", "failed")],
)
def test_an_open_case_is_overdue_once_its_source_is_known_complete_through_the_limit(
    known: str | None, status: str
) -> None:
    found = only(b.case(), known=None if known is None else local(known))
    assert found.status == status


def test_the_alarm_of_an_open_case_is_the_end_of_its_term() -> None:
    assert only(b.case(), known=None).alarm_at == local("2026-09-07 10:15")


def test_a_case_whose_start_is_awaited_is_looked_at_when_all_before_it_is_known() -> None:
    """An appointment that was never opened: excluded once nothing earlier can still come."""
    part = b.answer(population={"event": "request.resolved", "anchor": "occurred"})
    data = b.case(request_resolved="2026-09-07 10:00")
    data = replace(data, instants={"request.resolved": local("2026-09-07 10:00")})
    waiting = only(data, b.carta(b.compromiso(part)), known=None)
    assert waiting.reason == CaseReason.WAITING_FOR_START
    assert waiting.alarm_at == local("2026-09-07 10:00")
    known = only(data, b.carta(b.compromiso(part)), known=waiting.alarm_at)
    assert (known.status, known.alarm_at) == (CaseStatus.EXCLUDED, None)


@pytest.mark.parametrize("minutes", [10, 20])
def test_a_case_that_ended_has_no_alarm(minutes: int) -> None:
    assert only(b.waited("A", minutes), known=None).alarm_at is None


def test_an_overdue_case_has_no_further_alarm() -> None:
    assert only(b.case()).alarm_at is None


def test_a_case_of_an_import_says_so() -> None:
    assert only(b.waited("A", 10, historical=True)).historical


def test_a_promise_whose_calendar_has_not_arrived_waits() -> None:
    carta = b.carta(b.compromiso(b.answer()))
    missing = build_town(
        b.TOWN, [b.municipality(calendar="OTRO")], [b.calendar()], [CartaRules.of(carta)]
    )
    assert missing.by_compromiso == {}


def test_the_retirement_of_a_calendar_version_alone_takes_no_promise_away() -> None:
    """Its successor travels on another partition and may come later."""

    def made(*calendars: CalendarData) -> Promise:
        town = build_town(b.TOWN, [b.municipality()], calendars, [CartaRules.of(b.carta())])
        return town.by_compromiso["RC-01-02"][0]

    retired = b.calendar(status=Status.RETIRED)
    assert made(retired).cutoff.calendar.version == 1
    later = b.calendar(version=2, calendar=retired.calendar.model_copy(update={"version": 2}))
    assert made(later, retired).cutoff.calendar.version == 2


def test_a_retired_carta_promises_nothing() -> None:
    assert judged(b.waited("A", 10), b.carta(status=Status.RETIRED)) == {}


def test_the_cut_off_is_the_tenth_working_day_after_the_window() -> None:
    """September 2026: ten working days from the 1st of October end with the 14th."""
    made = b.promise()
    window = made.window_at(local("2026-09-30 23:59"))
    assert window is not None
    assert window.end == local("2026-10-01 00:00")
    assert made.closes_at(window) == local("2026-10-15 00:00")


def test_a_version_has_windows_from_the_day_it_came_into_force() -> None:
    made = b.catalogue(b.carta(valid_from=date(2026, 7, 20))).versions(b.TOWN, "RC-01-02")[0]
    now = local("2026-09-10 12:00")
    assert [w.id for w in windows_until(made, now, most=8)] == ["2026-07", "2026-08", "2026-09"]
    assert [w.id for w in windows_until(made, now, most=2)] == ["2026-08", "2026-09"]


def test_a_version_that_ended_has_no_windows_after_it() -> None:
    ended = b.carta(valid_from=date(2026, 6, 1), valid_to=date(2026, 7, 15))
    made = b.catalogue(ended).versions(b.TOWN, "RC-01-02")[0]
    found = windows_until(made, local("2026-09-10 12:00"), most=8)
    assert [w.id for w in found] == ["2026-06", "2026-07"]


def test_the_next_window_begins_where_the_running_one_ends() -> None:
    made = b.catalogue(b.carta(valid_to=date(2026, 9, 15))).versions(b.TOWN, "RC-01-02")[0]
    assert next_window_at(made, local("2026-08-31 23:59")) == local("2026-09-01 00:00")
    assert next_window_at(made, local("2026-09-01 00:00")) == local("2026-10-01 00:00")


def test_a_version_that_has_ended_gets_no_window_again() -> None:
    """Its last day is still one of it."""
    made = b.catalogue(b.carta(valid_to=date(2026, 9, 15))).versions(b.TOWN, "RC-01-02")[0]
    assert next_window_at(made, local("2026-09-15 23:59")) is not None
    assert next_window_at(made, local("2026-09-16 00:00")) is None


def test_a_campaign_gets_its_one_window_on_its_first_day() -> None:
    window = Window(
        kind=WindowKind.CAMPAIGN, id="lluvias", first=date(2026, 6, 1), last=date(2026, 6, 30)
    )
    made = b.promise(window=window)
    assert next_window_at(made, local("2026-05-01 12:00")) == local("2026-06-01 00:00")
    assert next_window_at(made, local("2026-06-01 00:00")) == local("2026-07-01 00:00")
    assert next_window_at(made, local("2026-07-01 00:00")) is None
