"""Composition root of the evaluator."""

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.evaluator import retention
from services.evaluator.api import router
from services.evaluator.deadlines import Deadlines
from services.evaluator.handlers import Handlers
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.settings import Settings
from services.evaluator.use_cases.judge_cases import JudgeCases
from services.evaluator.use_cases.knowledge import Knowledge
from services.evaluator.use_cases.publish_results import PublishResults
from services.evaluator.use_cases.take_complaints import TakeComplaints
from shared.contracts import topics
from shared.service import build

DESCRIBE = "Decides whether each promise was kept: verdicts, results, breaches."


def build_app(settings: Settings) -> FastAPI:
    """Wire the service; nothing is opened until it starts."""
    registry = CollectorRegistry()
    metrics = EvaluatorMetrics(registry)
    knowledge = Knowledge(metrics, most_promises=settings.catalogue_promises)
    judge = JudgeCases(knowledge, metrics)
    complaints = TakeComplaints(judge, knowledge, metrics)
    deadlines = Deadlines(
        settings,
        knowledge=knowledge,
        judge=judge,
        complaints=complaints,
        publish=PublishResults(knowledge, metrics),
        metrics=metrics,
    )
    return build(
        settings,
        terms=retention.terms(settings),
        describe=DESCRIBE,
        registry=registry,
        subscriptions=Handlers(judge, complaints).subscriptions(settings),
        publishes=(topics.RESULTS, topics.BREACHES),
        periodics=deadlines.periodics(),
        routers=(router,),
    )
