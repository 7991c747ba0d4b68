"""The figures of the real data sets, computed with plain Python from the files alone.

Nothing here imports what is under test: no criterion, no clock, no mapping.
"""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

NYC_FORMAT = "%m/%d/%Y %I:%M:%S %p"
NEW_YORK = ZoneInfo("America/New_York")
NYC_NOW = datetime(2014, 4, 24, 17, 54, 27, tzinfo=NEW_YORK).astimezone(UTC)

Key = tuple[str, str, str]
"""Compromiso, unit, window."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One figure as it must come out; `share` in percent, `margin` in points, with four places."""

    numerator: int | Decimal
    denominator: int | Decimal
    pending: int
    excluded: str
    share: str
    verdict: str
    margin: str = ""


def expected(counts: Counter[str], target: int) -> Expected:
    """Judge counts by name: met, failed, pending; all other names are exclusions."""
    met, decided = counts["met"], counts["met"] + counts["failed"]
    others = {name: n for name, n in counts.items() if name not in ("met", "failed", "pending")}
    excluded = " ".join(f"{name}={n}" for name, n in sorted(others.items()) if n)
    verdict = _verdict(met, decided, target)
    if verdict == "met" and 100 * met < target * (decided + counts["pending"]):
        verdict = "not_evaluated"
    if verdict == "not_met" and 100 * (met + counts["pending"]) >= target * (
        decided + counts["pending"]
    ):
        verdict = "not_evaluated"
    return Expected(met, decided, counts["pending"], excluded, share(met, decided), verdict)


def _verdict(part: int, whole: int, target: int) -> str:
    if not whole:
        return "not_evaluated"
    return "met" if 100 * part >= target * whole else "not_met"


def share(part: int, whole: int) -> str:
    """Return the percentage with four places, halves to even; empty where there is no whole."""
    if not whole:
        return ""
    return _four_places(Fraction(100 * part, whole))


def _four_places(exact: Fraction) -> str:
    return str(round(Decimal(exact.numerator) / Decimal(exact.denominator), 4))


def rows_of(file: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a file, compressed or not."""
    read = gzip.open if file.suffix == ".gz" else open
    with read(file, "rt", encoding="utf-8") as lines:
        yield from csv.DictReader(lines)


def warsaw(file: Path) -> dict[Key, Expected]:
    """By office and month of the due instant, the same by hour of issue, all together; the waits.

    The columns carry Warsaw's offset, which is +01:00 throughout: the date as written is local.
    """
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    waits: dict[tuple[str, str], list[timedelta | None]] = defaultdict(list)
    for row in rows_of(file):
        issued = datetime.fromisoformat(row["issued_by"])
        due = issued + timedelta(minutes=15)
        called = datetime.fromisoformat(row["called_by"]) if row["called_by"] else None
        outcome = "met" if called is not None and called <= due else "failed"
        counts["WAW-01-MES", row["office"], f"{due:%Y-%m}"][outcome] += 1
        counts[f"WAW-01-HORA-{issued:%H}", row["office"], f"{due:%Y-%m}"][outcome] += 1
        counts["WAW-01-PERIODO", "todas-las-oficinas", "periodo"][outcome] += 1
        waits[row["office"], f"{issued:%Y-%m}"].append(None if called is None else called - issued)
    figures = {key: expected(each, 80) for key, each in counts.items()}
    for place, each in waits.items():
        figures["WAW-01-MEDIA", *place] = _mean(each, 15)
        figures["WAW-01-P90", *place] = _ninetieth(each, 30)
    return figures


def _mean(waits: Sequence[timedelta | None], target: int) -> Expected:
    """Of those that were called, in minutes; the others are open for ever."""
    called = [wait for wait in waits if wait is not None]
    total = sum(called, timedelta()) // timedelta(minutes=1)
    verdict = "met" if total <= target * len(called) else "not_met"
    value = _four_places(Fraction(total, len(called)))
    return Expected(total, len(called), len(waits) - len(called), "", value, verdict)


def _ninetieth(waits: Sequence[timedelta | None], target: int) -> Expected:
    """The wait of the last ticket of the first nine tenths, by length; the least that is so."""
    minutes = sorted(wait // timedelta(minutes=1) for wait in waits if wait is not None)
    place = -(-9 * len(waits) // 10)
    value = minutes[place - 1] if place <= len(minutes) else None
    return Expected(
        numerator=sum(minutes),
        denominator=len(waits),
        pending=0,
        excluded="",
        share="" if value is None else _four_places(Fraction(value)),
        verdict="met" if value is not None and value <= target else "not_met",
    )


def nyc_day(file: Path) -> dict[Key, Expected]:
    """By agency and all together, under five days and under the city's own due dates."""
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in rows_of(file):
        created, closed, due = (
            _nyc_time(row[f"{name} Date"]) for name in ("Created", "Closed", "Due")
        )
        assert created is not None
        for suffix, unit in (("", "todas-las-agencias"), ("-AGENCIA", row["Agency"])):
            five_days = _outcome(created, closed, created + timedelta(hours=120), NYC_NOW)
            counts[f"NYC-01-5D{suffix}", unit, "2013-12-25"][five_days] += 1
            own = _outcome(created, closed, due, NYC_NOW)
            counts[f"NYC-01-PLAZO{suffix}", unit, "2013-12-25"][own] += 1
    return {key: expected(each, 90 if "5D" in key[0] else 100) for key, each in counts.items()}


def _nyc_time(text: str) -> datetime | None:
    """Return the instant, in UTC: hours that passed are those of the sun, not of the clocks."""
    if not text:
        return None
    return datetime.strptime(text, NYC_FORMAT).replace(tzinfo=NEW_YORK).astimezone(UTC)


def _outcome(
    created: datetime, closed: datetime | None, due: datetime | None, now: datetime
) -> str:
    if closed is not None and closed < created:
        return "fin_anterior_al_inicio"
    if due is None:
        return "limite_desconocido"
    if closed is None:
        return "failed" if due <= now else "pending"
    return "met" if closed <= due else "failed"


def nhs(file: Path) -> dict[Key, Expected]:
    """Sums of monthly counts: by month, organisation, department type, and all together."""
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0])
    everybody, period = "todas-las-organizaciones", "2016-2019"
    for row in rows_of(file):
        attended, late = int(row["attendances"]), int(row["breaches"])
        month, provider = row["period"][:7], row["org_code"]
        keys = [
            ("NHS-01-MES", everybody, month),
            ("NHS-01-PERIODO", everybody, period),
            ("NHS-01-ORG", provider, period),
            ("NHS-01-ORG-MES", provider, month),
        ]
        if row["type"] == "1":
            keys.append(("NHS-01-TIPO1", everybody, month))
        for key in keys:
            sums[key][0] += attended - late
            sums[key][1] += attended
    return {
        key: Expected(top, bottom, 0, "", share(top, bottom), _verdict(top, bottom, 95))
        for key, (top, bottom) in sums.items()
    }


BOSTON_NOW = datetime(2022, 5, 31, tzinfo=NEW_YORK).astimezone(UTC)


def boston(file: Path) -> dict[Key, Expected]:
    """Under the city's own targets, all and by department; and the share the city marks in time."""
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for row, outcome in boston_outcomes(file):
        counts["BOS-01-PLAZO", "todos-los-departamentos", "2022-01"][outcome] += 1
        counts["BOS-01-PLAZO-DEPTO", row["department"], "2022-01"][outcome] += 1
    figures = {key: expected(each, 100) for key, each in counts.items()}
    marks = Counter(row["ontime"] for row in rows_of(file))
    marked, total = marks["ONTIME"], marks.total()
    figures["BOS-01-MARCA", "todos-los-departamentos", "2022-01"] = Expected(
        marked, total, 0, "", share(marked, total), "not_evaluated"
    )
    return figures


def boston_outcomes(file: Path) -> Iterator[tuple[dict[str, str], str]]:
    """Yield each row with what plain Python makes of it."""
    for row in rows_of(file):
        opened, target, closed = (
            datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC) if text else None
            for text in (row["open_dt"], row["target_dt"], row["closed_dt"])
        )
        assert opened is not None
        yield row, _outcome(opened, closed, target, BOSTON_NOW)


ANIMALS_NOW = datetime(2025, 2, 6, 14, 33, 38, tzinfo=NEW_YORK).astimezone(UTC)
NO_CLOSINGS = datetime(2013, 7, 1, tzinfo=NEW_YORK)
INSTANT_CLOSINGS = datetime(2020, 1, 1, tzinfo=NEW_YORK)
SENTINEL = "01/01/1900 12:00:00 AM"
EVERYTHING = ("cierre_ficticio", "cierres_al_recibir", "cierres_sin_registrar", "queja_repetida")


def animals(file: Path) -> dict[Key, Expected]:
    """Month by month, at face value and without what was not recorded in truth."""
    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in rows_of(file):
        created, closed, updated, due = (
            _nyc_time(row[f"{name} Date"])
            for name in ("Created", "Closed", "Resolution Action Updated", "Due")
        )
        assert created is not None
        in_30_days, faults = created + timedelta(hours=720), _faults(row, created)
        month = f"{created.astimezone(NEW_YORK):%Y-%m}"
        for compromiso, stop, limit, left_out in (
            ("ANI-01-30D", closed, in_30_days, ("cierre_ficticio",)),
            ("ANI-01-30D-DEPURADO", closed, in_30_days, EVERYTHING),
            ("ANI-01-PLAZO", closed, due, ("cierre_ficticio",)),
            ("ANI-01-PLAZO-DEPURADO", closed, due, EVERYTHING),
            ("ANI-01-MOVIMIENTO", updated, in_30_days, ("cierres_al_recibir", "queja_repetida")),
        ):
            fault = next((name for name in faults if name in left_out), None)
            outcome = fault or _outcome(created, stop, limit, ANIMALS_NOW)
            counts[compromiso, "departamento-de-salud", month][outcome] += 1
    return {key: expected(each, 80) for key, each in counts.items()}


def _faults(row: dict[str, str], created: datetime) -> list[str]:
    """Return what is wrong with how a complaint was recorded, in alphabetical order."""
    found = []
    if row["Closed Date"] == SENTINEL:
        found.append("cierre_ficticio")
    if created >= INSTANT_CLOSINGS:
        found.append("cierres_al_recibir")
    elif created >= NO_CLOSINGS:
        found.append("cierres_sin_registrar")
    if "received an earlier complaint about the same location" in row["Resolution Description"]:
        found.append("queja_repetida")
    return found


PROBLEMS = {"agua": "01", "alumbrado": "05", "basura": "06", "baches": "10"}


def survey(file: Path) -> dict[Key, Expected]:
    """Weighted shares of those who answered, by quarter and municipality; and answers counted."""
    everybody = "todos-los-municipios"
    sums: dict[Key, Counter[str]] = defaultdict(Counter)
    plain: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in rows_of(file):
        answer, weight, quarter = row["BP3_2"], int(row["FAC_SEL"]), f"2025-Q{row['PER'][0]}"
        unanswered = {"": "no_contesto", "9": "no_sabe"}.get(answer)
        for compromiso, unit in (
            ("ENSU-01-EFICACIA", everybody),
            ("ENSU-01-EFICACIA-MUN", row["NOM_MUN"].replace(" ", "_")),
        ):
            sums[compromiso, unit, quarter].update(
                {unanswered: 1}
                if unanswered
                else {
                    "all": weight,
                    "squares": weight**2,
                    "part": weight * (answer in "12"),
                    "items": 1,
                }
            )
        for name, number in PROBLEMS.items():
            part = weight * (row[f"BP3_1_{number}"] == "1")
            key = (f"ENSU-01-{name.upper()}", everybody, quarter)
            sums[key].update(
                {"all": weight, "squares": weight**2, "part": part, "items": 1, "informative": 1}
            )
        outcome = {"": "sin_respuesta", "9": "fuera_de_escala", "1": "met", "2": "met"}
        key = ("ENSU-01-SIN-PESO", everybody, quarter)
        plain[key][outcome.get(answer, "failed")] += 1
    return {key: _weighted(each) for key, each in sums.items()} | {
        key: _with_margin(expected(each, 25)) for key, each in plain.items()
    }


def _with_margin(figure: Expected) -> Expected:
    """Every answer has the same weight: the effective sample is their number."""
    return replace(figure, margin=_margin(Fraction(figure.denominator)))


def _margin(effective: Fraction) -> str:
    """Return two standard errors of the worst case, in points: 100 over the root of the sample."""
    root = (Decimal(effective.numerator) / Decimal(effective.denominator)).sqrt()
    return str((100 / root).quantize(Decimal("0.0001")))


def _weighted(sums: Counter[str]) -> Expected:
    part, whole = sums["part"], sums["all"]
    left_out = {name: sums[name] for name in ("no_contesto", "no_sabe") if sums[name]}
    is_judged = sums["items"] >= 30 and not sums["informative"]
    return Expected(
        numerator=part,
        denominator=whole,
        pending=0,
        excluded=" ".join(f"{name}={n}" for name, n in left_out.items()),
        share=share(part, whole),
        verdict=_verdict(part, whole, 25) if is_judged else "not_evaluated",
        margin=_margin(Fraction(whole**2, sums["squares"])),
    )


PLAIN: dict[str, Callable[[Path], dict[Key, Expected]]] = {
    "warszawa": warsaw,
    "nueva-york": nyc_day,
    "nhs-england": nhs,
    "boston": boston,
    "nueva-york-animales": animals,
    "cuernavaca-zona": survey,
}
"""The computation for each municipality's file."""
