"""Requests that come again, and requests that come too often."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.database import Connection

# An expired request is a new one. A simultaneous one waits here for the other's commit.
CLAIM = """
INSERT INTO filing_request (key, content, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE
    SET content = excluded.content, folio = NULL, expires_at = excluded.expires_at
    WHERE filing_request.expires_at <= $4
RETURNING true
"""
FILED = "SELECT content, folio, answer_by FROM filing_request WHERE key = $1"
SETTLE = "UPDATE filing_request SET folio = $2, answer_by = $3 WHERE key = $1"
# Sorted, so that two requests never wait for each other crosswise.
HIT = """
INSERT INTO rate_window (bucket, starts_at, hits)
SELECT bucket, $2, 1 FROM unnest($1::bytea[]) AS bucket ORDER BY bucket
ON CONFLICT (bucket, starts_at) DO UPDATE SET hits = rate_window.hits + 1
RETURNING bucket, hits
"""
PURGE_REQUESTS = "DELETE FROM filing_request WHERE expires_at <= $1"
PURGE_WINDOWS = "DELETE FROM rate_window WHERE starts_at < $1"


@dataclass(frozen=True, slots=True)
class Filed:
    """What an earlier request with the same key brought about."""

    content: bytes
    folio: str
    answer_by: date | None


async def claim(
    connection: Connection, key: bytes, content: bytes, *, now: datetime, expires_at: datetime
) -> Filed | None:
    """Return None where the request is new and now ours, else what the earlier one brought."""
    if await connection.fetchval(CLAIM, key, content, expires_at, now):
        return None
    row = await connection.fetchrow(FILED, key)
    assert row is not None
    return Filed(row["content"], row["folio"], row["answer_by"])


async def settle(connection: Connection, key: bytes, *, folio: str, answer_by: date | None) -> None:
    """Remember what to answer when the request comes again."""
    await connection.execute(SETTLE, key, folio, answer_by)


async def hit(
    connection: Connection, buckets: Sequence[bytes], starts_at: datetime
) -> dict[bytes, int]:
    """Count one request in each bucket; return the counts of the window that began then."""
    rows = await connection.fetch(HIT, list(buckets), starts_at)
    return {row["bucket"]: row["hits"] for row in rows}


async def purge(connection: Connection, *, now: datetime, windows_before: datetime) -> None:
    """Forget what no longer counts."""
    await connection.execute(PURGE_REQUESTS, now)
    await connection.execute(PURGE_WINDOWS, windows_before)
