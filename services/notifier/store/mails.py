"""Alerts, the mail they become, and the ledger of what the servers answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.database import Connection

ADD_ALERT = """
INSERT INTO alert (alert, municipality, action, kind, responsible_unit, from_rank,
                   preferred_post, facts, caused_at, created_at, traceparent, skips_noted, state)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, $10, $11, $12, $13)
ON CONFLICT DO NOTHING
RETURNING true
"""
ALERT_COLUMNS = """
alert, municipality, action, kind, responsible_unit, from_rank, preferred_post, facts, caused_at,
created_at, skips_noted, traceparent
"""
# One writer an alert: others leave it alone instead of waiting.
LOCK_ALERT = f"SELECT {ALERT_COLUMNS} FROM alert WHERE alert = $1 FOR UPDATE"
WAITING_ALERTS = """
SELECT alert FROM alert WHERE state = 'waiting' ORDER BY created_at LIMIT $1
"""
SET_ALERT = "UPDATE alert SET state = $2, skips_noted = $3 WHERE alert = $1"
TRIED = "SELECT mailbox FROM mail WHERE alert = $1"

ADD_MAIL = """
INSERT INTO mail (mail, alert, municipality, action, kind, post, mailbox, message_id, message,
                  caused_at, created_at, next_attempt_at, give_up_at, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT DO NOTHING
"""
# A lease instead of a lock: mail servers take longer than a transaction may stay open.
LEASE_MAILS = """
UPDATE mail SET leased_until = $3
WHERE mail IN (
    SELECT mail FROM mail
    WHERE state = 'waiting' AND next_attempt_at <= $1
      AND (leased_until IS NULL OR leased_until <= $1)
    ORDER BY next_attempt_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED)
RETURNING mail, alert, municipality, action, kind, post, mailbox, message_id, message, caused_at,
          attempts, give_up_at, leased_until, traceparent
"""
# Only the holder of the lease may say what became of the mail.
SETTLE_MAILS = """
WITH answered AS (
    SELECT mail.mail, row.state, row.next_attempt_at
    FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::timestamptz[])
             AS row (mail, leased_until, state, next_attempt_at)
    JOIN mail ON mail.mail = row.mail AND mail.leased_until = row.leased_until
    WHERE mail.state = 'waiting'
    ORDER BY mail.mail
    FOR UPDATE OF mail)
UPDATE mail
SET state = answered.state, attempts = attempts + 1, next_attempt_at = answered.next_attempt_at,
    leased_until = NULL,
    settled_at = CASE WHEN answered.state = 'waiting' THEN NULL ELSE $5::timestamptz END,
    message = CASE WHEN answered.state <> 'waiting' AND kind = 'sign_in' THEN NULL
                   ELSE message END
FROM answered
WHERE mail.mail = answered.mail
RETURNING mail.mail
"""
# Not offered at all: no attempt, no line in the ledger.
GIVE_BACK = """
UPDATE mail SET leased_until = NULL
WHERE mail IN (
    SELECT mail FROM mail
    WHERE mail = ANY($1) AND leased_until = $2 AND state = 'waiting'
    ORDER BY mail
    FOR UPDATE)
"""
ADD_DELIVERY = """
INSERT INTO delivery (mail, municipality, action, kind, post, mailbox, at, outcome, code, reply,
                      traceparent)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
DELIVERIES = """
SELECT mail, municipality, action, kind, post, mailbox, at, outcome, code, reply, traceparent
FROM delivery
WHERE municipality = $1 AND ($2::text IS NULL OR action = $2)
ORDER BY delivery DESC
LIMIT $3
"""
REJECTING = "SELECT mailbox FROM rejecting_mailbox WHERE mailbox = ANY($1)"
MARK_REJECTING = """
INSERT INTO rejecting_mailbox (mailbox, since, code, reply) VALUES ($1, $2, $3, $4)
ON CONFLICT (mailbox) DO UPDATE SET code = excluded.code, reply = excluded.reply
"""
CLEAR_REJECTING = """
DELETE FROM rejecting_mailbox
WHERE mailbox IN (
    SELECT mailbox FROM rejecting_mailbox WHERE mailbox = ANY($1) ORDER BY mailbox FOR UPDATE)
RETURNING mailbox
"""
LIST_REJECTING = "SELECT mailbox, since, code, reply FROM rejecting_mailbox ORDER BY since"
# Undelivered is what was offered in vain or is due: the rest waits for quiet hours to end.
WAITING = """
SELECT (SELECT count(*) FROM mail WHERE state = 'waiting') AS mails,
       (SELECT min(created_at) FROM mail WHERE state = 'waiting') AS oldest_mail,
       (SELECT count(*) FROM mail WHERE state = 'waiting'
            AND (attempts > 0 OR next_attempt_at <= $1)) AS undelivered,
       (SELECT min(created_at) FROM mail WHERE state = 'waiting'
            AND (attempts > 0 OR next_attempt_at <= $1)) AS oldest_undelivered,
       (SELECT count(*) FROM alert WHERE state = 'waiting') AS alerts,
       (SELECT min(created_at) FROM alert WHERE state = 'waiting') AS oldest_alert,
       (SELECT count(*) FROM rejecting_mailbox) AS rejecting
"""


@dataclass(frozen=True, slots=True)
class Alert:
    """What somebody must be told. `facts` is JSON, as its kind needs it."""

    alert: str
    municipality: str
    action: str | None
    kind: str
    responsible_unit: str
    from_rank: int
    preferred_post: str | None
    facts: str
    caused_at: datetime | None
    created_at: datetime
    skips_noted: bool = False
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to one mailbox. `message` is the whole of it, frozen."""

    mail: str
    alert: str | None
    municipality: str | None
    action: str | None
    kind: str
    post: str | None
    mailbox: str
    message_id: str
    message: bytes
    caused_at: datetime | None
    give_up_at: datetime
    attempts: int = 0
    leased_until: datetime | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One line of the ledger. `reply` is what the server said, shortened."""

    mail: str | None
    municipality: str | None
    action: str | None
    kind: str
    post: str | None
    mailbox: str | None
    at: datetime
    outcome: str
    code: int | None = None
    reply: str = ""
    traceparent: str | None = None


async def add_alert(connection: Connection, alert: Alert) -> bool:
    """Store the alert, which waits; False where it is there already."""
    return bool(await connection.fetchval(ADD_ALERT, *_alert_row(alert, "waiting")))


async def add_alerts(connection: Connection, alerts: Iterable[tuple[Alert, str]]) -> None:
    """Store alerts with their states."""
    await connection.executemany(ADD_ALERT, [_alert_row(alert, state) for alert, state in alerts])


def _alert_row(alert: Alert, state: str) -> tuple[object, ...]:
    return (
        alert.alert,
        alert.municipality,
        alert.action,
        alert.kind,
        alert.responsible_unit,
        alert.from_rank,
        alert.preferred_post,
        alert.facts,
        alert.caused_at,
        alert.created_at,
        alert.traceparent,
        alert.skips_noted,
        state,
    )


async def lock_alert(connection: Connection, alert: str) -> Alert | None:
    row = await connection.fetchrow(LOCK_ALERT, alert)
    return None if row is None else Alert(**row)


async def waiting_alerts(connection: Connection, *, limit: int) -> list[str]:
    return [row["alert"] for row in await connection.fetch(WAITING_ALERTS, limit)]


async def set_alert(connection: Connection, alert: str, *, state: str, skips_noted: bool) -> None:
    await connection.execute(SET_ALERT, alert, state, skips_noted)


async def tried(connection: Connection, alert: str) -> frozenset[str]:
    """Return the mailboxes that mail of this alert was addressed to."""
    return frozenset(row["mailbox"] for row in await connection.fetch(TRIED, alert))


async def rejecting(connection: Connection, mailboxes: list[str]) -> frozenset[str]:
    return frozenset(row["mailbox"] for row in await connection.fetch(REJECTING, mailboxes))


async def add_mails(
    connection: Connection, written: Iterable[tuple[Mail, datetime]], *, now: datetime
) -> None:
    """Store mails, each with the instant before which it is not offered."""
    rows = [
        (
            mail.mail,
            mail.alert,
            mail.municipality,
            mail.action,
            mail.kind,
            mail.post,
            mail.mailbox,
            mail.message_id,
            mail.message,
            mail.caused_at,
            now,
            not_before,
            mail.give_up_at,
            mail.traceparent,
        )
        for mail, not_before in written
    ]
    await connection.executemany(ADD_MAIL, rows)


async def lease_mails(
    connection: Connection, now: datetime, *, limit: int, lease: timedelta
) -> list[Mail]:
    rows = await connection.fetch(LEASE_MAILS, now, limit, now + lease)
    return [Mail(**row) for row in rows]


async def give_back(connection: Connection, leased: Sequence[Mail]) -> None:
    """End the leases of mails, leased together, that nobody offered."""
    names = [mail.mail for mail in leased]
    await connection.execute(GIVE_BACK, names, leased[0].leased_until)


async def settle_mails(
    connection: Connection, settled: Sequence[tuple[Mail, str, datetime]], *, now: datetime
) -> frozenset[str]:
    """Record what became of leased mails: state and next attempt of each.

    Return those that were recorded: not the ones whose lease had passed to another.
    """
    rows = await connection.fetch(
        SETTLE_MAILS,
        [mail.mail for mail, _, _ in settled],
        [mail.leased_until for mail, _, _ in settled],
        [state for _, state, _ in settled],
        [next_attempt_at for _, _, next_attempt_at in settled],
        now,
    )
    return frozenset(row["mail"] for row in rows)


async def add_deliveries(connection: Connection, lines: Iterable[Delivery]) -> None:
    rows = [
        (
            line.mail,
            line.municipality,
            line.action,
            line.kind,
            line.post,
            line.mailbox,
            line.at,
            line.outcome,
            line.code,
            line.reply,
            line.traceparent,
        )
        for line in lines
    ]
    if rows:
        await connection.executemany(ADD_DELIVERY, rows)


async def deliveries(
    connection: Connection, municipality: str, *, action: str | None, limit: int
) -> list[Delivery]:
    rows = await connection.fetch(DELIVERIES, municipality, action, limit)
    return [Delivery(**row) for row in rows]


async def mark_rejecting(
    connection: Connection, mailbox: str, *, now: datetime, code: int | None, reply: str
) -> None:
    await connection.execute(MARK_REJECTING, mailbox, now, code, reply)


async def clear_rejecting(connection: Connection, mailboxes: Iterable[str]) -> frozenset[str]:
    """Forget that the mailboxes were refused; return those that were marked."""
    rows = await connection.fetch(CLEAR_REJECTING, list(mailboxes))
    return frozenset(row["mailbox"] for row in rows)


async def list_rejecting(connection: Connection) -> list[Mapping[str, Any]]:
    return [dict(row) for row in await connection.fetch(LIST_REJECTING)]


async def waiting(connection: Connection, now: datetime) -> Mapping[str, Any]:
    """Return what has not been told yet: counts, and the oldest of each."""
    row = await connection.fetchrow(WAITING, now)
    if row is None:
        raise AssertionError("an aggregate without groups has one row")
    return dict(row)
