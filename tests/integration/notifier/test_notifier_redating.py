"""A calendar decreed or corrected later moves the terms that run, and keeps what it moved."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest_asyncio

from services.notifier.deadlines import catch_up_with_catalogue
from services.notifier.domain.lifecycle import Step
from services.notifier.store import actions, terms
from services.notifier.use_cases.actions import redate
from shared.contracts.cartas import CalendarData, CatalogueEvent
from shared.worktime import DayException
from tests.integration.notifier.support import Notifier
from tests.integration.notifier.test_notifier_actions import (
    ACKNOWLEDGE_DUE,
    ACTION,
    PLAN_DUE,
    changes,
    escalate_at,
    take,
)
from tests.unit.notifier import builders as b


def decreed(day: date, version: int = 2) -> list[CatalogueEvent]:
    """The next version of the calendar, in which another day does not count."""
    off = DayException(first=day, last=day, reason="Inundación", opens=None, counts=False)
    calendar = b.calendar(version=version, days=(*b.calendar().days, off))
    return b.published(
        CalendarData(municipality=b.M, calendar=calendar, version=version, known_since=b.EPOCH)
    )


@pytest_asyncio.fixture
async def moved(desk: Notifier) -> AsyncIterator[Notifier]:
    """An action of Thursday the 10th; then Monday the 14th is decreed not to count."""
    await desk.take(b.breach())
    await desk.learn(decreed(date(2026, 9, 14)))
    yield desk


async def test_terms_that_run_move_and_the_move_is_on_record(moved: Notifier) -> None:
    await catch_up_with_catalogue(moved.pool, moved.office)
    later = ACKNOWLEDGE_DUE + timedelta(days=1)
    assert await escalate_at(moved, later - timedelta(microseconds=1)) == 0
    async with moved.at(b.NOON) as tx:
        action = await actions.read(tx.connection, ACTION)
        moves = await terms.moves_of(tx.connection, ACTION)
    assert action is not None
    assert (action.acknowledge_by, action.plan_by) == (later, PLAN_DUE + timedelta(days=3))
    assert (moves[0]["due_before"], moves[0]["due_after"]) == (
        ACKNOWLEDGE_DUE,
        later,
    )
    assert {(move["from_version"], move["to_version"]) for move in moves} == {(1, 2)}
    assert (await changes(moved))[-1] == "redated"
    assert await escalate_at(moved, later) == 1


async def test_a_term_moves_once_for_each_change(moved: Notifier) -> None:
    async with moved.at(b.NOON) as tx:
        assert await redate(tx, ACTION) > 0
    said = await changes(moved)
    async with moved.at(b.NOON) as tx:
        assert await redate(tx, ACTION) == 0
        assert await terms.outdated(tx.connection, limit=10) == []
    assert await changes(moved) == said


async def test_a_term_that_has_been_met_does_not_move(desk: Notifier) -> None:
    await desk.take(b.breach())
    await take(desk, Step.ACKNOWLEDGE)
    await desk.learn(decreed(date(2026, 9, 14)))
    await catch_up_with_catalogue(desk.pool, desk.office)
    async with desk.at(b.NOON) as tx:
        moves = await terms.moves_of(tx.connection, ACTION)
    assert {move["awaited"] for move in moves} == {"plan"}


async def test_a_change_of_other_days_moves_nothing_and_is_not_looked_at_twice(
    desk: Notifier,
) -> None:
    await desk.take(b.breach())
    await desk.learn(decreed(date(2027, 2, 1)))
    await catch_up_with_catalogue(desk.pool, desk.office)
    async with desk.at(b.NOON) as tx:
        assert await terms.moves_of(tx.connection, ACTION) == []
        assert await terms.outdated(tx.connection, limit=10) == []
    assert "redated" not in await changes(desk)


async def test_an_action_that_is_gone_has_no_terms(desk: Notifier) -> None:
    async with desk.at(b.NOON) as tx:
        assert await redate(tx, "INC-2026-9999") == 0
