"""Open actions by unit and state, as metrics."""

from datetime import timedelta
from functools import partial

from prometheus_client import CollectorRegistry

from services.notifier.domain.lifecycle import Step
from services.notifier.metrics import Metrics
from services.notifier.store import terms
from services.notifier.use_cases.steps import Request, take_step
from tests.integration.notifier.support import Notifier
from tests.unit.notifier import builders as b


async def test_open_actions_are_told_by_unit_and_state_and_those_past_a_term(
    desk: Notifier,
) -> None:
    later = b.NOON + timedelta(hours=1)
    await desk.take(b.breach())
    await desk.take(b.breach(compromiso="CC-01-01"), now=later)
    registry = CollectorRegistry()
    value = partial(_value, registry)
    metrics = Metrics(registry)

    await _tell(desk, metrics, days=0)
    assert value("notifier_open_actions", state="requested") == 2
    assert value("notifier_open_actions", state="filed") == 0
    assert value("notifier_open_actions", state="closed") is None
    assert value("notifier_unit_actions_overdue") == 0
    assert value("notifier_oldest_open_action_timestamp_seconds") == b.NOON.timestamp()

    async with desk.at(later) as tx:
        request = Request(Step.ACKNOWLEDGE, "INC-2026-0001", "enlace")
        await take_step(tx, desk.office, request)
    await _tell(desk, metrics, days=7)
    assert value("notifier_open_actions", state="requested") == 1
    assert value("notifier_open_actions", state="acknowledged") == 1
    assert value("notifier_unit_actions_overdue") == 1
    await _tell(desk, metrics, days=60)
    assert value("notifier_unit_actions_overdue") == 2

    await desk.pool.execute("UPDATE action SET state = 'closed'")
    await _tell(desk, metrics, days=60)
    assert value("notifier_open_actions", state="requested") is None
    assert value("notifier_unit_actions_overdue") is None


async def _tell(desk: Notifier, metrics: Metrics, *, days: int) -> None:
    now = b.NOON + timedelta(days=days)
    async with desk.at(now) as tx:
        metrics.tell_actions(await terms.open_actions(tx.connection, now))


def _value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    where = {"municipality": b.M, "unit": "ventanilla", **labels}
    return registry.get_sample_value(name, where)
