"""What an operator sees. Labels: route patterns, services, dependencias; no address, no mailbox."""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.portal.domain.figures import Standing
from services.portal.domain.states import State
from services.portal.settings import PEERS

# Words for a label; the values of State stand in addresses.
STATES: Final = {state: state.name.lower() for state in State}
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
        self._add_figures(registry)
        for peer in PEERS:
            self.peer_away.labels(peer)
        for outcome in ("asked", "entered", "refused"):
            self.sign_ins.labels(outcome)

    def _add_figures(self, registry: CollectorRegistry) -> None:
        """What is counted in the database, read at a slow beat."""
        self.promises = Gauge(
            "portal_promises",
            "Promises by dependencia and the state of their last closed window, as published.",
            ["municipality", "department", "state"],
            registry=registry,
        )
        self.open_promises = Gauge(
            "portal_open_promises",
            "Promises by dependencia and how they stand in windows not closed; no sensitive carta.",
            ["municipality", "department", "standing"],
            registry=registry,
        )

    def tell_promises(
        self,
        closed: Mapping[str, Mapping[tuple[str, State], int]],
        open_now: Mapping[str, Mapping[tuple[str, Standing], int]],
    ) -> None:
        """Set the gauges to counts by (dependencia, state) of each municipality, 0 where none.

        What is not there any more, a dependencia that was dissolved, is not told any more.
        """
        self.promises.clear()
        self.open_promises.clear()
        for municipality, counts in closed.items():
            for department in _departments(counts):
                for state, word in STATES.items():
                    count = counts.get((department, state), 0)
                    self.promises.labels(municipality, department, word).set(count)
        for municipality, standings in open_now.items():
            for department in _departments(standings):
                for standing in Standing:
                    count = standings.get((department, standing), 0)
                    self.open_promises.labels(municipality, department, standing).set(count)


def _departments(counts: Iterable[tuple[str, object]]) -> set[str]:
    return {department for department, _ in counts}
