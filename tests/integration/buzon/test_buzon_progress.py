import asyncio
from datetime import UTC, datetime, timedelta

from services.buzon.store import progress
from services.buzon.use_cases import completeness
from services.buzon.use_cases.completeness import Due
from shared.clock import utc_now
from shared.messaging import transaction
from tests.integration.buzon.support import Buzon
from tests.support.waiting import eventually
from tests.unit.buzon import builders as b

IDLE = timedelta(seconds=30)
WAITING_FOR_A_LOCK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


async def prepare(box: Buzon, idle: timedelta = IDLE) -> Due | None:
    async with transaction(box.pool, service="buzon") as tx:
        return await completeness.prepare(tx, idle=idle)


async def settled(box: Buzon) -> Due:
    """The progress of an idle box, said."""
    assert await prepare(box) is None
    due = await prepare(box)
    assert due is not None
    async with transaction(box.pool, service="buzon") as tx:
        await completeness.settle(tx, due)
    return due


async def filed_at(box: Buzon, folio: str) -> datetime:
    found: datetime = await box.pool.fetchval("SELECT filed_at FROM folio WHERE folio = $1", folio)
    return found


async def test_progress_waits_until_what_was_filed_is_on_kafka(box: Buzon) -> None:
    folio = (await box.filed())["folio"]
    assert [await prepare(box) for _ in range(3)] == [None, None, None]
    await box.pool.execute("DELETE FROM outbox")
    due = await prepare(box)
    assert due is not None
    assert due.municipalities == (b.TOWN,)
    assert await filed_at(box, folio) <= due.through


async def test_what_is_filed_later_does_not_hold_progress_back(box: Buzon) -> None:
    assert await prepare(box) is None
    folio = (await box.filed())["folio"]
    due = await prepare(box)
    assert due is not None
    assert due.through < await filed_at(box, folio)


async def test_progress_waits_for_a_filing_that_has_not_been_committed(box: Buzon) -> None:
    async with transaction(box.pool, service="buzon") as tx:
        stamped = await progress.stamp(tx.connection, tx.now)
        beginning = asyncio.create_task(prepare(box))
        await eventually(lambda: box.pool.fetchval(WAITING_FOR_A_LOCK), what="progress waits")
        assert not beginning.done()
    await beginning
    due = await prepare(box)
    assert due is not None
    assert stamped <= due.through


async def test_nothing_is_stamped_before_what_was_said_to_be_complete(box: Buzon) -> None:
    ahead = utc_now() + timedelta(hours=1)
    async with transaction(box.pool, service="buzon") as tx:
        await progress.advance(tx.connection, ahead)
    receipt = await box.filed()
    assert await filed_at(box, receipt["folio"]) > ahead
    answered = await box.step(receipt["folio"], "answer", text="Listo.")
    assert datetime.fromisoformat(answered.json()["answered_at"]) > ahead


async def test_an_idle_buzon_speaks_at_a_slow_beat_and_at_once_when_something_changed(
    box: Buzon,
) -> None:
    first = await settled(box)
    assert [await prepare(box) for _ in range(3)] == [None, None, None]
    assert (await _through(box)) == first.through
    await prepare(box, timedelta(0))
    assert (await _through(box)) > first.through
    await box.pool.execute("UPDATE progress SET published_through = through")
    before = await _through(box)
    await box.filed()
    await prepare(box)
    assert (await _through(box)) > before


async def test_a_buzon_that_knows_no_municipality_says_nothing(box: Buzon) -> None:
    await box.pool.execute("DELETE FROM reference")
    assert [await prepare(box) for _ in range(3)] == [None, None, None]


def test_the_message_of_one_instant_is_always_the_same() -> None:
    due = Due(datetime(2026, 9, 11, tzinfo=UTC), (b.TOWN,))
    message = completeness.message(due, {0: 7, 1: 0}, "cluster:topic")
    assert message.to_bytes() == completeness.message(due, {0: 7, 1: 0}, "cluster:topic").to_bytes()
    assert message.data.offsets == {"0": 7, "1": 0}
    assert message.data.topic_id == "cluster:topic"
    [source] = message.data.sources
    assert (source.source, source.services) == ("buzon", ("*",))
    assert source.complete_through == due.through


async def _through(box: Buzon) -> datetime:
    found: datetime = await box.pool.fetchval("SELECT through FROM progress")
    return found
