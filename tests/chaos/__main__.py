"""`python -m tests.chaos`: run what is missing from the log, or what the options ask for."""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from tests.chaos.kills import Kill, planned
from tests.chaos.log import LOG, Line, Log
from tests.chaos.run import Outcome, perform
from tests.chaos.table import EQUAL
from tests.chaos.town import chunks
from tests.chaos.world import TARGETS, own_servers
from tests.support.revision import revision

KILLS: Final = 20
INSIDE: Final = 5
KILLS_A_RUN: Final = 4
CASES_A_KILL: Final = 8

logger = logging.getLogger(__name__)
Wanted = list[tuple[str, int, int]]


@click.command()
@click.option("--seed", type=int, help="Of traffic and instants; the next one by default.")
@click.option("--target", "targets", multiple=True, type=click.Choice(TARGETS))
@click.option("--kills", type=click.IntRange(1, 100), help="Of each target, in one run.")
@click.option("--inside", type=click.IntRange(0, 100), default=1, show_default=True)
@click.option("--log", "path", type=click.Path(path_type=Path), default=LOG)
def main(
    seed: int | None, targets: tuple[str, ...], *, kills: int | None, inside: int, path: Path
) -> None:
    """Kill services and servers while traffic runs; compare with an undisturbed run."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("tests.chaos").setLevel(logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its broker is killed on purpose
    log = Log(path)
    if kills is not None:
        wanted = [(target, kills, min(inside, kills)) for target in targets or TARGETS]
        _run(log, seed or log.next_seed(), wanted)
        return
    while wanted := missing(log, targets or TARGETS):
        _run(log, seed or log.next_seed(), wanted)
        if seed is not None:
            return


def missing(log: Log, targets: Sequence[str]) -> Wanted:
    """Return what the next run is to kill of the targets that were not killed often enough."""
    wanted: Wanted = []
    for target in targets:
        done = log.done(target)
        kills = min(KILLS_A_RUN, max(KILLS - done.kills, INSIDE - done.inside))
        if kills > 0:
            runs_left = -(-(KILLS - done.kills) // KILLS_A_RUN) or 1
            wanted.append((target, kills, -(-max(INSIDE - done.inside, 0) // runs_left)))
    return wanted


def _run(log: Log, seed: int, wanted: Wanted) -> None:
    kills = planned(seed, wanted)
    calm, disturbed = asyncio.run(_both(seed, kills))
    differences = calm.picture.differences(disturbed.picture)
    faults = [*calm.faults, *disturbed.faults, *differences]
    for fault in faults:
        logger.error("%s", fault)
    log.add(_lines(seed, kills, disturbed, compared=f"{len(faults)} faults" if faults else EQUAL))
    if faults:
        raise click.ClickException(f"seed {seed}: {len(faults)} faults")


async def _both(seed: int, kills: Sequence[Kill]) -> tuple[Outcome, Outcome]:
    traffic = chunks(seed, len(kills), cases=CASES_A_KILL)
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    async with own_servers(folder / "servers") as servers:
        logger.info("seed %d: undisturbed, %d kills to come; %s", seed, len(kills), folder)
        calm = await perform(servers, folder / "calm", traffic, kills, disturbed=False)
        logger.info("seed %d: disturbed", seed)
        disturbed = await perform(servers, folder / "kills", traffic, kills, disturbed=True)
    return calm, disturbed


def _lines(seed: int, kills: Sequence[Kill], outcome: Outcome, *, compared: str) -> list[Line]:
    picture = outcome.picture
    lines = []
    for target in dict.fromkeys(kill.target for kill in kills):
        mine = [
            (kill, instant)
            for kill, instant in zip(kills, outcome.instants, strict=True)
            if kill.target == target
        ]
        lines.append(
            Line(
                day=f"{datetime.now(UTC):%Y-%m-%d}",
                code=revision(),
                seed=seed,
                target=target,
                kills=len(mine),
                inside=sum(kill.held is not None for kill, _ in mine),
                instants=", ".join(_instant(kill, instant) for kill, instant in mine),
                events=picture.number("facts"),
                judged=picture.number("verdicts"),
                breaches=picture.number("breaches"),
                actions=picture.number("actions"),
                mails=f"{outcome.post.number} ({outcome.post.repeated})",
                compared=compared,
            )
        )
    return lines


def _instant(kill: Kill, instant: int) -> str:
    return f"{instant} ({kill.inside})" if kill.held else str(instant)


if __name__ == "__main__":
    main()
