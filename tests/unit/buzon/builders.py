"""A small municipality, and folios that are valid by default."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from services.buzon.domain.cases import Folio
from services.buzon.domain.folios import folio_number
from services.buzon.domain.terms import CLARIFICATION, Term
from shared.contracts.cartas import (
    Approval,
    CalendarData,
    CalendarPublished,
    CartaData,
    CartaPublished,
    CatalogueEvent,
    Compromiso,
    Indicator,
    MunicipalityData,
    MunicipalityPublished,
    PostData,
    PostPublished,
    Role,
    UnitData,
    UnitPublished,
)
from shared.contracts.complaints import ComplaintKind
from shared.contracts.ids import derived_id
from shared.criteria import (
    Anchor,
    Clock,
    Criterion,
    Instant,
    Limit,
    Op,
    Part,
    Population,
    Share,
    Target,
    Window,
    WindowKind,
)
from shared.worktime import Calendar, DayException, Unit, Weekday

TOWN = "nogal"
ZONE = "America/Mexico_City"
FRIDAY = datetime(2026, 9, 11, 10, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
"""Friday 11 September 2026, 10:00 in the municipality; Wednesday the 16th does not count."""
KNOWN = datetime(2026, 1, 1, tzinfo=UTC)

MUNICIPALITY = MunicipalityData(
    municipality=TOWN,
    version=1,
    name="Villa del Nogal",
    state="México",
    zone=ZONE,
    coordination="Coordinación de Mejora Regulatoria",
    calendar="HAB-GRAL",
)
UNITS = (("gobierno", None), ("registro", "gobierno"), ("agua", None))
POSTS = (
    ("enlace-registro", "registro", Role.UNIT),
    ("titular-gobierno", "gobierno", Role.UNIT),
    ("enlace-agua", "agua", Role.UNIT),
    ("coordinacion", None, Role.COORDINATION),
    ("contraloria", None, Role.CONTRALORIA),
    ("administrador", None, Role.ADMINISTRATOR),
)


def calendar() -> Calendar:
    weekdays = tuple(Weekday)[:5]
    return Calendar(
        id="HAB-GRAL",
        version=1,
        kind="working",
        zone=ZONE,
        week=dict.fromkeys(weekdays, (("09:00", "16:00"),)),
        counting=weekdays,
        days=(_closed("2026-09-16"), _closed("2026-11-16"), _closed("2026-12-25")),
    )


def _closed(day: str) -> DayException:
    on = date.fromisoformat(day)
    return DayException(first=on, last=on, reason="Descanso obligatorio", opens=False, counts=False)


def answer_share(carta: str, days: int = 5, **clock: Any) -> Part:
    fields: dict[str, Any] = {
        "start": Instant(event="buzon.submitted"),
        "stop": Instant(event="buzon.answered"),
        "unit": Unit.WORKING_DAY,
        "calendar": "HAB-GRAL",
        "pauses": (CLARIFICATION,),
    }
    share = Share(
        population=Population(
            event="buzon.submitted",
            anchor=Anchor.DUE,
            where={"carta": (carta,), "tipo": ("sugerencia", "queja", "reclamacion")},
        ),
        value=Clock(**(fields | clock)),
        limit=Limit(op=Op.AT_MOST, value=Decimal(days)),
    )
    return Part(figure=share, target=Target(op=Op.AT_LEAST, value=Decimal(100)))


def compromiso(ident: str, base: str, part: Part) -> Compromiso:
    return Compromiso(
        id=ident,
        base=base,
        text="Responderemos en el plazo prometido.",
        indicator=Indicator(
            name="Respuestas en plazo", formula="en plazo / vencidas", source="buzon", frequency="x"
        ),
        criterion=Criterion(parts=(part,)),
        window=Window(kind=WindowKind.QUARTER),
    )


def carta(code: str = "CC-RC-01", unit: str = "registro", **fields: Any) -> CartaData:
    promised: dict[str, Any] = {
        "municipality": TOWN,
        "carta": code,
        "version": 1,
        "name": "Copias certificadas",
        "department": "gobierno",
        "unit": unit,
        "calendar": "HAB-GRAL",
        "services": (code,),
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2199, 12, 31),
        "approval": Approval(body="Comité", record="1/2025", date=date(2025, 12, 10)),
        "compromisos": (
            compromiso(f"{code}-01", "tiempo_espera", answer_share(code, 1)),
            compromiso(f"{code}-05", "tiempo_respuesta_buzon", answer_share(code)),
        ),
    }
    return CartaData(**(promised | fields))


def catalogue() -> list[CatalogueEvent]:
    """Everything above, and a carta of another unit that promises no answer."""
    silent = carta("CC-AG-01", "agua")
    silent = silent.model_copy(update={"compromisos": silent.compromisos[:1]})
    return [
        _event(MunicipalityPublished, "municipality.v1", MUNICIPALITY),
        *(_event(UnitPublished, "unit.v1", _unit(code, parent)) for code, parent in UNITS),
        *(_event(PostPublished, "post.v1", _post(*post)) for post in POSTS),
        _event(
            CalendarPublished,
            "calendar.v1",
            CalendarData(municipality=TOWN, calendar=calendar(), version=1, known_since=KNOWN),
        ),
        _event(CartaPublished, "carta.v1", carta()),
        _event(CartaPublished, "carta.v1", silent),
    ]


def _event(kind: Any, name: str, data: Any) -> Any:
    identity = derived_id(data.model_dump_json(), name, KNOWN)
    return kind(id=identity, source="/cartas", time=KNOWN, data=data)


def _unit(code: str, parent: str | None) -> UnitData:
    return UnitData(municipality=TOWN, unit=code, version=1, name=code.title(), parent=parent)


def _post(code: str, unit: str | None, role: Role) -> PostData:
    return PostData(
        municipality=TOWN,
        post=code,
        version=1,
        title=code,
        unit=unit,
        role=role,
        level="enlace_carta",
        mailbox=f"{code}@nogal.example",
    )


TEN_DAYS = Term(
    limit=Decimal(10),
    unit=Unit.WORKING_DAY,
    calendar="HAB-GRAL",
    start_rule=None,
    pauses=(CLARIFICATION,),
)


def folio(**fields: Any) -> Folio:
    """A complaint to the Registro Civil, open, filed on FRIDAY."""
    filed = Folio(
        folio=folio_number(2026, 1),
        municipality=TOWN,
        revision=1,
        kind=ComplaintKind.QUEJA,
        filed_at=FRIDAY,
        term=TEN_DAYS,
        carta="CC-RC-01",
        unit="registro",
    )
    return replace(filed, **fields)


def later(days: int) -> datetime:
    return FRIDAY + timedelta(days=days)
