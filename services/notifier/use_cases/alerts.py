"""An alert becomes mail to the post that answers; where nobody can be told it waits, visibly."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from services.notifier.domain.ladder import Choice, Rung, Skip, choose
from services.notifier.domain.schedule import RETRY_FOR, last_day, send_from
from services.notifier.letters import (
    CAN_WAIT,
    Deadlines,
    DigestLine,
    Letter,
    MailKind,
    Subject,
    action_letter,
    digest_letter,
)
from services.notifier.links import Links
from services.notifier.mails import Envelope, message_id, render
from services.notifier.store import actions, catalogue, mails
from services.notifier.store.actions import Action
from services.notifier.store.mails import Alert, Delivery, Mail
from services.notifier.use_cases.catalogue import Place, calendar_of, place_of
from shared.contracts.breaches import BreachData
from shared.contracts.ids import derived_id
from shared.messaging import Transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Office:
    """What all letters share: who sends them, and the addresses and links in them."""

    sender: str
    sender_name: str
    public_url: str
    links: Links
    mail_waits: asyncio.Event = field(default_factory=asyncio.Event, compare=False)
    """Set when mail has been written in this process."""

    def mail_written(self, tx: Transaction) -> None:
        """Let the mail that `tx` writes go out as soon as it is committed."""
        tx.on_commit.append(self.mail_waits.set)

    def action_link(self, action: Action, post: str) -> str:
        return f"{self.public_url}/a/{self.links.sign(action.action, post, action.link_version)}"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an alert is raised: its identity (same cause, same alert), and how far up it goes."""

    kind: MailKind
    cause: str
    time: datetime
    from_rank: int = 1
    preferred_post: str | None = None
    text: str | None = None
    caused_at: datetime | None = None
    traceparent: str | None = None


async def alert_of_action(
    tx: Transaction, office: Office, action: Action, breach: BreachData, reason: Reason
) -> None:
    """Tell the post that answers, once for each cause."""
    alert = Alert(
        alert=derived_id(reason.cause, f"alert.{reason.kind}", reason.time),
        municipality=action.municipality,
        action=action.action,
        kind=reason.kind,
        responsible_unit=action.responsible_unit,
        from_rank=reason.from_rank,
        preferred_post=reason.preferred_post,
        facts=json.dumps({"breach": breach.model_dump(mode="json"), "reason": reason.text}),
        caused_at=reason.caused_at,
        created_at=tx.now,
        traceparent=reason.traceparent,
    )
    await raise_alert(tx, office, alert)


async def raise_alert(tx: Transaction, office: Office, alert: Alert) -> None:
    """Store the alert and write its mail; the same alert again does nothing."""
    if await mails.add_alert(tx.connection, alert):
        await address(tx, office, alert.alert)


async def address(tx: Transaction, office: Office, alert_id: str) -> bool:
    """Write the alert's mail to the next post that can be told; say whether there was one.

    Also called again: when the catalogue has grown, and when a server refused the last mailbox.
    """
    alert = await mails.lock_alert(tx.connection, alert_id)
    if alert is None:
        return False
    place = await place_of(tx.connection, alert.municipality, alert.responsible_unit)
    if place is None:
        return False
    choice = await _choose(tx, alert, place)
    await _note_skipped(tx, alert, choice)
    written = choice.rung is not None and await _write(tx, office, alert, place, choice.rung)
    state = "addressed" if written else "waiting"
    await mails.set_alert(tx.connection, alert.alert, state=state, skips_noted=True)
    return written


async def _choose(tx: Transaction, alert: Alert, place: Place) -> Choice:
    rungs = _preferred(place.rungs, alert.preferred_post)
    boxes = [rung.mailbox for rung in rungs if rung.mailbox is not None]
    rejecting = await mails.rejecting(tx.connection, boxes)
    tried = await mails.tried(tx.connection, alert.alert)
    return choose(rungs, from_rank=alert.from_rank, rejecting=rejecting, tried=tried)


def _preferred(rungs: Sequence[Rung], post: str | None) -> list[Rung]:
    """Who acted hears of it first; the others follow in their order."""
    return sorted(rungs, key=lambda rung: rung.post != post)


async def _note_skipped(tx: Transaction, alert: Alert, choice: Choice) -> None:
    """Write into the ledger, once an alert, who could not be told."""
    if alert.skips_noted:
        return
    lines = [_not_told(tx, alert, skip, rung) for rung, skip in choice.skipped]
    if choice.rung is None:
        named = {"alert": alert.alert, "traceparent": alert.traceparent}
        logger.error("alert_without_addressee", extra=named)
        lines.append(_not_told(tx, alert, "nobody", None))
    await mails.add_deliveries(tx.connection, lines)


def _not_told(tx: Transaction, alert: Alert, outcome: Skip | str, rung: Rung | None) -> Delivery:
    return Delivery(
        mail=None,
        municipality=alert.municipality,
        action=alert.action,
        kind=alert.kind,
        post=rung.post if rung else None,
        mailbox=rung.mailbox if rung else None,
        at=tx.now,
        outcome=outcome,
        traceparent=alert.traceparent,
    )


async def _write(tx: Transaction, office: Office, alert: Alert, place: Place, rung: Rung) -> bool:
    """Freeze the mail's bytes; False while the catalogue lacks what the letter says."""
    action = await actions.lock(tx.connection, alert.action) if alert.action else None
    letter = await _letter(tx, office, alert, place, rung)
    if letter is None or rung.mailbox is None:
        return False
    identity = derived_id(f"{alert.alert}/{rung.post}/{rung.mailbox}", "mail", alert.created_at)
    envelope = Envelope(
        sender=office.sender,
        sender_name=office.sender_name,
        mailbox=rung.mailbox,
        title=rung.title,
        message_id=message_id(identity, office.sender),
        thread=action.thread if action else None,
        date=tx.now,
    )
    mail = Mail(
        mail=identity,
        alert=alert.alert,
        municipality=alert.municipality,
        action=alert.action,
        kind=alert.kind,
        post=rung.post,
        mailbox=rung.mailbox,
        message_id=envelope.message_id,
        message=render(letter, envelope),
        caused_at=alert.caused_at,
        give_up_at=tx.now + RETRY_FOR,
        traceparent=alert.traceparent,
    )
    not_before = await _not_before(tx, MailKind(alert.kind), place)
    await mails.add_mail(tx.connection, mail, now=tx.now, not_before=not_before)
    office.mail_written(tx)
    if action is not None:
        await actions.told(tx.connection, action.action, rank=rung.rank, message_id=mail.message_id)
    return True


async def _not_before(tx: Transaction, kind: MailKind, place: Place) -> datetime:
    quiet = place.municipality.quiet_hours
    if quiet is None or kind not in CAN_WAIT:
        return tx.now
    calendar = await calendar_of(tx.connection, place.municipality)
    return tx.now if calendar is None else send_from(tx.now, quiet, calendar)


async def _letter(
    tx: Transaction, office: Office, alert: Alert, place: Place, rung: Rung
) -> Letter | None:
    facts = json.loads(alert.facts)
    if alert.kind == MailKind.DIGEST:
        return digest_letter(
            place.municipality,
            rung.title,
            place.unit_name,
            [DigestLine(**line) for line in facts["lines"]],
            link=f"{office.public_url}/panel",
        )
    action = await actions.read(tx.connection, alert.action or "")
    breach = BreachData.model_validate_json(json.dumps(facts["breach"]))
    if action is None:
        return None
    about = await _subject(tx, office, action, place, rung)
    if about is None:
        return None
    return action_letter(
        MailKind(alert.kind),
        about,
        breach,
        _deadlines(action, about.zone),
        reason=facts["reason"],
        is_reply=action.thread is not None,
    )


async def _subject(
    tx: Transaction, office: Office, action: Action, place: Place, rung: Rung
) -> Subject | None:
    carta = await catalogue.carta(
        tx.connection, action.municipality, action.carta, action.carta_version
    )
    if carta is None:
        return None
    concerned = place.units.get(action.unit)
    return Subject(
        action=action.action,
        municipality=place.municipality,
        carta=carta,
        compromiso=next((c for c in carta.compromisos if c.id == action.compromiso), None),
        unit_name=concerned.name if concerned else action.unit,
        post_title=rung.title,
        link=office.action_link(action, rung.post),
    )


def _deadlines(action: Action, zone: ZoneInfo) -> Deadlines:
    """Only terms that still run: what has been done is asked for no more."""
    acknowledge_by = None if action.acknowledged_at else action.acknowledge_by
    return Deadlines(
        acknowledge_by=None if acknowledge_by is None else last_day(acknowledge_by, zone),
        plan_by=None if action.plan_by is None else last_day(action.plan_by, zone),
    )


async def write_again(tx: Transaction, office: Office, *, limit: int) -> int:
    """Try the alerts that wait for somebody to be told; return how many found one."""
    waiting = await mails.waiting_alerts(tx.connection, limit=limit)
    return sum([await address(tx, office, alert) for alert in waiting])
