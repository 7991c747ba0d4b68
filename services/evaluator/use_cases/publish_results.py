"""Publish the latest result of each window: running, at its cut-off, as an addendum after it."""

import json
from datetime import datetime, timedelta
from typing import Any

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.identity import SOURCE, result_id
from services.evaluator.domain.results import (
    Known,
    Subject,
    breach_is_certain,
    judged,
    result_data,
    window_of_result,
)
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.tallies import Counts, WindowKey, WindowState
from services.evaluator.use_cases import breaches
from services.evaluator.use_cases.breaches import is_historical
from services.evaluator.use_cases.knowledge import Knowledge
from shared.contracts.results import ResultData, ResultPublished, Verdict
from shared.contracts.topics import RESULTS
from shared.criteria import at_risk
from shared.database import Pool
from shared.messaging import Transaction, transaction

LATE_FACTS = "hechos recibidos después del corte"
TRY_CLOSING_AGAIN = timedelta(seconds=5)
# What changes with every publication and says nothing new.
_NOT_NEWS = ("as_of", "sequence", "edition", "addendum_reason")


class PublishResults:
    """One transaction a window."""

    def __init__(self, knowledge: Knowledge, metrics: EvaluatorMetrics) -> None:
        self._knowledge = knowledge
        self._metrics = metrics

    async def changed(self, pool: Pool, *, limit: int = 500) -> int:
        """Publish windows whose counts changed; return how many were looked at."""
        async with pool.acquire() as connection:
            keys = await tally_store.to_publish(connection, limit=limit)  # type: ignore[arg-type]
        for key in keys:
            async with transaction(pool, service="evaluator") as tx:
                await self._publish(tx, key, closing=False)
        return len(keys)

    async def close(self, pool: Pool, now: datetime, *, limit: int = 500) -> int:
        """Make final the windows past their cut-off whose source is known complete."""
        async with pool.acquire() as connection:
            keys = await tally_store.to_close(connection, now, limit=limit)  # type: ignore[arg-type]
        for key in keys:
            async with transaction(pool, service="evaluator") as tx:
                await self._publish(tx, key, closing=True)
        return len(keys)

    async def _publish(self, tx: Transaction, key: WindowKey, *, closing: bool) -> None:
        catalogue = await self._knowledge.catalogue(tx.connection)
        state = await tally_store.lock_window(tx.connection, key)
        if state is None:
            return
        promise = catalogue.promise(key[0], key[1], state.carta_version)
        if promise is None:
            await tally_store.not_stale(tx.connection, key)
            return
        counts = await tally_store.counts_of(tx.connection, key, len(promise.parts))
        historical = is_historical(counts)
        known = self._knowledge.of_window(promise, historical=historical)
        is_closed = state.edition > 0
        if closing and not is_closed and not _may_close(promise, state, known):
            await tally_store.try_closing_later(tx.connection, key, tx.now + TRY_CLOSING_AGAIN)
            closing = False
        await self._decide(tx, key, state, promise, counts, known=known, final=closing or is_closed)

    async def _decide(
        self,
        tx: Transaction,
        key: WindowKey,
        state: WindowState,
        promise: Promise,
        counts: list[Counts],
        *,
        known: Known,
        final: bool,
    ) -> None:
        tallies = [count.tally for count in counts]
        result = judged(promise, tallies, known=known, end=state.ends_at, final=final)
        subject = _subject(key, promise, state)
        historical = is_historical(counts)
        is_addendum = state.edition > 0
        data = result_data(
            promise,
            result,
            unit=key[2],
            window=subject.window,
            known=known,
            edition=state.edition + 1 if final else 0,
            sequence=state.sequence + 1,
            historical=historical,
            addendum_reason=LATE_FACTS if is_addendum else None,
        )
        before = None if state.result is None else json.loads(state.result)
        risky = (
            not final
            and not historical
            and any(
                at_risk(part, tally, minimum_sample=promise.compromiso.minimum_sample)
                for part, tally in zip(promise.parts, tallies, strict=True)
            )
        )
        if _is_news(before, data):
            await self._say(tx, key, subject, data, certain=breach_is_certain(promise, tallies))
            if risky != state.at_risk and not final:
                breaches.risk_changed(tx, subject, self._metrics, data.parts, at_risk=risky)
            await self._save(tx, key, data, at_risk=risky)
        else:
            await tally_store.not_stale(tx.connection, key)

    async def _say(
        self, tx: Transaction, key: WindowKey, subject: Subject, data: ResultData, *, certain: bool
    ) -> None:
        """A share is broken at the cut-off, an every-case promise as soon as it is certain."""
        is_broken = data.verdict is Verdict.NOT_MET and data.edition > 0
        if is_broken or certain:
            await breaches.say(
                tx, key, subject, self._metrics, parts=data.parts, historical=data.historical
            )
        else:
            await breaches.withdraw(
                tx, key, subject, self._metrics, parts=data.parts, historical=data.historical
            )

    async def _save(
        self, tx: Transaction, key: WindowKey, data: ResultData, *, at_risk: bool
    ) -> None:
        event = _event(data)
        tx.publish(RESULTS, event)
        self._metrics.results.inc()
        await tally_store.save_window(
            tx.connection,
            key,
            edition=data.edition,
            sequence=data.sequence,
            at_risk=at_risk,
            result=data.model_dump_json(),
        )


def _may_close(promise: Promise, state: WindowState, known: Known) -> bool:
    """A form without a judge needs no facts; without any source there is nothing to wait for."""
    return not promise.parts or not known.has_source or known.covers(state.ends_at)


def _subject(key: WindowKey, promise: Promise, state: WindowState) -> Subject:
    window = window_of_result(
        key[3], promise, start=state.starts_at, end=state.ends_at, closes_at=state.closes_at
    )
    return Subject(promise, key[2], window)


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
