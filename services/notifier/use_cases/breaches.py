"""A breach, or an upheld complaint, opens exactly one corrective action or joins the open one."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from services.notifier.domain.schedule import Awaited
from services.notifier.letters import MailKind
from services.notifier.store import actions, terms
from services.notifier.store.actions import Action
from services.notifier.store.notices import add_notices
from services.notifier.use_cases.actions import publish, schedule
from services.notifier.use_cases.alerts import Office, Reason, alert_of_action
from services.notifier.use_cases.opening import (
    TRIGGERS,
    cause_of,
    open_actions,
    own_step,
    reason_of,
)
from services.notifier.use_cases.risks import tell_risks
from shared.contracts.breaches import BreachData, BreachEvent, BreachKind
from shared.contracts.corrective_actions import ActionChange
from shared.messaging import Transaction

NOTED: Final = frozenset({BreachKind.LATE_CASE, BreachKind.AT_RISK, BreachKind.CONFIRMED})
ASKING_NOTHING: Final = frozenset({BreachKind.LATE_CASE, BreachKind.AT_RISK})
MAXIMUM_LEVEL: Final = 9


async def take_breaches(tx: Transaction, office: Office, events: Sequence[BreachEvent]) -> None:
    """Note or tell what asks for nothing; let the rest act event by event. History is mute."""
    current = [event for event in events if not event.data.historical]
    await add_notices(
        tx.connection, [event for event in current if event.data.kind in NOTED], now=tx.now
    )
    for event in current:
        if event.data.kind in NOTED:
            tx.tell(f"noted_{event.data.kind}", traceparent=event.traceparent, event_id=event.id)
    await tell_risks(tx, office, [e for e in current if e.data.kind is BreachKind.AT_RISK])
    opening = await _opening(tx, current)
    await open_actions(tx, office, opening)
    opened = {event.id for event in opening}
    for event in current:
        if event.id not in opened:
            await _take(tx, office, event)


async def _opening(tx: Transaction, events: Sequence[BreachEvent]) -> list[BreachEvent]:
    """Return the events that open an action whatever the order of the batch.

    Nothing that is stored covers them, and nothing else in the batch concerns their compromiso
    and unit.
    """
    acting = [event for event in events if event.data.kind not in ASKING_NOTHING]
    concerned = Counter(_concerned(event.data) for event in acting)
    alone = [
        event
        for event in acting
        if event.data.kind in TRIGGERS and concerned[_concerned(event.data)] == 1
    ]
    covered = await actions.covered(tx.connection, alone) if alone else frozenset()
    return [event for event in alone if event.id not in covered]


def _concerned(breach: BreachData) -> tuple[str, str, str]:
    return breach.municipality, breach.compromiso, breach.unit


async def _take(tx: Transaction, office: Office, event: BreachEvent) -> None:
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
    if joined is None:
        await open_actions(tx, office, [event])
        return
    action = await _join(tx, joined, event)
    await alert_of_action(tx, office, action, breach, reason_of(event))
    if action.level > joined.level:
        await _tell_higher(tx, office, action, event)


async def _join(tx: Transaction, action: Action, event: BreachEvent) -> Action:
    """Add the trigger; a window next to the action's own raises its level."""
    breach = event.data
    further = breach.window.end > action.window_end or breach.window.start < action.window_start
    level = min(action.level + 1, MAXIMUM_LEVEL) if further else action.level
    await actions.add_triggers(tx.connection, [(action.action, event)], now=tx.now)
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
        cause=cause_of(event.data),
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
        cause=cause_of(breach),
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
        cause=cause_of(breach),
        time=event.time,
        caused_at=breach.received_at,
        traceparent=event.traceparent,
    )
    await alert_of_action(tx, office, changed, breach, reason)


async def _note_step(tx: Transaction, action: str, *, revision: int, step: ActionChange) -> None:
    await actions.add_steps(tx.connection, [(action, own_step(tx, step, revision=revision))])
