"""Corrective actions that breaches open: decided one by one, stored together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.letters import MailKind
from services.notifier.store import actions, terms
from services.notifier.store.actions import Action, TakenStep, Trigger
from services.notifier.store.terms import NewTerms
from services.notifier.use_cases.actions import announce, with_terms
from services.notifier.use_cases.alerts import Office, Reason, alert_for, raise_first
from services.notifier.use_cases.catalogue import Reading
from shared.contracts.breaches import BreachData, BreachEvent, BreachKind
from shared.contracts.corrective_actions import ActionChange, ActionState
from shared.messaging import Transaction

TRIGGERS: Final = {
    BreachKind.BREACHED: MailKind.BREACHED,
    BreachKind.COMPLAINT_TRIGGER: MailKind.COMPLAINT,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """An action with what asks for it and its terms, not stored yet."""

    action: Action
    event: BreachEvent
    terms: NewTerms | None


async def open_actions(tx: Transaction, office: Office, events: Sequence[BreachEvent]) -> None:
    """Open one action for each event and tell the posts that answer.

    The events are new and no action covers them; each concerns a compromiso and unit of its own.
    """
    if not events:
        return
    known = Reading(tx.connection)
    opened: list[Opened] = []
    for event, number in zip(events, await _numbers(tx, known, events), strict=True):
        action, new = await with_terms(tx, _requested(tx, number, event.data), known=known)
        opened.append(Opened(action, event, new))
    await _store(tx, opened)
    for each in opened:
        announce(tx, each.action, ActionChange.REQUESTED, [_trigger(tx, each.event)], each.event)
    raised = [
        (alert_for(tx, each.action, each.event.data, reason_of(each.event)), each.action)
        for each in opened
    ]
    await raise_first(tx, office, raised, known=known)


async def _numbers(tx: Transaction, known: Reading, events: Sequence[BreachEvent]) -> list[str]:
    """Return INC-<local year in which it is requested>-<number> for each event, in order."""
    years = [await _local_year(tx, known, event.data.municipality) for event in events]
    numbers = {
        year: iter(await actions.next_numbers(tx.connection, year, count))
        for year, count in sorted(Counter(years).items())
    }
    return [f"INC-{year}-{next(numbers[year]):04d}" for year in years]


async def _local_year(tx: Transaction, known: Reading, code: str) -> int:
    municipality = await known.municipality(code)
    zone = ZoneInfo(municipality.zone if municipality else "UTC")
    return tx.now.astimezone(zone).year


def _requested(tx: Transaction, number: str, breach: BreachData) -> Action:
    return Action(
        action=number,
        municipality=breach.municipality,
        carta=breach.carta,
        carta_version=breach.carta_version,
        compromiso=breach.compromiso,
        unit=breach.unit,
        responsible_unit=breach.responsible_unit,
        window_id=breach.window.id,
        window_start=breach.window.start,
        window_end=breach.window.end,
        revision=1,
        state=ActionState.REQUESTED,
        level=1,
        told_rank=0,
        requested_at=tx.now,
    )


async def _store(tx: Transaction, opened: Sequence[Opened]) -> None:
    connection = tx.connection
    step = own_step(tx, ActionChange.REQUESTED, revision=1)
    asking = [(each.action.action, each.event) for each in opened]
    await actions.add_actions(connection, [each.action for each in opened])
    await actions.add_triggers(connection, asking, now=tx.now)
    await actions.add_steps(connection, [(each.action.action, step) for each in opened])
    await terms.add_terms(connection, [each.terms for each in opened if each.terms])


def own_step(tx: Transaction, step: ActionChange, *, revision: int) -> TakenStep:
    """Return the line of the audit for what the system does itself."""
    return TakenStep(revision=revision, step=step, post=None, at=tx.now, content="{}")


def _trigger(tx: Transaction, event: BreachEvent) -> Trigger:
    breach = event.data
    return Trigger(
        breach=breach.breach,
        folio=breach.folio or None,
        joined_at=tx.now,
        recovered_at=None,
        data=breach,
        traceparent=event.traceparent,
    )


def reason_of(event: BreachEvent) -> Reason:
    """Return why a breach, or an upheld complaint, is told."""
    return Reason(
        kind=TRIGGERS[event.data.kind],
        cause=cause_of(event.data),
        time=event.time,
        caused_at=event.data.received_at,
        traceparent=event.traceparent,
    )


def cause_of(breach: BreachData) -> str:
    """Return what names the breach, or the complaint, among the causes of alerts."""
    return f"{breach.breach}/{breach.folio or ''}"
