"""The life of a carta version: drafted, approved, published, in force, retired.

Nothing in force is edited: a version that follows ends the one before on the eve of its own first
day, and no step reaches back over a day that has begun.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from shared.contracts.cartas import CartaData, Status

ONE_DAY: Final = timedelta(days=1)


class Life(StrEnum):
    """Where a version stands on a day."""

    DRAFT = "borrador"
    APPROVED = "aprobada"
    PUBLISHED = "publicada"
    IN_FORCE = "vigente"
    RETIRED = "retirada"


class Step(StrEnum):
    """What happens to a version. Loaded: it came with a file, approved by the file's own data."""

    LOADED = "loaded"
    DRAFTED = "drafted"
    APPROVED = "approved"
    PUBLISHED = "published"
    ENDED = "ended"
    RETIRED = "retired"
    RESTORED = "restored"
    CERTIFIED = "certified"


@dataclass(frozen=True, slots=True)
class Acta:
    """The act that approves a version, and the local days that it is to be in force.

    `last` is inside; None: until another version follows.
    """

    body: str
    record: str
    dated: date
    first: date
    last: date | None = None
    document: str | None = None


def life_of(carta: CartaData, today: date) -> Life:
    """Return where a published version stands on a local day; the last day is still in force."""
    if carta.status is Status.RETIRED or (carta.valid_to is not None and carta.valid_to < today):
        return Life.RETIRED
    return Life.PUBLISHED if today < carta.valid_from else Life.IN_FORCE


def certificates_end(
    cartas: Iterable[CartaData], zones: Mapping[str, ZoneInfo], now: datetime
) -> dict[tuple[str, str], datetime]:
    """Return when the certificate of each (municipality, carta) in force ends, expired or not.

    `zones` are those of the municipalities; the last day is still certified, to its midnight there.
    """
    ends: dict[tuple[str, str], datetime] = {}
    for each in cartas:
        zone = zones[each.municipality]
        today = now.astimezone(zone).date()
        if each.certified_until is not None and life_of(each, today) is Life.IN_FORCE:
            ended = datetime.combine(each.certified_until + ONE_DAY, time(), zone)
            ends[each.municipality, each.carta] = ended
    return ends


def faults_of_terms(acta: Acta, before: CartaData | None, today: date) -> list[str]:
    """Return why a version cannot be in force as the acta says; `before` is the one it replaces."""
    found = []
    if acta.dated > today:
        found.append(f"el acta es del {acta.dated}, que aún no llega")
    if acta.first < acta.dated:
        found.append(f"la vigencia empieza el {acta.first}, antes del acta ({acta.dated})")
    if acta.last is not None and acta.last < acta.first:
        found.append(f"el último día ({acta.last}) es anterior al primero ({acta.first})")
    if acta.last is not None and acta.last < today:
        found.append(f"el último día ({acta.last}) ya pasó")
    return [*found, *_faults_of_replacing(acta.first, before, today)]


def _faults_of_replacing(first: date, before: CartaData | None, today: date) -> list[str]:
    if before is None:
        return []
    if first <= before.valid_from:
        return [
            f"la vigencia empieza el {first} y la versión {before.version} empieza el "
            f"{before.valid_from}: una versión empieza después que la anterior"
        ]
    if first < today and _covers(before, first):
        return [
            f"la vigencia empieza el {first}, que ya pasó, y la versión {before.version} regía "
            "ese día: lo que estuvo vigente no se cambia; empiece hoy o después"
        ]
    return []


def _covers(carta: CartaData, day: date) -> bool:
    return carta.valid_to is None or day <= carta.valid_to


def warnings_of_terms(first: date, before: CartaData | None, today: date) -> list[str]:
    """Return what publishing would bring about, for whoever approves to take note of."""
    if before is None:
        if first < today:
            return [f"la vigencia empezó el {first}: se evaluarán también los casos desde ese día"]
        return []
    end = first - ONE_DAY
    if _covers(before, first):
        was = before.valid_to or "sin fin"
        return [f"la versión {before.version} terminará el {end} (ahora: {was})"]
    assert before.valid_to is not None
    return _gap(before.valid_to, first)


def warnings_of_end(last: date, after: CartaData | None) -> list[str]:
    """Return what ending a version on `last` leaves without one; `after` is the next published."""
    return [] if after is None else _gap(last, after.valid_from)


def _gap(last: date, first: date) -> list[str]:
    """Name the days after one version's last and before the next one's first."""
    begin, end = last + ONE_DAY, first - ONE_DAY
    if end < begin:
        return []
    return [f"del {begin} al {end} no habrá versión vigente: sus casos no se evaluarán"]


def ended_before(before: CartaData, first: date) -> CartaData:
    """Return the version with its last day moved to the eve of `first`, if it went further."""
    if not _covers(before, first):
        return before
    return before.model_copy(update={"valid_to": first - ONE_DAY})


def fault_of_end(carta: CartaData, last: date, today: date) -> str | None:
    """Return why a version in force cannot end on `last`, or None."""
    if last < today:
        return f"el último día ({last}) ya pasó: lo que estuvo vigente no se cambia"
    if carta.valid_to is not None and last > carta.valid_to:
        return f"la versión termina el {carta.valid_to}: retirarla no la alarga"
    return None
