"""A small municipality and what the evaluator says of it; valid by default, change one thing."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from shared.contracts.breaches import BreachData, BreachEvent, BreachKind
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
from shared.contracts.ids import derived_id
from shared.contracts.results import (
    Forecast,
    Outlook,
    PartResult,
    Prospect,
    ResultWindow,
    Verdict,
    VolumeBasis,
)
from shared.criteria import Anchor, Count, Criterion, Part, Population, Window, WindowKind
from shared.worktime import Calendar, DayException, Weekday

M = "puerto-alegre"
SOURCE = "/tests"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
WORKDAYS = (
    Weekday.MONDAY,
    Weekday.TUESDAY,
    Weekday.WEDNESDAY,
    Weekday.THURSDAY,
    Weekday.FRIDAY,
)
NOON = datetime(2026, 9, 10, 18, 0, tzinfo=UTC)
"""Thursday 10 September 2026, 12:00 in Mexico City; Wednesday the 16th is a holiday."""


def calendar(**changes: Any) -> Calendar:
    fields: dict[str, Any] = {
        "id": "HABIL",
        "version": 1,
        "kind": "working",
        "zone": "America/Mexico_City",
        "week": dict.fromkeys(WORKDAYS, (("09:00", "18:00"),)),
        "counting": WORKDAYS,
        "days": (
            DayException(
                first=date(2026, 9, 16),
                last=date(2026, 9, 16),
                reason="Independencia",
                opens=False,
                counts=False,
            ),
        ),
    }
    return Calendar(**{**fields, **changes})


def municipality(**changes: Any) -> MunicipalityData:
    fields: dict[str, Any] = {
        "municipality": M,
        "version": 1,
        "name": "Municipio de Puerto Alegre",
        "state": "Estado de México",
        "zone": "America/Mexico_City",
        "coordination": "la Coordinación de Mejora Regulatoria",
        "calendar": "HABIL",
    }
    return MunicipalityData(**{**fields, **changes})


def unit(code: str, name: str, *, parent: str | None = None) -> UnitData:
    return UnitData(municipality=M, unit=code, version=1, name=name, parent=parent)


def post(code: str, **changes: Any) -> PostData:
    fields: dict[str, Any] = {
        "municipality": M,
        "post": code,
        "version": 1,
        "title": f"Puesto {code}",
        "unit": "ventanilla",
        "role": Role.UNIT,
        "level": "enlace_carta",
        "mailbox": f"{code}@puerto.example",
    }
    return PostData(**{**fields, **changes})


ENLACE = post("enlace", title="Enlace de carta de Ventanilla Única")
TITULAR = post("titular", level="titular_unidad")
DIRECTORA = post("direccion", level="titular_dependencia", unit="tesoreria")
COORDINACION = post("coordinacion", level="coordinacion", unit=None, role=Role.COORDINATION)
CONTRALORIA = post("contraloria", level="contraloria", unit=None, role=Role.CONTRALORIA)
POSTS = (ENLACE, TITULAR, DIRECTORA, COORDINACION, CONTRALORIA)
UNITS = (unit("tesoreria", "Tesorería"), unit("ventanilla", "Ventanilla Única", parent="tesoreria"))

VISITS = Count(population=Population(event="visit.done", anchor=Anchor.OCCURRED))


def carta(**changes: Any) -> CartaData:
    promise = Compromiso(
        id="CC-01-02",
        base="tiempo_espera",
        text="Le atenderemos en un máximo de 15 minutos después de tomar su turno.",
        indicator=Indicator(
            name="Tiempo de espera en ventanilla",
            formula="turnos atendidos en 15 minutos / turnos × 100",
            source="turnos",
            frequency="mensual",
        ),
        criterion=Criterion(parts=(Part(figure=VISITS),)),
        window=Window(kind=WindowKind.MONTH),
    )
    fields: dict[str, Any] = {
        "municipality": M,
        "carta": "CC-01",
        "version": 1,
        "name": "Pago del impuesto predial",
        "department": "tesoreria",
        "unit": "ventanilla",
        "calendar": "HABIL",
        "services": ("predial",),
        "valid_from": date(2026, 1, 1),
        "approval": Approval(body="Cabildo", record="A-1", date=date(2025, 12, 1)),
        "compromisos": (promise,),
    }
    return CartaData(**{**fields, **changes})


def published(*things: Any) -> list[CatalogueEvent]:
    """Catalogue events of municipality, units, posts, calendars and cartas."""
    kinds: dict[type, Any] = {
        MunicipalityData: MunicipalityPublished,
        UnitData: UnitPublished,
        PostData: PostPublished,
        CalendarData: CalendarPublished,
        CartaData: CartaPublished,
    }
    return [
        kinds[type(thing)](
            id=derived_id(repr(thing), "catalogue", EPOCH), source=SOURCE, time=EPOCH, data=thing
        )
        for thing in things
    ]


def calendar_data(**changes: Any) -> CalendarData:
    return CalendarData(municipality=M, calendar=calendar(**changes), version=1, known_since=EPOCH)


def catalogue(*extra: Any, posts: tuple[PostData, ...] = POSTS) -> list[CatalogueEvent]:
    return published(municipality(), *UNITS, *posts, calendar_data(), carta(), *extra)


def share(**changes: Any) -> PartResult:
    fields: dict[str, Any] = {
        "form": "share_within",
        "met": 178,
        "failed": 32,
        "pending": 0,
        "overdue_open": 0,
        "value": Decimal("84.7619"),
        "numerator": 178,
        "denominator": 210,
        "items": 210,
        "target": Decimal(90),
        "target_op": ">=",
        "unit": "%",
        "verdict": Verdict.NOT_MET,
    }
    return PartResult(**{**fields, **changes})


def at_risk() -> PartResult:
    """Two more of the twelve open cases may fail, and as many cases come as a year ago."""
    outlook: dict[str, Any] = {
        "due": 210,
        "failed": 32,
        "open": 12,
        "may_fail": 2,
        "prospect": Prospect.OPEN,
    }
    forecast = outlook | {"open": 90, "expected": 300, "window": "2025-08"}
    return share(
        pending=12,
        outlook=Outlook(**outlook),
        forecast=Forecast(**forecast, basis=VolumeBasis.LAST_YEAR),
    )


def month(number: int, *, year: int = 2026) -> ResultWindow:
    """A month's window in Mexico City (UTC-6 all year)."""
    after = datetime(year + number // 12, number % 12 + 1, 1, 6, tzinfo=UTC)
    return ResultWindow(
        id=f"{year}-{number:02d}",
        kind="month",
        start=datetime(year, number, 1, 6, tzinfo=UTC),
        end=after,
        closes_at=after,
    )


def breach(kind: BreachKind = BreachKind.BREACHED, **changes: Any) -> BreachEvent:
    window: ResultWindow = changes.pop("window", month(8))
    when: datetime = changes.pop("time", NOON)
    compromiso, unit_code = changes.get("compromiso", "CC-01-02"), changes.get("unit", "ventanilla")
    identity = f"{compromiso}/{unit_code}/{window.id}"
    fields: dict[str, Any] = {
        "municipality": M,
        "carta": "CC-01",
        "carta_version": 1,
        "compromiso": compromiso,
        "unit": unit_code,
        "responsible_unit": "ventanilla",
        "window": window,
        "kind": kind,
        "breach": derived_id(identity, "breach", EPOCH),
        "parts": (share(),),
        "failing_cases": ("VU-1042", "VU-1043"),
        "failing_total": 32,
        "received_at": when,
    }
    data = BreachData(**{**fields, **changes})
    cause = f"{identity}/{kind}/{data.case}/{data.folio}"
    return BreachEvent(id=derived_id(cause, "breach.v1", when), source=SOURCE, time=when, data=data)
