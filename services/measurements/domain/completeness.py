"""How far each source is known complete, from what speaks for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.measurements.domain import checks
from services.measurements.domain.checks import SourceState as State
from shared.contracts.measurements import Cadence, SourceKind, SourceState

NO_GRACE: Final = int(timedelta(days=7_300).total_seconds())
"""Twenty years: silence of a source whose events we refuse proves nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A source and what speaks for its completeness.

    `latest` is the latest instant a live source spoke of; `complete` says that all imports of a
    historical one are accounted for, as of `as_of`.
    """

    uri: str
    municipality: str
    historical: bool
    services: tuple[str, ...]
    reports: tuple[str, ...]
    expects: checks.Cadence | None
    grace_seconds: int
    state: State
    state_since: datetime
    latest: datetime | None
    as_of: datetime | None
    complete: bool


def source_state(evidence: Evidence, through: datetime) -> SourceState:
    """Return what the pipeline, having caught up with `through`, can say of a source.

    A suspended source's events are refused: it is complete up to its suspension at most, and its
    grace period does not run. A revoked one is not expected to say more: its grace runs on.
    """
    return SourceState(
        municipality=evidence.municipality,
        source=evidence.uri,
        kind=SourceKind.HISTORICAL if evidence.historical else SourceKind.LIVE,
        services=evidence.services,
        reports=evidence.reports,
        expects=_cadence(evidence),
        complete_through=_complete_through(evidence, through),
        grace_seconds=(NO_GRACE if evidence.state is State.SUSPENDED else evidence.grace_seconds),
    )


def _cadence(evidence: Evidence) -> Cadence | None:
    """A revoked source is expected to say no more; a suspended one goes on being missed."""
    expects = evidence.expects
    if expects is None:
        return None
    is_over = evidence.state is State.REVOKED
    return Cadence(
        every_minutes=expects.every_minutes,
        calendar=expects.calendar,
        since=expects.since,
        until=evidence.state_since if is_over else None,
    )


def _complete_through(evidence: Evidence, through: datetime) -> datetime | None:
    if evidence.historical:
        return evidence.as_of if evidence.complete else None
    if evidence.latest is None:
        return None
    if evidence.state is State.SUSPENDED:
        return min(evidence.latest, evidence.state_since, through)
    return min(evidence.latest, through)


def changed(before: dict[str, SourceState], after: Sequence[SourceState]) -> list[SourceState]:
    """Return the states that differ from those last told."""
    return [state for state in after if before.get(state.source) != state]
