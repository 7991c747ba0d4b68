"""A key goes where every other client of Kafka puts it."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import example, given
from hypothesis import strategies as st

from shared.messaging.partitions import partitions_of

LONG = b"\xff" * 8


@given(st.lists(st.binary(max_size=64), max_size=20), st.integers(min_value=1, max_value=50))
@example([b"", b"\xff", b"\xff\xff", b"\xff\xff\xff", b"\xff\xff\xff\xff"], 12)
@example([LONG, b"\x00" * 8, LONG, b"jacarandas/T-000181", b"jacarandas/T-000182"], 12)
def test_a_key_has_the_partition_of_kafkas_default_partitioner(
    keys: list[bytes], partitions: int
) -> None:
    of_kafka = DefaultPartitioner()
    everywhere = list(range(partitions))
    expected = [of_kafka(key, everywhere, everywhere) for key in keys]
    assert partitions_of(keys, partitions) == expected
