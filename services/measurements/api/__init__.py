"""HTTP in: emitters' events, what people decide about cases, the balance."""

from fastapi import APIRouter

from services.measurements.api import balance, contests
from services.measurements.api.emitters import emitter_routers, open_intake
from services.measurements.metrics import Metrics
from services.measurements.settings import Settings

__all__ = ["open_intake", "routers"]


def routers(settings: Settings, metrics: Metrics) -> list[APIRouter]:
    """Return the emitters' API and the other services'."""
    return [*emitter_routers(settings, metrics), contests.router, balance.router]
