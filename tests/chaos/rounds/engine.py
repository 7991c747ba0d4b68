"""Rounds: a town's traffic and a fault in it, quiet, and what all towns came to so far."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ops.verifying import Outcome as Agreement
from ops.verifying import events, population, recomputed
from tests.chaos import picture
from tests.chaos.picture import Picture
from tests.chaos.rounds.arena import Arena, Ground, arena
from tests.chaos.rounds.faults import Fault, around, repair, strike
from tests.chaos.run import Run
from tests.chaos.town import JACARANDAS, Chunk, Town, chunks
from tests.support.waiting import eventually

logger = logging.getLogger(__name__)

CASES: Final = 24
LOAD_SECONDS: Final = 3.0
"""In which a round's events are sent, where nothing hinders them."""
WAIT_SECONDS: Final = 60
SAMPLE: Final = 5
"""Results that are made again after each round."""
ACCUSATIONS: Final = ("statements", "breaches", "mails", "actions")


@dataclass(frozen=True, slots=True)
class Stage:
    """A town, what happens there, and the faults that are to come into it."""

    town: Town
    chunk: Chunk
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round came to. `at`: events sent when each fault came; `quiet_after`: seconds."""

    stage: Stage
    at: Sequence[int]
    facts: int
    quiet_after: float
    differences: Sequence[str]
    imbalances: Sequence[str]
    accused: int
    ended: Sequence[str]

    @property
    def is_as_undisturbed(self) -> bool:
        return not (self.differences or self.imbalances or self.accused or self.ended)


def stages(
    seed: int, rounds: Sequence[Sequence[Fault]], *, cases: int = CASES, like: Town = JACARANDAS
) -> list[Stage]:
    """Return a town of its own for each round, in the zone and at the time of `like`."""
    found = []
    for number, faults in enumerate(rounds):
        town = replace(like, key=f"ronda-{seed}-{number}")
        [chunk] = chunks(seed * 1000 + number, 1, cases=cases, town=town)
        found.append(Stage(town, Chunk(number, chunk.emissions), faults))
    return found


async def undisturbed(on: Ground, folder: Path, acts: Sequence[Stage]) -> tuple[Picture, list[str]]:
    """Run all towns side by side without a fault; return what they came to, and what is wrong."""
    towns = [stage.town for stage in acts]
    async with arena(on, folder, towns) as calm:
        runs = [Run(calm.world, stage.town) for stage in acts]
        pairs = list(zip(runs, acts, strict=True))
        await asyncio.gather(*(run.traffic(stage.chunk) for run, stage in pairs))
        await asyncio.gather(*(run.end_of_data() for run in runs))
        await asyncio.gather(*(run.settle() for run in runs))
        seen = await picture.take(calm.world)
        return seen, await _imbalances(calm)


async def disturbed(
    on: Ground, folder: Path, acts: Sequence[Stage], *, calm: Picture
) -> AsyncIterator[Outcome]:
    """Run town after town, each with its fault, while the next one moves in."""
    async with arena(on, folder, [acts[0].town]) as here:
        for number, stage in enumerate(acts):
            following = acts[number + 1].town if number + 1 < len(acts) else None
            yield await _round(here, stage, following=following, calm=calm)


async def _round(here: Arena, stage: Stage, *, following: Town | None, calm: Picture) -> Outcome:
    run = Run(here.world, stage.town)
    here.world.ended.clear()
    towns = [town.key for town in here.towns]
    async with AsyncExitStack() as stack:
        for fault in stage.faults:
            logger.info("%s: %s", stage.town.key, fault)
            await stack.enter_async_context(around(here, fault))
        moving = asyncio.create_task(_move_in(here, following))
        at = await _suffer(here, run, stage)
        since = time.monotonic()
        await moving
        await run.finish()
        quiet_after = time.monotonic() - since
        seen = (await picture.take(here.world)).of(towns)
        post = await picture.delivered(here.world)
    differences = [*calm.of(towns).differences(seen), *post.faults]
    return Outcome(
        stage,
        at,
        seen.of([stage.town.key]).number("facts"),
        quiet_after,
        differences,
        await _imbalances(here),
        _accused(calm.of(towns), seen),
        [one for one in here.world.ended if one not in {fault.where for fault in stage.faults}],
    )


async def _move_in(here: Arena, town: Town | None) -> None:
    if town is not None:
        await here.move_in(town)


async def _suffer(here: Arena, run: Run, stage: Stage) -> list[int]:
    """Let the load begin and the faults come into it; return when, in events sent."""
    events = len(stage.chunk.emissions)
    load = asyncio.create_task(run.traffic(stage.chunk, pause=LOAD_SECONDS / events))

    async def come(fault: Fault) -> int:
        await eventually(lambda: run.sent >= fault.share * events, WAIT_SECONDS)
        at = run.sent
        await strike(here, fault)
        return at

    at = await asyncio.gather(*map(come, stage.faults))
    await load
    for fault in stage.faults:
        await repair(here, fault, run=run, chunk=stage.chunk)
    return at


def _accused(calm: Picture, seen: Picture) -> int:
    """Count who was accused here alone."""
    return sum((seen.lines[name] - calm.lines[name]).total() for name in ACCUSATIONS)


async def _imbalances(here: Arena) -> list[str]:
    """Return what does not balance, or is made again otherwise, as `ops verify` asks."""
    drawn = f"?sample={SAMPLE}&seed={len(here.towns)}"
    found = [
        *events(await _asked(here, "measurements", "/v1/balance")),
        *population(await _asked(here, "evaluator", "/v1/balance")),
        *recomputed(await _asked(here, "evaluator", f"/v1/recomputations{drawn}")),
    ]
    return [f"{each.what}: {each.told}" for each in found if each.outcome is not Agreement.AGREES]


async def _asked(here: Arena, service: str, path: str) -> Any:
    async with here.world.system.client(service) as http:
        return (await http.get(path, timeout=60)).raise_for_status().json()
