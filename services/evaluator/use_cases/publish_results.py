"""Publish the latest result of each window: running, at its cut-off, as an addendum after it."""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from services.evaluator.domain.catalogue import Catalogue, Promise
from services.evaluator.domain.identity import SOURCE, result_id
from services.evaluator.domain.records import Record, record_of
from services.evaluator.domain.results import Addendum, breach_is_certain
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store import changed_windows, editions, moves, sums
from services.evaluator.store import windows as window_store
from services.evaluator.store.windows import Published, Risk, WindowKey, WindowState
from services.evaluator.use_cases import breaches
from services.evaluator.use_cases.closing import is_final
from services.evaluator.use_cases.knowledge import Knowledge
from services.evaluator.use_cases.looking import Look, Publication, as_dated, deciding, look_at
from shared.contracts.results import Cause, ResultData, ResultPublished, Verdict
from shared.contracts.topics import RESULTS
from shared.criteria import references_of
from shared.database import Connection, Pool
from shared.messaging import Transaction, transaction
from shared.messaging.backoff import OUTAGES

logger = logging.getLogger(__name__)

AT_A_TIME = 25
# What changes with every publication and says nothing new.
_NOT_NEWS = ("as_of", "sequence", "edition", "causes", "moved")


@dataclass(frozen=True, slots=True)
class _Found:
    """A window, and what had been said of it before its counts were read.

    `standing`: whether a breach was said and stands; one that a batch says meanwhile rests on newer
    counts, and these cannot withdraw it. `causes` are those of an addendum.
    """

    look: Look
    standing: bool
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Decided:
    """A window with its result, as it is kept. `before` is the result published last."""

    found: _Found
    data: ResultData
    record: Record
    before: dict[str, Any] | None

    @property
    def look(self) -> Look:
        return self.found.look

    @property
    def is_broken(self) -> bool:
        """A share is broken at the cut-off, an every-case promise as soon as it is certain."""
        if self.data.verdict is Verdict.NOT_MET and self.data.edition > 0:
            return True
        look = self.look
        return breach_is_certain(look.promise, look.counted, known=look.known)

    @property
    def is_news(self) -> bool:
        before, after = self.before, json.loads(self.record.json)
        if before is None or (before["edition"] == 0) != (after["edition"] == 0):
            return True
        return any(before.get(name) != after[name] for name in after if name not in _NOT_NEWS)


class PublishResults:
    """Some windows a transaction: most of what one costs is its statements."""

    def __init__(self, knowledge: Knowledge, metrics: EvaluatorMetrics) -> None:
        self._knowledge = knowledge
        self._metrics = metrics
        self._after = 0

    async def changed(self, pool: Pool, *, limit: int = 500) -> int:
        """Publish windows whose counts changed; return how many were looked at.

        Where more have changed, the next call goes on behind them: none waits for those that
        change all the time.
        """
        async with pool.acquire() as plain:
            connection: Connection = plain  # type: ignore[assignment]
            found = await changed_windows.following(connection, self._after, limit=limit)
        self._after = found[-1][0] if len(found) == limit else 0
        await self._each(pool, [key for _, key in found], closing=None)
        return len(found)

    async def stale(self, pool: Pool, *, limit: int = 500) -> int:
        """Publish windows that are new or to be looked at again; return how many they were."""
        async with pool.acquire() as connection:
            keys = await window_store.stale(connection, limit=limit)  # type: ignore[arg-type]
        await self._each(pool, keys, closing=None)
        return len(keys)

    async def close(self, pool: Pool, now: datetime, *, limit: int = 500) -> int:
        """Make final the windows past their cut-off whose source is known complete."""
        async with pool.acquire() as connection:
            keys = await window_store.to_close(connection, now, limit=limit)  # type: ignore[arg-type]
        await self._each(pool, keys, closing=now)
        return len(keys)

    async def _each(
        self, pool: Pool, keys: Sequence[WindowKey], *, closing: datetime | None
    ) -> None:
        for first in range(0, len(keys), AT_A_TIME):
            await self._some(pool, keys[first : first + AT_A_TIME], closing=closing)

    async def _some(
        self, pool: Pool, keys: Sequence[WindowKey], *, closing: datetime | None
    ) -> None:
        """A window that cannot be published is no reason to hold back the others."""
        try:
            async with transaction(pool, service="evaluator") as tx:
                await self._publish(tx, keys, closing=closing)
        except OUTAGES:
            raise
        except Exception:
            if len(keys) > 1:
                for key in keys:
                    await self._some(pool, [key], closing=closing)
                return
            self._metrics.windows_failed.inc()
            logger.exception("window_not_published", extra={"window": "/".join(keys[0])})

    async def _publish(
        self, tx: Transaction, keys: Sequence[WindowKey], *, closing: datetime | None
    ) -> None:
        """`closing` is the instant at which they are to be closed, if their cut-off has come."""
        decided: list[_Decided] = []
        postponed: dict[int, datetime] = {}
        for found in await self._look(tx, keys, closing=closing):
            final = await is_final(tx, found.look, closing=closing, postponed=postponed)
            if final is not None:
                decided.append(_decide(found, final=final, now=tx.now))
            await asyncio.sleep(0)  # what is judged meanwhile does not wait for all of them
        if postponed:
            await window_store.try_closing_later(tx.connection, postponed)
        await self._say(tx, decided)
        await self._save(tx, decided)

    async def _look(
        self, tx: Transaction, keys: Sequence[WindowKey], *, closing: datetime | None
    ) -> list[_Found]:
        """Lock the windows, then read what their results are made of, in the order of Look."""
        con = tx.connection
        catalogue = await self._knowledge.catalogue(con, {key[0] for key in keys})
        states = await window_store.lock_due(con, keys, closing=closing)
        windows = await _dated(tx, catalogue, states)
        coverage = await self._knowledge.coverage(con)
        await changed_windows.take(con, [state.number for state in states.values()])
        stands = await breach_store.lock(con, windows) if windows else {}
        causes = {
            key: await moves.take(con, key) for key, (_, s) in windows.items() if s.edition > 0
        }
        looks = await look_at(
            con, catalogue, coverage, windows, counts_of=partial(sums.counts_of, con)
        )
        return [
            _Found(look, stands.get(look.key, False), causes.get(look.key, ())) for look in looks
        ]

    async def _say(self, tx: Transaction, decided: Sequence[_Decided]) -> None:
        """Say what is broken, and that a breach does not hold any more.

        Also where the figures are those published last: a batch may have said a breach since, and
        taken it back itself.
        """
        broken = [each for each in decided if each.is_broken]
        told = [
            breaches.Broken(each.look.subject, each.data.parts, each.data.historical)
            for each in broken
        ]
        await breaches.say(tx, told, self._metrics)
        for each in decided:
            if each.found.standing and each not in broken:
                await breaches.withdraw(
                    tx,
                    each.look.subject,
                    self._metrics,
                    parts=each.data.parts,
                    historical=each.data.historical,
                )

    def _say_risk(self, tx: Transaction, look: Look, data: ResultData) -> Risk:
        """Say a risk once, and once that it has passed; results tell of all that is between.

        At the cut-off it has come true, and was said as a breach, or has passed.
        """
        said = look.state.risk
        if data.at_risk and said is Risk.UNSAID:
            breaches.risk_changed(tx, look.subject, self._metrics, data.parts, at_risk=True)
            return Risk.SAID
        if data.at_risk or said is not Risk.SAID:
            return said
        if data.edition == 0 or data.verdict is Verdict.MET:
            breaches.risk_changed(tx, look.subject, self._metrics, data.parts, at_risk=False)
        return Risk.PASSED

    async def _save(self, tx: Transaction, decided: Sequence[_Decided]) -> None:
        """Publish what is news; what moved a closed window has come to an edition, or to nothing.

        Raises where an edition is kept already: it does not change.
        """
        con = tx.connection
        for each in decided:
            if each.look.is_closed:
                await moves.forget(con, each.look.key)
        news = [each for each in decided if each.is_news]
        same = [each.look.state.number for each in decided if each not in news]
        if same:
            await window_store.not_stale(con, same)
        if not news:
            return
        published = [self._published(tx, each) for each in news]
        await window_store.save(con, published)
        for each in news:
            key, data = each.look.key, each.data
            if data.edition:
                await editions.keep(con, key, edition=data.edition, record=each.record)
            await _look_again_at_followers(tx, each.look, closed=data.edition > 0)
        tx.on_commit.append(partial(self._metrics.results.inc, len(news)))

    def _published(self, tx: Transaction, decided: _Decided) -> Published:
        look, data = decided.look, decided.data
        tx.publish(RESULTS, _event(data))
        return Published(
            number=look.state.number,
            edition=data.edition,
            sequence=data.sequence,
            risk=self._say_risk(tx, look, data),
            record=decided.record,
            carta_version=look.promise.carta.version,
            known=look.known,
        )


async def _dated(
    tx: Transaction, catalogue: Catalogue, states: Mapping[WindowKey, WindowState]
) -> dict[WindowKey, tuple[Promise, WindowState]]:
    """Return the windows with the promises that decide them, and their cut-offs as they are now.

    Of a promise that its municipality withdrew, what was published stays.
    """
    con = tx.connection
    windows: dict[WindowKey, tuple[Promise, WindowState]] = {}
    for key, state in states.items():
        promise = deciding(catalogue, key, state)
        if promise is None:
            await window_store.not_stale(con, [state.number])
            await window_store.try_closing_later(con, {state.number: tx.now + timedelta(hours=1)})
            continue
        windows[key] = _, dated = as_dated(promise, state)
        if dated.closes_at != state.closes_at:
            await window_store.move_cutoff(con, key, dated.closes_at)
    return windows


def _decide(found: _Found, *, final: bool, now: datetime) -> _Decided:
    look, state = found.look, found.look.state
    before = None if state.result is None else json.loads(state.result)
    data = look.result(
        Publication(
            edition=state.edition + 1 if final else 0,
            sequence=_next_sequence(state.sequence, now),
            addendum=(
                Addendum(before["parts"], found.causes) if before and look.is_closed else None
            ),
        )
    )
    return _Decided(found, data, record_of(data), before)


async def _look_again_at_followers(tx: Transaction, look: Look, *, closed: bool) -> None:
    """Have the windows published again whose targets follow the figure of this one.

    Of a closed one also those that run and expect as many cases.
    """
    versions = look.catalogue.versions(*look.key[:2])
    following = [each for each in versions if references_of(each.compromiso.criterion)]
    if not following and not closed:
        return
    expecting = versions if closed else ()
    again: list[int] = []
    for later in await window_store.windows_after(tx.connection, look.key):
        window = later.bounds
        earlier = {before.id for each in following for before in each.earlier(window).values()}
        before = {volume.id for each in expecting for volume in each.volumes_from(window).values()}
        if look.key[3] in earlier or (look.key[3] in before and not later.is_closed):
            again.append(later.number)
    if again:
        await changed_windows.add(tx.connection, again)


def _next_sequence(last: int, now: datetime) -> int:
    """Return the number of a publication: the milliseconds of its instant, but above the last.

    After a restore from a backup, too, it is above what was published before: readers keep the
    highest.
    """
    return max(last + 1, int(now.timestamp() * 1000))


def _event(data: ResultData) -> ResultPublished:
    key = f"{data.municipality}/{data.compromiso}/{data.unit}/{data.window.id}"
    return ResultPublished(
        id=result_id(key, data.sequence, data.window.start),
        source=SOURCE,
        time=data.as_of,
        subject=data.compromiso,
        data=data,
    )
