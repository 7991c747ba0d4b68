"""From counts to a result and to what is said about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.identity import SOURCE, breach_id, statement_id
from shared.contracts.breaches import BreachData, BreachEvent, BreachKind
from shared.contracts.ids import own_trace
from shared.contracts.results import (
    Band,
    PartResult,
    ResultData,
    ResultStatus,
    ResultWindow,
    Verdict,
)
from shared.criteria import Mean, Result, Share, Tally, is_every_case, judge_result
from shared.criteria import PartResult as JudgedPart

_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Known:
    """How far the facts about a window are complete, and whether anything reports on it.

    `heard_through`: any source of it that existed by then has been heard of.
    `historical`: all of them came through imports, complete as of `through`. A complete import has
    no more to say, though the window may end after it: the result carries its instant.
    """

    through: datetime | None
    has_source: bool
    historical: bool = False
    heard_through: datetime | None = None

    def lacks_source(self, closes_at: datetime) -> bool:
        """Return whether nothing reported on it by `closes_at`; a source may yet be heard of."""
        if self.has_source or self.heard_through is None:
            return False
        return self.heard_through >= closes_at

    def covers(self, end: datetime) -> bool:
        """Return whether everything up to `end` is known."""
        if self.through is None:
            return False
        return self.historical or self.through >= end


def judged(
    promise: Promise, tallies: Sequence[Tally], *, known: Known, end: datetime, final: bool
) -> Result:
    """Judge the counts of one window. Provisionally, a source that is heard of at all is known."""
    source_known = known.covers(end) if final else known.through is not None
    return judge_result(
        promise.compromiso.criterion,
        tallies,
        minimum_sample=promise.compromiso.minimum_sample,
        source_known=source_known,
        final=final,
    )


def breach_is_certain(promise: Promise, tallies: Sequence[Tally]) -> bool:
    """Return whether an every-case part has failed for good, before the window ends.

    Not before the minimum sample: below it there will be no verdict to break.
    """
    minimum = promise.compromiso.minimum_sample
    return any(
        is_every_case(part) and tally.failed > 0 and tally.decided >= minimum
        for part, tally in zip(promise.parts, tallies, strict=True)
    )


def window_of_result(
    window_id: str, promise: Promise, *, start: datetime, end: datetime, closes_at: datetime
) -> ResultWindow:
    """Return the window as it travels."""
    kind = promise.compromiso.window.kind.value
    return ResultWindow(id=window_id, kind=kind, start=start, end=end, closes_at=closes_at)


def result_data(
    promise: Promise,
    result: Result,
    *,
    unit: str,
    window: ResultWindow,
    known: Known,
    edition: int,
    sequence: int,
    historical: bool,
    addendum_reason: str | None,
) -> ResultData:
    """Return the result with its evidence."""
    return ResultData(
        municipality=promise.municipality,
        carta=promise.carta.carta,
        carta_versions=(promise.carta.version,),
        compromiso=promise.compromiso.id,
        unit=unit,
        window=window,
        edition=edition,
        sequence=sequence,
        status=ResultStatus.FINAL if edition else ResultStatus.PROVISIONAL,
        verdict=Verdict(result.verdict.value),
        reason=None if result.reason is None else result.reason.value,
        band=Band(result.band.value),
        parts=part_results(promise, result),
        as_of=known.through or window.start,
        calendar_versions=dict(promise.calendar_versions),
        historical=historical,
        addendum_reason=addendum_reason,
    )


def part_results(promise: Promise, result: Result) -> tuple[PartResult, ...]:
    """Return the counts of each part."""
    return tuple(
        _part_result(part, judged_part)
        for part, judged_part in zip(promise.parts, result.parts, strict=True)
    )


def _part_result(part: Share | Mean, result: JudgedPart) -> PartResult:
    tally = result.tally
    return PartResult(
        form=part.form,
        met=tally.met,
        failed=tally.failed,
        pending=tally.pending,
        excluded=dict(sorted(tally.excluded.items())),
        overdue_open=tally.overdue_open,
        value=None if result.value is None else shown(result.value),
        numerator=result.numerator,
        denominator=result.denominator,
        target=part.target.value,
        target_op=part.target.op.value,
        unacceptable=part.target.unacceptable,
        unit=part.target.unit,
        verdict=Verdict(result.verdict.value),
        reason=None if result.reason is None else result.reason.value,
    )


def shown(value: Fraction) -> Decimal:
    """Round half even to 4 places: for display; what decides is the fraction."""
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return exact.quantize(_PLACES, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a statement is about: a promise in a unit and window."""

    promise: Promise
    unit: str
    window: ResultWindow

    @property
    def breach(self) -> str:
        """The id that all statements about it share."""
        promise = self.promise
        return breach_id(
            promise.municipality,
            promise.compromiso.id,
            self.unit,
            self.window.id,
            self.window.start,
        )

    def statement(
        self,
        kind: BreachKind,
        time: datetime,
        *,
        detail: str = "",
        parts: tuple[PartResult, ...] = (),
        failing: Sequence[str] = (),
        case: str | None = None,
        due_at: datetime | None = None,
        folio: str | None = None,
        historical: bool = False,
        received_at: datetime | None = None,
        traceparent: str | None = None,
    ) -> BreachEvent:
        """Return one statement; the same `kind`, `time` and `detail` always make the same id.

        Without the trace of a single event that caused it, it begins one of its own.
        """
        promise = self.promise
        identity = statement_id(self.breach, kind.value, time, detail)
        return BreachEvent(
            id=identity,
            source=SOURCE,
            time=time,
            subject=promise.compromiso.id,
            traceparent=traceparent or own_trace(identity),
            data=BreachData(
                municipality=promise.municipality,
                carta=promise.carta.carta,
                carta_version=promise.carta.version,
                compromiso=promise.compromiso.id,
                unit=self.unit,
                responsible_unit=promise.carta.unit,
                window=self.window,
                kind=kind,
                breach=self.breach,
                parts=parts,
                failing_cases=tuple(failing),
                failing_total=max((part.failed for part in parts), default=0),
                case=case,
                due_at=due_at,
                folio=folio,
                historical=historical,
                received_at=received_at,
            ),
        )
