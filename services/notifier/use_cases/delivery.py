"""What became of a mail goes into the ledger; a refused one falls to the next post."""

import hashlib
from datetime import timedelta

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
    outcome, wait = answer.outcome, retry_delay(mail.attempts + 1)
    if outcome is Sent.DEFERRED and tx.now + wait > mail.give_up_at:
        outcome = Sent.ABANDONED
    settled = await mails.settle_mail(
        tx.connection,
        mail,
        state="waiting" if outcome is Sent.DEFERRED else outcome,
        next_attempt_at=tx.now + wait,
        now=tx.now,
    )
    await mails.add_delivery(tx.connection, _line(tx, mail, answer, outcome))
    if not settled:
        return None
    tx.tell(f"mail_{outcome}", traceparent=mail.traceparent, mail=mail.mail, action=mail.action)
    await _remember_mailbox(tx, mail, answer, outcome)
    if outcome in (Sent.REFUSED, Sent.ABANDONED) and mail.alert is not None:
        await address(tx, office, mail.alert)
    return outcome


def _line(tx: Transaction, mail: Mail, answer: Answer, outcome: Sent) -> Delivery:
    return Delivery(
        mail=mail.mail,
        municipality=mail.municipality,
        action=mail.action,
        kind=mail.kind,
        post=mail.post,
        mailbox=mail.mailbox,
        at=tx.now,
        outcome=outcome,
        code=answer.code,
        reply=answer.reply,
        traceparent=mail.traceparent,
    )


async def _remember_mailbox(tx: Transaction, mail: Mail, answer: Answer, outcome: Sent) -> None:
    """A mailbox that takes mail again is told again."""
    if outcome is Sent.ACCEPTED:
        await mails.clear_rejecting(tx.connection, mail.mailbox)
    if outcome is Sent.REFUSED:
        await mails.mark_rejecting(
            tx.connection, mail.mailbox, now=tx.now, code=answer.code, reply=answer.reply
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
    await mails.add_mail(tx.connection, mail, now=tx.now, not_before=tx.now)
