"""Judge cases event by event, keep verdicts and counts, say what is late or broken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.evaluator.domain.catalogue import Catalogue, Promise
from services.evaluator.domain.judging import Judgement, VerdictKey, judge
from services.evaluator.domain.results import Subject, window_of_result
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import cases as case_store
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.cases import CaseKey, StoredVerdict
from services.evaluator.store.tallies import Counts, NewWindow, WindowKey
from services.evaluator.use_cases.breaches import say_if_certain
from services.evaluator.use_cases.knowledge import Knowledge
from shared.contracts import hot
from shared.contracts.breaches import BreachKind
from shared.contracts.topics import BREACHES
from shared.criteria import CaseStatus, Share, WindowBounds, is_every_case
from shared.messaging import Transaction

Verdicts = dict[VerdictKey, Judgement]
Judged = tuple[Judgement, Promise, WindowBounds | None]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A case at a revision, and when Kafka took the event that made it so."""

    data: hot.CaseData
    received_at: datetime | None = None

    @property
    def key(self) -> CaseKey:
        """Municipality and case."""
        return (self.data.municipality, self.data.case)


@dataclass(slots=True)
class _Changes:
    """What one transaction changes, gathered event by event and written once."""

    cases: dict[CaseKey, hot.CaseData] = field(default_factory=dict)
    verdicts: dict[tuple[CaseKey, VerdictKey], Judgement | None] = field(default_factory=dict)
    counts: dict[tuple[WindowKey, int], Counts] = field(default_factory=dict)
    windows: dict[WindowKey, NewWindow] = field(default_factory=dict)
    subjects: dict[WindowKey, tuple[Subject, datetime | None]] = field(default_factory=dict)

    def count(self, municipality: str, judgement: Judgement, *, sign: int) -> None:
        if judgement.window_id is None:
            return
        window = (municipality, judgement.compromiso, judgement.unit, judgement.window_id)
        key = (window, judgement.part)
        one = Counts(judgement.tally(), int(judgement.historical))
        before = self.counts.get(key, Counts())
        self.counts[key] = before + one if sign > 0 else before - one


class JudgeCases:
    """The use case; it holds no state of its own but what is known to every judgement."""

    def __init__(self, knowledge: Knowledge, metrics: EvaluatorMetrics) -> None:
        self._knowledge = knowledge
        self._metrics = metrics

    async def arrived(self, tx: Transaction, arrivals: Sequence[Arrival], *, writer: int) -> None:
        """Judge new revisions in their order; revisions that are known already change nothing."""
        catalogue = await self._knowledge.catalogue(tx.connection)
        keys = {arrival.key for arrival in arrivals}
        revisions = await case_store.lock_cases(tx.connection, keys)
        stored = await case_store.load_verdicts(tx.connection, revisions)
        changes = _Changes()
        for arrival in arrivals:
            if arrival.data.revision <= revisions.get(arrival.key, 0):
                self._metrics.repeats.inc()
                continue
            revisions[arrival.key] = arrival.data.revision
            changes.cases[arrival.key] = arrival.data
            self._judge(tx, catalogue, arrival, stored.setdefault(arrival.key, {}), changes)
        await self._write(tx, changes, writer=writer)
        self._observe_latency(tx, arrivals)

    async def again(self, tx: Transaction, keys: Iterable[CaseKey], *, writer: int) -> int:
        """Judge stored cases again: their promises changed, or more is known. Return how many."""
        catalogue = await self._knowledge.catalogue(tx.connection)
        loaded = await case_store.load_cases(tx.connection, keys)
        stored = await case_store.load_verdicts(tx.connection, loaded)
        changes = _Changes()
        for key, data in sorted(loaded.items()):
            self._judge(tx, catalogue, Arrival(data), stored.setdefault(key, {}), changes)
        await self._write(tx, changes, writer=writer)
        return len(loaded)

    def _judge(
        self,
        tx: Transaction,
        catalogue: Catalogue,
        arrival: Arrival,
        before: Verdicts,
        changes: _Changes,
    ) -> None:
        """Compare one case's verdicts with those before, and note every difference."""
        data = arrival.data
        groups = catalogue.for_service(data.municipality, data.service)
        if not groups:
            self._metrics.without_promise.inc()
        judged = judge(data, groups, known=self._knowledge.of_case(data))
        for gone in [key for key in before if key not in judged]:
            changes.count(data.municipality, before.pop(gone), sign=-1)
            changes.verdicts[arrival.key, gone] = None
        for key, (judgement, promise, window) in judged.items():
            old = before.get(key)
            if old == judgement:
                continue
            if old is not None:
                changes.count(data.municipality, old, sign=-1)
            changes.count(data.municipality, judgement, sign=+1)
            changes.verdicts[arrival.key, key] = judgement
            self._metrics.verdicts.labels(judgement.status.value).inc()
            if window is not None:
                self._note(tx, arrival, before, (judgement, promise, window), changes)
            before[key] = judgement

    def _note(
        self,
        tx: Transaction,
        arrival: Arrival,
        before: Verdicts,
        judged: tuple[Judgement, Promise, WindowBounds],
        changes: _Changes,
    ) -> None:
        """Make the window known; say a late case at once; mark what may be a breach."""
        judgement, promise, bounds = judged
        key = (promise.municipality, judgement.compromiso, judgement.unit, bounds.id)
        if key not in changes.windows:
            changes.windows[key] = _new_window(key, promise, bounds)
        part = promise.parts[judgement.part]
        if judgement.status is not CaseStatus.FAILED or not isinstance(part, Share):
            return
        subject = _subject(promise, judgement.unit, changes.windows[key])
        if is_every_case(part):
            changes.subjects.setdefault(key, (subject, arrival.received_at))
        was_late = any(
            verdict.compromiso == judgement.compromiso and verdict.status is CaseStatus.FAILED
            for verdict in before.values()
        )
        if not was_late and not judgement.historical:
            self._say_late(tx, subject, arrival, judgement)

    def _say_late(
        self, tx: Transaction, subject: Subject, arrival: Arrival, judgement: Judgement
    ) -> None:
        """A case that becomes late again after a correction mints the same id: it is said once."""
        time = judgement.due_at or subject.window.start
        statement = subject.statement(
            BreachKind.LATE_CASE,
            time,
            detail=arrival.data.case,
            case=arrival.data.case,
            due_at=judgement.due_at,
            received_at=arrival.received_at,
        )
        tx.publish(BREACHES, statement)
        self._metrics.statements.labels(BreachKind.LATE_CASE.value).inc()

    async def _write(self, tx: Transaction, changes: _Changes, *, writer: int) -> None:
        connection = tx.connection
        if changes.cases:
            ordered = [changes.cases[key] for key in sorted(changes.cases)]
            await case_store.save_cases(connection, ordered)
        kept = [
            StoredVerdict(case, judgement)
            for (case, _), judgement in changes.verdicts.items()
            if judgement is not None
        ]
        gone = [key for key, judgement in changes.verdicts.items() if judgement is None]
        if kept:
            await case_store.save_verdicts(connection, kept)
        if gone:
            await case_store.drop_verdicts(connection, gone)
        if changes.windows:
            await tally_store.open_windows(connection, list(changes.windows.values()))
        counts = {key: count for key, count in changes.counts.items() if count != Counts()}
        if counts:
            await tally_store.add(connection, counts, writer=writer)
        for key in sorted(changes.subjects):
            subject, received_at = changes.subjects[key]
            await say_if_certain(tx, key, subject, self._metrics, received_at=received_at)

    def _observe_latency(self, tx: Transaction, arrivals: Sequence[Arrival]) -> None:
        received = [arrival.received_at for arrival in arrivals if arrival.received_at is not None]

        def observe() -> None:
            now = datetime.now(tx.now.tzinfo)
            for instant in received:
                self._metrics.event_to_verdict.observe((now - instant).total_seconds())

        tx.on_commit.append(observe)


def _new_window(key: WindowKey, promise: Promise, bounds: WindowBounds) -> NewWindow:
    return NewWindow(
        key=key,
        carta=promise.carta.carta,
        carta_version=promise.carta.version,
        starts_at=bounds.start,
        ends_at=bounds.end,
        closes_at=promise.closes_at(bounds),
    )


def _subject(promise: Promise, unit: str, window: NewWindow) -> Subject:
    return Subject(
        promise,
        unit,
        window_of_result(
            window.key[3],
            promise,
            start=window.starts_at,
            end=window.ends_at,
            closes_at=window.closes_at,
        ),
    )
