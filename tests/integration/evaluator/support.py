"""The evaluator's parts on a real database, fed batch by batch, with a clock that the test sets."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.evaluator.deadlines import Deadlines
from services.evaluator.domain.identity import GROUP
from services.evaluator.handlers import Handlers
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.settings import Settings
from services.evaluator.store import balance
from services.evaluator.use_cases.judge_cases import JudgeCases
from services.evaluator.use_cases.knowledge import Knowledge
from services.evaluator.use_cases.publish_results import PublishResults
from services.evaluator.use_cases.recompute import Comparison, recompute
from services.evaluator.use_cases.take_catalogue import take_catalogue
from services.evaluator.use_cases.take_complaints import TakeComplaints
from services.evaluator.use_cases.windows import open_windows
from shared.contracts import hot, topics
from shared.contracts.cartas import (
    CalendarData,
    CalendarPublished,
    CartaData,
    CartaPublished,
    MunicipalityData,
    MunicipalityPublished,
)
from shared.contracts.complaints import ComplaintChanged, ComplaintData, ComplaintProgress
from shared.contracts.topics import Topic
from shared.database import Pool, open_pool
from shared.messaging import DurableProducer, Received, Transaction
from shared.service import Context
from tests.support.processes import SERVICE_SECRET
from tests.unit.evaluator import builders as b

ADVANCE = """
INSERT INTO kafka_offset (consumer_group, topic, partition, topic_id, owner, next_offset)
VALUES ($1, $2, $3, '', 'test', $4)
ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = excluded.next_offset
"""
NOW = b.local("2026-09-10 12:00")
"""The wall clock of every batch: cases are of September, cut-offs of October."""
State = MunicipalityData | CalendarData | CartaData
_EVENTS = {
    MunicipalityData: MunicipalityPublished,
    CalendarData: CalendarPublished,
    CartaData: CartaPublished,
}


def settings_of(database_url: str) -> Settings:
    return Settings(
        kafka_servers="127.0.0.1:1",
        service_secret=SecretStr(SERVICE_SECRET),
        public_url="http://127.0.0.1",
        database_url=SecretStr(database_url),
        port=1,
    )


@dataclass(slots=True)
class Evaluator:
    """One process of the service; several may share a database."""

    pool: Pool
    settings: Settings
    metrics: EvaluatorMetrics = field(init=False)
    knowledge: Knowledge = field(init=False)
    handlers: Handlers = field(init=False)
    deadlines: Deadlines = field(init=False)
    results: PublishResults = field(init=False)
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew, as another process would: nothing is remembered."""
        registry = CollectorRegistry()
        self.metrics = EvaluatorMetrics(registry)
        most = self.settings.catalogue_promises
        self.knowledge = Knowledge(self.metrics, most_promises=most)
        judge = JudgeCases(self.knowledge, self.metrics)
        complaints = TakeComplaints(judge, self.knowledge, self.metrics)
        self.results = PublishResults(self.knowledge, self.metrics)
        self.handlers = Handlers(judge, complaints)
        self.deadlines = Deadlines(
            self.settings,
            knowledge=self.knowledge,
            judge=judge,
            complaints=complaints,
            publish=self.results,
            metrics=self.metrics,
        )
        self.context = Context(
            self.settings,
            self.pool,
            DurableProducer(self.settings),
            httpx.AsyncClient(),
            registry,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Transaction]:
        async with self.pool.acquire() as connection:
            async with connection.transaction():
                tx = Transaction(connection, "evaluator", NOW)  # type: ignore[arg-type]
                yield tx
                await tx.flush()
            await tx.committed()

    async def learn(self, *states: State) -> None:
        events = [
            _EVENTS[type(state)](id=str(n), source="/cartas", time=b.EPOCH, data=state)
            for n, state in enumerate(states)
        ]
        async with self.open() as tx:
            await take_catalogue(tx, [received(topics.CARTAS, event) for event in events])

    async def learn_town(self, *cartas: CartaData) -> None:
        await self.learn(b.municipality(), b.calendar(), *(cartas or (b.carta(),)))
        await self.deadlines.judge_again(self.context)

    async def take_in(
        self,
        tx: Transaction,
        *cases: hot.CaseData,
        partition: int = 0,
        trace: str | None = None,
    ) -> None:
        await self.handlers.on_measurements(tx, measured(cases, partition=partition, trace=trace))

    async def take(
        self,
        *cases: hot.CaseData,
        partition: int = 0,
        batch: int = 5000,
        trace: str | None = None,
    ) -> None:
        for start in range(0, len(cases), batch):
            async with self.open() as tx:
                some = cases[start : start + batch]
                await self.take_in(tx, *some, partition=partition, trace=trace)

    async def complain(self, *complaints: ComplaintData, trace: str | None = None) -> None:
        batch = [
            received(
                topics.COMPLAINTS,
                ComplaintChanged(
                    id=str(n), source="/buzon", time=data.filed_at, traceparent=trace, data=data
                ),
            )
            for n, data in enumerate(complaints)
        ]
        async with self.open() as tx:
            await self.handlers.on_complaints(tx, batch)

    async def hear(self, data: hot.ProgressData) -> None:
        """Take in progress; it holds once our offsets have reached it."""
        async with self.open() as tx:
            if data.pipeline == "buzon":
                fields = json.loads(hot.encode(data))
                event = ComplaintProgress.model_validate_json(
                    json.dumps(
                        {
                            "type": "complaint.progress.v1",
                            "id": "p",
                            "source": "/buzon",
                            "time": fields["through"],
                            "data": fields,
                        }
                    )
                )
                await self.handlers.on_complaints(tx, [received(topics.COMPLAINTS, event)])
            else:
                event_ = hot.Progress(id="p", source="/measurements", time=data.through, data=data)
                await self.handlers.on_measurements(tx, [received(topics.MEASUREMENTS, event_)])

    async def know(self, through: str, **changes: Any) -> None:
        """All is known of the queue through this local time; look at the clock."""
        state = b.source_state(complete_through=b.local(through), **changes)
        await self.hear(b.progress(through, state))
        await self.scan()

    async def reach(self, offset: int, *, partition: int = 0) -> None:
        await self.pool.execute(ADVANCE, GROUP, topics.MEASUREMENTS.name, partition, offset)

    async def scan(self) -> None:
        await self.deadlines.scan(self.context)

    async def judge_again(self) -> None:
        await self.deadlines.judge_again(self.context)

    async def publish(self, now: str | None = None) -> None:
        """Publish what changed; with `now`, then close what is due at that local time.

        What runs may expect as many cases as what was closed had: it is looked at once more.
        """
        while await self._looked():
            pass
        if now is not None:
            await self.results.close(self.pool, b.local(now))
            await self._looked()

    async def _looked(self) -> bool:
        looked = await self.results.changed(self.pool) + await self.results.stale(self.pool)
        return bool(looked) and await self._changes()

    async def _changes(self) -> bool:
        return bool(await self.pool.fetchval("SELECT EXISTS (SELECT FROM changed_window)"))

    async def open_windows(self, now: str, *, past: int = 8) -> None:
        await open_windows(self.pool, self.knowledge, b.local(now), past_windows=past)

    async def outbox(self, topic: Topic) -> list[dict[str, Any]]:
        rows = await self.pool.fetch(
            "SELECT payload FROM outbox WHERE topic = $1 ORDER BY id", topic.name
        )
        return [json.loads(row["payload"]) for row in rows]

    async def said(self, *kinds: str) -> list[dict[str, Any]]:
        """Statements so far, in order; of some kinds only."""
        events = [
            event["data"] | {"id": event["id"]} for event in await self.outbox(topics.BREACHES)
        ]
        return [data for data in events if not kinds or data["kind"] in kinds]

    async def kinds(self) -> list[str]:
        return [data["kind"] for data in await self.said()]

    async def published(self) -> list[dict[str, Any]]:
        return [event["data"] for event in await self.outbox(topics.RESULTS)]

    async def result(self, window: str = "2026-09", **wanted: str) -> dict[str, Any]:
        """The latest result of a window."""
        return [
            data
            for data in await self.published()
            if data["window"]["id"] == window
            and all(data[name] == value for name, value in wanted.items())
        ][-1]

    async def verdicts(self) -> dict[tuple[str, int], str]:
        rows = await self.pool.fetch("SELECT case_id, part, status FROM verdict")
        return {(row["case_id"], row["part"]): row["status"] for row in rows}

    async def status(self, case: str) -> str | None:
        return (await self.verdicts()).get((case, 0))

    async def difference(self) -> int:
        return await balance.difference(self.pool)

    async def recompute(self) -> list[Comparison]:
        return await recompute(self.pool, b.TOWN)

    async def disagreements(self) -> list[Comparison]:
        return [compared for compared in await self.recompute() if not compared.agrees]


def received(topic: Topic, event: Any, *, partition: int = 0, offset: int = 0) -> Received:
    at = b.local("2026-09-07 10:00")
    return Received(topic.name, partition, offset, at, None, b"", event)


def measured(
    cases: Iterable[hot.CaseData], *, partition: int = 0, trace: str | None = None
) -> Sequence[Received]:
    return [
        received(
            topics.MEASUREMENTS,
            hot.CaseMeasured(
                id=str(n),
                source="/measurements",
                time=data.received_at,
                traceparent=trace,
                data=data,
            ),
            partition=partition,
            offset=n,
        )
        for n, data in enumerate(cases)
    ]


@asynccontextmanager
async def running(database_url: str) -> AsyncIterator[Evaluator]:
    async with await open_pool(database_url, name="test", size=6) as pool:
        evaluator = Evaluator(pool, settings_of(database_url))
        try:
            yield evaluator
        finally:
            await evaluator.context.http.aclose()
