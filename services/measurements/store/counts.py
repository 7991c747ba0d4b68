"""Counts that a batch adds to, apart by partition so that consumers never wait for each other."""

from dataclasses import astuple, dataclass, field
from datetime import date, datetime

from services.measurements.store.facts import columns
from services.measurements.store.heard import HeardKey, add_heard
from shared.database import Connection

# What a batch adds to balance ($1 to $8), traffic ($9 to $13) and clocks ($14 to $16).
ADD_COUNTS = """
WITH lines AS (
    INSERT INTO balance (source, day, partition, events, facts, repeats, corrections, refused)
    SELECT source, day, partition, events, facts, repeats, corrections, refused
    FROM unnest($1::text[], $2::date[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::bigint[])
        AS new (source, day, partition, events, facts, repeats, corrections, refused)
    ORDER BY source, day, partition
    ON CONFLICT (source, day, partition) DO UPDATE SET
        events = balance.events + excluded.events,
        facts = balance.facts + excluded.facts,
        repeats = balance.repeats + excluded.repeats,
        corrections = balance.corrections + excluded.corrections,
        refused = balance.refused + excluded.refused
), minutes AS (
    INSERT INTO traffic (source_id, minute, partition, events, refused)
    SELECT source_id, minute, partition, events, refused
    FROM unnest($9::int[], $10::timestamptz[], $11::int[], $12::bigint[], $13::bigint[])
        AS new (source_id, minute, partition, events, refused)
    ORDER BY source_id, minute, partition
    ON CONFLICT (source_id, minute, partition) DO UPDATE SET
        events = traffic.events + excluded.events, refused = traffic.refused + excluded.refused
)
INSERT INTO source_clock (source_id, partition, latest)
SELECT source_id, partition, latest
FROM unnest($14::int[], $15::int[], $16::timestamptz[]) AS new (source_id, partition, latest)
ORDER BY source_id, partition
ON CONFLICT (source_id, partition) DO UPDATE SET
    latest = greatest(source_clock.latest, excluded.latest)
"""
ACCOUNT_IMPORTS = """
INSERT INTO import_account (import_id, partition, accounted)
SELECT import_id, partition, accounted
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS new (import_id, partition, accounted)
ORDER BY import_id, partition
ON CONFLICT (import_id, partition) DO UPDATE SET
    accounted = import_account.accounted + excluded.accounted
"""


@dataclass(slots=True)
class Counts:
    """One line of the balance."""

    events: int = 0
    facts: int = 0
    repeats: int = 0
    corrections: int = 0
    refused: int = 0


@dataclass(slots=True)
class BatchCounts:
    """What a batch adds, by the keys of the tables. `traffic` holds [events, refused]."""

    balance: dict[tuple[str, date, int], Counts] = field(default_factory=dict)
    traffic: dict[tuple[int, datetime, int], list[int]] = field(default_factory=dict)
    clocks: dict[tuple[int, int], datetime] = field(default_factory=dict)
    imports: dict[tuple[str, int], int] = field(default_factory=dict)
    heard: dict[HeardKey, int] = field(default_factory=dict)


async def add_counts(con: Connection, counts: BatchCounts) -> None:
    """Add a batch's counts to the tables."""
    lines = [(*key, *astuple(line)) for key, line in counts.balance.items()]
    traffic = [(*key, *numbers) for key, numbers in counts.traffic.items()]
    clocks = [(*key, latest) for key, latest in counts.clocks.items()]
    await con.execute(
        ADD_COUNTS,
        *columns(lines, width=8),
        *columns(traffic, width=5),
        *columns(clocks, width=3),
    )
    if counts.imports:
        accounts = [(*key, number) for key, number in counts.imports.items()]
        await con.execute(ACCOUNT_IMPORTS, *columns(accounts))
    await add_heard(con, counts.heard)
