"""Progress of the pipelines, applied once our own offsets have reached it."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from asyncpg import Record

from services.evaluator.domain.coverage import Cadence, Coverage, SourceCoverage
from shared.database import Connection

# What was applied already is not news, however often it is delivered.
WAIT = """
INSERT INTO progress_waiting (pipeline, topic, through, offsets, sources, topic_id)
SELECT $1, $2, $3, $4::jsonb, $5::jsonb, $6
WHERE NOT EXISTS (SELECT FROM pipeline WHERE pipeline = $1 AND through >= $3)
ON CONFLICT (pipeline, through) DO NOTHING
"""
# One process at a time: messages tell only what changed, so they count in their order.
TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('evaluator progress'))"
# What holds now: every partition it names has been applied here at least that far, of the same
# topic, and was not read again from its beginning since: what was lost before that came later.
REACHED = """
SELECT w.pipeline, w.through, w.sources
FROM progress_waiting w
WHERE NOT EXISTS (
    SELECT FROM jsonb_each_text(w.offsets) AS wanted (partition, end_offset)
    LEFT JOIN kafka_offset o
        ON o.consumer_group = $1 AND o.topic = $2 || w.topic
        AND o.partition = wanted.partition::int
    WHERE wanted.end_offset::bigint > coalesce(o.next_offset, 0)
) AND NOT EXISTS (
    SELECT FROM kafka_offset o
    WHERE o.consumer_group = $1 AND o.topic = $2 || w.topic
        AND (o.rewound_at >= w.through OR (o.topic_id <> w.topic_id AND w.topic_id <> ''))
)
ORDER BY w.through
"""
FORGET = "DELETE FROM progress_waiting WHERE pipeline = $1 AND through <= $2"
ADVANCE = """
INSERT INTO pipeline AS p (pipeline, through) VALUES ($1, $2)
ON CONFLICT (pipeline) DO UPDATE SET through = greatest(p.through, excluded.through)
"""
SAVE_SOURCE = """
INSERT INTO source AS s
    (municipality, source, kind, services, complete_through, grace_seconds, pipeline, reports,
     every_minutes, calendar, expected_since, expected_until)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (municipality, source) DO UPDATE
SET kind = excluded.kind, services = excluded.services, grace_seconds = excluded.grace_seconds,
    reports = excluded.reports, every_minutes = excluded.every_minutes,
    calendar = excluded.calendar, expected_since = excluded.expected_since,
    expected_until = excluded.expected_until,
    complete_through = greatest(s.complete_through, excluded.complete_through)
RETURNING xmax = 0 OR reports <> (
    SELECT reports FROM source WHERE (municipality, source) = ($1, $2))
"""
# What nothing reported on may be reported on now: the reason of an empty window changes with it.
LOOK_AT_OPEN = """
UPDATE judged_window SET stale = true
WHERE edition = 0 AND NOT stale AND ($1::text IS NULL OR municipality = $1)
"""
IS_HEARD = "SELECT EXISTS (SELECT FROM pipeline WHERE pipeline = $1)"
SOURCES = """
SELECT municipality, source, kind, services, complete_through, grace_seconds, pipeline, reports,
       every_minutes, calendar, expected_since, expected_until
FROM source
"""
PIPELINES = "SELECT pipeline, through FROM pipeline"


async def wait(
    connection: Connection,
    *,
    pipeline: str,
    topic: str,
    through: datetime,
    offsets: dict[str, int],
    topic_id: str = "",
    sources: Sequence[dict[str, Any]],
) -> None:
    """Keep a progress message until our offsets have reached it."""
    await connection.execute(
        WAIT, pipeline, topic, through, json.dumps(offsets), json.dumps(sources), topic_id
    )


async def apply_reached(connection: Connection, *, group: str, topic_prefix: str) -> int:
    """Apply every progress message that holds now; return how many."""
    if not await connection.fetchval(TAKE_TURN):
        return 0
    rows = await connection.fetch(REACHED, group, topic_prefix)
    for row in rows:
        if not await connection.fetchval(IS_HEARD, row["pipeline"]):
            await connection.execute(LOOK_AT_OPEN, None)
        for source in json.loads(row["sources"]):
            await _save(connection, source, row["pipeline"])
        await connection.execute(ADVANCE, row["pipeline"], row["through"])
        await connection.execute(FORGET, row["pipeline"], row["through"])
    return len(rows)


async def _save(connection: Connection, source: dict[str, Any], pipeline: str) -> None:
    expects: dict[str, Any] = source.get("expects") or {}
    is_new = await connection.fetchval(
        SAVE_SOURCE,
        source["municipality"],
        source["source"],
        source["kind"],
        source["services"],
        _instant(source.get("complete_through")),
        source["grace_seconds"],
        pipeline,
        source["reports"],
        expects.get("every_minutes"),
        expects.get("calendar"),
        _instant(expects.get("since")),
        _instant(expects.get("until")),
    )
    if is_new:
        await connection.execute(LOOK_AT_OPEN, source["municipality"])


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _cadence(row: Record) -> Cadence | None:
    if row["every_minutes"] is None:
        return None
    return Cadence(
        row["every_minutes"], row["calendar"], row["expected_since"], row["expected_until"]
    )


async def pipelines(connection: Connection) -> dict[str, datetime]:
    """Return how far each pipeline was taken in; whatever else is known changes with it."""
    return {row["pipeline"]: row["through"] for row in await connection.fetch(PIPELINES)}


async def load(connection: Connection) -> Coverage:
    """Return how far everything is known complete."""
    through = await pipelines(connection)  # first: sources may only be newer than it
    sources = [
        SourceCoverage(
            municipality=row["municipality"],
            source=row["source"],
            historical=row["kind"] == "historical",
            services=tuple(row["services"]),
            reports=tuple(row["reports"]),
            expects=_cadence(row),
            complete_through=row["complete_through"],
            grace=timedelta(seconds=row["grace_seconds"]),
            pipeline=row["pipeline"],
        )
        for row in await connection.fetch(SOURCES)
    ]
    return Coverage.of(sources, through)
