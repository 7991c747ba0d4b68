"""Metrics of message handling; every label comes from a closed set and is initialised at start."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary

BATCH_BUCKETS = (1, 2, 5, 10, 50, 100, 500, 1000, 2000, 5000, 10000)
SECONDS_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class MessagingMetrics:
    """One set for each process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.handled = Counter(
            "cartas_messages_handled",
            "Records whose effects are committed.",
            ["topic"],
            registry=registry,
        )
        self.refused = Counter(
            "cartas_messages_refused",
            "Records that could not be taken; each has a dead letter. Any increase needs a look.",
            ["topic", "reason"],
            registry=registry,
        )
        self.retries = Counter(
            "cartas_batch_retries",
            "Batches tried again because PostgreSQL or Kafka was away.",
            ["topic"],
            registry=registry,
        )
        self.fenced = Counter(
            "cartas_partitions_fenced",
            "Partitions lost to another process while we worked on them.",
            ["topic"],
            registry=registry,
        )
        self.rebalances = Counter(
            "cartas_rebalances",
            "Assignments of partitions to this process.",
            ["topic"],
            registry=registry,
        )
        self.halted = Gauge(
            "cartas_partition_halted",
            "1 where the stored offset is not in Kafka any more: a person must decide.",
            ["topic", "partition"],
            registry=registry,
        )
        self.stopped = Gauge(
            "cartas_consumer_stopped",
            "1 where a consumer gave up: a fault of ours, or its topic was made anew. See the log.",
            ["topic"],
            registry=registry,
        )
        self.batch_records = Histogram(
            "cartas_batch_records",
            "Records in one transaction.",
            ["topic"],
            buckets=BATCH_BUCKETS,
            registry=registry,
        )
        self.batch_seconds = Histogram(
            "cartas_batch_seconds",
            "Duration of one transaction, from decoding to commit.",
            ["topic"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self.part_seconds = Summary(
            "cartas_part_seconds",
            "What the parts of a consumer's or the relay's turn take: where the time goes.",
            ["loop", "part"],
            registry=registry,
        )
        self.lag = Gauge(
            "cartas_consumer_lag_records",
            "Records in the partition that are not applied yet, as last fetched.",
            ["topic", "partition"],
            registry=registry,
        )
        self.outbox_rows = Gauge(
            "cartas_outbox_rows",
            "Messages that wait for Kafka, counted up to 100,000.",
            registry=registry,
        )
        self.outbox_age = Gauge(
            "cartas_outbox_oldest_seconds",
            "Age of the oldest message that waits for Kafka.",
            registry=registry,
        )
        self.relayed = Counter(
            "cartas_outbox_published", "Messages acknowledged by Kafka.", registry=registry
        )
        self.relay_leader = Gauge(
            "cartas_outbox_relay_leader",
            "1 in the process that publishes the shard.",
            ["shard"],
            registry=registry,
        )

    def initialise(self, topic: str) -> None:
        """Make the series of `topic` exist before the first event (an increase is seen then)."""
        for metric in (self.handled, self.retries, self.fenced, self.rebalances, self.stopped):
            metric.labels(topic)
        for reason in ("not_json", "schema", "unexpected_error"):
            self.refused.labels(topic, reason)
