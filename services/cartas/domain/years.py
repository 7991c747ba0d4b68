"""Calendars are published a year at a time: whose next one is missing when it is due."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from shared.worktime import Calendar

DUE_MONTH: Final = 11
"""State gazettes publish next year's days in December (domain reference, section 8, EDOM24)."""


def missing_next_year(calendars: Iterable[Calendar], today: date) -> list[str]:
    """Return, from November on, the working calendars that name no day off in the next year.

    A range that begins in December is of this year's list.
    """
    if today.month < DUE_MONTH:
        return []
    following = today.year + 1
    return [
        each.id
        for each in calendars
        if each.kind == "working" and not any(day.first.year == following for day in each.days)
    ]
