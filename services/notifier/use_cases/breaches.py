"""A breach, or an upheld complaint, opens exactly one corrective action or joins the open one."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from services.notifier.domain.schedule import Awaited
from services.notifier.letters import MailKind
from services.notifier.store import actions, catalogue, terms
from services.notifier.store.actions import Action, TakenStep
from services.notifier.store.notices import add_notices
from services.notifier.use_cases.actions import publish, schedule
from services.notifier.use_cases.alerts import Office, Reason, alert_of_action
from shared.contracts.breaches import BreachData, BreachEvent, BreachKind
from shared.contracts.corrective_actions import ActionChange
from shared.messaging import Transaction

NOTED: Final = frozenset({BreachKind.LATE_CASE, BreachKind.AT_RISK, BreachKind.CONFIRMED})
TRIGGERS: Final = {
    BreachKind.BREACHED: MailKind.BREACHED,
    BreachKind.COMPLAINT_TRIGGER: MailKind.COMPLAINT,
}
MAXIMUM_LEVEL: Final = 9


async def take_breaches(tx: Transaction, office: Office, events: Sequence[BreachEvent]) -> None:
    """Note what asks for nothing; let the rest act, event by event. History raises nothing."""
    current = [event for event in events if not event.data.historical]
    await add_notices(
        tx.connection, [event for event in current if event.data.kind in NOTED], now=tx.now
    )
    for event in current:
        if event.data.kind in NOTED:
            tx.tell(f"noted_{event.data.kind}", traceparent=event.traceparent, event_id=event.id)
        if event.data.kind in TRIGGERS:
            await take_trigger(tx, office, event)
        elif event.data.kind is BreachKind.RECOVERED:
            await take_recovery(tx, office, event)
        elif event.data.kind is BreachKind.CONFIRMED:
            await take_confirmation(tx, office, event)


async def take_trigger(tx: Transaction, office: Office, event: BreachEvent) -> None:
    """Open the action or join it, and tell the post that answers; a repeat does nothing."""
    breach = event.data
    if await actions.action_of_trigger(tx.connection, breach.breach, breach.folio or ""):
        return
    joined = await actions.lock_joinable(tx.connection, breach)
    action = await (_open(tx, event) if joined is None else _join(tx, joined, event))
    reason = Reason(
        kind=TRIGGERS[breach.kind],
        cause=_cause(breach),
        time=event.time,
        caused_at=breach.received_at,
        traceparent=event.traceparent,
    )
    await alert_of_action(tx, office, action, breach, reason)
    if joined is not None and action.level > joined.level:
        await _tell_higher(tx, office, action, event)


def _cause(breach: BreachData) -> str:
    return f"{breach.breach}/{breach.folio or ''}"


async def _open(tx: Transaction, event: BreachEvent) -> Action:
    breach = event.data
    number = await _next_number(tx, event)
    await actions.add_action(tx.connection, number, breach, now=tx.now)
    await actions.add_trigger(tx.connection, number, event, now=tx.now)
    await _note_step(tx, number, revision=1, step=ActionChange.REQUESTED)
    opened = await actions.lock(tx.connection, number)
    if opened is None:
        raise AssertionError(f"{number} has just been inserted")
    action = await schedule(tx, opened)
    await publish(tx, action, ActionChange.REQUESTED, cause=event)
    return action


async def _next_number(tx: Transaction, event: BreachEvent) -> str:
    """Return INC-<local year in which it is requested>-<number>."""
    municipality = await catalogue.municipality(tx.connection, event.data.municipality)
    zone = ZoneInfo(municipality.zone if municipality else "UTC")
    year = tx.now.astimezone(zone).year
    return f"INC-{year}-{await actions.next_number(tx.connection, year):04d}"


async def _join(tx: Transaction, action: Action, event: BreachEvent) -> Action:
    """Add the trigger; a window next to the action's own raises its level."""
    breach = event.data
    further = breach.window.end > action.window_end or breach.window.start < action.window_start
    level = min(action.level + 1, MAXIMUM_LEVEL) if further else action.level
    await actions.add_trigger(tx.connection, action.action, event, now=tx.now)
    await actions.widen(tx.connection, action.action, breach, level=level)
    changed = await actions.change(tx.connection, action.action, {})
    await _note_step(tx, action.action, revision=changed.revision, step=ActionChange.MERGED)
    if action.recovered_at is not None:
        changed = await _begin_anew(tx, changed)
    await publish(tx, changed, ActionChange.MERGED, cause=event)
    return changed


async def _begin_anew(tx: Transaction, action: Action) -> Action:
    """The terms were dropped when the windows recovered; they run again from now."""
    again = await actions.begin_round(tx.connection, action.action)
    return await schedule(tx, again, only=Awaited.PLAN if action.acknowledged_at else None)


async def _tell_higher(tx: Transaction, office: Office, action: Action, event: BreachEvent) -> None:
    current = await actions.read(tx.connection, action.action) or action
    reason = Reason(
        kind=MailKind.REPEATED,
        cause=_cause(event.data),
        time=event.time,
        from_rank=max(action.level, current.told_rank + 1),
        traceparent=event.traceparent,
    )
    await alert_of_action(tx, office, current, event.data, reason)


async def take_recovery(tx: Transaction, office: Office, event: BreachEvent) -> None:
    """Tell once that the breach no longer holds; the action's terms stop when none holds."""
    breach = event.data
    number = await actions.recover_trigger(tx.connection, breach.breach, now=tx.now)
    action = None if number is None else await actions.lock(tx.connection, number)
    if action is None:
        return
    if await actions.recover_action(tx.connection, action.action, now=tx.now):
        await terms.settle_all(
            tx.connection, action.action, awaited=None, outcome="dropped", now=tx.now
        )
    reason = Reason(
        kind=MailKind.RECOVERED,
        cause=_cause(breach),
        time=event.time,
        caused_at=breach.received_at,
        traceparent=event.traceparent,
    )
    await alert_of_action(tx, office, action, breach, reason)


async def take_confirmation(tx: Transaction, office: Office, event: BreachEvent) -> None:
    """A breach that had recovered holds again: its action asks again and the post is told."""
    breach = event.data
    number = await actions.break_trigger_again(tx.connection, breach.breach)
    action = None if number is None else await actions.lock(tx.connection, number)
    if action is None:
        return
    await actions.break_action_again(tx.connection, action.action)
    changed = await actions.change(tx.connection, action.action, {})
    await _note_step(tx, action.action, revision=changed.revision, step=ActionChange.MERGED)
    if action.recovered_at is not None:
        changed = await _begin_anew(tx, changed)
    await publish(tx, changed, ActionChange.MERGED, cause=event)
    reason = Reason(
        kind=MailKind.BREACHED,
        cause=_cause(breach),
        time=event.time,
        caused_at=breach.received_at,
        traceparent=event.traceparent,
    )
    await alert_of_action(tx, office, changed, breach, reason)


async def _note_step(tx: Transaction, action: str, *, revision: int, step: ActionChange) -> None:
    taken = TakenStep(revision=revision, step=step, post=None, at=tx.now, content="{}")
    await actions.add_step(tx.connection, taken, action=action)
