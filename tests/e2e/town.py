"""A running municipality of the simulator's catalogue, and the ways into it."""

import asyncio
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts import topics
from simulator import CATALOGUE, MUNICIPALITY
from simulator.scenarios import PHONES, TURNS, Emitter
from tests.support.programs import Ran, run
from tests.support.systems import System
from tests.support.waiting import eventually

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
PROMISE = "EM-01-02"
"""Every emergency call is passed on within 60 seconds."""


@dataclass(slots=True)
class Town:
    """A loaded catalogue and registered sources on a running system."""

    system: System
    kafka: str
    prefix: str
    tokens: dict[str, str] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def found(self) -> None:
        """Load the catalogue and register the simulator's queues and the emergency calls."""
        await asyncio.gather(
            self.system.run("services.cartas", "load", str(CATALOGUE)),
            self.register(TURNS),
            self.register(PHONES),
        )

    async def register(self, emitter: Emitter) -> str:
        printed = await self.system.run(
            *("services.measurements", "source", "add", "--municipality", MUNICIPALITY),
            *("--source", emitter.uri, "--services", ",".join(emitter.services)),
            *("--reports", ",".join(emitter.reports)),
            *("--attributes", ",".join(emitter.attributes)),
            *("--grace-seconds", str(emitter.grace_seconds)),
        )
        self.tokens[emitter.uri] = printed.strip().splitlines()[-1]
        return self.tokens[emitter.uri]

    async def command(self, *arguments: str) -> Ran:
        """Run `python -m ARGUMENTS...`, whatever its exit status."""
        return await run(*arguments, environment=self.system.environment)

    async def post(
        self,
        body: object,
        *,
        token: str | None = None,
        content_type: str = STRUCTURED,
    ) -> httpx.Response:
        """Send events as the queues do; `body` as bytes goes as it is."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {self.tokens[TURNS.uri] if token is None else token}",
            "Content-Type": content_type,
        }
        url = f"{self.system.url('measurements')}/v1/events"
        async with httpx.AsyncClient(timeout=30) as http:
            return await http.post(url, content=content, headers=headers)

    async def activity(self, uri: str = TURNS.uri) -> dict[str, Any]:
        """What the emitter's own people see."""
        headers = {"Authorization": f"Bearer {self.tokens[uri]}"}
        url = f"{self.system.url('measurements')}/v1/activity"
        async with httpx.AsyncClient(timeout=10) as http:
            response = await http.get(url, headers=headers)
        response.raise_for_status()
        found: dict[str, Any] = response.json()
        return found

    async def produce(self, *records: tuple[str, bytes]) -> None:
        """As an emitter that writes to Kafka itself."""
        name = f"{self.prefix}{topics.SERVICE_EVENTS.name}"
        async with AIOKafkaProducer(bootstrap_servers=self.kafka, acks="all") as producer:
            for key, value in records:
                await producer.send_and_wait(name, value=value, key=key.encode())

    async def everything_on(self, topic: str, partitions: int) -> list[bytes]:
        """All values on a topic."""
        places = [TopicPartition(f"{self.prefix}{topic}", each) for each in range(partitions)]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign(places)
            ends = await consumer.end_offsets(places)
            found: list[bytes] = []
            while any([await consumer.position(place) < end for place, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    found += [record.value for record in records]
            return found
        finally:
            await consumer.stop()

    def case(self, stem: str) -> str:
        return f"{stem}-{next(self.numbers)}"

    async def call(self, *, seconds: int) -> str:
        """Tell of an emergency call that waited for so long; return its case."""
        case = self.case("LLAMADA")
        queued = datetime.now(UTC) - timedelta(seconds=seconds + 5)
        events = [
            event("call.queued", PHONES, case, at=queued, service="EM-LLAMADAS"),
            event(
                "call.dispatched",
                PHONES,
                case,
                at=queued + timedelta(seconds=seconds),
                service="EM-LLAMADAS",
            ),
        ]
        token = self.tokens[PHONES.uri]
        response = await self.post(events, token=token, content_type=BATCHED)
        assert response.status_code == 202, response.text
        return case

    async def verdicts(self, case: str, compromiso: str = PROMISE) -> list[dict[str, Any]]:
        """The evaluator's verdicts on a case under a promise, as far as there are any."""
        query = {"municipality": MUNICIPALITY, "compromiso": compromiso, "case": case}
        async with self.system.client("evaluator") as http:
            response = await http.get("/v1/explanations", params=query)
        if response.status_code == 404:
            return []
        response.raise_for_status()
        found: list[dict[str, Any]] = response.json()["verdicts"]
        return found

    async def judged(
        self, case: str, compromiso: str = PROMISE, *, status: str = "met"
    ) -> dict[str, Any]:
        """Wait until a case has this verdict under a promise and return it."""

        async def found() -> list[dict[str, Any]]:
            verdicts = await self.verdicts(case, compromiso)
            return [each for each in verdicts if each["status"] == status]

        verdict: dict[str, Any] = (await eventually(found, what=f"{case} is {status}"))[0]
        return verdict

    async def flows(self, services: Sequence[str]) -> None:
        """Every service is up, and a good event of another source comes to its verdict."""
        for service in services:
            assert await self.system.processes[service].is_ready(), service
        case = await self.call(seconds=30)
        await self.judged(case)


def event(
    kind: str,
    emitter: Emitter = TURNS,
    case: str = "T-1",
    *,
    at: datetime | None = None,
    service: str = "RC-COPIAS",
    data: Mapping[str, Any] | None = None,
    **envelope: Any,
) -> dict[str, Any]:
    """A CloudEvent as an emitter sends it; `data` and `envelope` replace or add members."""
    happened = at or datetime.now(UTC) - timedelta(minutes=2)
    return {
        "specversion": "1.0",
        "id": f"{case}/{kind}",
        "source": emitter.uri,
        "type": kind,
        "time": happened.isoformat(),
        "data": {"case": case, "service": service, **(data or {})},
        **envelope,
    }


def as_record(raw: Mapping[str, Any]) -> tuple[str, bytes]:
    """The same event as a record of a native emitter."""
    data = {"municipality": MUNICIPALITY, **raw["data"]}
    return f"{MUNICIPALITY}/{raw['data']['case']}", json.dumps({**raw, "data": data}).encode()


def catalogue_with(old: str, new: str, folder: Path) -> Path:
    """A file of the simulator's catalogue with one text replaced; it must be there."""
    text = CATALOGUE.read_text(encoding="utf-8")
    assert old in text, old
    path = folder / "catalogo.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path
