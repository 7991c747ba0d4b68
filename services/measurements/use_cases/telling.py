"""What is published of a case as it stands, and what made it so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.measurements.domain.cases import Fact, assemble, change_of
from services.measurements.store.facts import CaseKey
from shared.contracts import hot
from shared.contracts.ids import cause_of, derived_id
from shared.contracts.service_events import COUNTED_CASES, counted_kind

PUBLISHER = "/measurements"
CASE_MEASURED = "measurement.case.v1"
CASES_COUNTED = "measurement.count.v1"


@dataclass(frozen=True, slots=True)
class Cause:
    """The fact that made a case what it is now, and how it came."""

    fact: Fact
    received_at: datetime
    import_id: str | None
    traceparent: str | None = None


def told(
    cause: Cause, case: CaseKey, facts: Sequence[Fact], *, revision: int
) -> hot.CaseMeasured | hot.CasesCounted:
    """Return what is published of a case as it stands with `facts` (the cause's among them)."""
    tell = _counted if counted_kind(cause.fact.kind) is not None else _measured
    return tell(cause, case, facts, revision=revision)


def _counted(
    cause: Cause, key: CaseKey, facts: Sequence[Fact], *, revision: int
) -> hot.CasesCounted:
    """A count that was taken back has no instant any more, and then no number."""
    (municipality, case_id), fact = key, cause.fact
    case = assemble([each for each in facts if each.kind == fact.kind])
    at = case.instants.get(fact.kind)
    return hot.CasesCounted(
        id=derived_id(cause_of(fact.source, fact.id), CASES_COUNTED, fact.time),
        source=PUBLISHER,
        time=fact.time,
        traceparent=cause.traceparent,
        data=hot.CountData(
            municipality=municipality,
            case=case_id,
            revision=revision,
            service=case.service,
            unit=case.unit,
            counted=str(counted_kind(fact.kind)),
            cases=None if at is None else int(case.attributes[COUNTED_CASES]),
            at=at or fact.time,
            received_at=cause.received_at,
        ),
    )


def _measured(
    cause: Cause, key: CaseKey, facts: Sequence[Fact], *, revision: int
) -> hot.CaseMeasured:
    (municipality, case_id), fact = key, cause.fact
    case = assemble(facts)
    return hot.CaseMeasured(
        id=derived_id(cause_of(fact.source, fact.id), CASE_MEASURED, fact.time),
        source=PUBLISHER,
        time=fact.time,
        traceparent=cause.traceparent,
        data=hot.CaseData(
            municipality=municipality,
            case=case_id,
            revision=revision,
            change=change_of(fact, is_first=revision == 1).value,
            service=case.service,
            unit=case.unit,
            instants=case.instants,
            pauses=tuple(hot.Pause(p.reason, p.start, p.end) for p in case.pauses),
            exclusions=case.exclusions,
            attributes=case.attributes,
            due_at=case.due_at,
            sources=case.sources,
            historical=case.historical,
            import_id=cause.import_id,
            received_at=cause.received_at,
        ),
    )
