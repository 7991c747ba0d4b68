"""Files: each row once whatever is killed; the same again nothing; a corrected one its changes."""

import gzip
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.contracts import hot, topics
from shared.contracts.measurements import ImportPhase
from tests.integration.measurements.support import Messages, System
from tests.support.waiting import eventually

HEADER = "oficina,turno,emitido,llamado\n"
MAPPING = """\
mapping: measurements/1
source: https://turnos.example/csv
municipality: nogal
zone: America/Mexico_City
historical: {as_of: "2026-02-01T00:00:00-06:00"}
complete: true
case: [oficina, turno]
service: RC-ACTAS
unit: {column: oficina}
events:
  - {kind: ticket.issued, column: emitido}
  - {kind: ticket.called, column: llamado, optional: true}
"""
OPENING = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def lines(number: int) -> list[str]:
    """Rows of which every tenth was never called."""
    return [_line(index) for index in range(number)]


def _line(index: int, *, wait: int = 7) -> str:
    issued = OPENING + timedelta(minutes=index)
    called = "" if index % 10 == 9 else (issued + timedelta(minutes=wait)).isoformat()
    return f"CENTRO,{index:05},{issued.isoformat()},{called}\n"


def write(system: System, rows: list[str], name: str = "turnos.csv") -> Path:
    path = system.folder / name
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    (system.folder / "turnos.yaml").write_text(MAPPING, encoding="utf-8")
    return path


async def run(system: System, path: Path, *more: str, expect: int = 0) -> str:
    mapping = str(system.folder / "turnos.yaml")
    return await system.command("import", str(path), "--mapping", mapping, *more, expect=expect)


async def outbox_ids(system: System) -> list[str]:
    rows = await system.pool.fetch(
        "SELECT payload FROM outbox WHERE topic = 'service-events.v1' ORDER BY id"
    )
    return [hot.decode_service_event(row["payload"]).id for row in rows]


async def test_a_dry_run_says_what_it_would_do_and_does_nothing(stopped: System) -> None:
    path = write(stopped, lines(20))
    output = await run(stopped, path, "--dry-run")
    assert "20 rows: 20 new, 0 changed" in output
    assert "would publish 38 events" in output
    for table in ("source", "file_import", "import_row", "outbox"):
        assert await stopped.count(table) == 0


async def test_the_same_file_again_publishes_nothing(stopped: System) -> None:
    path = write(stopped, lines(2500))
    assert "published 4750 events" in await run(stopped, path)
    before = await outbox_ids(stopped)
    assert len(before) == len(set(before)) == 4750
    assert "nothing to publish" in await run(stopped, path)
    assert await outbox_ids(stopped) == before
    assert await stopped.count("file_import") == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_killed_at_any_row_and_run_again_each_row_is_published_once(
    stopped: System, seed: int
) -> None:
    number = 12_000
    path = write(stopped, lines(number))
    stop_after = random.Random(seed).randrange(1, number)
    await kill_when(stopped, path, rows=stop_after)
    cut_off = await stopped.count("import_row")
    assert cut_off < number
    assert await stopped.pool.fetchval("SELECT count(*) FROM file_import WHERE loaded_at IS NULL")
    await run(stopped, path)
    ids = await outbox_ids(stopped)
    assert len(ids) == len(set(ids)) == number + number * 9 // 10
    (done,) = await stopped.pool.fetch("SELECT expected, published, loaded_at FROM file_import")
    assert done["expected"] == done["published"] == len(ids)
    assert done["loaded_at"] is not None


async def kill_when(system: System, path: Path, *, rows: int) -> None:
    """Start an import and SIGKILL it as soon as it has written so many rows."""
    mapping = str(system.folder / "turnos.yaml")
    process = await system.start("import", str(path), "--mapping", mapping)

    async def written() -> bool:
        return process.returncode is not None or await system.count("import_row") >= rows

    await eventually(written, timeout=60)
    assert process.returncode is None, "the import ended before it could be killed"
    process.kill()
    await process.wait()


async def test_a_corrected_file_publishes_only_the_differences(system: System) -> None:
    rows = lines(300)
    await run(system, write(system, rows), "--wait")
    corrected = list(rows)
    corrected[3] = _line(3, wait=30)
    corrected[19] = _line(19).replace(",\n", ",2026-01-05T12:00:00+00:00\n")
    corrected[20] = _line(20).rpartition(",")[0] + ",\n"
    del corrected[100]
    assert "published 5 events" in await run(system, write(system, corrected), "--wait")
    async with system.messages(topics.MEASUREMENTS) as messages:
        cases = await whole(messages, system)
        imports = await messages.imports()
    assert cases["CENTRO/00003"].data.instants["ticket.called"] == OPENING + timedelta(minutes=33)
    assert "ticket.called" in cases["CENTRO/00019"].data.instants
    assert "ticket.called" not in cases["CENTRO/00020"].data.instants
    assert cases["CENTRO/00100"].data.instants == {}
    assert all(case.data.historical for case in cases.values())
    phases = [(item.data.phase, item.data.expected_events) for item in imports]
    assert sorted(phases) == [
        (ImportPhase.BEGUN, 5),
        (ImportPhase.BEGUN, 570),
        (ImportPhase.COMPLETED, 5),
        (ImportPhase.COMPLETED, 570),
    ]
    balance = await system.balance()
    # The late call is new; the wait, the blank and the two of the row that is gone correct.
    assert (balance["facts"], balance["corrections"], balance["refused"]) == (571, 4, 0)
    await system.command("balance")


async def whole(messages: Messages, system: System) -> dict[str, hot.CaseMeasured]:
    """The cases, once every fact stored has come out."""
    facts = await system.count("fact")

    async def all_out() -> dict[str, hot.CaseMeasured] | None:
        cases = await messages.cases()
        return cases if sum(case.data.revision for case in cases.values()) == facts else None

    return await eventually(all_out)


async def test_a_historical_source_is_complete_when_all_is_accounted_for(system: System) -> None:
    await run(system, write(system, lines(50)), "--wait")
    async with system.messages(topics.MEASUREMENTS) as messages:

        async def told() -> hot.SourceState | None:
            for progress in await messages.progress():
                for state in progress.data.sources:
                    if state.complete_through is not None:
                        return state
            return None

        state = await eventually(told)
    assert state.kind == "historical"
    assert state.complete_through == datetime(2026, 2, 1, 6, tzinfo=UTC)


async def test_rows_that_cannot_be_read_are_kept_with_their_place(stopped: System) -> None:
    rows = lines(12)
    rows[4] = rows[4].replace("2026-01-05T09:04", "ayer")
    rows[6] = "CENTRO,x\n"
    rows.append(rows[0].replace("CENTRO,00000,2026-01-05T09:00", "CENTRO,00000,2026-01-05T08:00"))
    rows.append(rows[1])
    path = write(stopped, rows)
    output = await run(stopped, path)
    assert "14 rows: 10 new, 0 changed, 0 unchanged, 1 repeated, 0 skipped, 3 refused" in output
    assert "turnos.csv:6, column emitido: unreadable_value" in output
    found = await stopped.pool.fetch(
        "SELECT file, line, field, reason FROM edge_refusal ORDER BY line"
    )
    assert [tuple(row.values()) for row in found] == [
        ("turnos.csv", 6, "emitido", "unreadable_value"),
        ("turnos.csv", 8, None, "wrong_number_of_columns"),
        ("turnos.csv", 14, None, "duplicate_row"),
    ]


async def test_a_mapping_for_a_missing_column_names_file_column_and_line(stopped: System) -> None:
    path = write(stopped, lines(2))
    path.write_text(path.read_text().replace("llamado", "atendido"))
    output = await run(stopped, path, expect=1)
    assert 'turnos.csv: there is no column "llamado", named in turnos.yaml:12' in output
    assert await stopped.count("source") <= 1
    assert await stopped.count("outbox") == 0


async def test_gzip_is_read_and_a_truncated_one_changes_nothing(stopped: System) -> None:
    plain = write(stopped, lines(2000))
    packed = stopped.folder / "turnos.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    cut = stopped.folder / "cortado.csv.gz"
    cut.write_bytes(packed.read_bytes()[:-2000])
    assert "cannot be read to its end" in await run(stopped, cut, expect=1)
    assert await stopped.count("outbox") == 0
    assert "published 3800 events" in await run(stopped, packed)


async def test_a_mapping_that_does_not_fit_its_source_is_refused(stopped: System) -> None:
    await stopped.add_source("https://turnos.example/csv", services="OTRO")
    output = await run(stopped, write(stopped, lines(2)), expect=1)
    assert "registered as live" in output
    assert "registered for the services OTRO" in output


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("mapping", "file", "rows", "events"),
    [
        ("warsaw-tickets", "warsaw_tickets_derived.csv.gz", 152_777, 152_777 * 2 - 497),
        ("nyc-311-day", "nyc311_2013-12-25_all_agencies.csv", 2_386, 2_386 * 2 - 77),
        ("boston-311", "boston311_2022-01_sample100.csv", 100, 100 * 2 - 15),
        ("nhs-4h", "nhs_england_ae_4h_2016_2019.csv", 12_765, 12_765),
        ("inegi-ensu", "inegi_ensu_2025_cuernavaca.csv", 1_060, 1_060 + 16 + 12),
        (  # received, closed (two of them in 1900), updated; not in truth since July 2013; repeated
            "nyc-311-animals",
            "nyc311_dohmh_animal_complaints_2010_2025.csv",
            5_895,
            5_895 + (5_895 - 3_431) + 3_818 + (2_013 + 2_953) + 22,
        ),
    ],
)
async def test_the_shipped_mappings_read_every_row_of_their_files(
    stopped: System, shared_data: Path, *, mapping: str, file: str, rows: int, events: int
) -> None:
    path = str(shared_data / "data" / file)
    output = await stopped.command("import", path, "--mapping", mapping, "--dry-run")
    assert f"{rows} rows: {rows} new" in output
    assert "0 refused" in output
    assert f"would publish {events} events" in output


LOG = """\
Dirección de Obras;;;;
Reporte de movimientos;;;;
Folio;Movimiento;Fecha;Hora;Días
7;Alta;02/03/2026;09:00;3,5
7;Prevención;02/03/2026;10:00;
8;Alta;02/03/2026;11:00;mañana
7;Cierre;04/03/2026;12:30;
"""
LOG_MAPPING = """\
mapping: measurements/1
source: https://obras.example/movimientos
municipality: nogal
zone: America/Mexico_City
encoding: cp1252
delimiter: ";"
skip_lines: 2
case: [Folio]
row: [Folio, Movimiento]
service: OBRAS
events:
  - kind:
      column: Movimiento
      values: {Alta: request.received, Prevención: case.paused, Cierre: request.closed}
    column: Fecha
    clock: Hora
    format: "%d/%m/%Y %H:%M"
    reason: {column: Movimiento, values: {Prevención: prevencion}}
due: {column: Días, after: request.received, unit: d, decimal: ","}
"""


async def test_a_log_as_offices_keep_it_becomes_cases_and_faults_have_their_line(
    stopped: System,
) -> None:
    path = stopped.folder / "obras.csv"
    path.write_text(LOG, encoding="cp1252")
    mapping = stopped.folder / "obras.yaml"
    mapping.write_text(LOG_MAPPING, encoding="utf-8")
    output = await stopped.command("import", str(path), "--mapping", str(mapping))
    assert "4 rows: 3 new" in output
    assert "refused obras.csv:6, column Días: unreadable_value" in output
    rows = await stopped.pool.fetch("SELECT payload FROM outbox WHERE topic = 'service-events.v1'")
    events = {e.type: e for e in (hot.decode_service_event(row["payload"]) for row in rows)}
    assert {event.data.case for event in events.values()} == {"7"}
    assert events["request.received"].data.due_at == datetime(2026, 3, 6, 3, tzinfo=UTC)
    assert events["case.paused"].data.reason == "prevencion"
    assert events["request.closed"].time == datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
    moved = LOG.replace("7;Cierre", "9;Cierre").replace("8;Alta", "9;Alta").replace("mañana", "1")
    path.write_text(moved, encoding="cp1252")
    again = await stopped.command("import", str(path), "--mapping", str(mapping), "--dry-run")
    assert "4 rows: 2 new, 0 changed, 2 unchanged" in again
