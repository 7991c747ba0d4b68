"""When whom: seeded instants, some of them inside an open transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Final

import asyncpg

from tests.chaos.world import CARTAS, SERVICES, World
from tests.support.waiting import eventually

LONGEST_DELAY_SECONDS: Final = 1.5
HOLD_SECONDS: Final = 90
LOCKED: Final = {
    "cartas": ("state", "outbox"),
    "measurements": ("fact", "outbox", "balance"),
    "evaluator": ("verdict", "tally", "outbox"),
    "buzon": ("folio", "step", "outbox"),
    "notifier": ("mail", "action_step", "outbox"),
    "portal": ("complaint", "result", "action"),
}
"""Tables that a service's transactions write, early and late in them."""
HELD_UP: Final = ("measurements", "evaluator", "notifier", "buzon")
"""Whose transaction is open when Kafka or PostgreSQL is killed inside one."""
# A transaction of the service itself (not of its relay) that has begun and waits for our lock.
WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND application_name = $1 AND xact_start IS NOT NULL
  AND wait_event_type = 'Lock'
"""


@dataclass(frozen=True, slots=True)
class Kill:
    """In a transaction: of `held`, while it waits to write `table`; else after `delay` seconds."""

    target: str
    delay: float
    held: str | None = None
    table: str | None = None

    @property
    def inside(self) -> str:
        return f"{self.held}.{self.table}" if self.held else "-"


def planned(seed: int, wanted: Sequence[tuple[str, int, int]]) -> list[Kill]:
    """Return kills in a seeded order; `wanted` has target, kills, how many inside a transaction."""
    rng = Random(f"kills/{seed}")
    kills = [
        _kill(rng, target, inside=number < inside)
        for target, kills, inside in wanted
        for number in range(kills)
    ]
    rng.shuffle(kills)
    return kills


def _kill(rng: Random, target: str, *, inside: bool) -> Kill:
    delay = round(rng.uniform(0, LONGEST_DELAY_SECONDS), 3)
    if not inside:
        return Kill(target, delay)
    held = target if target in SERVICES else rng.choice(HELD_UP)
    return Kill(target, delay, held, rng.choice(LOCKED[held]))


async def strike(world: World, kill: Kill, begin: Callable[[], None]) -> None:
    """Let traffic begin, kill at the kill's instant one that works, and start it again."""
    await world.wait_until_ready(*(each for each in SERVICES if each in (kill.target, kill.held)))
    if kill.held is None:
        begin()
        await asyncio.sleep(kill.delay)  # the instant itself, not a wait for anything
        await world.kill(kill.target)
    else:
        async with _open_transaction(world, kill, begin):
            await world.kill(kill.target)
    await world.start(kill.target)


@asynccontextmanager
async def _open_transaction(
    world: World, kill: Kill, begin: Callable[[], None]
) -> AsyncIterator[None]:
    """Hold the service inside a transaction: our lock lets it come to a table, not past it."""
    assert kill.held is not None
    name = f"{CARTAS} command" if kill.held == CARTAS else kill.held
    locking, watching = [await world.connect(kill.held) for _ in range(2)]
    try:
        await locking.execute(f"BEGIN; LOCK TABLE {kill.table} IN SHARE MODE")
        begin()

        async def waits() -> bool:
            return bool(await watching.fetch(WAITING, name))

        await eventually(waits, HOLD_SECONDS, what=f"a transaction of {name} at {kill.table}")
        yield
    finally:
        for connection in (locking, watching):
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                connection.terminate()


def needs_load(kill: Kill | None) -> bool:
    """Whether the catalogue changes in this stretch: nothing else makes `cartas` write."""
    return kill is not None and kill.target == CARTAS
