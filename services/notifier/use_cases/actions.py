"""What changes a corrective action: its publication, its terms, its escalation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.notifier.domain.schedule import (
    Awaited,
    deadlines,
    end_of_term,
    first_due,
    still_awaited,
)
from services.notifier.letters import MailKind
from services.notifier.store import actions, catalogue, terms
from services.notifier.store.actions import Action, Trigger
from services.notifier.store.terms import NewTerms, RunningTerm
from services.notifier.use_cases.alerts import Office, Reason, alert_of_action
from services.notifier.use_cases.catalogue import Reading
from shared.contracts import topics
from shared.contracts.breaches import BreachEvent
from shared.contracts.corrective_actions import (
    ActionChange,
    ActionChanged,
    ActionData,
    CauseCategory,
)
from shared.contracts.ids import derived_id
from shared.messaging import Transaction
from shared.worktime import PreparedCalendar

SOURCE = "/notifier"

ESCALATION_KIND = {
    Awaited.ACKNOWLEDGEMENT: MailKind.NOT_ACKNOWLEDGED,
    Awaited.PLAN: MailKind.NO_PLAN,
}


async def publish(
    tx: Transaction, action: Action, change: ActionChange, *, cause: BreachEvent | None = None
) -> None:
    """Publish the action's state. The time of a causing event makes the id repeatable."""
    announce(tx, action, change, await actions.triggers_of(tx.connection, action.action), cause)


def announce(
    tx: Transaction,
    action: Action,
    change: ActionChange,
    triggers: Sequence[Trigger],
    cause: BreachEvent | None,
) -> None:
    """As `publish`, where it is known what asks for the action.

    The trace is that of the cause, of the request, or else of what asked for the action last.
    """
    last = triggers[-1].traceparent if triggers else None
    traceparent = tx.traceparent if cause is None else cause.traceparent
    approved = action.approved_at is not None
    category = action.cause_category
    data = ActionData(
        municipality=action.municipality,
        action=action.action,
        revision=action.revision,
        change=change,
        state=action.state,
        carta=action.carta,
        compromiso=action.compromiso,
        unit=action.unit,
        window=action.window_id,
        breaches=tuple(sorted({trigger.breach for trigger in triggers})),
        folios=tuple(sorted(trigger.folio for trigger in triggers if trigger.folio)),
        cause_category=CauseCategory(category) if category else None,
        planned_for=action.planned_for,
        acknowledge_by=action.acknowledge_by,
        plan_by=action.plan_by,
        public_text=action.public_text if approved else None,
    )
    event_type = "corrective-action.v1"
    identity = derived_id(
        f"{SOURCE}\x00{action.action}",
        event_type,
        tx.now if cause is None else cause.time,
        ordinal=action.revision,
    )
    event = ActionChanged(
        id=identity,
        source=SOURCE,
        time=tx.now,
        subject=action.action,
        traceparent=traceparent or last,
        data=data,
    )
    tx.publish(topics.CORRECTIVE_ACTIONS, event)
    tx.tell(
        f"action_{change}", traceparent=event.traceparent, action=action.action, event_id=event.id
    )


async def schedule(tx: Transaction, action: Action, *, only: Awaited | None = None) -> Action:
    """Set the action's terms from now on; without a calendar it is left for later."""
    scheduled, new = await with_terms(tx, action, known=Reading(tx.connection), only=only)
    if new is None:
        return action
    await terms.add_terms(tx.connection, [new])
    return await actions.set_terms(
        tx.connection,
        action.action,
        acknowledge_by=scheduled.acknowledge_by,
        plan_by=scheduled.plan_by,
    )


async def with_terms(
    tx: Transaction, action: Action, *, known: Reading, only: Awaited | None = None
) -> tuple[Action, NewTerms | None]:
    """Return the action with its terms from now on, and these; nothing is stored.

    Without a calendar the action comes back as it is.
    """
    municipality = await known.municipality(action.municipality)
    calendar = None if municipality is None else await known.calendar(municipality)
    if municipality is None or calendar is None:
        return action, None
    found = deadlines(tx.now, municipality.escalation, calendar, only=only)
    scheduled = replace(
        action,
        scheduled=True,
        acknowledge_by=first_due(found, Awaited.ACKNOWLEDGEMENT) or action.acknowledge_by,
        plan_by=first_due(found, Awaited.PLAN) or action.plan_by,
    )
    return scheduled, NewTerms(action.action, action.rounds, found, tx.now, calendar.calendar)


async def schedule_later(tx: Transaction, action_id: str) -> bool:
    """Set the terms of an action that was opened before the calendar came; say whether it could."""
    action = await actions.lock(tx.connection, action_id)
    if action is None or action.scheduled:
        return False
    scheduled = await schedule(tx, action)
    if not scheduled.scheduled:
        return False
    changed = await actions.change(tx.connection, action_id, {})
    await publish(tx, changed, ActionChange.REQUESTED)
    return True


async def redate(tx: Transaction, action_id: str) -> int:
    """Count the action's running terms again by the calendar as it is now; say how many moved.

    A term that passed before the calendar changed is not brought back: who was told was told.
    """
    action = await actions.lock(tx.connection, action_id)
    if action is None:
        return 0
    moved = 0
    earliest: dict[Awaited, datetime] = {}
    for term in await terms.running(tx.connection, action_id):
        due = await _redate_term(tx, action, term)
        moved += due != term.due_at
        earliest[term.awaited] = min(due, earliest.get(term.awaited, due))
    if moved:
        await _say_redated(tx, action, earliest)
    return moved


async def _redate_term(tx: Transaction, action: Action, term: RunningTerm) -> datetime:
    """Count one term again, and put on record how far it moved; return when it is due now."""
    known = await catalogue.calendar(tx.connection, action.municipality, term.calendar)
    if known is None or known.version <= term.calendar_version:
        return term.due_at
    due = end_of_term(term.started_at, term.working_days, PreparedCalendar(known.calendar))
    await terms.move(tx.connection, action.action, term, due_at=due, version=known.version)
    if due != term.due_at:
        await terms.keep_move(
            tx.connection, action.action, term, due_at=due, version=known.version, now=tx.now
        )
    return due


async def _say_redated(
    tx: Transaction, action: Action, earliest: Mapping[Awaited, datetime]
) -> None:
    await actions.set_terms(
        tx.connection,
        action.action,
        acknowledge_by=earliest.get(Awaited.ACKNOWLEDGEMENT, action.acknowledge_by),
        plan_by=earliest.get(Awaited.PLAN, action.plan_by),
    )
    changed = await actions.change(tx.connection, action.action, {})
    await publish(tx, changed, ActionChange.REDATED)


async def escalate(tx: Transaction, office: Office, action_id: str) -> int:
    """Tell the next level of each term that has passed, each once; return how many were told.

    A term that was kept meanwhile, or an action whose windows recovered, speaks against nobody.
    """
    action = await actions.lock(tx.connection, action_id)
    if action is None:
        return 0
    told = 0
    for round_, level, awaited in await terms.due_deadlines(tx.connection, action_id, tx.now):
        waits = still_awaited(
            awaited, action.state, acknowledged=action.acknowledged_at is not None
        )
        late = waits and action.recovered_at is None
        await terms.settle(
            tx.connection,
            action_id,
            round_=round_,
            level=level,
            outcome="escalated" if late else "kept",
            now=tx.now,
        )
        if late:
            await _tell_next_level(tx, office, action, awaited=awaited, level=level, round_=round_)
            told += 1
    return told


async def _tell_next_level(
    tx: Transaction,
    office: Office,
    action: Action,
    *,
    awaited: Awaited,
    level: int,
    round_: int,
) -> None:
    """The level that the step names, or above it the first that has not been told yet."""
    current = await actions.read(tx.connection, action.action) or action
    triggers = await actions.triggers_of(tx.connection, action.action)
    reason = Reason(
        kind=ESCALATION_KIND[awaited],
        cause=f"{action.action}/{round_}/{level}",
        time=action.requested_at,
        from_rank=max(level, current.told_rank + 1),
        traceparent=triggers[-1].traceparent,
    )
    await alert_of_action(tx, office, current, triggers[-1].data, reason)
