"""What goes wrong, where, when and for how long: drawn from a seed, done to an arena."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from random import Random
from typing import Final

from tests.chaos.rounds import lost, network, volumes
from tests.chaos.rounds.arena import Arena, ways
from tests.chaos.rounds.standing import stopped
from tests.chaos.run import Run
from tests.chaos.town import Chunk
from tests.chaos.world import KAFKA, POSTGRES, SERVICES
from tests.support import clocks


class Kind(StrEnum):
    """What goes wrong: the names of the log."""

    KILL = "kill -9"
    STOP = "stop"
    DELAY = "delay"
    CUT = "cut"
    TORN = "torn"
    HALF_OPEN = "half-open"
    RESET = "reset"
    FULL = "disk full"
    CLOCK = "clock"
    EXPIRED = "expired unread"
    RECREATED = "topic recreated"


PROXIED: Final = (Kind.DELAY, Kind.CUT, Kind.TORN, Kind.HALF_OPEN, Kind.RESET)
LOSSES: Final = (Kind.EXPIRED, Kind.RECREATED)
SERVERS: Final = (KAFKA, POSTGRES)
WHILE_IT_STANDS: Final = "while its reader stands still"
FROM_ITS_START: Final = " from its start"
HOUR: Final = timedelta(hours=1)
LATEST: Final = 0.8
SECONDS: Final = {
    Kind.KILL: (0.0, 1.0),
    Kind.STOP: (0.5, 4.0),
    Kind.DELAY: (2.0, 4.0),
    Kind.CUT: (0.2, 3.0),
    Kind.TORN: (1.0, 3.0),
    Kind.HALF_OPEN: (1.0, 5.0),
    Kind.RESET: (0.2, 3.0),
    Kind.FULL: (1.0, 4.0),
    Kind.CLOCK: (0.0, 0.0),
    Kind.EXPIRED: (0.0, 0.0),
    Kind.RECREATED: (0.0, 0.0),
}
"""For how long, at least and at most."""
LONG: Final = {Kind.STOP: 12.0, Kind.HALF_OPEN: 24.0}
"""Longer than a session; than a request waits: one in so many draws."""
ONE_IN: Final = 8
DECK: Final = (
    *(Kind.KILL,) * 3,
    *(Kind.STOP,) * 3,
    *(Kind.DELAY,) * 2,
    *(Kind.CUT,) * 2,
    *(Kind.TORN,) * 1,
    *(Kind.HALF_OPEN,) * 2,
    *(Kind.RESET,) * 2,
    *(Kind.FULL,) * 2,
    *(Kind.CLOCK,) * 2,
    *LOSSES,
)
"""Drawn from without putting back, so that every kind comes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """When this share (0..1) of the load was acknowledged, for `seconds`; `how` tells more."""

    kind: Kind
    where: str
    share: float
    seconds: float
    how: str = ""


def planned(seed: int, kinds: Sequence[Kind] = DECK) -> list[Fault]:
    """Return a fault for each of these kinds, in a seeded order."""
    rng = Random(f"rounds/{seed}")
    shuffled = rng.sample(kinds, len(kinds))
    return [_drawn(rng, kind) for kind in shuffled]


def _drawn(rng: Random, kind: Kind) -> Fault:
    where = rng.choice(_places(kind))
    shortest, longest = SECONDS[kind]
    seconds = round(rng.uniform(shortest, longest), 1)
    if kind in LONG and rng.randrange(ONE_IN) == 0:
        seconds = LONG[kind]
    share = round(rng.uniform(0, LATEST), 2)
    return Fault(kind, where, share, seconds, _how(rng, kind))


def _places(kind: Kind) -> tuple[str, ...]:
    if kind in PROXIED:
        return ways()
    if kind is Kind.FULL:
        return SERVERS
    if kind is Kind.CLOCK:
        return SERVICES
    if kind in LOSSES:
        return tuple(lost.BY_NAME)
    return (*SERVICES, *SERVERS)


def _how(rng: Random, kind: Kind) -> str:
    match kind:
        case Kind.DELAY:
            return f"{rng.choice((50, 150, 400))} ms"
        case Kind.TORN:
            return f"after {rng.choice((40, 700, 9000))} bytes"
        case Kind.HALF_OPEN:
            return rng.choice(("upstream", "downstream", "both ways"))
        case Kind.CLOCK:
            return rng.choice(("+1 h", "-1 h")) + rng.choice(("", FROM_ITS_START))
        case Kind.RECREATED:
            return rng.choice((WHILE_IT_STANDS, "while it is read"))
    return ""


def impossible(kind: Kind) -> str | None:
    """Return why a fault cannot be made here, or None."""
    if network.program() is None:
        return "toxiproxy is not installed"
    if kind is Kind.CLOCK and clocks.library() is None:
        return clocks.NOT_INSTALLED
    return volumes.forbidden() if kind is Kind.FULL else None


@asynccontextmanager
async def around(arena: Arena, fault: Fault) -> AsyncIterator[None]:
    """Do what must be done before a round's load begins, and undo it when all is quiet."""
    if fault.how.endswith(FROM_ITS_START):
        _set_clock(arena, fault)
        await arena.start_again(fault.where)
    yield
    if fault.kind is Kind.CLOCK:
        arena.set_clock(fault.where, timedelta())


def _set_clock(arena: Arena, fault: Fault) -> None:
    arena.set_clock(fault.where, HOUR if fault.how.startswith("+") else -HOUR)


async def strike(arena: Arena, fault: Fault) -> None:
    """Do it, wait, and let what ended or stood still go on."""
    match fault.kind:
        case Kind.KILL:
            await arena.world.kill(fault.where)
            await asyncio.sleep(fault.seconds)
            await arena.world.start(fault.where)
        case Kind.STOP:
            async with stopped(arena, fault.where):
                await asyncio.sleep(fault.seconds)
        case Kind.FULL:
            await _fill(arena, fault)
        case Kind.CLOCK:
            _set_clock(arena, fault)
        case Kind.EXPIRED:
            await lost.suffer(arena, fault.where, expired=True, stands=True)
        case Kind.RECREATED:
            stands = fault.how == WHILE_IT_STANDS
            await lost.suffer(arena, fault.where, expired=False, stands=stands)
        case kind if kind in PROXIED:
            await _spoil(arena, fault)
            await asyncio.sleep(fault.seconds)
            await arena.network.mend(fault.where)


async def repair(arena: Arena, fault: Fault, *, run: Run, chunk: Chunk) -> None:
    """Do what a person must, where one must: once the load has been sent."""
    if fault.kind in LOSSES:
        await lost.Loss.of(arena, fault.where).go_on(run, chunk)


async def _spoil(arena: Arena, fault: Fault) -> None:
    net, where = arena.network, fault.where
    match fault.kind:
        case Kind.CUT:
            await net.shut(where)
        case Kind.DELAY:
            latency = int(fault.how.split()[0])
            await net.spoil(where, "latency", {"latency": latency, "jitter": latency // 2})
        case Kind.TORN:
            limit = int(fault.how.split()[1])
            await net.spoil(where, "limit_data", {"bytes": limit}, ways=("downstream",))
        case Kind.RESET:
            await net.spoil(where, "reset_peer", {"timeout": 0})
        case Kind.HALF_OPEN:
            silent = network.BOTH if fault.how == "both ways" else (fault.how,)
            await net.spoil(where, "timeout", {"timeout": 0}, ways=silent)


async def _fill(arena: Arena, fault: Fault) -> None:
    """A server that ended for want of room is started again, as whoever made room would."""
    disk = arena.volumes[fault.where]
    assert disk is not None
    disk.fill()
    try:
        await asyncio.sleep(fault.seconds)
    finally:
        disk.free()
    await arena.world.start(fault.where)
