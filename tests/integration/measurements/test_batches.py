"""The size of a batch changes the speed, never what is stored or published."""

import random
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec
import pytest

from services.measurements.domain.cases import MAX_EVENTS
from services.measurements.domain.registration import Registration
from services.measurements.store import facts
from services.measurements.store.sources import add_source
from services.measurements.use_cases.take import decode, take_batch
from shared.database import Pool, open_pool
from shared.messaging import Received, transaction
from tests.support.databases import FreshDatabase

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SOURCES = ("/turnos/a", "/turnos/b")
KINDS = ("ticket.issued", "ticket.called", "case.paused", "case.resumed", "source.heartbeat")

# Everything a batch leaves behind, in an order of its own or in that of publication.
LEFT_BEHIND = {
    "published": "SELECT topic, key, payload FROM outbox WHERE topic NOT LIKE '%.dlt' ORDER BY id",
    # Each has a key of its own: there is no order to keep.
    "dead letters": "SELECT key, payload FROM outbox WHERE topic LIKE '%.dlt' ORDER BY key",
    "facts": "SELECT * FROM fact ORDER BY source_id, event_id",
    "cases": "SELECT * FROM case_head ORDER BY municipality, case_id",
    "refusals": "SELECT partition, kafka_offset, reason, field, event_source, event_id FROM refusal"
    " ORDER BY partition, kafka_offset",
    "balance": "SELECT * FROM balance ORDER BY source, day, partition",
    "clocks": "SELECT * FROM source_clock ORDER BY source_id, partition",
    "traffic": "SELECT * FROM traffic ORDER BY source_id, minute, partition",
    "imports": "SELECT * FROM import_account ORDER BY import_id, partition",
}


def records(seed: int, number: int) -> list[Received]:
    """Every kind of event, good and bad, repeated, contradicted and corrected, from a seed."""
    rng = random.Random(seed)
    return [_record(rng, offset) for offset in range(number)]


def _record(rng: random.Random, offset: int) -> Received:
    case = f"A-{rng.randrange(12)}"
    data: dict[str, str | bool] = {
        "municipality": rng.choice(["nogal"] * 30 + ["otro"]),
        "case": case,
        "service": rng.choice(["RC-ACTAS"] * 30 + ["OTRO"]),
        "unit": rng.choice(["U1", "U2"]),
        "reason": "pago",
    }
    if rng.random() < 0.3:
        data["supersedes"] = f"e{rng.randrange(150)}"
        data["void"] = rng.random() < 0.3
    if rng.random() < 0.2:
        data["import_id"] = rng.choice(["i1", "i2"])
    if rng.random() < 0.02:
        data["nombre"] = "Ana"
    event = {
        "specversion": "1.0",
        "id": f"e{rng.randrange(150)}",
        "source": rng.choice([*SOURCES] * 10 + ["/unknown"]),
        "type": rng.choice(KINDS),
        "time": (START + timedelta(minutes=rng.randrange(3))).isoformat(),
        "data": data,
    }
    key = f"{data['municipality']}/{case}" if rng.random() < 0.97 else "wrong"
    return _received(msgspec.json.encode(event), key, offset, partition=rng.randrange(2))


def _received(value: bytes, key: str, offset: int, *, partition: int = 0) -> Received:
    return Received(
        topic="service-events.v1",
        partition=partition,
        offset=offset,
        timestamp=START + timedelta(hours=1, seconds=offset),
        key=key.encode(),
        value=value,
        event=decode(value),
    )


async def left_behind(database_url: str, given: list[Received], *, size: int) -> dict[str, object]:
    async with await open_pool(database_url, name="test", size=2) as pool:
        await _register(pool)
        for first in range(0, len(given), size):
            async with transaction(pool, service="measurements") as tx:
                await take_batch(tx, given[first : first + size])
        return {
            what: [tuple(row.values()) for row in await pool.fetch(query)]
            for what, query in LEFT_BEHIND.items()
        }


async def _register(pool: Pool) -> None:
    async with transaction(pool) as tx:
        for uri in SOURCES:
            new = Registration(
                uri=uri,
                municipality="nogal",
                services=frozenset({"RC-ACTAS"}),
                reports=frozenset({"*"}),
            )
            await add_source(tx.connection, new)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_batches_of_any_size_leave_the_same_behind(
    database: FreshDatabase, seed: int
) -> None:
    given = records(seed, 500)
    one_by_one = await left_behind(await database("measurements"), given, size=1)
    for size in (7, 500):
        together = await left_behind(await database("measurements"), given, size=size)
        for what, expected in one_by_one.items():
            assert together[what] == expected, f"{what} in batches of {size}"
    reasons = {row[2] for row in one_by_one["refusals"]}  # type: ignore[attr-defined]
    assert reasons >= {"identity_conflict", "corrects_another_case", "wrong_key", "unknown_source"}


async def test_a_case_has_room_for_only_so_many_events(database: FreshDatabase) -> None:
    def one(number: int, offset: int) -> Received:
        event = {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": SOURCES[0],
            "type": "ticket.called",
            "time": START.isoformat(),
            "data": {"municipality": "nogal", "case": "A-1", "service": "RC-ACTAS"},
        }
        return _received(msgspec.json.encode(event), "nogal/A-1", offset)

    given = [one(number, number) for number in range(MAX_EVENTS + 3)]
    given += [one(MAX_EVENTS, MAX_EVENTS + 3), one(5, MAX_EVENTS + 4)]
    several = await left_behind(await database("measurements"), given, size=7)
    at_once = await left_behind(await database("measurements"), given, size=1000)
    assert several == at_once
    assert [row[-1] for row in at_once["cases"]] == [MAX_EVENTS]  # type: ignore[attr-defined]
    assert len(at_once["facts"]) == MAX_EVENTS  # type: ignore[arg-type]
    (line,) = cast("list[tuple[object, ...]]", at_once["balance"])
    assert line[3:] == (MAX_EVENTS + 5, MAX_EVENTS, 1, 0, 4)


@pytest.mark.parametrize(
    ("statement", "arguments"),
    [
        (facts.KNOWN_FACTS, ([1, 2], ["e1", "e2"])),
        (facts.FACTS_OF_CASES, (["nogal"] * 2, ["A-1", "A-2"], MAX_EVENTS)),
    ],
    ids=["known facts", "facts of cases"],
)
async def test_looking_back_never_reads_all_facts(
    pool: Pool, statement: str, arguments: tuple[object, ...]
) -> None:
    async with transaction(pool, service="measurements") as tx:
        await _register(pool)
        for uri in (1, 2):
            await tx.connection.execute(FILL, uri)
        await tx.connection.execute("ANALYZE fact")
        plan = await tx.connection.fetch(f"EXPLAIN {statement}", *arguments)
    text = "\n".join(row[0] for row in plan)
    assert "Index Scan" in text
    assert "Seq Scan on fact" not in text


FILL = """
INSERT INTO fact (source_id, event_id, content, municipality, case_id, kind, happened_at, service,
                  void, historical, received_at)
SELECT $1, 'e' || n, decode(repeat('00', 16), 'hex'), 'nogal', 'A-' || (n / 2), 'ticket.issued',
       now(), 'RC-ACTAS', false, false, now()
FROM generate_series(1, 20000) AS n
"""
