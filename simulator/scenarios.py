"""What happens to one case, step by step: tickets, calls, leaks, requests, appointments.

Durations are drawn so that some promises are kept, some nearly, some not. A step's instant is an
offset from the arrival of the case.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Final

from shared.contracts.service_events import (
    CASE_ABANDONED,
    CASE_EXCLUDED,
    CASE_PAUSED,
    CASE_RESUMED,
)


@dataclass(frozen=True, slots=True)
class Emitter:
    """A system of the municipality that sends events: what it declares, and how promptly it is."""

    uri: str
    services: tuple[str, ...]
    reports: tuple[str, ...]
    attributes: tuple[str, ...] = ()
    grace_seconds: int = 300
    prompt: bool = False
    """Whether its events come in order and at once, so that a heartbeat may speak for now."""


TURNS: Final = Emitter(
    "https://turnos.jacarandas.example",
    ("RC-COPIAS", "TE-PREDIAL", "DU-VENTANILLA"),
    ("ticket.*", "service.*"),
    ("fila",),
)
PHONES: Final = Emitter(
    "https://emergencias.jacarandas.example",
    ("EM-LLAMADAS",),
    ("call.*",),
    grace_seconds=30,
    prompt=True,
)
FILES: Final = Emitter(
    "https://expedientes.jacarandas.example",
    (
        *("RC-LINEA", "EM-CONSTANCIAS", "TE-ACLARACIONES", "AG-FUGAS"),
        *("DU-LICENCIAS", "IG-ASESORIA", "IG-CITAS"),
    ),
    ("request.*", "appointment.*", "report.*", "crew.*"),
    ("canal", "tramite", "prioridad", "plazo_legal"),
    grace_seconds=900,
)
EMITTERS: Final = (TURNS, PHONES, FILES)


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a case. `reason` names a pause or an exclusion."""

    kind: str
    after: timedelta
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The whole course of one case, as its system will tell it."""

    emitter: Emitter
    service: str
    steps: tuple[Step, ...]
    unit: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Office:
    """Counters that serve tickets; mean minutes of waiting and of being served."""

    unit: str
    service: str
    wait_minutes: float
    served_minutes: float


REGISTRY_CENTRE: Final = Office("RC-CENTRO", "RC-COPIAS", 6, 5)
REGISTRY_NORTH: Final = Office("RC-NORTE", "RC-COPIAS", 9.5, 5)
CASHIER_PALACE: Final = Office("CAJA-PALACIO", "TE-PREDIAL", 8, 5)
CASHIER_MARKET: Final = Office("CAJA-MERCADO", "TE-PREDIAL", 14, 5.2)
PLANNING_DESK: Final = Office("URBANO", "DU-VENTANILLA", 9, 10)
LONGEST_SERVED_SECONDS: Final = 39 * 60

Turnaround = Callable[[Random], timedelta]
"""How long a request takes; days in the past, minutes in live traffic."""


def ticket(rng: Random, office: Office, *, rush: float = 1.0) -> Course:
    """Return a ticket of a queue. `rush` multiplies the wait; a preferential queue halves it."""
    preferential = rng.random() < 0.12
    mean = office.wait_minutes * 60 * rush * (0.45 if preferential else 1)
    wait = _gamma(rng, 2, mean)
    steps = [Step("ticket.issued", timedelta())]
    if rng.random() < 0.02:
        steps.append(Step(CASE_ABANDONED, min(wait, timedelta(minutes=4)), None))
    else:
        steps += _served(rng, office, wait)
    if rng.random() < 0.01:
        steps.append(Step(CASE_EXCLUDED, timedelta(seconds=20), "turno_duplicado"))
    queue = "preferente" if preferential else "general"
    return Course(TURNS, office.service, tuple(steps), office.unit, {"fila": queue})


def _served(rng: Random, office: Office, wait: timedelta) -> list[Step]:
    started = wait + timedelta(seconds=rng.randint(5, 60))
    served = _gamma(rng, 4, office.served_minutes * 60)
    ended = started + min(served, timedelta(seconds=LONGEST_SERVED_SECONDS))
    steps = [
        Step("ticket.called", wait),
        Step("service.started", started),
        Step("ticket.served", ended),
    ]
    if rng.random() < 0.015:
        steps.append(Step(CASE_EXCLUDED, ended, "transferido"))
    return steps


def call(rng: Random) -> Course:
    """Return an emergency call that is dispatched in time, or is no emergency at all."""
    if rng.random() < 0.04:
        hoax = Step(CASE_EXCLUDED, timedelta(seconds=rng.randint(10, 40)), "llamada_de_broma")
        return _call((Step("call.queued", timedelta()), hoax))
    dispatched = min(timedelta(seconds=8) + _gamma(rng, 2, 16), timedelta(seconds=56))
    closed = dispatched + timedelta(seconds=5) + _gamma(rng, 3, 100)
    return _call(_call_steps(dispatched, closed))


def late_call(rng: Random, *, over_seconds: int = 35) -> Course:
    """Return a call that is dispatched `over_seconds` after the 60 that were promised."""
    dispatched = timedelta(seconds=60 + over_seconds)
    return _call(_call_steps(dispatched, dispatched + _gamma(rng, 3, 90)))


def _call(steps: tuple[Step, ...]) -> Course:
    return Course(PHONES, "EM-LLAMADAS", steps, "CENTRO-MANDO")


def _call_steps(dispatched: timedelta, closed: timedelta) -> tuple[Step, ...]:
    return (
        Step("call.queued", timedelta()),
        Step("call.dispatched", dispatched),
        Step("call.closed", closed),
    )


def leak(rng: Random, turnaround: Turnaround | None = None, *, pauses: bool = True) -> Course:
    """Return a leak report; `turnaround` is its repair after the crew has come."""
    urgent = rng.random() < 0.3
    accepted = _gamma(rng, 2, 12 * 60)
    attributes = {"prioridad": "alta" if urgent else "normal"}
    steps = [Step("report.received", timedelta()), Step("report.accepted", accepted)]
    if rng.random() < 0.05:
        steps.append(Step(CASE_EXCLUDED, accepted + timedelta(minutes=1), "duplicado"))
        return Course(FILES, "AG-FUGAS", tuple(steps), "AGUA", attributes)
    on_site = accepted + _gamma(rng, 2, (55 if urgent else 105) * 60)
    repaired = on_site + (turnaround(rng) if turnaround else _gamma(rng, 2, 40 * 60))
    steps.append(Step("crew.on_site", on_site))
    if pauses and rng.random() < 0.2:
        middle = on_site + (repaired - on_site) / 3
        steps.append(Step(CASE_PAUSED, middle, "obra_de_tercero"))
        steps.append(Step(CASE_RESUMED, middle + (repaired - middle) / 2, "obra_de_tercero"))
    steps.append(Step("report.repaired", repaired))
    return Course(FILES, "AG-FUGAS", tuple(steps), "AGUA", attributes)


@dataclass(frozen=True, slots=True)
class Procedure:
    """A request that is received and resolved."""

    service: str
    unit: str
    received: str
    resolved: str
    attributes: tuple[tuple[str, str], ...] = ()


COPY_ONLINE: Final = Procedure(
    "RC-LINEA",
    "REGISTRO-CIVIL",
    "request.received",
    "request.delivered",
    (("canal", "linea"),),
)
CALL_RECORD: Final = Procedure(
    "EM-CONSTANCIAS",
    "CENTRO-MANDO",
    "request.received",
    "request.delivered",
    (("tramite", "constancia"),),
)
DEBT_QUERY: Final = Procedure(
    "TE-ACLARACIONES",
    "TESORERIA",
    "request.received",
    "request.resolved",
    (("tramite", "aclaracion"),),
)
LICENCE: Final = Procedure(
    "DU-LICENCIAS",
    "URBANO",
    "request.complete",
    "request.resolved",
    (("tramite", "obra_menor"), ("plazo_legal", "15")),
)
FIRST_APPOINTMENT: Final = Procedure("IG-CITAS", "IGUALDAD", "request.received", "request.resolved")
PROCEDURES: Final = (COPY_ONLINE, CALL_RECORD, DEBT_QUERY, LICENCE, FIRST_APPOINTMENT)


def request(rng: Random, procedure: Procedure, turnaround: Turnaround | None = None) -> Course:
    """Return a request; without `turnaround` it takes some minutes."""
    takes = turnaround(rng) if turnaround else timedelta(minutes=2) + _gamma(rng, 2, 600)
    steps = (Step(procedure.received, timedelta()), Step(procedure.resolved, takes))
    return Course(FILES, procedure.service, steps, procedure.unit, dict(procedure.attributes))


def appointment(rng: Random) -> Course:
    """Return a legal consultation: who is early waits from the hour agreed."""
    arrived = timedelta(minutes=10) + timedelta(seconds=rng.randint(-600, 240))
    agreed = timedelta(minutes=10)
    wait = _gamma(rng, 2, 270)
    started = max(agreed, arrived) + wait
    ended = started + timedelta(minutes=rng.randint(26, 55))
    steps = (
        Step("appointment.arrived", arrived),
        Step("appointment.scheduled_for", agreed),
        Step("appointment.started", started),
        Step("appointment.ended", ended),
    )
    return Course(FILES, "IG-ASESORIA", steps, "IGUALDAD")


def _gamma(rng: Random, shape: int, mean_seconds: float) -> timedelta:
    return timedelta(seconds=round(rng.gammavariate(shape, mean_seconds / shape)))
