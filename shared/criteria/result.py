"""From figures to verdicts: three states, and a reason for each missing verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from shared.criteria.evidence import (
    ACCOUNTED,
    Evidence,
    doubts_verdict,
    has_bounds,
    with_lost,
)
from shared.criteria.figures import FigureValue, Setting, figure_of
from shared.criteria.model import (
    Criterion,
    Measure,
    Part,
    Schedule,
    Share,
    Target,
    measures_of,
    rises,
)
from shared.criteria.verdict import Band, Cells, NotEvaluated, PartResult, Result, Verdict, merged
from shared.criteria.vocabulary import Op, Reference

_WORST_FIRST: Final = (Band.RED, Band.AMBER, Band.GREEN, Band.GREY)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a criterion is judged by: the cells of each measure, in the order of measures_of.

    `earlier` are those of the windows that targets refer to, where there were any.
    """

    setting: Setting
    cells: Sequence[Cells]
    earlier: Mapping[Reference, Counts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A target with its numbers: those of one that follows an earlier window are made from it."""

    op: Op
    value: Fraction
    unacceptable: Fraction | None


def is_every_case(part: Part) -> bool:
    """Return whether one failed case breaks the promise, however many cases there are."""
    target = part.target
    return (
        isinstance(part.figure, Share)
        and target is not None
        and target.reference is None
        and target.op is Op.AT_LEAST
        and target.value == 100
    )


def figures_of(criterion: Criterion, counts: Counts) -> tuple[FigureValue, ...]:
    """Return the figure of each part. Raises ValueError when there are not all cells."""
    measures = measures_of(criterion)
    if not len(measures) == len(counts.cells) == len(counts.setting.calendars):
        raise ValueError(f"{len(measures)} measures, {len(counts.cells)} cells")
    return tuple(
        figure_of(part, *of_part(number, measures, counts))
        for number, part in enumerate(criterion.parts)
    )


def of_part(
    number: int, measures: Sequence[Measure], counts: Counts
) -> tuple[list[Cells], Setting]:
    """Return the cells of the measures of one part, and the setting with their calendars."""
    own = [place for place, measure in enumerate(measures) if measure.part == number]
    calendars = [counts.setting.calendars[place] for place in own]
    return [counts.cells[place] for place in own], replace(counts.setting, calendars=calendars)


def judge_result(
    criterion: Criterion,
    counts: Counts,
    *,
    minimum_sample: int,
    source_known: bool,
    final: bool = False,
    impediment: NotEvaluated | None = None,
    evidence: Sequence[Evidence] = (),
) -> Result:
    """Judge a criterion by its counts and what speaks for them; nothing else matters.

    `source_known`: the source is known complete to the window's end (or to now, while it runs).
    `final`: at the cut-off a source that is not complete, or pending cases that could still turn
    a figure, leave the window without a verdict. `impediment` is a reason from outside: the carta
    suspended, the service not provided. `evidence` is that of each part; without it all its cases
    are accounted for.
    Raises ValueError when there are not cells for each measure.
    """
    earlier = _earlier_figures(criterion, counts)
    parts = tuple(
        _judge_part(
            part,
            figure,
            before,
            minimum_sample=minimum_sample,
            source_known=source_known,
            final=final,
            doubts=doubts,
        )
        for part, figure, before, doubts in zip(
            criterion.parts,
            figures_of(criterion, counts),
            earlier,
            _doubts(criterion, counts, evidence),
            strict=True,
        )
    )
    return _conjunction(parts) if impediment is None else _without_verdict(impediment, parts)


def _earlier_figures(criterion: Criterion, counts: Counts) -> Sequence[FigureValue | None]:
    figures = {kind: figures_of(criterion, each) for kind, each in counts.earlier.items()}
    references = [None if p.target is None else p.target.reference for p in criterion.parts]
    return [
        figures[reference][number] if reference in figures else None
        for number, reference in enumerate(references)
    ]


def bounds_of(criterion: Criterion, counts: Counts) -> list[Bounds | None]:
    """Return what each part is compared with; None where it has no target or nothing to follow."""
    return [
        None if _why_no_target(part.target, before) else _bounds(part.target, before)
        for part, before in zip(criterion.parts, _earlier_figures(criterion, counts), strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Doubts:
    """What speaks for a part's counts, and its figure if lost cases were pending ones.

    `has_cases`: some case was counted; what a calendar expects is none.
    """

    evidence: Evidence
    with_lost: FigureValue
    has_cases: bool


def _doubts(
    criterion: Criterion, counts: Counts, evidence: Sequence[Evidence]
) -> Sequence[_Doubts]:
    measures = measures_of(criterion)
    told = evidence or [ACCOUNTED] * len(criterion.parts)
    own = [of_part(number, measures, counts)[0] for number in range(len(criterion.parts))]
    figures = figures_of(criterion, counts)
    if any(one.has_lost for one in told):
        cells: list[Cells] = []
        for part, mine, one in zip(criterion.parts, own, told, strict=True):
            cells += with_lost(part.figure, mine, one.missing)
        figures = figures_of(criterion, replace(counts, cells=cells))
    return [
        _Doubts(one, figure, any(merged(cells).population for cells in mine))
        for one, figure, mine in zip(told, figures, own, strict=True)
    ]


def _judge_part(
    part: Part,
    figure: FigureValue,
    before: FigureValue | None,
    *,
    minimum_sample: int,
    source_known: bool,
    final: bool,
    doubts: _Doubts,
) -> PartResult:
    bounds = _bounds(part.target, before)
    is_unreported = not doubts.evidence.reported and not doubts.has_cases
    reason = (
        _why_no_target(part.target, before)
        or (NotEvaluated.NO_SOURCE if is_unreported else None)
        or _why_not(
            figure, bounds, minimum_sample=minimum_sample, source_known=source_known, final=final
        )
        or (_why_in_doubt(part, figure, bounds, doubts) if final else None)
    )
    verdict, band = Verdict.NOT_EVALUATED, Band.GREY
    if reason is None and bounds is not None and figure.value is not None:
        is_met = bounds.op.holds(figure.value, bounds.value)
        verdict = Verdict.MET if is_met else Verdict.NOT_MET
        band = Band.GREEN if is_met else _missed(bounds, figure.value)
    return PartResult(
        verdict=verdict,
        reason=reason,
        value=None if figure.is_beyond or is_unreported else figure.value,
        band=band,
        numerator=figure.numerator,
        denominator=figure.denominator,
        items=figure.tally.decided if figure.sample is None else figure.sample,
        tally=figure.tally,
        bound=None if bounds is None else bounds.value,
        unacceptable=None if bounds is None else bounds.unacceptable,
        above=figure.above,
        effective=figure.effective,
    )


def _bounds(target: Target | None, before: FigureValue | None) -> Bounds | None:
    if target is None:
        return None
    factor = Fraction(1)
    if target.reference is not None:
        if before is None or before.value is None:
            return None
        factor = before.value
    worst = None if target.unacceptable is None else factor * Fraction(target.unacceptable)
    return Bounds(target.op, factor * Fraction(target.value), worst)


def _why_no_target(target: Target | None, before: FigureValue | None) -> NotEvaluated | None:
    if target is None:
        return NotEvaluated.INFORMATIVE
    if target.reference is None:
        return None
    if before is None or before.value is None:
        return NotEvaluated.NO_REFERENCE
    if before.value == 0 and target.zero_reference == "not_evaluated":
        return NotEvaluated.ZERO_REFERENCE
    return None


def _why_not(
    figure: FigureValue,
    bounds: Bounds | None,
    *,
    minimum_sample: int,
    source_known: bool,
    final: bool,
) -> NotEvaluated | None:
    has_nothing = figure.value is None or figure.sample == 0
    is_unheard = not source_known and (has_nothing or not figure.tally.population)
    if has_nothing and figure.tally.pending > 0 and not (final and not source_known):
        return NotEvaluated.PENDING_CASES
    if is_unheard or (final and not source_known):
        return NotEvaluated.SILENT_SOURCE
    if has_nothing:
        return NotEvaluated.NO_DEMAND
    if figure.sample is not None and figure.sample < minimum_sample:
        return NotEvaluated.SMALL_SAMPLE
    if final and bounds is not None and _could_turn(bounds, figure):
        return NotEvaluated.PENDING_CASES
    return None


def _why_in_doubt(
    part: Part, figure: FigureValue, bounds: Bounds | None, doubts: _Doubts
) -> NotEvaluated | None:
    """Cases known to have existed come first: a count tells more than a silence."""
    evidence = doubts.evidence
    assert bounds is not None
    assert figure.value is not None
    if evidence.has_lost:
        if has_bounds(part.figure, doubts.with_lost):
            is_doubtful = _could_turn(bounds, doubts.with_lost)
        else:
            is_doubtful = not evidence.measured_enough
        if is_doubtful:
            return NotEvaluated.MEASUREMENT_INCIDENT
    is_met = bounds.op.holds(figure.value, bounds.value)
    if doubts_verdict(part.figure, bounds.op, is_met=is_met, silent=evidence.silent):
        return NotEvaluated.SILENT_SOURCE
    return None


def _could_turn(bounds: Bounds, figure: FigureValue) -> bool:
    """Return whether the pending cases, all one way or all the other, give different verdicts."""
    if figure.lowest is None or figure.highest is None:
        return False
    return bounds.op.holds(figure.lowest, bounds.value) != bounds.op.holds(
        figure.highest, bounds.value
    )


def _missed(bounds: Bounds, value: Fraction) -> Band:
    """Return how badly a target was missed."""
    worst = bounds.unacceptable
    if worst is None:
        return Band.RED
    is_unacceptable = value <= worst if bounds.op.wants_more else value >= worst
    return Band.RED if is_unacceptable else Band.AMBER


def _conjunction(parts: tuple[PartResult, ...]) -> Result:
    """Met if every judged part is; not met as soon as one is not, whatever the others lack.

    A part without a target only informs, unless there is no other.
    """
    judged = [p for p in parts if p.reason is not NotEvaluated.INFORMATIVE] or list(parts)
    if any(part.verdict is Verdict.NOT_MET for part in judged):
        worst = min((part.band for part in judged), key=_WORST_FIRST.index)
        return Result(Verdict.NOT_MET, None, _only_value(parts), worst, parts)
    reason = next((part.reason for part in judged if part.reason is not None), None)
    if reason is not None:
        return _without_verdict(reason, parts)
    return Result(Verdict.MET, None, _only_value(parts), Band.GREEN, parts)


def _without_verdict(reason: NotEvaluated, parts: tuple[PartResult, ...]) -> Result:
    return Result(Verdict.NOT_EVALUATED, reason, _only_value(parts), Band.GREY, parts)


def _only_value(parts: tuple[PartResult, ...]) -> Fraction | None:
    return parts[0].value if len(parts) == 1 else None


def broken(criterion: Criterion, counts: Counts, *, minimum_sample: int) -> bool:
    """Return whether the promise cannot be kept any more, before its window ends.

    An every-case promise after one failed case, a limited count once it is beyond its target, a
    schedule that is owed in full once one occurrence has failed. Not before the minimum sample:
    below it there will be no verdict to break.
    """
    figures = figures_of(criterion, counts)
    return any(
        _is_broken(part, figure, minimum_sample)
        for part, figure in zip(criterion.parts, figures, strict=True)
    )


def _is_broken(part: Part, figure: FigureValue, minimum_sample: int) -> bool:
    target, tally = part.target, figure.tally
    if target is None or target.reference is not None:
        return False
    if is_every_case(part):
        return tally.failed > 0 and tally.decided >= minimum_sample
    if isinstance(part.figure, Schedule):
        return target.op is Op.AT_LEAST and target.value == 100 and tally.failed > 0
    has_upper = rises(part.figure) and not target.op.wants_more
    return has_upper and figure.value is not None and not _reaches(target, figure.value)


def _reaches(target: Target, value: Fraction) -> bool:
    return target.op.holds(value, Fraction(target.value))
