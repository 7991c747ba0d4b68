"""A small municipality with promises and cases; valid by default, each test changes one thing."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from services.evaluator.domain.catalogue import Catalogue, Promise
from services.evaluator.domain.coverage import Coverage, SourceCoverage
from services.evaluator.domain.preparing import build_town
from services.evaluator.domain.rules import CartaRules
from shared.contracts import hot
from shared.contracts.cartas import (
    Approval,
    CalendarData,
    CartaData,
    Compromiso,
    Indicator,
    MunicipalityData,
)
from shared.contracts.complaints import ComplaintChange, ComplaintData, ComplaintKind
from shared.criteria import Criterion, Part, Window, WindowKind
from tests.unit.criteria.builders import answer, counter, wait
from tests.unit.worktime.calendars import general, local

TOWN = "nogal"
UNIT = "registro-civil"
SERVICE = "RC-ACTAS"
QUEUE = "https://turnos.example/registro-civil"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
EVERY_CASE: dict[str, Any] = {"target": {"op": ">=", "value": 100}}
MONTH = Window(kind=WindowKind.MONTH)

__all__ = ["Coverage", "SourceCoverage", "answer", "counter", "local", "wait"]


def municipality(**changes: Any) -> MunicipalityData:
    fields: dict[str, Any] = {
        "municipality": TOWN,
        "version": 1,
        "name": "El Nogal",
        "state": "Estado de México",
        "zone": "America/Mexico_City",
        "coordination": "Coordinación de Mejora Regulatoria",
        "calendar": "HAB-GRAL",
    }
    return MunicipalityData(**{**fields, **changes})


def calendar(**changes: Any) -> CalendarData:
    fields: dict[str, Any] = {
        "municipality": TOWN,
        "calendar": general().calendar,
        "version": 1,
        "known_since": EPOCH,
    }
    return CalendarData(**{**fields, **changes})


def compromiso(*parts: Part, **changes: Any) -> Compromiso:
    """A promise of called-within-15-minutes in 90 % of a month's cases unless told otherwise."""
    fields: dict[str, Any] = {
        "id": "RC-01-02",
        "base": "tiempo_espera",
        "text": "Le atenderemos en un máximo de 15 minutos después de tomar su turno.",
        "indicator": Indicator(
            name="Espera", formula="a tiempo / turnos", source="turnos", frequency="mensual"
        ),
        "criterion": Criterion(parts=parts or (wait(),)),
        "window": MONTH,
    }
    return Compromiso(**{**fields, **changes})


def carta(*compromisos: Compromiso, **changes: Any) -> CartaData:
    fields: dict[str, Any] = {
        "municipality": TOWN,
        "carta": "RC-01",
        "version": 1,
        "name": "Registro Civil",
        "department": "secretaria",
        "unit": UNIT,
        "calendar": "HAB-GRAL",
        "services": (SERVICE,),
        "valid_from": date(2026, 1, 1),
        "approval": Approval(body="Cabildo", record="Acta 1", date=date(2025, 12, 1)),
        "compromisos": compromisos or (compromiso(),),
    }
    return CartaData(**{**fields, **changes})


def catalogue(*cartas: CartaData) -> Catalogue:
    town = build_town(
        TOWN, [municipality()], [calendar()], map(CartaRules.of, cartas or (carta(),))
    )
    return Catalogue({TOWN: town})


def promise(*parts: Part, **changes: Any) -> Promise:
    made = compromiso(*parts, **changes)
    return catalogue(carta(made)).versions(TOWN, made.id)[0]


def case(name: str = "A-1", *, revision: int = 1, **changes: Any) -> hot.CaseData:
    """A case; events are local times by kind, with "_" for the dot: `ticket_called="2026-…"`."""
    told = {"ticket_issued": "2026-09-07 10:00"} | changes
    instants = {
        kind.replace("_", ".", 1): local(text)
        for kind, text in told.items()
        if isinstance(text, str) and kind not in ("unit", "service", "municipality")
    }
    fields: dict[str, Any] = {
        "municipality": TOWN,
        "case": name,
        "revision": revision,
        "change": "advanced",
        "service": SERVICE,
        "unit": UNIT,
        "instants": instants,
        "sources": (QUEUE,),
        "received_at": local("2026-09-07 10:00"),
    }
    rest = {
        key: value
        for key, value in changes.items()
        if not isinstance(value, str) or key in ("unit", "service", "municipality")
    }
    return hot.CaseData(**{**fields, **rest})


def waited(name: str, minutes: float, *, revision: int = 1, **changes: Any) -> hot.CaseData:
    """A ticket called so many minutes after its issue."""
    made = case(name, revision=revision, **changes)
    called = made.instants["ticket.issued"] + timedelta(minutes=minutes)
    return replace(made, instants={**made.instants, "ticket.called": called})


def source(**changes: Any) -> SourceCoverage:
    fields: dict[str, Any] = {
        "municipality": TOWN,
        "source": QUEUE,
        "historical": False,
        "services": (SERVICE,),
        "reports": ("*",),
        "complete_through": None,
        "grace": timedelta(hours=1),
        "pipeline": "measurements",
    }
    return SourceCoverage(**{**fields, **changes})


def coverage(*sources: SourceCoverage, through: str | None = None) -> Coverage:
    pipelines = {} if through is None else {"measurements": local(through)}
    return Coverage.of(sources, pipelines)


def folio(name: str = "F-1", *, revision: int = 1, **changes: Any) -> ComplaintData:
    fields: dict[str, Any] = {
        "municipality": TOWN,
        "folio": name,
        "revision": revision,
        "change": ComplaintChange.FILED,
        "kind": ComplaintKind.QUEJA,
        "carta": "RC-01",
        "unit": UNIT,
        "filed_at": local("2026-09-07 10:00"),
    }
    return ComplaintData(**{**fields, **changes})


def source_state(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "municipality": TOWN,
        "source": QUEUE,
        "kind": "live",
        "services": (SERVICE,),
        "reports": ("*",),
        "complete_through": None,
        "grace_seconds": 3600,
    }
    return {**fields, **changes}


def progress(
    through: str,
    *sources: dict[str, Any],
    pipeline: str = "measurements",
    offsets: dict[str, int] | None = None,
    topic_id: str = "",
) -> hot.ProgressData:
    """Everything up to the local time `through` has been published below `offsets`."""
    return hot.ProgressData(
        pipeline=pipeline,
        through=local(through),
        offsets=offsets or {},
        topic_id=topic_id,
        sources=tuple(hot.SourceState(**fields) for fields in sources),
    )


def case_ids(cases: Iterable[hot.CaseData]) -> list[str]:
    return [each.case for each in cases]
