"""What became of a mail goes into the ledger; a refused one falls to the next post."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.domain.schedule import retry_delay
from services.notifier.letters import MailKind, sign_in_letter
from services.notifier.mails import Envelope, message_id, render
from services.notifier.smtp import Answer, Sent
from services.notifier.store import mails
from services.notifier.store.mails import Delivery, Mail
from services.notifier.use_cases.alerts import Office, address
from shared.messaging import Transaction


async def record(tx: Transaction, office: Office, mail: Mail, answer: Answer) -> Sent | None:
    """Settle the mail, or let it wait for another attempt; None where the lease was lost."""
    [outcome] = await record_all(tx, office, [(mail, answer)])
    return outcome


async def record_all(
    tx: Transaction, office: Office, answered: Sequence[tuple[Mail, Answer]]
) -> list[Sent | None]:
    """As `record`, for mails that differ from each other."""
    attempts = [Attempt(mail, answer, *_verdict(tx, mail, answer)) for mail, answer in answered]
    settled = await mails.settle_mails(
        tx.connection, [(each.mail, each.state, each.next_at) for each in attempts], now=tx.now
    )
    await mails.add_deliveries(tx.connection, [_line(tx, each) for each in attempts])
    ours = [each for each in attempts if each.mail.mail in settled]
    await _remember_mailboxes(tx, ours)
    for each in ours:
        mail = each.mail
        tx.tell(
            f"mail_{each.outcome}",
            traceparent=mail.traceparent,
            mail=mail.mail,
            action=mail.action,
        )
        if each.outcome in (Sent.REFUSED, Sent.ABANDONED) and mail.alert is not None:
            await address(tx, office, mail.alert)
    return [each.outcome if each.mail.mail in settled else None for each in attempts]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One mail, what was answered, and what we make of it."""

    mail: Mail
    answer: Answer
    outcome: Sent
    next_at: datetime

    @property
    def state(self) -> str:
        return "waiting" if self.outcome is Sent.DEFERRED else self.outcome


def _verdict(tx: Transaction, mail: Mail, answer: Answer) -> tuple[Sent, datetime]:
    next_at = tx.now + retry_delay(mail.attempts + 1)
    if answer.outcome is Sent.DEFERRED and next_at > mail.give_up_at:
        return Sent.ABANDONED, next_at
    return answer.outcome, next_at


def _line(tx: Transaction, attempt: Attempt) -> Delivery:
    mail, answer = attempt.mail, attempt.answer
    return Delivery(
        mail=mail.mail,
        municipality=mail.municipality,
        action=mail.action,
        kind=mail.kind,
        post=mail.post,
        mailbox=mail.mailbox,
        at=tx.now,
        outcome=attempt.outcome,
        code=answer.code,
        reply=answer.reply,
        traceparent=mail.traceparent,
    )


async def _remember_mailboxes(tx: Transaction, attempts: Sequence[Attempt]) -> None:
    """A mailbox that takes mail again is told again."""
    accepting = {each.mail.mailbox for each in attempts if each.outcome is Sent.ACCEPTED}
    if accepting:
        await mails.clear_rejecting(tx.connection, accepting)
    for each in attempts:
        if each.outcome is Sent.REFUSED:
            await mails.mark_rejecting(
                tx.connection,
                each.mail.mailbox,
                now=tx.now,
                code=each.answer.code,
                reply=each.answer.reply,
            )


async def send_sign_in(
    tx: Transaction, office: Office, *, mailbox: str, link: str, valid_minutes: int
) -> None:
    """Write the mail with a one-time link. The same link is mailed once; it is forgotten then."""
    identity = f"{hashlib.sha256(link.encode()).hexdigest()[:32]}.sign-in"
    envelope = Envelope(
        sender=office.sender,
        sender_name=office.sender_name,
        mailbox=mailbox,
        title="",
        message_id=message_id(identity, office.sender),
        thread=None,
        date=tx.now,
    )
    mail = Mail(
        mail=identity,
        alert=None,
        municipality=None,
        action=None,
        kind=MailKind.SIGN_IN,
        post=None,
        mailbox=mailbox,
        message_id=envelope.message_id,
        message=render(sign_in_letter(link, valid_minutes), envelope),
        caused_at=None,
        give_up_at=tx.now + timedelta(minutes=valid_minutes),
        traceparent=tx.traceparent,
    )
    await mails.add_mails(tx.connection, [(mail, tx.now)], now=tx.now)
    office.mail_written(tx)
