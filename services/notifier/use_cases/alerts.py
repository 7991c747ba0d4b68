"""An alert becomes mail to the post that answers; where nobody can be told it waits, visibly."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.notifier.contest_letters import ContestedCase, contest_letter
from services.notifier.domain.ladder import Choice, Rung, Skip, choose
from services.notifier.domain.schedule import RETRY_FOR, last_day, send_from
from services.notifier.letters import (
    CAN_WAIT,
    CONTESTS,
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
from services.notifier.risk_letters import risk_letter
from services.notifier.store import actions, mails
from services.notifier.store.actions import Action
from services.notifier.store.mails import Alert, Delivery, Mail
from services.notifier.use_cases.catalogue import Place, Reading
from shared.contracts.breaches import BreachData
from shared.contracts.ids import derived_id
from shared.messaging import Transaction

logger = logging.getLogger(__name__)


class Bell:
    """Rung when mail has been committed in this process; who delivers looks at it."""

    def __init__(self) -> None:
        self.rung = 0
        self.look = asyncio.Event()

    def ring(self) -> None:
        self.rung += 1
        self.look.set()


@dataclass(frozen=True, slots=True)
class Office:
    """What all letters share: who sends them, and the addresses and links in them."""

    sender: str
    sender_name: str
    public_url: str
    links: Links
    bell: Bell = field(default_factory=Bell, compare=False)

    def mail_written(self, tx: Transaction) -> None:
        """Let the mail that `tx` writes go out as soon as it is committed."""
        tx.on_commit.append(self.bell.ring)

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
    await raise_alert(tx, office, alert_for(tx, action, breach, reason))


def alert_for(tx: Transaction, action: Action, breach: BreachData, reason: Reason) -> Alert:
    return Alert(
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


async def raise_alert(tx: Transaction, office: Office, alert: Alert) -> None:
    """Store the alert and write its mail; the same alert again does nothing."""
    if await mails.add_alert(tx.connection, alert):
        await address(tx, office, alert.alert)


async def raise_first(
    tx: Transaction, office: Office, raised: Sequence[tuple[Alert, Action]], *, known: Reading
) -> None:
    """Store the first alerts of actions that have just been opened, and write their mail."""
    places = [await known.place(alert.municipality, alert.responsible_unit) for alert, _ in raised]
    boxes = {rung.mailbox for place in places if place for rung in place.rungs if rung.mailbox}
    rejecting = await mails.rejecting(tx.connection, sorted(boxes))
    unreachable = Unreachable(rejecting=rejecting, tried=frozenset())
    told = [
        await _tell(tx, office, alert, action, known=known, unreachable=unreachable)
        for alert, action in raised
    ]
    await mails.add_alerts(tx.connection, [(each.alert, each.state) for each in told])
    await _store(tx, office, told)


async def address(tx: Transaction, office: Office, alert_id: str) -> bool:
    """Write the alert's mail to the next post that can be told; say whether there was one.

    Also called again: when the catalogue has grown, and when a server refused the last mailbox.
    """
    alert = await mails.lock_alert(tx.connection, alert_id)
    if alert is None:
        return False
    known = Reading(tx.connection)
    place = await known.place(alert.municipality, alert.responsible_unit)
    if place is None:
        return False
    action = await actions.lock(tx.connection, alert.action) if alert.action else None
    boxes = [rung.mailbox for rung in place.rungs if rung.mailbox is not None]
    unreachable = Unreachable(
        rejecting=await mails.rejecting(tx.connection, boxes),
        tried=await mails.tried(tx.connection, alert.alert),
    )
    told = await _tell(tx, office, alert, action, known=known, unreachable=unreachable)
    await _store(tx, office, [told])
    await mails.set_alert(tx.connection, alert.alert, state=told.state, skips_noted=True)
    return told.mail is not None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Mailboxes that are passed over: refused by their server, or written to for this alert."""

    rejecting: frozenset[str]
    tried: frozenset[str]


@dataclass(frozen=True, slots=True)
class Told:
    """What an alert has become: at most one mail, and lines on those who could not be told."""

    alert: Alert
    rank: int = 0
    mail: Mail | None = None
    not_before: datetime | None = None
    lines: tuple[Delivery, ...] = ()

    @property
    def state(self) -> str:
        return "waiting" if self.mail is None else "addressed"


async def _tell(
    tx: Transaction,
    office: Office,
    alert: Alert,
    action: Action | None,
    *,
    known: Reading,
    unreachable: Unreachable,
) -> Told:
    """Decide who is told and freeze the mail's bytes; nothing is stored yet."""
    place = await known.place(alert.municipality, alert.responsible_unit)
    if place is None:
        return Told(alert)
    choice = choose(
        _preferred(place.rungs, alert.preferred_post),
        from_rank=alert.from_rank,
        rejecting=unreachable.rejecting,
        tried=unreachable.tried,
    )
    lines = () if alert.skips_noted else _skipped(tx, alert, choice)
    noted = replace(alert, skips_noted=True)
    rung = choice.rung
    if rung is None or rung.mailbox is None:
        return Told(noted, lines=lines)
    letter = await _letter(office, alert, action, place=place, rung=rung, known=known)
    if letter is None:
        return Told(noted, lines=lines)
    mail = _mail(tx, office, alert, letter, to=(rung, rung.mailbox), thread=_thread(action))
    not_before = await _not_before(tx, MailKind(alert.kind), place, known)
    return Told(noted, rung.rank, mail, not_before, lines)


async def _store(tx: Transaction, office: Office, told: Sequence[Told]) -> None:
    await mails.add_deliveries(tx.connection, [line for each in told for line in each.lines])
    written = [(each.mail, each.rank, each.not_before or tx.now) for each in told if each.mail]
    if not written:
        return
    office.mail_written(tx)
    await mails.add_mails(
        tx.connection, [(mail, not_before) for mail, _, not_before in written], now=tx.now
    )
    ranks = [(mail.action, rank, mail.message_id) for mail, rank, _ in written if mail.action]
    await actions.told(tx.connection, ranks)


def _preferred(rungs: Sequence[Rung], post: str | None) -> list[Rung]:
    """Who acted hears of it first; the others follow in their order."""
    return sorted(rungs, key=lambda rung: rung.post != post)


def _skipped(tx: Transaction, alert: Alert, choice: Choice) -> tuple[Delivery, ...]:
    """Return what the ledger says, once an alert, of those who could not be told."""
    lines = tuple(_not_told(tx, alert, skip, rung) for rung, skip in choice.skipped)
    if choice.rung is not None:
        return lines
    named = {"alert": alert.alert, "traceparent": alert.traceparent}
    logger.error("alert_without_addressee", extra=named)
    return (*lines, _not_told(tx, alert, "nobody", None))


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


def _thread(action: Action | None) -> str | None:
    return None if action is None else action.thread


def _mail(
    tx: Transaction,
    office: Office,
    alert: Alert,
    letter: Letter,
    *,
    to: tuple[Rung, str],
    thread: str | None,
) -> Mail:
    rung, mailbox = to
    identity = derived_id(f"{alert.alert}/{rung.post}/{mailbox}", "mail", alert.created_at)
    envelope = Envelope(
        sender=office.sender,
        sender_name=office.sender_name,
        mailbox=mailbox,
        title=rung.title,
        message_id=message_id(identity, office.sender),
        thread=thread,
        date=tx.now,
    )
    return Mail(
        mail=identity,
        alert=alert.alert,
        municipality=alert.municipality,
        action=alert.action,
        kind=alert.kind,
        post=rung.post,
        mailbox=mailbox,
        message_id=envelope.message_id,
        message=render(letter, envelope),
        caused_at=alert.caused_at,
        give_up_at=tx.now + RETRY_FOR,
        traceparent=alert.traceparent,
    )


async def _not_before(tx: Transaction, kind: MailKind, place: Place, known: Reading) -> datetime:
    quiet = place.municipality.quiet_hours
    if quiet is None or kind not in CAN_WAIT:
        return tx.now
    calendar = await known.calendar(place.municipality)
    return tx.now if calendar is None else send_from(tx.now, quiet, calendar)


async def _letter(
    office: Office,
    alert: Alert,
    action: Action | None,
    *,
    place: Place,
    rung: Rung,
    known: Reading,
) -> Letter | None:
    """Return the letter, None while the catalogue lacks what it says."""
    facts = json.loads(alert.facts)
    if alert.kind == MailKind.DIGEST:
        return digest_letter(
            place.municipality,
            rung.title,
            place.unit_name,
            [DigestLine(**line) for line in facts["lines"]],
            link=f"{office.public_url}/panel",
        )
    if alert.kind in CONTESTS:
        return _contest_letter(office, MailKind(alert.kind), facts["contest"], place, rung)
    breach = BreachData.model_validate_json(json.dumps(facts["breach"]))
    if alert.kind == MailKind.AT_RISK:
        return await _risk_letter(office, breach, place=place, rung=rung, known=known)
    about = (
        None
        if action is None
        else await _subject(office, action, place=place, rung=rung, known=known)
    )
    if action is None or about is None:
        return None
    return action_letter(
        MailKind(alert.kind),
        about,
        breach,
        _deadlines(action, about.zone),
        reason=facts["reason"],
        is_reply=action.thread is not None,
    )


async def _risk_letter(
    office: Office, breach: BreachData, *, place: Place, rung: Rung, known: Reading
) -> Letter | None:
    carta = await known.carta(breach.municipality, breach.carta, breach.carta_version)
    if carta is None:
        return None
    return risk_letter(
        breach,
        place.municipality,
        carta,
        unit_name=_name_of(place, breach.unit),
        post_title=rung.title,
        link=f"{office.public_url}/panel#en-curso",
    )


def _name_of(place: Place, unit: str) -> str:
    return place.units[unit].name if unit in place.units else unit


def _contest_letter(
    office: Office, kind: MailKind, told: dict[str, Any], place: Place, rung: Rung
) -> Letter:
    zone = ZoneInfo(place.municipality.zone)
    home = "coordinacion" if rung.coordination else "panel"
    facts = {name: value for name, value in told.items() if name != "cutoff"}
    cutoff = datetime.fromisoformat(told["cutoff"])
    return contest_letter(
        kind,
        ContestedCase(**facts, last_day=last_day(cutoff, zone)),
        place.municipality,
        unit_name=place.unit_name,
        post_title=rung.title,
        link=f"{office.public_url}/{home}/impugnaciones/{told['contest']}",
    )


async def _subject(
    office: Office, action: Action, *, place: Place, rung: Rung, known: Reading
) -> Subject | None:
    carta = await known.carta(action.municipality, action.carta, action.carta_version)
    if carta is None:
        return None
    return Subject(
        action=action.action,
        municipality=place.municipality,
        carta=carta,
        compromiso=next((c for c in carta.compromisos if c.id == action.compromiso), None),
        unit_name=_name_of(place, action.unit),
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
