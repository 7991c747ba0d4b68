"""Judge cases event by event, keep verdicts and counts, say what is late or broken."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.evaluator.domain.catalogue import Catalogue, Promise
from services.evaluator.domain.cohorts import cohorts_of
from services.evaluator.domain.judging import Closed, Judgement, due_by, judge
from services.evaluator.domain.results import (
    Counted,
    Known,
    Subject,
    breach_is_certain,
    judged,
    part_results,
)
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store import cases as case_store
from services.evaluator.store import redatings as redating_store
from services.evaluator.store import sums
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.cases import (
    CaseKey,
    Verdicts,
)
from services.evaluator.store.redatings import Redating
from services.evaluator.store.tallies import NOTHING, CohortCounts, cells_of, is_historical
from services.evaluator.store.windows import WindowKey
from services.evaluator.use_cases import breaches
from services.evaluator.use_cases.accounting import Accounting
from services.evaluator.use_cases.bench import Bench
from services.evaluator.use_cases.breaches import Broken
from services.evaluator.use_cases.changes import Arrival, Cell, Changes, Moment
from services.evaluator.use_cases.keeping import keep_moves, keep_places, save_cases
from services.evaluator.use_cases.knowledge import Knowledge
from services.evaluator.use_cases.known_windows import KnownWindows
from shared.contracts import hot
from shared.contracts.breaches import BreachKind
from shared.contracts.results import AddendumReason
from shared.criteria import CaseStatus
from shared.database import Connection
from shared.messaging import Transaction

_NOTHING_KNOWN = Known(None, has_source=True)
_NONE_CLOSED: Final[Closed] = {}
_FAILED = CaseStatus.FAILED


class JudgeCases:
    """The use case; it holds no state of its own but what is known to every judgement."""

    def __init__(self, knowledge: Knowledge, metrics: EvaluatorMetrics) -> None:
        self.accounting = Accounting(knowledge)
        self._knowledge = knowledge
        self._windows = KnownWindows()
        self._metrics = metrics

    async def arrived(self, tx: Transaction, arrivals: Sequence[Arrival], *, writer: int) -> None:
        """Judge new revisions in their order; revisions that are known already change nothing."""
        keys = [(each.data.municipality, each.data.case) for each in arrivals]
        catalogue = await self._knowledge.catalogue(tx.connection, {town for town, _ in keys})
        locked = await case_store.lock_cases(tx.connection, set(keys))
        revisions = {key: each.revision for key, each in locked.items()}
        before = {key: each.verdicts for key, each in locked.items()}
        cases = [arrival.data for arrival in arrivals]
        bench = await self._bench(tx, catalogue, before, cases)
        tx.lap("look up")
        taken: list[Arrival] = []
        for key, arrival in zip(keys, arrivals, strict=True):
            if arrival.data.revision > revisions.get(key, 0):
                revisions[key] = arrival.data.revision
                bench.changes.cases[key] = arrival
                self._judge(bench, key, arrival)
                taken.append(arrival)
        tx.lap("judge")
        await save_cases(bench)
        tx.lap("store cases")
        await self._write(bench, writer=writer)
        tx.lap("store counts")
        await self.accounting.came_late(tx, [arrival.data for arrival in taken])
        self._observe(bench, taken, repeats=len(arrivals) - len(taken))

    async def again(
        self, tx: Transaction, keys: Iterable[CaseKey], *, writer: int, why: AddendumReason
    ) -> int:
        """Judge stored cases again: their promises changed, or more is known. Return how many."""
        keys = list(keys)
        catalogue = await self._knowledge.catalogue(tx.connection, {town for town, _ in keys})
        loaded = await case_store.load_cases(tx.connection, keys)
        before = {key: stored.verdicts for key, stored in loaded.items()}
        cases = [stored.data for stored in loaded.values()]
        bench = replace(await self._bench(tx, catalogue, before, cases), again=why)
        for key in sorted(loaded):
            stored = loaded[key]
            self._judge(bench, key, Arrival(stored.data, traceparent=stored.traceparent))
        if judged := bench.changes.judged:
            await case_store.update_verdicts(
                tx.connection, [(key, bench.verdicts[key]) for key in judged]
            )
        await self._write(bench, writer=writer)
        self._observe(bench, (), repeats=0)
        return len(loaded)

    async def _bench(
        self,
        tx: Transaction,
        catalogue: Catalogue,
        before: Mapping[CaseKey, Verdicts],
        cases: Iterable[hot.CaseData],
    ) -> Bench:
        coverage = await self._knowledge.coverage(tx.connection)
        closed = await _closed(tx.connection, catalogue, cases)
        verdicts = {key: dict(stood) for key, stood in before.items()}
        return Bench(tx, catalogue, coverage, before, verdicts, closed, Changes(), self._windows)

    def _judge(self, bench: Bench, key: CaseKey, arrival: Arrival) -> None:
        """Compare one case's verdicts with those before, and note every difference."""
        data, changes = arrival.data, bench.changes
        town = data.municipality
        changes.received(data.received_at)
        stood = bench.verdicts.setdefault(key, {})
        groups = bench.catalogue.for_service(town, data.service)
        if not groups and bench.again is None:
            changes.unpromised += 1
        closed = bench.closed.get(town, _NONE_CLOSED)
        judged_now = judge(data, groups, known=bench.known(data), closed=closed)
        for gone in [place for place in stood if place not in judged_now]:
            changes.judged.add(key)
            changes.replaced(data, stood.pop(gone), None)
        for place, (judgement, promise, window) in judged_now.items():
            old = stood.get(place)
            if old == judgement:
                continue
            if old is not None:
                changes.redated += _redated(data, promise, old, judgement)
            changes.judged.add(key)
            changes.replaced(data, old, judgement)
            if window is not None:
                cell = bench.cell(town, judgement, promise, window)
                cell.add(judgement)
                if judgement.status is _FAILED and cell.hurries:
                    self._failed(bench, arrival, judgement, cell, promise)
            stood[place] = judgement

    def _failed(
        self, bench: Bench, arrival: Arrival, judgement: Judgement, cell: Cell, promise: Promise
    ) -> None:
        """Say a late case at once; mark what may be a breach, whatever its own version says."""
        if cell.is_owed:
            counted = bench.changes.counted(cell.window)
            moment = Moment(arrival.data.case, counted, arrival.received_at, arrival.traceparent)
            bench.changes.moments.setdefault(cell.window, []).append(moment)
        was_late = any(
            verdict.compromiso == judgement.compromiso and verdict.status is _FAILED
            for verdict in bench.verdicts[arrival.key].values()
        )
        if not was_late and not judgement.historical:
            subject = cell.subject
            if subject.promise is not promise:
                subject = replace(subject, promise=promise)
            bench.changes.late += 1
            _say_late(bench.tx, subject, arrival, judgement)

    async def _write(self, bench: Bench, *, writer: int) -> None:
        tx, changes = bench.tx, bench.changes
        connection = tx.connection
        await keep_places(bench)
        if to_add := changes.to_add():
            closed = await tally_store.add(
                connection,
                to_add,
                writer=writer,
                received_through=changes.received_through,
                changed=await bench.numbers_of({window for window, _, _ in to_add}),
                touched=await bench.numbers_of(changes.counts),
            )
            if closed:
                await keep_moves(bench, closed)
        await redating_store.keep(connection, changes.redated, tx.now)
        if changes.moments:
            await self._say_broken(tx, changes, bench.catalogue)

    async def _say_broken(self, tx: Transaction, changes: Changes, catalogue: Catalogue) -> None:
        """Say the breach of every-case promises at their first failed case."""
        standing = await breach_store.standing(tx.connection, sorted(changes.moments))
        windows = {
            key: changes.subjects[key].promise.measures
            for key in sorted(changes.moments.keys() - standing)
        }
        if windows:
            after = await sums.counts_of(tx.connection, windows)
            found = [_broken(key, changes, catalogue, after.get(key, {})) for key in windows]
            await breaches.say(tx, [each for each in found if each is not None], self._metrics)

    def _observe(self, bench: Bench, taken: Sequence[Arrival], *, repeats: int) -> None:
        """Count what the commit makes certain."""
        metrics, tx = self._metrics, bench.tx
        changes = bench.changes
        reached, unpromised, late = changes.reached, changes.unpromised, changes.late
        told = [arrival.received_at for arrival in taken if arrival.received_at is not None]
        oldest = min(told, default=None)

        def observe() -> None:
            metrics.repeats.inc(repeats)
            metrics.without_promise.inc(unpromised)
            metrics.statements.labels(BreachKind.LATE_CASE.value).inc(late)
            for status in CaseStatus:
                metrics.verdicts.labels(status.value).inc(reached.count(status))
            if oldest is not None:
                seconds = (datetime.now(tx.now.tzinfo) - oldest).total_seconds()
                metrics.event_to_verdict.observe(seconds)

        tx.on_commit.append(observe)


def _say_late(tx: Transaction, subject: Subject, arrival: Arrival, judgement: Judgement) -> None:
    """A case that becomes late again after a correction mints the same id: it is said once."""
    late = subject.late_case(
        arrival.data.case,
        judgement.due_at,
        received_at=arrival.received_at,
        traceparent=arrival.traceparent,
    )
    breaches.publish_late(tx, late)


async def _closed(
    connection: Connection, catalogue: Catalogue, cases: Iterable[hot.CaseData]
) -> dict[str, Closed]:
    """Return the closed windows of the municipalities where a case is older than a calendar.

    A case that began after its calendars were last replaced is judged by the latest in any window.
    """
    redated = {name: town for name, town in catalogue.towns.items() if town.redated_at is not None}
    towns = {
        data.municipality
        for data in cases
        if (town := redated.get(data.municipality)) is not None
        and town.redated_at is not None
        and min(data.instants.values()) < town.redated_at
    }
    return {
        name: await redating_store.closed_windows(connection, name, redated[name].redated())
        for name in sorted(towns)
    }


def _redated(
    data: hot.CaseData, promise: Promise, old: Judgement, new: Judgement
) -> Iterator[Redating]:
    """Yield how far a later calendar moved the due instant, by the facts as they are now."""
    if (old.carta_version, old.calendar_version) == (new.carta_version, new.calendar_version):
        return
    before, after = old.calendar_version, new.calendar_version
    if before is None or after is None or before >= after or new.due_at is None:
        return
    due = due_by(data, promise, new.part, calendar_version=before)
    if due is not None and due != new.due_at:
        yield Redating(
            municipality=data.municipality,
            case=data.case,
            compromiso=new.compromiso,
            part=new.part,
            window_id=new.window_id,
            calendar=promise.measures[new.part].calendar or "",
            from_version=before,
            to_version=after,
            due_before=due,
            due_after=new.due_at,
            is_open=new.amount is None,
        )


def _broken(
    key: WindowKey, changes: Changes, catalogue: Catalogue, after: CohortCounts
) -> Broken | None:
    """Return how a promise is broken: by all counts, or else by those of a moment in between."""
    subject, moments = changes.subjects[key], changes.moments[key]
    now = _Tried(subject, after, catalogue)
    if now.is_certain:
        return now.broken(moments[0])
    added = changes.counted(key)
    for moment in moments:
        then = _Tried(subject, _by_then(after, added, moment.counted), catalogue)
        if then.is_certain:
            return then.broken(moment, failing=(moment.case,))
    return None


@dataclass(frozen=True, slots=True)
class _Tried:
    """A promise by the counts of a moment."""

    subject: Subject
    counts: CohortCounts
    catalogue: Catalogue

    @property
    def counted(self) -> Counted:
        cohorts = cohorts_of(self.catalogue, self.subject.promise, cells_of(self.counts))
        return Counted.of(self.subject.bounds, cohorts)

    @property
    def is_certain(self) -> bool:
        return breach_is_certain(self.subject.promise, self.counted, known=_NOTHING_KNOWN)

    def broken(self, moment: Moment, *, failing: Sequence[str] = ()) -> Broken:
        promise = self.subject.promise
        result = judged(promise, self.counted, known=_NOTHING_KNOWN, final=False)
        return Broken(
            self.subject,
            part_results(promise, result),
            is_historical(self.counts.values()),
            failing,
            moment.received_at,
            moment.traceparent,
        )


def _by_then(after: CohortCounts, added: CohortCounts, by_then: CohortCounts) -> CohortCounts:
    """Return the counts as they were when only a part had been added."""
    return {
        place: after.get(place, NOTHING) - added.get(place, NOTHING) + by_then.get(place, NOTHING)
        for place in after.keys() | added.keys()
    }
