"""HTTP in: emitters' events, and what people decide about cases."""

from fastapi import APIRouter

from services.measurements.api import contests
from services.measurements.api.emitters import emitter_routers
from services.measurements.metrics import Metrics
from services.measurements.settings import Settings


def routers(settings: Settings, metrics: Metrics) -> list[APIRouter]:
    """Return the emitters' API and the other services'."""
    return [*emitter_routers(settings, metrics), contests.router]
