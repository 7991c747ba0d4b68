"""Imports, and the ledger of what was published for each row of a source's files."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from services.measurements.domain.ledger import LedgerRow, Published
from services.measurements.store.facts import columns
from shared.database import Connection

# One import of a source at a time; the lock is the session's and ends with the process.
LOCK_SOURCE = "SELECT pg_try_advisory_lock(hashtext('measurements import'), $1)"
UNLOCK_SOURCE = "SELECT pg_advisory_unlock(hashtext('measurements import'), $1)"
OPEN_IMPORT = """
SELECT import_id, expected FROM file_import
WHERE source_id = $1 AND content = $2 AND loaded_at IS NULL
ORDER BY begun_at DESC LIMIT 1
"""
# An earlier load that was cut off and not taken up again ends where it stands.
END_CUT_OFF = """
UPDATE file_import SET loaded_at = now(), expected = published
WHERE source_id = $1 AND loaded_at IS NULL
"""
COUNT_IMPORTS = "SELECT count(*) FROM file_import WHERE source_id = $1"
LATEST_AS_OF = """
SELECT as_of FROM file_import WHERE source_id = $1 ORDER BY begun_at DESC LIMIT 1
"""
BEGIN_IMPORT = """
INSERT INTO file_import (import_id, source_id, file, content, as_of, expected)
VALUES ($1, $2, $3, $4, $5, $6)
"""
ADD_PUBLISHED = "UPDATE file_import SET published = published + $2 WHERE import_id = $1"
END_IMPORT = """
UPDATE file_import SET loaded_at = now(), expected = published WHERE import_id = $1
RETURNING published
"""
IS_COMPLETE = "SELECT completed_at IS NOT NULL FROM file_import WHERE import_id = $1"

FORGET_SEEN = "DELETE FROM import_seen WHERE source_id = $1"
ADD_SEEN = """
INSERT INTO import_seen (source_id, row_key, content)
SELECT $1, row_key, content
FROM unnest($2::text[], $3::bytea[]) AS new (row_key, content)
ON CONFLICT (source_id, row_key) DO NOTHING
RETURNING row_key
"""
SEEN = """
SELECT wanted.row_key, seen.content
FROM unnest($2::text[]) AS wanted (row_key)
CROSS JOIN LATERAL (
    SELECT content FROM import_seen
    WHERE import_seen.source_id = $1 AND import_seen.row_key = wanted.row_key
    LIMIT 1
) AS seen
"""
LEDGER = """
SELECT wanted.row_key, known.content, known.revision, known.removed, known.events
FROM unnest($2::text[]) AS wanted (row_key)
CROSS JOIN LATERAL (
    SELECT content, revision, removed, events FROM import_row
    WHERE import_row.source_id = $1 AND import_row.row_key = wanted.row_key
    LIMIT 1
) AS known
"""
KEEP = """
INSERT INTO import_row (source_id, row_key, content, revision, removed, events)
SELECT $1, row_key, content, revision, removed, events::jsonb
FROM unnest($2::text[], $3::bytea[], $4::int[], $5::bool[], $6::text[])
    AS new (row_key, content, revision, removed, events)
ON CONFLICT (source_id, row_key) DO UPDATE SET
    content = excluded.content, revision = excluded.revision, removed = excluded.removed,
    events = excluded.events
"""
# Rows of earlier files that the file at hand does not have, a slice at a time by key.
GONE = """
SELECT row_key, content, revision, removed, events FROM import_row
WHERE source_id = $1 AND NOT removed AND row_key > $2
  AND NOT EXISTS (
      SELECT FROM import_seen
      WHERE import_seen.source_id = $1 AND import_seen.row_key = import_row.row_key)
ORDER BY row_key LIMIT $3
"""

decode_events = msgspec.json.Decoder(dict[str, Published]).decode


@dataclass(frozen=True, slots=True)
class OpenImport:
    """A load that was cut off."""

    import_id: str
    expected: int


async def lock_source(con: Connection, source_id: int) -> bool:
    """Return whether this session may import for the source."""
    return bool(await con.fetchval(LOCK_SOURCE, source_id))


async def unlock_source(con: Connection, source_id: int) -> None:
    """Let another session import for the source."""
    await con.execute(UNLOCK_SOURCE, source_id)


async def open_import(con: Connection, source_id: int, content: bytes) -> OpenImport | None:
    """Return the cut-off load of this very file."""
    row = await con.fetchrow(OPEN_IMPORT, source_id, content)
    return None if row is None else OpenImport(**row)


async def count_imports(con: Connection, source_id: int) -> int:
    """Return how many imports the source has had."""
    return int(await con.fetchval(COUNT_IMPORTS, source_id))


async def latest_as_of(con: Connection, source_id: int) -> datetime | None:
    """Return the as-of instant of the source's latest import."""
    found: datetime | None = await con.fetchval(LATEST_AS_OF, source_id)
    return found


async def begin_import(
    con: Connection,
    import_id: str,
    *,
    source_id: int,
    file: str,
    content: bytes,
    as_of: datetime | None,
    expected: int,
) -> None:
    """Open an import, and end an earlier one that was cut off."""
    await con.execute(END_CUT_OFF, source_id)
    await con.execute(BEGIN_IMPORT, import_id, source_id, file, content, as_of, expected)


async def add_published(con: Connection, import_id: str, events: int) -> None:
    """Count events that leave with this transaction."""
    await con.execute(ADD_PUBLISHED, import_id, events)


async def end_import(con: Connection, import_id: str) -> int:
    """Say that the whole file is loaded; return how many events it published."""
    return int(await con.fetchval(END_IMPORT, import_id))


async def is_complete(con: Connection, import_id: str) -> bool:
    """Return whether all its events are accounted for."""
    return bool(await con.fetchval(IS_COMPLETE, import_id))


async def forget_seen(con: Connection, source_id: int) -> None:
    """Begin a run over a file."""
    await con.execute(FORGET_SEEN, source_id)


async def add_seen(con: Connection, source_id: int, rows: Mapping[str, bytes]) -> set[str]:
    """Note the rows of a run; return the keys that had not been met in it."""
    found = await con.fetch(ADD_SEEN, source_id, list(rows), list(rows.values()))
    return {row["row_key"] for row in found}


async def seen(con: Connection, source_id: int, keys: Collection[str]) -> dict[str, bytes]:
    """Return the content under which keys were met in this run."""
    if not keys:
        return {}
    rows = await con.fetch(SEEN, source_id, list(keys))
    return {row["row_key"]: row["content"] for row in rows}


async def ledger(con: Connection, source_id: int, keys: Collection[str]) -> dict[str, LedgerRow]:
    """Return what was published for rows."""
    rows = await con.fetch(LEDGER, source_id, list(keys))
    return {row["row_key"]: _ledger_row(row) for row in rows}


async def keep(con: Connection, source_id: int, rows: Mapping[str, LedgerRow]) -> None:
    """Write what is published for rows now."""
    if not rows:
        return
    lines: Sequence[tuple[object, ...]] = [
        (key, row.content, row.revision, row.removed, msgspec.json.encode(row.events).decode())
        for key, row in rows.items()
    ]
    await con.execute(KEEP, source_id, *columns(lines))


async def gone(con: Connection, source_id: int, after: str, *, limit: int) -> dict[str, LedgerRow]:
    """Return the next rows, by key after `after`, that this run did not meet."""
    rows = await con.fetch(GONE, source_id, after, limit)
    return {row["row_key"]: _ledger_row(row) for row in rows}


def _ledger_row(row: asyncpg.Record) -> LedgerRow:
    return LedgerRow(
        content=row["content"],
        revision=row["revision"],
        events=decode_events(row["events"]),
        removed=row["removed"],
    )
