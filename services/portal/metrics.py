"""What an operator sees. Labels are route patterns and services: no address, no mailbox."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from services.portal.settings import PEERS

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """One instance a process; the values of closed labels exist from the start."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.pages = Counter(
            "portal_pages",
            "Answers by route pattern and class of status: traffic and errors.",
            ["page", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "portal_page_seconds",
            "From a request's arrival to the start of its answer.",
            ["page"],
            buckets=SECONDS,
            registry=registry,
        )
        self.peer_away = Counter(
            "portal_peer_away",
            "Calls to another service that it did not answer: a part of some page was missing.",
            ["peer"],
            registry=registry,
        )
        self.sign_ins = Counter(
            "portal_sign_ins",
            "One-time links asked for, opened, and tried in vain.",
            ["outcome"],
            registry=registry,
        )
        for peer in PEERS:
            self.peer_away.labels(peer)
        for outcome in ("asked", "entered", "refused"):
            self.sign_ins.labels(outcome)
