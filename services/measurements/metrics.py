"""What operators see of measurements. Labels: registered sources, and closed sets."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Summary
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.measurements.domain.checks import Reason, SourceState
from services.measurements.store import activity
from services.measurements.store.activity import SourceCounts, SourceFigures
from shared.messaging.log_dirs import Disk
from shared.service import Context


class Part(StrEnum):
    """Where the time of a request with events goes."""

    AUTHORISE = "authorise"
    RECEIVE = "receive"
    DECODE = "decode"
    CHECK = "check"
    ENCODE = "encode"
    ACKNOWLEDGE = "acknowledge"
    REFUSE = "refuse"


OUTCOMES = ("facts", "repeats", "corrections", "refused")


class Metrics:
    """One set for each process; the counts come from the database and outlive it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.edge_refused = Counter(
            "measurements_edge_refused",
            "Events refused over HTTP before Kafka; each is on its emitter's page.",
            ["reason"],
            registry=registry,
        )
        for reason in Reason:
            self.edge_refused.labels(reason.value)
        self.dropped_members = Counter(
            "measurements_dropped_members",
            "Members of events outside the contract, dropped before Kafka: maybe personal data.",
            registry=registry,
        )
        self.unauthorised = Counter(
            "measurements_unauthorised_requests",
            "Requests with a wrong, revoked or missing token. A burst may be guessing.",
            registry=registry,
        )
        self._intake = Summary(
            "measurements_intake_seconds",
            "Time of a request with events by part; 'acknowledge' waits for Kafka, 'authorise' and"
            " 'refuse' for the database, 'receive' for the emitter.",
            ["part"],
            registry=registry,
        )
        self.intake = {part: self._intake.labels(part.value) for part in Part}
        self.progress_through = Gauge(
            "measurements_progress_through_timestamp_seconds",
            "Instant that the pipeline has caught up with; behind the clock means a lag.",
            registry=registry,
        )
        self.kafka_disk = Gauge(
            "measurements_kafka_disk_bytes",
            "The fullest disk of each broker, as it tells; none where we may not ask (ACL).",
            ["broker", "what"],
            registry=registry,
        )
        self._figures = _Figures()
        registry.register(self._figures)

    async def refresh(self, context: Context) -> None:
        """Read the counts that are told at the next scrape."""
        async with context.pool.acquire() as con:
            self._figures.counts = await activity.balances(con)  # type: ignore[arg-type]
            self._figures.sources = await activity.source_figures(con)  # type: ignore[arg-type]
            self._figures.open_imports = await activity.open_imports(con)  # type: ignore[arg-type]
            self._figures.cases = await activity.about_cases(con)  # type: ignore[arg-type]

    def tell_disks(self, disks: Iterable[Disk]) -> None:
        """Tell the disks of the brokers there are now."""
        self.kafka_disk.clear()
        for disk in disks:
            self.kafka_disk.labels(str(disk.broker), "total").set(disk.total_bytes)
            self.kafka_disk.labels(str(disk.broker), "free").set(disk.free_bytes)


class Laps:
    """One request's time, part after part."""

    def __init__(self, metrics: Metrics) -> None:
        self._parts = metrics.intake
        self._since = perf_counter()

    def end(self, part: Part) -> None:
        """Count the time since the part before it ended."""
        now = perf_counter()
        self._parts[part].observe(now - self._since)
        self._since = now


class _Figures(Collector):
    """What was last read from the database, as metrics; scraping does no I/O."""

    def __init__(self) -> None:
        self.counts: list[SourceCounts] = []
        self.sources: list[SourceFigures] = []
        self.open_imports = 0
        self.cases = 0

    def collect(self) -> Iterator[Metric]:
        """Yield the families."""
        yield self._events()
        yield self._differences()
        yield self._latest()
        yield self._states()
        yield self._suspended()
        yield GaugeMetricFamily(
            "measurements_open_imports",
            "Imports under way or not accounted for; one that stays needs a look.",
            value=self.open_imports,
        )

        yield GaugeMetricFamily(
            "measurements_cases",
            "Cases known, roughly. Which of them are open only the promises can say.",
            value=self.cases,
        )

    def _events(self) -> Metric:
        family = CounterMetricFamily(
            "measurements_events",
            "Events by source and what became of them, since the beginning.",
            labels=["source", "outcome"],
        )
        for line in self.counts:
            for outcome in OUTCOMES:
                family.add_metric([line.source, outcome], getattr(line, outcome))
        return family

    def _differences(self) -> Metric:
        family = GaugeMetricFamily(
            "measurements_balance_difference",
            "Events less facts, repeats, corrections and refused. Anything but 0 is an alert.",
            labels=["source"],
        )
        for line in self.counts:
            family.add_metric([line.source], line.difference)
        return family

    def _latest(self) -> Metric:
        family = GaugeMetricFamily(
            "measurements_source_latest_event_timestamp_seconds",
            "Latest instant a source spoke of; far behind the clock means it has gone silent.",
            labels=["source", "municipality"],
        )
        for source in self.sources:
            if source.latest is not None:
                family.add_metric([source.uri, source.municipality], source.latest.timestamp())
        return family

    def _states(self) -> Metric:
        family = GaugeMetricFamily(
            "measurements_sources",
            "Registered sources by state; a suspended one needs a person.",
            labels=["state"],
        )
        for state in SourceState:
            number = sum(source.state == state for source in self.sources)
            family.add_metric([state.value], number)
        return family

    def _suspended(self) -> Metric:
        family = GaugeMetricFamily(
            "measurements_source_suspended",
            "1 for each suspended source: its events are refused until `source resume`.",
            labels=["source", "municipality"],
        )
        for source in self.sources:
            if source.state == SourceState.SUSPENDED:
                family.add_metric([source.uri, source.municipality], 1)
        return family
