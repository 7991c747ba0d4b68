"""The closed vocabulary in which a compromiso is declared; there are no free expressions.

A criterion is one part, or the conjunction of several. A part takes items from a population,
measures each with a clock, and compares a statistic with a target.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from shared.worktime.model import UNITS_WITHOUT_CALENDAR, StartRule, Unit

Name = Annotated[str, Field(min_length=1, max_length=200)]

MAXIMUM_LIMIT: Final = Decimal(1_000_000)
"""In the clock's unit. Beyond it a limit is a mistake, and hostile to the calendar search."""
BoundedDecimal = Annotated[Decimal, Field(ge=0, le=MAXIMUM_LIMIT, max_digits=10)]
_Number = TypeVar("_Number", Decimal, Fraction)


class Op(StrEnum):
    """Comparisons; whether the edge is inside is always written, never understood."""

    AT_MOST = "<="
    LESS = "<"
    AT_LEAST = ">="
    MORE = ">"

    def holds(self, value: _Number, bound: _Number) -> bool:
        """Compare exactly; equality keeps `<=` and `>=`: "within 20" includes the twentieth."""
        match self:
            case Op.AT_MOST:
                return value <= bound
            case Op.LESS:
                return value < bound
            case Op.AT_LEAST:
                return value >= bound
            case Op.MORE:
                return value > bound


class Anchor(StrEnum):
    """Which instant of a case places it in a window."""

    DUE = "due"
    OCCURRED = "occurred"
    CLOSED = "closed"
    OPENED = "opened"


class WindowKind(StrEnum):
    """How long the results of a compromiso are gathered before they are judged."""

    MONTH = "month"
    QUARTER = "quarter"
    SEMESTER = "semester"
    YEAR = "year"
    CAMPAIGN = "campaign"


class _Declared(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Instant(_Declared):
    """One instant of a case: an event, the first of several that happens, or the last of all.

    `max_of` needs all its events: an appointment's wait starts when both its hour and its person
    have come. `first_of` takes the earliest that happened ("answered, or the delay explained").
    """

    event: Name | None = None
    first_of: tuple[Name, ...] = Field(default=(), max_length=10)
    max_of: tuple[Name, ...] = Field(default=(), max_length=10)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum((self.event is not None, bool(self.first_of), bool(self.max_of))) != 1:
            raise ValueError("give exactly one of event, first_of, max_of")
        return self

    @property
    def kinds(self) -> tuple[str, ...]:
        return (self.event,) if self.event is not None else self.first_of or self.max_of


class Clock(_Declared):
    """What is timed. `pauses` names the only reasons that stop this clock.

    `calendar` is the calendar's id; units other than s, min and h need it (at least for its zone).
    `start_rule` overrides the calendar's own.
    """

    start: Instant
    stop: Instant
    unit: Unit
    calendar: Name | None = None
    pauses: tuple[Name, ...] = Field(default=(), max_length=50)
    start_rule: StartRule | None = None

    @model_validator(mode="after")
    def _calendar_for_its_unit(self) -> Self:
        if self.calendar is None and self.unit not in UNITS_WITHOUT_CALENDAR:
            raise ValueError(f"the unit {self.unit.value} needs a calendar")
        return self


class Population(_Declared):
    """The cases that count: those where `event` happened and every attribute of `where` matches.

    `exclude` is the closed list of exclusions that this compromiso admits.
    """

    event: Name
    anchor: Anchor
    where: dict[Name, tuple[str, ...]] = Field(default_factory=dict, max_length=20)
    exclude: tuple[Name, ...] = Field(default=(), max_length=50)


class Limit(_Declared):
    """The limit of one case, in the clock's unit; equality keeps `<=` and `>=`.

    Exactly one of: `value`; `by` + `values` (looked up by an attribute of the case);
    `field` + `factor` (an attribute of the case, times a factor); `own_due` (the stop comes at or
    before the instant that was promised to this very case).
    """

    op: Op
    value: BoundedDecimal | None = None
    by: Name | None = None
    values: dict[Name, BoundedDecimal] = Field(default_factory=dict, max_length=500)
    field: Name | None = None
    factor: BoundedDecimal | None = None
    own_due: bool = False

    @model_validator(mode="after")
    def _exactly_one_form(self) -> Self:
        forms = (self.value is not None, self.by is not None, self.field is not None, self.own_due)
        if sum(forms) != 1:
            raise ValueError("give exactly one of value, by, field, own_due")
        if (self.by is not None) != bool(self.values):
            raise ValueError("by and values go together")
        if (self.field is not None) != (self.factor is not None):
            raise ValueError("field and factor go together")
        if self.own_due and self.op is not Op.AT_MOST:
            raise ValueError("a case's own due instant is compared with <=")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.op is Op.LESS and 0 in (self.value, *self.values.values()):
            raise ValueError("nothing takes less than 0")
        return self


class Target(_Declared):
    """What the statistic must reach: percentage points 0 to 100 for a share, else `unit`.

    `unacceptable` parts amber from red: at it or beyond it, the result is red.
    """

    op: Op
    value: BoundedDecimal
    unacceptable: BoundedDecimal | None = None
    unit: str = Field(default="%", max_length=40)

    @model_validator(mode="after")
    def _unacceptable_is_worse(self) -> Self:
        if self.unacceptable is None:
            return self
        more_is_better = self.op in (Op.AT_LEAST, Op.MORE)
        if self.unacceptable != self.value and more_is_better == (self.unacceptable > self.value):
            raise ValueError("the unacceptable value is better than the target")
        return self


class Share(_Declared):
    """The share of cases that keep the limit, in percent."""

    form: Literal["share_within"] = "share_within"
    population: Population
    clock: Clock
    limit: Limit
    target: Target

    @model_validator(mode="after")
    def _percent(self) -> Self:
        if self.target.unit != "%" or max(self.target.value, self.target.unacceptable or 0) > 100:
            raise ValueError("the target of a share is a percentage from 0 to 100")
        return self


class Mean(_Declared):
    """The mean time of the cases that ended, in the clock's unit."""

    form: Literal["mean"] = "mean"
    population: Population
    clock: Clock
    target: Target

    @model_validator(mode="after")
    def _placeable(self) -> Self:
        if self.population.anchor is Anchor.DUE:
            raise ValueError("a mean has no limit and so no due instant: anchor it elsewhere")
        return self

    @model_validator(mode="after")
    def _same_unit(self) -> Self:
        """Value and target in different units is a defect of real sheets (domain 3.4)."""
        if self.target.unit != self.clock.unit.value:
            raise ValueError(f"the target is in {self.target.unit}, the clock in {self.clock.unit}")
        return self


Part = Annotated[Share | Mean, Field(discriminator="form")]


class Criterion(_Declared):
    """One part, or a conjunction: all parts must be met."""

    parts: tuple[Part, ...] = Field(min_length=1, max_length=20)


class Unsupported(_Declared):
    """A declared form that is published by its name and not evaluated yet."""

    form: Name
    declared: dict[str, JsonValue]


AnyCriterion = Criterion | Unsupported


class Window(_Declared):
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
