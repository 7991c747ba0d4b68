"""Working calendars as published, and the units in which promises count time."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Unit(StrEnum):
    """Units of a clock, spelled as cartas spell them.

    `s`, `min`, `h` run day and night; `min_habil`, `h_habil` run only while the unit is open;
    `dia_habil` counts days that count, `dia_natural` every day, `mes` goes from date to date.
    """

    SECOND = "s"
    MINUTE = "min"
    HOUR = "h"
    OPEN_MINUTE = "min_habil"
    OPEN_HOUR = "h_habil"
    WORKING_DAY = "dia_habil"
    CALENDAR_DAY = "dia_natural"
    MONTH = "mes"


MICROSECONDS: Final = {
    Unit.SECOND: 1_000_000,
    Unit.MINUTE: 60_000_000,
    Unit.OPEN_MINUTE: 60_000_000,
    Unit.HOUR: 3_600_000_000,
    Unit.OPEN_HOUR: 3_600_000_000,
}
"""Microseconds in one unit; units that are missing here count whole dates or months."""

OPEN_UNITS: Final = frozenset({Unit.OPEN_MINUTE, Unit.OPEN_HOUR})
UNITS_WITHOUT_CALENDAR: Final = frozenset({Unit.SECOND, Unit.MINUTE, Unit.HOUR})


class StartRule(StrEnum):
    """Which date is day 1 of a term in days."""

    NEXT_COUNTING_DAY = "next_counting_day"
    """The first counting day after the start's date (LFPA practice; the default)."""
    START_DAY = "start_day"
    """The start's own date, where it counts; otherwise the first counting day after it."""


class Weekday(StrEnum):
    """Days of the week as calendars name them on the wire, in ISO order."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


LocalTime = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Segment = tuple[LocalTime, LocalTime]
"""[opens, closes) in local time; a shift over midnight is two segments."""


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _check_segments(segments: tuple[Segment, ...]) -> None:
    """Zero-padded times compare as text; 24:00 is greater than all of them."""
    previous = "00:00"
    for opens, closes in segments:
        if opens < previous or closes <= opens:
            raise ValueError(f"segments must be ordered, apart and not empty: {opens}-{closes}")
        previous = closes


class DayException(_Wire):
    """A published exception, both dates included: whether those days open, and whether they count.

    `opens` false closes the day, true gives it the week's hours, segments are hours of its own.
    None, of `opens` as of `counts`, leaves that side as it is: a suspension of work says nothing of
    terms, nor one of terms of work. One that `prevails` (a guard, a decreed suspension) has the
    last word over those before it.
    """

    first: date
    last: date
    reason: str = Field(min_length=1, max_length=300)
    opens: bool | tuple[Segment, ...] | None = None
    counts: bool | None = None
    prevails: bool = False
    act: str = Field(default="", max_length=500, description="The published act that decreed it.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"the last day {self.last} is before the first day {self.first}")
        if isinstance(self.opens, tuple):
            _check_segments(self.opens)
        return self


class WeekFrom(_Wire):
    """The usual week from a day on; the days before it keep the week that they had."""

    since: date
    week: dict[Weekday, tuple[Segment, ...]]
    counting: tuple[Weekday, ...]

    @model_validator(mode="after")
    def _usable(self) -> Self:
        _check_week(self.week, self.counting)
        return self


class Calendar(_Wire):
    """One version of a body's calendar: all that is in force, on any day, as we knew it then.

    Opening (`week`) and counting (`counting`) are apart: a Saturday can open and not count, a
    parade day can be worked and not count. Where exceptions overlap, the last that prevails
    decides; where none does, a day opens only if none closes it and counts only if none stops it,
    so that a guard over the holidays does not open Christmas Day.
    """

    id: str = Field(min_length=1, max_length=100)
    version: int = Field(ge=1)
    kind: Literal["working", "natural"]
    zone: str = Field(min_length=1, max_length=64)
    week: dict[Weekday, tuple[Segment, ...]]
    counting: tuple[Weekday, ...]
    weeks: tuple[WeekFrom, ...] = Field(
        default=(), max_length=100, description="Later weeks, each from its day on, in order."
    )
    days: tuple[DayException, ...] = Field(default=(), max_length=2000)
    start_rule: StartRule = StartRule.NEXT_COUNTING_DAY
    source: str = Field(default="", max_length=500)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        _check_week(self.week, self.counting)
        if any(later.since <= earlier.since for earlier, later in pairwise(self.weeks)):
            raise ValueError("the later weeks are not in order")
        if self.kind == "natural" and not self._counts_always():
            raise ValueError("every day of a natural calendar counts")
        _check_zone(self.zone)
        return self

    def _counts_always(self) -> bool:
        weeks = (self.counting, *(each.counting for each in self.weeks))
        return all(set(counting) == set(Weekday) for counting in weeks) and all(
            day.counts is not False for day in self.days
        )


def _check_week(week: dict[Weekday, tuple[Segment, ...]], counting: tuple[Weekday, ...]) -> None:
    for segments in week.values():
        _check_segments(segments)
    if not any(week.values()):
        raise ValueError("the calendar never opens")
    if not counting:
        raise ValueError("no day of the calendar counts")


def _check_zone(name: str) -> None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone: {name}") from error


def check_aware(instant: datetime) -> None:
    """Raise ValueError for a naive time, which would be read in the zone of the machine."""
    if instant.tzinfo is None:
        raise ValueError(f"a naive time says nothing: {instant}")


@dataclass(frozen=True, slots=True)
class Pause:
    """An interval in which the clock of a case stands still; `end` None while it is open."""

    start: datetime
    end: datetime | None

    def __post_init__(self) -> None:
        check_aware(self.start)
        if self.end is None:
            return
        check_aware(self.end)
        if self.end < self.start:
            raise ValueError(f"a pause ends ({self.end}) before it starts ({self.start})")
