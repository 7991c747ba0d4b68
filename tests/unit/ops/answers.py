"""Answers of services as /metrics gives them: a well system, and lines to replace in it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ops.looking import Answer, Look, Samples
from ops.settings import SERVICES

AT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
TOPICS = {
    "cartas": ("corrective-actions.v1",),
    "measurements": ("service-events.v1", "cartas.v1"),
    "evaluator": ("cartas.v1", "measurements.v1", "complaints.v1"),
    "buzon": ("cartas.v1",),
    "notifier": ("cartas.v1", "breaches.v1", "complaints.v1", "results.v1"),
    "portal": ("cartas.v1", "results.v1", "breaches.v1", "complaints.v1", "corrective-actions.v1"),
}
OWN: dict[str, dict[str, float]] = {
    "measurements": {
        'measurements_sources{state="active"}': 2,
        'measurements_balance_difference{source="https://turnos.example"}': 0,
        'measurements_kafka_disk_bytes{broker="1",what="total"}': 500 * 10**9,
        'measurements_kafka_disk_bytes{broker="1",what="free"}': 210 * 10**9,
    },
    "evaluator": {
        "cartas_population_difference": 0,
        "cartas_results_recomputed_total": 20,
        "cartas_recompute_differences_total": 0,
        'cartas_pipeline_behind_seconds{pipeline="measurements"}': 2.4,
        'cartas_pipeline_behind_seconds{pipeline="buzon"}': 31,
    },
    "notifier": {
        'notifier_waiting{what="mails"}': 3,
        'notifier_waiting{what="undelivered"}': 0,
        'notifier_waiting{what="alerts"}': 0,
        'notifier_oldest_waiting_seconds{what="mails"}': 41_000,
        'notifier_oldest_waiting_seconds{what="undelivered"}': 0,
        "notifier_rejecting_mailboxes": 0,
    },
}


def told(service: str, changed: Mapping[str, float] | None = None) -> Answer:
    """What a well service answers, with these lines instead of its own or beside them."""
    lines: dict[str, float] = {
        "process_start_time_seconds": (AT - timedelta(hours=50)).timestamp(),
        "process_resident_memory_bytes": 85_300_000,
        f'cartas_schema_info{{version="{service}/0014_known_cases"}}': 1,
        "cartas_outbox_rows": 0,
        "cartas_outbox_oldest_seconds": 0,
        "cartas_clock_ahead_seconds": 0.0031,
        "cartas_database_bytes": 12_000_000,
        'cartas_dead_letters{which="last_hour"}': 0,
        'cartas_dead_letters{which="waiting"}': 0,
        **OWN.get(service, {}),
    }
    for topic in TOPICS[service]:
        lines[f'cartas_messages_handled_total{{topic="{topic}"}}'] = 1000
        for partition in (0, 1):
            lines[f'cartas_consumer_lag_records{{topic="{topic}",partition="{partition}"}}'] = 0
    return Answer(service, Samples(text(lines | dict(changed or {}))))


def text(lines: Mapping[str, float]) -> str:
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def looked(*instead: Answer, seconds: float = 0) -> Look:
    """A look so many seconds after AT, at a well system but for the answers given."""
    by_name = {answer.service: answer for answer in instead}
    answers = tuple(by_name.get(service) or told(service) for service in SERVICES)
    return Look(AT + timedelta(seconds=seconds), answers)


def away(service: str) -> Answer:
    return Answer(service, Samples(), away="nothing listens at http://127.0.0.1:8000")
