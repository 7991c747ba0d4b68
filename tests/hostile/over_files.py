"""Spoiled files through the real readers: tables, mappings, catalogues and their calendars."""

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from services.cartas.domain import decide, read_catalogue
from services.measurements.domain.mapping_file import MappingError, MappingFile
from services.measurements.use_cases.importing import FileImport, Report, look
from shared.database import Pool
from tests.hostile.over_http import Counts
from tests.hostile.spoiling import spoil_csv, spoil_text

NOW = datetime(2026, 7, 1, 18, 0, tzinfo=UTC)
PLACED = re.compile(r"^[\w.-]+(:\d+)?: .|^[\w.-]+: there is no column|^source ")
HEADER = ["turno", "vuelta", "tramite", "fila", "emitido", "llamado", "limite", "espera"]
MAPPING = """\
mapping: measurements/1
source: https://archivo.example/turnos
municipality: nogal
zone: America/Mexico_City
historical: {as_of: "2026-06-30T00:00:00-06:00"}
complete: true
delimiter: ","
encoding: utf-8-sig
case: [turno]
row: [turno, vuelta]
service: {column: tramite, values: {Acta: RC-ACTAS}, other: RC-OTROS}
attributes:
  fila: {column: fila, as_code: true}
  espera: {column: espera, decimal: ".", round: 1}
  hora: {column: emitido, hour_of: iso}
events:
  - {kind: ticket.issued, column: emitido}
  - {kind: ticket.called, column: llamado, format: ["%d/%m/%Y %H:%M", iso], optional: true}
  - {kind: service.ended, column: espera, after: ticket.issued, unit: min, optional: true}
due: {column: limite, end_of_day: true}
exclusions:
  - {reason: falla_electrica, column: fila, in: [sin luz]}
skip:
  - {name: antes, column: emitido, before: "2026-01-01"}
"""


def rows(rng: Random) -> list[list[str]]:
    return [
        [
            f"A{number}",
            str(rng.randint(1, 9)),
            rng.choice(("Acta", "Copia")),
            rng.choice(("norte", "sur", "sin luz")),
            f"2026-03-{rng.randint(1, 28):02} {rng.randint(8, 15):02}:00",
            f"{rng.randint(1, 28):02}/03/2026 16:30",
            "2026-04-01",
            f"{rng.randint(1, 90)}.5",
        ]
        for number in range(rng.randint(1, 20))
    ]


def check_place(kind: str, error: MappingError) -> None:
    assert PLACED.match(str(error)), (kind, str(error)[:300])


async def tables(pool: Pool, folder: Path, rng: Random, number: int) -> Counts:
    """Look at so many spoiled tables, as an import does before it changes anything."""
    counts: Counts = Counter()
    mapping = MappingFile("turnos.yaml", MAPPING)
    path = folder / "turnos.csv"
    for _ in range(number):
        kind, content = spoil_csv(rng, list(HEADER), rows(rng))
        path.write_bytes(content)
        job = FileImport(path, mapping, "nogal", NOW)
        try:
            report = await look(pool, job, moved=lambda _: None)
        except MappingError as error:
            check_place(kind, error)
            counts["tables (CSV, gzip)", "refused whole, with its place"] += 1
            continue
        counts["tables (CSV, gzip)", _looked(report)] += 1
    return counts


def _looked(report: Report) -> str:
    for line, refusal in report.refusals:
        assert line > 0
        assert refusal.field or refusal.detail, refusal
    told = report.new + report.repeated + report.refused + report.skipped.total()
    assert told == report.rows, report
    return "taken but for rows named by line" if report.refused else "taken"


def mappings(rng: Random, number: int) -> Counts:
    """Read so many spoiled mappings."""
    counts: Counts = Counter()
    for _ in range(number):
        kind, content = spoil_text(rng, MAPPING)
        try:
            MappingFile.from_bytes("turnos.yaml", content)
        except MappingError as error:
            check_place(kind, error)
            counts["mappings (YAML)", "refused with its place"] += 1
        else:
            counts["mappings (YAML)", "taken"] += 1
    return counts


def catalogues(rng: Random, text: str, number: int) -> Counts:
    """Read so many spoiled catalogues, calendars included, and decide what is new in them."""
    counts: Counts = Counter()
    for _ in range(number):
        kind, content = spoil_text(rng, text)
        reading = read_catalogue(content)
        outcome = "taken"
        if reading.catalogue is None:
            assert reading.faults, kind
            assert all(each.line > 0 and each.message for each in reading.faults), kind
            outcome = "refused with lines and fields"
        else:
            decide(reading.catalogue, (), NOW)
        counts["catalogues and calendars (YAML)", outcome] += 1
    return counts
