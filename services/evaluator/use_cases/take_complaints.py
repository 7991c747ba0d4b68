"""A folio is a case like any other; an upheld one that names a promise is the second trigger."""

from collections.abc import Sequence
from datetime import datetime

from services.evaluator.domain.catalogue import BUZON_SERVICE, Promise
from services.evaluator.domain.results import Subject, window_of_result
from services.evaluator.metrics import EvaluatorMetrics
from services.evaluator.store import breaches as breach_store
from services.evaluator.use_cases.judge_cases import Arrival, JudgeCases
from services.evaluator.use_cases.knowledge import Knowledge
from shared.contracts import hot
from shared.contracts.breaches import BreachKind
from shared.contracts.complaints import ComplaintData, Finding
from shared.contracts.topics import BREACHES
from shared.messaging import Transaction

SUBMITTED = "buzon.submitted"
ANSWERED = "buzon.answered"
UPHELD = "buzon.upheld"


class TakeComplaints:
    """The use case."""

    def __init__(self, judge: JudgeCases, knowledge: Knowledge, metrics: EvaluatorMetrics) -> None:
        self._judge = judge
        self._knowledge = knowledge
        self._metrics = metrics

    async def arrived(
        self,
        tx: Transaction,
        complaints: Sequence[tuple[ComplaintData, datetime]],
        *,
        writer: int,
    ) -> None:
        """Judge the folios, and say which upheld ones are about a promise."""
        arrivals = [Arrival(as_case(data, at), at) for data, at in complaints]
        await self._judge.arrived(tx, arrivals, writer=writer)
        for data, _ in complaints:
            if data.finding is Finding.UPHELD and data.compromiso is not None:
                await self._trigger(tx, data)

    async def _trigger(self, tx: Transaction, data: ComplaintData) -> None:
        catalogue = await self._knowledge.catalogue(tx.connection)
        compromiso = data.compromiso or ""
        found_at = data.found_at or data.filed_at
        promise = _in_force(
            catalogue.by_compromiso.get((data.municipality, compromiso), ()), data.filed_at
        )
        window = None if promise is None else promise.window_at(found_at)
        if promise is None or window is None:
            return  # judged once the carta arrives: the folio is stored and judged again then
        if not await breach_store.say_trigger(
            tx.connection, data.municipality, data.folio, compromiso
        ):
            return
        subject = Subject(
            promise,
            promise.unit_of(data.unit),
            window_of_result(
                window.id,
                promise,
                start=window.start,
                end=window.end,
                closes_at=promise.closes_at(window),
            ),
        )
        statement = subject.statement(
            BreachKind.COMPLAINT_TRIGGER, found_at, detail=data.folio, folio=data.folio
        )
        tx.publish(BREACHES, statement)
        self._metrics.statements.labels(BreachKind.COMPLAINT_TRIGGER.value).inc()


def _in_force(promises: Sequence[Promise], instant: datetime) -> Promise | None:
    return next((promise for promise in promises if promise.in_force(instant)), None)


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
