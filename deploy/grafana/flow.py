"""*Flow*: is anything stuck or lost."""

from typing import Final

from grafana_foundation_sdk.models.dashboard import Dashboard

from deploy.grafana.panels import (
    NEVER,
    SERVICES,
    Figure,
    Graph,
    Least,
    Limits,
    Query,
    page,
)

LAG: Final = "max by (job, topic, partition) (cartas_consumer_lag_records)"


def quantile(share: str, buckets: str, *, by: str = "") -> str:
    """Return an expression of a quantile of a histogram over the rate interval."""
    labels = f"le, {by}" if by else "le"
    rate = f"rate({buckets}[$__rate_interval])"
    return f"histogram_quantile({share}, sum by ({labels}) ({rate}))"


STUCK: Final = (
    Figure(
        title="Services away",
        query=f"6 - (count(count by (job) (up{{{SERVICES}}} == 1)) or vector(0))",
        about="Services of which no process answers Prometheus, those it does not know included.",
        limits=NEVER,
    ),
    Figure(
        title="Records behind",
        query=f"sum({LAG})",
        about="Records on Kafka that are not applied yet, of all consumers. A lag that falls is"
        " work; one that grows is a fault.",
        limits=Limits(watch=1_000, bad=100_000),
    ),
    Figure(
        title="Oldest in an outbox",
        query="max(cartas_outbox_oldest_seconds)",
        about="Age of the oldest message that waits for Kafka, of all services.",
        unit="s",
        limits=Limits(watch=10, bad=60),
    ),
    Figure(
        title="Known until, behind",
        query="max(cartas_pipeline_behind_seconds)",
        about="How far back the evaluator's knowledge ends. Later cases are pending: nobody is"
        " accused by a lag.",
        unit="s",
        limits=Limits(watch=60, bad=120),
    ),
    Figure(
        title="Consumers stopped",
        query="sum(max by (job, topic) (cartas_consumer_stopped))",
        about="Consumers that gave up: a fault of ours, or a topic made anew. The log says why.",
        limits=NEVER,
    ),
    Figure(
        title="Partitions halted",
        query="sum(max by (job, topic, partition) (cartas_partition_halted)) or vector(0)",
        about="Partitions whose next offset Kafka no longer holds: a person must decide.",
        limits=NEVER,
    ),
    Figure(
        title="Mail undelivered",
        query='max(notifier_waiting{what="undelivered"})',
        about="Mail that was due or tried and has not left.",
        limits=Limits(watch=1, bad=50),
    ),
    Figure(
        title="Oldest undelivered",
        query='max(notifier_oldest_waiting_seconds{what="undelivered"})',
        about="Age of the oldest of them.",
        unit="s",
        limits=Limits(watch=60, bad=600),
    ),
    Figure(
        title="Alerts that fire",
        query='count(ALERTS{alertstate="firing", alertname!="Watchdog"}) or vector(0)',
        about="Of the rules of deploy/prometheus/rules; each has a page in docs/runbooks.",
        limits=NEVER,
        width=8,
    ),
    Figure(
        title="Brokers alive",
        query="min(max by (job) (cartas_kafka_brokers))",
        about="As Kafka tells the service that sees the fewest; 0: none answers it.",
        limits=Least(1),
        width=8,
    ),
    Figure(
        title="Task most late",
        query="max(cartas_task_late_seconds)",
        about="How long ago a task of the wall clock should have ended well; the log says why.",
        unit="s",
        limits=Limits(watch=30, bad=300),
        width=8,
    ),
)
"""What waits for longer than it should."""

LOST: Final = (
    Figure(
        title="Events - outcomes",
        query="sum(abs(max by (source) (measurements_balance_difference)))",
        about="Events less facts, repeats, corrections and refused, over all sources.",
        limits=NEVER,
        width=4,
    ),
    Figure(
        title="Verdicts - counts",
        query="max(cartas_population_difference)",
        about="Population less met, failed, pending and excluded, over all windows.",
        limits=NEVER,
        width=4,
    ),
    Figure(
        title="Recomputed differ",
        query="sum(cartas_recompute_differences_total)",
        about="Results that the nightly sample could not make again from the facts, since the"
        " processes started.",
        limits=NEVER,
        width=4,
    ),
    Figure(
        title="Windows not published",
        query="sum(cartas_windows_not_published_total)",
        about="Rounds in which a window's result could not be published, since the processes"
        " started: see the log.",
        limits=NEVER,
        width=4,
    ),
    Figure(
        title="Dead letters waiting",
        query='sum(max by (job) (cartas_dead_letters{which="waiting"}))',
        about="Refused records that were not sent again yet; each service counts to 10,000."
        " `<service> dlt list` shows them.",
        limits=NEVER,
        width=4,
    ),
    Figure(
        title="Refused in an hour",
        query='sum(max by (job) (cartas_dead_letters{which="last_hour"}))',
        about="Refused records of the last hour.",
        limits=NEVER,
        width=4,
    ),
)
"""The figures that must be 0."""

HANDLED: Final = "rate(cartas_messages_handled_total[$__rate_interval])"
MOVING: Final = (
    Graph(
        title="Records applied a second",
        queries=[Query(f"sum by (job, topic) ({HANDLED})", "{{job}} {{topic}}")],
        about="Records whose effects are committed.",
        unit="cps",
    ),
    Graph(
        title="Records behind",
        queries=[Query(f"sum by (job, topic) ({LAG})", "{{job}} {{topic}}")],
        about="Of each consumer, as last fetched.",
        limits=Limits(watch=1_000, bad=100_000),
    ),
    Graph(
        title="Messages in the outbox",
        queries=[Query("max by (job) (cartas_outbox_rows)", "{{job}}")],
        about="Messages that wait for Kafka, counted up to 100,000. They are told while Kafka is"
        " away, too.",
        limits=Limits(watch=1_000),
    ),
    Graph(
        title="Oldest message in the outbox",
        queries=[Query("max by (job) (cartas_outbox_oldest_seconds)", "{{job}}")],
        about="It grows by a second each second while Kafka does not answer.",
        unit="s",
        limits=Limits(watch=10, bad=60),
    ),
    Graph(
        title="From an event to its verdict",
        queries=[
            Query(quantile(share, "cartas_event_to_verdict_seconds_bucket"), name)
            for share, name in (("0.5", "half are faster"), ("0.99", "99 % are faster"))
        ],
        about="From Kafka taking a service event to its verdict: the oldest of each"
        " transaction. No line where nothing comes.",
        unit="s",
        limits=Limits(watch=5, bad=60),
    ),
    Graph(
        title="From an event to the alert's mail",
        queries=[
            Query(
                "histogram_quantile(0.5, sum by (le) (notifier_event_to_mail_seconds_bucket))",
                "half are faster",
            ),
            Query(
                "histogram_quantile(0.99, sum by (le) (notifier_event_to_mail_seconds_bucket))",
                "99 % are faster",
            ),
        ],
        about="From Kafka taking the causing event to the mail server accepting the alert, of"
        " all since the processes started: alerts are few. Quiet hours count.",
        unit="s",
    ),
)
"""Speeds, queues and latencies."""

labels = "{{job}} {{topic}}"
REFUSED: Final = (
    Graph(
        title="Records refused a second",
        queries=[
            Query(
                "sum by (job, reason) (rate(cartas_messages_refused_total[$__rate_interval]))",
                "{{job}} {{reason}}",
            )
        ],
        about="Each has a dead letter that says why.",
        unit="cps",
        width=8,
    ),
    Graph(
        title="Batches tried again a second",
        queries=[
            Query(
                "sum by (job, topic) (rate(cartas_batch_retries_total[$__rate_interval]))",
                labels,
            )
        ],
        about="PostgreSQL or Kafka was away; nothing is lost, it is tried until it works.",
        unit="cps",
        width=8,
    ),
    Graph(
        title="Partitions that moved",
        queries=[
            Query(
                "sum by (job, topic) (increase(cartas_rebalances_total[5m]))",
                f"{labels}: assigned",
            ),
            Query(
                "sum by (job, topic) (increase(cartas_partitions_fenced_total[5m]))",
                f"{labels}: fenced",
            ),
        ],
        about="In five minutes, roughly. Normal when processes come and go; without such a"
        " reason a process is too slow for Kafka.",
        width=8,
    ),
)
"""What did not go through at the first try."""


def build() -> Dashboard:
    """Return the dashboard."""
    return page(
        "flow",
        "Flow",
        (
            ("Is anything stuck", STUCK),
            ("Is anything lost", LOST),
            ("How it moves", MOVING),
            ("What was refused or tried again", REFUSED),
        ),
        about="From the emitters' events to results and mail: is anything stuck or lost.",
        since="6h",
    )
