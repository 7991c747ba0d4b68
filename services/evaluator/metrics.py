"""What the evaluator tells an operator."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.contracts.breaches import BreachKind
from shared.criteria import CaseStatus
from shared.messaging import Transaction

LATENCY_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 15, 60, 300, 3600)


class EvaluatorMetrics:
    """One set for each process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.event_to_verdict = Histogram(
            "cartas_event_to_verdict_seconds",
            "From Kafka taking a service event to its verdict: the oldest of each transaction.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.verdicts = Counter(
            "cartas_verdicts", "Verdicts given or changed.", ["status"], registry=registry
        )
        self.statements = Counter(
            "cartas_statements", "What was said on breaches.v1.", ["kind"], registry=registry
        )
        self.repeats = Counter(
            "cartas_case_repeats",
            "Case revisions that were known already.",
            registry=registry,
        )
        self.without_promise = Counter(
            "cartas_cases_without_promise",
            "Case revisions about which nothing is promised: stored, not judged.",
            registry=registry,
        )
        self.towns_loaded = Counter(
            "cartas_catalogue_towns_loaded",
            "Municipalities whose promises were read; many again and again: there is room for few.",
            registry=registry,
        )
        self.promises = Gauge(
            "cartas_catalogue_promises", "Promises held ready, in all versions.", registry=registry
        )
        self.results = Counter("cartas_results_published", "Results published.", registry=registry)
        self.rejudging = Gauge(
            "cartas_rejudging_services",
            "Services whose stored cases wait to be judged again.",
            registry=registry,
        )
        self.coverage_age = Gauge(
            "cartas_pipeline_behind_seconds",
            "How far the facts taken in are behind the wall clock.",
            ["pipeline"],
            registry=registry,
        )
        self.silent = Gauge(
            "cartas_source_silent_seconds",
            "How long a source has not spoken that should have, in service hours; none: all speak.",
            ["source", "municipality"],
            registry=registry,
        )
        self.balance = Gauge(
            "cartas_population_difference",
            "Sum of |population - (met + failed + pending + excluded)| over windows: must be 0.",
            registry=registry,
        )
        self.windows_failed = Counter(
            "cartas_windows_not_published",
            "Rounds in which a window's result could not be published: see the log.",
            registry=registry,
        )
        self.recomputed = Counter(
            "cartas_results_recomputed",
            "Results that were counted again from the stored facts.",
            registry=registry,
        )
        self.recompute_differences = Counter(
            "cartas_recompute_differences",
            "Results that differ from the stored facts: must be 0; the log has their keys.",
            registry=registry,
        )
        for status in CaseStatus:
            self.verdicts.labels(status.value)
        for kind in BreachKind:
            self.statements.labels(kind.value)
        for pipeline in ("measurements", "buzon"):
            self.coverage_age.labels(pipeline)

    def tell_silent(self, silent: Sequence[tuple[str, str, datetime]], now: datetime) -> None:
        """Tell since when each (municipality, source) is silent; one that speaks again is gone."""
        self.silent.clear()
        for municipality, source, since in silent:
            self.silent.labels(source, municipality).set((now - since).total_seconds())

    def count_statement(self, tx: Transaction, kind: BreachKind) -> None:
        """Count a statement once it is certain to leave."""
        tx.on_commit.append(self.statements.labels(kind.value).inc)
