"""`cartas load` and the service as processes, on a real PostgreSQL and a real Kafka."""

import asyncio
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.cartas.domain import Catalogue, read_catalogue
from services.cartas.use_cases.loading import RefusedCatalogueError, load_catalogue
from shared.contracts import topics
from shared.contracts.cartas import CartaData, CartaPublished
from shared.contracts.events import Event
from shared.messaging import transaction
from tests.support.databases import FreshDatabase
from tests.support.processes import environment_of, running_service
from tests.support.programs import run
from tests.support.servers import Servers
from tests.support.waiting import eventually
from tests.unit.cartas.files import CATALOGUE, line_of

OUTBOX = "SELECT convert_from(payload, 'UTF8') FROM outbox ORDER BY id"


async def command(database_url: str, *arguments: str) -> tuple[int, str, str]:
    """Run `python -m services.cartas ...` and return its status and what it wrote."""
    environment = environment_of("cartas", database_url, kafka="127.0.0.1:1", prefix="", port=8005)
    ran = await run("services.cartas", *arguments, environment=environment, apart=True)
    return ran.code, ran.output, ran.errors


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "catalogo.yaml"
    path.write_text(CATALOGUE, encoding="utf-8")
    return path


async def published(servers: Servers, prefix: str, number: int) -> list[Event]:
    """Return the first `number` states on the topic, in the order of each partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        name = prefix + topics.CARTAS.name
        consumer.assign([TopicPartition(name, part) for part in range(topics.CARTAS.partitions)])
        await consumer.seek_to_beginning()
        found: list[Event] = []

        async def enough() -> bool:
            batches = await consumer.getmany(timeout_ms=200)
            for records in batches.values():
                for record in records:
                    event = topics.CARTAS.adapter.validate_json(record.value)
                    assert record.key.decode() == event.key
                    found.append(event)
            return len(found) >= number

        await eventually(enough, 30, what=f"{number} states on {name}")
        return found
    finally:
        await consumer.stop()


async def test_a_loaded_catalogue_is_on_the_topic_and_a_second_load_adds_nothing(
    database: FreshDatabase, servers: Servers, topic_prefix: str, file: Path, tmp_path: Path
) -> None:
    url = await database("cartas")
    status, out, err = await command(url, "load", str(file))
    assert (status, "1 cartas, 1 servicios, 1 compromisos" in out) == (0, True), err
    again = await command(url, "load", str(file))
    assert again[0] == 0
    assert "Nada nuevo" in again[1]
    async with running_service(
        "cartas", url, kafka=servers.kafka, prefix=topic_prefix, log_dir=tmp_path
    ) as service:
        events = await published(servers, topic_prefix, 6)
        async with httpx.AsyncClient(base_url=service.url) as http:
            listed = (await http.get("/v1/cartas", params={"municipality": "cobre"})).json()
            one = (await http.get("/v1/cartas/cobre/RC-01/1")).json()
            missing = await http.get("/v1/cartas/cobre/RC-01/2")
            bad = await http.get("/v1/cartas", params={"after": "x"})
            metrics = (await http.get("/metrics")).text
    kinds = sorted(event.type for event in events)
    assert kinds == sorted(
        ["municipality.v1", "unit.v1", "unit.v1", "post.v1", "calendar.v1", "carta.v1"]
    )
    carta = next(event.data for event in events if isinstance(event, CartaPublished))
    assert CartaData.model_validate_json(httpx.Response(200, json=one).content) == carta
    assert listed == {"cartas": [one], "next": None}
    assert (missing.status_code, bad.status_code) == (404, 422)
    assert 'cartas_catalogue_states{kind="carta",status="active"} 1.0' in metrics


async def test_a_changed_carta_under_the_same_version_is_refused_and_nothing_is_written(
    database: FreshDatabase, file: Path
) -> None:
    url = await database("cartas")
    await command(url, "load", str(file))
    changed = CATALOGUE.replace("valor: 15}", "valor: 20}").replace("en 15 min", "en 20 min")
    changed = changed.replace("Oficina sur", "Oficina nueva")
    file.write_text(changed, encoding="utf-8")
    connection = await asyncpg.connect(url)
    try:
        before = await connection.fetch(OUTBOX)
        status, _, err = await command(url, "load", str(file))
        after = await connection.fetch(OUTBOX)
    finally:
        await connection.close()
    assert status == 1
    line = line_of("codigo: RC-01")
    assert f"{file}:{line}: cartas[RC-01]: la versión 1 ya está publicada" in err
    assert "criterio.limite.valor: «15» → «20»" in err
    assert (len(before), after) == (6, before)


async def test_a_faulty_file_says_all_and_publishes_nothing(
    database: FreshDatabase, file: Path
) -> None:
    url = await database("cartas")
    faulty = CATALOGUE.replace("    calendario: HAB\n    s", "    calendario: NO\n    s")
    file.write_text(faulty.replace("ancla: due", "ancla: x"), encoding="utf-8")
    status, out, err = await command(url, "load", str(file))
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetch(OUTBOX) == []
    finally:
        await connection.close()
    assert (status, out) == (1, "")
    assert "cartas[RC-01].calendario: el calendario «NO» no existe; hay: HAB" in err
    assert "No se publicó nada: hay 2 por corregir." in err


@pytest.mark.shared_data
async def test_the_sample_loads_whole_and_pages_through(
    database: FreshDatabase, servers: Servers, topic_prefix: str, shared_data: Path, tmp_path: Path
) -> None:
    url = await database("cartas")
    sample = shared_data / "data" / "sample-cartas.yaml"
    status, out, err = await command(url, "load", str(sample))
    assert status == 0, err
    assert "12 cartas, 12 servicios, 72 compromisos" in out
    async with running_service(
        "cartas", url, kafka=servers.kafka, prefix=topic_prefix, log_dir=tmp_path
    ) as service:
        events = await published(servers, topic_prefix, 37)
        found: list[str] = []
        async with httpx.AsyncClient(base_url=service.url) as http:
            after: dict[str, str] = {}
            while True:
                page = (await http.get("/v1/cartas", params={"limit": 5, **after})).json()
                found += [each["carta"] for each in page["cartas"]]
                if page["next"] is None:
                    break
                after = {"after": page["next"]}
    assert len(events) == 37
    assert found == sorted(found)
    assert len(set(found)) == 12


def catalogue_of(text: str) -> Catalogue:
    catalogue = read_catalogue(text.encode()).catalogue
    assert catalogue is not None
    return catalogue


async def test_two_loads_at_once_publish_each_state_once(database: FreshDatabase) -> None:
    url = await database("cartas")

    async def load() -> int:
        async with transaction(pool, service="cartas") as tx:
            return (await load_catalogue(tx, catalogue_of(CATALOGUE), b"")).published.total()

    async with asyncpg.create_pool(url) as pool:
        assert sorted(await asyncio.gather(load(), load())) == [0, 6]


async def test_an_earlier_version_is_shortened_as_the_next_is_added(
    database: FreshDatabase,
) -> None:
    """The schema's own constraint, checked at commit, agrees."""
    earlier = (
        "    versiones_anteriores:\n"
        "      - {version: 1, vigencia: {desde: 2026-01-01, hasta: 2026-06-30}}\n"
    )
    text = CATALOGUE.replace("    version: 1\n", "    version: 2\n" + earlier)
    text = text.replace("desde: 2026-01-01, hasta: 2026-12-31", "desde: 2026-07-01")
    async with asyncpg.create_pool(await database("cartas")) as pool:
        for content in (CATALOGUE, text):
            async with transaction(pool, service="cartas") as tx:
                await load_catalogue(tx, catalogue_of(content), b"")
        overlapping = text.replace("version: 2\n", "version: 3\n").replace(earlier, "")
        with pytest.raises(RefusedCatalogueError):
            async with transaction(pool, service="cartas") as tx:
                await load_catalogue(tx, catalogue_of(overlapping), b"")
        rows = await pool.fetch("SELECT version, valid_to FROM state WHERE kind = 'carta'")
    assert {row["version"]: str(row["valid_to"]) for row in rows} == {1: "2026-06-30", 2: "None"}


async def test_the_schema_itself_refuses_two_versions_on_one_day(database: FreshDatabase) -> None:
    insert = """
    INSERT INTO state (municipality, kind, id, version, status, data, valid_from, published_at)
    VALUES ('m', 'carta', 'c', $1, 'active', '{}', '2026-01-01', now())
    """
    connection = await asyncpg.connect(await database("cartas"))
    try:
        await connection.execute(insert, 1)
        with pytest.raises(asyncpg.ExclusionViolationError):
            await connection.execute(insert, 2)
    finally:
        await connection.close()
