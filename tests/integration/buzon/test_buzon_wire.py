"""The service as a process, between a real Kafka and its callers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from services.buzon.domain.folios import folio_number
from shared.contracts import topics
from shared.contracts.complaints import ComplaintChanged, ComplaintProgress
from shared.http import service_client
from tests.integration.buzon.support import ANSWER, MAIL, PLACE, TEXT, settings_of
from tests.support.databases import FreshDatabase
from tests.support.processes import ServiceProcess, running_service
from tests.support.servers import Servers
from tests.support.waiting import eventually
from tests.unit.buzon import builders as b

QUICK = {
    "CARTAS_BUZON_PROGRESS_POLL_SECONDS": "0.05",
    "CARTAS_BUZON_IDLE_PROGRESS_SECONDS": "1",
    "CARTAS_BUZON_LOOKUPS_PER_CLIENT": "3",
    "CARTAS_BUZON_WINDOW_SECONDS": "86400",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A record as it stands on the topic."""

    partition: int
    offset: int
    value: bytes
    event: Any


@dataclass(frozen=True, slots=True)
class Listener:
    """Everything on `complaints.v1` so far."""

    consumer: AIOKafkaConsumer
    heard: list[Message]

    async def hear(self) -> list[Message]:
        batches = await self.consumer.getmany(timeout_ms=100)
        for records in batches.values():
            for record in records:
                value = record.value or b""
                event = topics.COMPLAINTS.adapter.validate_json(value)
                self.heard.append(Message(record.partition, record.offset, value, event))
        return self.heard

    async def changes(self) -> list[Message]:
        return [one for one in await self.hear() if isinstance(one.event, ComplaintChanged)]

    async def told_through(self, instant: datetime) -> bool:
        return any(
            isinstance(one.event, ComplaintProgress) and one.event.data.through >= instant
            for one in await self.hear()
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """A Kafka that holds the catalogue, and an empty database."""

    kafka: str
    prefix: str
    url: str
    log_dir: Path

    def run(self) -> AbstractAsyncContextManager[ServiceProcess]:
        options = {"kafka": self.kafka, "prefix": self.prefix}
        return running_service("buzon", self.url, log_dir=self.log_dir, extra=QUICK, **options)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Listener]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        name = self.prefix + topics.COMPLAINTS.name
        consumer.assign([TopicPartition(name, n) for n in range(topics.COMPLAINTS.partitions)])
        try:
            yield Listener(consumer, [])
        finally:
            await consumer.stop()

    async def teach(self) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.kafka)
        await producer.start()
        try:
            for event in b.catalogue():
                name = self.prefix + topics.CARTAS.name
                await producer.send_and_wait(name, event.to_bytes(), key=event.key.encode())
        finally:
            await producer.stop()


@pytest_asyncio.fixture
async def stage(
    servers: Servers, database: FreshDatabase, topic_prefix: str, tmp_path: Path
) -> Stage:
    made = Stage(servers.kafka, topic_prefix, await database("buzon"), tmp_path)
    await made.teach()
    return made


def caller(url: str) -> httpx.AsyncClient:
    trusted = service_client(settings_of("postgresql://unused"))
    trusted.base_url = httpx.URL(url)
    return trusted


async def file(http: httpx.AsyncClient, key: str, **fields: Any) -> dict[str, Any]:
    form = {"municipality": b.TOWN, "kind": "queja", "text": TEXT, "carta": "CC-RC-01"}
    headers = {"Idempotency-Key": key, "X-Client-Key": key}
    answer = await http.post("/v1/folios", json=form | fields, headers=headers)
    answer.raise_for_status()
    receipt: dict[str, Any] = answer.json()
    return receipt


async def test_the_life_of_a_folio_on_the_topic(
    stage: Stage,
) -> None:
    async with (
        stage.listen() as topic,
        stage.run() as service,
        caller(service.url) as http,
    ):
        receipt = await file(http, uuid4().hex, contact_mail=MAIL, place=PLACE)
        path = f"/v1/folios/{receipt['folio']}"
        post = {"post": "enlace-registro"}
        answered = await http.post(f"{path}/answer", json=post | {"text": ANSWER})
        assert answered.status_code == 200
        at = datetime.fromisoformat(answered.json()["answered_at"])
        await eventually(lambda: topic.told_through(at), what="progress behind the answer")
        changes = await topic.changes()
        assert [one.event.data.change for one in changes] == ["filed", "answered"]
        assert changes[0].event.data.answer_by.isoformat() == receipt["answer_by"]
        metrics = await http.get("/metrics")
        assert 'buzon_filed_total{kind="queja"} 1.0' in metrics.text
        assert 'buzon_steps_total{step="answer"} 1.0' in metrics.text
        said = (
            metrics.content + b"".join(one.value for one in topic.heard) + service.log.read_bytes()
        )
        for word in (*TEXT.split(), "disculpa", "Ahuehuetes", MAIL, receipt["secret"]):
            assert len(word) < 4 or word.encode() not in said, word


async def test_progress_never_runs_ahead_of_what_was_filed(
    stage: Stage,
) -> None:
    async with (
        stage.listen() as topic,
        stage.run() as service,
        caller(service.url) as http,
    ):
        for _ in range(15):
            await asyncio.gather(*(file(http, uuid4().hex) for _ in range(8)))
        await eventually(lambda: _all_told(topic, 120), what="progress behind the last filing")
        progress = [one.event.data for one in topic.heard if _is_progress(one)]
        assert len(progress) > 3
        for data in progress:
            assert {source.municipality for source in data.sources} == {b.TOWN}
            for one in await topic.changes():
                if one.event.time <= data.through:
                    assert one.offset < data.offsets[str(one.partition)]


def _is_progress(message: Message) -> bool:
    return isinstance(message.event, ComplaintProgress)


async def _all_told(topic: Listener, filed: int) -> bool:
    changes = await topic.changes()
    if len(changes) < filed:
        return False
    return await topic.told_through(max(one.event.time for one in changes))


async def test_a_killed_buzon_loses_no_folio_gives_none_twice_and_forgets_no_limit(
    stage: Stage,
) -> None:
    keys = [uuid4().hex for _ in range(40)]
    given: dict[str, dict[str, Any]] = {}
    async with (
        stage.run() as service,
        caller(service.url) as http,
    ):
        assert await _guess(http, 4) == [404, 404, 404, 429]
        await _file_until_killed(service, http, keys, given)
    assert 10 <= len(given) < len(keys)
    async with (
        stage.listen() as topic,
        stage.run() as service,
        caller(service.url) as http,
    ):
        assert await _guess(http, 1) == [429]
        receipts = {key: await file(http, key) for key in keys}
        assert {key: receipts[key] for key in given} == given
        await eventually(lambda: _all_told(topic, len(keys)), what="every folio on the topic")
        folios = [one.event.data.folio for one in await topic.changes()]
        assert sorted(set(folios)) == sorted(receipt["folio"] for receipt in receipts.values())
        body = {"folio": receipts[keys[0]]["folio"], "secret": receipts[keys[0]]["secret"]}
        headers = {"X-Client-Key": "another visitor"}
        opened = await http.post("/v1/folios/status", json=body, headers=headers)
        assert opened.json()["situation"] == "open"


async def _file_until_killed(
    service: ServiceProcess,
    http: httpx.AsyncClient,
    keys: list[str],
    given: dict[str, dict[str, Any]],
) -> None:
    async def file_all() -> None:
        for key in keys:
            try:
                given[key] = await file(http, key)
            except httpx.TransportError:
                return

    filing = asyncio.create_task(file_all())
    await eventually(lambda: len(given) >= 10, what="some filings")
    await service.kill()
    await filing


async def _guess(http: httpx.AsyncClient, times: int) -> list[int]:
    body = {"folio": folio_number(2026, 999_999), "secret": "AAAAA-AAAAA"}
    headers = {"X-Client-Key": "guesser"}
    return [
        (await http.post("/v1/folios/status", json=body, headers=headers)).status_code
        for _ in range(times)
    ]
