"""Service events by an open-loop schedule, sent by a process of its own."""

import asyncio
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from aiokafka import AIOKafkaProducer

from benchmarks.environment import PREFIX, TopicSettings
from benchmarks.load import key_of, ticket
from shared.contracts import hot, topics
from shared.messaging.kafka import producer_options

STARTS_AFTER_SECONDS = 2.0
LEAST_SLEEP_SECONDS = 0.001
UNITS = 20


@dataclass(frozen=True, slots=True)
class Schedule:
    """Two events a ticket, `rate` events a second; `late` tickets of each second are late.

    Each late ticket has a unit of its own: it gives a late case, a breach, and a mail.
    """

    rate: int
    seconds: int
    late: int
    first: int = 0
    """The number of its first ticket: those of several schedules must not meet."""

    @property
    def tickets(self) -> range:
        """The numbers of its tickets."""
        return range(self.first, self.first + self.rate * self.seconds // 2)

    def is_late(self, number: int) -> bool:
        """Return whether the ticket is late."""
        return number % max(1, self.rate // (2 * self.late)) == 0


@dataclass(slots=True)
class Sent:
    """By late ticket: when its second event was due, and when Kafka had acknowledged it.

    In seconds of the monotonic clock, which all processes of a machine share.
    """

    due: dict[str, float] = field(default_factory=dict)
    acknowledged: dict[str, float] = field(default_factory=dict)


async def emit(settings: TopicSettings, schedule: Schedule) -> Sent:
    """Send from another process, so that neither waits for the other's interpreter."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, _emit, settings.model_dump(), schedule)


def _emit(settings: dict[str, Any], schedule: Schedule) -> Sent:
    return asyncio.run(_send_all(TopicSettings(**settings), schedule))


async def _send_all(settings: TopicSettings, schedule: Schedule) -> Sent:
    """Event number n is due n / rate seconds after the start, however late those before it were."""
    sent = Sent()
    topic = f"{PREFIX}{topics.SERVICE_EVENTS.name}"
    producer = AIOKafkaProducer(**producer_options(settings))
    await producer.start()
    start, wall = time.monotonic() + STARTS_AFTER_SECONDS, time.time() - time.monotonic()
    try:
        for place, number in enumerate(schedule.tickets):
            late = schedule.is_late(number)
            unit = f"U{number}" if late else f"N{number % UNITS}"
            due = [start + (2 * place + event) / schedule.rate for event in (0, 1)]
            called_at = datetime.fromtimestamp(wall + due[1], UTC)
            events = ticket(number, called_at=called_at, late=late, unit=unit)
            for event, at in zip(events, due, strict=True):
                if (early := at - time.monotonic()) > 0:
                    await asyncio.sleep(max(early, LEAST_SLEEP_SECONDS))
                future = await producer.send(topic, hot.encode(event), key=key_of(event))
                if late and event is events[1]:
                    sent.due[event.data.case] = at
                    future.add_done_callback(partial(_note, sent.acknowledged, event.data.case))
        await producer.flush()
    finally:
        await producer.stop()
    return sent


def _note(acknowledged: dict[str, float], case: str, _: object) -> None:
    acknowledged[case] = time.monotonic()
