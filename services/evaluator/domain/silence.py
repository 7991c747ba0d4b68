"""When a source that should have spoken did not: gaps between its words, in service hours."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

from services.evaluator.domain.coverage import Cadence
from shared.worktime.prepared import PreparedCalendar, instant_of, microseconds_of

MINUTE: Final = timedelta(minutes=1)
MINUTES_OF_DAY: Final = 1440
_MINUTE_MICROSECONDS: Final = 60_000_000
_WORDS: Final = re.compile("1+")

Gap = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Silence:
    """[start, end) in service hours; without `end` it goes on."""

    start: datetime
    end: datetime | None


def words(heard: Iterable[tuple[date, int]]) -> Iterator[Gap]:
    """Yield the spans in which a source spoke minute by minute, oldest first.

    `heard` has the minutes of each UTC day as bits, the first minute the lowest; days ascend.
    """
    for day, minutes in heard:
        midnight = datetime.combine(day, time(), UTC)
        bits = f"{minutes:0{MINUTES_OF_DAY}b}"[::-1]
        for found in _WORDS.finditer(bits):
            yield midnight + found.start() * MINUTE, midnight + found.end() * MINUTE


def silences(
    spoken: Sequence[Gap],
    expects: Cadence,
    calendar: PreparedCalendar,
    *,
    since: datetime,
    through: datetime,
) -> list[Silence]:
    """Return the silences from `since`, a word of its own or the expectation's beginning.

    A gap is a silence when more of the calendar's opening time passes in it than was allowed:
    equality is no silence. What lies after `through` is not known yet.
    """
    end = through if expects.until is None else min(through, expects.until)
    known = [span for span in spoken if span[1] > since]
    edges = [since, *(edge for span in known for edge in span), max(end, since)]
    gaps = [(one, other) for one, other in list(pairwise(edges))[::2] if one < other]
    found: list[Silence] = []
    for start, stop in gaps:
        goes_on = stop == end and expects.until is None
        silence = _silence(start, stop, expects.every_minutes, calendar, goes_on=goes_on)
        if silence is not None:
            found.append(silence)
    return found


def _silence(
    start: datetime,
    stop: datetime,
    every_minutes: int,
    calendar: PreparedCalendar,
    *,
    goes_on: bool,
) -> Silence | None:
    first, last = microseconds_of(start), microseconds_of(stop)
    opened = calendar.open_between(first, last)
    if opened <= every_minutes * _MINUTE_MICROSECONDS:
        return None
    begins = calendar.advance(first, 0, latest=True)
    ends = calendar.advance(first, opened, latest=False)
    return Silence(instant_of(begins), None if goes_on else instant_of(ends))
