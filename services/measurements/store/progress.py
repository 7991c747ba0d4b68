"""What is known of the pipeline's own progress and of each source's completeness."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.measurements.domain.checks import SourceState
from services.measurements.domain.completeness import Evidence
from services.measurements.store.sources import cadence_of
from shared.database import Connection

# One process at a time looks; the others try again at their next beat.
TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('measurements progress'))"
LAST_OUTBOX_ID = "SELECT coalesce(max(id), 0) FROM outbox"
OUTBOX_WAITS = "SELECT EXISTS (SELECT FROM outbox WHERE id <= $1)"
STORED_OFFSETS = """
SELECT partition, next_offset, topic_id, rewound_at FROM kafka_offset
WHERE consumer_group = $1 AND topic = $2
"""
# Decisions of the coordination are no evidence of anything else.
# A historical source is complete as of its last import, once none of its imports is under way.
SOURCE_EVIDENCE = """
SELECT source.uri, source.municipality, source.historical, source.services, source.reports,
       source.every_minutes, source.calendar, source.expected_since, source.grace_seconds,
       source.state, source.state_since, clock.latest, imports.as_of, imports.complete
FROM source
LEFT JOIN LATERAL (
    SELECT max(latest) AS latest FROM source_clock WHERE source_clock.source_id = source.source_id
) AS clock ON true
LEFT JOIN LATERAL (
    SELECT bool_and(completed_at IS NOT NULL AND completed_at <= $1) AS complete,
           (array_agg(as_of ORDER BY begun_at DESC))[1] AS as_of
    FROM file_import
    WHERE file_import.source_id = source.source_id AND file_import.as_of IS NOT NULL
) AS imports ON true
WHERE NOT source.decides
ORDER BY source.uri
"""
# Loaded before the pipeline was last known empty, and all its events came back from Kafka.
ACCOUNTED_IMPORTS = """
UPDATE file_import SET completed_at = $2
FROM source
WHERE source.source_id = file_import.source_id
  AND completed_at IS NULL AND loaded_at <= $1
  AND published <= (
      SELECT coalesce(sum(accounted), 0) FROM import_account
      WHERE import_account.import_id = file_import.import_id)
RETURNING import_id, source.uri, source.municipality, published, as_of
"""


@dataclass(frozen=True, slots=True)
class CompletedImport:
    """An import all of whose events are accounted for; `as_of` only of a historical one."""

    import_id: str
    uri: str
    municipality: str
    published: int
    as_of: datetime | None


async def take_turn(con: Connection) -> bool:
    """Return whether this transaction is the one that looks after progress."""
    return bool(await con.fetchval(TAKE_TURN))


async def last_outbox_id(con: Connection) -> int:
    """Return the newest outbox row that can be seen."""
    return int(await con.fetchval(LAST_OUTBOX_ID))


async def outbox_waits(con: Connection, up_to: int) -> bool:
    """Return whether a row up to this id is not published yet."""
    return bool(await con.fetchval(OUTBOX_WAITS, up_to))


@dataclass(frozen=True, slots=True)
class Applied:
    """How far a topic was applied, by partition; of which topic, and when it was read again."""

    offsets: Mapping[int, int]
    topic_ids: frozenset[str]
    rewound_at: datetime | None

    def has_reached(self, ends: Mapping[int, int], topic_id: str) -> bool:
        """Return whether every partition of that topic is applied up to `ends` or beyond.

        Of another topic of the name the offsets say nothing: then nothing was reached.
        """
        is_same = self.topic_ids <= {topic_id}
        return is_same and all(self.offsets.get(number, 0) >= end for number, end in ends.items())

    def rewound_since(self, instant: datetime) -> bool:
        return self.rewound_at is not None and self.rewound_at >= instant


async def applied(con: Connection, *, group: str, topic: str) -> Applied:
    """Return how far `group` has applied `topic`."""
    rows = await con.fetch(STORED_OFFSETS, group, topic)
    return Applied(
        {row["partition"]: row["next_offset"] or 0 for row in rows},
        frozenset(row["topic_id"] for row in rows),
        max((row["rewound_at"] for row in rows if row["rewound_at"]), default=None),
    )


async def source_evidence(con: Connection, through: datetime) -> list[Evidence]:
    """Return what is known of each source; imports completed after `through` do not count yet."""
    return [
        Evidence(
            uri=row["uri"],
            municipality=row["municipality"],
            historical=row["historical"],
            services=tuple(row["services"]),
            reports=tuple(row["reports"]),
            expects=cadence_of(row),
            grace_seconds=row["grace_seconds"],
            state=SourceState(row["state"]),
            state_since=row["state_since"],
            latest=row["latest"],
            as_of=row["as_of"],
            complete=bool(row["complete"]),
        )
        for row in await con.fetch(SOURCE_EVIDENCE, through)
    ]


async def complete_imports(
    con: Connection, through: datetime, now: datetime
) -> list[CompletedImport]:
    """Close the imports that were loaded by `through` and are accounted for."""
    return [CompletedImport(**row) for row in await con.fetch(ACCOUNTED_IMPORTS, through, now)]
