"""Composition root: the only module that knows all the others."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.cartas import api, retention
from services.cartas.metrics import Metrics
from services.cartas.settings import Settings
from shared.contracts import topics
from shared.service import Periodic, build

COUNT_SECONDS = 30.0


def build_app(settings: Settings) -> FastAPI:
    """Wire the service. Nothing is opened before it starts."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    return build(
        settings,
        terms=retention.terms(settings),
        publishes=(topics.CARTAS,),
        periodics=(Periodic("count states", COUNT_SECONDS, metrics.refresh),),
        routers=api.routers,
        registry=registry,
        describe="What a municipality promises: units, posts, calendars and cartas by version.",
    )
