"""Rules of one-time links, on the portal's own database."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from services.portal.store import accounts, catalogue
from services.portal.use_cases import entering
from shared.contracts.cartas import Status
from shared.database import Pool, open_pool
from tests.support.databases import FreshDatabase
from tests.unit.portal import builders as b

NOW = datetime(2026, 11, 3, 18, 0, tzinfo=UTC)
VALID = timedelta(minutes=15)
SESSION = timedelta(hours=12)
MAILBOX = "enlace-mando@fresnos.example"


@pytest_asyncio.fixture
async def pool(database: FreshDatabase) -> AsyncIterator[Pool]:
    async with await open_pool(await database("portal"), name="test", size=4) as opened:
        await catalogue.keep(opened, b.catalogue())  # type: ignore[arg-type]
        yield opened


async def link(pool: Pool, mailbox: str = MAILBOX, now: datetime = NOW) -> str | None:
    async with pool.acquire() as connection, connection.transaction():
        return await entering.new_link(connection, mailbox, now=now, valid_for=VALID)  # type: ignore[arg-type]


async def enter(pool: Pool, token: str, now: datetime = NOW) -> str | None:
    async with pool.acquire() as connection, connection.transaction():
        return await entering.enter(connection, token, now=now, session_for=SESSION)  # type: ignore[arg-type]


async def session(pool: Pool, token: str, now: datetime = NOW) -> entering.Session | None:
    async with pool.acquire() as connection:
        return await entering.session_of(connection, token, now)  # type: ignore[arg-type]


async def test_of_many_who_use_a_link_at_once_one_enters(pool: Pool) -> None:
    token = await link(pool)
    assert token is not None
    sessions = await asyncio.gather(*(enter(pool, token) for _ in range(4)))
    assert sum(entered is not None for entered in sessions) == 1


async def test_a_link_and_a_session_end(pool: Pool) -> None:
    token = await link(pool)
    assert token is not None
    assert await enter(pool, token, NOW + VALID) is None
    opened = await enter(pool, token, NOW + VALID - timedelta(seconds=1))
    assert opened is not None
    assert await session(pool, opened, NOW + timedelta(hours=11)) is not None
    assert await session(pool, opened, NOW + timedelta(hours=13)) is None


async def test_nothing_that_is_kept_opens_anything(pool: Pool) -> None:
    """Who reads the tables finds hashes."""
    token = await link(pool)
    assert token is not None
    kept = await pool.fetchval("SELECT token_hash FROM sign_in")
    assert token.encode() not in kept
    assert await enter(pool, kept.hex()) is None


async def test_a_mailbox_that_asks_too_often_waits(pool: Pool) -> None:
    for _ in range(entering.LINKS_PER_MAILBOX):
        assert await link(pool) is not None
    assert await link(pool) is None
    assert await link(pool, "coordinacion@fresnos.example") is not None
    assert await link(pool, now=NOW + entering.LINKS_WINDOW) is not None


async def test_capitals_make_no_other_mailbox_and_strangers_get_nothing(pool: Pool) -> None:
    assert await link(pool, " Enlace-Mando@FRESNOS.example ") is not None
    assert await link(pool, "nadie@fresnos.example") is None


async def test_a_post_that_is_taken_away_ends_its_session(pool: Pool) -> None:
    token = await link(pool)
    assert token is not None
    opened = await enter(pool, token)
    assert opened is not None
    found = await session(pool, opened)
    assert found is not None
    assert found.visitor is not None
    assert found.visitor.units == {"MANDO"}
    retired = b.post("enlace-mando", version=2, unit="MANDO", status=Status.RETIRED)
    await catalogue.keep(pool, b.published(retired))  # type: ignore[arg-type]
    assert await session(pool, opened) is None
    assert await link(pool) is None


async def test_who_holds_several_posts_chooses_one(pool: Pool) -> None:
    second = b.post("suplente-agua", unit="AGUA", mailbox=MAILBOX)
    await catalogue.keep(pool, b.published(second))  # type: ignore[arg-type]
    await accounts.add_administrator(pool, MAILBOX, NOW)  # type: ignore[arg-type]
    token = await link(pool)
    assert token is not None
    opened = await enter(pool, token)
    assert opened is not None
    assert await session(pool, opened) == entering.Session(MAILBOX, None)
    async with pool.acquire() as connection:
        choose = entering.choose
        assert not await choose(connection, opened, MAILBOX, choice="fresnos/contraloria")  # type: ignore[arg-type]
        assert await choose(connection, opened, MAILBOX, choice="fresnos/suplente-agua")  # type: ignore[arg-type]
    found = await session(pool, opened)
    assert found is not None
    assert found.visitor is not None
    assert (found.visitor.post, found.visitor.unit) == ("suplente-agua", "AGUA")
    async with pool.acquire() as connection:
        assert await entering.choose(connection, opened, MAILBOX, choice="instalacion")  # type: ignore[arg-type]
    found = await session(pool, opened)
    assert found is not None
    assert found.visitor is not None
    assert found.visitor.role == "administrator"
