"""The corpus file as its authors wrote it: texts become instants, fractions and cases, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import yaml

from shared.criteria import Case, CasePause

FILE: Final = Path(__file__).with_name("promises.yaml")
ROWS: Final = 79
_DECLARED: Final = (
    *("texto", "criterio", "umbral", "informativo", "ventana", "min_muestra"),
    *("desfase_cierre_dias", "subsanacion"),
)
"""Fields of a promise that are a compromiso's own, as a catalogue has them."""
_CASE_WORDS: Final = frozenset(
    {"veces", "dias", "con", "excluido", "prometido", "pausas", "abandono", "es", "en"}
)
_LATEST: Final = "2027-12-31 00:00"
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of cases: `cases` alike, what each is under each measure, and in which window."""

    cases: tuple[Case, ...]
    verdicts: tuple[str, ...] | None
    windows: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Trial:
    """Facts and the result that a person expects of them; `after` a correction, where there is."""

    edge: str
    reason: str
    facts: tuple[Fact, ...]
    known: datetime | None
    impediment: str | None
    expected: Fields
    corrected: tuple[Fact, ...] | None
    after: Fields | None


@dataclass(frozen=True, slots=True)
class Defect:
    """A change that makes the promise contradict itself, and words of the message that says so."""

    changes: Fields
    says: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier version said instead, and whether the one of now promises less."""

    changes: Fields
    is_loosened: bool


@dataclass(frozen=True, slots=True, eq=False)
class Promise:
    """One row. `row` is its number, `reading` set where the row can be read in two ways."""

    row: int
    reading: str
    body: str
    note: str
    uncodable: str
    period: str
    declared: Fields
    warnings: tuple[str, ...]
    defects: tuple[Defect, ...]
    earlier: Earlier | None
    trials: tuple[Trial, ...]

    @property
    def name(self) -> str:
        return f"{self.row}{f' {self.reading}' if self.reading else ''}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """The whole file; `calendars` as a catalogue declares them."""

    zone: ZoneInfo
    calendars: Mapping[str, Fields]
    promises: tuple[Promise, ...]


@cache
def corpus() -> Corpus:
    """Return the corpus. BaseLoader keeps every scalar as the text that was written."""
    read = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    zone = ZoneInfo(read["zona"])
    return Corpus(zone, read["calendarios"], tuple(_promise(p, zone) for p in read["promesas"]))


def _promise(written: Fields, zone: ZoneInfo) -> Promise:
    return Promise(
        row=int(written["fila"]),
        reading=written.get("lectura", ""),
        body=written["de"],
        note=written.get("nota", ""),
        uncodable=written.get("no_codificable", ""),
        period=written["periodo"],
        declared={key: written[key] for key in _DECLARED if key in written},
        warnings=tuple(written.get("avisos", ())),
        defects=tuple(Defect(_changes(d), d["dice"]) for d in written.get("defectos", ())),
        earlier=_earlier(written["antes"]) if "antes" in written else None,
        trials=tuple(_trial(t, written.get("dia", ""), zone) for t in written["pruebas"]),
    )


def _changes(written: Fields) -> Fields:
    return {key: value for key, value in written.items() if key in _DECLARED}


def _earlier(written: Fields) -> Earlier:
    return Earlier(_changes(written), is_loosened=written["relaja"] == "sí")


def _trial(written: Fields, day: str, zone: ZoneInfo) -> Trial:
    lines = written["casos"]
    corrected = None
    if "correccion" in written:
        change = dict(written["correccion"])
        place = int(change.pop("caso")) - 1
        kept = {key: value for key, value in lines[place].items() if key not in ("es", "en")}
        corrected = [*lines[:place], {**kept, **change}, *lines[place + 1 :]]
    known = written.get("sabido", _LATEST)
    return Trial(
        edge=written["borde"],
        reason=written["porque"],
        facts=tuple(_fact(line, day, zone) for line in lines),
        known=None if known == "nada" else instant(known, day, zone),
        impediment=written.get("impedimento"),
        expected=written["resultado"],
        corrected=None if corrected is None else tuple(_fact(c, day, zone) for c in corrected),
        after=written.get("corregido"),
    )


def _fact(written: Fields, day: str, zone: ZoneInfo) -> Fact:
    days = list(_days(written["dias"])) if "dias" in written else [day]
    cases = tuple(_case(written, each, zone) for each in days) * int(written.get("veces", 1))
    return Fact(cases, _listed(written.get("es")), _listed(written.get("en")))


def _listed(written: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if written is None or isinstance(written, str):
        return None if written is None else (written,)
    return tuple(written)


def _case(written: Fields, day: str, zone: ZoneInfo) -> Case:
    events = {key: instant(at, day, zone) for key, at in written.items() if key not in _CASE_WORDS}
    assert all("." in kind for kind in events), f"no event: {sorted(events)}"
    left, own_due = (written.get(key) for key in ("abandono", "prometido"))
    return Case(
        events=events,
        pauses=tuple(_pause(pause, day, zone) for pause in written.get("pausas", ())),
        exclusions=frozenset(written.get("excluido", ())),
        attributes=dict(written.get("con", {})),
        own_due=None if own_due is None else instant(own_due, day, zone),
        abandoned_at=None if left is None else instant(left, day, zone),
    )


def _pause(written: Sequence[str], day: str, zone: ZoneInfo) -> CasePause:
    reason, start, *end = written
    ends = instant(end[0], day, zone) if end else None
    return CasePause(reason, instant(start, day, zone), ends)


def _days(written: Sequence[str]) -> Iterator[str]:
    for each in written:
        first, _, last = each.partition("..")
        current, end = date.fromisoformat(first), date.fromisoformat(last or first)
        while current <= end:
            yield current.isoformat()
            current += timedelta(days=1)


def instant(written: str, day: str, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a local time; one without a date is on `day`."""
    text = written if re.match(r"[0-9]{4}-", written) else f"{day} {written}"
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def counts(written: str) -> tuple[Fraction, Fraction]:
    """Return numerator and denominator of "9 de 10"."""
    numerator, denominator = written.split(" de ")
    return Fraction(numerator), Fraction(denominator)
