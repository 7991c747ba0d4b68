import logging
from datetime import datetime, timedelta

import pytest

from services.evaluator.nightly import Nightly
from services.evaluator.use_cases.recompute import recompute
from services.evaluator.use_cases.sampling import SAMPLE
from tests.integration.evaluator.support import Evaluator
from tests.unit.evaluator import builders as b

KEY = (b.TOWN, "RC-01-02", b.UNIT, "2026-09")
EVENING = b.local("2026-09-10 02:00")  # 08:00 UTC
NIGHT = b.local("2026-09-10 03:30")
BREAK = """
UPDATE judged_window SET result = jsonb_set(result, '{parts,0,met}', '7') WHERE compromiso = $1
"""


def job(evaluator: Evaluator, sample: int = 20) -> Nightly:
    return Nightly(evaluator.metrics, sample=sample, hour=9)


def counted(evaluator: Evaluator) -> tuple[float, float]:
    metrics = evaluator.metrics
    return (metrics.recomputed._value.get(), metrics.recompute_differences._value.get())


async def with_two_promises(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta(b.compromiso(), b.compromiso(id="RC-01-03")))
    await evaluator.take(b.waited("A-1", 10), b.waited("A-2", 20))
    await evaluator.publish()


async def test_a_night_without_a_difference_counts_what_it_looked_at(evaluator: Evaluator) -> None:
    await with_two_promises(evaluator)
    nightly = job(evaluator)
    await nightly.run(evaluator.pool, EVENING)
    assert counted(evaluator) == (0, 0)
    await nightly.run(evaluator.pool, NIGHT)
    await nightly.run(evaluator.pool, NIGHT + timedelta(minutes=1))
    assert counted(evaluator) == (2, 0)
    await nightly.run(evaluator.pool, NIGHT + timedelta(days=1))
    assert counted(evaluator) == (4, 0)


async def test_a_difference_that_stays_is_counted_and_logged_with_its_result(
    evaluator: Evaluator, caplog: pytest.LogCaptureFixture
) -> None:
    await with_two_promises(evaluator)
    await evaluator.pool.execute(BREAK, KEY[1])
    nightly = job(evaluator)
    await nightly.run(evaluator.pool, NIGHT)
    assert counted(evaluator) == (2, 0)
    await nightly.run(evaluator.pool, NIGHT + timedelta(minutes=1))
    assert counted(evaluator) == (2, 1)
    [said] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (said.message, said.__dict__["result"]) == (
        "result_differs_when_recomputed",
        "/".join(KEY),
    )
    await nightly.run(evaluator.pool, NIGHT + timedelta(minutes=2))
    assert counted(evaluator) == (2, 1)


async def test_a_difference_that_was_only_a_lag_is_none(evaluator: Evaluator) -> None:
    await with_two_promises(evaluator)
    whole = await evaluator.pool.fetchval(
        "SELECT result FROM judged_window WHERE compromiso = $1", KEY[1]
    )
    await evaluator.pool.execute(BREAK, KEY[1])
    nightly = job(evaluator)
    await nightly.run(evaluator.pool, NIGHT)
    await evaluator.pool.execute(
        "UPDATE judged_window SET result = $2::jsonb WHERE compromiso = $1", KEY[1], whole
    )
    await nightly.run(evaluator.pool, NIGHT + timedelta(minutes=1))
    assert counted(evaluator) == (2, 0)


async def test_the_sample_is_as_big_as_set_and_the_days_are_different(evaluator: Evaluator) -> None:
    await evaluator.learn_town(b.carta(*(b.compromiso(id=f"RC-01-{n:02}") for n in range(20))))
    await evaluator.take(b.waited("A-1", 10))
    await evaluator.publish()

    async def sample(day: datetime) -> list[str]:
        rows = await evaluator.pool.fetch(SAMPLE, day.date().isoformat(), 5)
        return [row["compromiso"] for row in rows]

    first, again = await sample(NIGHT), await sample(NIGHT)
    assert (len(first), first) == (5, again)
    assert first != await sample(NIGHT + timedelta(days=1))
    await job(evaluator, sample=5).run(evaluator.pool, NIGHT)
    await job(evaluator, sample=0).run(evaluator.pool, NIGHT)
    assert counted(evaluator) == (5, 0)


async def test_some_windows_are_recomputed_as_all_are(evaluator: Evaluator) -> None:
    await with_two_promises(evaluator)
    every = await recompute(evaluator.pool, b.TOWN)
    some = await recompute(evaluator.pool, b.TOWN, only={KEY})
    assert some == [each for each in every if each.window == KEY] != []
