"""Say a breach once, and what becomes of it."""

from datetime import datetime

from services.evaluator.domain.results import (
    Known,
    Subject,
    breach_is_certain,
    judged,
    part_results,
)
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store import cases as case_store
from services.evaluator.store import tallies as tally_store
from services.evaluator.store.tallies import Counts, WindowKey
from shared.contracts.breaches import MAX_LISTED_CASES, BreachKind
from shared.contracts.results import PartResult
from shared.contracts.topics import BREACHES
from shared.messaging import Transaction

_NOTHING_KNOWN = Known(None, has_source=True)


async def say_if_certain(
    tx: Transaction,
    key: WindowKey,
    subject: Subject,
    metrics: EvaluatorMetrics,
    *,
    received_at: datetime | None,
) -> None:
    """Say the breach of an every-case promise at its first failed case."""
    counts = await tally_store.counts_of(tx.connection, key, len(subject.promise.parts))
    tallies = [count.tally for count in counts]
    if not breach_is_certain(subject.promise, tallies):
        return
    result = judged(
        subject.promise, tallies, known=_NOTHING_KNOWN, end=subject.window.end, final=False
    )
    await say(
        tx,
        key,
        subject,
        metrics,
        parts=part_results(subject.promise, result),
        historical=is_historical(counts),
        received_at=received_at,
    )


def is_historical(counts: list[Counts]) -> bool:
    """Return whether all cases of a window came through an import."""
    population = sum(count.tally.population for count in counts)
    return population > 0 and population == sum(count.historical for count in counts)


async def say(
    tx: Transaction,
    key: WindowKey,
    subject: Subject,
    metrics: EvaluatorMetrics,
    *,
    parts: tuple[PartResult, ...],
    historical: bool,
    received_at: datetime | None = None,
) -> None:
    """Say that a promise is broken, unless it was said before; then only that it is so again."""
    first = await breach_store.say(
        tx.connection, key, subject.breach, now=tx.now, historical=historical
    )
    if first:
        failing = await case_store.failing_cases(tx.connection, key, limit=MAX_LISTED_CASES)
        statement = subject.statement(
            BreachKind.BREACHED,
            subject.window.start,
            parts=parts,
            failing=failing,
            historical=historical,
            received_at=received_at,
        )
        tx.publish(BREACHES, statement)
        metrics.statements.labels(BreachKind.BREACHED.value).inc()
    elif await breach_store.is_standing(tx.connection, key) is False:
        await breach_store.set_recovered(tx.connection, key, None)
        _publish(tx, subject, BreachKind.CONFIRMED, metrics, parts, historical=historical)


async def withdraw(
    tx: Transaction,
    key: WindowKey,
    subject: Subject,
    metrics: EvaluatorMetrics,
    *,
    parts: tuple[PartResult, ...],
    historical: bool,
) -> None:
    """Say that a breach holds no more (a correction), where one was said and stands."""
    if await breach_store.is_standing(tx.connection, key):
        await breach_store.set_recovered(tx.connection, key, tx.now)
        _publish(tx, subject, BreachKind.RECOVERED, metrics, parts, historical=historical)


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
    _publish(tx, subject, kind, metrics, parts, historical=False)


def _publish(
    tx: Transaction,
    subject: Subject,
    kind: BreachKind,
    metrics: EvaluatorMetrics,
    parts: tuple[PartResult, ...],
    *,
    historical: bool,
) -> None:
    counted = "/".join(f"{part.met}:{part.failed}:{part.pending}" for part in parts)
    tx.publish(
        BREACHES,
        subject.statement(kind, tx.now, detail=counted, parts=parts, historical=historical),
    )
    metrics.statements.labels(kind.value).inc()
