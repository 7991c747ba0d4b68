"""The corpus through the product: catalogue read, cases judged and counted, result said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import yaml

from services.cartas.domain import Reading, read_catalogue
from shared.contracts.cartas import CartaData, Compromiso
from shared.criteria import (
    Case,
    Counts,
    Criterion,
    NotEvaluated,
    Result,
    Setting,
    WindowBounds,
    Windows,
    earlier_window,
    judge_result,
    measures_of,
    references_of,
    window_of,
)
from shared.criteria.ledger import Bench, Ledger, judged
from shared.worktime import PreparedCalendar
from tests.corpus.reading import Fact, Fields, Promise, Trial, corpus

DEFAULT_CALENDAR: Final = "HABIL"
_MONTHS: Final = {"Q": 3, "S": 6}


def catalogue(promise: Promise, changes: Fields | None = None) -> Reading:
    """Return what the cartas service reads of a catalogue with this promise only."""
    declared = {
        "id": f"FILA-{promise.row}",
        "indicador": dict.fromkeys(
            ("nombre", "formula", "fuente", "medicion"), "según el criterio"
        ),
        **promise.declared,
        **(changes or {}),
    }
    whole = {
        "esquema": "cartas/1",
        "municipio": {
            "nombre": "Corpus",
            "clave": "corpus",
            "entidad": "Estado de México",
            "coordinacion": "Coordinación",
            "calendario": DEFAULT_CALENDAR,
            "zona_horaria": str(corpus().zone),
        },
        "calendarios": [{"id": name, **each} for name, each in corpus().calendars.items()],
        "cartas": [{**_CARTA, "compromisos": [declared]}],
    }
    return read_catalogue(yaml.dump(whole, Dumper=_Plain, allow_unicode=True).encode())


class _Plain(yaml.SafeDumper):
    """Writes repeated values out: a catalogue has no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_CARTA: Final[Fields] = {
    "codigo": "CORPUS-01",
    "nombre": "Promesas reales",
    "dependencia": "Corpus",
    "unidad_responsable": "Corpus",
    "version": "1",
    "vigencia": {"desde": "2024-01-01", "hasta": "2027-12-31"},
    "aprobacion": {"organo": "Comité", "acta": "ACTA-1", "fecha": "2023-12-10"},
    "calendario": DEFAULT_CALENDAR,
}


@dataclass(frozen=True, slots=True)
class Judge:
    """A promise ready to judge: its bench, its compromiso, and the window that is looked at."""

    bench: Bench
    carta: CartaData
    compromiso: Compromiso
    bounds: WindowBounds

    @property
    def criterion(self) -> Criterion:
        return self.compromiso.criterion


@cache
def judge_of(promise: Promise) -> Judge:
    """Return the judge of a promise. Raises AssertionError with the faults of its catalogue."""
    reading = catalogue(promise)
    compromiso = only(reading)
    assert reading.catalogue is not None
    [carta] = reading.catalogue.cartas
    zone = corpus().zone
    bounds = window_of(compromiso.window, _within(promise.period), zone)
    assert bounds is not None
    assert bounds.id == promise.period
    calendars = {each.id: PreparedCalendar(each) for each in reading.catalogue.calendars}
    needed = [measure.calendar for measure in measures_of(compromiso.criterion)]
    by_measure = [None if name is None else calendars[name] for name in needed]
    return Judge(
        Bench(compromiso.criterion, Windows(compromiso.window, zone), by_measure),
        carta.data,
        compromiso,
        bounds,
    )


def only(reading: Reading) -> Compromiso:
    """Return the compromiso that was read."""
    assert reading.catalogue is not None, reading.faults
    (carta,) = reading.catalogue.cartas
    (compromiso,) = carta.data.compromisos
    return compromiso


def _within(period: str) -> datetime:
    """Return an instant of 2026, 2026-03, 2026-Q1 or 2026-S1: its first fifteenth at noon."""
    year, _, rest = period.partition("-")
    month = 1
    if rest:
        length = _MONTHS.get(rest[0])
        month = int(rest) if length is None else (int(rest[1:]) - 1) * length + 1
    return datetime(int(year), month, 15, 12, tzinfo=UTC)


def counted(judge: Judge, facts: Sequence[Fact], *, known: datetime | None) -> Ledger:
    """Return the counts of all cases, each looked at once."""
    ledger = Ledger()
    for number, case in enumerate(all_cases(facts)):
        ledger.take(str(number), judged(judge.bench, case, known=known))
    return ledger


def all_cases(facts: Sequence[Fact]) -> list[Case]:
    return [case for fact in facts for case in fact.cases]


def counts_of(judge: Judge, ledger: Ledger, *, known: datetime | None) -> Counts:
    """Return the counts of the window, with those of the earlier windows that it follows."""
    bench = judge.bench
    width = len(bench.calendars)
    earlier = {}
    for reference in references_of(bench.criterion):
        before = earlier_window(bench.windows.window, judge.bounds, reference, bench.windows.zone)
        assert before is not None
        setting = Setting(before, bench.windows.zone, bench.calendars, known)
        earlier[reference] = Counts(setting, ledger.cells(before.id, width))
    setting = Setting(judge.bounds, bench.windows.zone, bench.calendars, known)
    return Counts(setting, ledger.cells(judge.bounds.id, width), earlier)


def result_of(judge: Judge, trial: Trial, ledger: Ledger) -> Result:
    """Return the result at the cut-off."""
    known = trial.known
    return judge_result(
        judge.criterion,
        counts_of(judge, ledger, known=known),
        minimum_sample=judge.compromiso.minimum_sample,
        source_known=known is not None and known >= judge.bounds.end,
        final=True,
        impediment=None if trial.impediment is None else NotEvaluated(trial.impediment),
    )
