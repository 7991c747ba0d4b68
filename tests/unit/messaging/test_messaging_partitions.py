"""A key goes where every other client of Kafka puts it."""

from aiokafka.partitioner import murmur2
from hypothesis import example, given
from hypothesis import strategies as st

from shared.messaging.loads import partition_of


@given(st.binary(max_size=64), st.integers(min_value=1, max_value=50))
@example(b"", 12)
@example(b"\xff\xff\xff\xff", 12)
@example(b"jacarandas/T-000181", 12)
def test_a_key_has_the_partition_of_kafkas_default_partitioner(key: bytes, partitions: int) -> None:
    assert partition_of(key, partitions) == (murmur2(key) & 0x7FFFFFFF) % partitions
