"""A draft of one carta version: a small YAML file in the same words as the catalogue's."""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import yaml
from pydantic import JsonValue, ValidationError

from services.cartas.domain.cartas import CartaReader, DeclaredCarta, Terms, asks_less
from services.cartas.domain.catalogue import backstop
from services.cartas.domain.checklist import NO_APPROVAL
from services.cartas.domain.doubts import services_elsewhere
from services.cartas.domain.life import Acta
from services.cartas.domain.organisation import Units
from shared.authoring.faults import Fault, Report
from shared.authoring.fields import NO_CODE, Section
from shared.authoring.marked_yaml import UnreadableError, parse
from shared.contracts.cartas import Approval, CartaData, MunicipalityData, Status, UnitData

SCHEMAS: Final = {"carta/1": 1}
NOT_YET: Final = Acta("?", "?", NO_APPROVAL, NO_APPROVAL)
_DECIDED_LATER: Final = ("version", "estado", "vigencia", "aprobacion", "versiones_anteriores")


@dataclass(frozen=True, slots=True)
class Around:
    """What is published of the municipality: a draft may refer to nothing else."""

    municipality: MunicipalityData
    units: Mapping[str, UnitData]
    calendars: Collection[str]
    cartas: tuple[CartaData, ...]

    def last_before(self, carta: str, version: int) -> CartaData | None:
        """Return the published version that `version` follows; one that never held counts not."""
        found = [
            each
            for each in self.cartas
            if each.carta == carta and each.version < version and each.status is Status.ACTIVE
        ]
        return max(found, key=lambda each: each.version, default=None)

    def first_after(self, carta: str, version: int) -> CartaData | None:
        """Return the published version that follows `version`, if one does."""
        found = [
            each
            for each in self.cartas
            if each.carta == carta and each.version > version and each.status is Status.ACTIVE
        ]
        return min(found, key=lambda each: each.version, default=None)


@dataclass(frozen=True, slots=True)
class DraftReading:
    """What a draft gave: a version only where there is no fault."""

    declared: DeclaredCarta | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """Whose draft it is, which must be known before anything else of it is read."""

    municipality: str
    carta: str


def address_of(content: bytes) -> tuple[Address | None, tuple[Fault, ...]]:
    """Return which carta a draft is about, or what must be corrected to know it."""
    report = Report()
    try:
        root = Section(parse(content, report), "", report)
        _refuse_catalogue(root)
        root.choice("esquema", SCHEMAS)
        municipality, carta = root.code("municipio"), root.section("carta").code("codigo")
    except UnreadableError as error:
        return None, (error.fault,)
    if report.faults or NO_CODE in (municipality, carta):
        return None, tuple(sorted(set(report.faults)))
    return Address(municipality, carta), ()


def _refuse_catalogue(root: Section) -> None:
    if root.plain().get("esquema") == "cartas/1":
        message = "es un municipio entero, no el borrador de una carta; se publica con: cartas load"
        raise UnreadableError(Fault(root.line_of("esquema"), "esquema", message))


def read_draft(content: bytes, around: Around, version: int, acta: Acta = NOT_YET) -> DraftReading:
    """Read a draft as version number `version`; all faults at once, each with its line."""
    report = Report()
    declared: DeclaredCarta | None = None
    try:
        root = Section(parse(content, report), "", report)
        root.choice("esquema", SCHEMAS)
        root.code("municipio")
        declared = _reader(around).propose(root.section("carta"), _terms(version, acta))
        root.close()
        declared = _certified_as_before(declared, around)
        _check_owners(declared, around, report)
        report.warnings.extend(services_elsewhere(declared, around.cartas))
        before = around.last_before(declared.data.carta, version)
        # What could not be read has a stand-in, and a stand-in relaxes nothing.
        if before and not report.faults:
            report.warnings.extend(asks_less(declared, before))
    except UnreadableError as error:
        report.faults.append(error.fault)
    except ValidationError as error:
        report.faults.extend(backstop(error))
    faults = tuple(sorted(set(report.faults)))
    return DraftReading(None if faults else declared, faults, tuple(sorted(set(report.warnings))))


def _reader(around: Around) -> CartaReader:
    code = around.municipality.municipality
    return CartaReader(
        municipality=code,
        default_calendar=around.municipality.calendar,
        calendars=around.calendars,
        units=Units(code, declared=True, found=dict(around.units)),
        sites={site for carta in around.cartas for site in carta.sites},
    )


def _terms(version: int, acta: Acta) -> Terms:
    approval = Approval(body=acta.body, record=acta.record, date=acta.dated, document=acta.document)
    return Terms(version, Status.ACTIVE, acta.first, acta.last, approval)


def _certified_as_before(declared: DeclaredCarta, around: Around) -> DeclaredCarta:
    """A certificate is the carta's: it goes on with the next version unless the draft says."""
    data = declared.data
    before = around.last_before(data.carta, data.version)
    if before is None or "certificacion" in declared.declared:
        return declared
    certified = data.model_copy(update={"certified_until": before.certified_until})
    return replace(declared, data=certified)


def _check_owners(declared: DeclaredCarta, around: Around, report: Report) -> None:
    own = declared.data
    owners = {
        compromiso.id: each.carta
        for each in around.cartas
        if each.carta != own.carta
        for compromiso in each.compromisos
    }
    for compromiso in own.compromisos:
        if owner := owners.get(compromiso.id):
            message = f"el compromiso «{compromiso.id}» ya es de la carta «{owner}»"
            report.faults.append(Fault(declared.line, declared.path, message))


def warnings_code(warnings: Iterable[str]) -> str:
    """Return the code by which exactly these warnings are acknowledged; "" where there are none."""
    words = "\n".join(warnings)
    return hashlib.sha256(words.encode()).hexdigest()[:8] if words else ""


class _Plain(yaml.SafeDumper):
    """Writes texts without quotes where they can stand so: nothing in a draft is resolved."""


# Only what would read back as an empty value keeps its quotes.
_Plain.yaml_implicit_resolvers = {}
_Plain.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"(~|null|Null|NULL|)$"), ["~", "n", "N", ""]
)


def draft_of(municipality: str, declared: Mapping[str, JsonValue]) -> str:
    """Return the draft file that says what a version says, for its author to change."""
    carta: dict[str, Any] = {k: v for k, v in declared.items() if k not in _DECIDED_LATER}
    file = {"esquema": "carta/1", "municipio": municipality, "carta": carta}
    return yaml.dump(
        file,
        Dumper=_Plain,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=None,
        width=110,
    )
