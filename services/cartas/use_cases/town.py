"""A municipality as it is published: what drafts refer to, and which posts may take steps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.cartas.domain.drafts import Around
from services.cartas.domain.versions import State, Stored
from services.cartas.store import catalogue as store
from services.cartas.store import versions
from services.cartas.use_cases.errors import NotAllowedError, UnknownVersionError
from shared.authoring.fields import suggested
from shared.contracts.cartas import (
    CalendarData,
    CartaData,
    MunicipalityData,
    PostData,
    Role,
    Status,
    UnitData,
)
from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Town:
    """All that is in use, and every carta version that was ever published."""

    around: Around
    posts: tuple[PostData, ...]
    cartas: dict[tuple[str, int], Stored]
    today: date

    @property
    def code(self) -> str:
        return self.around.municipality.municipality

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.around.municipality.zone)

    def carta(self, carta: str, version: int) -> CartaData | None:
        """Return a published version."""
        found = self.cartas.get((carta, version))
        return None if found is None else _carta(found)

    def require_coordination(self, post: str) -> None:
        """Raise NotAllowedError unless the post is the coordination's."""
        allowed = [each.post for each in self.posts if each.role is Role.COORDINATION]
        if post not in allowed:
            named = ", ".join(allowed) or "(no hay ninguno en «puestos»)"
            raise NotAllowedError(
                f"«{post}» no es un puesto de la coordinación de {self.code}; puede: {named}"
            )


async def unknown_version(
    connection: Connection, town: Town, carta: str, version: int
) -> UnknownVersionError:
    """Return the error that says what there is not: the version, or the whole carta."""
    if await versions.last_version(connection, town.code, carta):
        return UnknownVersionError(f"no existe la versión {version} de {carta}")
    return unknown_carta(town, carta)


def unknown_carta(town: Town, carta: str) -> UnknownVersionError:
    """Return the error that names the nearest cartas."""
    codes = list(dict.fromkeys(code for code, _ in town.cartas))
    return UnknownVersionError(f"no existe la carta «{carta}»{suggested(carta, codes)}")


async def read_town(
    connection: Connection, municipality: str, now: datetime, *, lock: bool = False
) -> Town:
    """Return the municipality; with `lock`, nobody else changes it until the transaction ends.

    Raises UnknownVersionError where nothing of it is published.
    """
    read = store.stored if lock else store.published
    found = await read(connection, municipality)
    active = _latest_active(found)
    towns = [each for each in active if isinstance(each, MunicipalityData)]
    if not towns:
        raise UnknownVersionError(
            f"el municipio «{municipality}» no está publicado; primero: cartas load ARCHIVO"
        )
    cartas = {_key(each): each for each in found if isinstance(each.data, CartaData)}
    around = Around(
        towns[0],
        {each.unit: each for each in active if isinstance(each, UnitData)},
        [each.calendar.id for each in active if isinstance(each, CalendarData)],
        tuple(_carta(each) for each in cartas.values()),
    )
    posts = tuple(each for each in active if isinstance(each, PostData))
    return Town(around, posts, cartas, now.astimezone(ZoneInfo(towns[0].zone)).date())


def _latest_active(found: Iterable[Stored]) -> list[State]:
    latest = {each.key: each.data for each in found}  # in order of version: the last one stays
    return [data for data in latest.values() if data.status is Status.ACTIVE]


def _carta(stored: Stored) -> CartaData:
    assert isinstance(stored.data, CartaData)
    return stored.data


def _key(stored: Stored) -> tuple[str, int]:
    data = _carta(stored)
    return data.carta, data.version
