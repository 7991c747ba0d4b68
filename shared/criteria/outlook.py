"""What a running window can still become: exact, of the cases that are known now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.criteria.model import (
    Count,
    Criterion,
    Mean,
    Nps,
    Part,
    Percentile,
    Share,
    measures_of,
    rises,
)
from shared.criteria.prospects import Aim, Outlook, Prospect, for_good, is_over, prospect_of_part
from shared.criteria.result import Counts, bounds_of, is_every_case, of_part
from shared.criteria.verdict import PartResult, Result, Verdict

_WORST_LAST: Final = tuple(Prospect)
_WITH_VOLUME: Final = (Share, Percentile, Count, Mean, Nps)
"""What a number of expected cases says something about."""


def outlooks_of(criterion: Criterion, counts: Counts) -> tuple[Outlook | None, ...]:
    """Return the outlook of each part; None where nothing is promised that it could be held to."""
    return _each(criterion, counts, [0] * len(criterion.parts))


def forecasts_of(
    criterion: Criterion,
    counts: Counts,
    *,
    outlooks: Sequence[Outlook | None],
    expected: Sequence[int | None],
) -> tuple[Outlook | None, ...]:
    """Return each part's outlook when as many cases come in the whole window as are expected.

    `outlooks` are those of the cases known now; what has not come yet counts as open. None where
    no volume is expected, or where none is needed or would do: sums and availability are made of
    amounts, schedules know what is owed, ratios and groups have no single volume, and into a
    window that is over nothing comes.
    """
    if is_over(counts.setting):
        return (None,) * len(criterion.parts)
    coming = [
        None
        if outlook is None or volume is None or not isinstance(part.figure, _WITH_VOLUME)
        else max(0, volume - outlook.due - outlook.open)
        for part, outlook, volume in zip(criterion.parts, outlooks, expected, strict=True)
    ]
    return _each(criterion, counts, coming)


def worst_of(outlooks: Sequence[Outlook | None]) -> Prospect | None:
    """Return the prospect of a conjunction: that of its worst part; None where no part has one."""
    prospects = [outlook.prospect for outlook in outlooks if outlook is not None]
    return max(prospects, key=_WORST_LAST.index, default=None)


def at_risk(
    criterion: Criterion,
    result: Result,
    *,
    is_broken: bool,
    forecasts: Sequence[Outlook | None] = (),
) -> bool:
    """Return whether the running window would end badly if it ended now.

    Never for a promise that cannot be kept any more: that one is broken, not at risk. A total that
    is to be reached always falls short at first: it is at risk where as many cases as are expected
    would not reach it, which is a forecast.
    """
    told = forecasts or (None,) * len(criterion.parts)
    return not is_broken and any(
        _is_risky(part, judged, forecast)
        for part, judged, forecast in zip(criterion.parts, result.parts, told, strict=True)
    )


def _is_risky(part: Part, judged: PartResult, forecast: Outlook | None) -> bool:
    if judged.verdict is not Verdict.NOT_MET or part.target is None or is_every_case(part):
        return False
    if rises(part.figure) and part.target.op.wants_more:
        return forecast is not None and forecast.prospect is Prospect.BEHIND
    return True


def _each(
    criterion: Criterion, counts: Counts, coming: Sequence[int | None]
) -> tuple[Outlook | None, ...]:
    measures = measures_of(criterion)
    found: list[Outlook | None] = []
    for number, (part, bounds) in enumerate(
        zip(criterion.parts, bounds_of(criterion, counts), strict=True)
    ):
        more = coming[number]
        if bounds is None or more is None or part.target is None:
            found.append(None)
            continue
        cells, setting = of_part(number, measures, counts)
        aim = Aim(bounds, is_fixed=part.target.reference is None, coming=more)
        outlook = prospect_of_part(part, cells, setting, aim)
        found.append(for_good(outlook) if is_over(setting) else outlook)
    return tuple(found)
