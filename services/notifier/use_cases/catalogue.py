"""The catalogue is kept as it comes."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.notifier.domain.ladder import Rung, ladder, unit_chain
from services.notifier.store import catalogue
from shared.contracts.cartas import CatalogueEvent, MunicipalityData, PostData, UnitData
from shared.database import Connection
from shared.messaging import Transaction
from shared.worktime import PreparedCalendar


async def take_catalogue(tx: Transaction, events: Iterable[CatalogueEvent]) -> None:
    """Keep each state; a repeat changes nothing."""
    for event in events:
        await catalogue.keep(tx.connection, event)


@dataclass(frozen=True, slots=True)
class Place:
    """A unit in its municipality: who answers for it, and whose calendar counts."""

    municipality: MunicipalityData
    units: dict[str, UnitData]
    posts: list[PostData]
    chain: tuple[str, ...]

    @property
    def rungs(self) -> tuple[Rung, ...]:
        return ladder(self.posts, self.chain, self.municipality.escalation)

    @property
    def unit_name(self) -> str:
        """The name of the unit that answers, its code where the catalogue has no name."""
        known = self.units.get(self.chain[0])
        return known.name if known else self.chain[0]


async def place_of(connection: Connection, municipality: str, unit: str) -> Place | None:
    """Return the unit's place, None while the catalogue does not have the municipality yet."""
    found = await catalogue.municipality(connection, municipality)
    if found is None:
        return None
    units = await catalogue.units(connection, municipality)
    posts = await catalogue.posts(connection, municipality)
    return Place(found, units, posts, unit_chain(unit, units))


async def calendar_of(
    connection: Connection, municipality: MunicipalityData
) -> PreparedCalendar | None:
    """Return the municipality's own calendar as it is known now, None while it has not come."""
    found = await catalogue.calendar(connection, municipality.municipality, municipality.calendar)
    return None if found is None else PreparedCalendar(found.calendar)
