"""Cartas and their compromisos, version by version."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from pydantic import JsonValue

from services.cartas.domain.checklist import (
    read_consultation,
    read_expectation,
    warn_of_idle_words,
    warn_of_no_expectation,
)
from services.cartas.domain.organisation import Units
from shared.authoring.criteria import (
    Surroundings,
    missing_calendar,
)
from shared.authoring.faults import Fault
from shared.authoring.fields import (
    CODE,
    CODE_EXPECTED,
    MAX_TEXT,
    NO_CODE,
    Section,
)
from shared.authoring.promises import read_event_words, read_judged
from shared.contracts.cartas import (
    MOST_EXPECTED,
    Approval,
    CartaData,
    Compromiso,
    Indicator,
    Status,
    Suspension,
)
from shared.criteria import (
    Severity,
    beyond_duty,
    compare_text,
    is_blank,
    loosened,
)
from shared.worktime import Unit

BASES: Final = (
    *("satisfaccion", "tiempo_espera", "tiempo_atencion", "tiempo_respuesta_solicitud"),
    "tiempo_respuesta_buzon",
)
OWN_BASE: Final = "propio"
_BASES: Final = {base: base for base in (*BASES, OWN_BASE)}
_STATES: Final = {"vigente": Status.ACTIVE, "retirada": Status.RETIRED}
_TERMS: Final = ("version", "estado", "vigencia", "aprobacion", "versiones_anteriores")
_CARTA_NOTES: Final = ("nota", "versiones_anteriores", "privacidad")
MAX_COMPROMISOS: Final = 100
ALWAYS_PUBLIC_CELL: Final = 10
"""Smallest public count of a sensitive carta where its municipality says nothing else."""


@dataclass(frozen=True, slots=True)
class DeclaredCarta:
    """A carta version with its place in the file and what its author wrote."""

    data: CartaData
    line: int
    path: str
    declared: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version does not say of itself: its number, its days in force, its approval."""

    version: int
    status: Status
    valid_from: date
    valid_to: date | None
    approval: Approval


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """A version that is named without its compromisos: only when it ended."""

    carta: str
    version: int
    valid_to: date | None
    line: int
    path: str


@dataclass(slots=True)
class CartaReader:
    """What cartas refer to while they are read."""

    municipality: str
    default_calendar: str
    calendars: Collection[str]
    units: Units
    sites: Collection[str] = ()
    """Sites that published cartas have, beside the units."""
    earlier: list[EarlierVersion] = field(default_factory=list)

    def read(self, section: Section) -> list[DeclaredCarta]:
        """Return the version that the section declares, then its earlier ones that have content.

        Earlier versions without content are gathered in `earlier`.
        """
        current = self._carta(section)
        earlier = [
            found
            for each in section.sections("versiones_anteriores", "version")
            if (found := self._earlier(each, current.data)) is not None
        ]
        _warn_of_what_is_not_applied(section)
        section.close()
        return [current, *earlier]

    def propose(self, section: Section, terms: Terms) -> DeclaredCarta:
        """Return a version whose terms are decided elsewhere: what the section says of them waits.

        The terms of a draft are those of its approval.
        """
        section.ignore(*_TERMS)
        given = [key for key in _TERMS if key in section]
        if given:
            said = "no se toma del borrador: se fija al aprobar o lo asigna el sistema"
            section.warn(given[0], f"{said} ({', '.join(given)})")
        proposed = self._under(section, terms)
        _warn_of_what_is_not_applied(section)
        section.close()
        return proposed

    def _carta(self, section: Section) -> DeclaredCarta:
        version = section.integer("version", 1, 9999)
        valid_from, valid_to = _validity(section)
        terms = Terms(
            version,
            section.choice("estado", _STATES, default="vigente"),
            valid_from,
            valid_to,
            _approval(section.section("aprobacion")),
        )
        _warn_of_late_approval(section, terms)
        return self._under(section, terms)

    def _under(self, section: Section, terms: Terms) -> DeclaredCarta:
        code, version = section.code("codigo"), terms.version
        department = self.units.cited(section, "dependencia")
        unit = self.units.cited(section, "unidad_responsable", parent=department)
        calendar = self._calendar(section)
        events = read_event_words(section)
        around = Surroundings(self.calendars, calendar, events)
        compromisos = _compromisos(section, around)
        warn_of_idle_words(section, events, compromisos)
        warn_of_no_expectation(section, compromisos, approved=terms.approval.date)
        data = CartaData(
            municipality=self.municipality,
            carta=code,
            version=version,
            status=terms.status,
            name=section.text("nombre"),
            department=department,
            unit=unit,
            calendar=calendar,
            services=_distinct(section, "servicios", most=50) or (code,),
            sites=self._sites(section),
            hours=section.optional_text("horario", longest=300) or "",
            valid_from=terms.valid_from,
            valid_to=terms.valid_to,
            approval=terms.approval,
            suspensions=_suspensions(section),
            sensitive=section.boolean("datos_sensibles", default=False),
            certified_until=_certification(section),
            event_words=events,
            consultation=read_consultation(section),
            compromisos=compromisos,
        )
        section.ignore(*_CARTA_NOTES)
        return DeclaredCarta(data, section.line, section.path, section.plain())

    def _sites(self, section: Section) -> tuple[str, ...]:
        sites = _distinct(section, "sedes", most=200)
        if self.units.declared:
            for site in sites:
                if site not in self.units.found and site not in self.sites:
                    section.warn("sedes", f"la sede {self.units.unknown(site)}")
        return sites

    def _calendar(self, section: Section) -> str:
        if "calendario" not in section:
            section.ignore("calendario")
            return self.default_calendar
        name = section.code("calendario")
        if name not in self.calendars and name != NO_CODE:
            section.fault("calendario", missing_calendar(name, self.calendars))
        return name

    def _earlier(self, section: Section, current: CartaData) -> DeclaredCarta | None:
        """Return an earlier version; what it does not say is as in the current one."""
        version = section.integer("version", 1, 9999)
        valid_from, valid_to = _validity(section)
        section.ignore("cambios", "motivo", "compromisos")
        if valid_to is None:
            section.fault("vigencia", "una versión anterior necesita su último día («hasta»)")
        if "compromisos" not in section:
            named = EarlierVersion(current.carta, version, valid_to, section.line, section.path)
            self.earlier.append(named)
            section.close()
            return None
        around = Surroundings(self.calendars, current.calendar, current.event_words)
        compromisos = _compromisos(section, around)
        changes = {
            "version": version,
            "valid_from": valid_from,
            "valid_to": valid_to,
            "compromisos": compromisos,
        }
        if "aprobacion" in section:
            changes["approval"] = _approval(section.section("aprobacion"))
        section.ignore("aprobacion")
        section.close()
        data = current.model_copy(update=changes)
        return DeclaredCarta(data, section.line, section.path, section.plain())


def _compromisos(section: Section, around: Surroundings) -> tuple[Compromiso, ...]:
    found = section.sections("compromisos", "id")
    if not 1 <= len(found) <= MAX_COMPROMISOS:
        section.fault("compromisos", f"se esperaban de 1 a {MAX_COMPROMISOS} compromisos")
    compromisos = tuple(_compromiso(each, around) for each in found)
    taken: set[str] = set()
    for each, compromiso in zip(found, compromisos, strict=True):
        if compromiso.id in taken and compromiso.id != NO_CODE:
            each.fault("id", f"el compromiso «{compromiso.id}» ya está declarado")
        taken.add(compromiso.id)
    missing = [base for base in BASES if base not in {each.base for each in compromisos}]
    if missing:
        section.warn("compromisos", f"faltan indicadores base: {', '.join(missing)}")
    return compromisos


def _distinct(section: Section, key: str, *, most: int) -> tuple[str, ...]:
    codes = section.words(key, CODE, CODE_EXPECTED, most=most)
    for code in dict.fromkeys(code for code in codes if codes.count(code) > 1):
        section.fault(key, f"«{code}» está dos veces")
    return tuple(dict.fromkeys(codes))


def _validity(section: Section) -> tuple[date, date | None]:
    validity = section.section("vigencia")
    first, last = validity.day("desde"), validity.optional_day("hasta")
    validity.close()
    if last is not None and last < first:
        validity.fault("hasta", f"el último día ({last}) es anterior al primero ({first})")
    return first, last


def _approval(section: Section) -> Approval:
    approval = Approval(
        body=section.text("organo"),
        record=section.text("acta"),
        date=section.day("fecha"),
        document=section.optional_text("documento", longest=500),
    )
    section.close()
    return approval


def _certification(section: Section) -> date | None:
    certification = section.optional_section("certificacion")
    if certification is None:
        return None
    certification.ignore("norma")
    certified = certification.boolean("certificada", default=False)
    until = certification.optional_day("vence")
    certification.close()
    if certified and until is None:
        certification.fault("vence", "una carta certificada necesita la fecha en que vence")
    return until if certified else None


def _suspensions(section: Section) -> tuple[Suspension, ...]:
    """Read when the carta promises nothing; what is not published yet suspends nothing."""
    found = [_suspension(each) for each in section.sections("suspensiones", "motivo")]
    return tuple(each for each in found if each is not None)


def _suspension(section: Section) -> Suspension | None:
    suspension = Suspension(
        first=section.day("desde"),
        last=section.day("hasta"),
        reason=section.text("motivo", longest=300),
        act=section.text("acuerdo", longest=500),
    )
    if suspension.last < suspension.first:
        section.fault("hasta", "la suspensión termina antes de empezar")
    is_published = section.boolean("publicada", default=True)
    if not is_published:
        section.warn("publicada", "una suspensión que no está publicada no se aplica")
    section.close()
    return suspension if is_published else None


def _warn_of_late_approval(section: Section, terms: Terms) -> None:
    first, approved = terms.valid_from, terms.approval.date
    if approved > first:
        message = f"su acta es del {approved}, después de su primer día en vigor, {first}"
        section.warn("aprobacion", f"{message}; revise las fechas")


def _warn_of_what_is_not_applied(section: Section) -> None:
    """Name what is accepted and has no effect yet: nothing is dropped in silence."""
    privacy = section.optional_section("privacidad")
    if privacy is not None:
        smallest = privacy.integer("celda_minima_publica", 0, 1000, default=ALWAYS_PUBLIC_CELL)
        if smallest != ALWAYS_PUBLIC_CELL:
            privacy.warn(
                "celda_minima_publica", "se usa la del municipio («celda_minima_sensible»)"
            )


def _compromiso(section: Section, around: Surroundings) -> Compromiso:
    judged, text = read_judged(section, around), section.text("texto")
    compromiso = Compromiso(
        id=section.code("id"),
        base=section.choice("base", _BASES, default=OWN_BASE),
        text=text,
        indicator=_indicator(section.section("indicador")),
        criterion=judged.criterion,
        window=judged.window,
        minimum_sample=judged.minimum_sample,
        closing_delay_days=judged.closing_delay_days,
        expected_cases=section.integer("casos_esperados", 1, MOST_EXPECTED, default=0) or None,
        scope=judged.scope,
        remedy=section.optional_text("subsanacion"),
        expectation=read_expectation(section),
    )
    if not section.report.faults:
        _compare_texts(section, compromiso)
    if "alerta" in section:
        section.warn("alerta", "el aviso por caso antes de vencer aún no se aplica")
    section.ignore("alerta", "nota")
    section.close()
    return compromiso


def _compare_texts(section: Section, compromiso: Compromiso) -> None:
    """Name each difference between what is printed and what is judged."""
    criterion, window = compromiso.criterion, compromiso.window
    for problem in compare_text(compromiso.text, criterion, window):
        tell = section.fault if problem.severity is Severity.ERROR else section.warn
        tell("texto", problem.message)
    for problem in compare_text(compromiso.indicator.formula, criterion, window, generated=True):
        section.warn("indicador", f"fórmula: {problem.message}")
    legal = _legal_term(section)
    for problem in () if legal is None else beyond_duty(criterion, legal):
        section.warn("plazo_legal", problem.message)


def _legal_term(section: Section) -> tuple[Decimal, Unit] | None:
    """Return the term that the law gives anyway, if the author says it."""
    term = section.optional_section("plazo_legal")
    if term is None:
        return None
    legal = (term.decimal("valor", 10_000), term.choice("unidad", {u.value: u for u in Unit}))
    term.close()
    return legal


def _indicator(section: Section) -> Indicator:
    indicator = Indicator(
        name=_filled(section, "nombre", longest=MAX_TEXT),
        formula=_filled(section, "formula", longest=MAX_TEXT),
        source=_filled(section, "fuente", longest=200),
        frequency=_filled(section, "medicion", longest=200),
    )
    section.close()
    return indicator


def _filled(section: Section, key: str, *, longest: int) -> str:
    before = len(section.report.faults)
    text = section.text(key, longest=longest)
    if len(section.report.faults) == before and is_blank(text):
        section.fault(key, "quedó sin llenar: diga qué es, no la opción por omisión")
    return text


def asks_less(carta: DeclaredCarta, before: CartaData) -> list[Fault]:
    """Return what a version asks less of than the one before it, in the words of the criteria."""
    old = {each.id: each.criterion for each in before.compromisos}
    return [
        Fault(carta.line, f"{carta.path}.compromisos[{compromiso.id}]", problem.message)
        for compromiso in carta.data.compromisos
        if compromiso.id in old
        for problem in loosened(old[compromiso.id], compromiso.criterion)
    ]
