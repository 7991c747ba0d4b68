"""Seeded bad input against every intake of the running services.

`CARTAS_HOSTILE_INPUTS` says how many (`make hostile`: 10,000, which also writes the table).
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest
import pytest_asyncio
from pydantic import SecretStr

from deploy.local.environment import SERVICE_PORTS
from shared.contracts import topics
from shared.contracts.topics import Topic
from shared.database import Pool, open_pool
from simulator import CATALOGUE, MUNICIPALITY
from simulator.scenarios import PHONES
from tests.e2e.town import Town
from tests.hostile import heads, over_apis, over_files, over_http, over_kafka
from tests.hostile.table import Table
from tests.support.databases import Templates, own_databases
from tests.support.processes import SERVICE_SECRET

WHOLE = 10_000
INPUTS = int(os.environ.get("CARTAS_HOSTILE_INPUTS", "250"))
SEED = 20261123
SHORT = over_apis.Pace(SEED, "fuzzing", 2)
LONG = over_apis.Pace(SEED, "coverage,fuzzing", 12)
MAX_GROWTH_BYTES = 150 * 1024 * 1024
COMPLAINT = {
    "municipality": MUNICIPALITY,
    "kind": "queja",
    "carta": "RC-01",
    "text": "La fila no avanza.",
    "place": "Ventanilla 3",
    "occurred_on": "2026-06-12",
    "contact_mail": "alguien@correo.example",
    "fill_seconds": 30,
}
DRAFT = """\
criterio:
  forma: share_within
  poblacion: {evento: ticket.issued, ancla: due}
  reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}
  limite: {op: <=, valor: 15}
umbral: {op: '>=', objetivo: 90, unidad: '%'}
ventana: quarter
alcance: unidad
"""
TRIAL = {"municipality": MUNICIPALITY, "services": ["RC-COPIAS"], "unit": "RC", "window": "2026-T2"}


def share(of_ten_thousand: int) -> int:
    return max(3, of_ten_thousand * INPUTS // WHOLE)


def rng(name: str) -> Random:
    return Random(f"{SEED} {name}")


@pytest.fixture(scope="session")
def payloads(shared_data: Path) -> list[Any]:
    """What other systems really send to webhooks, and read from theirs."""
    found = sorted((shared_data / "payloads").rglob("*.json"))
    return [json.loads(path.read_bytes()) for path in found]


@pytest.fixture(scope="module")
def table() -> Table:
    return Table(SEED)


@pytest.fixture(scope="module")
def measured(town: Town, table: Table) -> Town:
    """The town, with note taken of its memory before all of this."""
    table.before = resident(town)
    return town


def resident(town: Town) -> dict[str, int]:
    """Memory of each service, in bytes."""
    return {
        name: psutil.Process(each.process.pid).memory_info().rss
        for name, each in town.system.processes.items()
    }


async def unharmed(town: Town) -> None:
    """All services are up, and what another source sends comes to its verdict."""
    await town.flows(tuple(SERVICE_PORTS))
    assert (await town.activity(PHONES.uri))["refusals"] == []


async def test_events_over_http(measured: Town, table: Table, payloads: list[Any]) -> None:
    documents = over_kafka.documents_of(topics.SERVICE_EVENTS)
    make = over_http.events(measured, documents, others=payloads)
    await post(measured, table, Way("HTTP `/v1/events`", "measurements", 2500, make))


@dataclass(frozen=True, slots=True)
class Way:
    """An intake over HTTP, and how many of ten thousand it gets."""

    intake: str
    service: str
    weight: int
    make: over_http.Make


async def post(town: Town, table: Table, *ways: Way) -> None:
    for way in ways:
        number = share(way.weight)
        sent = over_http.send_all(
            town, way.intake, way.service, make=way.make, rng=rng(way.intake), number=number
        )
        table.add(await sent, number)
    await unharmed(town)


@pytest.mark.parametrize("topic", topics.ALL, ids=lambda topic: topic.name)
async def test_records_on_kafka(measured: Town, table: Table, topic: Topic) -> None:
    number = share(2000 if topic is topics.SERVICE_EVENTS else 250)
    table.add(await over_kafka.send_all(measured, topic, rng(topic.name), number), number)
    await unharmed(measured)


async def test_what_people_and_services_post(measured: Town, table: Table) -> None:
    ours = over_http.service_headers(SecretStr(SERVICE_SECRET))
    written = CATALOGUE.read_text(encoding="utf-8")
    folio = over_http.as_json("/v1/folios", COMPLAINT, {"Idempotency-Key": "one for each"})
    trial = over_http.as_json("/v1/trials", TRIAL | {"written": DRAFT}, ours)
    drafted = over_http.as_yaml("/v1/trials", "written", DRAFT, TRIAL, ours)
    carta = over_http.as_yaml("/v1/drafts", "content", written, {"post": "coordinacion"}, ours)
    await post(
        measured,
        table,
        Way("HTTP `/v1/folios`", "buzon", 600, folio),
        Way("HTTP `/v1/trials`", "evaluator", 150, trial),
        Way("HTTP `/v1/trials`, the draft in it", "evaluator", 150, drafted),
        Way("HTTP `/v1/drafts`, the carta in it", "cartas", 300, carta),
        Way("pages and forms", "portal", 600, over_http.pages),
    )


async def test_heads_of_requests(measured: Town, table: Table) -> None:
    number = share(200)
    counts = await heads.write_all(measured, tuple(SERVICE_PORTS), rng("heads"), number)
    table.add(counts, number)
    await unharmed(measured)


@pytest.mark.parametrize("service", over_apis.DESCRIBED)
async def test_calls_by_an_apis_own_description(
    measured: Town, table: Table, service: str, tmp_path: Path
) -> None:
    callers = over_apis.callers(measured, service)
    pace = LONG if INPUTS == WHOLE else SHORT
    asked = (
        over_apis.ask(measured, service, token, pace=pace, folder=tmp_path / caller)
        for caller, token in callers.items()
    )
    answers = dict(zip(callers, await asyncio.gather(*asked), strict=True))
    for caller, statuses in answers.items():
        table.add(over_apis.outcomes(service, caller, statuses), 0)
    unknown = answers.pop(over_apis.NOBODY)[401]
    assert all(unknown > statuses[401] for statuses in answers.values()), answers
    await unharmed(measured)


@pytest.mark.parametrize("call", over_apis.UNSTORABLE.values(), ids=over_apis.UNSTORABLE)
async def test_what_no_database_takes_is_refused(measured: Town, call: over_apis.Call) -> None:
    answer = await over_apis.answer_to(measured, call)
    assert answer.status_code in {400, 404, 422}, answer.text
    assert answer.json()["title"]


@pytest_asyncio.fixture
async def pool(database_templates: Templates) -> AsyncIterator[Pool]:
    async with (
        own_databases(database_templates) as database,
        await open_pool(await database("measurements"), name="test", size=3) as opened,
    ):
        yield opened


async def test_files(pool: Pool, table: Table, tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    catalogue = CATALOGUE.read_text(encoding="utf-8")
    counts = await over_files.tables(pool, tmp_path, rng("tables"), share(500))
    table.add(counts, share(500))
    table.add(over_files.mappings(rng("mappings"), share(700)), share(700))
    table.add(over_files.catalogues(rng("catalogues"), catalogue, share(800)), share(800))
    assert psutil.Process().memory_info().rss - before < MAX_GROWTH_BYTES
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_afterwards_all_balances_and_memory_is_bounded(measured: Town, table: Table) -> None:
    balance, recomputed = await asyncio.gather(
        measured.command("services.measurements", "balance"),
        measured.command("services.evaluator", "recompute", MUNICIPALITY),
    )
    assert balance.code == 0, balance.output
    assert ", 0 different" in recomputed.output
    await over_kafka.dead_letters_balance(measured)
    after = resident(measured)
    grown = {name: after[name] - before for name, before in table.before.items()}
    assert max(grown.values()) < MAX_GROWTH_BYTES, grown
    if table.sent == WHOLE:
        table.write(after)
