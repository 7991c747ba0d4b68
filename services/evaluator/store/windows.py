"""Windows that have a result, and what was last published of each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg
import msgspec

from services.evaluator.domain.records import Record
from services.evaluator.domain.results import Known
from shared.criteria import WindowBounds
from shared.database import Connection

WindowKey = tuple[str, str, str, str]
"""Municipality, compromiso, unit, window id."""

OPEN_WINDOWS = """
INSERT INTO judged_window (municipality, compromiso, unit, window_id, carta, carta_version,
                           starts_at, ends_at, closes_at, try_closing_at, opened_at)
SELECT *, closes_at, $10
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[],
                     $7::timestamptz[], $8::timestamptz[], $9::timestamptz[])
    AS x (municipality, compromiso, unit, window_id, carta, carta_version, starts_at, ends_at,
          closes_at)
ON CONFLICT DO NOTHING
RETURNING municipality, compromiso, unit, window_id, window_no
"""
NUMBERS = """
SELECT municipality, compromiso, unit, window_id, window_no
FROM judged_window
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (municipality, compromiso, unit, window_id)
    USING (municipality, compromiso, unit, window_id)
"""
STALE = """
SELECT municipality, compromiso, unit, window_id FROM judged_window WHERE stale LIMIT $1
"""
MOVE_CUTOFF = """
UPDATE judged_window SET closes_at = $5, try_closing_at = $5
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4 AND edition = 0
"""
# A calendar that changed may have moved the cut-off of every window that is open.
OPEN_STALE = "UPDATE judged_window SET stale = true WHERE municipality = $1 AND edition = 0"
# Figures that change as time passes, though no case does.
STALE_BY_TIME = """
UPDATE judged_window SET stale = true
WHERE edition = 0 AND NOT stale AND starts_at <= $3
    AND (municipality, compromiso) IN (SELECT * FROM unnest($1::text[], $2::text[]))
"""
LOOK_AGAIN = """
UPDATE judged_window SET stale = true
WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
"""
TO_CLOSE = """
SELECT municipality, compromiso, unit, window_id
FROM judged_window
WHERE edition = 0 AND try_closing_at <= $1
ORDER BY try_closing_at, municipality, compromiso, unit, window_id
LIMIT $2
"""
# Still to be published, or to be closed by $5, and in no other process' hands: each leaves the
# others' windows alone.
LOCK_DUE = """
SELECT w.municipality, w.compromiso, w.unit, w.window_id, w.window_no AS number, w.carta,
       w.carta_version, w.starts_at, w.ends_at, w.closes_at,
       w.closes_at <= w.opened_at AS is_past, w.edition, w.sequence, w.risk, w.result
FROM judged_window w
JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS wanted (municipality, compromiso, unit, window_id)
    USING (municipality, compromiso, unit, window_id)
WHERE w.stale OR EXISTS (SELECT FROM changed_window c WHERE c.window_no = w.window_no)
    OR (w.edition = 0 AND w.try_closing_at <= $5)
ORDER BY w.window_no
FOR UPDATE OF w SKIP LOCKED
"""
TRY_LATER = """
UPDATE judged_window w SET try_closing_at = n.try_closing_at
FROM unnest($1::int[], $2::timestamptz[]) AS n (window_no, try_closing_at)
WHERE w.window_no = n.window_no
"""
SAVE = """
UPDATE judged_window w
SET edition = n.edition, sequence = n.sequence, risk = n.risk, result = n.result::jsonb,
    digest = n.digest, result_schema = n.result_schema, carta_version = n.carta_version,
    known = n.known::jsonb, stale = false
FROM unnest($1::int[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::text[],
            $8::int[], $9::text[])
    AS n (window_no, edition, sequence, risk, result, digest, result_schema, carta_version, known)
WHERE w.window_no = n.window_no
"""
# Windows after a window, whose targets may follow it.
LATER = """
SELECT window_no, window_id, starts_at, ends_at, edition
FROM judged_window
WHERE municipality = $1 AND compromiso = $2 AND unit = $3
    AND starts_at >= (
        SELECT ends_at FROM judged_window
        WHERE municipality = $1 AND compromiso = $2 AND unit = $3 AND window_id = $4
    )
ORDER BY starts_at, window_id
"""
NOT_STALE = "UPDATE judged_window SET stale = false WHERE window_no = ANY ($1::int[]) AND stale"


@dataclass(frozen=True, slots=True)
class NewWindow:
    """A window that must exist before its counts."""

    key: WindowKey
    carta: str
    carta_version: int
    starts_at: datetime
    ends_at: datetime
    closes_at: datetime


class Risk(StrEnum):
    """What was said of a running window's risk: each once, however often it comes and goes."""

    UNSAID = "unsaid"
    SAID = "said"
    PASSED = "passed"


@dataclass(frozen=True, slots=True)
class WindowState:
    """What was last published of a window. `result` is its JSON, None before the first time.

    `number` is its short name in the store. `is_past`: its cut-off was over before its promise was
    known here.
    """

    number: int
    carta: str
    carta_version: int
    starts_at: datetime
    ends_at: datetime
    closes_at: datetime
    is_past: bool
    edition: int
    sequence: int
    risk: Risk
    result: str | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> "WindowState":
        """Return the state that a row tells, whatever else is in it."""
        known = {name: row[name] for name in cls.__dataclass_fields__}
        return cls(**known | {"risk": Risk(row["risk"])})


@dataclass(frozen=True, slots=True)
class LaterWindow:
    """A window after another one of the same promise and unit."""

    number: int
    bounds: WindowBounds
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Published:
    """What was published of a window, by which version of its carta, and what was known then."""

    number: int
    edition: int
    sequence: int
    risk: Risk
    record: Record
    carta_version: int
    known: Known


async def open_windows(
    connection: Connection, windows: Sequence[NewWindow], now: datetime
) -> dict[WindowKey, int]:
    """Make the windows that do not exist yet, in sorted order; return the numbers of those."""
    ordered = sorted(windows, key=lambda window: window.key)
    rows = await connection.fetch(
        OPEN_WINDOWS,
        *([window.key[place] for window in ordered] for place in range(4)),
        [window.carta for window in ordered],
        [window.carta_version for window in ordered],
        [window.starts_at for window in ordered],
        [window.ends_at for window in ordered],
        [window.closes_at for window in ordered],
        now,
    )
    return _numbers(rows)


async def numbers_of(connection: Connection, keys: Collection[WindowKey]) -> dict[WindowKey, int]:
    """Return the numbers of windows that exist."""
    columns = ([key[place] for key in keys] for place in range(4))
    return _numbers(await connection.fetch(NUMBERS, *columns))


def _numbers(rows: Iterable[asyncpg.Record]) -> dict[WindowKey, int]:
    return {tuple(row.values())[:4]: row["window_no"] for row in rows}


async def stale_by_time(
    connection: Connection, compromisos: Sequence[tuple[str, str]], now: datetime
) -> None:
    """Have the running windows of (municipality, compromiso) looked at again."""
    towns, names = [town for town, _ in compromisos], [name for _, name in compromisos]
    await connection.execute(STALE_BY_TIME, towns, names, now)


async def stale(connection: Connection, *, limit: int) -> list[WindowKey]:
    """Return windows to be looked at though their counts are the same, or never published."""
    return sorted(tuple(row.values()) for row in await connection.fetch(STALE, limit))


async def to_close(connection: Connection, now: datetime, *, limit: int) -> list[WindowKey]:
    """Return windows past their cut-off that are not final."""
    return [tuple(row.values()) for row in await connection.fetch(TO_CLOSE, now, limit)]


async def try_closing_later(connection: Connection, when: Mapping[int, datetime]) -> None:
    """Come back to windows, by number, whose source is not known complete yet."""
    await connection.execute(TRY_LATER, list(when.keys()), list(when.values()))


async def lock_due(
    connection: Connection, keys: Collection[WindowKey], *, closing: datetime | None
) -> dict[WindowKey, WindowState]:
    """Lock those of the windows that are to be published, or closed by then, and no other has."""
    columns = ([key[place] for key in keys] for place in range(4))
    rows = await connection.fetch(LOCK_DUE, *columns, closing)
    return {tuple(row.values())[:4]: WindowState.of(row) for row in rows}


async def move_cutoff(connection: Connection, key: WindowKey, closes_at: datetime) -> None:
    """Give an open window another cut-off: its calendar changed."""
    await connection.execute(MOVE_CUTOFF, *key, closes_at)


async def look_at_open(connection: Connection, municipality: str) -> None:
    """Have every open window of a municipality looked at again."""
    await connection.execute(OPEN_STALE, municipality)


async def look_again(connection: Connection, key: WindowKey) -> None:
    """Have a window that we hold published in a later round, whether or not its counts change."""
    await connection.execute(LOOK_AGAIN, *key)


async def windows_after(connection: Connection, key: WindowKey) -> list[LaterWindow]:
    """Return the windows of the same promise and unit that begin after one ends."""
    return [
        LaterWindow(
            row["window_no"],
            WindowBounds(row["window_id"], row["starts_at"], row["ends_at"]),
            is_closed=row["edition"] > 0,
        )
        for row in await connection.fetch(LATER, *key)
    ]


async def save(connection: Connection, published: Sequence[Published]) -> None:
    """Remember what was published."""
    await connection.execute(
        SAVE,
        [each.number for each in published],
        [each.edition for each in published],
        [each.sequence for each in published],
        [each.risk for each in published],
        [each.record.json for each in published],
        [each.record.digest for each in published],
        [each.record.schema for each in published],
        [each.carta_version for each in published],
        [msgspec.json.encode(each.known).decode() for each in published],
    )


async def not_stale(connection: Connection, numbers: Collection[int]) -> None:
    """Remember that the published results still hold."""
    await connection.execute(NOT_STALE, numbers)
