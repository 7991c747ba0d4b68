"""A judge without counts: it reads every case of the window and computes each figure anew.

It shares with the product the verdict on one case, and nothing of how verdicts are added up.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

from shared.criteria import (
    BEYOND,
    PLANNED,
    Availability,
    Case,
    CaseStatus,
    CaseVerdict,
    Count,
    Criterion,
    Figure,
    Groups,
    Mean,
    Measure,
    Nps,
    Percentile,
    Ratio,
    Share,
    Sum,
    WindowBounds,
    judge_case,
    measures_of,
    scale_of,
)
from shared.criteria.values import Outage
from shared.worktime import PreparedCalendar

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Value = Fraction | None


def figures(
    criterion: Criterion,
    cases: Sequence[Case],
    window: WindowBounds,
    *,
    calendars: Sequence[PreparedCalendar | None],
    zone: ZoneInfo,
    known: datetime,
) -> list[Value]:
    """Return the figure of each part, from nothing but the cases."""
    verdicts = [
        [
            verdict
            for case in cases
            if (verdict := judge_case(measure, case, calendar, zone=zone, complete_through=known))
            is not None
            and _touches(measure, verdict, window, known)
        ]
        for measure, calendar in zip(measures_of(criterion), calendars, strict=True)
    ]
    found: list[Value] = []
    for part in criterion.parts:
        width = 2 if isinstance(part.figure, Ratio) else 1
        found.append(_figure(part.figure, verdicts[:width], window, known))
        verdicts = verdicts[width:]
    return found


def _touches(measure: Measure, verdict: CaseVerdict, window: WindowBounds, known: datetime) -> bool:
    anchor = verdict.anchor_instant
    if anchor is None:
        return False
    value = getattr(measure.figure, "value", None)
    if isinstance(value, Outage) and verdict.span is not None:
        end = (
            known if verdict.span[1] == BEYOND else EPOCH + timedelta(microseconds=verdict.span[1])
        )
        return (anchor < window.end and max(anchor, end) > window.start) or (
            window.start <= anchor < window.end
        )
    return window.start <= anchor < window.end


def _figure(
    figure: Figure, verdicts: list[list[CaseVerdict]], window: WindowBounds, known: datetime
) -> Value:
    if isinstance(figure, Ratio):
        above = _statistic(figure.numerator, verdicts[0], window, known)
        below = _statistic(figure.denominator, verdicts[1], window, known)
        return 100 * above / below if above is not None and below else None
    if isinstance(figure, Groups):
        return _groups(figure, verdicts[0], window, known)
    if isinstance(figure, Availability):
        return _availability(verdicts[0], window, known)
    return _statistic(figure, verdicts[0], window, known)


def _decided(verdicts: Iterable[CaseVerdict]) -> list[CaseVerdict]:
    return [v for v in verdicts if v.status in (CaseStatus.MET, CaseStatus.FAILED)]


def _statistic(  # noqa: PLR0911 - one for each form
    figure: Figure, verdicts: list[CaseVerdict], window: WindowBounds, known: datetime
) -> Value:
    decided = _decided(verdicts)
    kept = [v for v in decided if v.status is CaseStatus.MET]
    amounts = [v.amount for v in decided if v.amount is not None]
    if isinstance(figure, Count):
        return Fraction(len(kept))
    if isinstance(figure, Sum):
        if isinstance(figure.value, Outage):
            return Fraction(_down(verdicts, window, known), scale_of(figure))
        return Fraction(sum(amounts), scale_of(figure))
    if not decided:
        return None
    if isinstance(figure, Share):
        return Fraction(100 * len(kept), len(decided))
    if isinstance(figure, Percentile):
        return _percentile(figure, decided)
    assert isinstance(figure, Mean | Nps)
    if not amounts:
        return None
    points = 100 if isinstance(figure, Nps) else 1
    return Fraction(points * sum(amounts), scale_of(figure) * len(amounts))


def _percentile(figure: Percentile, decided: list[CaseVerdict]) -> Fraction:
    """The nearest rank, by sorting."""
    values = sorted(v.span[0] for v in decided if v.span is not None)
    rank = max(1, ceil(Fraction(figure.p) / 100 * len(values)))
    return Fraction(values[rank - 1], scale_of(figure))


def _groups(
    figure: Groups, verdicts: list[CaseVerdict], window: WindowBounds, known: datetime
) -> Value:
    judged = []
    for cell in {verdict.cell for verdict in verdicts}:
        own = [verdict for verdict in verdicts if verdict.cell == cell]
        value = _statistic(figure.inner, own, window, known)
        if value is None or not (_decided(own) or any(v.span for v in own)):
            continue
        day = date.fromisoformat(cell) if figure.by else date(2026, 7, 1)
        bound = figure.limit.value_on(day)
        assert bound is not None
        judged.append(figure.limit.op.holds(value, Fraction(bound)))
    return Fraction(100 * sum(judged), len(judged)) if judged else None


def _minutes(verdicts: list[CaseVerdict], window: WindowBounds, known: datetime) -> Counter[int]:
    """Return each whole minute of the window that a span covers; spans are of whole minutes."""
    start = (window.start - EPOCH) // timedelta(minutes=1)
    end = (min(max(known, window.start), window.end) - EPOCH) // timedelta(minutes=1)
    covered: Counter[int] = Counter()
    for verdict in verdicts:
        if verdict.span is None:
            continue
        first, last = (moment // 60_000_000 for moment in verdict.span)
        covered.update(range(max(first, start), min(last, end)))
    return covered


def _down(verdicts: list[CaseVerdict], window: WindowBounds, known: datetime) -> int:
    return 60_000_000 * len(_minutes(verdicts, window, known))


def _availability(verdicts: list[CaseVerdict], window: WindowBounds, known: datetime) -> Value:
    planned = set(_minutes([v for v in verdicts if v.cell == PLANNED], window, known))
    down = set(_minutes([v for v in verdicts if v.cell != PLANNED], window, known))
    total = (min(max(known, window.start), window.end) - window.start) // timedelta(minutes=1)
    owed = total - len(planned)
    return Fraction(100 * (owed - len(down - planned)), owed) if owed else None
