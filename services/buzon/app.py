"""Composition root: the only module that knows all the others."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.buzon import api, deadlines, handlers, retention
from services.buzon.domain.secrets import Keys
from services.buzon.metrics import Metrics
from services.buzon.settings import Settings
from shared.contracts import topics
from shared.service import build

# A complaint of 5,000 characters, each escaped, with all that goes with it.
MAX_BODY_BYTES = 128 * 1024


def keys_of(settings: Settings) -> Keys:
    """Return the keys derived from the installation's secrets."""
    contacts = settings.contact_key
    return Keys.derive(
        settings.service_secret.get_secret_value(),
        contacts.get_secret_value() if contacts is not None else None,
    )


def build_app(settings: Settings) -> FastAPI:
    """Wire the service. Nothing is opened before it starts."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    app = build(
        settings,
        terms=retention.terms(settings),
        subscriptions=handlers.SUBSCRIPTIONS,
        publishes=(topics.COMPLAINTS,),
        periodics=deadlines.periodics(settings, metrics),
        routers=api.routers(settings, keys_of(settings), metrics),
        registry=registry,
        describe="What citizens say: folio, routing, answer, finding. Texts stay here.",
        max_body_bytes=MAX_BODY_BYTES,
    )
    api.install_refusals(app, metrics)
    return app
