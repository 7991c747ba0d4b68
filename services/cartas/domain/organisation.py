"""The municipality, its units and its posts, as its catalogue declares or implies them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import time
from typing import Final

from services.cartas.domain.calendars import Calendars, known_zone
from shared.authoring.criteria import missing_calendar
from shared.authoring.fields import CODE, CODE_EXPECTED, NO_CODE, Section, slug, suggested
from shared.contracts.cartas import (
    EscalationStep,
    MunicipalityData,
    PostData,
    QuietHours,
    Role,
    UnitData,
)

FIRST_VERSION: Final = 1
DEFAULT_ZONE: Final = "America/Mexico_City"
DEFAULT_CUTOFF_WORKING_DAYS: Final = 10
PUBLIC_MAIL_PROVIDERS: Final = frozenset(
    {
        *("gmail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com", "live.com"),
        *("yahoo.com.mx", "hotmail.es", "outlook.es", "prodigy.net.mx", "live.com.mx", "msn.com"),
    }
)
_ROLES: Final = {
    "unidad": Role.UNIT,
    "coordinacion": Role.COORDINATION,
    "contraloria": Role.CONTRALORIA,
    "administracion": Role.ADMINISTRATOR,
}
_LEVELS: Final = {
    Role.UNIT: "enlace_carta",
    Role.COORDINATION: "coordinacion",
    Role.CONTRALORIA: "contraloria",
    Role.ADMINISTRATOR: "administracion",
}
_MAILBOX = re.compile(r"(?=.{3,254}\Z)[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_WORKING_DAYS = re.compile(r"\b([0-9]{1,3})\.?º? días? hábil(es)?\b")
_NAME_WITHOUT_NOTE = re.compile(r"\s*\([^)]*\)")


def read_municipality(
    section: Section, calendars: Calendars, steps: tuple[EscalationStep, ...]
) -> MunicipalityData:
    """Return the municipality; without `clave` its code is made from its name."""
    name = section.text("nombre")
    section.ignore("idioma", "trimestres")
    municipality = MunicipalityData(
        municipality=_municipality_code(section, name),
        version=FIRST_VERSION,
        name=name,
        state=section.text("entidad", longest=100),
        zone=read_zone(section),
        coordination=section.text("coordinacion"),
        calendar=_own_calendar(section, calendars),
        cutoff_working_days=_cutoff(section),
        show_running=section.boolean("mostrar_en_curso", default=False),
        small_cell=section.integer("celda_minima", 0, 100, default=5),
        small_cell_sensitive=section.integer("celda_minima_sensible", 0, 1000, default=10),
        escalation=steps,
        quiet_hours=_quiet_hours(section),
        digest=section.boolean("resumen_diario", default=False),
        charter_noun=section.optional_text("nombre_de_carta", longest=60) or "carta compromiso",
        charter_noun_plural=section.optional_text("nombre_de_cartas", longest=60)
        or "cartas compromiso",
    )
    section.close()
    return municipality


def read_zone(section: Section) -> str:
    """Return the municipality's time zone."""
    zone = section.optional_text("zona_horaria", longest=64) or DEFAULT_ZONE
    if not known_zone(zone):
        section.fault("zona_horaria", f"se esperaba una zona horaria como {DEFAULT_ZONE}")
        return DEFAULT_ZONE
    return zone


def _municipality_code(section: Section, name: str) -> str:
    if "clave" in section:
        return section.code("clave")
    section.ignore("clave")
    return slug(_NAME_WITHOUT_NOTE.sub("", name)) or NO_CODE


def _own_calendar(section: Section, calendars: Calendars) -> str:
    """Return the calendar of cut-off and deadlines: the one named, else the first working one."""
    if "calendario" in section:
        name = section.code("calendario")
        if name not in calendars.names:
            section.fault("calendario", missing_calendar(name, calendars.names))
        return name
    section.ignore("calendario")
    working = [name for name, each in calendars.built.items() if each.kind == "working"]
    if not working and len(calendars.built) < len(calendars.names):
        return NO_CODE
    if not working:
        section.fault(None, "falta «calendario»: ningún calendario del archivo es de tipo habil")
        return NO_CODE
    return working[0]


def _cutoff(section: Section) -> int:
    """Read `10.º día hábil posterior al trimestre`, or a bare number of working days."""
    text = section.optional_text("cierre_de_datos", longest=200)
    if text is None:
        return DEFAULT_CUTOFF_WORKING_DAYS
    found = re.fullmatch(r"([0-9]{1,3})", text) or _WORKING_DAYS.search(text)
    if found is None or int(found[1]) > 60:
        section.fault("cierre_de_datos", "se esperaba «N.º día hábil posterior», N de 0 a 60")
        return DEFAULT_CUTOFF_WORKING_DAYS
    return int(found[1])


def _quiet_hours(section: Section) -> QuietHours | None:
    hours = section.optional_section("horario_silencio")
    if hours is None:
        return None
    start, end = (
        hours.matching(key, _CLOCK_TIME, "una hora como 20:00", stand_in="00:00")
        for key in ("desde", "hasta")
    )
    hours.close()
    if start == end:
        hours.fault(None, "el silencio empieza y termina a la misma hora")
    return QuietHours(start=time.fromisoformat(start), end=time.fromisoformat(end))


def read_escalation(sections: list[Section]) -> tuple[EscalationStep, ...]:
    """Return the steps that count working days; others are named in a warning, not applied."""
    steps: list[EscalationStep] = []
    for section in sections:
        level = section.integer("nivel", 1, 9)
        post_level, when = section.code("a"), section.text("a_las", longest=200)
        section.close()
        if level in {step.level for step in steps}:
            section.fault("nivel", f"el nivel {level} está repetido")
        days = 0 if when == "inmediato" else _days_of(when)
        if days is None:
            section.warn("a_las", f"no se cuenta en días hábiles y aún no se aplica: «{when}»")
        else:
            steps.append(
                EscalationStep(level=level, post_level=post_level, after_working_days=days)
            )
    return tuple(steps)


def _days_of(when: str) -> int | None:
    found = _WORKING_DAYS.search(when)
    return int(found[1]) if found and int(found[1]) <= 365 else None


@dataclass(slots=True)
class Units:
    """Units by code; where the file has no list of them, cartas name them and codes are made."""

    municipality: str
    declared: bool
    found: dict[str, UnitData] = field(default_factory=dict)
    is_hiding: bool = False
    """Whether a code stands twice: the unit that it hides is not missed wherever it is cited."""

    def cited(self, section: Section, key: str, *, parent: str | None = None) -> str:
        """Return the code of the unit that a carta cites by code or by name."""
        cited = section.text(key, longest=300)
        if cited in self.found:
            return cited
        code = next((unit.unit for unit in self.found.values() if unit.name == cited), None)
        if code is not None:
            return code
        if self.declared and self.is_hiding:
            return NO_CODE
        if self.declared:
            section.fault(key, f"la unidad {self.unknown(cited)}")
            return NO_CODE
        return self._derived(section, key, cited=cited, parent=parent)

    def unknown(self, cited: str) -> str:
        """Return the message for a unit that is cited and was not declared."""
        names = [unit.name for unit in self.found.values()]
        return f"«{cited}» no está en «unidades»{suggested(cited, self.found, also=names)}"

    def _derived(self, section: Section, key: str, *, cited: str, parent: str | None) -> str:
        code = slug(cited)
        if not code:
            section.fault(key, "se esperaba un nombre con letras")
            return NO_CODE
        if code in self.found:
            other = self.found[code].name
            section.fault(key, f"se confunde con «{other}»; declare ambas en «unidades»")
            return code
        self.found[code] = UnitData(
            municipality=self.municipality,
            unit=code,
            version=FIRST_VERSION,
            name=cited,
            parent=None if parent == code else parent,
        )
        return code


def read_units(sections: list[Section], municipality: str) -> Units:
    """Return the declared units; every parent must be one of them, without circles."""
    units = Units(municipality, declared=bool(sections))
    parents: dict[str, Section] = {}
    for section in sections:
        code, name = section.code("clave"), section.text("nombre")
        parent = section.code("padre") if "padre" in section else None
        section.ignore("padre")
        section.close()
        if code in units.found and code != NO_CODE:
            first = parents[code].line
            section.fault("clave", f"la unidad «{code}» ya está declarada (línea {first})")
            units.is_hiding = True
        units.found[code] = UnitData(
            municipality=municipality, unit=code, version=FIRST_VERSION, name=name, parent=parent
        )
        parents[code] = section
    for code, section in () if units.is_hiding else parents.items():
        _check_parents(code, section, units.found)
    return units


def _check_parents(code: str, section: Section, units: dict[str, UnitData]) -> None:
    seen = [code]
    while (parent := units[seen[-1]].parent) is not None:
        if parent not in units:
            if len(seen) == 1:
                section.fault("padre", f"la unidad «{parent}» no existe{suggested(parent, units)}")
            return
        if parent in seen:
            if code != min(seen):
                return
            section.fault("padre", f"las unidades forman un círculo: {' → '.join([*seen, parent])}")
            return
        seen.append(parent)


def read_posts(
    sections: list[Section], units: Units, steps: Iterable[EscalationStep]
) -> tuple[PostData, ...]:
    """Return the posts; a mailbox must be an institution's, never of a public provider."""
    posts: dict[str, PostData] = {}
    levels = {step.post_level for step in steps}
    for section in sections:
        post = _post(section, units)
        if post.post in posts and post.post != NO_CODE:
            section.fault("clave", f"el puesto «{post.post}» ya está declarado")
        if post.role is Role.UNIT and levels and post.level not in levels:
            section.warn("nivel", f"ningún paso de «escalamiento» avisa a «{post.level}»")
        posts[post.post] = post
    return tuple(posts.values())


def _post(section: Section, units: Units) -> PostData:
    role = section.choice("rol", _ROLES)
    unit = units.cited(section, "unidad") if "unidad" in section else None
    section.ignore("unidad", "nivel")
    if role is Role.UNIT and unit is None:
        section.fault("unidad", "un puesto de rol unidad necesita su unidad")
    post = PostData(
        municipality=units.municipality,
        post=section.code("clave"),
        version=FIRST_VERSION,
        title=section.text("cargo", longest=300),
        unit=unit,
        role=role,
        level=section.matching("nivel", CODE, CODE_EXPECTED, stand_in=NO_CODE)
        if "nivel" in section
        else _LEVELS[role],
        mailbox=_mailbox(section),
    )
    section.close()
    return post


def _mailbox(section: Section) -> str | None:
    if section.node("correo") is None:
        return None
    address = section.matching("correo", _MAILBOX, "un correo institucional", stand_in="a@b.c")
    if address.rpartition("@")[2].lower() in PUBLIC_MAIL_PROVIDERS:
        section.fault("correo", "se esperaba un correo institucional, no uno personal")
    return address
