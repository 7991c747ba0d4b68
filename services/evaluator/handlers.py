"""Kafka in: from a batch to a use case, nothing else."""

from collections.abc import Sequence

from services.evaluator.domain.identity import COMPLAINTS_WRITER, GROUP
from services.evaluator.settings import Settings
from services.evaluator.store import coverage
from services.evaluator.use_cases.changes import Arrival
from services.evaluator.use_cases.judge_cases import JudgeCases
from services.evaluator.use_cases.take_catalogue import take_catalogue
from services.evaluator.use_cases.take_complaints import Complaint, TakeComplaints
from shared.contracts import hot, topics
from shared.contracts.complaints import ComplaintChanged
from shared.messaging import Received, Subscription, Transaction

LANES = 2
"""One judges while the database works for the other."""


class Handlers:
    """The subscriptions of the evaluator."""

    def __init__(self, judge: JudgeCases, complaints: TakeComplaints) -> None:
        self._judge = judge
        self._complaints = complaints

    def subscriptions(self, settings: Settings) -> tuple[Subscription, ...]:
        """Return what the evaluator consumes."""
        return (
            Subscription(topics.CARTAS, GROUP, take_catalogue, reference=True),
            Subscription(
                topics.MEASUREMENTS,
                GROUP,
                self.on_measurements,
                decode=hot.decode_measurement,
                max_records=settings.batch_records,
                lanes=LANES,
            ),
            Subscription(topics.COMPLAINTS, GROUP, self.on_complaints),
        )

    async def on_measurements(self, tx: Transaction, batch: Sequence[Received]) -> None:
        """Judge cases; keep the pipeline's progress until we have caught up with it."""
        arrivals: list[Arrival] = []
        others: list[object] = []
        for received in batch:
            event = received.event
            if isinstance(event, hot.CaseMeasured):
                arrivals.append(Arrival(event.data, event.data.received_at, event.traceparent))
            else:
                others.append(event)
        if arrivals:
            await self._judge.arrived(tx, arrivals, writer=batch[0].partition)
        if others:
            await self._on_accounts(tx, others)
        for other in others:
            if isinstance(other, hot.Progress):
                await _keep_progress(tx, topics.MEASUREMENTS.name, other.data)

    async def _on_accounts(self, tx: Transaction, events: Sequence[object]) -> None:
        counts = [event.data for event in events if isinstance(event, hot.CasesCounted)]
        heard = [event.data for event in events if isinstance(event, hot.SourceHeard)]
        if counts:
            await self._judge.accounting.counted(tx, counts)
        if heard:
            await self._judge.accounting.heard(tx, heard)

    async def on_complaints(self, tx: Transaction, batch: Sequence[Received]) -> None:
        """Judge folios; keep the buzon's progress."""
        changed = [
            Complaint(received.event.data, received.timestamp, received.event.traceparent)
            for received in batch
            if isinstance(received.event, ComplaintChanged)
        ]
        if changed:
            writer = COMPLAINTS_WRITER + batch[0].partition
            await self._complaints.arrived(tx, changed, writer=writer)
        for received in batch:
            if not isinstance(received.event, ComplaintChanged):
                data = hot.convert_progress(received.event.data.model_dump())
                await _keep_progress(tx, topics.COMPLAINTS.name, data)


async def _keep_progress(tx: Transaction, topic: str, data: hot.ProgressData) -> None:
    await coverage.wait(
        tx.connection,
        pipeline=data.pipeline,
        topic=topic,
        through=data.through,
        offsets=data.offsets,
        topic_id=data.topic_id,
        sources=[hot.to_builtins(source) for source in data.sources],
    )
