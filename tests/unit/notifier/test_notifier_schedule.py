from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.schedule import (
    Awaited,
    deadlines,
    digest_day,
    first_due,
    last_day,
    retry_delay,
    send_from,
    still_awaited,
)
from shared.contracts.cartas import QuietHours
from shared.contracts.corrective_actions import ActionState
from shared.worktime import PreparedCalendar
from tests.unit.notifier import builders as b

CALENDAR = PreparedCalendar(b.calendar())
QUIET = QuietHours(start=time(18, 0), end=time(8, 0))


def local(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of September 2026 in Mexico City (UTC-6)."""
    return datetime(2026, 9, day, hour, minute, tzinfo=CALENDAR.zone).astimezone(UTC)


def test_terms_count_working_days_and_leave_out_the_holiday() -> None:
    # Requested Thursday the 10th: 2 days end on Monday the 14th; 10 days would end on Thursday
    # the 24th, but Wednesday the 16th does not count: Friday the 25th. 15: Friday 2 October.
    found = deadlines(b.NOON, (), CALENDAR)

    assert [(each.level, each.awaited, last_day(each.due_at, CALENDAR.zone)) for each in found] == [
        (2, Awaited.ACKNOWLEDGEMENT, date(2026, 9, 14)),
        (3, Awaited.PLAN, date(2026, 9, 25)),
        (4, Awaited.PLAN, date(2026, 10, 2)),
    ]


def test_a_term_ends_at_the_local_midnight_after_its_last_day() -> None:
    assert first_due(deadlines(b.NOON, (), CALENDAR), Awaited.ACKNOWLEDGEMENT) == datetime(
        2026, 9, 15, 6, 0, tzinfo=UTC
    )


def test_a_returned_plan_has_only_the_terms_of_plans() -> None:
    found = deadlines(b.NOON, (), CALENDAR, only=Awaited.PLAN)

    assert [each.level for each in found] == [3, 4]


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_every_term_is_after_its_start_and_a_later_level_never_earlier(start: datetime) -> None:
    found = deadlines(start, (), CALENDAR)

    assert all(each.due_at > start for each in found)
    assert [each.due_at for each in found] == sorted(each.due_at for each in found)


def test_filing_answers_the_acknowledgement_too_and_a_return_asks_again() -> None:
    assert still_awaited(Awaited.ACKNOWLEDGEMENT, ActionState.REQUESTED, acknowledged=False)
    assert not still_awaited(Awaited.ACKNOWLEDGEMENT, ActionState.FILED, acknowledged=True)
    assert not still_awaited(Awaited.PLAN, ActionState.FILED, acknowledged=True)
    assert still_awaited(Awaited.PLAN, ActionState.RETURNED, acknowledged=True)
    assert not still_awaited(Awaited.PLAN, ActionState.APPROVED, acknowledged=True)


def test_retries_slow_down_and_never_stop_before_five_days() -> None:
    delays = [retry_delay(attempt) for attempt in range(1, 40)]

    assert delays == sorted(delays)
    assert delays[0] < timedelta(minutes=1)
    assert sum(delays, timedelta()) > timedelta(days=5)


def test_without_quiet_hours_nothing_waits() -> None:
    assert send_from(local(12, 3), None, CALENDAR) == local(12, 3)


def test_mail_that_can_wait_is_held_until_the_next_working_morning() -> None:
    assert send_from(local(10, 12), QUIET, CALENDAR) == local(10, 12)
    assert send_from(local(10, 18), QUIET, CALENDAR) == local(11, 8)
    assert send_from(local(11, 7, 59), QUIET, CALENDAR) == local(11, 8)
    assert send_from(local(11, 19), QUIET, CALENDAR) == local(14, 8)  # over the weekend
    assert send_from(local(12, 12), QUIET, CALENDAR) == local(14, 8)
    assert send_from(local(15, 20), QUIET, CALENDAR) == local(17, 8)  # over the holiday


@given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_held_mail_is_sent_when_it_would_not_be_held(now: datetime) -> None:
    sent = send_from(now, QUIET, CALENDAR)

    assert now <= sent <= now + timedelta(days=6)
    assert send_from(sent, QUIET, CALENDAR) == sent


def test_the_digest_is_due_once_its_hour_has_come_on_a_working_day() -> None:
    assert digest_day(local(10, 7, 59), QUIET, CALENDAR) is None
    assert digest_day(local(10, 8), QUIET, CALENDAR) == date(2026, 9, 10)
    assert digest_day(local(10, 23), None, CALENDAR) == date(2026, 9, 10)
    assert digest_day(local(12, 12), QUIET, CALENDAR) is None
