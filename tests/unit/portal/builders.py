"""A fictional municipality as events say it; valid by default, change one thing."""

from datetime import UTC, date, datetime, timedelta
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
    Scope,
    UnitData,
    UnitPublished,
)
from shared.contracts.corrective_actions import (
    ActionChange,
    ActionChanged,
    ActionData,
    ActionState,
)
from shared.contracts.ids import derived_id
from shared.contracts.results import (
    Band,
    CaseCoverage,
    Forecast,
    Outlook,
    PartResult,
    Prospect,
    ResultData,
    ResultPublished,
    ResultStatus,
    ResultWindow,
    SilentSpan,
    Verdict,
    VolumeBasis,
)
from shared.criteria import (
    Anchor,
    Clock,
    Criterion,
    Instant,
    Limit,
    Mean,
    Number,
    Op,
    Part,
    Population,
    Share,
    Target,
    Window,
    WindowKind,
)
from shared.worktime import Calendar, Unit, Weekday

M = "fresnos"
SOURCE = "/tests"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = "America/Mexico_City"
WORKDAYS = tuple(day for day in Weekday if day not in (Weekday.SATURDAY, Weekday.SUNDAY))
AS_OF = datetime(2026, 10, 14, 18, 0, tzinfo=UTC)


def municipality(**changes: Any) -> MunicipalityData:
    fields: dict[str, Any] = {
        "municipality": M,
        "version": 1,
        "name": "Fresnos del Río",
        "state": "Estado de México",
        "zone": ZONE,
        "coordination": "Coordinación de Mejora Regulatoria",
        "calendar": "HABIL",
        "show_running": True,
    }
    return MunicipalityData(**{**fields, **changes})


def unit(code: str, name: str, parent: str | None = None) -> UnitData:
    return UnitData(municipality=M, unit=code, version=1, name=name, parent=parent)


UNITS = (
    unit("SECRETARIA", "Secretaría del Ayuntamiento"),
    unit("REGISTRO", "Oficialía del Registro Civil", "SECRETARIA"),
    unit("RC-CENTRO", "Registro Civil, oficina Centro", "REGISTRO"),
    unit("RC-SUR", "Registro Civil, oficina Sur", "REGISTRO"),
    unit("SEGURIDAD", "Dirección de Protección Civil y Emergencias"),
    unit("MANDO", "Centro de Mando", "SEGURIDAD"),
    unit("IGUALDAD", "Dirección de Igualdad y Bienestar"),
    unit("AGUA", "Organismo de Agua y Saneamiento"),
)


def post(code: str, **changes: Any) -> PostData:
    fields: dict[str, Any] = {
        "municipality": M,
        "post": code,
        "version": 1,
        "title": code.replace("-", " ").capitalize(),
        "unit": None,
        "role": Role.UNIT,
        "level": "enlace_carta",
        "mailbox": f"{code}@fresnos.example",
    }
    return PostData(**{**fields, **changes})


POSTS = (
    post("enlace-mando", title="Enlace de la carta de emergencias", unit="MANDO"),
    post("enlace-registro", title="Enlace del Registro Civil", unit="REGISTRO"),
    post("enlace-agua", title="Enlace de la carta de fugas", unit="AGUA"),
    post("coordinacion", title="Coordinación", role=Role.COORDINATION, level="coordinacion"),
    post("contraloria", title="Contraloría", role=Role.CONTRALORIA, level="contraloria"),
    post("sistemas", title="Sistemas", role=Role.ADMINISTRATOR, level="sistemas"),
)


def calendar() -> CalendarData:
    return CalendarData(
        municipality=M,
        version=1,
        known_since=EPOCH,
        calendar=Calendar(
            id="HABIL",
            version=1,
            kind="working",
            zone=ZONE,
            week=dict.fromkeys(WORKDAYS, (("09:00", "18:00"),)),
            counting=WORKDAYS,
        ),
    )


def share(limit: str, target: str, unacceptable: str | None = None) -> Part:
    figure = Share(
        population=Population(event="ticket.issued", anchor=Anchor.DUE),
        value=Clock(
            start=Instant(event="ticket.issued"),
            stop=Instant(event="ticket.called"),
            unit=Unit.MINUTE,
        ),
        limit=Limit(op=Op.AT_MOST, value=Decimal(limit)),
    )
    worst = Decimal(unacceptable) if unacceptable else None
    return Part(
        figure=figure,
        target=Target(op=Op.AT_LEAST, value=Decimal(target), unacceptable=worst),
    )


def mean() -> Part:
    figure = Mean(
        population=Population(event="report.received", anchor=Anchor.CLOSED),
        value=Clock(
            start=Instant(event="report.received"),
            stop=Instant(event="report.repaired"),
            unit=Unit.HOUR,
        ),
    )
    return Part(
        figure=figure,
        target=Target(
            op=Op.AT_MOST, value=Decimal(24), unacceptable=Decimal(48), unit=Unit.HOUR.value
        ),
    )


def scores(limit: str, target: str) -> Part:
    asked = Number(field="satisfaccion_global", lowest=Decimal(0), highest=Decimal(10))
    figure = Share(
        population=Population(event="survey.answered", anchor=Anchor.OCCURRED),
        value=asked,
        limit=Limit(op=Op.AT_LEAST, value=Decimal(limit)),
    )
    return Part(figure=figure, target=Target(op=Op.AT_LEAST, value=Decimal(target)))


def compromiso(code: str, text: str, criterion: Any, **changes: Any) -> Compromiso:
    fields: dict[str, Any] = {
        "id": code,
        "base": "tiempo_espera",
        "text": text,
        "indicator": Indicator(
            name="% de casos en plazo",
            formula="en plazo / casos × 100",
            source="sistema_turnos",
            frequency="continua",
        ),
        "criterion": criterion,
        "window": Window(kind=WindowKind.QUARTER),
    }
    return Compromiso(**{**fields, **changes})


def carta(code: str, name: str, department: str, **changes: Any) -> CartaData:
    fields: dict[str, Any] = {
        "municipality": M,
        "carta": code,
        "version": 1,
        "name": name,
        "department": department,
        "unit": department,
        "calendar": "HABIL",
        "services": (code,),
        "hours": "lunes a viernes, 9:00 a 18:00",
        "valid_from": date(2026, 1, 1),
        "approval": Approval(body="Comité Interno", record="ACTA-7", date=date(2025, 12, 10)),
    }
    return CartaData(**{**fields, **changes})


REGISTRO = carta(
    "CC-RC-01",
    "Copia certificada de acta del Registro Civil",
    "SECRETARIA",
    unit="REGISTRO",
    sites=("RC-CENTRO", "RC-SUR"),
    compromisos=(
        compromiso(
            "CC-RC-01-01",
            "Esperará como máximo 15 minutos en 90 % de los casos.",
            Criterion(parts=(share("15", "90", "80"),)),
            scope=Scope.UNIT,
            minimum_sample=30,
        ),
        compromiso(
            "CC-RC-01-02",
            "Su trámite durará 10 minutos o menos en 95 % de los casos y nunca más de 20.",
            Criterion(parts=(share("10", "95"), share("20", "100"))),
            base="tiempo_atencion",
        ),
        compromiso(
            "CC-RC-01-03",
            "Al menos 90 % de las personas calificará el servicio con 8 o más.",
            Criterion(parts=(scores("8", "90"),)),
            base="satisfaccion",
        ),
    ),
)
EMERGENCIAS = carta(
    "CC-EM-01",
    "Atención de llamadas de emergencia",
    "SEGURIDAD",
    unit="MANDO",
    compromisos=(
        compromiso(
            "CC-EM-01-01",
            "Canalizaremos todas las llamadas de emergencia en 1 minuto o menos.",
            Criterion(parts=(share("1", "100"),)),
            remedy="Le llamaremos para explicarle qué pasó y qué haremos.",
        ),
    ),
)
IGUALDAD = carta(
    "CC-IG-01",
    "Asesoría jurídica para mujeres",
    "IGUALDAD",
    sensitive=True,
    compromisos=(
        compromiso(
            "CC-IG-01-01",
            "Con cita, la espera no pasará de 10 minutos en 95 % de los casos.",
            Criterion(parts=(share("10", "95", "85"),)),
        ),
    ),
)
AGUA = carta(
    "CC-AG-01",
    "Reparación de fugas en la vía pública",
    "AGUA",
    compromisos=(
        compromiso(
            "CC-AG-01-01",
            "Repararemos las fugas en 24 horas en promedio.",
            Criterion(parts=(mean(),)),
            base="tiempo_respuesta_solicitud",
        ),
    ),
)
CARTAS = (REGISTRO, EMERGENCIAS, IGUALDAD, AGUA)

_KINDS: dict[type, Any] = {
    MunicipalityData: MunicipalityPublished,
    UnitData: UnitPublished,
    PostData: PostPublished,
    CalendarData: CalendarPublished,
    CartaData: CartaPublished,
    ResultData: ResultPublished,
    BreachData: BreachEvent,
    ActionData: ActionChanged,
}


def published(*things: Any) -> list[Any]:
    """The events that carry the things."""
    return [
        _KINDS[type(thing)](
            id=derived_id(repr(thing), "test", EPOCH), source=SOURCE, time=EPOCH, data=thing
        )
        for thing in things
    ]


def catalogue() -> list[CatalogueEvent]:
    return published(municipality(), *UNITS, calendar(), *POSTS, *CARTAS)


def quarter(number: int, year: int = 2026) -> ResultWindow:
    """A quarter's window in Mexico City (UTC-6 all year); closed a fortnight after its end."""
    start = datetime(year, number * 3 - 2, 1, 6, tzinfo=UTC)
    end = datetime(year + number // 4, number * 3 % 12 + 1, 1, 6, tzinfo=UTC)
    return ResultWindow(
        id=f"{year}-Q{number}",
        kind="quarter",
        start=start,
        end=end,
        closes_at=end + timedelta(days=14),
    )


def part(met: int, failed: int, **changes: Any) -> PartResult:
    """A part of a share with its figures made out of the counts."""
    decided = met + failed
    value = round(Decimal(met * 100) / decided, 4) if decided else None
    target = changes.get("target", Decimal(90))
    kept = Verdict.NOT_EVALUATED
    if value is not None:
        kept = Verdict.MET if value >= target else Verdict.NOT_MET
    fields: dict[str, Any] = {
        "form": "share_within",
        "met": met,
        "failed": failed,
        "pending": 0,
        "excluded": {},
        "overdue_open": 0,
        "value": value,
        "numerator": met,
        "denominator": decided,
        "items": decided,
        "target": target,
        "target_op": ">=",
        "unit": "%",
        "verdict": kept,
        "reason": "sin_demanda" if kept is Verdict.NOT_EVALUATED else None,
    }
    return PartResult(**{**fields, **changes})


def mean_part(hours: str, cases: int, **changes: Any) -> PartResult:
    value = Decimal(hours)
    fields: dict[str, Any] = {
        "form": "mean",
        "met": cases,
        "failed": 0,
        "pending": 0,
        "excluded": {},
        "overdue_open": 0,
        "value": value,
        "numerator": value * cases,
        "denominator": cases,
        "items": cases,
        "target": Decimal(24),
        "target_op": "<=",
        "unacceptable": Decimal(48),
        "unit": "h",
        "verdict": Verdict.MET if value <= 24 else Verdict.NOT_MET,
    }
    return PartResult(**{**fields, **changes})


COVERED = CaseCoverage(
    known=2010,
    measured=2003,
    counted_days=62,
    uncounted_days=2,
    silences=(
        SilentSpan(
            start=datetime(2026, 9, 8, 15, 0, tzinfo=UTC),
            end=datetime(2026, 9, 8, 19, 0, tzinfo=UTC),
        ),
    ),
    silent_minutes=240,
    expected_minutes=31_200,
)
"""Seven cases and half a morning were lost; two days have no count."""


def result(carta_code: str, number: str, unit_code: str, **changes: Any) -> ResultData:
    """A final result of the third quarter of 2026, with the verdict of its parts."""
    parts = changes.pop("parts", (part(178, 32),))
    verdicts = {each.verdict for each in parts}
    worst = next(v for v in (Verdict.NOT_MET, Verdict.NOT_EVALUATED, Verdict.MET) if v in verdicts)
    bands = {Verdict.MET: Band.GREEN, Verdict.NOT_MET: Band.RED, Verdict.NOT_EVALUATED: Band.GREY}
    fields: dict[str, Any] = {
        "municipality": M,
        "carta": carta_code,
        "carta_versions": (1,),
        "compromiso": f"{carta_code}-{number}",
        "unit": unit_code,
        "window": quarter(3),
        "edition": 1,
        "sequence": 1,
        "status": ResultStatus.FINAL,
        "verdict": worst,
        "band": bands[worst],
        "parts": parts,
        "as_of": AS_OF,
        "reason": "sin_demanda" if worst is Verdict.NOT_EVALUATED else None,
    }
    return ResultData(**{**fields, **changes})


def at_risk() -> PartResult:
    """Of twelve open cases two more may be late; with as many as a year before, eleven."""
    told: dict[str, Any] = {"due": 100, "failed": 11, "prospect": Prospect.OPEN}
    return part(
        89,
        11,
        pending=12,
        outlook=Outlook(open=12, may_fail=0, best="2525/28", **told),
        forecast=Forecast(
            open=110,
            may_fail=10,
            expected=210,
            basis=VolumeBasis.LAST_YEAR,
            window="2025-Q4",
            **told,
        ),
    )


def results() -> list[ResultData]:
    """Every state that a page can show."""
    running: dict[str, Any] = {
        "status": ResultStatus.PROVISIONAL,
        "edition": 0,
        "window": quarter(4),
    }
    lost = Outlook(due=901, failed=1, open=0, may_fail=0, prospect=Prospect.LOST)
    missed = part(900, 1, target=Decimal(100), outlook=lost)
    risk = {"prospect": Prospect.OPEN, "at_risk": True} | running
    two = (part(480, 20, target=Decimal(95)), part(499, 1, target=Decimal(100)))
    every = Decimal(100)
    return [
        result("CC-RC-01", "01", "RC-CENTRO", parts=(part(1912, 88, pending=3, coverage=COVERED),)),
        result("CC-RC-01", "01", "RC-CENTRO", window=quarter(2), parts=(part(1700, 300),)),
        result("CC-RC-01", "01", "RC-SUR", parts=(part(870, 130),), band=Band.AMBER),
        result("CC-RC-01", "02", "REGISTRO", parts=two),
        result("CC-RC-01", "02", "REGISTRO", window=quarter(2), parts=two[:1] * 2),
        result("CC-EM-01", "01", "MANDO", parts=(part(4127, 3, target=every, overdue_open=1),)),
        result("CC-EM-01", "01", "MANDO", window=quarter(2), parts=(part(3900, 0, target=every),)),
        result("CC-EM-01", "01", "MANDO", parts=(missed,), prospect=Prospect.LOST, **running),
        result("CC-RC-01", "01", "RC-SUR", parts=(at_risk(),), band=Band.AMBER, **risk),
        result("CC-IG-01", "01", "IGUALDAD", parts=(part(42, 2, excluded={"duplicado": 4}),)),
        result(
            "CC-AG-01",
            "01",
            "AGUA",
            parts=(mean_part("31.25", 64, pending=2, overdue_open=1),),
            band=Band.AMBER,
        ),
    ]


def breach(**changes: Any) -> BreachData:
    fields: dict[str, Any] = {
        "municipality": M,
        "carta": "CC-EM-01",
        "carta_version": 1,
        "compromiso": "CC-EM-01-01",
        "unit": "MANDO",
        "responsible_unit": "MANDO",
        "window": quarter(3),
        "kind": BreachKind.BREACHED,
        "breach": "CC-EM-01-01/MANDO/2026-Q3",
        "parts": (part(4127, 3, target=Decimal(100)),),
        "failing_cases": ("LL-2026-08812", "LL-2026-09120", "LL-2026-09377"),
        "failing_total": 3,
    }
    return BreachData(**{**fields, **changes})


def action(**changes: Any) -> ActionData:
    fields: dict[str, Any] = {
        "municipality": M,
        "action": "INC-2026-0001",
        "revision": 1,
        "change": ActionChange.REQUESTED,
        "state": ActionState.REQUESTED,
        "carta": "CC-EM-01",
        "compromiso": "CC-EM-01-01",
        "unit": "MANDO",
        "window": "2026-Q3",
        "breaches": ("CC-EM-01-01/MANDO/2026-Q3",),
    }
    return ActionData(**{**fields, **changes})
