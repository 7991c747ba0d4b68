"""What each form of figure can still become, by what is open in it.

Corrections aside; and of every open case it is taken that it will count in the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import ceil, floor
from typing import Final

from shared.criteria.figures import (
    FigureValue,
    Setting,
    day_of_group,
    figure_of,
    is_group,
    service_left,
    statistic,
)
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
    rises,
    scale_of,
)
from shared.criteria.result import Bounds
from shared.criteria.values import NUMBER_SCALE, Number
from shared.criteria.verdict import Cells, Tally, merged
from shared.criteria.vocabulary import Op
from shared.worktime.prepared import PreparedCalendar


class Prospect(StrEnum):
    """Whether a promise can still be kept, from the best to the worst."""

    SECURED = "secured"
    """Kept, whatever else happens in the window."""
    SAFE = "safe"
    """Kept, whatever becomes of the open cases; cases yet to come can change it."""
    OPEN = "open"
    """It depends on the open cases, or there are none yet."""
    BEHIND = "behind"
    """The open cases alone cannot bring it to its target; cases yet to come can."""
    LOST = "lost"
    """Nothing in the window can make up for what has happened."""


class Uncounted(StrEnum):
    """Why no number of cases tells how many may fail; the names are Spanish, as other reasons."""

    AMOUNTS = "depende_de_cantidades"
    TIME = "depende_del_tiempo"
    TWO_POPULATIONS = "dos_poblaciones"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can become of one part. Of groups and occurrences it counts those, not their cases.

    `due` are decided and `open` are not. `failed` of the due went against the promise (where the
    target is an upper limit: they count); None where no single case does. `may_fail`: how many of
    the open may still go against it if all others go well; 0 where not even none may. It is None
    for the reason in `uncounted`.
    `needed` is what the open must average (inclusive or not as the target is) and may lie beyond
    what is possible; `distance` how much may be added (an upper limit) or is missing (a lower one)
    until the target, negative beyond it, in the unit of the figure; of a ratio in that of its
    numerator, with the denominator of now; of an availability the time out in its unit, with all
    service time of the window.
    `best` is the best that the figure can become with the open cases, where there is one.
    """

    due: int
    failed: int | None
    open: int
    prospect: Prospect
    may_fail: int | None = None
    uncounted: Uncounted | None = None
    needed: Fraction | None = None
    distance: Fraction | None = None
    best: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Aim:
    """A target with its numbers. `coming` are cases that are expected and have not come yet.

    `is_fixed`: the cases that were told to be overdue are those past this very bound.
    """

    bounds: Bounds
    is_fixed: bool
    coming: int

    @property
    def bound(self) -> Fraction:
        return self.bounds.value

    @property
    def wants_more(self) -> bool:
        return self.bounds.op.wants_more

    def holds(self, value: Fraction) -> bool:
        return self.bounds.op.holds(value, self.bound)

    @property
    def is_strict(self) -> bool:
        return self.bounds.op in (Op.LESS, Op.MORE)

    def least(self, bound: Fraction) -> int:
        """Return the least whole number on the good side of a lower limit."""
        return floor(bound) + 1 if self.is_strict else ceil(bound)

    def most(self, bound: Fraction) -> int:
        """Return the greatest whole number on the good side of an upper limit."""
        return ceil(bound) - 1 if self.is_strict else floor(bound)


_FOR_GOOD: Final = {Prospect.SAFE: Prospect.SECURED, Prospect.BEHIND: Prospect.LOST}


def for_good(outlook: Outlook) -> Outlook:
    """Return it as one of a window into which nothing is yet to come that is not known now."""
    return replace(outlook, prospect=_FOR_GOOD.get(outlook.prospect, outlook.prospect))


def is_over(setting: Setting) -> bool:
    """Return whether everything through the window's end is known."""
    return setting.known is not None and setting.known >= setting.window.end


def prospect_of_part(part: Part, cells: Sequence[Cells], setting: Setting, aim: Aim) -> Outlook:
    figure, calendar = part.figure, setting.calendars[0]
    match figure:
        case Ratio():
            value = figure_of(part, cells, setting)
            return _ratio(value, merged(cells[0]), merged(cells[1]), aim)
        case Groups():
            return _groups(figure, cells[0], setting, calendar, aim)
        case Availability():
            return _availability(figure, cells[0], setting, calendar, aim)
        case Schedule():
            return for_good(_share(figure_of(part, cells, setting).tally, aim))
        case _:
            return _of_statistic(figure, merged(cells[0]), setting, calendar, aim)


def _of_statistic(
    figure: Statistic,
    tally: Tally,
    setting: Setting,
    calendar: PreparedCalendar | None,
    aim: Aim,
) -> Outlook:
    match figure:
        case Share():
            return _share(tally, aim)
        case Percentile():
            return _percentile(figure, tally, aim)
        case Count():
            return _count(tally, aim)
        case Mean():
            return _mean(figure, tally, aim)
        case Nps():
            return _promoted(tally, aim)
        case _:
            value = statistic(figure, tally, setting, calendar).numerator
            return _sum(figure, value, tally, aim)


# What is made of cases that are each kept or not


@dataclass(frozen=True, slots=True)
class _Kept:
    """Cases that go with the promise or against it; `most` of them all may go against it."""

    against: int
    due: int
    open: int
    most: int

    @property
    def room(self) -> int:
        """How many more may go against it; negative when too many have already."""
        return self.most - self.against

    @property
    def prospect(self) -> Prospect:
        if not self.due + self.open:
            return Prospect.OPEN
        if self.room < 0:
            return Prospect.BEHIND
        return Prospect.SAFE if self.room >= self.open else Prospect.OPEN

    def outlook(self, best: Fraction | None) -> Outlook:
        return Outlook(
            due=self.due,
            failed=self.against,
            open=self.open,
            prospect=self.prospect,
            may_fail=max(0, min(self.room, self.open)),
            best=best,
        )


def _share(tally: Tally, aim: Aim) -> Outlook:
    outlook = _share_so_far(tally, aim)
    is_extreme = aim.bound >= 100 if aim.wants_more else aim.bound <= 0
    return _lost(outlook) if is_extreme else outlook


def _share_so_far(tally: Tally, aim: Aim) -> Outlook:
    """Of a share that must stay small, those that keep the limit are against it."""
    due, open_cases = tally.decided, tally.pending + aim.coming
    everyone = due + open_cases
    share = aim.bound * everyone / 100
    if aim.wants_more:
        kept = _Kept(tally.failed, due, open_cases, everyone - aim.least(share))
        well = everyone - tally.failed
    else:
        kept = _Kept(tally.met, due, open_cases, aim.most(share))
        well = tally.met
    return kept.outlook(Fraction(100 * well, everyone) if everyone else None)


def _lost(outlook: Outlook) -> Outlook:
    """Return it as one that cases yet to come cannot make up for."""
    is_behind = outlook.prospect is Prospect.BEHIND
    return replace(outlook, prospect=Prospect.LOST) if is_behind else outlook


def _percentile(figure: Percentile, tally: Tally, aim: Aim) -> Outlook:
    """At least p percent must not exceed an upper limit; fewer than p may lie below a lower one."""
    scale = scale_of(figure)
    against = sum(
        count
        for (amount, _), count in tally.spread.items()
        if not aim.holds(Fraction(amount, scale))
    )
    due, open_cases = sum(tally.spread.values()), tally.pending + aim.coming
    rank = ceil(Fraction(figure.p) * (due + open_cases) / 100)
    most = rank - 1 if aim.wants_more else due + open_cases - rank
    outlook = _Kept(against, due, open_cases, most).outlook(None)
    return _lost(outlook) if figure.p == 100 and not aim.wants_more else outlook


def _count(tally: Tally, aim: Aim) -> Outlook:
    """A count only rises: what it has reached or exceeded it will have at the end."""
    met, open_cases = tally.met, tally.pending + aim.coming
    distance = aim.bound - met
    if aim.wants_more:
        kept = _Kept(0, tally.decided, open_cases, met + open_cases - aim.least(aim.bound))
        outlook = kept.outlook(Fraction(met + open_cases))
        outlook = replace(outlook, failed=tally.failed, prospect=_rising(kept.room, open_cases))
    else:
        kept = _Kept(met, tally.decided, open_cases, aim.most(aim.bound))
        outlook = _lost(kept.outlook(Fraction(met)))
    return replace(outlook, distance=distance)


def _rising(room: int, open_cases: int) -> Prospect:
    if room >= open_cases:
        return Prospect.SECURED
    return Prospect.OPEN if room >= 0 else Prospect.BEHIND


# What is made of amounts


def _promoted(tally: Tally, aim: Aim) -> Outlook:
    """So many of the open answers may be detractors if all others are promoters, or the reverse."""
    answers, open_cases = tally.amount_count, tally.pending + aim.coming
    net = Fraction(tally.amount_sum, NUMBER_SCALE)
    wanted = aim.bound * (answers + open_cases) / 100
    if aim.wants_more:
        most = aim.most((net + open_cases - wanted) / 2)
    else:
        most = aim.most((wanted - net + open_cases) / 2)
    outlook = _Kept(0, tally.decided, open_cases, most).outlook(None)
    needed = (wanted - net) * 100 / open_cases if open_cases else None
    return replace(outlook, failed=None, needed=needed)


def _mean(figure: Mean, tally: Tally, aim: Aim) -> Outlook:
    """What is open can take any amount that its value can have, overdue ones what they took."""
    scale, open_cases = scale_of(figure), tally.pending + aim.coming
    everyone = tally.amount_count + open_cases
    least, most = _reach(figure, tally, aim)
    low = None if least is None else tally.amount_sum + least
    high = None if most is None else tally.amount_sum + most
    worst, best = (low, high) if aim.wants_more else (high, low)
    needed = (aim.bound * everyone * scale - tally.amount_sum) / scale
    return Outlook(
        due=tally.decided,
        failed=None,
        open=open_cases,
        prospect=_between(_over(worst, everyone * scale), _over(best, everyone * scale), aim),
        uncounted=Uncounted.AMOUNTS,
        needed=needed / open_cases if open_cases else None,
        best=_over(best, everyone * scale),
    )


def _over(total: int | None, count: int) -> Fraction | None:
    return None if total is None or not count else Fraction(total, count)


def _reach(figure: Mean, tally: Tally, aim: Aim) -> tuple[int | None, int | None]:
    """Return the least and the most that the open cases can add; None where there is no end."""
    open_cases = tally.pending + aim.coming
    if isinstance(figure.value, Number):
        low, high = figure.value.lowest, figure.value.highest
        if low is None or high is None:
            return (None, None) if open_cases else (0, 0)
        return int(low * NUMBER_SCALE) * open_cases, int(high * NUMBER_SCALE) * open_cases
    bound = aim.bound * scale_of(figure)
    overdue = tally.overdue_open if aim.is_fixed and not aim.wants_more else 0
    return overdue * (aim.most(bound) + 1), None if open_cases else 0


def _between(worst: Fraction | None, best: Fraction | None, aim: Aim) -> Prospect:
    """Judge by the two ends of what the figure can become; an end that is missing has no limit."""
    if best is not None and not aim.holds(best):
        return Prospect.BEHIND
    return Prospect.SAFE if worst is not None and aim.holds(worst) else Prospect.OPEN


def _sum(figure: Sum, value: Fraction, tally: Tally, aim: Aim) -> Outlook:
    """No volume is expected of amounts: what is open has come."""
    return Outlook(
        due=tally.decided,
        failed=None,
        open=tally.pending,
        prospect=_added_up(aim.holds(value), tally.pending, aim, rises=rises(figure)),
        uncounted=Uncounted.AMOUNTS,
        distance=aim.bound - value,
    )


def _added_up(is_kept: bool, open_cases: int, aim: Aim, *, rises: bool) -> Prospect:
    """A sum that only rises keeps a lower limit that it has reached; beyond an upper it stays."""
    if rises and is_kept == aim.wants_more:
        return Prospect.SECURED if is_kept else Prospect.LOST
    if open_cases:
        return Prospect.OPEN
    return Prospect.SAFE if is_kept else Prospect.BEHIND


def _ratio(value: FigureValue, above: Tally, below: Tally, aim: Aim) -> Outlook:
    low, high = value.lowest, value.highest
    worst, best = (low, high) if aim.wants_more else (high, low)
    return Outlook(
        due=below.decided,
        failed=None,
        open=above.pending + below.pending,
        prospect=_between(worst, best, aim),
        uncounted=Uncounted.TWO_POPULATIONS,
        distance=aim.bound * value.denominator / 100 - value.numerator,
        best=best,
    )


def _availability(
    figure: Availability,
    cells: Cells,
    setting: Setting,
    calendar: PreparedCalendar | None,
    aim: Aim,
) -> Outlook:
    """The service time of the whole window is known from its calendar: no volume is expected."""
    owed, out, left = service_left(cells, setting, calendar)
    good = Fraction(100 * (owed - out), owed) if owed else None
    bad = Fraction(100 * (owed - out - left), owed) if owed else None
    worst, best = (bad, good) if aim.wants_more else (good, bad)
    tally = merged(cells)
    outlook = Outlook(
        due=tally.decided,
        failed=None,
        open=tally.pending,
        prospect=_between(worst, best, aim),
        uncounted=Uncounted.TIME,
        distance=(owed * (100 - aim.bound) / 100 - out) / scale_of(figure),
        best=best,
    )
    return for_good(outlook)


def _groups(
    figure: Groups,
    cells: Cells,
    setting: Setting,
    calendar: PreparedCalendar | None,
    aim: Aim,
) -> Outlook:
    """A group is open while its open cases can still turn it; later cases can turn any of them."""
    kept = failed = open_groups = 0
    for name, tally in cells.items():
        inner = statistic(figure.inner, tally, setting, calendar)
        if not is_group(inner, tally) and not tally.pending:
            continue
        bound = Fraction(figure.limit.value_on(day_of_group(figure, name, setting)) or 0)
        own = Aim(Bounds(figure.limit.op, bound, None), is_fixed=True, coming=0)
        prospect = _of_statistic(figure.inner, tally, setting, calendar, own).prospect
        kept += prospect in (Prospect.SECURED, Prospect.SAFE)
        failed += prospect in (Prospect.BEHIND, Prospect.LOST)
        open_groups += prospect is Prospect.OPEN
    return _share_so_far(Tally(met=kept, failed=failed, pending=open_groups), aim)
