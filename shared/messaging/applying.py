"""Apply records: one fenced transaction a batch, sort the failures down to the one record."""

import asyncio
import logging
import time
from collections.abc import Sequence

from shared.clock import utc_now
from shared.database import Pool
from shared.errors import ConsumerStoppedError, FencedError
from shared.logs import log_fields
from shared.messaging.backoff import OUTAGES
from shared.messaging.guard import PartitionGuard
from shared.messaging.metrics import MessagingMetrics
from shared.messaging.stopwatch import Stopwatch
from shared.messaging.subscription import (
    Fault,
    Received,
    Record,
    Subscription,
    decode_record,
)
from shared.messaging.transaction import Transaction

logger = logging.getLogger(__name__)

# Fewer records cost more by their statements than by what is computed between them.
LEAST_FOR_LANES = 500
# So many unexpected errors in a row are a fault of ours, not of the messages.
UNEXPECTED_IN_A_ROW = 20


class Applier:
    """Hands the records of one subscription to its handler; what it refuses is kept."""

    def __init__(
        self,
        subscription: Subscription,
        *,
        service: str,
        pool: Pool,
        guard: PartitionGuard,
        metrics: MessagingMetrics,
        watch: Stopwatch,
    ) -> None:
        self._subscription = subscription
        self._service = service
        self._pool = pool
        self._guard = guard
        self._metrics = metrics
        self._watch = watch
        self._unexpected_in_a_row = 0

    async def apply(self, records: Sequence[Record]) -> None:
        """Apply the partitions of each lane apart; all lanes have ended when an error is raised.

        Few records have one transaction, however many lanes there are: it would take two as long.
        Raises FencedError where a partition is not ours any more, ConsumerStoppedError where too
        many fail in a row, and an outage as it is.
        """
        lanes: dict[int, list[Record]] = {}
        wanted = self._subscription.lanes if len(records) >= LEAST_FOR_LANES else 1
        for record in records:
            lanes.setdefault(record.partition % wanted, []).append(record)
        if len(lanes) == 1:
            await self._apply(records)
            return
        ended = await asyncio.gather(*map(self._apply, lanes.values()), return_exceptions=True)
        errors = [error for error in ended if error is not None]
        stops = (error for error in errors if not isinstance(error, (FencedError, *OUTAGES)))
        for error in (*stops, *errors):
            raise error

    async def _apply(self, records: Sequence[Record]) -> None:
        """Apply in one transaction; on an unexpected error by halves, down to the one record."""
        error = await self._attempt(records)
        if error is None:
            return
        await self._guard.reread()
        if len(records) == 1:
            await self._apply_alone(records)
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            if mine := self._guard.ours(half):
                await self._apply(mine)

    async def _apply_alone(self, records: Sequence[Record]) -> None:
        """Try the one record once more, as one of a batch is: once may not be its own fault."""
        mine = self._guard.ours(records)
        error = await self._attempt(mine) if mine else None
        if error is not None:
            await self._guard.reread()
            await self._give_up(records, error)

    async def _attempt(self, records: Sequence[Record]) -> Exception | None:
        """Apply in one transaction; return what our own code raised, if anything."""
        try:
            await self._transact(records)
        except (FencedError, *OUTAGES):
            raise
        except Exception as error:  # noqa: BLE001 - sorted by the caller: halves, then refused
            logger.warning(
                "batch_failed", extra={"records": len(records), "error": type(error).__name__}
            )
            return error
        self._unexpected_in_a_row = 0
        return None

    async def _give_up(self, records: Sequence[Record], error: Exception) -> None:
        self._unexpected_in_a_row += 1
        if self._unexpected_in_a_row >= UNEXPECTED_IN_A_ROW:
            raise ConsumerStoppedError(type(error).__name__) from error
        logger.error(
            "message_dead_lettered",
            extra={"topic": records[0].topic, "offset": records[0].offset},
            exc_info=error,
        )
        await self._transact(records, failed=type(error).__name__)

    async def _transact(self, records: Sequence[Record], *, failed: str | None = None) -> None:
        started, watch = time.perf_counter(), self._watch.beside()
        name = self._subscription.topic.name
        good, bad = self._decode(records)
        after = {record.partition: record.offset + 1 for record in records}
        watch.lap("decode")
        async with self._pool.acquire() as connection:
            async with connection.transaction():
                await self._guard.advance(connection, after)  # type: ignore[arg-type]
                watch.lap("begin")
                tx = Transaction(connection, self._service, utc_now(), watch=watch)  # type: ignore[arg-type]
                await self._effects(tx, good, bad, failed=failed)
            watch.lap("commit")
            self._guard.applied(after)
            await tx.committed()
        for refusal in tx.refusals:
            self._metrics.refused.labels(name, refusal.reason).inc()
        self._metrics.handled.labels(name).inc(len(records))
        self._metrics.batch_records.labels(name).observe(len(records))
        self._metrics.batch_seconds.labels(name).observe(time.perf_counter() - started)

    async def _effects(
        self,
        tx: Transaction,
        good: list[Received],
        bad: list[tuple[Received, Fault]],
        *,
        failed: str | None,
    ) -> None:
        """Handle what could be decoded, refuse the rest; one that `failed` is refused for that."""
        if failed is not None:
            tx.refuse(
                (good or [received for received, _ in bad])[0], "unexpected_error", detail=failed
            )
            good, bad = [], []
        for received, fault in bad:
            tx.refuse(received, fault.reason, field=fault.field, detail=fault.detail)
        if good:
            with log_fields(
                topic=self._subscription.topic.name,
                first_offset=good[0].offset,
                records=len(good) + len(bad),
            ):
                await self._subscription.handle(tx, good)
        tx.lap("handle")
        await tx.flush()
        tx.lap("outbox")

    def _decode(
        self, records: Sequence[Record]
    ) -> tuple[list[Received], list[tuple[Received, Fault]]]:
        good: list[Received] = []
        bad: list[tuple[Received, Fault]] = []
        topic, decode = self._subscription.topic, self._subscription.decode
        for record in records:
            decoded = decode_record(record, topic=topic, decode=decode)
            if isinstance(decoded, Received):
                good.append(decoded)
            else:
                bad.append(decoded)
        return good, bad
