"""The evaluator as a process between a real Kafka and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pydantic import SecretStr

from shared.contracts import hot, topics
from shared.contracts.cartas import CalendarPublished, CartaPublished, MunicipalityPublished
from shared.contracts.topics import Topic
from shared.http.credentials import service_credential
from tests.support.databases import FreshDatabase
from tests.support.processes import SERVICE_SECRET, ServiceProcess, running_service
from tests.support.servers import Servers
from tests.support.waiting import eventually
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

CREDENTIAL = f"Bearer {service_credential(SecretStr(SERVICE_SECRET))}"
FIGURE = {
    "municipality": b.TOWN,
    "compromiso": "RC-01-02",
    "unit": b.UNIT,
    "window": "2026-09",
}


@dataclass(slots=True)
class Wire:
    """What goes into the evaluator's topics, and what comes out of them."""

    servers: Servers
    prefix: str
    producer: AIOKafkaProducer
    database_url: str
    log_dir: Path

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ServiceProcess]:
        async with running_service(
            "evaluator",
            self.database_url,
            kafka=self.servers.kafka,
            prefix=self.prefix,
            log_dir=self.log_dir,
            extra={
                "CARTAS_EVALUATOR_SCAN_SECONDS": "0.1",
                "CARTAS_EVALUATOR_PUBLISH_SECONDS": "0.1",
            },
        ) as process:
            yield process

    async def query(self, sql: str) -> list[Any]:
        connection = await asyncpg.connect(self.database_url)
        try:
            return list(await connection.fetch(sql))
        finally:
            await connection.close()

    async def send(self, topic: Topic, key: str, value: bytes) -> int:
        """Return the partition it went to."""
        sent = await self.producer.send_and_wait(self.prefix + topic.name, value, key=key.encode())
        return int(sent.partition)

    async def learn(self) -> None:
        promise = b.compromiso(b.wait(**b.EVERY_CASE))
        envelope: dict[str, Any] = {"source": "/cartas", "time": b.EPOCH}
        for event in (
            MunicipalityPublished(id="1", data=b.municipality(), **envelope),
            CalendarPublished(id="2", data=b.calendar(), **envelope),
            CartaPublished(id="3", data=b.carta(promise), **envelope),
        ):
            await self.send(topics.CARTAS, event.key, event.to_bytes())

    async def measure(self, cases: Iterable[hot.CaseData]) -> dict[int, int]:
        """Send the cases; return the end offsets of the topic."""
        for data in cases:
            event = hot.CaseMeasured(
                id=f"{data.case}/{data.revision}",
                source="/measurements",
                time=data.received_at,
                data=data,
            )
            await self.send(topics.MEASUREMENTS, f"{b.TOWN}/{data.case}", hot.encode(event))
        return await self.ends()

    async def ends(self) -> dict[int, int]:
        name = self.prefix + topics.MEASUREMENTS.name
        async with AIOKafkaConsumer(bootstrap_servers=self.servers.kafka) as consumer:
            wanted = [TopicPartition(name, n) for n in range(topics.MEASUREMENTS.partitions)]
            ends = await consumer.end_offsets(wanted)
        return {tp.partition: end for tp, end in ends.items()}

    async def tell_progress(self, through: str, *, ahead: int = 0) -> None:
        offsets = {str(number): end + ahead for number, end in (await self.ends()).items()}
        state = b.source_state(complete_through=local(through))
        data = b.progress(through, state, offsets=offsets)
        event = hot.Progress(id=through, source="/measurements", time=data.through, data=data)
        await self.send(topics.MEASUREMENTS, "progress/measurements", hot.encode(event))

    async def everything_on(self, topic: Topic) -> list[dict[str, Any]]:
        """All messages so far, decoded; a relay that was killed repeats some, with their id."""
        name = self.prefix + topic.name
        found: list[dict[str, Any]] = []
        async with AIOKafkaConsumer(bootstrap_servers=self.servers.kafka) as consumer:
            partitions = [TopicPartition(name, number) for number in range(topic.partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning()
            ends = await consumer.end_offsets(partitions)
            while any([await consumer.position(tp) < end for tp, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [msgspec.json.decode(record.value) for record in records]
        return list({message["id"]: message for message in found}.values())

    async def said(self) -> list[tuple[str, str | None]]:
        told = [message["data"] for message in await self.everything_on(topics.BREACHES)]
        return sorted((data["kind"], data.get("case")) for data in told)

    async def latest_met(self) -> int:
        told = [m["data"] for m in await self.everything_on(topics.RESULTS)]
        mine = [data for data in told if data["window"]["id"] == "2026-09"]
        newest = max(mine, key=lambda data: data["sequence"], default=None)
        return 0 if newest is None else int(newest["parts"][0]["met"])


@pytest_asyncio.fixture
async def wire(
    servers: Servers, topic_prefix: str, database: FreshDatabase, tmp_path: Path
) -> AsyncIterator[Wire]:
    producer = AIOKafkaProducer(bootstrap_servers=servers.kafka, acks="all")
    await producer.start()
    try:
        yield Wire(servers, topic_prefix, producer, await database("evaluator"), tmp_path)
    finally:
        await producer.stop()


async def test_from_a_fact_on_kafka_to_a_breach_and_a_result_across_a_kill(wire: Wire) -> None:
    await wire.learn()
    cases = [b.waited("A-1", 20), *(b.waited(f"B-{n}", 10) for n in range(20))]
    async with wire.running() as process:
        await wire.measure([*cases, b.case("C-1")])
        await eventually(wire.said, 40, what="the late case and the breach are said")
        await process.kill()
    await wire.measure(cases)  # a producer that did not hear the answer sends again
    await wire.tell_progress("2026-09-07 12:00")
    expected = [("breached", None), ("late_case", "A-1"), ("late_case", "C-1")]
    async with wire.running() as process:

        async def all_is_said() -> bool:
            assert (await wire.said(), await wire.latest_met()) == (expected, 20)
            return True

        await eventually(all_is_said, 100, what="the open case is late; nothing is said twice")
        await _look_behind_the_figure(process)


async def _look_behind_the_figure(process: ServiceProcess) -> None:
    async with httpx.AsyncClient(base_url=process.url, timeout=10) as http:
        for path in ("/v1/cases", "/v1/explanations", "/v1/explanations/results", "/v1/results"):
            assert (await http.get(path)).status_code == 401
        wrong = {"Authorization": "Bearer wrong"}
        assert (await http.get("/v1/results", headers=wrong)).status_code == 401
        http.headers["Authorization"] = CREDENTIAL
        failed = (await http.get("/v1/cases", params=FIGURE)).json()
        assert [(row["case"], row["reason"]) for row in failed["cases"]] == [
            ("A-1", None),
            ("C-1", "overdue_open"),
        ]
        await _page_through(http)
        about = {"municipality": b.TOWN, "compromiso": "RC-01-02", "case": "C-1"}
        explained = (await http.get("/v1/explanations", params=about)).json()
        assert explained["verdicts"][0]["overdue_open"] is True
        assert explained["facts"]["instants"] == {"ticket.issued": "2026-09-07T16:00:00Z"}
        nobody = await http.get("/v1/explanations", params={**about, "case": "Z-9"})
        assert nobody.status_code == 404
        told = (await http.get("/v1/explanations/results", params=FIGURE)).json()
        assert told["parts"][0]["figure"][0] == "20 ÷ 22 × 100 = 1000/11 %."
        assert told["failing_cases"] == ["A-1", "C-1"]
        unknown = await http.get("/v1/explanations/results", params={**FIGURE, "edition": 7})
        assert unknown.status_code == 404
        results = await _all_results(http)
        [part] = next(row for row in results if row["window"]["id"] == "2026-09")["parts"]
        assert (part["met"], part["failed"], part["overdue_open"]) == (20, 2, 1)
        metrics = (await http.get("/metrics")).text
        assert "cartas_population_difference 0.0" in metrics
        assert "cartas_recompute_differences_total 0.0" in metrics
        assert "cartas_event_to_verdict_seconds_count" in metrics


async def _all_results(http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Every result, three a page; what is asked for by name is the same as what is picked out."""
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        params: dict[str, str | int] = {"municipality": b.TOWN, "limit": 3, "after": after}
        page = (await http.get("/v1/results", params=params)).json()
        assert page["open"] >= sum(each["status"] != "final" for each in page["results"])
        found += page["results"]
        after = page["next"]
    keys = [(each["compromiso"], each["unit"], each["window"]["id"]) for each in found]
    assert keys == sorted(set(keys))
    named = {"municipality": b.TOWN, "compromiso": keys[0][0], "unit": keys[0][1]}
    of_one = (await http.get("/v1/results", params=named)).json()["results"]
    assert of_one == [each for each, key in zip(found, keys, strict=True) if key[:2] == keys[0][:2]]
    wrong = {"municipality": b.TOWN, "after": "nowhere"}
    assert (await http.get("/v1/results", params=wrong)).status_code == 422
    return found


async def _page_through(http: httpx.AsyncClient) -> None:
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        params: dict[str, str | int] = {**FIGURE, "status": "met", "limit": 7, "after": after}
        page = (await http.get("/v1/cases", params=params)).json()
        seen += [row["case"] for row in page["cases"]]
        after = page["next"]
    assert sorted(seen) == seen
    assert len(set(seen)) == 20
    assert (await http.get("/v1/cases", params={**FIGURE, "after": "x/y"})).status_code == 422


LATE = tuple(f"A-{number:02}" for number in range(24))


async def test_what_a_killed_process_owned_is_judged_by_the_other_once(wire: Wire) -> None:
    """Kill -9 the one that judges half of the partitions, with facts before, amid and after it."""
    await wire.learn()
    first, second, third = LATE[:8], LATE[8:16], LATE[16:]
    async with wire.running() as killed, wire.running() as other:
        await eventually(lambda: _owners(wire), 60, what="each owns some partitions")
        await wire.measure(b.waited(case, 20) for case in first)
        await eventually(lambda: _all_are_late(wire, first), 40, what="both judge")
        sending = asyncio.create_task(wire.measure(b.waited(case, 20) for case in second))
        await killed.kill()
        await sending
        await wire.measure(b.waited(case, 20) for case in third)
        await eventually(lambda: _all_are_late(wire, LATE), 90, what="the other goes on")
        assert await other.is_ready()
    assert await wire.said() == [("breached", None), *(("late_case", case) for case in LATE)]


async def _owners(wire: Wire) -> bool:
    rows = await wire.query(
        "SELECT count(DISTINCT owner) FROM kafka_offset WHERE topic LIKE '%measurements.v1'"
    )
    return bool(rows[0][0] == 2)


async def _all_are_late(wire: Wire, cases: Sequence[str]) -> bool:
    """Each judged once, and each said."""
    judged = await wire.query("SELECT case_id FROM measured_case ORDER BY case_id")
    told = [case for kind, case in await wire.said() if kind == "late_case"]
    return [row[0] for row in judged] == told == list(cases)


async def test_an_unreadable_fact_is_refused_and_the_others_are_judged(wire: Wire) -> None:
    await wire.learn()
    async with wire.running() as process:
        for payload in (b"not json", b"[]", b'{"type":"measurement.case.v1","data":{}}'):
            await wire.send(topics.MEASUREMENTS, f"{b.TOWN}/A-1", payload)
        await wire.measure([b.waited("A-1", 20)])

        async def is_said() -> bool:
            return await wire.said() == [("breached", None), ("late_case", "A-1")]

        await eventually(is_said, 40, what="the good fact is judged")
        assert await process.is_ready()
