"""What the public pages need, read in one go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.portal.domain.board import Board, board, public_results, unit_name
from services.portal.domain.disclosure import Below, Disclosure, PublicResult
from services.portal.domain.headings import AnyCarta, CartaHeading
from services.portal.store import catalogue, results
from shared.contracts.cartas import MunicipalityData, UnitData
from shared.contracts.corrective_actions import ActionData
from shared.contracts.results import ResultData
from shared.criteria import words
from shared.database import Connection

BUZON_DAYS: Final = 92


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality with its units and cartas as the catalogue has them now.

    `cartas`: every version, in order of code and version.
    """

    data: MunicipalityData
    units: dict[str, UnitData]
    cartas: list[CartaHeading]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.data.zone)

    def unit_name(self, code: str | None) -> str:
        return unit_name(self.units, code) if code else ""

    def carta_name(self, code: str | None) -> str:
        """Return the carta's name, its code where the catalogue has none."""
        names = [carta.name for carta in self.cartas if carta.carta == code]
        return names[-1] if names else code or ""

    def event_words(self, compromiso: str, kind: str) -> str:
        """Return the words for an event, those of the compromiso's carta before ours."""
        own = [each for each in self.cartas if any(c.id == compromiso for c in each.compromisos)]
        return words.event(kind, own[-1].event_words if own else words.NO_WORDS)

    def cartas_with(self, compromiso: str) -> set[str]:
        """Return the cartas of which some version has the compromiso."""
        return {k.carta for k in self.cartas if any(c.id == compromiso for c in k.compromisos)}

    def compromiso_text(self, code: str) -> str:
        """Return the promise as printed in the latest version that has it."""
        texts = [c.text for carta in self.cartas for c in carta.compromisos if c.id == code]
        return texts[-1] if texts else code


@dataclass(frozen=True, slots=True)
class BuzonCounts:
    """What reached the buzon of one unit in the last quarter of a year."""

    unit_name: str
    received: int | Below
    answered: int | Below
    on_time: int | Below
    late: int | Below


async def place(connection: Connection, code: str) -> Place | None:
    """Return the municipality, None where the catalogue does not have it."""
    data = await catalogue.municipality(connection, code)
    if data is None:
        return None
    units = await catalogue.units(connection, code)
    return Place(data, units, await catalogue.headings(connection, code))


async def overview(connection: Connection, found: Place, now: datetime) -> Board:
    """Return the municipality with the last closed window of each compromiso."""
    code = found.data.municipality
    latest = await results.latest_closed(connection, code)
    actions = await results.actions(connection, code)
    return _board(found, found.cartas, latest, actions=actions, now=now)


async def one_carta(connection: Connection, found: Place, carta: str, *, now: datetime) -> Board:
    """Return the municipality with one carta and all its closed windows; empty if unknown."""
    code = found.data.municipality
    own = await results.of_carta(connection, code, carta, running=found.data.show_running)
    actions = await results.actions(connection, code, carta)
    versions = await catalogue.cartas(connection, code, [carta])
    return _board(found, versions, own, actions=actions, now=now)


async def open_data(connection: Connection, found: Place) -> list[PublicResult]:
    """Return all public results, as the CSV has them."""
    running = found.data.show_running
    every = await results.of_municipality(connection, found.data.municipality, running=running)
    return public_results(found.data, found.cartas, every)


async def buzon_counts(connection: Connection, found: Place, now: datetime) -> list[BuzonCounts]:
    """Return counts by unit; small ones of units with a sensitive carta are not said."""
    rows = await results.complaints_by_unit(
        connection,
        found.data.municipality,
        since=now - timedelta(days=BUZON_DAYS),
        today=now.astimezone(found.zone).date(),
        zone=found.data.zone,
    )
    sensitive = {carta.unit for carta in found.cartas if carta.sensitive}
    limit = found.data.small_cell_sensitive
    counts = [
        _counts(row, found, Disclosure(limit if row["unit"] in sensitive else 0, strict=False))
        for row in rows
    ]
    return sorted(counts, key=lambda each: each.unit_name)


def _counts(row: dict[str, Any], found: Place, rule: Disclosure) -> BuzonCounts:
    return BuzonCounts(
        unit_name=found.unit_name(row["unit"]),
        received=rule.count(row["received"]),
        answered=rule.count(row["answered"]),
        on_time=rule.count(row["on_time"]),
        late=rule.count(row["late"]),
    )


def _board(
    found: Place,
    cartas: Sequence[AnyCarta],
    latest: Sequence[ResultData],
    *,
    actions: Sequence[ActionData],
    now: datetime,
) -> Board:
    today = now.astimezone(found.zone).date()
    return board(
        found.data, cartas=cartas, units=found.units, results=latest, actions=actions, today=today
    )
