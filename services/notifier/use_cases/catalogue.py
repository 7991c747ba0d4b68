"""The catalogue is kept as it comes."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, TypeVarTuple

from services.notifier.domain.ladder import Rung, ladder, unit_chain
from services.notifier.store import catalogue
from shared.contracts.cartas import (
    CalendarData,
    CartaData,
    CatalogueEvent,
    MunicipalityData,
    UnitData,
)
from shared.database import Connection
from shared.messaging import Transaction
from shared.worktime import PreparedCalendar

Key = TypeVarTuple("Key")
T = TypeVar("T")


async def take_catalogue(tx: Transaction, events: Iterable[CatalogueEvent]) -> None:
    """Keep each state; a repeat changes nothing."""
    for event in events:
        await catalogue.keep(tx.connection, event)


@dataclass(frozen=True, slots=True)
class Place:
    """A unit in its municipality: who answers for it, and whose calendar counts."""

    municipality: MunicipalityData
    units: dict[str, UnitData]
    chain: tuple[str, ...]
    rungs: tuple[Rung, ...]

    @property
    def unit_name(self) -> str:
        """The name of the unit that answers, its code where the catalogue has no name."""
        known = self.units.get(self.chain[0])
        return known.name if known else self.chain[0]


class Reading:
    """The catalogue as one transaction reads it: each thing once, however many alerts need it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._found: dict[tuple[object, ...], Any] = {}
        self._places: dict[tuple[str, str], Place | None] = {}

    async def municipality(self, code: str) -> MunicipalityData | None:
        """Return the municipality, None while the catalogue does not have it yet."""
        return await self._once(catalogue.municipality, code)

    async def carta(self, code: str, identity: str, version: int) -> CartaData | None:
        """Return the carta in that version, or the nearest that is known."""
        return await self._once(catalogue.carta, code, identity, version)

    async def place(self, code: str, unit: str) -> Place | None:
        """Return the unit's place, None while the catalogue does not have the municipality yet."""
        if (code, unit) not in self._places:
            self._places[code, unit] = await self._place(code, unit)
        return self._places[code, unit]

    async def _place(self, code: str, unit: str) -> Place | None:
        found = await self.municipality(code)
        if found is None:
            return None
        units = await self._once(catalogue.units, code)
        posts = await self._once(catalogue.posts, code)
        chain = unit_chain(unit, units)
        return Place(found, units, chain, ladder(posts, chain, found.escalation))

    async def calendar(self, municipality: MunicipalityData) -> PreparedCalendar | None:
        """Return the municipality's own calendar as it is known now, None where it is not."""
        return await self._once(_calendar, municipality.municipality, municipality.calendar)

    async def _once(self, read: Callable[[Connection, *Key], Awaitable[T]], *key: *Key) -> T:
        if (read, *key) not in self._found:
            self._found[read, *key] = await read(self._connection, *key)
        found: T = self._found[read, *key]
        return found


async def _calendar(connection: Connection, code: str, identity: str) -> PreparedCalendar | None:
    found = await catalogue.calendar(connection, code, identity)
    return None if found is None else _prepared(found.model_dump_json())


@lru_cache(maxsize=64)
def _prepared(calendar: str) -> PreparedCalendar:
    """Its tables take longer to build than everything else that an alert needs."""
    return PreparedCalendar(CalendarData.model_validate_json(calendar).calendar)
