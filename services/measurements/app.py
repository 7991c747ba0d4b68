"""The composition root: the only module that knows all the others."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.measurements import retention
from services.measurements.api import hot_routes, open_intake, routers
from services.measurements.deadlines import periodics
from services.measurements.handlers import subscriptions
from services.measurements.metrics import Metrics
from services.measurements.settings import Settings
from shared.contracts import topics
from shared.service import build

DESCRIBE = "What happened: timing events in, cases and how far they are complete out."


def build_app(settings: Settings) -> FastAPI:
    """Return the service's application."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    return build(
        settings,
        terms=retention.terms(settings),
        describe=DESCRIBE,
        registry=registry,
        subscriptions=subscriptions(settings),
        publishes=(topics.MEASUREMENTS, topics.SERVICE_EVENTS),
        periodics=periodics(settings, metrics),
        routers=routers(metrics),
        hot_routes=hot_routes(settings, metrics),
        on_start=open_intake,
    )
