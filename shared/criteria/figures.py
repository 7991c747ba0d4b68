"""From counts to figures: exact fractions, and what they could still become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

from shared.criteria.methods import effective_sample
from shared.criteria.model import (
    Availability,
    Count,
    Groups,
    Mean,
    Nps,
    Part,
    Percentile,
    Ratio,
    Schedule,
    Share,
    Statistic,
    Sum,
    scale_of,
)
from shared.criteria.outages import microseconds, open_hours, service_time, within, without
from shared.criteria.schedule import occurrences, with_expected
from shared.criteria.values import Outage
from shared.criteria.verdict import BEYOND, PLANNED, Cells, Tally, WindowBounds, merged
from shared.criteria.windows import local_day
from shared.worktime.prepared import PreparedCalendar

_NOTHING: Final = Fraction(0)


@dataclass(frozen=True, slots=True)
class Setting:
    """What figures need of their window beside its counts.

    `calendars` has one for each measure, None where it needs none. Everything that happened up to
    and including `known` is known; None when nothing is.
    """

    window: WindowBounds
    zone: ZoneInfo
    calendars: Sequence[PreparedCalendar | None]
    known: datetime | None


@dataclass(frozen=True, slots=True)
class FigureValue:
    """A figure. `value` is None where there is nothing to compute it from.

    `sample` counts what it rests on; None where it needs nothing (a count of nothing is 0).
    Whatever becomes of pending items, it will lie between `lowest` and `highest`; None where the
    pending tell nothing yet. `is_beyond`: it lies among open cases past their limit, which is
    worse than any number. `above`: what the numerator of a ratio counts; `tally` its denominator.
    `effective`: the sample that weights leave, for a margin.
    """

    value: Fraction | None
    numerator: Fraction
    denominator: Fraction
    sample: int | None
    tally: Tally
    lowest: Fraction | None = None
    highest: Fraction | None = None
    is_beyond: bool = False
    above: Tally | None = None
    effective: Fraction | None = None


def figure_of(part: Part, cells: Sequence[Cells], setting: Setting) -> FigureValue:
    """Return the figure of a part. `cells` and the setting's calendars are its own.

    They come in the order of measures_of: two for a ratio, one for anything else.
    """
    figure = part.figure
    calendar = setting.calendars[0]
    if isinstance(figure, Ratio):
        return _ratio(figure, merged(cells[0]), merged(cells[1]), setting)
    if isinstance(figure, Groups):
        return _groups(figure, cells[0], setting, calendar)
    if isinstance(figure, Availability):
        return _availability(figure, cells[0], setting, calendar)
    if isinstance(figure, Schedule):
        return _schedule(figure, cells[0], setting, calendar)
    return statistic(figure, merged(cells[0]), setting, calendar)


def statistic(
    figure: Statistic, tally: Tally, setting: Setting, calendar: PreparedCalendar | None
) -> FigureValue:
    """Return the statistic of one population."""
    match figure:
        case Share():
            return _share(tally)
        case Mean() | Nps():
            return _mean(figure, tally)
        case Percentile():
            return _percentile(figure, tally)
        case Count():
            return _count(tally)
        case _:
            return _sum(figure, tally, setting, calendar)


def _share(tally: Tally) -> FigureValue:
    everyone = tally.decided + tally.pending
    return FigureValue(
        value=Fraction(100 * tally.met, tally.decided) if tally.decided else None,
        numerator=Fraction(tally.met),
        denominator=Fraction(tally.decided),
        sample=tally.decided,
        tally=tally,
        lowest=Fraction(100 * tally.met, everyone) if everyone else None,
        highest=Fraction(100 * (tally.met + tally.pending), everyone) if everyone else None,
    )


def _mean(figure: Mean | Nps, tally: Tally) -> FigureValue:
    """Net promoters are the mean of 1, 0 and -1, in points of a hundred."""
    scale = Fraction(scale_of(figure), 100 if isinstance(figure, Nps) else 1)
    count, total = tally.amount_count, Fraction(tally.amount_sum) / scale
    value = total / count if count else None
    return FigureValue(value, total, Fraction(count), count, tally, *_settled(value, tally))


def _settled(value: Fraction | None, tally: Tally) -> tuple[Fraction | None, Fraction | None]:
    return (None, None) if tally.pending else (value, value)


def _percentile(figure: Percentile, tally: Tally) -> FigureValue:
    scale, pending = scale_of(figure), tally.pending
    spread = {amount: count for (amount, _), count in tally.spread.items()}
    value = _nearest_rank(spread, figure, scale)
    return FigureValue(
        value=value,
        numerator=Fraction(tally.amount_sum, scale),
        denominator=Fraction(tally.decided),
        sample=tally.decided,
        tally=tally,
        lowest=_nearest_rank(_with(spread, 0, pending), figure, scale),
        highest=_nearest_rank(_with(spread, BEYOND, pending), figure, scale),
        is_beyond=value == Fraction(BEYOND, scale),
    )


def _with(spread: Mapping[int, int], amount: int, count: int) -> Mapping[int, int]:
    return {**spread, amount: spread.get(amount, 0) + count}


def _nearest_rank(spread: Mapping[int, int], figure: Percentile, scale: int) -> Fraction | None:
    """Return the least value that at least p percent of the items do not exceed."""
    total = sum(spread.values())
    if not total:
        return None
    wanted = Fraction(figure.p) * total / 100
    amounts = sorted(spread)
    seen = accumulate(spread[amount] for amount in amounts)
    place = next(place for place, items in enumerate(seen) if items >= wanted)
    return Fraction(amounts[place], scale)


def _count(tally: Tally) -> FigureValue:
    met = Fraction(tally.met)
    return FigureValue(met, met, Fraction(1), None, tally, met, met + tally.pending)


def _sum(
    figure: Sum, tally: Tally, setting: Setting, calendar: PreparedCalendar | None
) -> FigureValue:
    scale = scale_of(figure)
    if isinstance(figure.value, Outage):
        hours = open_hours(figure.value.unit, calendar)
        down = within(tally.spread, *_so_far(setting))
        total = Fraction(service_time(down, hours), scale)
    else:
        total = Fraction(tally.amount_sum, scale)
    bounds = _settled(total, tally)
    return FigureValue(total, total, Fraction(1), None, tally, *bounds)


def _so_far(setting: Setting) -> tuple[int, int]:
    """Return the window up to what is known, in microseconds."""
    start, end = setting.window.start, setting.window.end
    known = start if setting.known is None else min(max(setting.known, start), end)
    return microseconds(start), microseconds(known)


def _ratio(figure: Ratio, above: Tally, below: Tally, setting: Setting) -> FigureValue:
    top = statistic(figure.numerator, above, setting, setting.calendars[0])
    bottom = statistic(figure.denominator, below, setting, setting.calendars[1])
    value = None
    if top.value is not None and bottom.value:
        value = 100 * top.value / bottom.value
    least, most = _ratio_bounds(top, bottom)
    return FigureValue(
        value=value,
        numerator=top.numerator,
        denominator=bottom.numerator,
        sample=below.decided,
        tally=below,
        lowest=least,
        highest=most,
        above=above,
        effective=effective_sample(_weights(figure, below)) if figure.margin else None,
    )


def _weights(figure: Ratio, below: Tally) -> Mapping[int, int]:
    if isinstance(figure.denominator, Count):
        return {1: below.decided}
    return {weight: count for (weight, _), count in below.spread.items()}


def _ratio_bounds(top: FigureValue, bottom: FigureValue) -> tuple[Fraction | None, Fraction | None]:
    if None in (top.lowest, top.highest) or not bottom.lowest or not bottom.highest:
        return None, None
    assert top.lowest is not None
    assert top.highest is not None
    return 100 * top.lowest / bottom.highest, 100 * top.highest / bottom.lowest


def _groups(
    figure: Groups, cells: Cells, setting: Setting, calendar: PreparedCalendar | None
) -> FigureValue:
    """A group whose pending items leave its statistic open is kept at best, failed at worst."""
    kept = measured = at_worst = at_best = open_groups = 0
    for name, tally in cells.items():
        inner = statistic(figure.inner, tally, setting, calendar)
        if not is_group(inner, tally):
            open_groups += int(tally.pending > 0)
            continue
        bound = Fraction(figure.limit.value_on(day_of_group(figure, name, setting)) or 0)
        is_kept, *turns = (
            figure.limit.op.holds(value, bound)
            for value in (inner.value, inner.lowest, inner.highest)
            if value is not None
        )
        measured += 1
        kept += is_kept
        at_worst += is_kept and all(turns)
        at_best += is_kept or any(turns)
    everyone = measured + open_groups
    return FigureValue(
        value=Fraction(100 * kept, measured) if measured else None,
        numerator=Fraction(kept),
        denominator=Fraction(measured),
        sample=measured,
        tally=merged(cells),
        lowest=Fraction(100 * at_worst, everyone) if everyone else None,
        highest=Fraction(100 * (at_best + open_groups), everyone) if everyone else None,
    )


def is_group(inner: FigureValue, tally: Tally) -> bool:
    """Return whether anything was measured in it."""
    if inner.value is None:
        return False
    return tally.decided > 0 or (inner.sample is None and bool(tally.spread))


def day_of_group(figure: Groups, name: str, setting: Setting) -> date:
    """Return the day whose seasonal limit holds: the group's first, or the window's."""
    if figure.by is not None and name:
        return date.fromisoformat(name)
    return local_day(setting.window.start, setting.zone)


def _availability(
    figure: Availability, cells: Cells, setting: Setting, calendar: PreparedCalendar | None
) -> FigureValue:
    start, end = _so_far(setting)
    planned = within(cells.get(PLANNED, Tally()).spread, start, end)
    down = [span for name, tally in cells.items() if name != PLANNED for span in tally.spread]
    promised = without(within([(start, end)], start, end), planned)
    out = without(within(down, start, end), planned)
    owed = service_time(promised, calendar)
    given = owed - service_time(out, calendar)
    value = Fraction(100 * given, owed) if owed else None
    unit = scale_of(figure)
    return FigureValue(
        value=value,
        numerator=Fraction(given, unit),
        denominator=Fraction(owed, unit),
        sample=None,
        tally=merged(cells),
        lowest=value,
        highest=value,
    )


def service_left(
    cells: Cells, setting: Setting, calendar: PreparedCalendar | None
) -> tuple[int, int, int]:
    """Return the service time of the whole window, without service so far, and yet to come.

    In microseconds. Planned interruptions leave it, also those to come whose end is known.
    """
    start, known = _so_far(setting)
    end = microseconds(setting.window.end)
    spans = [
        (first, min(last, known) if last == BEYOND else last)
        for first, last in cells.get(PLANNED, Tally()).spread
    ]
    planned = within(spans, start, end)
    down = [span for name, tally in cells.items() if name != PLANNED for span in tally.spread]
    out = without(within(down, start, known), planned)
    owed, left = (without(within([(first, end)], first, end), planned) for first in (start, known))
    return service_time(owed, calendar), service_time(out, calendar), service_time(left, calendar)


def _schedule(
    figure: Schedule, cells: Cells, setting: Setting, calendar: PreparedCalendar | None
) -> FigureValue:
    if calendar is None:
        raise ValueError("occurrences are expected by a calendar")
    expected = occurrences(figure.recurrence, setting.window, calendar, setting.zone)
    outcomes = with_expected(cells, expected, known=setting.known)
    return _share(_summed(outcomes.values()))


def _summed(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, Tally())
