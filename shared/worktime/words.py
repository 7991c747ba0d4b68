"""A count as people read it: plain Spanish, one line for each day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from shared.worktime.explain import Count, CountedDay, Why
from shared.worktime.model import MICROSECONDS, OPEN_UNITS, Segment, Unit
from shared.worktime.prepared import PreparedCalendar

WEEKDAYS: Final = ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo")
MONTHS: Final = (
    *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
    *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
)
FOLDED_FROM: Final = 4
"""So many days in a row of a term from date to date are shown as two and an ellipsis."""

_UNITS: Final = {
    Unit.SECOND: ("segundo", "segundos"),
    Unit.MINUTE: ("minuto", "minutos"),
    Unit.HOUR: ("hora", "horas"),
    Unit.OPEN_MINUTE: ("minuto hábil", "minutos hábiles"),
    Unit.OPEN_HOUR: ("hora hábil", "horas hábiles"),
    Unit.WORKING_DAY: ("día hábil", "días hábiles"),
    Unit.CALENDAR_DAY: ("día natural", "días naturales"),
    Unit.MONTH: ("mes", "meses"),
}
_WHY: Final = {
    Why.START: "día del hecho: se cuenta desde el siguiente",
    Why.COUNTED: "cuenta",
    Why.RUNNING: "cuenta",
    Why.DATE_TO_DATE: "se cumple de fecha a fecha",
    Why.MOVED: "no cuenta: el vencimiento se recorre",
    Why.MOVED_HERE: "primer día que cuenta: aquí vence",
    Why.PAUSED: "en pausa: no cuenta",
    Why.USUAL_WEEK: "no cuenta: no es día hábil de la semana",
}
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Line:
    """One day as it is shown. `date` None stands for days between that need no line."""

    date: str | None
    weekday: str
    hours: str
    words: str
    total: str
    counts: bool


def lines(count: Count) -> list[Line]:
    """Return the lines of a count; long runs of a term from date to date are folded."""
    found: list[Line] = []
    run: list[Line] = []
    for day in count.days:
        line = _line(day, count)
        if day.why is Why.RUNNING:
            run.append(line)
            continue
        found += [*_folded(run), line]
        run = []
    return found + _folded(run)


def headline(count: Count, calendar: PreparedCalendar) -> str:
    """Say what is counted from when, such as `10 días hábiles desde el lunes 6 de julio…`."""
    local = count.start.astimezone(calendar.zone)
    return f"{term_words(count)} desde el {long_day(local.date())} a las {local:%H:%M}"


def term_words(count: Count) -> str:
    """`1 mes`, `2.5 horas hábiles`, `menos de 2 meses`."""
    one, many = _UNITS[count.rule.unit]
    below = "menos de " if count.rule.below else ""
    return f"{below}{count.rule.limit.normalize():f} {one if count.rule.limit == 1 else many}"


def due_words(count: Count, calendar: PreparedCalendar) -> str:
    """Say when the term ends, in the calendar's local time."""
    if count.due is None:
        return "El plazo está en pausa: todavía no se sabe cuándo vence."
    if count.rule.unit not in MICROSECONDS:
        last = (count.due - _INSTANT).astimezone(calendar.zone).date()
        return f"Vence al terminar el {long_day(last)}."
    local = count.due.astimezone(calendar.zone)
    return f"Vence el {long_day(local.date())} a las {local:%H:%M:%S}."


def listing(count: Count, calendar: PreparedCalendar) -> dict[str, Any]:
    """Return all of it ready for JSON."""
    known = calendar.calendar
    return {
        "calendar": {"id": known.id, "version": known.version, "zone": known.zone},
        "source": known.source,
        "start": count.start.isoformat(),
        "term": {
            "limit": str(count.rule.limit),
            "unit": count.rule.unit.value,
            "less_than": count.rule.below,
        },
        "due_at": None if count.due is None else count.due.isoformat(),
        "headline": headline(count, calendar),
        "due": due_words(count, calendar),
        "left_out": count.left_out,
        "days": [asdict(line) for line in lines(count)],
    }


def long_day(day: date) -> str:
    """`lunes 6 de julio de 2026`."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} de {MONTHS[day.month - 1]} de {day.year}"


def _line(day: CountedDay, count: Count) -> Line:
    unit = count.rule.unit
    return Line(
        date=day.day.isoformat(),
        weekday=WEEKDAYS[day.day.weekday()],
        hours=_hours(day.hours) if unit in OPEN_UNITS or unit is Unit.WORKING_DAY else "",
        words=_words(day, unit),
        total=_amount(day.total, unit),
        counts=day.added > 0,
    )


def _folded(run: list[Line]) -> list[Line]:
    if len(run) < FOLDED_FROM:
        return run
    between = f"{len(run) - 2} días más, fecha a fecha"
    return [run[0], Line(None, "", "", between, "", True), run[-1]]


def _hours(hours: tuple[Segment, ...]) -> str:
    return " y ".join(f"{opens}–{closes}" for opens, closes in hours) or "cerrado"


def _words(day: CountedDay, unit: Unit) -> str:
    if day.why is Why.EXCEPTION:
        return f"no cuenta: {_reasons(day)}"
    if unit in MICROSECONDS and day.added:
        return f"corren {_amount(day.added, unit)}"
    if unit in MICROSECONDS and day.why is Why.START:
        return "ya no corre ese día"
    return _WHY[day.why]


def _reasons(day: CountedDay) -> str:
    return "; ".join(
        f"{each.reason} ({each.act})" if each.act else each.reason for each in day.exceptions
    )


def _amount(total: int, unit: Unit) -> str:
    """Durations as hours, minutes and whole seconds: what is left of a second is not shown."""
    if unit not in MICROSECONDS:
        return str(total)
    minutes, rest = divmod(total, MICROSECONDS[Unit.MINUTE])
    shown = f"{minutes // 60} h {minutes % 60:02} min"
    seconds = rest // MICROSECONDS[Unit.SECOND]
    return f"{shown} {seconds} s" if seconds else shown
