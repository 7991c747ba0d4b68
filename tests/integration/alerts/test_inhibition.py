"""What follows from one fault is not told beside it: a real Alertmanager with our routes."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.alerts.watching import Watch, alerting
from tests.support.alerting import alerts
from tests.support.waiting import eventually

LABELS: Final = {"job": "evaluator", "topic": "measurements.v1", "pipeline": "measurements"}
RECEIVERS: Final = {"critical": "operators-now", "warning": "operators", "none": "watchdog"}


def alert(name: str, severity: str | None = None, **labels: str) -> dict[str, str]:
    """The labels of an alert as its rule declares them, and those of its series."""
    rule = next(
        rule
        for rule in alerts()
        if rule.name == name and severity in {None, rule.labels["severity"]}
    )
    return {"alertname": name, **rule.labels, **labels}


def needing(server: str) -> list[dict[str, str]]:
    return [
        alert(rule.name, rule.labels["severity"], **LABELS)
        for rule in alerts()
        if rule.labels.get(f"needs_{server}") == "yes"
    ]


@pytest_asyncio.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    async with alerting(tmp_path) as running:
        yield running


async def tells(watch: Watch, raised: Iterable[dict[str, str]], *told: str) -> None:
    """Exactly these are told, to whom their severity wants, when all those are raised at once."""
    everything = list(raised)
    await watch.raise_alerts(everything)
    held_back = {labels["alertname"] for labels in everything} - set(told)
    assert await watch.held_back() >= held_back

    def all_told() -> bool:
        return {notice.alert for notice in watch.webhook.notices} >= set(told)

    await eventually(all_told, 30, what=f"{told} are told")
    assert {notice.alert for notice in watch.webhook.notices} == set(told)
    for notice in watch.webhook.notices:
        assert notice.receiver == RECEIVERS[notice.labels["severity"]]


@pytest.mark.parametrize(("away", "server"), [("PostgresAway", "postgres"), ("KafkaAway", "kafka")])
async def test_a_dead_server_is_one_alert(watch: Watch, away: str, server: str) -> None:
    following = needing(server)
    assert len(following) >= 5
    await tells(watch, [*following, alert(away)], away)


async def test_a_dead_broker_without_which_messages_stand_is_one_alert_for_now(
    watch: Watch,
) -> None:
    broker = [alert("BrokerMissing", severity) for severity in ("warning", "critical")]
    await watch.raise_alerts([*needing("kafka"), *broker])
    held_back = {labels["alertname"] for labels in needing("kafka")}
    assert await watch.held_back() >= {*held_back, "BrokerMissing"}
    await watch.webhook.told("BrokerMissing", "critical", "firing", since=0, seconds=30)
    assert [each.labels["severity"] for each in watch.webhook.notices] == ["critical"]


async def test_a_dead_broker_that_others_stand_in_for_hides_nothing(watch: Watch) -> None:
    """It may be missed for a day, and be silenced for so long: what needs a person now is told."""
    following = needing("kafka")
    names = {labels["alertname"] for labels in following} - {"LagGrows"}  # ConsumerStands says it
    await tells(watch, [*following, alert("BrokerMissing", "warning")], "BrokerMissing", *names)


async def test_no_broker_at_all_is_not_one_broker_less(watch: Watch) -> None:
    broker = [alert("BrokerMissing", severity) for severity in ("warning", "critical")]
    await tells(watch, [*broker, alert("KafkaAway")], "KafkaAway")


@pytest.mark.parametrize("gone", ["ServiceDown", "ServiceMissing"])
async def test_a_service_that_is_gone_is_one_alert_and_others_are_heard(
    watch: Watch, gone: str
) -> None:
    own = [alert(name, job="measurements") for name in ("ClockWrong", "TaskLate", "DeadLetters")]
    following = [alert("PipelineBehind", pipeline="measurements"), alert("SourceSilent")]
    other = alert("OutboxAges", job="buzon")
    raised = [*own, *following, other, alert(gone, job="measurements")]
    await tells(watch, raised, gone, "OutboxAges")


async def test_without_the_buzon_the_evaluator_knows_less_of_it(watch: Watch) -> None:
    behind = alert("PipelineBehind", pipeline="buzon")
    await tells(watch, [behind, alert("ServiceDown", job="buzon")], "ServiceDown")


async def test_what_the_other_pipeline_lacks_is_told(watch: Watch) -> None:
    behind = alert("PipelineBehind", pipeline="measurements")
    down = alert("ServiceDown", job="buzon")
    await tells(watch, [behind, down], "ServiceDown", "PipelineBehind")


@pytest.mark.parametrize("why", ["PartitionHalted", "ConsumerStopped", "ConsumerStands"])
async def test_a_lag_is_told_only_where_somebody_still_reads(watch: Watch, why: str) -> None:
    names = {why, "LagGrows", *(() if why == "ConsumerStands" else ("ConsumerStands",))}
    await tells(watch, [alert(each, job="portal", topic="results.v1") for each in names], why)


async def test_a_lag_of_another_topic_is_told(watch: Watch) -> None:
    stopped = alert("ConsumerStopped", job="portal", topic="results.v1")
    other = alert("LagGrows", job="portal", topic="breaches.v1")
    await tells(watch, [other, stopped], "ConsumerStopped", "LagGrows")


async def test_a_disk_that_is_almost_full_is_not_told_twice(watch: Watch) -> None:
    almost = alert("DiskFills", "critical", disk="kafka 1")
    await watch.raise_alerts([alert("DiskFills", "warning", disk="kafka 1"), almost])
    assert await watch.held_back() == {"DiskFills"}
    notice = await watch.webhook.told("DiskFills", "critical", "firing", since=0, seconds=30)
    assert notice.labels["severity"] == "critical"
    assert [each.labels["severity"] for each in watch.webhook.notices] == ["critical"]


async def test_the_watchdog_goes_where_its_silence_is_heard(watch: Watch) -> None:
    await tells(watch, [alert("Watchdog"), alert("KafkaAway")], "Watchdog", "KafkaAway")
