"""Tells the evaluator how far the buzon is known complete, so that nobody is accused by a lag."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.buzon.store import progress, reference
from services.buzon.use_cases.recording import SOURCE
from shared.contracts.complaints import ComplaintProgress
from shared.contracts.ids import cause_of, derived_id
from shared.contracts.measurements import ProgressData, SourceKind, SourceState
from shared.messaging import Transaction

PIPELINE = "buzon"


@dataclass(frozen=True, slots=True)
class Due:
    """A progress whose messages are all on Kafka; only their end offsets are missing."""

    through: datetime
    municipalities: tuple[str, ...]


async def prepare(tx: Transaction, *, idle: timedelta) -> Due | None:
    """Return what is due. Begins a new progress when something changed, or `idle` went by."""
    connection = tx.connection
    state = await progress.get(connection)
    if state.through == state.published_through:
        changed = await progress.has_changed(connection, state.published_through)
        if changed or tx.now - state.published_through >= idle:
            await progress.advance(connection, tx.now)
        return None
    if not await progress.is_drained(connection, state.outbox_id):
        return None
    known = await reference.municipalities(connection)
    return Due(state.through, tuple(known)) if known else None


def message(due: Due, offsets: dict[int, int], topic_id: str) -> ComplaintProgress:
    """Return the message; `offsets` are the ends of `complaints.v1`, taken after `prepare`."""
    cause = cause_of(SOURCE, f"progress/{due.through.isoformat()}")
    return ComplaintProgress(
        id=derived_id(cause, "complaint.progress.v1", due.through),
        source=SOURCE,
        time=due.through,
        data=ProgressData(
            pipeline=PIPELINE,
            through=due.through,
            offsets={str(partition): offset for partition, offset in offsets.items()},
            topic_id=topic_id,
            sources=tuple(
                _source(municipality, due.through) for municipality in due.municipalities
            ),
        ),
    )


async def settle(tx: Transaction, due: Due) -> None:
    """Remember that it was published."""
    await progress.published(tx.connection, due.through)


def _source(municipality: str, through: datetime) -> SourceState:
    """We are the source ourselves: what was not filed by `through` was not filed by then."""
    return SourceState(
        municipality=municipality,
        source=PIPELINE,
        kind=SourceKind.LIVE,
        services=("*",),
        reports=("buzon.*",),
        complete_through=through,
        grace_seconds=0,
    )
