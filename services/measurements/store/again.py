"""Cases to publish again, each with the fact that came last."""

from dataclasses import dataclass
from datetime import datetime

from services.measurements.store.facts import CaseKey
from shared.database import Connection

# In order of the primary key, from the last case on; the last fact of each by `fact_of_case`.
CASES = """
SELECT head.municipality, head.case_id, head.revision, last.kind, source.uri, last.event_id,
       last.received_at, last.import_id
FROM (
    SELECT municipality, case_id, revision FROM case_head
    WHERE (municipality, case_id) > ($1, $2) ORDER BY municipality, case_id LIMIT $3
) AS head
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (CASE WHEN kind LIKE 'count.%' THEN kind END)
           source_id, event_id, kind, received_at, import_id
    FROM fact
    WHERE fact.municipality = head.municipality AND fact.case_id = head.case_id
        AND kind <> 'source.heartbeat'
    ORDER BY CASE WHEN kind LIKE 'count.%' THEN kind END, received_at DESC, event_id DESC
) AS last
JOIN source USING (source_id)
ORDER BY head.municipality, head.case_id
"""
UNTELL_HEARD = "UPDATE heard SET told = false WHERE told"


@dataclass(frozen=True, slots=True)
class LastFact:
    """The fact of a case (of each kind of count) that was received last, and its revision."""

    case: CaseKey
    revision: int
    source: str
    event_id: str
    received_at: datetime
    import_id: str | None


async def last_facts(con: Connection, *, after: CaseKey, limit: int) -> list[LastFact]:
    """Return those of up to `limit` cases behind `after`, in order of their keys."""
    return [
        LastFact(
            (row["municipality"], row["case_id"]),
            row["revision"],
            row["uri"],
            row["event_id"],
            row["received_at"],
            row["import_id"],
        )
        for row in await con.fetch(CASES, *after, limit)
    ]


async def untell_heard(con: Connection) -> None:
    """Let all minutes that sources spoke of be told again, before the next progress."""
    await con.execute(UNTELL_HEARD)
