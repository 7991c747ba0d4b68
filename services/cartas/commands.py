"""`worktime explain`: a term counted day by day, on a catalogue file or on what is published."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from services.cartas import report
from services.cartas.domain import read_catalogue
from services.cartas.settings import Settings
from services.cartas.store import catalogue as store
from shared.authoring.marked_yaml import MAX_BYTES
from shared.cli import run_with_pool
from shared.database import Pool
from shared.messaging import transaction
from shared.worktime import (
    CalendarExhaustedError,
    Pause,
    PreparedCalendar,
    Rule,
    StartRule,
    Unit,
    count_days,
    parse_rule,
)

START_RULES = {
    "dia_siguiente": StartRule.NEXT_COUNTING_DAY,
    "mismo_dia": StartRule.START_DAY,
}


_EXPLAIN = """Cuenta el plazo RULE desde START en CALENDAR, día por día.

START es una hora como "2026-07-06 10:00", local del calendario si no lleva desfase; RULE, un número
y una unidad: "10 dia_habil", "3 h_habil", "< 2 mes".
"""


@click.group("worktime", help="Tiempo hábil: qué hace un calendario de un plazo.")
def worktime() -> None:
    """Working time: what a calendar makes of a term."""


@worktime.command("explain", help=_EXPLAIN)
@click.argument("start")
@click.argument("rule")
@click.argument("calendar")
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Toma CALENDAR de este archivo y no de lo publicado.",
)
@click.option("--municipality", help="De qué municipio es CALENDAR, si hay más de uno.")
@click.option("--as-of", "as_of", help="Cuenta con el calendario como se conocía en este instante.")
@click.option("--pause", "pauses", multiple=True, metavar="DESDE/HASTA", help="HASTA puede faltar.")
@click.option("--until", help="Muestra la cuenta hasta este instante, también pasado el plazo.")
@click.option("--start-rule", type=click.Choice(list(START_RULES)), help="Cuál día es el día 1.")
def explain(
    start: str,
    rule: str,
    calendar: str,
    *,
    file: Path | None,
    municipality: str | None,
    as_of: str | None,
    pauses: tuple[str, ...],
    until: str | None,
    start_rule: str | None,
) -> None:
    """Count the term RULE from START on CALENDAR, day by day."""
    if file is not None:
        prepared = _of_file(file, calendar)
    else:
        prepared = _published(municipality, calendar, as_of)
    zone = prepared.zone
    try:
        count = count_days(
            _instant(start, zone),
            _rule(rule, start_rule),
            prepared,
            tuple(_pause(each, zone) for each in pauses),
            until=None if until is None else _instant(until, zone),
        )
    except CalendarExhaustedError as error:
        raise click.ClickException("El plazo no termina en ningún año que se conozca.") from error
    click.echo(report.counted(count, prepared))


def _rule(text: str, start_rule: str | None) -> Rule:
    try:
        return parse_rule(text, START_RULES.get(start_rule or ""))
    except ValueError as error:
        units = ", ".join(Unit)
        message = f"Un plazo es un número y una de estas unidades: {units}. No «{text}»"
        raise click.ClickException(message) from error


def _of_file(file: Path, name: str) -> PreparedCalendar:
    with file.open("rb") as opened:
        reading = read_catalogue(opened.read(MAX_BYTES + 1))
    if reading.catalogue is None:
        click.echo(report.places(reading.faults, str(file), "error"), err=True)
        raise click.ClickException(f"Primero hay que corregir {file}.")
    found = {each.id: each for each in reading.catalogue.calendars}
    if name not in found:
        raise click.ClickException(f"No hay calendario «{name}»; hay: {', '.join(found)}")
    return PreparedCalendar(found[name])


def _published(municipality: str | None, name: str, as_of: str | None) -> PreparedCalendar:
    async def work(pool: Pool, settings: Settings) -> PreparedCalendar | None:
        async with transaction(pool, service="cartas") as tx:
            town = municipality or await store.only_municipality(tx.connection)
            history = None
            if town is not None:
                history = await store.calendar_history(tx.connection, town, name)
        if history is None:
            return None
        return history.known_at(_instant(as_of, history.latest.zone)) if as_of else history.latest

    found = run_with_pool(Settings, work)
    if found is None:
        message = f"No está publicado el calendario «{name}» (¿de qué municipio? --municipality)."
        raise click.ClickException(message)
    return found


def _pause(text: str, zone: ZoneInfo) -> Pause:
    first, separator, last = text.partition("/")
    if not separator:
        raise click.ClickException(f"Una pausa se escribe DESDE/HASTA, no «{text}»")
    start, end = _instant(first, zone), _instant(last, zone) if last else None
    if end is not None and end < start:
        raise click.ClickException(f"La pausa «{text}» termina antes de empezar")
    return Pause(start, end)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    """Read an instant; without an offset it is a local time of the calendar."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        message = f"Se esperaba una fecha y hora como 2026-07-06 10:00, no «{text}»"
        raise click.ClickException(message) from error
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
