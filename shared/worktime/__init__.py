"""Calendars and working-time arithmetic: one clock for what has elapsed and for what is due."""

from shared.worktime.batch import due_instants, elapsed_each
from shared.worktime.explain import MOST_DAYS, Count, CountedDay, Rule, Why, count_days, parse_rule
from shared.worktime.history import CalendarHistory
from shared.worktime.model import (
    Calendar,
    DayException,
    Pause,
    Segment,
    StartRule,
    Unit,
    Weekday,
    WeekFrom,
)
from shared.worktime.prepared import CalendarExhaustedError, PreparedCalendar, dead_years
from shared.worktime.terms import due_instant, elapsed, kept_until

__all__ = [
    "MOST_DAYS",
    "Calendar",
    "CalendarExhaustedError",
    "CalendarHistory",
    "Count",
    "CountedDay",
    "DayException",
    "Pause",
    "PreparedCalendar",
    "Rule",
    "Segment",
    "StartRule",
    "Unit",
    "WeekFrom",
    "Weekday",
    "Why",
    "count_days",
    "dead_years",
    "due_instant",
    "due_instants",
    "elapsed",
    "elapsed_each",
    "kept_until",
    "parse_rule",
]
