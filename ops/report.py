"""What the services' answers say, as figures an operator reads. Unknown is None, never 0."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ops.looking import Answer, Look, Samples


class State(StrEnum):
    """Of a service, as its process says."""

    READY = "ready"
    NOT_READY = "not ready"
    AWAY = "no answer"


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of a topic that one consumer has still to apply, and what it applies a second.

    `grown` is by how much they became more since the look before; None at the first.
    """

    topic: str
    records: int | None
    grown: int | None
    applied_per_second: int | None
    is_stopped: bool


@dataclass(frozen=True, slots=True)
class Service:
    """One service; `letters` are refused records, `fenced` partitions lost while at work."""

    name: str
    state: State
    reasons: tuple[str, ...]
    uptime_seconds: int | None
    memory_bytes: int | None
    schema: str | None
    outbox_rows: int | None
    outbox_seconds: int | None
    letters_last_hour: int | None
    letters_waiting: int | None
    fenced: int | None
    halted: tuple[str, ...]
    clock_ahead_ms: int | None
    database_bytes: int | None
    lags: tuple[Lag, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """A source that should speak and does not; seconds since its last word in service hours."""

    source: str
    municipality: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """A source whose events are refused until an operator resumes it."""

    source: str
    municipality: str


@dataclass(frozen=True, slots=True)
class Mail:
    """What the notifier has not told yet, and the mailboxes that refused for good.

    Undelivered is what is due or was tried in vain, with the age of the oldest; the rest of what
    waits does so for quiet hours to end.
    """

    waiting: int | None
    undelivered: int | None
    oldest_seconds: int | None
    without_addressee: int | None
    rejecting: int | None


@dataclass(frozen=True, slots=True)
class Disk:
    """Where something is stored, with its room; bytes."""

    name: str
    total_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything of one moment. Balances are differences: 0, or something is wrong."""

    at: datetime
    services: tuple[Service, ...]
    events_difference: int | None
    population_difference: int | None
    recomputed: int | None
    recompute_differences: int | None
    behind_seconds: dict[str, int]
    silent: tuple[Silence, ...]
    suspended: tuple[Suspension, ...]
    mail: Mail
    disks: tuple[Disk, ...]


def report(now: Look, before: Look | None = None, disks: Sequence[Disk] = ()) -> Report:
    """Return what a look says, with growth since the one before; `disks` are this machine's."""
    samples = {answer.service: answer.samples for answer in now.answers}
    earlier = {answer.service: answer.samples for answer in before.answers} if before else {}
    seconds = (now.at - before.at).total_seconds() if before else 0.0
    intake, judge, notifier = (samples[name] for name in ("measurements", "evaluator", "notifier"))
    return Report(
        now.at,
        tuple(
            _service(answer, now.at, earlier.get(answer.service), seconds=seconds)
            for answer in now.answers
        ),
        _events_difference(intake),
        _whole(judge.total("cartas_population_difference")),
        _whole(judge.total("cartas_results_recomputed_total")),
        _whole(judge.total("cartas_recompute_differences_total")),
        {
            each.labels["pipeline"]: round(each.value)
            for each in judge.each("cartas_pipeline_behind_seconds")
        },
        tuple(_silent(judge)),
        tuple(
            Suspension(each.labels["source"], each.labels["municipality"])
            for each in intake.each("measurements_source_suspended")
        ),
        _mail(notifier),
        (*_kafka_disks(intake), *disks),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _service(answer: Answer, at: datetime, earlier: Samples | None, *, seconds: float) -> Service:
    told = answer.samples
    began = told.total("process_start_time_seconds")
    ahead = told.total("cartas_clock_ahead_seconds")
    schema = told.label("cartas_schema_info", "version")
    state = State.NOT_READY if answer.reasons else State.READY
    return Service(
        name=answer.service,
        state=State.AWAY if answer.away else state,
        reasons=(answer.away,) if answer.away else answer.reasons,
        uptime_seconds=None if began is None else max(0, round(at.timestamp() - began)),
        memory_bytes=_whole(told.total("process_resident_memory_bytes")),
        schema=None if schema is None else schema.rpartition("/")[2].partition("_")[0],
        outbox_rows=_whole(told.total("cartas_outbox_rows")),
        outbox_seconds=_whole(told.total("cartas_outbox_oldest_seconds")),
        letters_last_hour=_whole(told.total("cartas_dead_letters", which="last_hour")),
        letters_waiting=_whole(told.total("cartas_dead_letters", which="waiting")),
        fenced=_whole(told.total("cartas_partitions_fenced_total")),
        halted=tuple(
            f"{each.labels['topic']}/{each.labels['partition']}"
            for each in told.each("cartas_partition_halted")
            if each.value
        ),
        clock_ahead_ms=None if ahead is None else round(ahead * 1000),
        database_bytes=_whole(told.total("cartas_database_bytes")),
        lags=tuple(_lags(told, earlier, seconds=seconds)),
    )


def _lags(told: Samples, earlier: Samples | None, *, seconds: float) -> Iterator[Lag]:
    lag, applied = "cartas_consumer_lag_records", "cartas_messages_handled_total"
    for topic in sorted({each.labels["topic"] for each in told.each(applied)}):
        records = told.total(lag, topic=topic)
        before = earlier.total(lag, topic=topic) if earlier else None
        done = told.total(applied, topic=topic)
        done_before = earlier.total(applied, topic=topic) if earlier else None
        grown = None if records is None or before is None else round(records - before)
        # A service that was started anew between the looks counts from 0 again.
        fresh = None if done is None or done_before is None else max(0.0, done - done_before)
        yield Lag(
            topic,
            _whole(records),
            grown,
            None if fresh is None or not seconds else round(fresh / seconds),
            bool(told.total("cartas_consumer_stopped", topic=topic)),
        )


def _events_difference(intake: Samples) -> int | None:
    """Return the sum over sources of |events - outcomes|; None where the service is away."""
    if intake.total("measurements_sources") is None:
        return None
    differences = intake.each("measurements_balance_difference")
    return sum(abs(round(each.value)) for each in differences)


def _silent(judge: Samples) -> Iterator[Silence]:
    for each in judge.each("cartas_source_silent_seconds"):
        yield Silence(each.labels["source"], each.labels["municipality"], round(each.value))


def _mail(notifier: Samples) -> Mail:
    return Mail(
        _whole(notifier.total("notifier_waiting", what="mails")),
        _whole(notifier.total("notifier_waiting", what="undelivered")),
        _whole(notifier.total("notifier_oldest_waiting_seconds", what="undelivered")),
        _whole(notifier.total("notifier_waiting", what="alerts")),
        _whole(notifier.total("notifier_rejecting_mailboxes")),
    )


def _kafka_disks(intake: Samples) -> Iterator[Disk]:
    for each in intake.each("measurements_kafka_disk_bytes", what="total"):
        broker = each.labels["broker"]
        free = intake.total("measurements_kafka_disk_bytes", what="free", broker=broker)
        yield Disk(f"kafka {broker}", round(each.value), round(free or 0))
