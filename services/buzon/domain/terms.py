"""By when a folio is answered: the carta's own promise, else ten working days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from shared.contracts.cartas import CartaData, MunicipalityData, Status
from shared.contracts.complaints import ComplaintKind
from shared.criteria import Clock, Limit, Op, Share
from shared.worktime import Pause, PreparedCalendar, StartRule, Unit, due_instant

ANSWER_BASE: Final = "tiempo_respuesta_buzon"
SUBMITTED: Final = "buzon.submitted"
DEFAULT_WORKING_DAYS: Final = Decimal(10)
"""Where a carta promises nothing (domain reference, buzon: answer term)."""

CLARIFICATION: Final = "aclaracion_solicitada"
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Term:
    """How long an answer may take. `pauses` names the only reasons that stop its clock."""

    limit: Decimal
    unit: Unit
    calendar: str | None
    start_rule: StartRule | None
    pauses: tuple[str, ...]


def carta_in_force(versions: tuple[CartaData, ...], day: date) -> CartaData | None:
    """Return the version that holds on the local `day`; of several, the latest."""
    valid = [
        carta
        for carta in versions
        if carta.status is Status.ACTIVE
        and carta.valid_from <= day
        and (carta.valid_to is None or day <= carta.valid_to)
    ]
    return max(valid, key=lambda carta: carta.version, default=None)


def term_of(carta: CartaData | None, kind: ComplaintKind, municipality: MunicipalityData) -> Term:
    """Return the term of the carta's own answer promise for this kind, else the default."""
    promised = _promised(carta, kind) if carta is not None else None
    return promised or Term(
        limit=DEFAULT_WORKING_DAYS,
        unit=Unit.WORKING_DAY,
        calendar=municipality.calendar,
        start_rule=None,
        pauses=(CLARIFICATION,),
    )


def answer_by(
    filed_at: datetime,
    term: Term,
    pauses: tuple[Pause, ...],
    *,
    calendar: PreparedCalendar | None,
    zone: str,
) -> date | None:
    """Return the last local date on which an answer keeps the term.

    None while a pause that stops the clock is open, or as long as the calendar is not known.
    """
    if calendar is None and term.calendar is not None:
        return None
    due = due_instant(filed_at, term.limit, term.unit, calendar, pauses, start_rule=term.start_rule)
    if due is None:
        return None
    # A term in days ends at the midnight after its last day: one instant earlier is that day.
    return (due - _INSTANT).astimezone(ZoneInfo(zone)).date()


def _promised(carta: CartaData, kind: ComplaintKind) -> Term | None:
    known = {"carta": carta.carta, "tipo": kind.value}
    for compromiso in carta.compromisos:
        if compromiso.base != ANSWER_BASE:
            continue
        for part in compromiso.criterion.parts:
            if isinstance(part.figure, Share) and (term := _term_in(part.figure, known)):
                return term
    return None


def _term_in(share: Share, known: dict[str, str]) -> Term | None:
    """Return the term of a share that is timed from filing, for folios of this carta and kind."""
    clock, population, value = share.value, share.population, _value(share.limit, known)
    if value is None or not isinstance(clock, Clock):
        return None
    if (clock.start.event, population.event) != (SUBMITTED, SUBMITTED):
        return None
    if not all(known.get(name) in values for name, values in population.where.items()):
        return None
    return Term(
        limit=value,
        unit=clock.unit,
        calendar=clock.calendar,
        start_rule=clock.start_rule,
        pauses=clock.pauses,
    )


def _value(limit: Limit, known: dict[str, str]) -> Decimal | None:
    """Return the limit if it is an upper one whose edge is inside, fixed or looked up by kind."""
    if limit.op is not Op.AT_MOST:
        return None
    if limit.by is not None:
        return limit.values.get(known.get(limit.by, ""))
    return limit.value
