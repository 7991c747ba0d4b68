"""Many terms at once, without pauses: each answer equals that of due_instant and elapsed.

Of a term in office hours the due instant follows the start at a fixed distance as long as both lie
in the same hours, and stands still while the start moves through closed time. A few such pieces a
day hold for every start there is: each start only looks for its own.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from shared.worktime.model import MICROSECONDS, OPEN_UNITS, StartRule, Unit
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
    amount = whole(limit * MICROSECONDS.get(unit, 1))
    if unit in OPEN_UNITS and amount:
        return _due_in_hours(starts, amount, calendar)
    instants: Sequence[datetime] = starts
    places: Iterator[int] | None = None
    if unit not in MICROSECONDS:
        instants = _midnights(starts, calendar)
        places = _places(starts, instants)
    dues = [
        due
        for instant in instants
        if (due := due_instant(instant, limit, unit, calendar, start_rule=start_rule)) is not None
    ]
    return dues if places is None else [dues[place] for place in places]


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
    dates = zip(_places(starts, midnights), _places(stops, midnights), pairs, strict=True)
    for first, last, (start, stop) in dates:
        taken = known.get((first, last))
        if taken is None or stop < start:
            taken = elapsed(start, stop, unit, calendar, start_rule=start_rule)
            known[first, last] = taken
        found.append(taken)
    return found


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
    """Look up each start among the pieces that end on its UTC date."""
    instants = [start if start.tzinfo is UTC else _in_utc(start) for start in starts]
    first, last = min(instants), max(instants)
    pieces = _pieces(microseconds_of(first), microseconds_of(last), amount, calendar)
    base, days = first.toordinal(), last.toordinal() - first.toordinal() + 2
    dawn = datetime(first.year, first.month, first.day, tzinfo=UTC)
    begin = [bisect_left(pieces.ends, dawn + timedelta(days=n)) for n in range(days)]
    ends, distances, fixed = pieces.ends, pieces.distances, pieces.fixed
    dues: list[datetime] = []
    for start in instants:
        day = start.toordinal() - base
        place = bisect_left(ends, start, begin[day], begin[day + 1])
        distance = distances[place]
        dues.append(fixed[place] if distance is None else start + distance)
    return dues


def _in_utc(start: datetime) -> datetime:
    if start.tzinfo is None:
        raise ValueError(f"a naive time says nothing: {start}")
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
    begun = reached = 0
    hours = calendar.hours_from(first)
    while True:
        opens, closes = next(hours)
        while reached + due_closes - due_opens < begun + amount:
            reached += due_closes - due_opens
            due_opens, due_closes = next(ahead)
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
    return calendar.midnights(calendar.date_of(min(instants)), calendar.date_of(max(instants)))


def _places(instants: Sequence[datetime], midnights: Sequence[datetime]) -> Iterator[int]:
    return (bisect_right(midnights, instant) - 1 for instant in instants)
