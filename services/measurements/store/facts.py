"""Facts and cases, written and read by set-based statements."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from services.measurements.domain.cases import MAX_EVENTS, Fact
from services.measurements.domain.checks import Source
from shared.contracts import hot
from shared.database import Connection

# Sorted, as every statement here: two consumers meet the same rows in the same order. One JSON text
# costs the client a fifth of what seventeen arrays do, in the hottest statement of the service.
# Then each case is locked, in order, and gets as many revisions as it has new facts; a heartbeat is
# of no case. One statement, and two kinds of rows back: a join of them would be planned for a few.
ADD_FACTS = """
WITH added AS (
    INSERT INTO fact (source_id, event_id, content, municipality, case_id, kind, happened_at,
                      service, unit, attributes, due_at, reason, supersedes, void, historical,
                      import_id, received_at)
    SELECT source_id, event_id, decode(content, 'hex'), municipality, case_id, kind, happened_at,
           service, unit, attributes, due_at, reason, supersedes, void, historical, import_id,
           received_at
    FROM json_to_recordset($1::json) AS new (
        source_id int, event_id text, content text, municipality text, case_id text, kind text,
        happened_at timestamptz, service text, unit text, attributes jsonb, due_at timestamptz,
        reason text, supersedes text, void bool, historical bool, import_id text,
        received_at timestamptz)
    ORDER BY source_id, event_id
    ON CONFLICT (source_id, event_id) DO NOTHING
    RETURNING source_id, event_id, municipality, case_id, kind
), raised AS (
    INSERT INTO case_head (municipality, case_id, revision)
    SELECT municipality, case_id, count(*) FROM added WHERE kind <> 'source.heartbeat'
    GROUP BY municipality, case_id
    ORDER BY municipality, case_id
    ON CONFLICT (municipality, case_id)
        DO UPDATE SET revision = case_head.revision + excluded.revision
    RETURNING municipality, case_id, revision
)
SELECT source_id, event_id, NULL AS municipality, NULL AS case_id, NULL AS revision FROM added
UNION ALL
SELECT NULL, NULL, municipality, case_id, revision FROM raised
"""
# LATERAL with LIMIT: a plain join becomes a sequential scan while the table is young.
KNOWN_FACTS = """
SELECT wanted.source_id, wanted.event_id, known.content, known.municipality, known.case_id,
       known.import_id
FROM unnest($1::int[], $2::text[]) AS wanted (source_id, event_id)
CROSS JOIN LATERAL (
    SELECT content, municipality, case_id, import_id FROM fact
    WHERE fact.source_id = wanted.source_id AND fact.event_id = wanted.event_id
    LIMIT 1
) AS known
"""
FACTS_OF_CASES = """
SELECT f.municipality, f.case_id, source.uri, f.event_id, f.kind, f.happened_at, f.service, f.unit,
       f.attributes, f.due_at, f.reason, f.supersedes, f.void, f.historical
FROM unnest($1::text[], $2::text[]) AS wanted (municipality, case_id)
CROSS JOIN LATERAL (
    SELECT municipality, case_id, source_id, event_id, kind, happened_at, service, unit, attributes,
           due_at, reason, supersedes, void, historical
    FROM fact
    WHERE fact.municipality = wanted.municipality AND fact.case_id = wanted.case_id
      AND fact.kind <> 'source.heartbeat'
    LIMIT $3
) AS f
JOIN source ON source.source_id = f.source_id
"""
REMOVE_FACTS = """
DELETE FROM fact USING unnest($1::int[], $2::text[]) AS gone (source_id, event_id)
WHERE fact.source_id = gone.source_id AND fact.event_id = gone.event_id
"""
LOWER_REVISIONS = """
UPDATE case_head SET revision = $3
FROM unnest($1::text[], $2::text[]) AS full_case (municipality, case_id)
WHERE case_head.municipality = full_case.municipality AND case_head.case_id = full_case.case_id
"""

CaseKey = tuple[str, str]
FactKey = tuple[int, str]

decode_attributes = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True)
class NewFact:
    """An event that passed all checks. `content` is the hash of what it says."""

    source: Source
    event: hot.ServiceEvent
    content: bytes
    received_at: datetime
    key: FactKey
    case: CaseKey

    @property
    def historical(self) -> bool:
        """Only our own import of a historical source makes history."""
        return self.source.historical and self.event.data.import_id is not None


@dataclass(frozen=True, slots=True)
class KnownFact:
    """What is stored under an identity that comes again."""

    content: bytes
    case: CaseKey
    import_id: str | None


def columns(rows: Iterable[Sequence[object]], *, width: int = 0) -> list[list[object]]:
    """Turn rows into one array a column, for `unnest`; without rows, into `width` empty ones."""
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


@dataclass(frozen=True, slots=True)
class Added:
    """The identities that were new, and the revision of each of their cases after them."""

    keys: set[FactKey]
    revisions: dict[CaseKey, int]


async def add_facts(con: Connection, facts: Sequence[NewFact]) -> Added:
    """Insert what is not there yet; lock each case of it and raise its revision."""
    added = Added(set(), {})
    if facts:
        encoded = _encode_rows([_fact_row(new) for new in facts]).decode()
        for source_id, event_id, municipality, case, revision in await con.fetch(
            ADD_FACTS, encoded
        ):
            if revision is None:
                added.keys.add((source_id, event_id))
            else:
                added.revisions[municipality, case] = revision
    return added


class _FactRow(msgspec.Struct, gc=False):
    """The columns of ADD_FACTS."""

    source_id: int
    event_id: str
    content: str
    municipality: str
    case_id: str
    kind: str
    happened_at: datetime
    service: str
    unit: str | None
    attributes: dict[str, str] | None
    due_at: datetime | None
    reason: str | None
    supersedes: str | None
    void: bool
    historical: bool
    import_id: str | None
    received_at: datetime


_encode_rows = msgspec.json.Encoder().encode


def _fact_row(new: NewFact) -> _FactRow:
    event, data = new.event, new.event.data
    return _FactRow(
        source_id=new.source.source_id,
        event_id=event.id,
        content=new.content.hex(),
        municipality=data.municipality,
        case_id=data.case,
        kind=event.type,
        happened_at=event.time,
        service=data.service,
        unit=data.unit,
        attributes=data.attributes or None,
        due_at=data.due_at,
        reason=data.reason,
        supersedes=data.supersedes,
        void=data.void,
        historical=new.historical,
        import_id=data.import_id,
        received_at=new.received_at,
    )


async def known_facts(con: Connection, keys: Collection[FactKey]) -> dict[FactKey, KnownFact]:
    """Return what is stored under `keys`."""
    if not keys:
        return {}
    return {
        (row["source_id"], row["event_id"]): KnownFact(
            row["content"], (row["municipality"], row["case_id"]), row["import_id"]
        )
        for row in await con.fetch(KNOWN_FACTS, *columns(keys))
    }


async def facts_of(con: Connection, cases: Collection[CaseKey]) -> dict[CaseKey, list[Fact]]:
    """Return all facts of `cases`, at most MAX_EVENTS of each."""
    facts: dict[CaseKey, list[Fact]] = {}
    if not cases:
        return facts
    for row in await con.fetch(FACTS_OF_CASES, *columns(cases), MAX_EVENTS):
        facts.setdefault((row["municipality"], row["case_id"]), []).append(
            Fact(
                source=row["uri"],
                id=row["event_id"],
                kind=row["kind"],
                time=row["happened_at"],
                service=row["service"],
                unit=row["unit"],
                attributes=decode_attributes(row["attributes"]) if row["attributes"] else {},
                due_at=row["due_at"],
                reason=row["reason"],
                supersedes=row["supersedes"],
                void=row["void"],
                historical=row["historical"],
            )
        )
    return facts


async def take_back(con: Connection, facts: Sequence[NewFact]) -> None:
    """Remove facts that their full cases have no room for, and set those cases' revisions."""
    await con.execute(REMOVE_FACTS, *columns(new.key for new in facts))
    cases = sorted({new.case for new in facts})
    await con.execute(LOWER_REVISIONS, *columns(cases), MAX_EVENTS)
