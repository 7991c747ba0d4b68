"""Work that is done together: what is asked while a round is under way goes into the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Rounds(Generic[Asked, Answer]):
    """One round at a time, each begun after all that it answers was asked.

    What comes alone waits for nothing; under load the rounds grow by themselves. There is neither
    a delay nor a size to choose.
    """

    def __init__(
        self, work: Callable[[list[Asked]], Awaitable[Sequence[Answer]]], *, at_most: int
    ) -> None:
        """`work` returns one answer for each thing asked, in their order; never for none."""
        self._work = work
        self._at_most = at_most
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer. Raises what the work raised, as for all others of its round."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._task is None or self._task.done():
            # In a context of its own: a round is no part of the request that happens to begin it.
            self._task = asyncio.create_task(self._run(), context=Context())
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[: self._at_most], self._waiting[self._at_most :]
            # Who gave up while waiting wants no answer any more.
            current = [(asked, answer) for asked, answer in taken if not answer.done()]
            if current:
                await self._answer(current)

    async def _answer(self, current: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        work = self._work([asked for asked, _ in current])
        [found] = await asyncio.gather(work, return_exceptions=True)
        for place, (_, answer) in enumerate(current):
            if answer.done():
                continue
            if isinstance(found, BaseException):
                answer.set_exception(found)
            else:
                answer.set_result(found[place])
