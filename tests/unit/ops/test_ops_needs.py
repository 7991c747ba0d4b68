"""What an operator is told to see to, and what not."""

import pytest

from ops.looking import Answer, Samples
from ops.needs import Need, needs
from ops.report import Disk, State, report
from tests.unit.ops.answers import away, looked, told

LAG = 'cartas_consumer_lag_records{topic="measurements.v1",partition="0"}'
APPLIED = 'cartas_messages_handled_total{topic="measurements.v1"}'


def needed(*instead: Answer) -> tuple[Need, ...]:
    return needs(report(looked(*instead, seconds=1), looked()))


def test_a_well_system_needs_nothing() -> None:
    assert needed() == ()


FAULTS: dict[str, tuple[str, dict[str, float], str, str]] = {
    "an outbox that ages": (
        "evaluator",
        {"cartas_outbox_rows": 400, "cartas_outbox_oldest_seconds": 60},
        "evaluator",
        "400 messages wait for Kafka, the oldest 60 s",
    ),
    "dead letters": (
        "buzon",
        {'cartas_dead_letters{which="last_hour"}': 2},
        "buzon",
        "2 refused in the last hour: `buzon dlt list`",
    ),
    "a halted partition": (
        "portal",
        {'cartas_partition_halted{topic="results.v1",partition="3"}': 1},
        "portal",
        "results.v1/3 is halted: its next offset is not in Kafka",
    ),
    "a consumer that gave up": (
        "portal",
        {'cartas_consumer_stopped{topic="results.v1"}': 1},
        "portal",
        "the consumer of results.v1 gave up: see the log",
    ),
    "events that are not accounted for": (
        "measurements",
        {'measurements_balance_difference{source="https://otra.example"}': -3},
        "measurements",
        "events and outcomes differ by 3: `measurements balance`",
    ),
    "verdicts that are not counted": (
        "evaluator",
        {"cartas_population_difference": 1},
        "evaluator",
        "verdicts and counts differ by 1: `ops verify`",
    ),
    "a result that cannot be made again": (
        "evaluator",
        {"cartas_recompute_differences_total": 1},
        "evaluator",
        "1 results differ when recomputed: see the log",
    ),
    "facts that no longer come": (
        "evaluator",
        {'cartas_pipeline_behind_seconds{pipeline="buzon"}': 120},
        "evaluator",
        "knows buzon only until 120 s ago",
    ),
    "a silent source": (
        "evaluator",
        {'cartas_source_silent_seconds{source="https://a.example",municipality="m"}': 900},
        "m",
        "https://a.example is silent for 900 s",
    ),
    "a suspended source": (
        "measurements",
        {'measurements_source_suspended{source="https://a.example",municipality="m"}': 1},
        "m",
        "https://a.example is suspended: `measurements source resume`",
    ),
    "mail that does not leave": (
        "notifier",
        {
            'notifier_waiting{what="undelivered"}': 2,
            'notifier_oldest_waiting_seconds{what="undelivered"}': 600,
        },
        "notifier",
        "2 mails do not leave, the oldest 600 s",
    ),
    "an alert that nobody gets": (
        "notifier",
        {'notifier_waiting{what="alerts"}': 1},
        "notifier",
        "1 alerts have no addressee",
    ),
    "a mailbox that refuses": (
        "notifier",
        {"notifier_rejecting_mailboxes": 1},
        "notifier",
        "1 mailboxes refuse mail: correct their posts",
    ),
    "a clock that was not set": (
        "cartas",
        {"cartas_clock_ahead_seconds": -3600},
        "cartas",
        "its clock is -3600000 ms off PostgreSQL's",
    ),
    "a full disk": (
        "measurements",
        {'measurements_kafka_disk_bytes{broker="1",what="free"}': 49 * 10**9},
        "kafka 1",
        "less than 10 % of the disk is free",
    ),
}


@pytest.mark.parametrize(("service", "lines", "where", "what"), FAULTS.values(), ids=FAULTS)
def test_each_fault_is_named_alone(
    service: str, lines: dict[str, float], where: str, what: str
) -> None:
    assert needed(told(service, lines)) == (Need(where, what),)


HARMLESS: dict[str, tuple[str, dict[str, float]]] = {
    "an outbox that is being emptied": (
        "evaluator",
        {"cartas_outbox_rows": 90_000, "cartas_outbox_oldest_seconds": 59},
    ),
    "old dead letters": ("buzon", {'cartas_dead_letters{which="waiting"}': 7}),
    "a halt that is over": (
        "portal",
        {'cartas_partition_halted{topic="results.v1",partition="3"}': 0},
    ),
    "partitions that moved": ("portal", {'cartas_partitions_fenced_total{topic="x"}': 4}),
    "mail in quiet hours": ("notifier", {'notifier_waiting{what="mails"}': 90}),
    "a clock one second off": ("cartas", {"cartas_clock_ahead_seconds": 1.2}),
}


@pytest.mark.parametrize(("service", "lines"), HARMLESS.values(), ids=HARMLESS)
def test_what_needs_no_hand_is_not_named(service: str, lines: dict[str, float]) -> None:
    assert needed(told(service, lines)) == ()


@pytest.mark.parametrize(
    ("before", "after", "applied", "is_told"),
    [
        pytest.param(5000, 5000, 1000, True, id="stuck"),
        pytest.param(5000, 6000, 1100, True, id="grows faster than a hundred a second"),
        pytest.param(5000, 4999, 1000, False, id="falls"),
        pytest.param(900, 999, 1000, False, id="few records"),
        pytest.param(5000, 9000, 11_000, False, id="less than a second of what is applied"),
    ],
)
def test_a_lag_is_told_when_it_is_long_and_does_not_fall(
    before: int, after: int, applied: int, *, is_told: bool
) -> None:
    first = looked(told("evaluator", {LAG: before}))
    second = looked(told("evaluator", {LAG: after, APPLIED: applied}), seconds=1)
    expected = (Need("evaluator", f"measurements.v1 is {after} records behind, not falling"),)
    assert needs(report(second, first)) == (expected if is_told else ())
    assert needs(report(second)) == (), "one look cannot know"


def test_a_service_that_does_not_answer_is_named_and_leaves_its_figures_unknown() -> None:
    found = report(looked(away("evaluator"), away("measurements"), away("notifier")))
    assert found.events_difference is None
    assert found.population_difference is None
    assert found.mail.waiting is None
    assert {each.state for each in found.services} == {State.READY, State.AWAY}
    assert [need.where for need in needs(found)] == ["measurements", "evaluator", "notifier"]
    assert "no answer: nothing listens at" in needs(found)[0].what


def test_a_service_that_is_not_ready_says_why() -> None:
    answer = Answer("buzon", Samples(), ("starting", "database: TimeoutError"))
    assert needed(answer) == (Need("buzon", "not ready: starting; database: TimeoutError"),)


def test_the_disk_of_this_machine_counts() -> None:
    full = Disk("postgresql", 1000, 99)
    assert needs(report(looked(), disks=[full])) == (
        Need("postgresql", "less than 10 % of the disk is free"),
    )
    assert needs(report(looked(), disks=[Disk("postgresql", 1000, 100)])) == ()


def test_a_service_started_anew_between_two_looks_applied_nothing_less_than_nothing() -> None:
    second = looked(told("evaluator", {APPLIED: 5}), seconds=1)
    [lag] = [
        each
        for service in report(second, looked()).services
        if service.name == "evaluator"
        for each in service.lags
        if each.topic == "measurements.v1"
    ]
    assert lag.applied_per_second == 0
