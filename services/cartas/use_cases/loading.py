"""Loading a catalogue: compare with what is published, keep and publish what is new."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from services.cartas.domain import Catalogue, Fault, decide
from services.cartas.domain.life import Step
from services.cartas.domain.versions import State, Stored, id_of, kind_of
from services.cartas.store import catalogue as store
from services.cartas.store import versions
from services.cartas.store.versions import Taken
from shared.contracts import topics
from shared.contracts.cartas import (
    CalendarData,
    CalendarPublished,
    CartaData,
    CartaPublished,
    MunicipalityData,
    MunicipalityPublished,
    PostData,
    PostPublished,
    Status,
    UnitData,
    UnitPublished,
)
from shared.contracts.events import Event
from shared.contracts.ids import derived_id
from shared.errors import CartasError
from shared.messaging import Transaction

SOURCE = "/cartas"


class RefusedCatalogueError(CartasError):
    """The file contradicts what is published already; `faults` say where."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Load:
    """What a load did: states published by kind, states that were the same, what is doubtful."""

    published: Counter[str]
    unchanged: int
    warnings: list[Fault]


async def load_catalogue(tx: Transaction, catalogue: Catalogue, content: bytes) -> Load:
    """Publish what of the catalogue is new; the same file again publishes nothing.

    Raises RefusedCatalogueError, and nothing is written, where a published carta version would
    change or two versions would be in force on one day.
    """
    municipality = catalogue.municipality.municipality
    stored = await store.stored(tx.connection, municipality)
    drafts = await versions.drafts(tx.connection, municipality)
    drafted = {(each.carta, each.version): each.state == versions.PUBLISHED for each in drafts}
    decided = await versions.decided(tx.connection, municipality)
    decision = decide(catalogue, stored, tx.now, drafted=drafted, decided=decided)
    if decision.report.faults:
        raise RefusedCatalogueError(sorted(decision.report.faults))
    await store.keep(tx.connection, decision.publish, tx.now)
    for state in decision.publish:
        tx.publish(topics.CARTAS, as_event(state.data, tx.now))
    await versions.add_steps(tx.connection, _steps(decision.publish, stored, tx.now))
    await store.note_load(
        tx.connection,
        municipality,
        sha256=hashlib.sha256(content).digest(),
        published=len(decision.publish),
        unchanged=decision.unchanged,
        at=tx.now,
    )
    return Load(_by_kind(decision.publish), decision.unchanged, decision.report.warnings)


def _steps(published: list[Stored], stored: list[Stored], now: datetime) -> list[Taken]:
    """Put on record what the file did to cartas: by its own data, in no post's name."""
    cartas = [each.data for each in stored if isinstance(each.data, CartaData)]
    ends = {(each.carta, each.version): each.valid_to for each in cartas}
    return [
        Taken(
            data.municipality,
            data.carta,
            data.version,
            Step.LOADED,
            None,
            now,
            body=data.approval.body,
            record=data.approval.record,
            dated=data.approval.date,
            document=data.approval.document,
            valid_from=data.valid_from,
            valid_to=data.valid_to,
            valid_to_before=ends.get((data.carta, data.version)),
            reason=None if data.status is Status.ACTIVE else "retirada en el archivo",
        )
        for data in (each.data for each in published)
        if isinstance(data, CartaData)
    ]


def _by_kind(states: list[Stored]) -> Counter[str]:
    return Counter(kind_of(each.data) for each in states)


def as_event(data: State, at: datetime) -> Event:
    """Return the event that publishes a state at `at` (UTC); its content shapes its id."""
    content = hashlib.sha256(data.model_dump_json().encode()).hexdigest()
    kind = kind_of(data)
    cause = f"{data.municipality}/{kind}/{id_of(data)}/{data.version}/{content}"
    identity = derived_id(cause, f"{kind}.v1", at)
    match data:
        case MunicipalityData():
            return MunicipalityPublished(id=identity, source=SOURCE, time=at, data=data)
        case UnitData():
            return UnitPublished(id=identity, source=SOURCE, time=at, data=data)
        case PostData():
            return PostPublished(id=identity, source=SOURCE, time=at, data=data)
        case CalendarData():
            return CalendarPublished(id=identity, source=SOURCE, time=at, data=data)
        case CartaData():
            return CartaPublished(id=identity, source=SOURCE, time=at, data=data)
