"""Progress says no more than what stands on the topic below its offsets."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.contracts import hot, topics
from tests.integration.measurements.support import Messages, System, event, native
from tests.support import clocks
from tests.support.processes import running_service
from tests.support.waiting import eventually


async def test_all_that_was_known_by_then_stands_below_the_offsets(system: System) -> None:
    await system.add_source()
    known_at: dict[str, datetime] = {}
    async with system.messages(topics.MEASUREMENTS) as messages:
        while len(known_at) < 20 or len(await messages.progress()) < 3:
            case = f"A-{len(known_at)}"
            await system.produce(native(event(case=case, minutes_ago=len(known_at))))
            known_at[case] = datetime.now(UTC)

        async def past_all() -> bool:
            told = await messages.progress()
            return bool(told) and told[-1].data.through > max(known_at.values())

        await eventually(past_all)
        told = [progress.data for progress in await messages.progress()]
        places = await _places(messages)
    assert len(places) == len(known_at)
    checked = 0
    for progress in told:
        for case, (partition, offset) in places.items():
            if known_at[case] <= progress.through:
                checked += 1
                assert offset < progress.offsets[str(partition)], case
    assert checked >= len(known_at)


async def _places(messages: Messages) -> dict[str, tuple[int, int]]:
    """Partition and offset of each case's first message."""
    places: dict[str, tuple[int, int]] = {}
    for value, place in zip(await messages.read(), messages.places, strict=True):
        message = hot.decode_measurement(value)
        if isinstance(message, hot.CaseMeasured):
            places.setdefault(message.data.case, place)
    return places


@pytest.mark.skipif(clocks.library() is None, reason=clocks.NOT_INSTALLED)
@pytest.mark.parametrize("hours", [1, -1])
async def test_it_is_told_by_the_clock_of_the_database(
    stopped: System, tmp_path: Path, hours: int
) -> None:
    """An hour ahead, it would accuse an hour too early, and nothing more is known for an hour after
    the clock is put right; an hour behind, nothing is known of the last hour.
    """
    clock = clocks.Clock(tmp_path / "clock")
    clock.set(timedelta(hours=hours))
    await stopped.add_source()
    async with (
        running_service(
            "measurements",
            stopped.database_url,
            kafka=stopped.kafka,
            prefix=stopped.prefix,
            log_dir=tmp_path,
            extra=clock.environment,
        ),
        stopped.messages(topics.MEASUREMENTS) as messages,
    ):
        told = await eventually(messages.progress, what="progress")
    assert abs(told[0].data.through - datetime.now(UTC)) < timedelta(minutes=30)
