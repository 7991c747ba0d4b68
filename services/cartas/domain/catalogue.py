"""A whole catalogue file: read, cross-checked, ready to publish, or the list of what to correct."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pydantic import ValidationError

from services.cartas.domain.calendars import read_calendars
from services.cartas.domain.cartas import CartaReader, DeclaredCarta, EarlierVersion
from services.cartas.domain.doubts import shared_services, warn_of_nobody
from services.cartas.domain.organisation import (
    read_escalation,
    read_municipality,
    read_posts,
    read_units,
    read_zone,
)
from shared.authoring.faults import Fault, Report
from shared.authoring.fields import NO_CODE, Section
from shared.authoring.marked_yaml import UnreadableError, parse
from shared.contracts.cartas import MunicipalityData, PostData, Status, UnitData
from shared.worktime import Calendar

SCHEMAS: Final = {"cartas/1": 1, "sample-cartas/1": 1}
_NOTES: Final = (
    *("aviso", "reglas_por_defecto", "semaforo", "causas_no_evaluado", "indicadores_base"),
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that one file declares."""

    municipality: MunicipalityData
    units: tuple[UnitData, ...]
    posts: tuple[PostData, ...]
    calendars: tuple[Calendar, ...]
    cartas: tuple[DeclaredCarta, ...]
    earlier: tuple[EarlierVersion, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file gave: a catalogue only where there is no fault. Both lists are in file order."""

    catalogue: Catalogue | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def read_catalogue(content: bytes) -> Reading:
    """Read a catalogue file; all faults at once, each with its line and field."""
    report = Report()
    catalogue: Catalogue | None = None
    try:
        catalogue = _catalogue(Section(parse(content, report), "", report))
    except UnreadableError as error:
        report.faults.append(error.fault)
    except ValidationError as error:
        # The readers check all that the contract asks; this is the net below them.
        report.faults.extend(backstop(error))
    faults = tuple(sorted(set(report.faults)))
    warnings = tuple(sorted(set(report.warnings)))
    return Reading(None if faults else catalogue, faults, warnings)


def backstop(error: ValidationError) -> Iterable[Fault]:
    """Yield what the contract itself refuses, for whatever the readers let pass."""
    for each in error.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(str(part) for part in each["loc"])
        yield Fault(1, error.title, f"el valor de «{field}» no se admite")


def _refuse_draft(root: Section) -> None:
    if root.plain().get("esquema") == "carta/1":
        message = "es el borrador de una carta, no un municipio; se guarda con: cartas draft"
        raise UnreadableError(Fault(root.line_of("esquema"), "esquema", message))


def _catalogue(root: Section) -> Catalogue:
    _refuse_draft(root)
    root.choice("esquema", SCHEMAS)
    root.ignore(*_NOTES)
    town = root.section("municipio")
    calendars = read_calendars(root.sections("calendarios", "id"), read_zone(town))
    steps = read_escalation(root.sections("escalamiento", "nivel"))
    municipality = read_municipality(town, calendars, steps)
    units = read_units(root.sections("unidades", "clave"), municipality.municipality)
    reader = CartaReader(
        municipality=municipality.municipality,
        default_calendar=municipality.calendar,
        calendars=calendars.names,
        units=units,
    )
    cartas = _cartas(root, reader)
    posts = read_posts(root.sections("puestos", "clave"), units, steps)
    root.close()
    _check_versions(cartas, root)
    warn_of_nobody(root, posts)
    root.report.warnings.extend(shared_services(cartas))
    _check_calendar_years(root, calendars.built, cartas)
    return Catalogue(
        municipality=municipality,
        units=tuple(units.found.values()),
        posts=posts,
        calendars=tuple(calendars.built.values()),
        cartas=cartas,
        earlier=tuple(reader.earlier),
    )


def _cartas(root: Section, reader: CartaReader) -> tuple[DeclaredCarta, ...]:
    sections = root.sections("cartas", "codigo")
    if not sections:
        root.fault("cartas", "se esperaba al menos una carta")
    return tuple(carta for section in sections for carta in reader.read(section))


def _check_versions(cartas: tuple[DeclaredCarta, ...], root: Section) -> None:
    """Of one carta, versions are distinct, later ones later in force, never two on one day."""
    by_code: dict[str, list[DeclaredCarta]] = {}
    owners: dict[str, str] = {}
    for carta in cartas:
        by_code.setdefault(carta.data.carta, []).append(carta)
        for compromiso in carta.data.compromisos:
            owner = owners.setdefault(compromiso.id, carta.data.carta)
            if owner != carta.data.carta:
                message = f"el compromiso «{compromiso.id}» ya es de la carta «{owner}»"
                root.report.faults.append(Fault(carta.line, carta.path, message))
    for versions in by_code.values():
        distinct = _declared_once(versions, root)
        in_force = (each for each in distinct if each.data.status is Status.ACTIVE)
        ordered = sorted(in_force, key=lambda each: each.data.version)
        for earlier, later in pairwise(ordered):
            if (reason := clash(earlier, later)) is not None:
                root.report.faults.append(Fault(later.line, later.path, reason))


def _declared_once(versions: list[DeclaredCarta], root: Section) -> Iterable[DeclaredCarta]:
    """Return the first declaration of each version; another one of the same number is a fault."""
    found: dict[int, DeclaredCarta] = {}
    for each in versions:
        first = found.setdefault(each.data.version, each)
        if first is not each and each.data.carta != NO_CODE:
            message = f"la versión {each.data.version} está declarada dos veces"
            fault = Fault(each.line, each.path, f"{message} (línea {first.line})")
            root.report.faults.append(fault)
    return found.values()


def clash(earlier: DeclaredCarta, later: DeclaredCarta) -> str | None:
    """Return why two neighbouring versions of a carta cannot both stand, or None."""
    one, two = earlier.data, later.data
    if one.version == two.version:
        return f"la versión {one.version} está declarada dos veces (línea {earlier.line})"
    if one.valid_to is None or two.valid_from <= one.valid_to:
        until = "sin fin" if one.valid_to is None else f"hasta {one.valid_to}"
        return (
            f"la versión {two.version} (desde {two.valid_from}) se encima con "
            f"la {one.version} (desde {one.valid_from}, {until})"
        )
    return None


def _check_calendar_years(
    root: Section, calendars: dict[str, Calendar], cartas: tuple[DeclaredCarta, ...]
) -> None:
    """Warn of years in which cartas are in force and a working calendar names no day off."""
    ends = [each.data.valid_to for each in cartas if each.data.status is Status.ACTIVE]
    last_year = max((end.year for end in ends if end is not None), default=0)
    for name, calendar in calendars.items():
        declared = {day.first.year for day in calendar.days} | {
            day.last.year for day in calendar.days if day.last.month > 1
        }
        if calendar.kind == "working" and declared and max(declared) < last_year:
            missing = ", ".join(str(year) for year in range(max(declared) + 1, last_year + 1))
            root.warn("calendarios", f"«{name}» no declara días inhábiles de {missing}")
