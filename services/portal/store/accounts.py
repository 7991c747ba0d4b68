"""Administrators, one-time links and sessions."""

from datetime import datetime
from typing import Any

from shared.database import Connection

ADD_ADMINISTRATOR = """
INSERT INTO administrator (mailbox, added_at) VALUES ($1, $2) ON CONFLICT DO NOTHING
"""
IS_ADMINISTRATOR = "SELECT EXISTS (SELECT 1 FROM administrator WHERE mailbox = $1)"
ADMINISTRATORS = "SELECT mailbox FROM administrator ORDER BY mailbox"
# One request at a time for a mailbox, so that two cannot both be the last that is allowed.
LOCK_MAILBOX = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
RECENT_OF_MAILBOX = "SELECT count(*) FROM sign_in WHERE mailbox = $1 AND created_at > $2"
ADD_SIGN_IN = """
INSERT INTO sign_in (token_hash, mailbox, created_at, expires_at) VALUES ($1, $2, $3, $4)
"""
IS_USABLE = """
SELECT EXISTS (SELECT 1 FROM sign_in WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2)
"""
# The row is taken by exactly one of several requests that come at once.
CONSUME = """
UPDATE sign_in SET used_at = $2
WHERE token_hash = $1 AND used_at IS NULL AND expires_at > $2
RETURNING mailbox
"""
ADD_SESSION = """
INSERT INTO session (token_hash, mailbox, created_at, expires_at) VALUES ($1, $2, $3, $4)
"""
SESSION = """
SELECT mailbox, municipality, post, administers FROM session
WHERE token_hash = $1 AND expires_at > $2
"""
CHOOSE_POST = """
UPDATE session SET municipality = $2, post = $3, administers = false WHERE token_hash = $1
"""
CHOOSE_ADMINISTRATION = """
UPDATE session SET municipality = NULL, post = NULL, administers = true WHERE token_hash = $1
"""
END_SESSION = "DELETE FROM session WHERE token_hash = $1"
LAST_SIGN_INS = "SELECT mailbox, max(created_at) AS last_at FROM session GROUP BY mailbox"


async def add_administrator(connection: Connection, mailbox: str, now: datetime) -> None:
    await connection.execute(ADD_ADMINISTRATOR, mailbox, now)


async def is_administrator(connection: Connection, mailbox: str) -> bool:
    return bool(await connection.fetchval(IS_ADMINISTRATOR, mailbox))


async def administrators(connection: Connection) -> list[str]:
    return [row["mailbox"] for row in await connection.fetch(ADMINISTRATORS)]


async def lock_mailbox(connection: Connection, mailbox: str) -> None:
    """Hold the mailbox until the transaction ends."""
    await connection.execute(LOCK_MAILBOX, mailbox)


async def recent_links(connection: Connection, mailbox: str, since: datetime) -> int:
    return int(await connection.fetchval(RECENT_OF_MAILBOX, mailbox, since) or 0)


async def add_sign_in(
    connection: Connection, token_hash: bytes, mailbox: str, *, now: datetime, until: datetime
) -> None:
    await connection.execute(ADD_SIGN_IN, token_hash, mailbox, now, until)


async def is_usable(connection: Connection, token_hash: bytes, now: datetime) -> bool:
    """Return whether the link would let somebody in; it is not used by asking."""
    return bool(await connection.fetchval(IS_USABLE, token_hash, now))


async def consume(connection: Connection, token_hash: bytes, now: datetime) -> str | None:
    """Use the link up; return its mailbox, None where it is unknown, used or expired."""
    mailbox: str | None = await connection.fetchval(CONSUME, token_hash, now)
    return mailbox


async def add_session(
    connection: Connection, token_hash: bytes, mailbox: str, *, now: datetime, until: datetime
) -> None:
    await connection.execute(ADD_SESSION, token_hash, mailbox, now, until)


async def session(connection: Connection, token_hash: bytes, now: datetime) -> Any:
    """Return mailbox, municipality and post of a session that has not ended, else None."""
    return await connection.fetchrow(SESSION, token_hash, now)


async def choose_post(
    connection: Connection, token_hash: bytes, municipality: str, *, post: str
) -> None:
    await connection.execute(CHOOSE_POST, token_hash, municipality, post)


async def choose_administration(connection: Connection, token_hash: bytes) -> None:
    await connection.execute(CHOOSE_ADMINISTRATION, token_hash)


async def end_session(connection: Connection, token_hash: bytes) -> None:
    await connection.execute(END_SESSION, token_hash)


async def last_sign_ins(connection: Connection) -> dict[str, datetime]:
    """Return when each mailbox last signed in, as far as sessions are remembered."""
    return {row["mailbox"]: row["last_at"] for row in await connection.fetch(LAST_SIGN_INS)}
