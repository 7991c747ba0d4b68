"""Say a breach once, and what becomes of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.domain.results import Subject
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store import cases as case_store
from services.evaluator.store.windows import WindowKey
from shared.contracts import hot
from shared.contracts.breaches import MAX_LISTED_CASES, BreachEvent, BreachKind
from shared.contracts.late_cases import LateCase
from shared.contracts.results import PartResult
from shared.contracts.topics import BREACHES
from shared.messaging import Transaction


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that is broken in a window, and by which figures.

    `failing` are failed cases, where it is not those that are stored; `traceparent` is the trace of
    the event that broke it, where it was one.
    """

    subject: Subject
    parts: tuple[PartResult, ...]
    historical: bool
    failing: Sequence[str] = ()
    received_at: datetime | None = None
    traceparent: str | None = None


async def say(tx: Transaction, broken: Collection[Broken], metrics: EvaluatorMetrics) -> None:
    """Say that promises are broken, unless it was said before; then only that it is so again."""
    if not broken:
        return
    told = {each.subject.key: (each.subject.breach, each.historical) for each in broken}
    first = await breach_store.say(tx.connection, told, now=tx.now)
    unnamed = [e.subject.key for e in broken if e.subject.key in first and not e.failing]
    stored: dict[WindowKey, list[str]] = {}
    if unnamed:
        stored = await case_store.failing_cases(tx.connection, unnamed, limit=MAX_LISTED_CASES)
    before = told.keys() - first
    stands = await breach_store.lock(tx.connection, before) if before else {}
    for each in broken:
        key = each.subject.key
        if key in first:
            publish(tx, _breached(each, each.failing or stored[key]), metrics)
        elif stands.get(key) is False:
            await _confirm(tx, each, metrics)


def _breached(broken: Broken, failing: Sequence[str]) -> BreachEvent:
    subject = broken.subject
    return subject.statement(
        BreachKind.BREACHED,
        subject.window.start,
        parts=broken.parts,
        failing=failing,
        historical=broken.historical,
        received_at=broken.received_at,
        traceparent=broken.traceparent,
    )


async def _confirm(tx: Transaction, broken: Broken, metrics: EvaluatorMetrics) -> None:
    """Say that a breach holds again that had been withdrawn."""
    await breach_store.set_recovered(tx.connection, broken.subject.key, None)
    _say_counts(
        tx,
        broken.subject,
        BreachKind.CONFIRMED,
        metrics,
        broken.parts,
        historical=broken.historical,
        traceparent=broken.traceparent,
    )


async def withdraw(
    tx: Transaction,
    subject: Subject,
    metrics: EvaluatorMetrics,
    *,
    parts: tuple[PartResult, ...],
    historical: bool,
) -> None:
    """Say that a breach holds no more: a correction."""
    await breach_store.set_recovered(tx.connection, subject.key, tx.now)
    _say_counts(tx, subject, BreachKind.RECOVERED, metrics, parts, historical=historical)


def risk_changed(
    tx: Transaction,
    subject: Subject,
    metrics: EvaluatorMetrics,
    parts: tuple[PartResult, ...],
    *,
    at_risk: bool,
) -> None:
    """Say that a running window would end badly if it ended now, or that it would not any more."""
    kind = BreachKind.AT_RISK if at_risk else BreachKind.RECOVERED
    _say_counts(tx, subject, kind, metrics, parts, historical=False)


def _say_counts(
    tx: Transaction,
    subject: Subject,
    kind: BreachKind,
    metrics: EvaluatorMetrics,
    parts: tuple[PartResult, ...],
    *,
    historical: bool,
    traceparent: str | None = None,
) -> None:
    counted = "/".join(f"{part.met}:{part.failed}:{part.pending}" for part in parts)
    statement = subject.statement(
        kind,
        tx.now,
        detail=counted,
        parts=parts,
        historical=historical,
        traceparent=traceparent,
    )
    publish(tx, statement, metrics)


def publish(tx: Transaction, statement: BreachEvent, metrics: EvaluatorMetrics) -> None:
    """Publish a statement, count it, and let the log name it with its trace."""
    tx.publish(BREACHES, statement)
    kind = statement.data.kind
    metrics.count_statement(tx, kind)
    tx.tell(
        kind.value,
        traceparent=statement.traceparent,
        event_id=statement.id,
        breach=statement.data.breach,
        compromiso=statement.data.compromiso,
    )


def publish_late(tx: Transaction, late: LateCase) -> None:
    """Publish that a case is late, and let the log name it with its trace."""
    tx.publish_raw(BREACHES, late.key, hot.encode(late))
    tx.tell(
        "late_case",
        traceparent=late.traceparent,
        event_id=late.id,
        breach=late.data.breach,
        compromiso=late.data.compromiso,
    )
