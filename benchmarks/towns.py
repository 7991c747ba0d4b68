"""Many fictional municipalities, each as large as a real one: their catalogues and their cases.

All have the cartas of the simulator's whole municipality under names of their own. Each sets for
each compromiso a target of its own, of eight that are usual, and a least sample, of five; and each
has a holiday of its own.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from typing import Final

from msgspec.structs import replace
from pydantic import ValidationError

from services.cartas.domain import read_catalogue
from services.cartas.domain.catalogue import Catalogue
from services.measurements.domain.cases import Fact, assemble
from shared.contracts import hot
from shared.contracts.cartas import (
    CalendarData,
    CalendarPublished,
    CartaData,
    CartaPublished,
    CatalogueEvent,
    Compromiso,
    MunicipalityPublished,
    UnitData,
    UnitPublished,
)
from shared.criteria import Criterion
from shared.criteria.model import PERCENT
from shared.worktime import DayException, PreparedCalendar
from simulator.whole_quarter import SOURCE, Carta, Told, WholeQuarter
from simulator.whole_town import whole_catalogue

CARTAS: Final = 50
PROCEDURES: Final = 160
TARGETS: Final = (80, 85, 90, 92, 95, 97, 98, 100)
"""In percent; compromisos that are measured in something else keep theirs."""
SAMPLES: Final = (0, 5, 10, 20, 30)
KNOWN_SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)
DAYS: Final = 45
SPEAKS: Final = "/cartas"


def name_of(number: int) -> str:
    """Return the code of a municipality."""
    return f"municipio-{number:04}"


@dataclass(frozen=True, slots=True)
class Towns:
    """So many municipalities of so many compromisos."""

    count: int
    compromisos: int

    def names(self) -> list[str]:
        """Return their codes."""
        return [name_of(number) for number in range(self.count)]

    def catalogue(self) -> Catalogue:
        """Return what each of them has, under the simulator's own name."""
        text = whole_catalogue(CARTAS, PROCEDURES, self.compromisos)
        read = read_catalogue(text.encode()).catalogue
        assert read is not None, "the simulator's own catalogue is valid"
        return read

    def events(self) -> Iterator[CatalogueEvent]:
        """Yield all states of all of them, as `cartas` would publish them."""
        pattern = self.catalogue()
        for number, name in enumerate(self.names()):
            yield from _events(pattern, name, Random(number))

    def changed(self, name: str, *, minimum_sample: int) -> CartaPublished:
        """Return one carta of one of them with another minimum sample for its first compromiso."""
        carta = self.catalogue().cartas[0].data
        first = carta.compromisos[0].model_copy(update={"minimum_sample": minimum_sample})
        changed = carta.model_copy(update={"compromisos": (first, *carta.compromisos[1:])})
        return _carta(changed, name)

    def cases(self, events_each: int, today: date) -> list[hot.CaseData]:
        """Return the cases of the last weeks of one of them, made of about so many events."""
        pattern = self.catalogue()
        working = next(each for each in pattern.calendars if each.id == "HABIL")
        cartas = [Carta(c.data.carta, c.data.unit, c.data.services) for c in pattern.cartas]
        first = today - timedelta(days=DAYS)
        told = WholeQuarter(cartas, PreparedCalendar(working), first, today, events_each)
        return [_measured(each) for each in told.cases()]


def _events(pattern: Catalogue, name: str, rng: Random) -> Iterator[CatalogueEvent]:
    own = {"municipality": name}
    town = pattern.municipality.model_copy(update=own)
    yield MunicipalityPublished(id=name, source=SPEAKS, time=KNOWN_SINCE, data=town)
    feast = date(KNOWN_SINCE.year, rng.randint(1, 12), rng.randint(1, 28))
    own_day = DayException(first=feast, last=feast, reason="Fiesta patronal", opens=False)
    for calendar in pattern.calendars:
        days = (*calendar.days, own_day) if calendar.kind == "working" else calendar.days
        known = CalendarData(
            municipality=name,
            calendar=calendar.model_copy(update={"days": days}),
            version=calendar.version,
            known_since=KNOWN_SINCE,
        )
        identity = f"{name}-{calendar.id}"
        yield CalendarPublished(id=identity, source=SPEAKS, time=KNOWN_SINCE, data=known)
    for unit in pattern.units:
        yield _unit(unit, name)
    for carta in pattern.cartas:
        compromisos = tuple(_with_figures(each, rng) for each in carta.data.compromisos)
        yield _carta(carta.data.model_copy(update={"compromisos": compromisos}), name)


def _with_figures(compromiso: Compromiso, rng: Random) -> Compromiso:
    """Return the compromiso with a target and a least sample of the municipality's choice."""
    criterion = _with_target(compromiso.criterion.model_dump_json(), rng.choice(TARGETS))
    sample = rng.choice(SAMPLES)
    return compromiso.model_copy(update={"criterion": criterion, "minimum_sample": sample})


@cache
def _with_target(criterion: str, target: int) -> Criterion:
    """Return the criterion with a target for each part that has a share for one."""
    declared = json.loads(criterion)
    for part in declared["parts"]:
        own = part.get("target")
        if own is not None and own.get("unit") == PERCENT and own.get("reference") is None:
            own |= {"value": str(target), "unacceptable": None}
    try:
        return Criterion.model_validate_json(json.dumps(declared))
    except ValidationError:  # its own target is the only one that it can have
        return Criterion.model_validate_json(criterion)


def _unit(unit: UnitData, name: str) -> UnitPublished:
    data = unit.model_copy(update={"municipality": name})
    return UnitPublished(id=f"{name}-{unit.unit}", source=SPEAKS, time=KNOWN_SINCE, data=data)


def _carta(carta: CartaData, name: str) -> CartaPublished:
    data = carta.model_copy(update={"municipality": name})
    identity = f"{name}-{carta.carta}-{carta.version}"
    return CartaPublished(id=identity, source=SPEAKS, time=KNOWN_SINCE, data=data)


def _measured(told: Told) -> hot.CaseData:
    """Return the case that events make, as measurements would tell it."""
    events = [event.data for event in told]
    case = assemble([_fact(event) for event in told])
    return hot.CaseData(
        municipality="",
        case=events[0].case,
        revision=1,
        change="advanced",
        service=case.service,
        unit=case.unit,
        instants=case.instants,
        pauses=tuple(hot.Pause(p.reason, p.start, p.end) for p in case.pauses),
        exclusions=case.exclusions,
        attributes=case.attributes,
        sources=(SOURCE,),
        received_at=max(event.time for event in told),
    )


def _fact(event: hot.ServiceEvent) -> Fact:
    data = event.data
    return Fact(
        source=event.source,
        id=event.id,
        kind=event.type,
        time=event.time,
        service=data.service,
        unit=data.unit,
        attributes=data.attributes,
        reason=data.reason,
        supersedes=data.supersedes,
    )


def measured(cases: Sequence[hot.CaseData], name: str, *, revision: int) -> Iterator[bytes]:
    """Yield the cases as a municipality's messages on measurements.v1."""
    for number, case in enumerate(cases):
        event = hot.CaseMeasured(
            id=f"{name}-{revision}-{number}",
            source="/measurements",
            time=case.received_at,
            data=replace(case, municipality=name, revision=revision),
        )
        yield hot.encode(event)
