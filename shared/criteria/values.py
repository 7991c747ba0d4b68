"""What is measured of one item, which items count, and the limit that one item is held to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from shared.criteria.vocabulary import Anchor, BoundedDecimal, Declared, Method, Name, Op
from shared.worktime.model import UNITS_WITHOUT_CALENDAR, StartRule, Unit

NUMBER_SCALE: Final = 10_000
"""Numbers of cases are kept as whole ten-thousandths: sums are exact."""
_WRITTEN: Final = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,4})?")
INSTRUMENT: Final = "instrumento"
"""The attribute that makes a case the record of a shopper, a visit or another instrument."""
_INSTRUMENTS: Final = "instrument."
_OUTAGE_UNITS: Final = frozenset(
    {Unit.SECOND, Unit.MINUTE, Unit.HOUR, Unit.OPEN_MINUTE, Unit.OPEN_HOUR}
)


class Instant(Declared):
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


class Clock(Declared):
    """A time, from start to stop. `pauses` names the only reasons that stop this clock.

    `pause_terms` says within how much of the clock's unit, from its start, a pause must begin: a
    later one stops nothing, for the right to ask was lost (domain reference, section 8, PREV).

    `calendar` is the calendar's id; units other than s, min and h need it (at least for its zone).
    `start_rule` overrides the calendar's own. `from_due`: the start is an instant that was set
    beforehand (a date agreed, an hour announced), so a stop before it is early and takes nothing;
    with any other start it is a fault of the data. `exact_day`: the stop must fall on the very
    local day of that instant, or after it within the limit; a day early is not kept.
    """

    kind: Literal["duration"] = "duration"
    start: Instant
    stop: Instant
    unit: Unit
    calendar: Name | None = None
    pauses: tuple[Name, ...] = Field(default=(), max_length=50)
    pause_terms: dict[Name, BoundedDecimal] = Field(default_factory=dict, max_length=50)
    start_rule: StartRule | None = None
    from_due: bool = False
    exact_day: bool = False

    @model_validator(mode="after")
    def _calendar_for_its_unit(self) -> Self:
        if self.calendar is None and self.unit not in UNITS_WITHOUT_CALENDAR:
            raise ValueError(f"the unit {self.unit.value} needs a calendar")
        if not self.pause_terms.keys() <= set(self.pauses):
            raise ValueError("a term to pause belongs to a pause of the clock")
        if self.exact_day and not self.from_due:
            raise ValueError("only a date set beforehand can be kept to the day")
        return self


class Number(Declared):
    """A number that the case carries: a score on its scale, hours given, people attended.

    Up to nine digits and four decimals. With a scale, both ends included, what lies outside is
    not an answer; without one, what is below 0: what is added up only rises, unless a scale says
    that it may fall.
    """

    kind: Literal["number"] = "number"
    field: Name
    lowest: Decimal | None = Field(default=None, ge=-1000, le=1000, max_digits=8)
    highest: Decimal | None = Field(default=None, ge=-1000, le=1000, max_digits=8)

    @model_validator(mode="after")
    def _whole_scale(self) -> Self:
        if (self.lowest is None) != (self.highest is None):
            raise ValueError("a scale has both ends")
        if self.lowest is not None and self.highest is not None and self.lowest >= self.highest:
            raise ValueError("a scale rises")
        return self

    def read(self, attributes: Mapping[str, str]) -> int | None:
        """Return the number in ten-thousandths; None where it is unreadable or off the scale."""
        written = attributes.get(self.field, "")
        if not _WRITTEN.fullmatch(written):
            return None
        number = Decimal(written)
        if number < (0 if self.lowest is None else self.lowest):
            return None
        if self.highest is not None and number > self.highest:
            return None
        return int(number * NUMBER_SCALE)


class Outage(Declared):
    """The time a service was out, from the population's event to `stop`; overlaps count once.

    With a calendar only its opening hours are service hours; without one the service never closes.
    """

    kind: Literal["outage"] = "outage"
    stop: Name
    unit: Unit
    calendar: Name | None = None

    @model_validator(mode="after")
    def _a_time(self) -> Self:
        if self.unit not in _OUTAGE_UNITS:
            raise ValueError(f"outages add up in seconds, minutes or hours, not {self.unit.value}")
        if self.calendar is None and self.unit not in UNITS_WITHOUT_CALENDAR:
            raise ValueError(f"the unit {self.unit.value} needs a calendar")
        return self


Measurable = Annotated[Clock | Number, Field(discriminator="kind")]
Summable = Annotated[Clock | Number | Outage, Field(discriminator="kind")]


class Population(Declared):
    """The cases that count: those where `event` happened and every attribute of `where` matches.

    `exclude` is the closed list of exclusions that this compromiso admits.

    What a shopper or a verifier lived through is a record of an instrument: it counts only where
    the instrument is what is measured, never among the people served. `method` says which kind of
    instrument it is, where the author does.
    """

    event: Name
    anchor: Anchor
    where: dict[Name, tuple[str, ...]] = Field(default_factory=dict, max_length=20)
    exclude: tuple[Name, ...] = Field(default=(), max_length=50)
    method: Method | None = None

    @property
    def is_of_instruments(self) -> bool:
        """Whether it takes the records of instruments, and nothing else."""
        return self.event.startswith(_INSTRUMENTS) or INSTRUMENT in self.where


class Season(Declared):
    """A limit of its own from one day of the year to another, both included ("01-01", "03-31")."""

    first: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
    last: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
    value: BoundedDecimal

    def holds(self, day: date) -> bool:
        """Return whether the day lies in it; one that ends before it starts spans the new year."""
        written = f"{day.month:02}-{day.day:02}"
        if self.first <= self.last:
            return self.first <= written <= self.last
        return written >= self.first or written <= self.last


class Limit(Declared):
    """The limit of one item, in its value's unit; equality keeps `<=` and `>=`.

    Exactly one of: `value`, with other values in `seasons`; `by` + `values` (looked up by an
    attribute of the case); `field` + `factor` (an attribute of the case, times a factor: a legal
    term); `own_due` (the stop comes at or before the instant promised to this very case).
    """

    op: Op
    value: BoundedDecimal | None = None
    seasons: tuple[Season, ...] = Field(default=(), max_length=12)
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
        if self.seasons and self.value is None:
            raise ValueError("seasons go with a value")
        return self

    @model_validator(mode="after")
    def _possible(self) -> Self:
        seasonal = [season.value for season in self.seasons]
        if self.op is Op.LESS and 0 in (self.value, *self.values.values(), *seasonal):
            raise ValueError("nothing takes less than 0")
        return self

    def value_on(self, day: date) -> Decimal | None:
        """Return the fixed limit of that local day: of the first season that holds it."""
        return next((season.value for season in self.seasons if season.holds(day)), self.value)
