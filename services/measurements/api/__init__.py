"""HTTP in: emitters' events, what people decide about cases, the balance."""

from fastapi import APIRouter

from services.measurements.api import balance, contests
from services.measurements.api.emitters import emitter_routers, events_route, open_intake
from services.measurements.metrics import Metrics
from services.measurements.settings import Settings
from shared.http.direct import DirectRoute

__all__ = ["hot_routes", "open_intake", "routers"]


def routers(metrics: Metrics) -> list[APIRouter]:
    """Return the emitters' API and the other services'."""
    return [*emitter_routers(metrics), contests.router, balance.router]


def hot_routes(settings: Settings, metrics: Metrics) -> list[DirectRoute]:
    """Return where the events come in."""
    return [events_route(settings, metrics)]
