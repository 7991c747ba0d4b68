"""What an operator sees of the notifier. No label names a post, an action or a mailbox."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.notifier.letters import MailKind
from services.notifier.smtp import Sent
from services.notifier.store.terms import OpenActions
from shared.contracts.breaches import BreachKind
from shared.contracts.corrective_actions import ActionState

LATENCY_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400)
WAITING = ("mails", "undelivered", "alerts")
OPEN_STATES = tuple(state for state in ActionState if state is not ActionState.CLOSED)


class Metrics:
    """One instance a process; every label value exists from the start, so that rates see it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.event_to_mail = Histogram(
            "notifier_event_to_mail_seconds",
            "From Kafka taking the causing service event to the mail server accepting the alert.",
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.mails = Counter(
            "notifier_mails",
            "Attempts to deliver mail, by kind and what the server made of them.",
            ["kind", "outcome"],
            registry=registry,
        )
        self.statements = Counter(
            "notifier_breach_statements",
            "Statements about compromisos taken in; historical ones raise nothing.",
            ["kind", "historical"],
            registry=registry,
        )
        self.escalations = Counter(
            "notifier_escalations",
            "Terms that passed and were told one level up.",
            registry=registry,
        )
        self._add_gauges(registry)
        self._add_action_gauges(registry)
        self._initialise()

    def _add_gauges(self, registry: CollectorRegistry) -> None:
        """What is counted in the database, read at a slow beat."""
        self.waiting = Gauge(
            "notifier_waiting",
            "What has not been told yet: mail, what of it is due or was tried, alerts nobody gets.",
            ["what"],
            registry=registry,
        )
        self.oldest = Gauge(
            "notifier_oldest_waiting_seconds",
            "Age of the oldest of them; it should stay below a few seconds.",
            ["what"],
            registry=registry,
        )
        self.rejecting = Gauge(
            "notifier_rejecting_mailboxes",
            "Mailboxes whose server refused for good: somebody must correct the post.",
            registry=registry,
        )

    def _add_action_gauges(self, registry: CollectorRegistry) -> None:
        """What waits for units; the labels name those that have an open action."""
        self.overdue = Gauge(
            "notifier_actions_overdue",
            "Corrective actions whose term has passed, by what is awaited.",
            ["awaited"],
            registry=registry,
        )
        self.actions = Gauge(
            "notifier_open_actions",
            "Corrective actions that are not closed, by the unit that must answer and state.",
            ["municipality", "unit", "state"],
            registry=registry,
        )
        self.unit_overdue = Gauge(
            "notifier_unit_actions_overdue",
            "Of them those whose term has passed: the unit has not answered.",
            ["municipality", "unit"],
            registry=registry,
        )
        self.oldest_action = Gauge(
            "notifier_oldest_open_action_timestamp_seconds",
            "When the oldest open action of a unit was requested.",
            ["municipality", "unit"],
            registry=registry,
        )

    def _initialise(self) -> None:
        for mail in MailKind:
            for outcome in Sent:
                self.mails.labels(mail.value, outcome.value)
        for kind in BreachKind:
            for historical in ("false", "true"):
                self.statements.labels(kind.value, historical)
        for what in WAITING:
            self.waiting.labels(what)
            self.oldest.labels(what)
        for awaited in ("acknowledgement", "plan"):
            self.overdue.labels(awaited)

    def tell_actions(self, counts: Iterable[OpenActions]) -> None:
        """Tell of each unit with an open action; one that has none any more is gone."""
        units: dict[tuple[str, str], list[OpenActions]] = defaultdict(list)
        for count in counts:
            units[count.municipality, count.unit].append(count)
        for gauge in (self.actions, self.unit_overdue, self.oldest_action):
            gauge.clear()
        for place, own in units.items():
            by_state = {count.state: count.actions for count in own}
            for state in OPEN_STATES:
                self.actions.labels(*place, state).set(by_state.get(state, 0))
            self.unit_overdue.labels(*place).set(sum(count.overdue for count in own))
            oldest = min(count.oldest for count in own)
            self.oldest_action.labels(*place).set(oldest.timestamp())

    def count_delivery(
        self, kind: str, outcome: Sent, *, caused_at: datetime | None, now: datetime
    ) -> None:
        """Count an attempt; the first acceptance of an alert ends its latency."""
        self.mails.labels(kind, outcome.value).inc()
        if outcome is Sent.ACCEPTED and caused_at is not None:
            self.event_to_mail.observe(max(0.0, (now - caused_at).total_seconds()))
