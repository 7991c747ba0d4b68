"""Publish the latest result of each window: running, at its cut-off, as an addendum after it."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.evaluator.domain.catalogue import Catalogue, Promise, services_of
from services.evaluator.domain.cohorts import Cohorts, cohorts_of
from services.evaluator.domain.identity import SOURCE, result_id
from services.evaluator.domain.results import (
    Counted,
    Known,
    Subject,
    breach_is_certain,
    is_at_risk,
    judged,
    result_data,
    window_of_result,
)
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store import cases as case_store
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import editions
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.tallies import (
    CohortCounts,
    WindowKey,
    WindowState,
    cells_of,
    is_historical,
    population_of,
)
from services.evaluator.use_cases import breaches
from services.evaluator.use_cases.knowledge import Knowledge, of_window
from shared.contracts.results import ResultData, ResultPublished, Verdict
from shared.contracts.topics import RESULTS
from shared.criteria import WindowBounds
from shared.criteria.vocabulary import Reference
from shared.database import Pool
from shared.messaging import Transaction, transaction
from shared.messaging.backoff import OUTAGES

logger = logging.getLogger(__name__)

LATE_FACTS = "hechos recibidos después del corte"
TRY_CLOSING_AGAIN = timedelta(seconds=5)
# What changes with every publication and says nothing new.
_NOT_NEWS = ("as_of", "sequence", "edition", "addendum_reason", "moved")


@dataclass(frozen=True, slots=True)
class _Look:
    """A window as one transaction sees it: its counts, and what was known before they were read.

    `standing`: whether a breach was said and stands, as of before the counts were read: one that a
    batch says meanwhile rests on newer counts, and these cannot withdraw it.
    """

    key: WindowKey
    promise: Promise
    state: WindowState
    counts: CohortCounts
    cohorts: Cohorts
    known: Known
    awaits_import: bool
    standing: bool
    earlier: Mapping[Reference, Counted]
    catalogue: Catalogue

    @property
    def counted(self) -> Counted:
        """The counts as they are judged."""
        return Counted.of(self.subject.bounds, self.cohorts, self.earlier)

    @property
    def historical(self) -> bool:
        return is_historical(self.counts.values())

    @property
    def is_closed(self) -> bool:
        return self.state.edition > 0

    @property
    def subject(self) -> Subject:
        state = self.state
        window = window_of_result(
            self.key[3],
            self.promise,
            start=state.starts_at,
            end=state.ends_at,
            closes_at=state.closes_at,
        )
        return Subject(self.promise, self.key[2], window)

    @property
    def calendar_versions(self) -> Mapping[str, int]:
        """The calendars of its versions; a closed window keeps those that it closed with."""
        if self.is_closed:
            return self.promise.calendar_versions
        town, compromiso = self.key[:2]
        found = [self.catalogue.promise(town, compromiso, v) for v in self.cohorts.versions]
        promises = [*(each for each in found if each is not None), self.promise]
        return {name: v for each in promises for name, v in each.calendar_versions.items()}

    def is_at_risk(self) -> bool:
        """Return whether the window would end badly; what an import tells of is past already."""
        return not self.historical and is_at_risk(self.promise, self.counted, known=self.known)


class PublishResults:
    """One transaction a window."""

    def __init__(self, knowledge: Knowledge, metrics: EvaluatorMetrics) -> None:
        self._knowledge = knowledge
        self._metrics = metrics

    async def changed(self, pool: Pool, *, limit: int = 500) -> int:
        """Publish windows whose counts changed; return how many were looked at."""
        async with pool.acquire() as connection:
            keys = await tally_store.to_publish(connection, limit=limit)  # type: ignore[arg-type]
        await self._each(pool, keys, closing=None)
        return len(keys)

    async def close(self, pool: Pool, now: datetime, *, limit: int = 500) -> int:
        """Make final the windows past their cut-off whose source is known complete."""
        async with pool.acquire() as connection:
            keys = await tally_store.to_close(connection, now, limit=limit)  # type: ignore[arg-type]
        await self._each(pool, keys, closing=now)
        return len(keys)

    async def _each(
        self, pool: Pool, keys: Sequence[WindowKey], *, closing: datetime | None
    ) -> None:
        """A window that cannot be published is no reason to hold back the others."""
        for key in keys:
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
        look = await self._look(tx, key)
        if look is None:
            return
        settled = await _is_settled(tx, look)
        if look.is_closed and not settled:
            await tally_store.look_again(tx.connection, key)
            return
        due = closing is not None and look.state.closes_at <= closing
        if closing is not None and not (due and settled and _may_close(look)):
            later = max(look.state.closes_at, tx.now + TRY_CLOSING_AGAIN)
            await tally_store.try_closing_later(tx.connection, key, later)
            due = False
        await self._decide(tx, look, final=due or look.is_closed)

    async def _look(self, tx: Transaction, key: WindowKey) -> _Look | None:
        """Lock the window, then read what its result is made of, in the order that _Look tells."""
        catalogue = await self._knowledge.catalogue(tx.connection)
        state = await tally_store.lock_window(tx.connection, key)
        if state is None:
            return None
        promise = _deciding(catalogue, key, state)
        if promise is None:  # withdrawn by its municipality: what was published of it stays
            await tally_store.take_changes(tx.connection, key)
            await tally_store.not_stale(tx.connection, key)
            await tally_store.try_closing_later(tx.connection, key, tx.now + timedelta(hours=1))
            return None
        promise, state = await _as_dated(tx, key, promise, state)
        coverage = await self._knowledge.coverage(tx.connection)
        await tally_store.take_changes(tx.connection, key)
        standing = await breach_store.is_standing(tx.connection, key)
        counts = await tally_store.counts_of(tx.connection, key, promise.measures)
        imported = of_window(coverage, promise, historical=True)
        return _Look(
            key,
            promise,
            state,
            counts,
            cohorts_of(catalogue, promise, cells_of(counts)),
            known=imported if is_historical(counts.values()) else of_window(coverage, promise),
            awaits_import=imported.through is None
            and any(count.historical for count in counts.values()),
            standing=standing is True,
            earlier=await _earlier(tx, key, promise, state, catalogue),
            catalogue=catalogue,
        )

    async def _decide(self, tx: Transaction, look: _Look, *, final: bool) -> None:
        state, promise = look.state, look.promise
        before = None if state.result is None else json.loads(state.result)
        result = judged(promise, look.counted, known=look.known, final=final)
        data = result_data(
            promise,
            result,
            cohorts=look.cohorts,
            calendar_versions=look.calendar_versions,
            unit=look.key[2],
            window=look.subject.window,
            known=look.known,
            edition=state.edition + 1 if final else 0,
            sequence=state.sequence + 1,
            historical=look.historical,
            addendum_reason=LATE_FACTS if look.is_closed else None,
            parts_before=() if before is None else before["parts"],
        )
        await self._say(tx, look, data)
        if not _is_news(before, data):
            await tally_store.not_stale(tx.connection, look.key)
            return
        risky = not final and look.is_at_risk()
        self._say_risk(tx, look, data, risky=risky)
        await self._save(tx, look, data, at_risk=risky)

    async def _say(self, tx: Transaction, look: _Look, data: ResultData) -> None:
        """A share is broken at the cut-off, an every-case promise as soon as it is certain.

        Also where the figures are those published last: a batch may have said a breach since, and
        taken it back itself.
        """
        is_broken = data.verdict is Verdict.NOT_MET and data.edition > 0
        if is_broken or breach_is_certain(look.promise, look.counted, known=look.known):
            await breaches.say(
                tx,
                look.key,
                look.subject,
                self._metrics,
                parts=data.parts,
                historical=data.historical,
            )
        elif look.standing:
            await breaches.withdraw(
                tx,
                look.key,
                look.subject,
                self._metrics,
                parts=data.parts,
                historical=data.historical,
            )

    def _say_risk(self, tx: Transaction, look: _Look, data: ResultData, *, risky: bool) -> None:
        """At the cut-off the risk has come true, and was said as a breach, or has passed."""
        has_passed = data.edition == 0 or data.verdict is Verdict.MET
        if risky != look.state.at_risk and (risky or has_passed):
            breaches.risk_changed(tx, look.subject, self._metrics, data.parts, at_risk=risky)

    async def _save(self, tx: Transaction, look: _Look, data: ResultData, *, at_risk: bool) -> None:
        event = _event(data)
        tx.publish(RESULTS, event)
        tx.on_commit.append(self._metrics.results.inc)
        result = data.model_dump_json()
        if data.edition:
            await editions.keep(tx.connection, look.key, edition=data.edition, result=result)
        await tally_store.save_window(
            tx.connection,
            look.key,
            edition=data.edition,
            sequence=data.sequence,
            at_risk=at_risk,
            result=result,
            carta_version=look.promise.carta.version,
        )


def _deciding(catalogue: Catalogue, key: WindowKey, state: WindowState) -> Promise | None:
    """A closed window keeps the version that decided it; an open one has that of its end."""
    bounds = WindowBounds(key[3], state.starts_at, state.ends_at)
    found = None if state.edition > 0 else catalogue.deciding(*key[:3], bounds)
    return found or catalogue.promise(key[0], key[1], state.carta_version)


async def _as_dated(
    tx: Transaction, key: WindowKey, promise: Promise, state: WindowState
) -> tuple[Promise, WindowState]:
    """A closed window keeps the calendars that it closed with; the cut-off of an open one moves."""
    if state.edition > 0 and state.result is not None:
        versions = json.loads(state.result)["calendar_versions"]
        return promise.with_versions(versions), state
    closes_at = promise.closes_at(WindowBounds(key[3], state.starts_at, state.ends_at))
    if closes_at == state.closes_at:
        return promise, state
    await tally_store.move_cutoff(tx.connection, key, closes_at)
    return promise, replace(state, closes_at=closes_at)


async def _earlier(
    tx: Transaction, key: WindowKey, promise: Promise, state: WindowState, catalogue: Catalogue
) -> dict[Reference, Counted]:
    """Return the counts of the windows that targets follow, where something was promised in them.

    Where an earlier version counted something of another kind there, there is nothing to follow.
    What is added to them later is followed when this window is looked at again.
    """
    window = WindowBounds(key[3], state.starts_at, state.ends_at)
    found: dict[Reference, Counted] = {}
    for kind, bounds in promise.earlier(window).items():
        earlier = (*key[:3], bounds.id)
        if await tally_store.exists(tx.connection, earlier):
            counts = await tally_store.counts_of(tx.connection, earlier, promise.measures)
            cohorts = cohorts_of(catalogue, promise, cells_of(counts))
            if not cohorts.apart:
                found[kind] = Counted.of(bounds, cohorts)
    return found


async def _is_settled(tx: Transaction, look: _Look) -> bool:
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
    return not await case_store.is_alarm_due(
        tx.connection, look.key, historical=look.historical, known=look.known.through
    )


def _may_close(look: _Look) -> bool:
    """A form without a judge needs no facts; without any source there is nothing to wait for.

    That there is none is known only once its pipeline was heard past the cut-off: facts can be
    here before the progress that describes their source.

    A window of before our time is not frozen empty: its first edition is that of an import.
    """
    known = look.known
    is_empty = not population_of(look.counts)
    if look.state.is_past and is_empty and look.promise.parts:
        return False
    if not look.promise.parts or known.lacks_source(look.state.closes_at):
        return True
    return known.covers(look.promise.facts_until(look.state.ends_at))


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
