"""Composition root: the only module that knows all the others."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.portal import api, deadlines, handlers, retention
from services.portal.api.actions import ExpiredLinkError
from services.portal.api.tools import Tools, UnknownPageError
from services.portal.metrics import Metrics
from services.portal.settings import Settings
from services.portal.web import csrf, sessions
from services.portal.web.errors import install_errors
from services.portal.web.headers import SecurityHeaders
from services.portal.web.measuring import Measuring
from services.portal.web.pages import Pages, environment
from services.portal.web.static import StaticFiles
from shared.http import derived_key
from shared.service import build

# The longest form: four texts of 4,000 characters, each letter escaped.
MAX_BODY_BYTES = 128 * 1024


def build_app(settings: Settings) -> FastAPI:
    """Wire the service. Nothing is opened before it starts."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    tools = tools_of(settings, metrics)
    app = build(
        settings,
        terms=retention.terms(settings),
        subscriptions=handlers.subscriptions(),
        periodics=deadlines.periodics(metrics),
        routers=api.routers(tools),
        registry=registry,
        describe="What people see: results, cartas, buzon, panels.",
        max_body_bytes=MAX_BODY_BYTES,
    )
    app.add_middleware(Measuring, metrics=metrics)
    app.add_middleware(SecurityHeaders, encrypted=settings.secure_cookies)
    install_errors(app, tools.pages, not_found=UnknownPageError, gone=ExpiredLinkError)
    return app


def tools_of(settings: Settings, metrics: Metrics) -> Tools:
    """Return what the pages work with."""
    secure = settings.secure_cookies
    session_cookie = sessions.cookie_name(sessions.COOKIE, secure=secure)
    forms = csrf.Forms(
        derived_key(settings.service_secret, "portal forms"),
        cookie=sessions.cookie_name(csrf.COOKIE, secure=secure),
        session_cookie=session_cookie,
    )
    static = StaticFiles(settings.static_dir)
    return Tools(
        settings=settings,
        pages=Pages(environment(static), forms, secure),
        forms=forms,
        sessions=sessions.Sessions(cookie=session_cookie),
        static=static,
        metrics=metrics,
    )
