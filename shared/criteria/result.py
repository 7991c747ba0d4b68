"""From counts to verdicts: exact fractions, three states, and a reason for each missing verdict."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from shared.criteria.model import AnyCriterion, Mean, Op, Share, Target, Unsupported
from shared.criteria.verdict import Band, NotEvaluated, PartResult, Result, Tally, Verdict
from shared.worktime.model import MICROSECONDS

_WORST_FIRST: Final = (Band.RED, Band.AMBER, Band.GREEN, Band.GREY)


def reaches(target: Target, value: Fraction) -> bool:
    """Compare exactly: 2/3 is not 66.67 %."""
    return target.op.holds(value, Fraction(target.value))


def is_every_case(part: Share | Mean) -> bool:
    """Return whether one failed case breaks the promise, however many cases there are."""
    return isinstance(part, Share) and part.target.op is Op.AT_LEAST and part.target.value == 100


def at_risk(part: Share | Mean, tally: Tally, *, minimum_sample: int) -> bool:
    """Return whether the running window would end badly if it ended now.

    Never for an every-case promise: that one is kept or breached.
    """
    if is_every_case(part) or _denominator(part, tally) < minimum_sample:
        return False
    value = value_of(part, tally)
    return value is not None and not reaches(part.target, value)


def value_of(part: Share | Mean, tally: Tally) -> Fraction | None:
    """Return percent for a share, the clock's unit for a mean; None without a decided case."""
    denominator = _denominator(part, tally)
    if denominator == 0:
        return None
    if isinstance(part, Share):
        return Fraction(100 * tally.met, denominator)
    return Fraction(tally.elapsed_sum, denominator * MICROSECONDS.get(part.clock.unit, 1))


def judge_part(
    part: Share | Mean,
    tally: Tally,
    *,
    minimum_sample: int,
    source_known: bool = True,
    final: bool = False,
) -> PartResult:
    """Judge one part by its counts. For `source_known` and `final` see judge_result.

    The numerator and denominator of a share are its kept and its decided cases; those of a mean
    the summed time (as in Tally) and the measured cases.
    """
    reason = _why_not(
        part, tally, minimum_sample=minimum_sample, source_known=source_known, final=final
    )
    value = value_of(part, tally)
    verdict = Verdict.NOT_EVALUATED
    if reason is None and value is not None:
        verdict = Verdict.MET if reaches(part.target, value) else Verdict.NOT_MET
    return PartResult(
        verdict=verdict,
        reason=reason,
        value=value,
        band=_band(part.target, verdict, value),
        numerator=tally.met if isinstance(part, Share) else tally.elapsed_sum,
        denominator=_denominator(part, tally),
        tally=tally,
    )


def judge_result(
    criterion: AnyCriterion,
    tallies: Sequence[Tally],
    *,
    minimum_sample: int,
    source_known: bool,
    final: bool = False,
    impediment: NotEvaluated | None = None,
) -> Result:
    """Judge a criterion by the tallies of its parts, in their order; nothing else matters.

    `source_known`: the source is known complete to the window's end (or to now, while it runs).
    `final`: at the cut-off a source that is not complete, or pending cases that could still turn
    a share, leave the window without a verdict. `impediment` is a reason from outside: the carta
    suspended, the service not provided, the measurement out of order.
    Raises ValueError when there is not one tally for each part.
    """
    if isinstance(criterion, Unsupported):
        return _without_verdict(NotEvaluated.UNSUPPORTED_FORM, ())
    parts = tuple(
        judge_part(
            part, tally, minimum_sample=minimum_sample, source_known=source_known, final=final
        )
        for part, tally in zip(criterion.parts, tallies, strict=True)
    )
    return _conjunction(parts) if impediment is None else _without_verdict(impediment, parts)


def _conjunction(parts: tuple[PartResult, ...]) -> Result:
    """Met if every part is; not met as soon as one is not, whatever the others lack."""
    if any(part.verdict is Verdict.NOT_MET for part in parts):
        worst = min((part.band for part in parts), key=_WORST_FIRST.index)
        return Result(Verdict.NOT_MET, None, _only_value(parts), worst, parts)
    reason = next((part.reason for part in parts if part.reason is not None), None)
    if reason is not None:
        return _without_verdict(reason, parts)
    return Result(Verdict.MET, None, _only_value(parts), Band.GREEN, parts)


def _without_verdict(reason: NotEvaluated, parts: tuple[PartResult, ...]) -> Result:
    return Result(Verdict.NOT_EVALUATED, reason, _only_value(parts), Band.GREY, parts)


def _only_value(parts: tuple[PartResult, ...]) -> Fraction | None:
    return parts[0].value if len(parts) == 1 else None


def _denominator(part: Share | Mean, tally: Tally) -> int:
    return tally.decided if isinstance(part, Share) else tally.elapsed_count


def _why_not(
    part: Share | Mean, tally: Tally, *, minimum_sample: int, source_known: bool, final: bool
) -> NotEvaluated | None:
    if final and not source_known:
        return NotEvaluated.SILENT_SOURCE
    denominator = _denominator(part, tally)
    if denominator == 0 and tally.pending > 0:
        return NotEvaluated.PENDING_CASES
    if denominator == 0:
        return NotEvaluated.NO_DEMAND if source_known else NotEvaluated.SILENT_SOURCE
    if denominator < minimum_sample:
        return NotEvaluated.SMALL_SAMPLE
    if final and isinstance(part, Share) and _could_turn(part.target, tally):
        return NotEvaluated.PENDING_CASES
    return None


def _could_turn(target: Target, tally: Tally) -> bool:
    """Return whether the pending cases, all kept or all failed, give different verdicts."""
    everyone = tally.decided + tally.pending
    worst = Fraction(100 * tally.met, everyone)
    best = Fraction(100 * (tally.met + tally.pending), everyone)
    return reaches(target, worst) != reaches(target, best)


def _band(target: Target, verdict: Verdict, value: Fraction | None) -> Band:
    if verdict is Verdict.NOT_EVALUATED or value is None:
        return Band.GREY
    if verdict is Verdict.MET:
        return Band.GREEN
    if target.unacceptable is None:
        return Band.RED
    limit = Fraction(target.unacceptable)
    more_is_better = target.op in (Op.AT_LEAST, Op.MORE)
    is_unacceptable = value <= limit if more_is_better else value >= limit
    return Band.RED if is_unacceptable else Band.AMBER
