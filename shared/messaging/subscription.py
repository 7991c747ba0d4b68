"""What a service declares to consume a topic: the topic, the group, a handler for batches."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

import msgspec
from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.contracts.cloudevents import structured
from shared.contracts.faults import expected, faulty_field
from shared.contracts.topics import Topic
from shared.messaging.transaction import Transaction

Decode = Callable[[bytes], Any]
Record: TypeAlias = "ConsumerRecord[bytes, bytes]"
LATEST_MS = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) * 1000


class Received(NamedTuple):
    """One record. `event` is decoded; `timestamp` is when Kafka took it (UTC).

    `value` is the structured form also of an event in binary mode: it can be sent again alone.
    """

    topic: str
    partition: int
    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes
    event: Any


Handler = Callable[[Transaction, Sequence[Received]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Handle `topic` as `group`: one transaction a batch, offsets fenced and advanced inside it.

    Effects must be keyed (an upsert by natural key and revision) or claimed from the inbox:
    producers repeat. `reference`: the service is not ready before it has caught up once. `lanes`:
    how many transactions apply a batch at a time, each some of its partitions: while one waits for
    the database another decodes and judges.
    """

    topic: Topic
    group: str
    handle: Handler
    decode: Decode | None = None
    max_records: int = 500
    reference: bool = False
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record could not be decoded. `detail` never holds a value of the message."""

    reason: str
    field: str | None = None
    detail: str = ""


def decode_record(
    record: Record, *, topic: Topic, decode: Decode | None
) -> Received | tuple[Received, Fault]:
    """Decode one record; a bad one comes back with its fault and no event."""
    event: Any = None
    fault: Fault | None = None
    value = record.value or b""
    try:
        if record.headers:
            value = structured(record.headers, value)
        event = (decode or topic.decode)(value)
    except Exception as error:  # noqa: BLE001 - whatever a payload provokes is that payload's fault
        fault = _fault(error, topic)
    received = Received(
        topic.name,
        record.partition,
        record.offset,
        _taken_at(record.timestamp),
        record.key,
        value,
        event,
    )
    return received if fault is None else (received, fault)


def _taken_at(milliseconds: int) -> datetime:
    """A producer sets it: what no calendar holds becomes the nearest that one does."""
    return datetime.fromtimestamp(min(max(milliseconds, 0), LATEST_MS) / 1000, UTC)


def _fault(error: Exception, topic: Topic) -> Fault:
    if isinstance(error, msgspec.ValidationError):
        return Fault("schema", faulty_field(error), expected(error))
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
        return Fault("not_json")
    if isinstance(error, RecursionError):
        return Fault("not_json", detail="nested too deep")
    if isinstance(error, ValidationError):
        return _model_fault(error, topic)
    return Fault("undecodable", detail=type(error).__name__)


def _model_fault(error: ValidationError, topic: Topic) -> Fault:
    """Name the first fault. Names that are not the contract's own stand as `*`: anybody's text."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return Fault("not_json", None, first["msg"])
    if first["type"] == "union_tag_invalid":
        return Fault("schema", "type", "unknown type")
    path = [name if isinstance(name, int) or name in topic.names else "*" for name in first["loc"]]
    return Fault("schema", ".".join(map(str, path)) or None, first["msg"])
