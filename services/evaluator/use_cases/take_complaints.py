"""A folio is a case like any other; an upheld one that names a promise is the second trigger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.coverage import BUZON_SERVICE
from services.evaluator.domain.results import Subject, window_of_result
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.store.breaches import Trigger
from services.evaluator.use_cases import breaches
from services.evaluator.use_cases.changes import Arrival
from services.evaluator.use_cases.judge_cases import JudgeCases
from services.evaluator.use_cases.knowledge import Knowledge
from shared.contracts import hot
from shared.contracts.breaches import BreachKind
from shared.contracts.complaints import ComplaintData, Finding
from shared.criteria import WindowBounds
from shared.messaging import Transaction

SUBMITTED = "buzon.submitted"
ANSWERED = "buzon.answered"
UPHELD = "buzon.upheld"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A folio at a revision, when Kafka took the change that made it so, and the change's trace."""

    data: ComplaintData
    received_at: datetime
    traceparent: str | None


class TakeComplaints:
    """The use case."""

    def __init__(self, judge: JudgeCases, knowledge: Knowledge, metrics: EvaluatorMetrics) -> None:
        self._judge = judge
        self._knowledge = knowledge
        self._metrics = metrics

    async def arrived(
        self,
        tx: Transaction,
        complaints: Sequence[Complaint],
        *,
        writer: int,
    ) -> None:
        """Judge the folios, and say which upheld ones are about a promise."""
        arrivals = [
            Arrival(as_case(each.data, each.received_at), each.received_at, each.traceparent)
            for each in complaints
        ]
        await self._judge.arrived(tx, arrivals, writer=writer)
        for each in complaints:
            data = each.data
            if data.finding is Finding.UPHELD and data.compromiso is not None:
                await self._trigger(tx, _trigger_of(each, data.compromiso))

    async def promises_changed(self, tx: Transaction, municipality: str) -> None:
        """Say what waited for a promise that has arrived."""
        for trigger in await breach_store.waiting_triggers(tx.connection, municipality):
            await self._trigger(tx, trigger)

    async def _trigger(self, tx: Transaction, trigger: Trigger) -> None:
        town = trigger.municipality
        catalogue = await self._knowledge.catalogue(tx.connection, (town,))
        versions = catalogue.versions(town, trigger.compromiso)
        promise = next((each for each in versions if each.in_force(trigger.filed_at)), None)
        window = None if promise is None else promise.window_at(trigger.found_at)
        if promise is None or window is None:
            await breach_store.let_trigger_wait(tx.connection, trigger)
        elif await breach_store.say_trigger(tx.connection, trigger):
            self._say(tx, trigger, promise, window)

    def _say(
        self, tx: Transaction, trigger: Trigger, promise: Promise, bounds: WindowBounds
    ) -> None:
        closes_at = promise.closes_at(bounds)
        window = window_of_result(
            bounds.id, promise, start=bounds.start, end=bounds.end, closes_at=closes_at
        )
        statement = Subject(promise, promise.unit_of(trigger.unit), window).statement(
            BreachKind.COMPLAINT_TRIGGER,
            trigger.found_at,
            detail=trigger.folio,
            folio=trigger.folio,
            traceparent=trigger.traceparent,
        )
        breaches.publish(tx, statement, self._metrics)


def _trigger_of(complaint: Complaint, compromiso: str) -> Trigger:
    data = complaint.data
    return Trigger(
        municipality=data.municipality,
        folio=data.folio,
        compromiso=compromiso,
        unit=data.unit,
        filed_at=data.filed_at,
        found_at=data.found_at or data.filed_at,
        traceparent=complaint.traceparent,
    )


def as_case(data: ComplaintData, received_at: datetime) -> hot.CaseData:
    """Return the folio as a case of the service `buzon`, with carta and kind as attributes."""
    instants = {SUBMITTED: data.filed_at}
    if data.answered_at is not None:
        instants[ANSWERED] = data.answered_at
    if data.finding is Finding.UPHELD and data.found_at is not None:
        instants[UPHELD] = data.found_at
    attributes = {"tipo": data.kind.value}
    if data.carta is not None:
        attributes["carta"] = data.carta
    return hot.CaseData(
        municipality=data.municipality,
        case=data.folio,
        revision=data.revision,
        change="advanced",
        service=BUZON_SERVICE,
        unit=data.unit,
        instants=instants,
        pauses=tuple(hot.Pause(p.reason, p.start, p.end) for p in data.pauses),
        exclusions=tuple(data.exclusions),
        attributes=attributes,
        sources=(BUZON_SERVICE,),
        received_at=received_at,
    )
