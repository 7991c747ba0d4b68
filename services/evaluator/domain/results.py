"""From counts to a result and to what is said about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec

from services.evaluator.domain.addenda import causes_of, moved
from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.cohorts import Cohorts, part_counts
from services.evaluator.domain.identity import SOURCE, breach_id, statement_id
from shared.contracts.breaches import BreachData, BreachEvent, BreachKind
from shared.contracts.ids import own_trace
from shared.contracts.late_cases import LateCase, LateCaseData
from shared.contracts.results import (
    Band,
    CaseCoverage,
    Cause,
    PartResult,
    ResultData,
    ResultStatus,
    ResultWindow,
    Verdict,
)
from shared.criteria import (
    Availability,
    Cells,
    Counts,
    Evidence,
    NotEvaluated,
    Part,
    Result,
    Setting,
    Target,
    WindowBounds,
    broken,
    instruments_of,
    judge_result,
    margin_of,
    method_of,
    references_of,
    unit_of,
)
from shared.criteria import PartResult as JudgedPart
from shared.criteria.vocabulary import Reference

_PLACES = Decimal("0.0001")
_NO_EARLIER: Final[Mapping[Reference, "Counted"]] = {}


@dataclass(frozen=True, slots=True)
class Known:
    """How far the facts about a window are complete, and whether anything reports on it.

    `heard_through`: any source of it that existed by then has been heard of. `unreported`: the
    events of its populations that no source reports.
    `historical`: all of them came through imports, complete as of `through`. A complete import has
    no more to say, though the window may end after it: the result carries its instant.
    """

    through: datetime | None
    has_source: bool
    historical: bool = False
    heard_through: datetime | None = None
    unreported: frozenset[str] = frozenset()

    def lacks_source(self, closes_at: datetime) -> bool:
        """Return whether nothing reported on it by `closes_at`; a source may yet be heard of."""
        return not self.has_source and self.heard_past(closes_at)

    def heard_past(self, instant: datetime) -> bool:
        """Return whether every source that existed at `instant` has been heard of."""
        return self.heard_through is not None and self.heard_through >= instant

    def covers(self, end: datetime) -> bool:
        """Return whether everything up to `end` is known."""
        if self.through is None:
            return False
        return self.historical or self.through >= end


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one window, cell by cell for each measure, and of those its targets follow.

    `impediment` is why they have no verdict as a whole.
    """

    window: WindowBounds
    cells: Sequence[Cells]
    earlier: Mapping[Reference, "Counted"] = field(default_factory=dict)
    impediment: NotEvaluated | None = None

    @classmethod
    def of(
        cls,
        window: WindowBounds,
        cohorts: Cohorts,
        earlier: Mapping[Reference, "Counted"] = _NO_EARLIER,
    ) -> "Counted":
        """Return what the versions counted together."""
        return cls(window, cohorts.together(), earlier, cohorts.impediment)

    def under(self, promise: Promise, through: datetime | None) -> Counts:
        """Return them as they are judged when everything through an instant is known."""
        setting = Setting(self.window, promise.zone, promise.calendars, through)
        earlier = {kind: each.under(promise, through) for kind, each in self.earlier.items()}
        return Counts(setting, self.cells, earlier)


def judged(
    promise: Promise,
    counted: Counted,
    *,
    known: Known,
    final: bool,
    evidence: Sequence[Evidence] = (),
) -> Result:
    """Judge the counts of one window. Provisionally, a source that is heard of at all is known."""
    end = promise.facts_until(counted.window.end)
    source_known = known.covers(end) if final else known.through is not None
    return judge_result(
        promise.compromiso.criterion,
        counted.under(promise, known.through if final else provisionally(promise, known)),
        minimum_sample=promise.compromiso.minimum_sample,
        source_known=source_known,
        final=final,
        impediment=counted.impediment,
        evidence=evidence,
    )


def breach_is_certain(promise: Promise, counted: Counted, *, known: Known) -> bool:
    """Return whether the promise cannot be kept any more, before the window ends."""
    if counted.impediment is not None:
        return False
    minimum = promise.compromiso.minimum_sample
    counts = counted.under(promise, known.through)
    return broken(promise.compromiso.criterion, counts, minimum_sample=minimum)


def provisionally(promise: Promise, known: Known) -> datetime | None:
    """Return what is known, by the hour where service time passes: else all hours were news."""
    if known.through is None or not any(
        isinstance(part.figure, Availability) for part in promise.parts
    ):
        return known.through
    return known.through.replace(minute=0, second=0, microsecond=0)


def window_of_result(
    window_id: str, promise: Promise, *, start: datetime, end: datetime, closes_at: datetime
) -> ResultWindow:
    """Return the window as it travels."""
    kind = promise.compromiso.window.kind.value
    return ResultWindow(id=window_id, kind=kind, start=start, end=end, closes_at=closes_at)


@dataclass(frozen=True, slots=True)
class Addendum:
    """What an addendum follows: the parts of the edition before, and what has moved it since."""

    parts_before: Sequence[Mapping[str, Any]]
    taken: tuple[Cause, ...]


def result_data(
    promise: Promise,
    result: Result,
    *,
    cohorts: Cohorts,
    calendar_versions: Mapping[str, int],
    unit: str,
    window: ResultWindow,
    known: Known,
    edition: int,
    sequence: int,
    historical: bool,
    addendum: Addendum | None = None,
    coverages: Sequence[CaseCoverage | None] = (),
) -> ResultData:
    """Return the result with its evidence."""
    parts = part_results(promise, result, coverages)
    told = () if addendum is None else moved(addendum.parts_before, parts)
    follows = bool(references_of(promise.compromiso.criterion))
    return ResultData(
        municipality=promise.municipality,
        carta=promise.carta.carta,
        carta_versions=tuple(sorted({*cohorts.versions, promise.carta.version})),
        compromiso=promise.id,
        unit=unit,
        window=window,
        edition=edition,
        sequence=sequence,
        status=ResultStatus.FINAL if edition else ResultStatus.PROVISIONAL,
        verdict=Verdict(result.verdict.value),
        reason=None if result.reason is None else result.reason.value,
        band=Band(result.band.value),
        parts=parts,
        cohorts=cohorts.listed(),
        as_of=known.through or window.start,
        calendar_versions=dict(sorted(calendar_versions.items())),
        historical=historical,
        causes=() if addendum is None else causes_of(addendum.taken, told, follows=follows),
        moved=told,
    )


def part_results(
    promise: Promise, result: Result, coverages: Sequence[CaseCoverage | None] = ()
) -> tuple[PartResult, ...]:
    """Return the counts of each part, with what is known of the cases that they do not hold."""
    beside = coverages or [None] * len(promise.parts)
    return tuple(
        _part_result(*each) for each in zip(promise.parts, result.parts, beside, strict=True)
    )


def _part_result(part: Part, result: JudgedPart, coverage: CaseCoverage | None) -> PartResult:
    tally, target = result.tally, part.target
    return PartResult(
        form=part.figure.form,
        met=tally.met,
        failed=tally.failed,
        pending=tally.pending,
        excluded=dict(sorted(tally.excluded.items())),
        overdue_open=tally.overdue_open,
        numerator_counts=None if result.above is None else part_counts(result.above),
        value=None if result.value is None else shown(result.value),
        exact=None if result.value is None else str(result.value),
        numerator=_counted(result.numerator),
        denominator=_counted(result.denominator),
        items=result.items,
        method=method_of(part),
        instruments=instruments_of(part),
        margin=_margin(part, result),
        effective_sample=None if result.effective is None else shown(result.effective),
        target=_bound(target, result.bound, None if target is None else target.value),
        target_op=None if target is None else target.op.value,
        unacceptable=_bound(
            target, result.unacceptable, None if target is None else target.unacceptable
        ),
        unit=(unit_of(part.figure) or "casos") if target is None else target.unit,
        verdict=Verdict(result.verdict.value),
        reason=None if result.reason is None else result.reason.value,
        coverage=coverage,
    )


def _margin(part: Part, result: JudgedPart) -> Decimal | None:
    if result.value is None:
        return None
    return margin_of(part, result.items if result.effective is None else result.effective)


def _bound(
    target: Target | None, bound: Fraction | None, declared: Decimal | None
) -> Decimal | None:
    """Return a fixed bound as it was declared, one that follows an earlier window as a number."""
    if target is None or target.reference is None or bound is None:
        return declared if target is not None and target.reference is None else None
    return shown(bound)


def _counted(value: Fraction) -> int | Decimal:
    """Cases are whole; hours and other sums may not be."""
    return value.numerator if value.denominator == 1 else shown(value)


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
    breach: str = field(init=False, repr=False, compare=False)
    """The id that all statements about it share."""
    _window: msgspec.Raw = field(init=False, repr=False, compare=False)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Municipality, compromiso, unit, window id."""
        promise = self.promise
        return (promise.municipality, promise.id, self.unit, self.window.id)

    @property
    def bounds(self) -> WindowBounds:
        """The window as it is judged."""
        return WindowBounds(self.window.id, self.window.start, self.window.end)

    def __post_init__(self) -> None:
        """Make ready what every statement repeats."""
        window = self.window
        object.__setattr__(self, "breach", breach_id(*self.key, window.start))
        object.__setattr__(self, "_window", msgspec.Raw(window.model_dump_json().encode()))

    def late_case(
        self,
        case: str,
        due_at: datetime | None,
        *,
        received_at: datetime | None,
        traceparent: str | None,
    ) -> LateCase:
        """Return that a case is late: the same case and due instant always make the same id."""
        promise, time = self.promise, due_at or self.window.start
        identity = statement_id(self.breach, "late_case", time, case)
        return LateCase(
            specversion="1.0",
            id=identity,
            source=SOURCE,
            type="breach.v1",
            time=time,
            subject=promise.id,
            traceparent=traceparent or own_trace(identity),
            data=LateCaseData(
                municipality=promise.municipality,
                carta=promise.carta.carta,
                carta_version=promise.version,
                compromiso=promise.id,
                unit=self.unit,
                responsible_unit=promise.carta.unit,
                window=self._window,
                kind="late_case",
                breach=self.breach,
                case=case,
                due_at=due_at,
                received_at=received_at,
            ),
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
            subject=promise.id,
            traceparent=traceparent or own_trace(identity),
            data=BreachData(
                municipality=promise.municipality,
                carta=promise.carta.carta,
                carta_version=promise.carta.version,
                compromiso=promise.id,
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
