"""What was in force on a day, and since when we knew: every version of one calendar."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from shared.worktime.model import Calendar
from shared.worktime.prepared import PreparedCalendar


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """One version of a calendar, and the instant from which it was known."""

    prepared: PreparedCalendar
    known_since: datetime

    @property
    def number(self) -> int:
        return self.prepared.calendar.version


class CalendarHistory:
    """The versions of one calendar. A version says what is in force on all days (valid time).

    A later one replaces it from `known_since` on (known time), for past days too: an act decreed on
    Wednesday can suspend Monday. What was decided before stays explained by what was known then.
    """

    __slots__ = ("versions",)

    def __init__(self, versions: Iterable[tuple[Calendar, datetime]]) -> None:
        ordered = sorted(versions, key=lambda each: each[0].version)
        if not ordered:
            raise ValueError("a calendar has at least one version")
        self.versions = tuple(
            KnownVersion(PreparedCalendar(calendar), since) for calendar, since in ordered
        )

    @property
    def latest(self) -> PreparedCalendar:
        return self.versions[-1].prepared

    def known_at(self, instant: datetime) -> PreparedCalendar:
        """Return the calendar as it was known at `instant`; before the first version, that one.

        Equality knows: a version counts from its very instant.
        """
        known = [each for each in self.versions if each.known_since <= instant]
        return (known or self.versions[:1])[-1].prepared

    def version(self, number: int) -> PreparedCalendar | None:
        """Return one version, None where it is not known here."""
        found = (each.prepared for each in self.versions if each.number == number)
        return next(found, None)

    def replaced_after(self, instant: datetime) -> Iterator[PreparedCalendar]:
        """Yield, oldest first, the versions that were replaced after `instant`."""
        for version, successor in pairwise(self.versions):
            if successor.known_since > instant:
                yield version.prepared
