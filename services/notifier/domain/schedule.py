"""When someone must have answered, and when mail that can wait is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.domain.ladder import DEFAULT_STEPS
from shared.contracts.cartas import EscalationStep, QuietHours
from shared.contracts.corrective_actions import ActionState
from shared.worktime import PreparedCalendar, Unit, due_instant

RETRY_FOR: Final = timedelta(days=5)
"""How long mail is offered to a server that is away (RFC 5321, 4.5.4.1: 4 to 5 days)."""
RETRY_DELAYS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 1800, 3600, 7200, 14400)
)
DIGEST_TIME: Final = time(8, 0)
"""Local hour of the daily digest where the municipality has no quiet hours."""


class Awaited(StrEnum):
    """What a deadline waits for."""

    ACKNOWLEDGEMENT = "acknowledgement"
    PLAN = "plan"


@dataclass(frozen=True, slots=True)
class Deadline:
    """`level` is told at `due_at` (UTC) if what is awaited has not come by then."""

    level: int
    awaited: Awaited
    due_at: datetime
    working_days: int


def deadlines(
    start: datetime,
    steps: Sequence[EscalationStep],
    calendar: PreparedCalendar,
    *,
    only: Awaited | None = None,
) -> tuple[Deadline, ...]:
    """Return the escalation of a request made at `start`, in working days of `calendar`.

    The first step after day 0 waits for the acknowledgement, all later ones for the plan. A step
    of 0 days names a rung of the ladder and no deadline. `due_at` is the end (exclusive) of the
    last working day.
    """
    later = sorted(
        (step for step in steps or DEFAULT_STEPS if step.after_working_days > 0),
        key=lambda step: (step.after_working_days, step.level),
    )
    found = (
        Deadline(
            level=step.level,
            awaited=Awaited.PLAN if ordinal else Awaited.ACKNOWLEDGEMENT,
            due_at=end_of_term(start, step.after_working_days, calendar),
            working_days=step.after_working_days,
        )
        for ordinal, step in enumerate(later)
    )
    return tuple(deadline for deadline in found if only in (None, deadline.awaited))


def end_of_term(start: datetime, working_days: int, calendar: PreparedCalendar) -> datetime:
    """Return the end (exclusive) of the last of so many working days after `start`."""
    due = due_instant(start, working_days, Unit.WORKING_DAY, calendar)
    if due is None:
        raise AssertionError("only an open pause leaves a term without end")
    return due


def first_due(found: Sequence[Deadline], awaited: Awaited) -> datetime | None:
    """Return by when it must have come, None where no step waits for it."""
    return min((each.due_at for each in found if each.awaited is awaited), default=None)


def still_awaited(awaited: Awaited, state: ActionState, *, acknowledged: bool) -> bool:
    """Say whether the deadline still speaks against the unit."""
    if awaited is Awaited.ACKNOWLEDGEMENT:
        return not acknowledged
    return state in (ActionState.REQUESTED, ActionState.ACKNOWLEDGED, ActionState.RETURNED)


def last_day(due_at: datetime, zone: ZoneInfo) -> date:
    """Return the local date that people know as the deadline: `due_at` is the midnight after it."""
    return (due_at - timedelta(microseconds=1)).astimezone(zone).date()


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after the `attempts`-th failure (1 is the first)."""
    return RETRY_DELAYS[min(attempts, len(RETRY_DELAYS)) - 1]


def send_from(now: datetime, quiet: QuietHours | None, calendar: PreparedCalendar) -> datetime:
    """Return when mail that can wait may be sent: `now`, or the next working morning.

    Quiet hours hold it from `start` to `end` (local, they may span midnight) and on days that do
    not count; a municipality without quiet hours holds nothing back.
    """
    if quiet is None:
        return now
    local = now.astimezone(calendar.zone)
    today = calendar.date_of(now)
    if calendar.between(today, today) and not _is_quiet(local.time(), quiet):
        return now
    if not calendar.between(today, today) or local.time() >= quiet.end:
        today = calendar.after(today, 1)
    return local_instant(date.fromordinal(today), quiet.end, calendar)


def _is_quiet(at: time, quiet: QuietHours) -> bool:
    """`start` is quiet, `end` no longer is."""
    if quiet.start <= quiet.end:
        return quiet.start <= at < quiet.end
    return at >= quiet.start or at < quiet.end


def local_instant(day: date, at: time, calendar: PreparedCalendar) -> datetime:
    """Return the UTC instant of a local time of the calendar's zone."""
    return datetime.combine(day, at, tzinfo=calendar.zone).astimezone(UTC)


def digest_day(now: datetime, quiet: QuietHours | None, calendar: PreparedCalendar) -> date | None:
    """Return the local date whose digest is due at `now`, None before its hour or on a free day."""
    today = calendar.date_of(now)
    day = date.fromordinal(today)
    if not calendar.between(today, today):
        return None
    hour = quiet.end if quiet is not None else DIGEST_TIME
    return day if now >= local_instant(day, hour, calendar) else None
