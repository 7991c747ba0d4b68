"""Measurements and evaluator on real databases: what the one publishes, the other takes in."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from zlib import crc32

from services.measurements.domain.registration import Registration
from services.measurements.store.sources import add_source
from services.measurements.use_cases.take import decode, take_batch
from shared.contracts import hot, topics
from shared.contracts.complaints import ComplaintChanged, ComplaintData
from shared.contracts.topics import Topic
from shared.database import Pool, open_pool
from shared.messaging import Received, Transaction
from tests.integration.evaluator.support import Evaluator, running
from tests.support.databases import FreshDatabase

PUBLISHED = """
SELECT id, key, payload FROM outbox WHERE topic = $1 AND id > $2 ORDER BY id
"""
# All but the rows that a migration made.
TABLES = """
SELECT string_agg(tablename, ', ') FROM pg_tables
WHERE schemaname = 'public'
    AND tablename NOT IN ('schema_migration', 'catalogue')
"""
REFUSED = "SELECT reason, detail, event_id FROM refusal"


Order = Callable[[list[Received]], list[Received]]


@dataclass(slots=True)
class Chain:
    """Service events in, results out; `now` is the wall clock of every transaction (UTC)."""

    measurements: Pool
    evaluator: Evaluator
    now: datetime
    offsets: dict[str, int] = field(default_factory=dict)
    carried: int = 0

    async def register(self, sources: Iterable[Registration]) -> None:
        async with self._open(self.measurements, "measurements") as tx:
            for source in sources:
                await add_source(tx.connection, source)

    async def tell(
        self, events: Iterable[hot.ServiceEvent], *, batch: int = 500, partitions: int = 6
    ) -> None:
        """Have measurements take the events, each on the partition of its case."""
        records = [
            self._received(topics.SERVICE_EVENTS, key, hot.encode(event), partitions)
            for event in events
            for key in [f"{event.data.municipality}/{event.data.case}".encode()]
        ]
        for some in _batches(records, batch):
            async with self._open(self.measurements, "measurements") as tx:
                await take_batch(tx, some)

    async def complain(self, folios: Iterable[ComplaintData], *, batch: int = 500) -> None:
        """Have the evaluator take states of folios, as the buzon publishes them."""
        records = []
        for data in folios:
            event = ComplaintChanged(
                id=f"{data.folio}/{data.revision}", source="/buzon", time=data.filed_at, data=data
            )
            records.append(self._received(topics.COMPLAINTS, b"", event.to_bytes(), 1))
        for some in _batches(records, batch):
            async with self._open(self.evaluator.pool, "evaluator") as tx:
                await self.evaluator.handlers.on_complaints(tx, some)

    async def carry(self, *, batch: int = 500, partitions: int = 6, order: Order = list) -> None:
        """Have the evaluator take what measurements has published since the last time.

        `order` gives the records in the order of delivery, some of them perhaps twice.
        """
        rows = await self.measurements.fetch(PUBLISHED, topics.MEASUREMENTS.name, self.carried)
        records = [
            self._received(topics.MEASUREMENTS, row["key"], row["payload"], partitions)
            for row in rows
        ]
        self.carried = max([self.carried, *(row["id"] for row in rows)])
        for some in _batches(order(records), batch):
            async with self._open(self.evaluator.pool, "evaluator") as tx:
                await self.evaluator.handlers.on_measurements(tx, some)

    async def know(self, data: hot.ProgressData) -> None:
        """Take in how far the sources are complete, and judge what was waiting for it."""
        await self.evaluator.hear(data)
        await self.evaluator.scan()

    async def empty(self) -> None:
        """Forget everything in both databases."""
        for pool in (self.measurements, self.evaluator.pool):
            await pool.execute(f"TRUNCATE {await pool.fetchval(TABLES)}")
        self.evaluator.restart()

    async def refused(self) -> list[tuple[str, ...]]:
        """What measurements did not take."""
        return [tuple(row.values()) for row in await self.measurements.fetch(REFUSED)]

    def _received(self, topic: Topic, key: bytes, value: bytes, partitions: int) -> Received:
        offset = self.offsets[topic.name] = self.offsets.get(topic.name, -1) + 1
        decoder = decode if topic is topics.SERVICE_EVENTS else _DECODERS[topic.name]
        partition = crc32(key) % partitions
        return Received(topic.name, partition, offset, self.now, key, value, decoder(value))

    @asynccontextmanager
    async def _open(self, pool: Pool, service: str) -> AsyncIterator[Transaction]:
        async with pool.acquire() as connection:
            async with connection.transaction():
                tx = Transaction(connection, service, self.now)  # type: ignore[arg-type]
                yield tx
                await tx.flush()
            await tx.committed()


_DECODERS = {
    topics.MEASUREMENTS.name: hot.decode_measurement,
    topics.COMPLAINTS.name: topics.COMPLAINTS.decode,
}


def _batches(records: Sequence[Received], size: int) -> Iterable[Sequence[Received]]:
    """A batch is of one partition; those of the partitions take turns."""
    by_partition: dict[int, list[Received]] = {}
    for record in records:
        by_partition.setdefault(record.partition, []).append(record)
    longest = max(map(len, by_partition.values()), default=0)
    for start in range(0, longest, size):
        for partition in sorted(by_partition):
            if some := by_partition[partition][start : start + size]:
                yield some


@asynccontextmanager
async def chain_on(database: FreshDatabase, now: datetime) -> AsyncIterator[Chain]:
    """Give both services fresh databases."""
    async with (
        await open_pool(await database("measurements"), name="test", size=2) as measurements,
        running(await database("evaluator")) as evaluator,
    ):
        yield Chain(measurements, evaluator, now)
