"""Calendars and working-time arithmetic: one clock for what has elapsed and for what is due."""

from shared.worktime.model import (
    Calendar,
    DayException,
    Pause,
    Segment,
    StartRule,
    Unit,
    Weekday,
)
from shared.worktime.prepared import CalendarExhaustedError, PreparedCalendar
from shared.worktime.terms import due_instant, elapsed, kept_until

__all__ = [
    "Calendar",
    "CalendarExhaustedError",
    "DayException",
    "Pause",
    "PreparedCalendar",
    "Segment",
    "StartRule",
    "Unit",
    "Weekday",
    "due_instant",
    "elapsed",
    "kept_until",
]
