"""The world of one story: processes in their places, a Kafka, a database, and who goes on when."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry

from shared.database import Pool
from shared.messaging import Consumer, MessagingMetrics, Relay, Subscription, transaction
from shared.settings import ServiceSettings
from tests.model.facts import NOTE, RESULTS, SOURCE, Fact, decode, handler, note
from tests.model.invariants import Account, BrokenRuleError, read
from tests.model.kafka import PARTITIONS, Kafka
from tests.model.postgres import SessionPool, Sessions
from tests.model.processes import Fate, Killed, Process, quiet

GROUP = "model"
CONSUMERS = ("one", "two")
RELAYS = ("first", "second")
# A process that passes so many gates in one turn turns in circles.
GATES_OF_A_TURN = 60
# One that waits for another's lock asks for it again and again.
TRIES_TO_LEAD = 2
ROUNDS_TO_REST = 12
RECORDS_OF_A_BATCH = 3

OURS = ("kafka_offset", "outbox", "refusal")
TABLES = (*OURS, "verdict", "judged", "applied", "noted", "relay_mark")
SAVE = "SELECT coalesce(json_agg(t), '[]')::text FROM {table} t"
EMPTY = ";".join(f"DELETE FROM {table}" for table in TABLES)
LOAD = """
INSERT INTO {table} OVERRIDING SYSTEM VALUE
SELECT * FROM json_populate_recordset(null::{table}, $1)
"""
LAST_ID = "SELECT last_value FROM outbox_id_seq"
SET_LAST_ID = "SELECT setval('outbox_id_seq', $1)"
BLOCKED = "SELECT bool_and(cardinality(pg_blocking_pids(pid)) > 0) FROM unnest($1::int[]) AS pid"
WAIT_SECONDS = 0.01

Backup = tuple[dict[str, str], int]


@dataclass(slots=True)
class World:
    """One story's world. `settings` and `sessions` outlive it."""

    settings: ServiceSettings
    sessions: Sessions
    control: "asyncpg.Connection[asyncpg.Record]"
    kafka: Kafka = field(default_factory=Kafka)
    metrics: MessagingMetrics = field(default_factory=lambda: MessagingMetrics(CollectorRegistry()))
    places: dict[str, Process] = field(default_factory=dict)
    ghosts: list[Process] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def prepare(self) -> None:
        """Empty the database; the group begins with a partition for each consumer."""
        await self.control.execute(EMPTY)
        await self.control.execute("ALTER SEQUENCE outbox_id_seq RESTART")
        self.kafka.assign(dict(zip(range(PARTITIONS), CONSUMERS, strict=True)))

    def append(self, fact: Fact) -> None:
        """Somebody publishes a fact."""
        self.kafka.logs[fact.partition].append((fact.key.encode(), fact.to_bytes()))

    def forget(self, partition: int) -> None:
        """Kafka's retention takes what nobody has read yet."""
        self.kafka.starts[partition] = len(self.kafka.logs[partition])
        self.account.forgotten.add(partition)

    async def note(self, *, at: str | None, fate: Fate) -> None:
        """A request over HTTP: one transaction with one message."""
        name = f"note {next(self.numbers)}"
        process = self.places[name] = Process(name, self.changed)
        process.spawn(self._note(process))
        await self.turn(name, at=at, fate=fate)

    async def _note(self, process: Process) -> None:
        with suppress(ConnectionResetError):
            async with transaction(self._pool(process)) as tx:
                await tx.connection.execute(NOTE, process.name)
                tx.publish_raw(RESULTS, process.name, note(process.name))

    def _pool(self, process: Process) -> Pool:
        return SessionPool(self.sessions, process)  # type: ignore[return-value]

    def _in_place(self, name: str) -> Process:
        """Return the process in this place; where it has died, another is started."""
        process = self.places.get(name)
        if process is None or process.ended:
            process = self.places[name] = Process(name, self.changed)
            process.spawn(self._main(process))
            self.kafka.generation += name in CONSUMERS
        return process

    def _main(self, process: Process) -> Coroutine[Any, Any, None]:
        if process.name in RELAYS:
            return Relay(self.settings, shard=0, metrics=self.metrics).run()
        owner = f"{process.name} {next(self.numbers)}"
        subscription = Subscription(
            topic=SOURCE,
            group=GROUP,
            handle=handler(owner),
            decode=decode,
            max_records=RECORDS_OF_A_BATCH,
        )
        return Consumer(
            subscription,
            settings=self.settings,
            pool=self._pool(process),
            owner=owner,
            metrics=self.metrics,
        ).run()

    async def turn(self, name: str, *, at: str | None = None, fate: Fate = Fate.PASS) -> None:
        """Let `name` go on until it waits or is held; its next gate `at` meets `fate`."""
        process = self._in_place(name)
        process.wake()
        tries = 0
        for _ in range(GATES_OF_A_TURN):
            gate = await self._next_gate(process)
            tries += gate == "lead"
            if gate is None or tries > TRIES_TO_LEAD:
                break
            if gate == at and fate is Fate.HOLD:
                return
            process.let(fate if gate == at else Fate.PASS)
            at = None if gate == at else at
        await self._bury(name)

    async def _next_gate(self, process: Process) -> str | None:
        await self._stand_still()
        if process.reader is not None and process.reader.hear_of_the_group():
            await self._stand_still()
        process.land(all_of_it=bool(process.busy))
        await self._stand_still()
        return process.next_gate()

    async def _stand_still(self) -> None:
        """Wait until each process is at a gate, sleeps, or waits for a lock that is not let go.

        Only then does what comes next not depend on who was quicker.
        """
        while True:
            await quiet()
            everybody = (*self.places.values(), *self.ghosts)
            waited_for = [line for each in everybody for line in (*each.busy, *each.landing)]
            changing = any(each.sessions_changing for each in everybody)
            if not waited_for and not changing:
                return
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), WAIT_SECONDS)
            except TimeoutError:
                pids = [line.get_server_pid() for line in waited_for]
                if not changing and await self.control.fetchval(BLOCKED, pids):
                    return

    async def _bury(self, name: str) -> None:
        """Take away what has died; a note that is made leaves too."""
        process = self.places[name]
        if process.dead:
            await self.kill(name)
        elif process.ended and name.startswith("note"):
            self._raise_what_is_ours(self.places.pop(name))

    async def kill(self, name: str) -> None:
        """End the process in this place, at once."""
        process = self.places.pop(name)
        process.kill()
        process.land(all_of_it=True)
        self.ghosts.append(process)
        await self._stand_still()
        for ghost in list(self.ghosts):
            if ghost.ended:
                self.ghosts.remove(ghost)
                self._raise_what_is_ours(ghost)

    def _raise_what_is_ours(self, process: Process) -> None:
        """A process ends because it was killed, or as it should; all else is the model's fault."""
        for task in (*process.tasks, *process.landings):
            if task.done() and not task.cancelled():
                error = task.exception()
                if error is not None and not isinstance(error, Killed):
                    raise error

    async def backup(self) -> Backup:
        """Return the whole database as it is now."""
        async with self.control.transaction(isolation="repeatable_read"):
            tables = {t: await self.control.fetchval(SAVE.format(table=t)) for t in TABLES}
            return tables, await self.control.fetchval(LAST_ID)

    async def restore(self, backup: Backup) -> None:
        """Stop the services, put the database back, start them again. Kafka keeps what it has."""
        await self.stop()
        tables, last_id = backup
        async with self.control.transaction():
            await self.control.execute(EMPTY)
            for table, rows in tables.items():
                await self.control.execute(LOAD.format(table=table), rows)
            await self.control.execute(SET_LAST_ID, last_id)
        self.account.put_back()

    async def stop(self) -> None:
        """End every process and every session."""
        for name in list(self.places):
            await self.kill(name)
        while self.ghosts:
            await self._stand_still()
            self.ghosts = [ghost for ghost in self.ghosts if not ghost.ended]
        await self.sessions.end_all()

    async def check(self) -> None:
        """Hold what is stored and published to the rules. Raises BrokenRuleError."""
        self.account.check(await read(self.control), self.kafka)

    async def come_to_rest(self) -> None:
        """Let all go on, undisturbed, until nothing is left to do. Raises BrokenRuleError."""
        for _ in range(ROUNDS_TO_REST):
            for name in (*CONSUMERS, *RELAYS, *(n for n in self.places if n.startswith("note"))):
                await self.turn(name)
            stored = await read(self.control)
            self.account.check(stored, self.kafka)
            if self.account.is_at_rest(stored, self.kafka):
                self.account.check_at_rest(self.kafka)
                return
        raise BrokenRuleError("does not come to rest")
