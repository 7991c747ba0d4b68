"""Records whose header names are no UTF-8: Kafka takes them from any producer, aiokafka reads none.

One such record would stop its partition for good. What reads them is slower, and therefore put in
place only once one was met.
"""

from typing import Any, cast

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_MAGIC = 16
"""Place of the format's version in a batch; all that Kafka 4 keeps are 2."""


class _Readable(bytearray):
    """Bytes of a batch of which every part can be read as text."""

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _Readable(found) if isinstance(place, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, "replace")


class _Batch(_DefaultRecordBatchPy):  # type: ignore[misc]  # final in its annotations only
    """A batch whose parts are readable once they are unpacked."""

    def _maybe_uncompress(self) -> None:
        if not self._decompressed:
            super()._maybe_uncompress()
            self._buffer: bytearray = _Readable(self._buffer)


class _Records:
    """aiokafka's reader of a fetched slice of the log, the one that is written in Python."""

    def __init__(self, data: bytes) -> None:
        self._batches = _MemoryRecordsPy(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)

    def next_batch(self) -> Any:
        """Return the next batch; an older format has no headers."""
        data = self._batches._next_slice
        read = self._batches.next_batch()
        return read if data is None or data[_MAGIC] < 2 else _Batch(data)


def read_any_name() -> None:
    """Read every record from here on, whatever its headers are called: � stands for no letter."""
    fetcher.MemoryRecords = cast("Any", _Records)
