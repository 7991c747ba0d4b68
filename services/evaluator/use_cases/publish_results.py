"""Publish the latest result of each window: running, at its cut-off, as an addendum after it."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from services.evaluator.domain.catalogue import services_of
from services.evaluator.domain.identity import SOURCE, result_id
from services.evaluator.domain.records import record_of
from services.evaluator.domain.results import Addendum, breach_is_certain
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store import cases as case_store
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import changed_windows, editions, moves, sums
from services.evaluator.store import tallies as tally_store
from services.evaluator.store import windows as window_store
from services.evaluator.store.tallies import population_of
from services.evaluator.store.windows import Risk, WindowKey
from services.evaluator.use_cases import breaches
from services.evaluator.use_cases.knowledge import Knowledge
from services.evaluator.use_cases.looking import Look, Publication, as_dated, deciding, look_at
from shared.contracts.results import Cause, ResultData, ResultPublished, Verdict
from shared.contracts.topics import RESULTS
from shared.criteria import references_of
from shared.database import Connection, Pool
from shared.messaging import Transaction, transaction
from shared.messaging.backoff import OUTAGES

logger = logging.getLogger(__name__)

TRY_CLOSING_AGAIN = timedelta(seconds=5)
LOOK_AT_EMPTY_PAST = timedelta(days=1)
AT_A_TIME = 3
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


class PublishResults:
    """One transaction a window."""

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
        """Publish some at a time: much of the time of each is a wait for the database's answers."""
        for first in range(0, len(keys), AT_A_TIME):
            some = keys[first : first + AT_A_TIME]
            ended = await asyncio.gather(
                *(self._one(pool, key, closing=closing) for key in some), return_exceptions=True
            )
            for error in filter(None, ended):
                raise error

    async def _one(self, pool: Pool, key: WindowKey, *, closing: datetime | None) -> None:
        """A window that cannot be published is no reason to hold back the others."""
        try:
            async with transaction(pool, service="evaluator") as tx:
                await self._publish(tx, key, closing=closing)
        except OUTAGES:
            raise
        except Exception:
            self._metrics.windows_failed.inc()
            logger.exception("window_not_published", extra={"window": "/".join(key)})

    async def _publish(self, tx: Transaction, key: WindowKey, *, closing: datetime | None) -> None:
        """`closing` is the instant at which it is to be closed, if its cut-off has come by then."""
        found = await self._look(tx, key, only_due=closing is None)
        if found is None:
            return
        look = found.look
        if look.awaits_import and look.state.is_past and not look.is_closed:
            # Its first result is that of the whole import: half of one says nothing.
            await window_store.not_stale(tx.connection, key)
            await window_store.try_closing_later(tx.connection, key, tx.now + TRY_CLOSING_AGAIN)
            return
        if look.is_closed and not (await _is_settled(tx, look) and await _is_whole(tx, look)):
            await window_store.look_again(tx.connection, key)
            return
        if look.state.is_past and not look.is_closed:
            closing = tx.now  # a provisional result of the past would say nothing more
        due = closing is not None and look.state.closes_at <= closing
        if closing is not None and not (due and _may_close(look) and await _is_settled(tx, look)):
            later = max(look.state.closes_at, tx.now + _pause(look))
            await window_store.try_closing_later(tx.connection, key, later)
            due = False
        await self._decide(tx, found, final=due or look.is_closed)

    async def _look(self, tx: Transaction, key: WindowKey, *, only_due: bool) -> _Found | None:
        """Lock the window, then read what its result is made of, in the order that Look tells."""
        con = tx.connection
        catalogue = await self._knowledge.catalogue(con, (key[0],))
        state = await window_store.lock_window(con, key, only_due=only_due)
        if state is None:
            return None
        promise = deciding(catalogue, key, state)
        if promise is None:  # withdrawn by its municipality: what was published of it stays
            await changed_windows.take(con, state.number)
            await window_store.not_stale(con, key)
            await window_store.try_closing_later(con, key, tx.now + timedelta(hours=1))
            return None
        promise, dated = as_dated(promise, state)
        if dated.closes_at != state.closes_at:
            await window_store.move_cutoff(con, key, dated.closes_at)
        coverage = await self._knowledge.coverage(con)
        await changed_windows.take(con, state.number)
        standing = await breach_store.is_standing(con, key)
        causes = await moves.take(con, key) if state.edition else ()
        look = await look_at(
            con,
            catalogue,
            coverage=coverage,
            key=key,
            promise=promise,
            state=dated,
            counts_of=partial(sums.counts_of, con),
        )
        return _Found(look, standing is True, causes)

    async def _decide(self, tx: Transaction, found: _Found, *, final: bool) -> None:
        look, state = found.look, found.look.state
        before = None if state.result is None else json.loads(state.result)
        data = look.result(
            Publication(
                edition=state.edition + 1 if final else 0,
                sequence=_next_sequence(state.sequence, tx.now),
                addendum=(
                    Addendum(before["parts"], found.causes) if before and look.is_closed else None
                ),
            )
        )
        await self._say(tx, look, data, standing=found.standing)
        if look.is_closed:
            await moves.forget(tx.connection, look.key)
        if not _is_news(before, data):
            await window_store.not_stale(tx.connection, look.key)
            return
        await self._save(tx, look, data, risk=self._say_risk(tx, look, data))

    async def _say(self, tx: Transaction, look: Look, data: ResultData, *, standing: bool) -> None:
        """A share is broken at the cut-off, an every-case promise as soon as it is certain.

        Also where the figures are those published last: a batch may have said a breach since, and
        taken it back itself.
        """
        is_broken = data.verdict is Verdict.NOT_MET and data.edition > 0
        if is_broken or breach_is_certain(look.promise, look.counted, known=look.known):
            broken = breaches.Broken(look.subject, data.parts, data.historical)
            await breaches.say(tx, [broken], self._metrics)
        elif standing:
            await breaches.withdraw(
                tx,
                look.subject,
                self._metrics,
                parts=data.parts,
                historical=data.historical,
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

    async def _save(self, tx: Transaction, look: Look, data: ResultData, *, risk: Risk) -> None:
        event = _event(data)
        tx.publish(RESULTS, event)
        tx.on_commit.append(self._metrics.results.inc)
        record = record_of(data)
        if data.edition:
            await editions.keep(tx.connection, look.key, edition=data.edition, record=record)
        await window_store.save_window(
            tx.connection,
            look.key,
            edition=data.edition,
            sequence=data.sequence,
            risk=risk,
            record=record,
            carta_version=look.promise.carta.version,
            known=look.known,
        )
        await _look_again_at_followers(tx, look, closed=data.edition > 0)


async def _look_again_at_followers(tx: Transaction, look: Look, *, closed: bool) -> None:
    """Have the windows published again whose targets follow the figure of this one.

    Of a closed one also those that run and expect as many cases.

    Windows are locked in the order of time only: no two publishers wait for each other.
    """
    versions = look.catalogue.versions(*look.key[:2])
    following = [each for each in versions if references_of(each.compromiso.criterion)]
    if not following and not closed:
        return
    expecting = versions if closed else ()
    for window in await window_store.windows_after(tx.connection, look.key):
        later = (*look.key[:3], window.id)
        earlier = {before.id for each in following for before in each.earlier(window).values()}
        before = {volume.id for each in expecting for volume in each.volumes_from(window).values()}
        if look.key[3] in earlier:
            await window_store.look_again(tx.connection, later)
        elif look.key[3] in before:
            await window_store.look_again(tx.connection, later, only_running=True)


async def _is_settled(tx: Transaction, look: Look) -> bool:
    """Return whether what we know already has been applied to the counts.

    Before that a frozen edition would be corrected at once by our own lag: cases wait for changed
    promises, an import is under way, an alarm within what is known has not been looked at, the
    source of a fact may not have been heard of.
    """
    services = services_of(look.promise)
    if await catalogue_store.is_rejudging(tx.connection, look.key[0], services):
        return False
    if look.awaits_import:
        return False
    newest = await tally_store.received_through(tx.connection, look.key)
    if newest is not None and not look.known.heard_past(newest):
        return False
    if await case_store.is_alarm_due(
        tx.connection, look.key, historical=look.historical, known=look.known.through
    ):
        return False
    # What was due may have been applied after the look at the counts: then they have changed.
    return not await changed_windows.has_changed(tx.connection, look.state.number)


async def _is_whole(tx: Transaction, look: Look) -> bool:
    """Return whether the causes that were read are those of the counts, and nothing came between.

    A batch that commits while we read may be in the counts and not in the causes.
    """
    return not await moves.has_more(tx.connection, look.key)


def _pause(look: Look) -> timedelta:
    """Return how long to wait before closing is tried again.

    An empty window of before our time waits for an import, whose facts have it looked at anyway;
    until then nothing about it changes that could be known.
    """
    known = look.known
    is_all_told = known.heard_past(look.state.closes_at) and (
        known.through is None or known.covers(look.promise.facts_until(look.state.ends_at))
    )
    return LOOK_AT_EMPTY_PAST if is_all_told and _is_empty_past(look) else TRY_CLOSING_AGAIN


def _is_empty_past(look: Look) -> bool:
    return look.state.is_past and not population_of(look.counts)


def _may_close(look: Look) -> bool:
    """Without any source there is nothing to wait for.

    That there is none is known only once its pipeline was heard past the cut-off: facts can be
    here before the progress that describes their source.

    A window of before our time is not frozen empty: its first edition is that of an import.
    """
    known = look.known
    if _is_empty_past(look):
        return False
    if known.lacks_source(look.state.closes_at):
        return True
    return known.covers(look.promise.facts_until(look.state.ends_at))


def _next_sequence(last: int, now: datetime) -> int:
    """Return the number of a publication: the milliseconds of its instant, but above the last.

    After a restore from a backup, too, it is above what was published before: readers keep the
    highest.
    """
    return max(last + 1, int(now.timestamp() * 1000))


def _is_news(before: dict[str, Any] | None, data: ResultData) -> bool:
    if before is None:
        return True
    if (before["edition"] == 0) != (data.edition == 0):
        return True
    after = json.loads(data.model_dump_json())
    return any(before.get(name) != after[name] for name in after if name not in _NOT_NEWS)


def _event(data: ResultData) -> ResultPublished:
    key = f"{data.municipality}/{data.compromiso}/{data.unit}/{data.window.id}"
    return ResultPublished(
        id=result_id(key, data.sequence, data.window.start),
        source=SOURCE,
        time=data.as_of,
        subject=data.compromiso,
        data=data,
    )
