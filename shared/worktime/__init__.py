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

__all__ = ["Calendar", "DayException", "Pause", "Segment", "StartRule", "Unit", "Weekday"]
