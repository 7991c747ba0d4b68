"""What of a result may be published: small cells identify people."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.portal.domain.states import State, state_of
from shared.contracts.results import (
    AddendumReason,
    CaseCoverage,
    Moved,
    PartCounts,
    PartResult,
    ResultData,
    ResultStatus,
    ResultWindow,
    Verdict,
)
from shared.criteria import Criterion, Method, Part
from shared.outlooks import declared_for, headline

SMALL_SAMPLE: Final = 30
SHARES: Final = frozenset({"share_within"})
"""Forms whose numerator and figure tell how many failed."""


@dataclass(frozen=True, slots=True)
class Below:
    """A count that is not published: it is at least 1 and under `limit`."""

    limit: int

    def __str__(self) -> str:
        return f"menos de {self.limit}"


Count = int | Below
_WITHOUT_SAMPLE: Final = frozenset({"count", "sum", "availability", "deadline", "nested_share"})
"""Forms whose figure is no estimate: nothing of it is read with care because it is small."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A municipality's rule for one carta.

    A figure made of 1 to under `limit` cases is not published. In a `strict` carta no count is
    that is so small, nor what it could be worked out from: numerator and figure, where the met or
    the failed are that few.
    """

    limit: int
    strict: bool

    def count(self, value: int) -> Count:
        """Return the count, or that it is small. Zero says nothing of anybody and stays."""
        return Below(self.limit) if 0 < value < self.limit else value

    def beside(self, value: int) -> Count:
        """Return a count that stands beside the figure; only a strict carta withholds it."""
        return self.count(value) if self.strict else value

    def hides_figure(self, part: PartResult) -> bool:
        """Whether the figure would tell of few people."""
        if not self.strict or part.form not in SHARES:
            return 0 < part.items < self.limit
        return any(0 < cell < self.limit for cell in (part.met, part.failed))

    def hides_counts(self, part: PartResult) -> bool:
        """Whether telling how its population adds up would tell of few people."""
        above = part.numerator_counts
        sides: list[PartResult | PartCounts] = [part] if above is None else [part, above]
        counts = [
            count
            for side in sides
            for count in (side.met, side.failed, side.pending, side.overdue_open)
        ] + [count for side in sides for count in side.excluded.values()]
        return self.hides_figure(part) or any(isinstance(self.beside(n), Below) for n in counts)

    def hides_outlook(self, part: PartResult) -> bool:
        """Whether telling what can still become of it would tell of few people."""
        told = [each for each in (part.outlook, part.forecast) if each is not None]
        counts = [n for each in told for n in (each.due, each.failed or 0, each.open)]
        return self.hides_counts(part) or any(isinstance(self.beside(n), Below) for n in counts)


@dataclass(frozen=True, slots=True)
class PublicPart:
    """One part of a result as everybody may see it; the page and the CSV read this alone.

    `outlook` is what can still become of it, in one sentence; empty where that is not public.
    """

    form: str
    numerator: Count | Decimal | None
    denominator: Count | Decimal
    items: Count
    method: Method
    instruments: tuple[str, ...]
    margin: Decimal | None
    effective_sample: Decimal | None
    pending: Count
    overdue_open: Count
    excluded: tuple[tuple[str, Count], ...]
    value: Decimal | None
    target: Decimal | None
    target_op: str | None
    unacceptable: Decimal | None
    unit: str
    verdict: Verdict
    reason: str | None
    outlook: str
    coverage: CaseCoverage | None

    @property
    def is_small_sample(self) -> bool:
        """Whether the figure should be read with care."""
        if self.form in _WITHOUT_SAMPLE:
            return False
        return isinstance(self.items, Below) or 0 < self.items < SMALL_SAMPLE

    @property
    def is_withheld(self) -> bool:
        """Whether there is a figure that is not published."""
        return self.numerator is None


@dataclass(frozen=True, slots=True)
class PublicCause:
    """What moved a correction; never which cases. `total` is None where it tells of few people."""

    reason: AddendumReason
    import_id: str | None
    total: int | None


@dataclass(frozen=True, slots=True)
class PublicResult:
    """A result as everybody may see it."""

    municipality: str
    carta: str
    compromiso: str
    unit: str
    window: ResultWindow
    edition: int
    carta_versions: tuple[int, ...]
    status: ResultStatus
    verdict: Verdict
    reason: str | None
    state: State
    parts: tuple[PublicPart, ...]
    as_of_text: str
    causes: tuple[PublicCause, ...]
    moved: tuple[Moved, ...]

    @property
    def is_running(self) -> bool:
        """Whether it may still change."""
        return self.status is ResultStatus.PROVISIONAL

    @property
    def word(self) -> str:
        return self.state.running_word if self.is_running else self.state.word


def publish(
    result: ResultData, rule: Disclosure, criterion: Criterion | None = None
) -> PublicResult:
    """Return what of the result is public under the rule. The verdict always is.

    `criterion` is what is promised, for the words of what can still become of it.
    """
    declared = declared_for(result.parts, criterion)
    return PublicResult(
        municipality=result.municipality,
        carta=result.carta,
        compromiso=result.compromiso,
        unit=result.unit,
        window=result.window,
        edition=result.edition,
        carta_versions=result.carta_versions,
        status=result.status,
        verdict=result.verdict,
        reason=result.reason,
        state=state_of(result.verdict, result.band),
        parts=tuple(
            _part(part, rule, promised)
            for part, promised in zip(result.parts, declared, strict=True)
        ),
        as_of_text=result.as_of.isoformat(),
        causes=_causes(result, rule),
        moved=_moved(result, rule),
    )


def _causes(result: ResultData, rule: Disclosure) -> tuple[PublicCause, ...]:
    """Return what moved a correction, with its cases counted where the change is public too."""
    if not result.causes:
        return ()
    is_open = bool(_moved(result, rule)) or not result.moved
    hidden = rule.strict or not is_open
    return tuple(
        PublicCause(each.reason, each.import_id, None if hidden else each.total)
        for each in result.causes
    )


def _moved(result: ResultData, rule: Disclosure) -> tuple[Moved, ...]:
    """Return what a correction changed, where none of it tells of few people.

    A difference of two editions may be one person's case: a strict carta never shows it, any other
    only beside figures that are published, in this edition and in the one before.
    """
    if not result.moved or rule.strict or any(rule.hides_figure(part) for part in result.parts):
        return ()
    decided = (_decided_before(result, number) for number in range(len(result.parts)))
    return () if any(0 < cases < rule.limit for cases in decided) else result.moved


def _decided_before(result: ResultData, number: int) -> int:
    part = result.parts[number]
    moved = {each.count: each.before for each in result.moved if each.part == number + 1}
    return moved.get("met", part.met) + moved.get("failed", part.failed)


def _part(part: PartResult, rule: Disclosure, promised: Part | None) -> PublicPart:
    hidden = rule.hides_figure(part)
    tells_items = hidden or rule.count(part.items) != part.items
    return PublicPart(
        form=part.form,
        numerator=None if hidden else part.numerator,
        denominator=_denominator(part, rule, hidden=hidden),
        items=rule.count(part.items),
        method=part.method,
        instruments=part.instruments,
        margin=None if tells_items else part.margin,
        effective_sample=None if tells_items else part.effective_sample,
        pending=rule.beside(part.pending),
        overdue_open=rule.beside(part.overdue_open),
        excluded=tuple((name, rule.beside(n)) for name, n in sorted(part.excluded.items()) if n),
        value=None if hidden else part.value,
        target=part.target,
        target_op=part.target_op,
        unacceptable=part.unacceptable,
        unit=part.unit,
        verdict=part.verdict,
        reason=part.reason,
        outlook=_outlook(part, rule, promised),
        coverage=_coverage(part, rule),
    )


def _outlook(part: PartResult, rule: Disclosure, promised: Part | None) -> str:
    is_told = part.outlook is not None and not rule.hides_outlook(part)
    return headline(part, promised) if is_told else ""


def _coverage(part: PartResult, rule: Disclosure) -> CaseCoverage | None:
    """Return how many cases were measured, without the numbers where one tells of few people."""
    found = part.coverage
    if found is None:
        return None
    told = (found.known, found.measured, found.known - found.measured, found.beyond)
    few = any(isinstance(rule.beside(number), Below) for number in told)
    if not few and not rule.hides_figure(part):
        return found
    return found.model_copy(update={"known": 0, "measured": 0, "beyond": 0})


def _denominator(part: PartResult, rule: Disclosure, *, hidden: bool) -> Count | Decimal:
    """Where the denominator counts the items, it is withheld as they are; else with the figure."""
    if part.denominator == part.items:
        return rule.count(part.items)
    return Below(rule.limit) if hidden else part.denominator
