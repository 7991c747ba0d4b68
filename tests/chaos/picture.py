"""What a run decided, without what may differ: instants of reception, folios, sequences."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from services.evaluator.store import balance
from shared.contracts import topics
from shared.contracts.breaches import BreachKind
from simulator import MUNICIPALITY
from tests.chaos.world import World

FACTS = """
SELECT fact.municipality, uri || ' ' || event_id FROM fact JOIN source USING (source_id)
"""
VERDICTS = """
SELECT municipality, case_id, compromiso, part, unit, window_id, status, reason, due_at, amount,
       overdue_open
FROM verdict WHERE case_id !~ '^BZ-'
"""
# Folios have other numbers and hours in each run.
FOLIO_VERDICTS = """
SELECT municipality, compromiso, part, unit, status, reason, count(*) FROM verdict
WHERE case_id ~ '^BZ-'
GROUP BY municipality, compromiso, part, unit, status, reason
"""
# A running window of these grows with the clock, without any case; and one without any case is
# opened at a beat of its own: both differ from run to run.
MOVING = """
edition = 0 AND (
    EXISTS (
        SELECT FROM jsonb_array_elements(({0})::jsonb -> 'parts') AS part
        WHERE part ->> 'form' IN ('availability', 'deadline'))
    OR NOT EXISTS (
        SELECT FROM jsonb_array_elements(({0})::jsonb -> 'parts') AS part
        WHERE part ->> 'met' <> '0' OR part ->> 'failed' <> '0' OR part ->> 'pending' <> '0'
            OR part -> 'excluded' <> '{{}}'))
"""
RESULTS = f"""
SELECT municipality, compromiso, unit, window_id,
       result - '{{as_of,sequence,edition,causes,moved}}'::text[]
FROM judged_window WHERE result IS NOT NULL AND NOT ({MOVING.format("result")})
"""
BREACHES = """
SELECT municipality, compromiso, unit, window_id, breach, recovered_at IS NULL FROM breach
"""
TRIGGERS = """
SELECT municipality, compromiso, count(*) FROM complaint_trigger GROUP BY municipality, compromiso
"""
ACTIONS = """
SELECT municipality, compromiso, unit, window_id, state, level,
       (SELECT count(*) FROM action_trigger t WHERE t.action = a.action)
FROM action a
"""
MAILS = """
SELECT a.municipality, m.kind, m.post, m.mailbox, m.state, a.compromiso, a.unit, a.window_id,
       count(*)
FROM mail m JOIN action a USING (action)
GROUP BY a.municipality, m.kind, m.post, m.mailbox, m.state, a.compromiso, a.unit, a.window_id
"""
CATALOGUE = "SELECT municipality, kind, id, version, data::jsonb - 'known_since' FROM catalogue"
SHOWN_RESULTS = f"""
SELECT DISTINCT ON (municipality, compromiso, unit, window_id)
       municipality, compromiso, unit, window_id,
       data::jsonb - '{{as_of,sequence,edition,causes,moved}}'::text[]
FROM result WHERE NOT ({MOVING.format("data")})
ORDER BY municipality, compromiso, unit, window_id, edition DESC, sequence DESC
"""
SHOWN_ACTIONS = """
SELECT municipality, data ->> 'compromiso', data ->> 'unit', data ->> 'window', data ->> 'state',
       json_array_length(data -> 'folios')
FROM action
"""
SHOWN_FOLIOS = """
SELECT municipality, kind, unit, answered_at IS NOT NULL, count(*) FROM complaint
GROUP BY 1, 2, 3, 4
"""
QUERIES: Final[dict[str, tuple[str, str]]] = {
    "facts": ("measurements", FACTS),
    "verdicts": ("evaluator", VERDICTS),
    "verdicts on folios": ("evaluator", FOLIO_VERDICTS),
    "results": ("evaluator", RESULTS),
    "breaches": ("evaluator", BREACHES),
    "complaint triggers": ("evaluator", TRIGGERS),
    "actions": ("notifier", ACTIONS),
    "mails": ("notifier", MAILS),
    "catalogue": ("notifier", CATALOGUE),
    "results in the portal": ("portal", SHOWN_RESULTS),
    "actions in the portal": ("portal", SHOWN_ACTIONS),
    "folios in the portal": ("portal", SHOWN_FOLIOS),
}
SAID_ONCE: Final = frozenset({BreachKind.BREACHED, BreachKind.LATE_CASE})
"""Statements whose ids both runs must share; risks come and go with the moment of looking."""

Lines = Counter[str]


@dataclass(slots=True)
class Picture:
    """Lines of text by name; equal runs have equal pictures."""

    lines: dict[str, Lines] = field(default_factory=dict)

    def differences(self, other: "Picture", *, most: int = 5) -> list[str]:
        """Return the first lines that only one of the two has, by name."""
        found = []
        for name, lines in self.lines.items():
            missing, extra = lines - other.lines[name], other.lines[name] - lines
            found += [f"{name}: missing {line}" for line in sorted(missing)[:most]]
            found += [f"{name}: extra {line}" for line in sorted(extra)[:most]]
        return found

    def of(self, municipalities: Collection[str]) -> "Picture":
        """Return what was decided about these alone: each line begins with its municipality."""
        return Picture(
            {
                name: Counter(
                    {
                        line: number
                        for line, number in lines.items()
                        if json.loads(line)[0] in municipalities
                    }
                )
                for name, lines in self.lines.items()
            }
        )

    def number(self, name: str) -> int:
        return self.lines[name].total()


async def take(world: World) -> Picture:
    """Read everything that was decided, from every service's own tables and from Kafka."""
    picture = Picture()
    for name, (service, query) in QUERIES.items():
        connection = await world.connect(service)
        try:
            picture.lines[name] = Counter(map(_line, await connection.fetch(query)))
        finally:
            await connection.close()
    picture.lines["statements"] = await _statements(world)
    return picture


def _line(row: asyncpg.Record) -> str:
    return json.dumps([_plain(value) for value in row.values()], ensure_ascii=False)


def _plain(value: Any) -> Any:
    """JSON columns come as text; their members have no order."""
    if isinstance(value, str) and value.startswith("{"):
        return json.dumps(json.loads(value), sort_keys=True)
    return value if isinstance(value, int | str | None) else str(value)


async def _statements(world: World) -> Lines:
    """Each statement once: the relay may repeat a message, with the same id."""
    found = {
        (*(data["municipality"], data["kind"], data["compromiso"]), message["id"])
        for message in map(json.loads, await messages(world, topics.BREACHES))
        if (data := message["data"])["kind"] in SAID_ONCE and not _is_folio(data)
    }
    return Counter(map(json.dumps, map(list, found)))


def _is_folio(data: Mapping[str, Any]) -> bool:
    return str(data.get("case") or "").startswith("BZ-")


async def messages(world: World, topic: topics.Topic) -> list[bytes]:
    """Everything on a topic."""
    partitions = [
        TopicPartition(f"{world.prefix}{topic.name}", number) for number in range(topic.partitions)
    ]
    servers = world.servers.kafka.servers
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[bytes] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                found += [record.value for record in records]
        return found
    finally:
        await consumer.stop()


@dataclass(frozen=True, slots=True)
class Post:
    """What the mailbox holds: how many mails, how many came again, what is wrong with them."""

    number: int
    repeated: int
    faults: Sequence[str]


STORED_MAILS = "SELECT message_id, message FROM mail WHERE message IS NOT NULL"


async def delivered(world: World) -> Post:
    """Compare the mailbox with what was written: none missing, a repeat equal to the last byte."""
    connection = await world.connect("notifier")
    try:
        stored = {row["message_id"]: row["message"] for row in await connection.fetch(STORED_MAILS)}
    finally:
        await connection.close()
    raws = await _received(world)
    faults = [f"mail {message_id} did not arrive" for message_id in stored.keys() - raws.keys()]
    faults += [f"mail {message_id} is unknown" for message_id in raws.keys() - stored.keys()]
    faults += [
        f"mail {message_id} came with other bytes"
        for message_id, copies in raws.items()
        if len(set(copies)) > 1
    ]
    return Post(len(raws), sum(map(len, raws.values())) - len(raws), faults)


async def _received(world: World) -> dict[str, list[bytes]]:
    raws: dict[str, list[bytes]] = {}
    async with httpx.AsyncClient(base_url=world.system.mailbox_url, timeout=10) as http:
        listed = (await http.get("/api/v1/messages", params={"limit": 100_000})).json()["messages"]
        for mail in listed:
            raw = (await http.get(f"/api/v1/message/{mail['ID']}/raw")).content
            raws.setdefault(f"<{mail['MessageID']}>", []).append(raw)
    return raws


async def balances(world: World) -> list[str]:
    """Return what does not balance, by both equations, and what recomputing gives otherwise."""
    faults = []
    for command in (
        ("services.measurements", "balance"),
        ("services.evaluator", "recompute", MUNICIPALITY),
    ):
        code, output = await world.command(*command)
        faults += [f"{' '.join(command)}: {output}"] if code else []
    connection = await world.connect("evaluator")
    try:
        difference = await connection.fetchval(balance.DIFFERENCE)
    finally:
        await connection.close()
    return faults + ([f"balance of the evaluator: {difference}"] if difference else [])
