"""Which of the records at hand a process may apply."""

from aiokafka import ConsumerRecord
from prometheus_client import CollectorRegistry

from shared.messaging import MessagingMetrics
from shared.messaging.guard import Ownership, PartitionGuard


def _record(partition: int, offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("topic", partition, offset, 0, 0, b"", b"", None, 0, 0, ())


def test_records_that_came_twice_or_were_applied_or_are_not_ours_are_left_out() -> None:
    metrics = MessagingMetrics(CollectorRegistry())
    guard = PartitionGuard(None, group="g", topic="t", owner="me", metrics=metrics, told_as="t")  # type: ignore[arg-type]
    guard.owned = {0: Ownership(1, 5, 5), 1: Ownership(1, 0, 0), 2: Ownership(1, 0, 0, halted=True)}
    brought = [(0, 4), (0, 5), (1, 0), (0, 6), (0, 5), (0, 6), (0, 8), (2, 0), (3, 0), (1, 0)]
    mine = guard.ours([_record(partition, offset) for partition, offset in brought])
    kept = [(record.partition, record.offset) for record in mine]
    assert kept == [(0, 5), (1, 0), (0, 6), (0, 8)]
