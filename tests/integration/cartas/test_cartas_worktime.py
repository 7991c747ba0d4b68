"""A term counted day by day: on a file, on what is published, as it was known, and over HTTP."""

from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.integration.cartas.test_cartas_service import command
from tests.support.databases import FreshDatabase
from tests.support.processes import running_service
from tests.support.servers import Servers
from tests.unit.cartas.files import CATALOGUE

DECREE = """\
    suspensiones:
      - {fecha: 2026-07-08, suspende: plazos, motivo: Inundación, acto: Acuerdo 12/2026}
    no_habiles_2026:
"""
ASKED = ("worktime", "explain", "2026-07-06 10:00", "2 dia_habil", "HAB")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogo.yaml"
    path.write_text(CATALOGUE, encoding="utf-8")
    return path


def decree(file: Path) -> None:
    file.write_text(CATALOGUE.replace("    no_habiles_2026:\n", DECREE), encoding="utf-8")


async def test_a_file_is_counted_without_being_published(file: Path) -> None:
    status, out, err = await command("postgresql://nowhere", *ASKED, "--file", str(file))
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == "Vence al terminar el miércoles 8 de julio de 2026."
    assert "mié  2026-07-08  09:00–15:00  cuenta" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ayer", "2 dia_habil", "HAB"), "Se esperaba una fecha y hora"),
        (("2026-07-06", "dos días", "HAB"), "Un plazo es un número"),
        (("2026-07-06", "2 dia_habil", "OTRO"), "No hay calendario «OTRO»; hay: HAB"),
        (("2026-07-06", "2 dia_habil", "HAB", "--pause", "x"), "DESDE/HASTA"),
        (
            ("2026-07-06", "2 dia_habil", "HAB", "--pause", "2026-07-08/2026-07-07"),
            "termina antes de empezar",
        ),
        (("2026-07-06", "900000 dia_habil", "HAB"), "no termina en ningún año"),
    ],
)
async def test_what_cannot_be_counted_is_said(
    file: Path, arguments: tuple[str, ...], said: str
) -> None:
    asked = ("worktime", "explain", *arguments, "--file", str(file))
    status, out, err = await command("postgresql://nowhere", *asked)
    assert (status, out) == (1, "")
    assert said in err
    assert "Traceback" not in err


async def test_a_faulty_file_says_its_faults_first(file: Path) -> None:
    file.write_text(CATALOGUE.replace("tipo: habil", "tipo: raro"), encoding="utf-8")
    status, _, err = await command("postgresql://nowhere", *ASKED, "--file", str(file))
    assert status == 1
    assert "se esperaba uno de: habil, natural" in err


async def test_a_count_is_told_as_it_was_known_then_and_as_it_is_known_now(
    database: FreshDatabase, servers: Servers, topic_prefix: str, file: Path, tmp_path: Path
) -> None:
    url = await database("cartas")
    assert (await command(url, *ASKED))[0] == 1
    await command(url, "load", str(file))
    connection = await asyncpg.connect(url)
    try:
        before = await connection.fetchval("SELECT now()")
    finally:
        await connection.close()
    decree(file)
    await command(url, "load", str(file))
    _, now, _ = await command(url, *ASKED)
    _, then, _ = await command(url, *ASKED, "--as-of", before.isoformat())
    assert "versión 2" in now
    assert "no cuenta: Inundación (Acuerdo 12/2026)" in now
    assert now.endswith("Vence al terminar el jueves 9 de julio de 2026.\n")
    assert "versión 1" in then
    assert then.endswith("Vence al terminar el miércoles 8 de julio de 2026.\n")
    async with running_service(
        "cartas", url, kafka=servers.kafka, prefix=topic_prefix, log_dir=tmp_path
    ) as service:
        base = f"{service.url}/v1/calendars/cobre/HAB"
        async with httpx.AsyncClient() as http:
            versions = (await http.get(base)).json()["versions"]
            asked = {"start": "2026-07-06T10:00", "term": "2 dia_habil"}
            count = (await http.get(f"{base}/count", params=asked)).json()
            paused = await http.get(
                f"{base}/count",
                params={**asked, "pause": "2026-07-07T10:00/", "as_of": before.isoformat()},
            )
            bad = await http.get(f"{base}/count", params={**asked, "term": "dos"})
            absent = await http.get(f"{service.url}/v1/calendars/cobre/NADA")
            metrics = (await http.get(f"{service.url}/metrics")).text
    assert [each["calendar"]["version"] for each in versions] == [1, 2]
    assert versions[0]["known_since"] < before.isoformat() < versions[1]["known_since"]
    assert count["due_at"] == "2026-07-10T06:00:00+00:00"
    assert [day["total"] for day in count["days"]] == ["0", "1", "1", "2"]
    assert paused.json()["due_at"] is None
    assert paused.json()["calendar"]["version"] == 1
    assert (bad.status_code, absent.status_code) == (422, 404)
    assert "cartas_calendars_missing_next_year" in metrics
