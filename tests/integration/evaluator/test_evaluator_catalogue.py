"""The catalogue stays in the database: a process holds the towns that it used last, each apart."""

import asyncio
from datetime import date
from itertools import product

import pytest

from shared.contracts.cartas import CartaData, Compromiso
from shared.criteria import Window, WindowKind
from shared.database import migrate
from tests.integration.evaluator.support import Evaluator
from tests.support.waiting import eventually
from tests.unit.evaluator import builders as b

FIRST, SECOND, THIRD = "encino", "fresno", "olmo"
TOWNS = (FIRST, SECOND, THIRD)
STRICTER = b.compromiso(b.wait(limit={"op": "<=", "value": 5}))
HELD_BACK = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND datname = current_database()
"""


async def learn_towns(evaluator: Evaluator, *towns: str) -> None:
    for town in towns:
        await evaluator.learn(
            b.municipality(municipality=town), b.calendar(municipality=town), carta_of(town)
        )


def carta_of(town: str, *compromisos: Compromiso, version: int = 1) -> CartaData:
    return b.carta(*compromisos, municipality=town, version=version)


async def wait_ten(evaluator: Evaluator, case: str, *towns: str) -> dict[str, str]:
    """Take in a case of each town that waited ten minutes; return their verdicts by town."""
    await evaluator.take(*(b.waited(case, 10, municipality=town) for town in towns))
    return await verdicts(evaluator, case)


async def verdicts(evaluator: Evaluator, case: str) -> dict[str, str]:
    query = "SELECT municipality, status FROM verdict WHERE case_id = $1"
    return {row["municipality"]: row["status"] for row in await evaluator.pool.fetch(query, case)}


def loads(evaluator: Evaluator) -> float:
    count: float = evaluator.metrics.towns_loaded._value.get()
    return count


def held(evaluator: Evaluator) -> float:
    count: float = evaluator.metrics.promises._value.get()
    return count


def holding_at_most(evaluator: Evaluator, promises: int) -> None:
    changed = evaluator.settings.model_copy(update={"catalogue_promises": promises})
    evaluator.settings = changed
    evaluator.restart()


async def test_a_change_in_one_town_does_not_read_another_again(evaluator: Evaluator) -> None:
    await learn_towns(evaluator, *TOWNS)
    await wait_ten(evaluator, "A-1", *TOWNS)
    assert loads(evaluator) == 3
    await evaluator.learn(carta_of(SECOND, STRICTER))
    told = await wait_ten(evaluator, "A-2", *TOWNS)
    assert told == {FIRST: "met", SECOND: "failed", THIRD: "met"}
    assert loads(evaluator) == 4


async def test_what_another_process_learned_is_read_again_here(
    evaluator: Evaluator, other: Evaluator
) -> None:
    await learn_towns(evaluator, FIRST, SECOND)
    await wait_ten(other, "A-1", FIRST, SECOND)
    await evaluator.learn(carta_of(FIRST, STRICTER))
    await evaluator.learn(carta_of(THIRD))
    told = await wait_ten(other, "A-2", FIRST, SECOND)
    assert (told, loads(other)) == ({FIRST: "failed", SECOND: "met"}, 3)


@pytest.mark.parametrize("most", [1, 4])
async def test_few_are_held_and_a_town_that_was_dropped_is_judged_as_before(
    evaluator: Evaluator, most: int
) -> None:
    """A town with one promise counts as two: there is room for one town, or for two."""
    await learn_towns(evaluator, *TOWNS)
    holding_at_most(evaluator, most)
    for round_, town in product(range(3), TOWNS):
        assert await wait_ten(evaluator, f"{town}-{round_}", town) == {town: "met"}
        assert held(evaluator) <= max(most, 2)
    assert loads(evaluator) == 9
    await evaluator.publish()
    assert await evaluator.difference() == 0


async def test_the_town_that_was_used_last_is_kept(evaluator: Evaluator) -> None:
    await learn_towns(evaluator, *TOWNS)
    holding_at_most(evaluator, 4)
    for place, town in enumerate((FIRST, SECOND, FIRST, THIRD, FIRST)):
        await wait_ten(evaluator, f"A-{place}", town)
    assert loads(evaluator) == 3


async def test_a_batch_has_every_town_that_it_asks_for(evaluator: Evaluator) -> None:
    await learn_towns(evaluator, *TOWNS)
    holding_at_most(evaluator, 1)
    assert await wait_ten(evaluator, "A-1", *TOWNS) == dict.fromkeys(TOWNS, "met")
    assert held(evaluator) == 2


async def test_a_town_that_was_not_asked_for_is_not_taken_for_one_without_promises(
    evaluator: Evaluator,
) -> None:
    await learn_towns(evaluator, FIRST, SECOND)
    async with evaluator.open() as tx:
        catalogue = await evaluator.knowledge.catalogue(tx.connection, (FIRST,))
    assert catalogue.for_service(FIRST, b.SERVICE)
    with pytest.raises(KeyError):
        catalogue.for_service(SECOND, b.SERVICE)


async def test_two_at_once_read_a_town_once(evaluator: Evaluator) -> None:
    await learn_towns(evaluator, FIRST)
    await asyncio.gather(
        *(evaluator.take(b.waited(f"A-{n}", 10, municipality=FIRST)) for n in range(4))
    )
    assert loads(evaluator) == 1


async def test_a_database_that_was_restored_is_read_anew(evaluator: Evaluator) -> None:
    """It is at an older version, and so was what it says of its towns."""
    await learn_towns(evaluator, FIRST)
    await evaluator.learn(carta_of(FIRST, STRICTER))
    assert await wait_ten(evaluator, "A-1", FIRST) == {FIRST: "failed"}
    loosened = carta_of(FIRST).model_dump_json()
    await evaluator.pool.execute(
        "UPDATE catalogue_entry SET data = $1::jsonb WHERE kind = 'carta'", loosened
    )
    await evaluator.pool.execute("UPDATE catalogue SET version = version - 1")
    assert await wait_ten(evaluator, "A-2", FIRST) == {FIRST: "met"}


@pytest.mark.parametrize("known", [True, False])
async def test_a_change_waits_for_the_batch_under_way_and_is_applied_to_it(
    evaluator: Evaluator, other: Evaluator, *, known: bool
) -> None:
    """Also for a town that nobody knew of: its cases are stored, and judged once it is known."""
    if known:
        await learn_towns(evaluator, FIRST)
        await evaluator.judge_again()
    changed = (
        b.municipality(municipality=FIRST),
        b.calendar(municipality=FIRST),
        carta_of(FIRST, STRICTER),
    )
    async with evaluator.open() as tx:
        await evaluator.take_in(tx, b.waited("A-1", 10, municipality=FIRST))
        learning = asyncio.create_task(other.learn(*changed))
        await eventually(lambda: _are_held_back(evaluator, 1), 10)
        assert not learning.done()
    await learning
    before = {FIRST: "met"} if known else {}
    assert await verdicts(evaluator, "A-1") == before
    await asyncio.gather(other.judge_again(), evaluator.judge_again())
    assert await verdicts(evaluator, "A-1") == {FIRST: "failed"}
    counted = "SELECT array[sum(met), sum(failed)] FROM tally WHERE municipality = $1"
    assert await evaluator.pool.fetchval(counted, FIRST) == [0, 1]
    assert await evaluator.difference() == 0


async def _are_held_back(evaluator: Evaluator, count: int) -> bool:
    held_back: int = await evaluator.pool.fetchval(HELD_BACK)
    return held_back == count


async def test_batches_that_follow_each_other_do_not_keep_a_change_out(
    evaluator: Evaluator, other: Evaluator
) -> None:
    """What begins while a change waits is judged by it; else, under load, its turn never comes."""
    await learn_towns(evaluator, FIRST)
    async with evaluator.open() as tx:
        await evaluator.take_in(tx, b.waited("A-1", 10, municipality=FIRST))
        learning = asyncio.create_task(other.learn(carta_of(FIRST, STRICTER)))
        await eventually(lambda: _are_held_back(evaluator, 1), 10)
        next_batch = asyncio.create_task(evaluator.take(b.waited("A-2", 10, municipality=FIRST)))
        await eventually(lambda: _are_held_back(evaluator, 2), 10)
    await asyncio.gather(learning, next_batch)
    assert await verdicts(evaluator, "A-1") == {FIRST: "met"}
    assert await verdicts(evaluator, "A-2") == {FIRST: "failed"}


async def test_changes_of_towns_in_the_middle_of_batches_are_applied_once_each(
    evaluator: Evaluator, other: Evaluator
) -> None:
    """There is room for one town, so that each batch drops what another process changes."""
    await learn_towns(evaluator, *TOWNS)
    for each in (evaluator, other):
        holding_at_most(each, 1)

    async def cases(process: Evaluator, partition: int) -> None:
        for number in range(12):
            some = [b.waited(f"{partition}-{number}", 10, municipality=town) for town in TOWNS]
            await process.take(*some, batch=2, partition=partition)

    async def changes() -> None:
        for limit, town in product((5, 20, 7), TOWNS):
            made = b.compromiso(b.wait(limit={"op": "<=", "value": limit}))
            await other.learn(carta_of(town, made))
            await evaluator.judge_again()

    await asyncio.gather(cases(evaluator, 0), cases(other, 1), changes(), other.judge_again())
    await evaluator.judge_again()
    statuses = await evaluator.pool.fetch("SELECT status, count(*) FROM verdict GROUP BY status")
    assert [tuple(row) for row in statuses] == [("failed", 72)]
    assert await evaluator.difference() == 0
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert await evaluator.pool.fetchval(deadlocks) == 0


async def windows(evaluator: Evaluator, town: str) -> list[str]:
    query = "SELECT window_id FROM judged_window WHERE municipality = $1 ORDER BY starts_at"
    return [row["window_id"] for row in await evaluator.pool.fetch(query, town)]


async def test_windows_are_opened_without_reading_towns_where_none_begins(
    evaluator: Evaluator,
) -> None:
    await learn_towns(evaluator, *TOWNS)
    await evaluator.open_windows("2026-02-10 12:00")
    assert [await windows(evaluator, town) for town in TOWNS] == [["2026-01", "2026-02"]] * 3
    evaluator.restart()
    await evaluator.open_windows("2026-02-28 23:59")
    assert loads(evaluator) == 0
    await evaluator.open_windows("2026-03-01 00:00")
    assert loads(evaluator) == 3
    assert [(await windows(evaluator, town))[-1] for town in TOWNS] == ["2026-03"] * 3


async def test_a_town_that_changed_gets_its_windows_at_once(evaluator: Evaluator) -> None:
    await learn_towns(evaluator, FIRST, SECOND)
    await evaluator.open_windows("2026-02-10 12:00")
    another = b.compromiso(id="RC-01-03", window=Window(kind=WindowKind.QUARTER))
    await evaluator.learn(carta_of(SECOND, b.compromiso(), another))
    evaluator.restart()
    await evaluator.open_windows("2026-02-10 12:00")
    assert loads(evaluator) == 1
    assert await windows(evaluator, SECOND) == ["2026-01", "2026-Q1", "2026-02"]


async def test_a_town_without_a_promise_is_not_looked_at_again(evaluator: Evaluator) -> None:
    await evaluator.learn(b.municipality(), b.calendar())
    await evaluator.open_windows("2026-02-10 12:00")
    evaluator.restart()
    await evaluator.open_windows("2030-02-10 12:00")
    assert loads(evaluator) == 0


async def test_a_campaign_gets_its_window_when_it_begins(evaluator: Evaluator) -> None:
    campaign = Window(
        kind=WindowKind.CAMPAIGN, id="lluvias", first=date(2026, 6, 1), last=date(2026, 6, 30)
    )
    await evaluator.learn(b.municipality(), b.calendar(), b.carta(b.compromiso(window=campaign)))
    await evaluator.open_windows("2026-05-31 23:59")
    assert await windows(evaluator, b.TOWN) == []
    await evaluator.open_windows("2026-06-01 00:00")
    assert await windows(evaluator, b.TOWN) == ["lluvias"]


async def test_the_upgrade_names_the_towns_that_are_known(evaluator: Evaluator) -> None:
    await learn_towns(evaluator, FIRST, SECOND)
    await evaluator.pool.execute(
        "DROP TABLE catalogue_town; DELETE FROM schema_migration WHERE name LIKE 'evaluator/0018%'"
    )
    await migrate(evaluator.settings.database_url.get_secret_value(), "evaluator")
    await evaluator.pool.expire_connections()
    assert await wait_ten(evaluator, "A-1", FIRST, SECOND) == {FIRST: "met", SECOND: "met"}
    await evaluator.learn(carta_of(FIRST, STRICTER))
    told = await wait_ten(evaluator, "A-2", FIRST, SECOND)
    assert told == {FIRST: "failed", SECOND: "met"}
