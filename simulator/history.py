"""A past quarter as a file, as an archive would hand it over, with the mapping that explains it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Final, TextIO
from zoneinfo import ZoneInfo

import yaml

from services.cartas.domain import read_catalogue
from shared.contracts.service_events import CASE_EXCLUDED
from shared.worktime import PreparedCalendar
from simulator import CATALOGUE, MUNICIPALITY, ZONE, scenarios
from simulator.scenarios import Course, Procedure

SOURCE: Final = "https://archivo.jacarandas.example"
CALENDAR: Final = "HABIL"
KINDS: Final = (
    *("ticket.issued", "ticket.called", "service.started", "ticket.served", "case.abandoned"),
    *("call.queued", "call.dispatched", "call.closed"),
    *("report.received", "report.accepted", "crew.on_site", "report.repaired"),
    *("request.received", "request.complete", "request.resolved", "request.delivered"),
    *("appointment.arrived", "appointment.scheduled_for", "appointment.started"),
    "appointment.ended",
)
ATTRIBUTES: Final = ("fila", "canal", "tramite", "prioridad", "plazo_legal")
EXCLUSIONS: Final = ("turno_duplicado", "transferido", "llamada_de_broma", "duplicado")
SETTLED: Final = timedelta(days=14)
"""How long after its quarter the file was drawn up: what was still open then had time to end."""

TICKETS_A_DAY: Final = (
    (scenarios.REGISTRY_CENTRE, 9),
    (scenarios.REGISTRY_NORTH, 7),
    (scenarios.CASHIER_PALACE, 8),
    (scenarios.CASHIER_MARKET, 6),
    (scenarios.PLANNING_DESK, 4),
)
CALLS_A_DAY: Final = 7
LEAKS_A_DAY: Final = 2
HOURS: Final = (9, 10, 11, 12, 13, 14, 15)
HOUR_WEIGHTS: Final = (10, 16, 22, 20, 14, 10, 8)
RUSH_HOURS: Final = frozenset({11, 12})

WORKING_DAYS: Final[dict[str, tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "RC-LINEA": ((1, 2, 3), (60, 37, 3)),
    "EM-CONSTANCIAS": ((1, 2, 3, 4), (30, 40, 25, 5)),
    "TE-ACLARACIONES": ((1, 2, 3, 5), (20, 35, 27, 18)),
    "DU-LICENCIAS": ((4, 5, 6, 7, 9), (15, 25, 30, 24, 6)),
    "IG-CITAS": ((1, 2, 3, 4), (35, 40, 23, 2)),
}
"""In how many working days each kind of request was resolved, and how often."""

EVERY_DAYS: Final = {
    "RC-LINEA": 1,
    "EM-CONSTANCIAS": 3,
    "TE-ACLARACIONES": 2,
    "DU-LICENCIAS": 2,
    "IG-CITAS": 3,
}


@dataclass(frozen=True, slots=True)
class Quarter:
    """A natural quarter: [first, end) as local dates."""

    first: date
    end: date

    @property
    def name(self) -> str:
        """As 2026-Q3."""
        return f"{self.first.year}-Q{(self.first.month + 2) // 3}"

    def days(self) -> Iterator[date]:
        """Yield its dates."""
        for offset in range((self.end - self.first).days):
            yield self.first + timedelta(days=offset)


def quarter_before(day: date) -> Quarter:
    """Return the last quarter that ended before `day` or on the day before it."""
    end = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    last = end - timedelta(days=1)
    return Quarter(date(last.year, 3 * ((last.month - 1) // 3) + 1, 1), end)


@dataclass(frozen=True, slots=True)
class Archive:
    """The file and its mapping."""

    file: Path
    mapping: Path


def write_archive(folder: Path, now: datetime, *, seed: int = 1) -> Archive:
    """Write the quarter before `now` (aware) to `folder`; the same quarter gives the same bytes."""
    zone = ZoneInfo(ZONE)
    local_now = now.astimezone(zone)
    quarter = quarter_before(local_now.date())
    archive = Archive(folder / f"{quarter.name}.csv", folder / f"{quarter.name}.mapping.yaml")
    settled = datetime.combine(quarter.end, time(), zone) + SETTLED
    as_of = min(settled, local_now.replace(second=0, microsecond=0))
    folder.mkdir(parents=True, exist_ok=True)
    with archive.file.open("w", encoding="utf-8", newline="") as out:
        _write_rows(out, quarter, as_of.replace(tzinfo=None), seed=seed)
    archive.mapping.write_text(_mapping(as_of), encoding="utf-8")
    return archive


def _write_rows(out: TextIO, quarter: Quarter, as_of: datetime, *, seed: int) -> None:
    writer = csv.writer(out)
    writer.writerow(["caso", "servicio", "unidad", *ATTRIBUTES, *KINDS, "exclusion"])
    rng = Random(f"{seed}/{quarter.name}")
    for number, (arrival, course) in enumerate(_cases(quarter, rng), start=1):
        writer.writerow(_row(f"{quarter.name}-{number}", arrival, course=course, as_of=as_of))


def _row(case: str, arrival: datetime, *, course: Course, as_of: datetime) -> list[str]:
    instants = {step.kind: arrival + step.after for step in course.steps}
    excluded = [step.reason or "" for step in course.steps if step.kind == CASE_EXCLUDED]
    shown = [
        instants[kind].isoformat() if kind in instants and instants[kind] <= as_of else ""
        for kind in KINDS
    ]
    attributes = [course.attributes.get(name, "") for name in ATTRIBUTES]
    return [case, course.service, course.unit or "", *attributes, *shown, "".join(excluded[:1])]


def _cases(quarter: Quarter, rng: Random) -> Iterator[tuple[datetime, Course]]:
    """Yield local arrivals with what happened to each case."""
    calendar = _calendar()
    working = 0
    for day in quarter.days():
        for _ in range(CALLS_A_DAY):
            yield _any_time(rng, day), scenarios.call(rng)
        for _ in range(LEAKS_A_DAY):
            yield _any_time(rng, day), scenarios.leak(rng, _repair, pauses=False)
        if _counts(calendar, day):
            working += 1
            yield from _working_day(rng, day, working=working, calendar=calendar)


def _working_day(
    rng: Random, day: date, *, working: int, calendar: PreparedCalendar
) -> Iterator[tuple[datetime, Course]]:
    for office, tickets in TICKETS_A_DAY:
        for _ in range(tickets):
            arrival = _office_time(rng, day)
            rush = 1.25 if arrival.hour in RUSH_HOURS else 0.85
            yield arrival, scenarios.ticket(rng, office, rush=rush)
    yield _office_time(rng, day), scenarios.appointment(rng)
    for procedure in scenarios.PROCEDURES:
        if working % EVERY_DAYS[procedure.service] == 0:
            yield _request(rng, day, procedure=procedure, calendar=calendar)


def _request(
    rng: Random, day: date, *, procedure: Procedure, calendar: PreparedCalendar
) -> tuple[datetime, Course]:
    arrival = _office_time(rng, day)
    days, weights = WORKING_DAYS[procedure.service]
    last = date.fromordinal(calendar.after(day.toordinal(), rng.choices(days, weights)[0]))
    resolved = _office_time(rng, last)
    return arrival, scenarios.request(rng, procedure, lambda _: resolved - arrival)


def _repair(rng: Random) -> timedelta:
    """Return the time from the crew's arrival to the repair: a tenth of a day to some days."""
    return timedelta(hours=8) + timedelta(minutes=round(rng.gammavariate(2, 12 * 60)))


def _calendar() -> PreparedCalendar:
    catalogue = read_catalogue(CATALOGUE.read_bytes()).catalogue
    assert catalogue is not None, "the simulator's own catalogue is valid"
    return PreparedCalendar(next(each for each in catalogue.calendars if each.id == CALENDAR))


def _counts(calendar: PreparedCalendar, day: date) -> bool:
    return calendar.after(day.toordinal() - 1, 1) == day.toordinal()


def _office_time(rng: Random, day: date) -> datetime:
    hour = rng.choices(HOURS, HOUR_WEIGHTS)[0]
    return datetime.combine(day, time(hour)) + timedelta(seconds=rng.randrange(3600))


def _any_time(rng: Random, day: date) -> datetime:
    return datetime.combine(day, time()) + timedelta(seconds=rng.randrange(86_400))


def _mapping(as_of: datetime) -> str:
    services = sorted(service for each in scenarios.EMITTERS for service in each.services)
    declared = {
        "mapping": "measurements/1",
        "source": SOURCE,
        "municipality": MUNICIPALITY,
        "zone": ZONE,
        "historical": {"as_of": as_of.isoformat()},
        "complete": True,
        "case": ["caso"],
        "service": {"column": "servicio", "values": {name: name for name in services}},
        "unit": {"column": "unidad"},
        "attributes": {name: {"column": name} for name in ATTRIBUTES},
        "events": [{"kind": kind, "column": kind, "optional": True} for kind in KINDS],
        "exclusions": [
            {"column": "exclusion", "in": [reason], "reason": reason} for reason in EXCLUSIONS
        ],
    }
    return yaml.safe_dump(declared, allow_unicode=True, sort_keys=False)
