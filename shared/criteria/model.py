"""A criterion: figures of a window's items, each with its target. There are no free expressions.

Four primitives make every figure: a statistic over one population, a ratio of two, groups within
the window of which a share complies, and the conjunction of several parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from shared.criteria.values import (
    NUMBER_SCALE,
    Clock,
    Limit,
    Measurable,
    Number,
    Outage,
    Population,
    Summable,
)
from shared.criteria.vocabulary import (
    Anchor,
    Declared,
    Name,
    Op,
    Period,
    Reference,
    WindowKind,
)
from shared.worktime.model import MICROSECONDS

PERCENT: Final = "%"


class _Statistic(Declared):
    population: Population

    @model_validator(mode="after")
    def _placeable(self) -> Self:
        """Only a limit makes a case due; what is not timed happens at one instant."""
        value, limit = getattr(self, "value", None), getattr(self, "limit", None)
        if isinstance(limit, Limit) and limit.own_due and not isinstance(value, Clock):
            raise ValueError("only a time ends at an instant promised to the case")
        anchor = self.population.anchor
        if isinstance(value, Clock):
            if anchor is Anchor.DUE and limit is None:
                raise ValueError("without a limit nothing is due: anchor it elsewhere")
        elif anchor in (Anchor.CLOSED, Anchor.OPENED):
            raise ValueError("what is not timed is anchored where it occurred, or was due")
        return self


class Share(_Statistic):
    """The share of items that keep the limit, in percent."""

    form: Literal["share_within"] = "share_within"
    value: Measurable
    limit: Limit


class Mean(_Statistic):
    """The mean of the items that ended or answered, in the value's unit."""

    form: Literal["mean"] = "mean"
    value: Measurable


class Percentile(_Statistic):
    """The value that `p` percent of the items do not exceed, by the nearest rank; 100: the worst.

    An open item that is past the target counts as beyond every value.
    """

    form: Literal["percentile"] = "percentile"
    p: Annotated[Decimal, Field(gt=0, le=100, max_digits=6)]
    value: Measurable


class Sum(_Statistic):
    """What the items add up to."""

    form: Literal["sum"] = "sum"
    value: Summable


class Count(_Statistic):
    """How many items there are; with a value and its limit, how many of them keep it."""

    form: Literal["count"] = "count"
    value: Measurable | None = None
    limit: Limit | None = None

    @model_validator(mode="after")
    def _value_with_its_limit(self) -> Self:
        if (self.value is None) != (self.limit is None):
            raise ValueError("value and limit go together")
        return self


class Nps(_Statistic):
    """Net promoters: percent of 9 and 10 less percent of 0 to 6, on the scale from 0 to 10."""

    form: Literal["nps"] = "nps"
    value: Number

    @model_validator(mode="after")
    def _its_scale(self) -> Self:
        if self.value.lowest != 0 or self.value.highest != 10:
            raise ValueError("net promoters are asked on a scale from 0 to 10")
        return self


Statistic = Share | Mean | Percentile | Sum | Count | Nps
Quantity = Annotated[Sum | Count, Field(discriminator="form")]


def _is_part(part: Sum | Count, whole: Sum | Count) -> bool:
    """Return whether the same answers are counted or summed up, perhaps fewer of them."""
    inner, outer = part.population, whole.population
    values = (part.value, whole.value)
    return (
        part.form == whole.form
        and values[0] == values[1]
        and (values[0] is None or isinstance(values[0], Number))
        and inner.model_copy(update={"where": outer.where}) == outer
        and outer.where.items() <= inner.where.items()
    )


class Ratio(Declared):
    """One quantity in percent of another; the two may come from different sources.

    `margin`: it is a share of a sample's answers, whose margin the weights that are summed widen.
    """

    form: Literal["ratio"] = "ratio"
    numerator: Quantity
    denominator: Quantity
    margin: bool = False

    @model_validator(mode="after")
    def _part_of_a_sample(self) -> Self:
        if self.margin and not _is_part(self.numerator, self.denominator):
            raise ValueError("only a part of the same answers has a margin: one event and field")
        return self


class Groups(Declared):
    """The share of groups within the window whose own statistic keeps the limit, in percent.

    Groups are periods (`by`), or the values of an attribute. One without a measured item (a day
    without service) is no group.
    """

    form: Literal["nested_share"] = "nested_share"
    by: Period | None = None
    attribute: Name | None = None
    inner: Annotated[Statistic, Field(discriminator="form")]
    limit: Limit

    @model_validator(mode="after")
    def _one_grouping(self) -> Self:
        if (self.by is None) == (self.attribute is None):
            raise ValueError("give exactly one of by and attribute")
        if self.limit.value is None:
            raise ValueError("a group is held to a fixed value")
        return self


class Availability(_Statistic):
    """Service time without outages, in percent of service time; what is excluded was planned.

    Planned interruptions leave the service time; overlapping outages count once.
    """

    form: Literal["availability"] = "availability"
    value: Outage


class Recurrence(Declared):
    """What is owed again and again: once in each period, by a day of it and an hour.

    `working_day` counts the days that count from the first of the period (or of its `month`): one
    with fewer owes it by its last day, one with none owes nothing.
    `day` is a day number, or the month's last where it is missing; neither: the period's last day.
    For `every` day each counting day is one. `time` is local; without it the whole day is in time.
    """

    every: Period
    calendar: Name
    month: Annotated[int, Field(ge=1, le=12)] | None = None
    day: Annotated[int, Field(ge=1, le=31)] | None = None
    working_day: Annotated[int, Field(ge=1, le=260)] | None = None
    time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] | None = None

    @model_validator(mode="after")
    def _one_day(self) -> Self:
        if self.day is not None and self.working_day is not None:
            raise ValueError("give a day or a working day, not both")
        if self.every in (Period.DAY, Period.WEEK) and (self.day or self.month):
            raise ValueError("a day of the month belongs to months and longer periods")
        if self.every is Period.DAY and self.working_day:
            raise ValueError("what recurs each day needs no day")
        if self.month is not None and self.month > _MONTHS.get(self.every, 1):
            raise ValueError("the month is counted within its period")
        return self


_MONTHS: Final = {Period.QUARTER: 3, Period.SEMESTER: 6, Period.YEAR: 12}


class Schedule(Declared):
    """The share of expected occurrences that came in time, in percent.

    What is expected comes from the calendar: that it is missing is the failure. The population's
    event fulfils the occurrence of the period in which it happens.
    """

    form: Literal["deadline"] = "deadline"
    population: Population
    recurrence: Recurrence

    @model_validator(mode="after")
    def _occurs(self) -> Self:
        if self.population.anchor is not Anchor.OCCURRED:
            raise ValueError("an occurrence is anchored where it occurred")
        return self


Figure = Annotated[
    Statistic | Ratio | Groups | Availability | Schedule, Field(discriminator="form")
]
MeasuredFigure = Statistic | Availability | Schedule
"""What takes items from one population."""


class Target(Declared):
    """What the figure must reach, in its unit: percent for shares and ratios.

    `unacceptable` parts amber from red: at it or beyond it, the result is red. With a `reference`,
    both are factors of that earlier window's own figure; `zero_reference` says whether nothing
    then is a target of nothing, or no target.
    """

    op: Op
    value: Annotated[Decimal, Field(ge=-100, le=1_000_000, max_digits=10)]
    unacceptable: Annotated[Decimal, Field(ge=-100, le=1_000_000, max_digits=10)] | None = None
    unit: str = Field(default=PERCENT, max_length=40)
    reference: Reference | None = None
    zero_reference: Literal["zero", "not_evaluated"] = "zero"

    @model_validator(mode="after")
    def _unacceptable_is_worse(self) -> Self:
        if self.unacceptable is None:
            return self
        better = self.op.wants_more == (self.unacceptable > self.value)
        if self.unacceptable != self.value and better:
            raise ValueError("the unacceptable value is better than the target")
        return self


class Part(Declared):
    """A figure and its target; without one it is published and never judged."""

    figure: Figure
    target: Target | None = None

    @model_validator(mode="after")
    def _same_unit(self) -> Self:
        """Value and target in different units is a defect of real sheets (domain 3.4)."""
        target, unit = self.target, unit_of(self.figure)
        if target is None or target.reference is not None:
            return self
        if unit is not None and target.unit != unit:
            raise ValueError(f"the target is in {target.unit}, the figure in {unit}")
        if isinstance(self.figure, Percentile) and isinstance(self.figure.value, Clock):
            _check_resolution(self.figure.value, target)
        if is_share(self.figure) and not all(
            0 <= bound <= 100 for bound in (target.value, target.unacceptable or 0)
        ):
            raise ValueError("the target of a share is a percentage from 0 to 100")
        return self


def _check_resolution(clock: Clock, target: Target) -> None:
    """Percentiles keep whole seconds: a target between two of them could not be decided."""
    size = MICROSECONDS.get(clock.unit)
    if size is not None and target.value * size % 1_000_000:
        raise ValueError("the target of a percentile is a whole number of seconds")


class Criterion(Declared):
    """One part, or a conjunction: all parts must be met."""

    parts: tuple[Part, ...] = Field(min_length=1, max_length=20)


class Window(Declared):
    """How results are cut: calendar periods in local time, or one campaign, both dates included."""

    kind: WindowKind
    id: Name | None = None
    first: date | None = None
    last: date | None = None

    @model_validator(mode="after")
    def _campaign_has_dates(self) -> Self:
        if self.kind is not WindowKind.CAMPAIGN:
            if (self.id, self.first, self.last) != (None, None, None):
                raise ValueError("only a campaign has an id and dates of its own")
            return self
        if self.id is None or self.first is None or self.last is None or self.last < self.first:
            raise ValueError("a campaign needs an id and a first day not after its last")
        return self


def is_share(figure: Figure) -> bool:
    """Return whether the figure lies between 0 and 100 percent whatever happens."""
    return isinstance(figure, Share | Groups | Availability | Schedule)


def rises(figure: Figure) -> bool:
    """Return whether the figure only rises while cases come in: counts, sums of no negatives."""
    if isinstance(figure, Sum) and isinstance(figure.value, Number):
        return figure.value.lowest is None or figure.value.lowest >= 0
    return isinstance(figure, Count | Sum)


def unit_of(figure: Figure) -> str | None:
    """Return the unit that the target must be in; None where any noun will do ("talleres")."""
    if isinstance(figure, Mean | Percentile | Sum):
        return figure.value.unit.value if not isinstance(figure.value, Number) else None
    return None if isinstance(figure, Count | Nps) else PERCENT


@dataclass(frozen=True, slots=True)
class Measure:
    """One population of a part, as its cases are judged one by one.

    `limit` is what one item is held to: its own, or where the target speaks of a mean or a
    percentile, the target's. `by` or `attribute` tell the cell of a group in which it counts.
    `weighs`: its amounts are weights, of which a margin needs each.
    """

    part: int
    figure: MeasuredFigure
    limit: Limit | None = None
    by: Period | None = None
    attribute: str | None = None
    weighs: bool = False

    @property
    def calendar(self) -> str | None:
        """The id of the calendar that its cases are judged by."""
        if isinstance(self.figure, Schedule):
            return self.figure.recurrence.calendar
        value = self.figure.value
        return value.calendar if isinstance(value, Clock | Outage) else None

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of events that bring its cases and measure them."""
        value = getattr(self.figure, "value", None)
        kinds = {self.figure.population.event}
        if isinstance(value, Clock):
            kinds.update(value.start.kinds, value.stop.kinds)
        elif isinstance(value, Outage):
            kinds.add(value.stop)
        return frozenset(kinds)

    @property
    def clock(self) -> Clock | None:
        value = getattr(self.figure, "value", None)
        return value if isinstance(value, Clock) else None


def measures_of(criterion: Criterion) -> tuple[Measure, ...]:
    """Return the populations that a criterion counts, in the order of its parts."""
    return tuple(
        measure
        for number, part in enumerate(criterion.parts)
        for measure in _measures(number, part)
    )


def _measures(number: int, part: Part) -> tuple[Measure, ...]:
    figure = part.figure
    if isinstance(figure, Ratio):
        whole = _measure(number, figure.denominator)
        weighs = figure.margin and isinstance(figure.denominator, Sum)
        return _measure(number, figure.numerator), replace(whole, weighs=weighs)
    if isinstance(figure, Groups):
        inner = _measure(number, figure.inner, figure.limit)
        return (replace(inner, by=figure.by, attribute=figure.attribute),)
    return (_measure(number, figure, part.target),)


def _measure(number: int, figure: MeasuredFigure, bound: Target | Limit | None = None) -> Measure:
    """A bound on a mean or percentile of times is what makes an open case overdue."""
    limit: Limit | None = getattr(figure, "limit", None)
    if isinstance(figure, Mean | Percentile) and isinstance(figure.value, Clock):
        limit = bound if isinstance(bound, Limit) else _as_limit(bound)
    return Measure(number, figure, limit)


def _as_limit(target: Target | None) -> Limit | None:
    """Return a fixed target that a time can keep as a limit."""
    if target is None or target.reference is not None or target.value < 0:
        return None
    impossible = target.op is Op.LESS and target.value == 0
    return None if impossible else Limit(op=target.op, value=target.value)


def references_of(criterion: Criterion) -> frozenset[Reference]:
    """Return the earlier windows that targets follow."""
    targets = [part.target for part in criterion.parts if part.target is not None]
    return frozenset(t.reference for t in targets if t.reference is not None)


def moves_with_time(criterion: Criterion) -> bool:
    """Return whether figures change though no case does: service time passes, something is owed."""
    return any(
        isinstance(measure.figure, Schedule)
        or isinstance(getattr(measure.figure, "value", None), Outage)
        for measure in measures_of(criterion)
    )


def has_spread(measure: Measure) -> bool:
    """Return whether the figure needs more than counts and sums: each amount, or each outage."""
    value = getattr(measure.figure, "value", None)
    return isinstance(measure.figure, Percentile) or isinstance(value, Outage) or measure.weighs


def scale_of(figure: MeasuredFigure) -> int:
    """Return how many of the whole amounts that are added up make one unit of the figure."""
    value = getattr(figure, "value", None)
    if isinstance(value, Number):
        return NUMBER_SCALE
    return MICROSECONDS.get(value.unit, 1) if isinstance(value, Clock | Outage) else 1
