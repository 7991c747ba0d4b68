"""Composition root: the only module that knows all the others."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.notifier import api, deadlines, handlers, retention
from services.notifier.links import Links
from services.notifier.metrics import Metrics
from services.notifier.settings import Settings
from services.notifier.use_cases.alerts import Office
from shared.contracts import topics
from shared.service import build


def office_of(settings: Settings) -> Office:
    """Return what all letters share."""
    return Office(
        sender=settings.sender_mailbox,
        sender_name=settings.sender_name,
        public_url=settings.public_url,
        links=Links.of(settings.service_secret),
    )


def build_app(settings: Settings) -> FastAPI:
    """Wire the service. Nothing is opened before it starts."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    office = office_of(settings)
    return build(
        settings,
        terms=retention.terms(settings),
        subscriptions=handlers.subscriptions(office, metrics),
        publishes=(topics.CORRECTIVE_ACTIONS,),
        periodics=deadlines.periodics(settings, office, metrics),
        routers=(api.router(office),),
        registry=registry,
        describe="Who must answer, by when: alerts, delivery, corrective actions.",
    )
