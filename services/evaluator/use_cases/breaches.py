"""Say a breach once, and what becomes of it."""

from collections.abc import Sequence
from datetime import datetime

from services.evaluator.domain.results import Subject
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store import cases as case_store
from services.evaluator.store.tallies import WindowKey
from shared.contracts import hot
from shared.contracts.breaches import MAX_LISTED_CASES, BreachEvent, BreachKind
from shared.contracts.late_cases import LateCase
from shared.contracts.results import PartResult
from shared.contracts.topics import BREACHES
from shared.messaging import Transaction


async def say(
    tx: Transaction,
    key: WindowKey,
    subject: Subject,
    metrics: EvaluatorMetrics,
    *,
    parts: tuple[PartResult, ...],
    historical: bool,
    failing: Sequence[str] = (),
    received_at: datetime | None = None,
    traceparent: str | None = None,
) -> None:
    """Say that a promise is broken, unless it was said before; then only that it is so again.

    `failing` are failed cases, where it is not those that are stored; `traceparent` is the trace of
    the event that broke it, where it was one.
    """
    first = await breach_store.say(
        tx.connection, key, subject.breach, now=tx.now, historical=historical
    )
    if first:
        stored = await case_store.failing_cases(tx.connection, key, limit=MAX_LISTED_CASES)
        statement = subject.statement(
            BreachKind.BREACHED,
            subject.window.start,
            parts=parts,
            failing=failing or stored,
            historical=historical,
            received_at=received_at,
            traceparent=traceparent,
        )
        publish(tx, statement, metrics)
    elif await breach_store.is_standing(tx.connection, key) is False:
        await breach_store.set_recovered(tx.connection, key, None)
        _say_counts(
            tx,
            subject,
            BreachKind.CONFIRMED,
            metrics,
            parts,
            historical=historical,
            traceparent=traceparent,
        )


async def withdraw(
    tx: Transaction,
    key: WindowKey,
    subject: Subject,
    metrics: EvaluatorMetrics,
    *,
    parts: tuple[PartResult, ...],
    historical: bool,
) -> None:
    """Say that a breach holds no more: a correction."""
    await breach_store.set_recovered(tx.connection, key, tx.now)
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
