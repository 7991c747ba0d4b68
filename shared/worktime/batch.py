"""Many terms at once, without pauses: each answer equals that of due_instant and elapsed.

Of a term in office hours the due instant follows the start at a fixed distance as long as both lie
in the same hours, and stands still while the start moves through closed time. A few such pieces a
day hold for every start there is: each start only looks for its own.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.worktime.model import MICROSECONDS, OPEN_UNITS, StartRule, Unit, check_aware
from shared.worktime.prepared import PreparedCalendar, instant_of, microseconds_of
from shared.worktime.terms import Amount, due_instant, elapsed, whole


def due_instants(
    starts: Sequence[datetime],
    limit: Amount,
    unit: Unit,
    calendar: PreparedCalendar,
    *,
    start_rule: StartRule | None = None,
) -> list[datetime]:
    """Return the due instant of each start.

    Terms in days and months are found once for each date, in office hours once for each piece.
    Raises as due_instant does, also where only one date of the whole span has no answer.
    """
    if not starts:
        return []
    if unit in OPEN_UNITS:
        return _due_in_hours(starts, whole(limit * MICROSECONDS[unit]), calendar)
    if unit in MICROSECONDS:
        return _dues(starts, limit, unit, calendar, start_rule)
    midnights = _midnights(starts, calendar)
    dues = _dues(midnights, limit, unit, calendar, start_rule)
    return [dues[bisect_right(midnights, start) - 1] for start in starts]


def elapsed_each(
    starts: Sequence[datetime],
    stops: Sequence[datetime],
    unit: Unit,
    calendar: PreparedCalendar,
    *,
    start_rule: StartRule | None = None,
) -> list[int]:
    """Return what has elapsed from each start to its stop; each pair of dates is counted once.

    Raises as elapsed does.
    """
    pairs = list(zip(starts, stops, strict=True))
    if unit in MICROSECONDS or not pairs:
        return [elapsed(start, stop, unit, calendar) for start, stop in pairs]
    midnights = _midnights([*starts, *stops], calendar)
    known: dict[tuple[int, int], int] = {}
    found: list[int] = []
    for start, stop in pairs:
        dates = bisect_right(midnights, start), bisect_right(midnights, stop)
        if dates not in known or stop < start:
            known[dates] = elapsed(start, stop, unit, calendar, start_rule=start_rule)
        found.append(known[dates])
    return found


def _dues(
    starts: Sequence[datetime],
    limit: Amount,
    unit: Unit,
    calendar: PreparedCalendar,
    start_rule: StartRule | None,
) -> list[datetime]:
    """Find each by itself; without pauses each is known."""
    dues = (due_instant(each, limit, unit, calendar, start_rule=start_rule) for each in starts)
    return [due for due in dues if due is not None]


@dataclass(slots=True)
class _Pieces:
    """Where the due instant is a fixed distance from the start, or (no distance) a fixed instant.

    A piece ends with `ends`, included; the next one begins after it.
    """

    ends: list[datetime] = field(default_factory=list)
    distances: list[timedelta | None] = field(default_factory=list)
    fixed: list[datetime] = field(default_factory=list)

    def add(self, end: int, due: int, *, follows: bool) -> None:
        """Add a piece by its end and the due instant there, both in microseconds."""
        self.ends.append(instant_of(end))
        self.distances.append(timedelta(microseconds=due - end) if follows else None)
        self.fixed.append(instant_of(due))


def _due_in_hours(
    starts: Sequence[datetime], amount: int, calendar: PreparedCalendar
) -> list[datetime]:
    """Look up the piece of each start; where nothing has to run, it ends as it starts."""
    instants = [start if start.tzinfo is UTC else _in_utc(start) for start in starts]
    if not amount:
        return instants
    first, last = min(instants), max(instants)
    pieces = _pieces(microseconds_of(first), microseconds_of(last), amount, calendar)
    dues: list[datetime] = []
    for start in instants:
        place = bisect_left(pieces.ends, start)
        distance = pieces.distances[place]
        dues.append(pieces.fixed[place] if distance is None else start + distance)
    return dues


def _in_utc(start: datetime) -> datetime:
    check_aware(start)
    return start.astimezone(UTC)


def _pieces(first: int, last: int, amount: int, calendar: PreparedCalendar) -> _Pieces:
    """Return the pieces of all starts from `first` to `last`.

    Two walks over the same hours, the one of the due instants being `amount` of open time ahead.
    `begun` and `reached` are the open time before the hours of each walk; what is used up exactly
    at closing time is due then, not at the next opening.
    """
    pieces = _Pieces()
    ahead = calendar.hours_from(first)
    due_opens, due_closes = next(ahead)
    begun, reached = 0, 0
    while reached + due_closes - due_opens < amount:
        reached += due_closes - due_opens
        due_opens, due_closes = next(ahead)
    hours = calendar.hours_from(first)
    while True:
        opens, closes = next(hours)
        offset = due_opens - reached + amount + begun - opens
        pieces.add(opens, opens + offset, follows=False)
        while due_closes - offset < closes:
            pieces.add(due_closes - offset, due_closes, follows=True)
            reached += due_closes - due_opens
            due_opens, due_closes = next(ahead)
            offset = due_opens - reached + amount + begun - opens
        pieces.add(closes, closes + offset, follows=True)
        begun += closes - opens
        if closes >= last:
            return pieces


def _midnights(instants: Sequence[datetime], calendar: PreparedCalendar) -> list[datetime]:
    """Return when each local date begins, from that of the first instant to that of the last."""
    for instant in instants:
        check_aware(instant)
    return calendar.midnights(calendar.date_of(min(instants)), calendar.date_of(max(instants)))
