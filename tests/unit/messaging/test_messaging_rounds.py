"""Work done together: who shares a round, who waits, whom an error reaches."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.logs import bound_field, log_fields
from shared.rounds import Rounds


class Work:
    """Rounds that end when they are let go."""

    def __init__(self, *, at_most: int = 100) -> None:
        self.rounds: Rounds[int, int] = Rounds(self._work, at_most=at_most)
        self.done: list[list[int]] = []
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.bound: list[object] = []

    async def _work(self, asked: Sequence[int]) -> list[int]:
        self.done.append(list(asked))
        self.bound.append(bound_field("traceparent"))
        self.begun.set()
        await self.let_go.wait()
        if 0 in asked:
            raise ZeroDivisionError
        return [10 * number for number in asked]

    async def ask(self, *numbers: int) -> list[asyncio.Task[int]]:
        tasks = [asyncio.create_task(self.rounds.ask(number)) for number in numbers]
        await self.begun.wait()
        return tasks


async def test_what_comes_during_a_round_shares_the_next() -> None:
    work = Work()
    first = await work.ask(1)
    later = await work.ask(2, 3, 4)
    await asyncio.sleep(0)
    assert work.done == [[1]]
    work.let_go.set()
    assert await asyncio.gather(*first, *later) == [10, 20, 30, 40]
    assert work.done == [[1], [2, 3, 4]]
    assert await work.rounds.ask(5) == 50


async def test_a_round_has_an_end() -> None:
    work = Work(at_most=2)
    work.let_go.set()
    assert await asyncio.gather(*await work.ask(1, 2, 3, 4, 5)) == [10, 20, 30, 40, 50]
    assert work.done == [[1, 2], [3, 4], [5]]


async def test_an_error_reaches_all_of_its_round_and_nobody_else() -> None:
    work = Work()
    first = await work.ask(1)
    failing = await work.ask(0, 2)
    await asyncio.sleep(0)
    work.let_go.set()
    assert await asyncio.gather(*first) == [10]
    errors = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(error) for error in errors] == [ZeroDivisionError, ZeroDivisionError]
    assert await work.rounds.ask(3) == 30


async def test_who_gave_up_is_not_asked_for() -> None:
    work = Work()
    first = await work.ask(1)
    gone, other = await work.ask(2, 3)
    await asyncio.sleep(0)
    gone.cancel()
    work.let_go.set()
    assert await asyncio.gather(*first, other) == [10, 30]
    assert work.done == [[1], [3]]
    with pytest.raises(asyncio.CancelledError):
        await gone


async def test_a_round_is_no_part_of_the_request_that_begins_it() -> None:
    work = Work()
    work.let_go.set()
    with log_fields(traceparent="somebody's"):
        assert await work.rounds.ask(1) == 10
    assert work.bound == [None]
