"""What cases and windows are judged by; what only people read of a carta stays in the database."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from shared.contracts.cartas import CartaData, Compromiso, Scope, Status
from shared.criteria import Criterion, Measure, Window, measures_of

_EDGE: Final = timedelta(days=2)
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


class Days(NamedTuple):
    """From the first to the last day, both local and included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class CompromisoRules:
    """One object for all compromisos that are judged alike, of whatever carta and municipality."""

    criterion: Criterion
    window: Window
    minimum_sample: int
    closing_delay_days: int
    expected_cases: int | None
    scope: Scope
    measures: tuple[Measure, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Find the populations that the parts count."""
        object.__setattr__(self, "measures", measures_of(self.criterion))

    @classmethod
    def of(cls, compromiso: Compromiso) -> "CompromisoRules":
        """Return the rules of a compromiso as it is published."""
        return cls(
            compromiso.criterion,
            compromiso.window,
            compromiso.minimum_sample,
            compromiso.closing_delay_days,
            compromiso.expected_cases,
            compromiso.scope,
        )


@dataclass(frozen=True, slots=True)
class CartaRules:
    """One version of a carta. `compromisos` are by id, in their order."""

    carta: str
    version: int
    is_retired: bool
    unit: str
    calendar: str
    services: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    suspensions: tuple[Days, ...]
    compromisos: Mapping[str, CompromisoRules]
    surely: tuple[datetime, datetime] = field(init=False, repr=False, compare=False)
    """Instants between which it is in force, whatever the zone and its changes of clocks."""

    def __post_init__(self) -> None:
        """Find what every case asks for."""
        object.__setattr__(self, "surely", self._surely())

    def _surely(self) -> tuple[datetime, datetime]:
        first, last = self.valid_from, self.valid_to or date.max
        if self.suspensions or last - first < 2 * _EDGE:
            return (_NEVER, _NEVER)
        return (_midnight(first) + _EDGE, _midnight(last) - _EDGE)

    @classmethod
    def of(cls, data: CartaData) -> "CartaRules":
        """Return the rules of a carta as it is published."""
        return cls(
            carta=data.carta,
            version=data.version,
            is_retired=data.status is Status.RETIRED,
            unit=data.unit,
            calendar=data.calendar,
            services=data.services,
            valid_from=data.valid_from,
            valid_to=data.valid_to,
            suspensions=tuple(Days(each.first, each.last) for each in data.suspensions),
            compromisos={each.id: CompromisoRules.of(each) for each in data.compromisos},
        )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
