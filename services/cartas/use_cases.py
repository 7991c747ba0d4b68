"""Loading a catalogue: compare with what is published, keep and publish what is new."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from services.cartas import store
from services.cartas.domain import Catalogue, Fault, decide
from services.cartas.domain.versions import State, Stored, id_of, kind_of
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
    decision = decide(catalogue, await store.stored(tx.connection, municipality), tx.now)
    if decision.report.faults:
        raise RefusedCatalogueError(sorted(decision.report.faults))
    await store.keep(tx.connection, decision.publish, tx.now)
    for state in decision.publish:
        tx.publish(topics.CARTAS, as_event(state.data, tx.now))
    await store.note_load(
        tx.connection,
        municipality,
        sha256=hashlib.sha256(content).digest(),
        published=len(decision.publish),
        unchanged=decision.unchanged,
        at=tx.now,
    )
    return Load(_by_kind(decision.publish), decision.unchanged, decision.report.warnings)


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
