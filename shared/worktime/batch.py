"""Many terms at once, without pauses: each answer equals that of due_instant and elapsed."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime

from shared.worktime.model import MICROSECONDS, StartRule, Unit
from shared.worktime.prepared import PreparedCalendar
from shared.worktime.terms import Amount, due_instant, elapsed


def due_instants(
    starts: Sequence[datetime],
    limit: Amount,
    unit: Unit,
    calendar: PreparedCalendar,
    *,
    start_rule: StartRule | None = None,
) -> list[datetime]:
    """Return the due instant of each start. Terms in days and months are found once for each date.

    Raises as due_instant does, also where only one date of the whole span has no answer.
    """
    if not starts:
        return []
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


def _midnights(instants: Sequence[datetime], calendar: PreparedCalendar) -> list[datetime]:
    """Return when each local date begins, from that of the first instant to that of the last."""
    return calendar.midnights(calendar.date_of(min(instants)), calendar.date_of(max(instants)))


def _places(instants: Sequence[datetime], midnights: Sequence[datetime]) -> Iterator[int]:
    return (bisect_right(midnights, instant) - 1 for instant in instants)
