"""What an operator sees of the buzon. No label names a unit, a folio, a post or a municipality."""

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.buzon.domain.cases import Step
from services.buzon.store.gauges import Waiting
from services.buzon.use_cases import errors
from shared.contracts.complaints import ComplaintKind

WAITING = ("all", "overdue", "without_unit", "referred", "without_date")


class Metrics:
    """One instance a process; every label value exists from the start, so that rates see it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.filed = Counter(
            "buzon_filed",
            "Filings that were answered with a folio, repeated requests included.",
            ["kind"],
            registry=registry,
        )
        self.steps = Counter(
            "buzon_steps", "Steps that posts took on folios.", ["step"], registry=registry
        )
        self.not_taken = Counter(
            "buzon_not_taken",
            "Requests that were refused; many unknown folios are somebody's guessing.",
            ["reason"],
            registry=registry,
        )
        self.waiting = Gauge(
            "buzon_waiting",
            "Folios without answer; without_date ones lack their calendar.",
            ["what"],
            registry=registry,
        )
        self.complete_through = Gauge(
            "buzon_complete_through_seconds",
            "Unix time through which the evaluator was told that nothing is missing.",
            registry=registry,
        )
        for kind in ComplaintKind:
            self.filed.labels(kind.value)
        for step in Step:
            self.steps.labels(step.value)
        for error in errors.ALL:
            self.not_taken.labels(error.reason)
        for reason in ("step_not_possible", "malformed_folio"):
            self.not_taken.labels(reason)
        for what in WAITING:
            self.waiting.labels(what)

    def show(self, counts: Waiting) -> None:
        """Set the gauges."""
        shown = (
            counts.waiting,
            counts.overdue,
            counts.without_unit,
            counts.referred,
            counts.without_date,
        )
        for what, count in zip(WAITING, shown, strict=True):
            self.waiting.labels(what).set(count)
