"""What an emitter sees of its own, what operators see of all, and what is kept for how long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from services.measurements.domain.checks import Refusal
from services.measurements.store.facts import columns
from shared.database import Connection

LAST_FACTS = """
SELECT event_id, kind, happened_at, case_id, service, unit, supersedes, void, received_at
FROM fact WHERE source_id = $1
ORDER BY received_at DESC LIMIT $2
"""
# Those found after a 202 (the table of refusals) and those at the edge, the newest first.
LAST_REFUSALS = """
(SELECT refused_at, reason, field, detail, event_id, NULL AS file, NULL::int AS line,
        true AS after_acceptance
 FROM refusal WHERE event_source = $1 ORDER BY refused_at DESC LIMIT $3)
UNION ALL
(SELECT refused_at, reason, field, detail, event_id, file, line, false
 FROM edge_refusal WHERE source_id = $2 ORDER BY id DESC LIMIT $3)
ORDER BY refused_at DESC LIMIT $3
"""
LAST_DAYS = """
SELECT day, sum(events)::bigint AS events, sum(facts)::bigint AS facts,
       sum(repeats)::bigint AS repeats, sum(corrections)::bigint AS corrections,
       sum(refused)::bigint AS refused
FROM balance WHERE source = $1 GROUP BY day ORDER BY day DESC LIMIT $2
"""
ADD_EDGE_REFUSALS = """
INSERT INTO edge_refusal (source_id, reason, field, detail, event_id, import_id, file, line)
SELECT $1, reason, field, detail, event_id, $2, $3, line
FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::int[])
    AS new (reason, field, detail, event_id, line)
ON CONFLICT DO NOTHING
"""
PURGE_TRAFFIC = "DELETE FROM traffic WHERE minute < now() - interval '1 hour'"
# Sources that send mostly refusals. Heartbeats and repeats count as taken. The minute in which the
# window begins counts whole.
OFFENDERS = """
SELECT source.uri
FROM traffic JOIN source USING (source_id)
WHERE source.state = 'active' AND NOT source.decides
  AND traffic.minute > $1::timestamptz - interval '1 minute'
GROUP BY source.uri
HAVING sum(events) >= $2 AND sum(refused) * 100 >= sum(events) * $3
"""
BALANCE = """
SELECT source, sum(events)::bigint AS events, sum(facts)::bigint AS facts,
       sum(repeats)::bigint AS repeats, sum(corrections)::bigint AS corrections,
       sum(refused)::bigint AS refused
FROM balance GROUP BY source ORDER BY source
"""
# The counts against the facts themselves, day by day: what was counted must be there.
DISAGREEMENTS = """
WITH stored AS (
    SELECT source.uri AS source, (fact.received_at AT TIME ZONE 'UTC')::date AS day,
           count(*) FILTER (WHERE supersedes IS NULL) AS facts,
           count(*) FILTER (WHERE supersedes IS NOT NULL) AS corrections
    FROM fact JOIN source USING (source_id) GROUP BY 1, 2
), counted AS (
    SELECT source, day, sum(facts) AS facts, sum(corrections) AS corrections, sum(events) AS events,
           sum(facts + repeats + corrections + refused) AS outcomes
    FROM balance GROUP BY 1, 2
)
SELECT source, day, coalesce(counted.events, 0)::bigint AS events,
       coalesce(counted.outcomes, 0)::bigint AS outcomes,
       coalesce(counted.facts + counted.corrections, 0)::bigint AS counted,
       coalesce(stored.facts + stored.corrections, 0)::bigint AS stored
FROM counted FULL JOIN stored USING (source, day)
WHERE counted.events IS DISTINCT FROM counted.outcomes
   OR coalesce(counted.facts, 0) <> coalesce(stored.facts, 0)
   OR coalesce(counted.corrections, 0) <> coalesce(stored.corrections, 0)
ORDER BY source, day
"""
FIGURES = """
SELECT source.uri, source.municipality, source.state, max(source_clock.latest) AS latest
FROM source LEFT JOIN source_clock USING (source_id)
WHERE NOT source.decides
GROUP BY source.source_id
"""
OPEN_IMPORTS = "SELECT count(*) FROM file_import WHERE completed_at IS NULL"
# The planner's estimate: counting them would read them all. -1 until the first analysis.
ABOUT_CASES = (
    "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'case_head'::regclass"
)

LIST_LENGTH = 100
DAYS = 7


@dataclass(frozen=True, slots=True)
class EventSeen:
    """An event of an emitter's that was taken."""

    event_id: str
    kind: str
    happened_at: datetime
    case_id: str
    service: str
    unit: str | None
    supersedes: str | None
    void: bool
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RefusalSeen:
    """An event or row of an emitter's that was refused. `after_acceptance`: after a 202."""

    refused_at: datetime
    reason: str
    field: str | None
    detail: str
    event_id: str | None
    file: str | None
    line: int | None
    after_acceptance: bool


@dataclass(frozen=True, slots=True)
class DayCounts:
    """What became of a source's events of one day (UTC)."""

    day: date
    events: int
    facts: int
    repeats: int
    corrections: int
    refused: int


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """The same, since the beginning; `source` is `?` for records of unknown sources."""

    source: str
    events: int
    facts: int
    repeats: int
    corrections: int
    refused: int

    @property
    def difference(self) -> int:
        """Zero, or the counts do not balance."""
        return self.events - self.facts - self.repeats - self.corrections - self.refused


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A source and day whose counts do not balance, or not with the facts stored."""

    source: str
    day: date
    events: int
    outcomes: int
    counted: int
    stored: int


@dataclass(frozen=True, slots=True)
class SourceFigures:
    """A source's state, and the latest instant it spoke of."""

    uri: str
    municipality: str
    state: str
    latest: datetime | None


@dataclass(frozen=True, slots=True)
class EdgeRefusal:
    """A refusal to record: an event at the HTTP edge, or the row at `line` of a file."""

    refusal: Refusal
    event_id: str | None = None
    line: int | None = None


async def last_facts(con: Connection, source_id: int) -> list[EventSeen]:
    """Return a source's newest events."""
    return [EventSeen(**row) for row in await con.fetch(LAST_FACTS, source_id, LIST_LENGTH)]


async def last_refusals(con: Connection, source_id: int, uri: str) -> list[RefusalSeen]:
    """Return a source's newest refusals, wherever they were found."""
    rows = await con.fetch(LAST_REFUSALS, uri, source_id, LIST_LENGTH)
    return [RefusalSeen(**row) for row in rows]


async def last_days(con: Connection, uri: str) -> list[DayCounts]:
    """Return a source's counts of its last days."""
    return [DayCounts(**row) for row in await con.fetch(LAST_DAYS, uri, DAYS)]


async def add_edge_refusals(
    con: Connection,
    source_id: int,
    refusals: Sequence[EdgeRefusal],
    *,
    import_id: str | None = None,
    file: str | None = None,
) -> None:
    """Keep why something was refused; a row of an import is kept once."""
    if not refusals:
        return
    rows = [
        (
            item.refusal.reason.value,
            item.refusal.field,
            item.refusal.detail,
            item.event_id,
            item.line,
        )
        for item in refusals
    ]
    await con.execute(ADD_EDGE_REFUSALS, source_id, import_id, file, *columns(rows))


async def purge(con: Connection) -> None:
    """Delete what is over its term."""
    await con.execute(PURGE_TRAFFIC)


async def offenders(
    con: Connection, since: datetime, *, least_events: int, refused_percent: int
) -> list[str]:
    """Return active sources of whose events since then at least this share was refused."""
    rows = await con.fetch(OFFENDERS, since, least_events, refused_percent)
    return [row["uri"] for row in rows]


async def balances(con: Connection) -> list[SourceCounts]:
    """Return the counts of every source."""
    return [SourceCounts(**row) for row in await con.fetch(BALANCE)]


async def disagreements(con: Connection) -> list[Disagreement]:
    """Return where counts and facts disagree; reads every fact, for a command."""
    return [Disagreement(**row) for row in await con.fetch(DISAGREEMENTS, timeout=600)]


async def source_figures(con: Connection) -> list[SourceFigures]:
    """Return what is told of every source."""
    return [SourceFigures(**row) for row in await con.fetch(FIGURES)]


async def open_imports(con: Connection) -> int:
    """Return how many imports are not complete."""
    return int(await con.fetchval(OPEN_IMPORTS))


async def about_cases(con: Connection) -> int:
    """Return roughly how many cases there are."""
    return int(await con.fetchval(ABOUT_CASES))
