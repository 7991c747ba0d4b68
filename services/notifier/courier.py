"""The courier: takes mail that is due to the server over a few sessions, and records the answers.

An answer is recorded before its session is given the next mail: a crash repeats at most one mail a
session. A mail under way is finished even when the service is told to stop; what was only taken
in hand is given back.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.notifier.metrics import Metrics
from services.notifier.settings import Settings
from services.notifier.smtp import Answer, Sent, Session
from services.notifier.store import mails
from services.notifier.store.mails import Mail
from services.notifier.use_cases.alerts import Office
from services.notifier.use_cases.delivery import record_all
from shared.clock import utc_now
from shared.database import Pool
from shared.messaging import transaction
from shared.messaging.backoff import OUTAGES

SERVICE: Final = "notifier"
IN_HAND: Final = 50
"""Mails that are leased at once: the sessions share them, so that a slow one holds up its own."""


@dataclass(frozen=True, slots=True)
class _Answered:
    mail: Mail
    answer: Answer
    recorded: asyncio.Future[None]


class Courier:
    """Delivers for one process; several may share a database, each mail is leased by one."""

    def __init__(
        self,
        pool: Pool,
        settings: Settings,
        office: Office,
        *,
        metrics: Metrics,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._pool = pool
        self._settings = settings
        self._office = office
        self._metrics = metrics
        self._clock = clock
        self._sessions = [Session(settings) for _ in range(settings.smtp_connections)]
        self._bell = office.bell
        self._heard: int | None = None
        self._looked_at = 0.0
        self._in_hand: deque[Mail] = deque()
        self._under_way = 0
        self._ending = False
        self._taking = asyncio.Lock()
        self._answered: list[_Answered] = []
        self._recording = asyncio.Lock()

    async def run(self) -> None:
        """Deliver until cancelled: at once what is written here, at a beat what falls due."""
        try:
            while True:
                await self.deliver_due()
                await self._wait()
                await asyncio.gather(*(session.close_if_idle() for session in self._sessions))
        finally:
            await self.close()

    async def close(self) -> None:
        """Take leave of the server."""
        await asyncio.gather(*(session.close() for session in self._sessions))

    async def deliver_due(self) -> None:
        """Offer what is due until nothing is, and nothing is under way."""
        self._ending = False
        workers = [asyncio.create_task(self._work(session)) for session in self._sessions]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await self._end(workers)
        for worker in done:
            worker.result()

    async def _end(self, workers: Sequence["asyncio.Task[None]"]) -> None:
        self._ending = True
        if not all(worker.done() for worker in workers):
            self._bell.look.set()
        _, late = await asyncio.wait(workers, timeout=self._settings.shutdown_seconds)
        for worker in late:
            worker.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        with suppress(*OUTAGES):  # the lease ends by itself
            await self._give_back()

    async def _work(self, session: Session) -> None:
        while (mail := await self._next()) is not None:
            try:
                await self._record(mail, await session.send(mail))
            finally:
                self._under_way -= 1
                self._bell.look.set()

    async def _next(self) -> Mail | None:
        """Return a mail to offer; None when there is none and none can come of those under way."""
        async with self._taking:
            while not self._ending:
                await self._take()
                if self._in_hand:
                    self._under_way += 1
                    return self._in_hand.popleft()
                if not self._under_way:
                    self._ending = True
                else:
                    await self._wait()
            return None

    async def _take(self) -> None:
        """Lease mails unless some are in hand; give back what has waited here for too long."""
        self._bell.look.clear()
        now = self._clock()
        least = timedelta(seconds=self._settings.begin_within_seconds)
        leased_until = self._in_hand[0].leased_until if self._in_hand else None
        if leased_until is not None and leased_until - now < least:
            await self._give_back()
        if not self._in_hand and self._may_be_due():
            await self._lease(now)

    def _may_be_due(self) -> bool:
        """Whether mail was written since we last looked, or more may have been there then."""
        looked_since = time.monotonic() - self._looked_at
        return (
            self._heard != self._bell.rung or looked_since >= self._settings.delivery_poll_seconds
        )

    async def _lease(self, now: datetime) -> None:
        heard, self._looked_at = self._bell.rung, time.monotonic()
        lease = timedelta(seconds=self._settings.lease_seconds)
        async with transaction(self._pool, service=SERVICE) as tx:
            leased = await mails.lease_mails(tx.connection, now, limit=IN_HAND, lease=lease)
        self._in_hand.extend(leased)
        self._heard = heard if len(leased) < IN_HAND else None

    async def _give_back(self) -> None:
        not_offered = list(self._in_hand)
        self._in_hand.clear()
        self._heard = None
        if not not_offered:
            return
        async with transaction(self._pool, service=SERVICE) as tx:
            await mails.give_back(tx.connection, not_offered)

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.delivery_poll_seconds):
                await self._bell.look.wait()

    async def _record(self, mail: Mail, answer: Answer) -> None:
        """Record the answer, together with those that came while others were being recorded."""
        recorded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answered.append(_Answered(mail, answer, recorded))
        async with self._recording:
            if not recorded.done():
                await self._record_waiting()
        await recorded

    async def _record_waiting(self) -> None:
        """What was accepted in one transaction; each failure, which may write mail, in its own."""
        waiting, self._answered = self._answered, []
        accepted = [each for each in waiting if each.answer.outcome is Sent.ACCEPTED]
        failed = [[each] for each in waiting if each.answer.outcome is not Sent.ACCEPTED]
        for together in filter(None, [accepted, *failed]):
            try:
                await self._record_together(together)
            except Exception as error:  # noqa: BLE001 - raised in the workers that wait for it
                for each in together:
                    each.recorded.set_exception(error)
            else:
                for each in together:
                    each.recorded.set_result(None)

    async def _record_together(self, answered: Sequence[_Answered]) -> None:
        async with transaction(self._pool, service=SERVICE) as tx:
            tx.now = self._clock()
            pairs = [(each.mail, each.answer) for each in answered]
            outcomes = await record_all(tx, self._office, pairs)
        for (mail, _), outcome in zip(pairs, outcomes, strict=True):
            if outcome is not None:
                self._metrics.count_delivery(
                    mail.kind, outcome, caused_at=mail.caused_at, now=tx.now
                )
