"""Of each compromiso and unit the pages show the last closed window in its last edition."""

import asyncpg

from services.portal.store import results
from shared.contracts.results import ResultData, ResultStatus
from tests.support.databases import FreshDatabase
from tests.unit.portal import builders as b


async def test_the_last_edition_of_the_last_closed_window_is_shown(
    database: FreshDatabase,
) -> None:
    centro, sur = (b.result("CC-RC-01", "01", unit) for unit in ("RC-CENTRO", "RC-SUR"))
    other = b.result("CC-RC-01", "02", "REGISTRO")
    corrected = centro.model_copy(update={"edition": 2, "sequence": 2})
    running = b.result(
        "CC-RC-01",
        "01",
        "RC-CENTRO",
        window=b.quarter(4),
        status=ResultStatus.PROVISIONAL,
        edition=0,
    )
    earlier = [
        each.model_copy(update={"window": b.quarter(number), "edition": 3})
        for each in (centro, sur, other)
        for number in (1, 2)
    ]
    elsewhere = sur.model_copy(update={"municipality": "otro", "compromiso": "A", "unit": "A"})
    kept = [*earlier, centro, sur, other, corrected, running, elsewhere]
    assert await shown(await database("portal"), kept) == [corrected, sur, other]


async def test_a_municipality_without_a_closed_window_shows_none(database: FreshDatabase) -> None:
    elsewhere = b.result("CC-RC-01", "01", "RC-SUR", municipality="otro")
    assert await shown(await database("portal"), [elsewhere]) == []


async def shown(url: str, kept: list[ResultData]) -> list[ResultData]:
    """What the store gives for the municipality, in order of compromiso and unit."""
    connection = await asyncpg.connect(url)
    try:
        await results.keep_results(connection, kept)
        return await results.latest_closed(connection, b.M)
    finally:
        await connection.close()
