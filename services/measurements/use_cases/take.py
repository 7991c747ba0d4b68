"""Take a batch of service events: dedupe, put each in its case, publish the case as it now stands.

Event by event in order: the size of the batch changes the speed, never what is stored or published.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from services.measurements.domain.cases import MAX_EVENTS, Fact
from services.measurements.domain.checks import (
    Reason,
    Refusal,
    Source,
    check,
    identifier,
    refusal_of,
    source_uri,
)
from services.measurements.domain.contents import content_hash
from services.measurements.domain.presence import minute_of
from services.measurements.store.contests import Decided, decided
from services.measurements.store.counts import BatchCounts, Counts, add_counts
from services.measurements.store.facts import (
    CaseKey,
    FactKey,
    KnownFact,
    NewFact,
    add_facts,
    facts_of,
    known_facts,
    take_back,
)
from services.measurements.store.sources import sources_by_uri
from services.measurements.use_cases.telling import Cause, told
from shared.contracts import hot, topics
from shared.contracts.service_events import SOURCE_HEARTBEAT
from shared.messaging import Received, Transaction
from shared.steps import by_steps

UNKNOWN = "?"
UNREGISTERED = Refusal(Reason.UNKNOWN_SOURCE, "source")


@dataclass(frozen=True, slots=True)
class Undecoded:
    """A record that is no service event, with as much of its identity as could be read."""

    refusal: Refusal
    source: str | None
    event_id: str | None


class _Identity(msgspec.Struct):
    source: object = None
    id: object = None


_decode_identity = msgspec.json.Decoder(_Identity).decode


def decode(value: bytes) -> hot.ServiceEvent | Undecoded:
    """Decode a record. What cannot be decoded still finds its emitter, where it names one."""
    try:
        return hot.decode_service_event(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fault = error if isinstance(error, msgspec.DecodeError) else msgspec.DecodeError()
        return Undecoded(refusal_of(fault), *_salvage(value))


def _salvage(value: bytes) -> tuple[str | None, str | None]:
    try:
        found = _decode_identity(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    return source_uri(found.source), identifier(found.id)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An event that may be new, with the record that brought it."""

    received: Received
    new: NewFact


@dataclass(slots=True)
class _Batch:
    """The batch under way. `first` holds the first event of each identity, in order of arrival."""

    tx: Transaction
    counts: BatchCounts = field(default_factory=BatchCounts)
    first: dict[FactKey, _Candidate] = field(default_factory=dict)
    again: list[_Candidate] = field(default_factory=list)

    def refuse(
        self, received: Received, refusal: Refusal, *, source: Source | None, event_id: str | None
    ) -> None:
        self.line(received, source).refused += 1
        if source is not None:
            self.traffic(received, source)[1] += 1
        self.tx.refuse(
            received,
            refusal.reason.value,
            field=refusal.field,
            detail=refusal.detail,
            event_source=source.uri if source else None,
            event_id=event_id if source else None,
        )

    def refuse_candidate(self, candidate: _Candidate, reason: Reason, detail: str = "") -> None:
        new = candidate.new
        refusal = Refusal(reason, None, detail)
        self.refuse(candidate.received, refusal, source=new.source, event_id=new.event.id)

    def line(self, received: Received, source: Source | None) -> Counts:
        key = (source.uri if source else UNKNOWN, received.timestamp.date(), received.partition)
        return self.counts.balance.setdefault(key, Counts())

    def traffic(self, received: Received, source: Source) -> list[int]:
        minute = received.timestamp.replace(second=0, microsecond=0)
        key = (source.source_id, minute, received.partition)
        return self.counts.traffic.setdefault(key, [0, 0])

    def account(self, received: Received, event: hot.ServiceEvent) -> None:
        if event.data.import_id is not None:
            key = (event.data.import_id, received.partition)
            self.counts.imports[key] = self.counts.imports.get(key, 0) + 1


async def take_batch(tx: Transaction, records: Sequence[Received]) -> None:
    """Store and publish what `records` say; refuse the rest by name."""
    batch = _Batch(tx)
    candidates = await _decided_only(batch, await _sift(batch, records))
    await _keep_corrections_at_home(batch, candidates)
    facts = await _store(batch)
    await _publish_cases(tx, facts)
    await add_counts(tx.connection, batch.counts)


async def _sift(batch: _Batch, records: Sequence[Received]) -> list[_Candidate]:
    """Count every record under its source, and refuse what can be refused without looking back."""
    named = {record.event.source for record in records if record.event.source is not None}
    registered = await sources_by_uri(batch.tx.connection, named)
    candidates = []
    async for some in by_steps(records):
        for record in some:
            source = registered.get(record.event.source)
            batch.line(record, source).events += 1
            if source is not None:
                batch.traffic(record, source)[0] += 1
            candidate = _candidate(batch, record, source)
            if candidate is not None:
                candidates.append(candidate)
    return candidates


def _candidate(batch: _Batch, record: Received, source: Source | None) -> _Candidate | None:
    event = record.event
    if isinstance(event, Undecoded):
        batch.refuse(record, event.refusal, source=source, event_id=event.event_id)
        return None
    # A producer sets the record's time: one from the future must not open the door to others.
    received_at = min(record.timestamp, batch.tx.now)
    refusal = _unwelcome(record, source, received_at)
    if source is not None and refusal is None:
        return _Candidate(record, _new_fact(event, source, received_at))
    batch.refuse(record, refusal or UNREGISTERED, source=source, event_id=event.id)
    batch.account(record, event)
    return None


def _new_fact(event: hot.ServiceEvent, source: Source, received_at: datetime) -> NewFact:
    return NewFact(
        source,
        event,
        content_hash(event),
        received_at,
        key=(source.source_id, event.id),
        case=(event.data.municipality, event.data.case),
    )


def _unwelcome(record: Received, source: Source | None, received_at: datetime) -> Refusal | None:
    event = record.event
    if source is None:
        return UNREGISTERED
    if record.key != f"{event.data.municipality}/{event.data.case}".encode():
        return Refusal(Reason.WRONG_KEY, detail="the key of the record is municipality/case")
    return check(event, source, received_at)


async def _decided_only(batch: _Batch, candidates: list[_Candidate]) -> list[_Candidate]:
    """Refuse what speaks for the coordination without a decision of its own behind it.

    Who writes to Kafka can name any source; the decision is in our database.
    """
    ids = {c.new.event.id for c in candidates if c.new.source.decides}
    if not ids:
        return candidates
    decisions = await decided(batch.tx.connection, ids)
    kept = []
    for candidate in candidates:
        if not candidate.new.source.decides or _says(candidate.new, decisions):
            kept.append(candidate)
        else:
            batch.refuse_candidate(candidate, Reason.NOT_DECIDED)
            batch.account(candidate.received, candidate.new.event)
    return kept


def _says(new: NewFact, decisions: dict[str, Decided]) -> bool:
    data = new.event.data
    said = Decided(data.municipality, data.case, data.reason or "", data.supersedes)
    return decisions.get(new.event.id) == said and data.void == (data.supersedes is not None)


async def _keep_corrections_at_home(batch: _Batch, candidates: Iterable[_Candidate]) -> None:
    """Refuse corrections of another case's event; set apart what comes twice in the batch."""
    targets = {key for c in candidates if (key := _target(c.new)) is not None}
    known = await known_facts(batch.tx.connection, targets)
    for candidate in candidates:
        new = candidate.new
        home = _home(_target(new), known, batch.first)
        if home is not None and home != new.case:
            batch.refuse_candidate(candidate, Reason.CORRECTS_ANOTHER_CASE)
            batch.account(candidate.received, new.event)
        elif new.key in batch.first:
            batch.again.append(candidate)
        else:
            batch.first[new.key] = candidate


def _target(new: NewFact) -> FactKey | None:
    supersedes = new.event.data.supersedes
    return None if supersedes is None else (new.source.source_id, supersedes)


def _home(
    target: FactKey | None, known: dict[FactKey, KnownFact], first: dict[FactKey, _Candidate]
) -> CaseKey | None:
    if target is None:
        return None
    if target in known:
        return known[target].case
    return first[target].new.case if target in first else None


@dataclass(frozen=True, slots=True)
class _Stored:
    """The new facts in order of arrival, and the revision of each case after them."""

    facts: list[NewFact]
    revisions: dict[CaseKey, int]


async def _store(batch: _Batch) -> _Stored:
    con = batch.tx.connection
    added = await add_facts(con, [candidate.new for candidate in batch.first.values()])
    known = await known_facts(con, batch.first.keys() - added.keys)
    fresh = [batch.first[key] for key in batch.first if key in added.keys]
    moving = [c for c in fresh if c.new.event.type != SOURCE_HEARTBEAT]
    revisions = added.revisions
    excess = _excess(moving, revisions)
    if excess:
        await take_back(con, [c.new for c in excess.values()])
    async for some in by_steps([*batch.first.values(), *batch.again]):
        for candidate in some:
            _settle(batch, candidate, known=known, excess=excess)
    facts = [c.new for c in moving if c.new.key not in excess]
    return _Stored(facts, {case: min(n, MAX_EVENTS) for case, n in revisions.items()})


def _excess(
    moving: Sequence[_Candidate], revisions: dict[CaseKey, int]
) -> dict[FactKey, _Candidate]:
    """Return the events, the last ones of each case, that its case has no room for."""
    room = {case: revision - MAX_EVENTS for case, revision in revisions.items()}
    excess = {}
    for candidate in reversed(moving):
        if room[candidate.new.case] > 0:
            room[candidate.new.case] -= 1
            excess[candidate.new.key] = candidate
    return excess


def _settle(
    batch: _Batch,
    candidate: _Candidate,
    *,
    known: dict[FactKey, KnownFact],
    excess: dict[FactKey, _Candidate],
) -> None:
    """Count what became of an event: fact, correction, repeat or refused."""
    new, received = candidate.new, candidate.received
    first = batch.first[new.key]
    line = batch.line(received, new.source)
    before = known.get(new.key) or _known(first)
    is_first = first is candidate and new.key not in known
    if is_first or new.key in excess or before.import_id != new.event.data.import_id:
        # The relay repeats what it was not sure of; only another import's event counts again.
        batch.account(received, new.event)
    if new.key in excess:
        batch.refuse_candidate(candidate, Reason.TOO_MANY_EVENTS, f"a case has {MAX_EVENTS}")
    elif not is_first and before.content != new.content:
        detail = "the same source and id came before with other content"
        batch.refuse_candidate(candidate, Reason.IDENTITY_CONFLICT, detail)
    elif not is_first:
        line.repeats += 1
    else:
        line.facts += new.event.data.supersedes is None
        line.corrections += new.event.data.supersedes is not None
        _advance_clock(batch, candidate)


def _known(candidate: _Candidate) -> KnownFact:
    new = candidate.new
    return KnownFact(new.content, new.case, new.event.data.import_id)


def _advance_clock(batch: _Batch, candidate: _Candidate) -> None:
    source, partition = candidate.new.source, candidate.received.partition
    time, counts = candidate.new.event.time, batch.counts
    key = (source.source_id, partition)
    counts.clocks[key] = max(counts.clocks.get(key, time), time)
    if source.expects is not None:
        day, minute = minute_of(time)
        place = (source.source_id, day, partition)
        counts.heard[place] = counts.heard.get(place, 0) | minute


async def _publish_cases(tx: Transaction, stored: _Stored) -> None:
    """Publish, for each new fact in order, its case as it stands after it."""
    added = Counter(new.case for new in stored.facts)
    revision = {case: stored.revisions[case] - number for case, number in added.items()}
    begun = await facts_of(tx.connection, [case for case, before in revision.items() if before])
    fresh = {(new.event.source, new.event.id) for new in stored.facts}
    facts = {
        case: [fact for fact in begun.get(case, ()) if fact.identity not in fresh] for case in added
    }
    async for some in by_steps(stored.facts):
        for new in some:
            fact = _fact(new)
            facts[new.case].append(fact)
            revision[new.case] += 1
            cause = Cause(fact, new.received_at, new.event.data.import_id, new.event.traceparent)
            message = told(cause, new.case, facts[new.case], revision=revision[new.case])
            tx.publish_raw(topics.MEASUREMENTS, "/".join(new.case), hot.encode(message))


def _fact(new: NewFact) -> Fact:
    event, data = new.event, new.event.data
    return Fact(
        source=event.source,
        id=event.id,
        kind=event.type,
        time=event.time.astimezone(UTC),
        service=data.service,
        unit=data.unit,
        attributes=data.attributes,
        due_at=_utc(data.due_at),
        reason=data.reason,
        supersedes=data.supersedes,
        void=data.void,
        historical=new.historical,
    )


def _utc(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC)
