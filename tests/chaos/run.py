"""One run: traffic chunk by chunk, a kill in each, then quiet, then what was decided."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.test_servers import TestServers
from shared.contracts import topics
from simulator.emitter import Sender
from simulator.traffic import Emission
from tests.chaos import picture
from tests.chaos.kills import Kill, needs_load, strike
from tests.chaos.people import People
from tests.chaos.picture import Picture, Post
from tests.chaos.town import JACARANDAS, Chunk, Town, last_heartbeats
from tests.chaos.world import SERVICES, World, founded
from tests.support.waiting import eventually

logger = logging.getLogger(__name__)

QUIET_SECONDS: Final = 240
HOPS: Final = 3
"""Topics that a cause goes through, one after the other, to its last effect."""
Offsets = dict[tuple[str, int], int]
"""By topic, with its prefix, and partition."""
READ: Final = {
    "measurements": (topics.SERVICE_EVENTS,),
    "buzon": (topics.CARTAS,),
    "evaluator": (topics.CARTAS, topics.MEASUREMENTS, topics.COMPLAINTS),
    "notifier": (topics.CARTAS, topics.BREACHES),
    "portal": (
        *(topics.CARTAS, topics.RESULTS, topics.BREACHES, topics.COMPLAINTS),
        topics.CORRECTIVE_ACTIONS,
    ),
}
OFFSETS = "SELECT topic, partition, next_offset FROM kafka_offset WHERE next_offset IS NOT NULL"
OUTBOX = "SELECT count(*) FROM outbox WHERE id <= $1"
LAST_OUTBOX = "SELECT coalesce(max(id), 0) FROM outbox"
# All campaigns with a case are final, no case waits that is due before the last heartbeat, nothing
# is unsaid.
UNJUDGED = """
SELECT (SELECT count(*) FROM judged_window JOIN verdict
            USING (municipality, compromiso, unit, window_id)
        WHERE window_id ~ '^PASADO-' AND edition = 0)
     + (SELECT count(*) FROM verdict WHERE status = 'pending' AND alarm_at < $1)
     + (SELECT count(*) FROM judged_window WHERE stale)
     + (SELECT count(*) FROM changed_window)
"""
UNSENT = """
SELECT (SELECT count(*) FROM mail WHERE state = 'waiting')
     + (SELECT count(*) FROM alert WHERE state = 'waiting')
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `instants`: how many events had been sent when each kill fell."""

    picture: Picture
    post: Post
    faults: Sequence[str]
    instants: Sequence[int]
    repeats: int


@dataclass(slots=True)
class Run:
    """Traffic of a town into one world; `sent` counts events that were acknowledged."""

    world: World
    town: Town = JACARANDAS
    sent: int = 0

    @property
    def people(self) -> People:
        return replace(self.world.people, municipality=self.town.key)

    async def chunk(self, chunk: Chunk, kill: Kill | None, *, load: bool, disturbed: bool) -> int:
        """Send a chunk while complaints come in and, where `disturbed`, the kill falls.

        Return how many events had been sent when it had fallen.
        """
        under_way: list[asyncio.Task[None]] = []

        def begin() -> None:
            under_way.append(asyncio.create_task(self._chunk(chunk, load=load)))

        instant = self.sent
        if kill is not None and disturbed:
            await strike(self.world, kill, begin)
            instant = self.sent
            logger.info("%s killed, inside: %s, after %d events", kill.target, kill.inside, instant)
        else:
            begin()
        await asyncio.gather(*under_way)
        return instant

    async def _chunk(self, chunk: Chunk, *, load: bool) -> None:
        if load:
            await self.world.begin_load()
        await self.traffic(chunk)
        await self.world.end_load()

    async def traffic(self, chunk: Chunk, *, pause: float = 0.0) -> None:
        """Send a chunk, so many seconds between two events, while people complain and answer."""
        await asyncio.gather(
            self.send(chunk.emissions, pause=pause),
            self.people.complain(chunk.number),
            self.people.acknowledge_all(),
        )

    async def send(self, emissions: Sequence[Emission], *, pause: float = 0.0) -> None:
        """Send until all are acknowledged."""
        async with httpx.AsyncClient(timeout=30) as http:
            url = self.world.system.url("measurements")
            sender = Sender(http, url, self.world.tokens)
            for emission in emissions:
                await sender.send([emission])
                self.sent += 1
                await asyncio.sleep(pause)  # the pace of the load, not a wait for anything
            assert not sender.sent.refused

    async def finish(self) -> None:
        """Let every window close, and wait until nothing moves any more."""
        await self.end_of_data()
        await self.world.wait_until_ready()
        await self.settle()

    async def end_of_data(self) -> None:
        """Let every system say that nothing older will come."""
        await self.send(list(last_heartbeats(self.town)))

    async def settle(self) -> None:
        """Wait until nothing moves any more."""
        await self._is_none("evaluator", UNJUDGED, self.town.is_over)
        await self.drain()
        await eventually(self._all_acknowledged, QUIET_SECONDS)
        await self._is_none("notifier", UNSENT)
        await self.drain()
        await self._is_none("evaluator", UNJUDGED, self.town.is_over)

    async def _all_acknowledged(self) -> bool:
        return await self.people.acknowledge_all() == 0

    async def _is_none(self, service: str, query: str, *values: datetime) -> None:
        async with self._connected(service) as connection:

            async def none() -> bool:
                left = await connection.fetchval(query, *values)
                assert left == 0, f"{left} left in {service}"
                return True

            await eventually(none, QUIET_SECONDS, what=query)

    async def drain(self) -> None:
        """Let what is under way now go through all services, hop by hop."""
        async with AsyncExitStack() as stack:
            ends = await stack.enter_async_context(self._ends())
            connections = {
                service: await stack.enter_async_context(self._connected(service))
                for service in SERVICES
            }
            for _ in range(HOPS):
                for service, connection in connections.items():
                    await _empty_outbox(service, connection)
                goals = await ends()
                for service, connection in connections.items():
                    await self._caught_up(service, connection, goals)

    @asynccontextmanager
    async def _connected(self, service: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await self.world.connect(service)
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def _ends(self) -> AsyncIterator[Callable[[], Awaitable[Offsets]]]:
        """Give what tells the end offsets of all topics."""
        partitions = [
            TopicPartition(f"{self.world.prefix}{topic.name}", number)
            for topic in topics.ALL
            for number in range(topic.partitions)
        ]
        consumer = AIOKafkaConsumer(bootstrap_servers=self.world.servers.kafka.servers)
        await consumer.start()

        async def ends() -> Offsets:
            found: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
            return {(tp.topic, tp.partition): end for tp, end in found.items()}

        try:
            yield ends
        finally:
            await consumer.stop()

    async def _caught_up(self, service: str, connection: asyncpg.Connection, ends: Offsets) -> None:
        read = {f"{self.world.prefix}{topic.name}" for topic in READ.get(service, ())}

        async def caught_up() -> bool:
            rows = await connection.fetch(OFFSETS)
            stored = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
            behind = {
                place: (stored.get(place, 0), end)
                for place, end in ends.items()
                if place[0] in read and stored.get(place, 0) < end
            }
            assert not behind, behind
            return True

        await eventually(caught_up, QUIET_SECONDS, what=f"{service} has read everything")


async def _empty_outbox(service: str, connection: asyncpg.Connection) -> None:
    """Everything that it holds now has left."""
    last = await connection.fetchval(LAST_OUTBOX)

    async def empty() -> bool:
        return bool(await connection.fetchval(OUTBOX, last) == 0)

    await eventually(empty, QUIET_SECONDS, what=f"empty outbox of {service}")


REPEATS = "SELECT coalesce(sum(repeats), 0)::bigint FROM balance"


async def perform(
    servers: TestServers,
    folder: Path,
    traffic: Sequence[Chunk],
    kills: Sequence[Kill],
    *,
    disturbed: bool,
) -> Outcome:
    """Run the traffic with its kills, or, undisturbed, with all but them."""
    async with founded(servers, folder) as world:
        run = Run(world)
        instants = []
        for place, chunk in enumerate(traffic):
            kill = kills[place] if place < len(kills) else None
            load = needs_load(kill)
            instant = await run.chunk(chunk, kill, load=load, disturbed=disturbed)
            instants += [instant] if kill is not None else []
        logger.info("%d events sent", run.sent)
        await run.finish()
        logger.info("quiet")
        seen, post = await picture.take(world), await picture.delivered(world)
        faults = [*post.faults, *await picture.balances(world)]
        connection = await world.connect("measurements")
        try:
            repeats = await connection.fetchval(REPEATS)
        finally:
            await connection.close()
        return Outcome(seen, post, faults, instants, repeats)
