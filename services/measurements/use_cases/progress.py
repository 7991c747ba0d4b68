"""How far everything has come: nobody downstream is accused by a lag of this pipeline.

A mark is set at an instant T: what the outbox held then leaves for Kafka, then the ends of
`service-events.v1` are taken; once our stored offsets reach them and what that produced has left
too, all that was known by T stands on `measurements.v1` below its ends, and that is published.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.measurements.domain.completeness import changed, source_state
from services.measurements.domain.presence import as_text
from services.measurements.store import progress as store
from services.measurements.store.heard import take_untold
from services.measurements.use_cases.declarations import declaration
from services.measurements.use_cases.telling import PUBLISHER
from shared.contracts import topics
from shared.contracts.ids import derived_id
from shared.contracts.measurements import (
    HeardData,
    ImportPhase,
    Progress,
    ProgressData,
    SourceHeard,
    SourceState,
)
from shared.contracts.topics import Topic
from shared.messaging import Transaction

GROUP = "measurements"
PROGRESS = "measurement.progress.v1"
HEARD = "measurement.heard.v1"


class Ends(Protocol):
    """Tells the end offsets of a topic."""

    async def of(self, topic: Topic) -> dict[int, int]: ...

    async def id_of(self, topic: Topic) -> str: ...

    def full_name(self, topic: Topic) -> str: ...


class Step(StrEnum):
    """What a mark waits for next."""

    OUTBOX_BEFORE = "outbox before"
    OFFSETS = "offsets"
    OUTBOX_AFTER = "outbox after"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on its way through the pipeline. `ends` are those of the topic with `topic_id`."""

    through: datetime
    step: Step
    outbox_id: int
    ends: Mapping[int, int]
    topic_id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What was last published. `ends` are those of our input: equal ones mean nothing new."""

    at: datetime | None
    ends: Mapping[int, int]
    sources: dict[str, SourceState]


NOTHING_TOLD = Told(None, {}, {})


async def set_mark(tx: Transaction) -> Mark:
    """Begin to follow what is known now."""
    return Mark(tx.now, Step.OUTBOX_BEFORE, await store.last_outbox_id(tx.connection), {})


async def advance(tx: Transaction, mark: Mark, ends: Ends) -> Mark | None:
    """Take the mark one step on, as far as the pipeline allows; None when it has come through."""
    con = tx.connection
    if mark.step is Step.OFFSETS:
        topic = ends.full_name(topics.SERVICE_EVENTS)
        applied = await store.applied(con, group=GROUP, topic=topic)
        if applied.rewound_since(mark.through):
            return await set_mark(tx)  # what had been lost is in no place that this one names
        if not applied.has_reached(mark.ends, mark.topic_id):
            return mark
        await _tell_heard(tx)
        last = await store.last_outbox_id(con)
        return replace(mark, step=Step.OUTBOX_AFTER, outbox_id=last)
    if await store.outbox_waits(con, mark.outbox_id):
        return mark
    if mark.step is Step.OUTBOX_BEFORE:
        reached = await ends.of(topics.SERVICE_EVENTS)
        topic_id = await ends.id_of(topics.SERVICE_EVENTS)
        return Mark(mark.through, Step.OFFSETS, 0, reached, topic_id)
    return None


async def tell(
    tx: Transaction, mark: Mark, *, told: Told, ends: Ends, idle_seconds: float
) -> Told | None:
    """Publish what the mark has shown; None where nothing changed and none is due.

    An import found complete now is told as complete to its source by a later mark, whose offsets
    lie beyond the declaration.
    """
    sources = [
        source_state(evidence, mark.through)
        for evidence in await store.source_evidence(tx.connection, mark.through)
    ]
    await _complete_imports(tx, mark.through)
    news = changed(told.sources, sources)
    idle = told.at is None or (mark.through - told.at).total_seconds() >= idle_seconds
    if not (news or idle or mark.ends != told.ends):
        return None
    offsets = await ends.of(topics.MEASUREMENTS)
    topic_id = await ends.id_of(topics.MEASUREMENTS)
    message = _progress(mark.through, offsets, topic_id, sources=sources if idle else news)
    tx.publish(topics.MEASUREMENTS, message)
    return Told(mark.through, mark.ends, {state.source: state for state in sources})


async def _tell_heard(tx: Transaction) -> None:
    """Publish the minutes heard since: they leave before the progress that says so."""
    for heard in await take_untold(tx.connection):
        minutes = as_text(heard.minutes)
        cause = f"{heard.uri}\x00{heard.day}\x00{minutes}"
        message = SourceHeard(
            id=derived_id(cause, HEARD, tx.now),
            source=PUBLISHER,
            time=tx.now,
            data=HeardData(
                municipality=heard.municipality,
                source=heard.uri,
                day=heard.day,
                minutes=minutes,
            ),
        )
        tx.publish(topics.MEASUREMENTS, message)


async def _complete_imports(tx: Transaction, through: datetime) -> None:
    for done in await store.complete_imports(tx.connection, through, tx.now):
        if done.as_of is None:
            continue
        message = declaration(
            done.import_id,
            done.uri,
            municipality=done.municipality,
            phase=ImportPhase.COMPLETED,
            expected=done.published,
            as_of=done.as_of,
            now=tx.now,
        )
        tx.publish(topics.MEASUREMENTS, message)


def _progress(
    through: datetime, offsets: Mapping[int, int], topic_id: str, *, sources: list[SourceState]
) -> Progress:
    return Progress(
        id=derived_id(GROUP, PROGRESS, through, ordinal=through.microsecond),
        source=PUBLISHER,
        time=through,
        data=ProgressData(
            pipeline=GROUP,
            through=through,
            offsets={str(partition): end for partition, end in sorted(offsets.items())},
            topic_id=topic_id,
            sources=tuple(sources),
        ),
    )
