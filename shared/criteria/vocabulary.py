"""The closed sets of words that criteria are made of."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

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
            case _:
                return value > bound

    @property
    def wants_more(self) -> bool:
        return self in (Op.AT_LEAST, Op.MORE)


class Anchor(StrEnum):
    """Which instant of a case places it in a window."""

    DUE = "due"
    OCCURRED = "occurred"
    CLOSED = "closed"
    OPENED = "opened"


class Method(StrEnum):
    """How the items of a figure are measured; it stays beside the figure."""

    RECORDS = "registros"
    SURVEY = "encuesta"
    SHOPPER = "cliente_misterioso"
    VISIT = "visita"
    INSTRUMENT = "instrumento"
    COUNTS = "conteos"


class WindowKind(StrEnum):
    """How long the results of a compromiso are gathered before they are judged."""

    MONTH = "month"
    QUARTER = "quarter"
    SEMESTER = "semester"
    YEAR = "year"
    CAMPAIGN = "campaign"


class Period(StrEnum):
    """Calendar periods in local time: of groups within a window, and of what recurs."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    SEMESTER = "semester"
    YEAR = "year"


class Reference(StrEnum):
    """The earlier window whose own figure a target follows."""

    PREVIOUS = "previous"
    LAST_YEAR = "last_year"


class Declared(BaseModel):
    """Part of a declared criterion: it does not change, and holds nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")
