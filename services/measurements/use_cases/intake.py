"""Events over HTTP: read the CloudEvents, reduce and check each, send the good ones to Kafka."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import unquote

import msgspec

from services.measurements.domain.checks import Reason, Refusal, Source, identifier
from services.measurements.domain.intake import Taken, reduce_event
from services.measurements.domain.told import Told, read_told
from services.measurements.store.activity import EdgeRefusal, add_edge_refusals
from services.measurements.store.counts import BatchCounts, Counts, add_counts
from shared.contracts import hot, topics
from shared.contracts.cloudevents import HTTP_PREFIX, binary_to_structured
from shared.messaging import DurableProducer, Transaction

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
BINARY = "application/json"
_decode_batch = msgspec.json.Decoder(list[msgspec.Raw]).decode
EDGE = -1
"""The partition under which the balance counts what never came to Kafka."""


class UnsupportedContentError(ValueError):
    """The request's content type is none of the three CloudEvents modes."""


class UnreadableBodyError(ValueError):
    """The body is not JSON, or not the JSON that its content type promises."""


class TooManyEventsError(ValueError):
    """The batch is larger than one request may be."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event of a request that was not taken. `index` is its place, from 0."""

    index: int
    event_id: str | None
    refusal: Refusal


@dataclass(slots=True)
class Outcome:
    """What became of the events of one request. `dropped` counts members left behind."""

    taken: list[hot.ServiceEvent] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    dropped: int = 0


def read_events(headers: Mapping[str, str], body: bytes, *, limit: int) -> list[object]:
    """Return the events of a request: as `Told` where that can be, else as sent.

    HTTP binding 1.0.2: binary, structured, batched.
    Raises UnsupportedContentError, UnreadableBodyError, TooManyEventsError.
    """
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == STRUCTURED:
        return [_event(body)]
    if content_type == BATCHED:
        events = _split(body)
        if len(events) > limit:
            raise TooManyEventsError(f"at most {limit} events")
        return [_event(bytes(event)) for event in events]
    if content_type == BINARY and f"{HTTP_PREFIX}specversion" in headers:
        return [_binary(headers, body)]
    raise UnsupportedContentError(f"{STRUCTURED}, {BATCHED}, or {BINARY} with ce- headers")


def _split(body: bytes) -> list[msgspec.Raw]:
    """Return a batch's events, of which each is yet to be read."""
    try:
        return _decode_batch(body)
    except msgspec.ValidationError:
        _json(body)
        raise UnreadableBodyError("a batch is a JSON array") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableBodyError("the body is not JSON") from None


def _event(body: bytes) -> object:
    return read_told(body) or _json(body)


def _json(body: bytes) -> object:
    try:
        found: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableBodyError("the body is not JSON") from None
    return found


def _binary(headers: Mapping[str, str], body: bytes) -> object:
    attributes = {
        name.removeprefix(HTTP_PREFIX): unquote(value)
        for name, value in headers.items()
        if name.startswith(HTTP_PREFIX)
    }
    try:
        structured = binary_to_structured(attributes, headers.get("content-type"), body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UnreadableBodyError("the body is not JSON") from None
    return _json(structured)


def sort_events(
    raw: Sequence[object], source: Source, now: datetime, *, traceparent: str | None
) -> Outcome:
    """Reduce and check each event; one bad event does not touch the others."""
    outcome = Outcome()
    for index, event in enumerate(raw):
        result = reduce_event(event, source, now, traceparent=traceparent)
        if isinstance(result, Taken):
            outcome.taken.append(result.event)
            outcome.dropped += result.dropped
        else:
            outcome.refused.append(Refused(index, _id_of(event), result))
    return outcome


def _id_of(event: object) -> str | None:
    if isinstance(event, Told):
        return identifier(event.id)
    return identifier(event.get("id")) if isinstance(event, dict) else None


def messages_of(events: Sequence[hot.ServiceEvent]) -> list[tuple[str, bytes]]:
    """Return keys and payloads, as the topic has them."""
    return [(f"{e.data.municipality}/{e.data.case}", hot.encode(e)) for e in events]


async def send(producer: DurableProducer, messages: Sequence[tuple[str, bytes]]) -> None:
    """Return when Kafka has all of them durably. Raises KafkaUnavailableError: to be sent again."""
    if messages:
        await producer.send(topics.SERVICE_EVENTS, messages)


async def record_refusals(tx: Transaction, source: Source, refused: Sequence[Refused]) -> None:
    """Keep what was refused for the emitter's page, and count it like what is refused later."""
    if not refused:
        return
    number = len(refused)
    counts = BatchCounts()
    counts.balance[source.uri, tx.now.date(), EDGE] = Counts(events=number, refused=number)
    minute = tx.now.replace(second=0, microsecond=0)
    counts.traffic[source.source_id, minute, EDGE] = [number, number]
    await add_counts(tx.connection, counts)
    rows = [EdgeRefusal(item.refusal, item.event_id) for item in refused]
    await add_edge_refusals(tx.connection, source.source_id, rows)
    for item in refused:
        tx.tell("refused_at_edge", traceparent=tx.traceparent, reason=item.refusal.reason.value)


def unreadable(detail: str) -> Refused:
    """Return the refusal of a whole body."""
    return Refused(0, None, Refusal(Reason.NOT_JSON, None, detail))
