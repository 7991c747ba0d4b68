"""`python -m tests.chaos.rounds`: run as many rounds as are wanted in the log."""

import asyncio
import logging
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from tests.chaos.rounds.arena import ground
from tests.chaos.rounds.engine import Outcome, disturbed, stages, undisturbed
from tests.chaos.rounds.faults import DECK, Fault, Kind, impossible, planned
from tests.chaos.rounds.log import LOG, Line, Log, named
from tests.chaos.rounds.seasons import clock_of, lives_through_a_change, town_at
from tests.support.revision import revision

ROUNDS: Final = 200

logger = logging.getLogger(__name__)


@click.command()
@click.option("--seed", type=int, help="Of traffic and faults; the next one by default.")
@click.option("--rounds", default=ROUNDS, show_default=True, help="To be in the log at the end.")
@click.option(
    "--fault",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in Kind]),
    help="Only these.",
)
@click.option("--log", "path", type=click.Path(path_type=Path), default=LOG)
def main(seed: int | None, rounds: int, *, kinds: tuple[str, ...], path: Path) -> None:
    """Let faults fall into traffic, and compare with an undisturbed run."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("tests.chaos").setLevel(logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its broker is hurt on purpose
    log = Log(path)
    deck = _possible([Kind(kind) for kind in kinds] or DECK)
    while (left := rounds - log.done().total()) > 0:
        chosen = log.next_seed() if seed is None else seed
        asyncio.run(_run(log, chosen, planned(chosen, deck)[:left]))
        if seed is not None:
            return


def _possible(kinds: Sequence[Kind]) -> list[Kind]:
    reasons = {kind: reason for kind in kinds if (reason := impossible(kind))}
    for kind, reason in reasons.items():
        logger.warning("no %s: %s", kind, reason)
    found = [kind for kind in kinds if kind not in reasons]
    if not found:
        raise click.ClickException("no fault is possible here")
    return found


async def _run(log: Log, seed: int, faults: Sequence[Fault]) -> None:
    clock = clock_of(seed)
    acts = stages(seed, [[fault] for fault in faults], like=town_at(clock))
    folder = Path(tempfile.mkdtemp(prefix="rounds-"))
    logger.info("seed %d: %d rounds in %s", seed, len(acts), folder)
    async with ground(folder, clock=clock) as on:
        calm, wrong = await undisturbed(on, folder / "calm", acts)
        if wrong:
            raise click.ClickException(f"undisturbed: {wrong}")
        async for outcome in disturbed(on, folder / "rounds", acts, calm=calm):
            log.add([_line(seed, outcome)])
            if not outcome.is_as_undisturbed:
                _tell(outcome)
                raise click.ClickException(f"seed {seed}: {outcome.stage.town.key} in {folder}")


def _tell(outcome: Outcome) -> None:
    for what in (*outcome.differences, *outcome.imbalances, *outcome.ended):
        logger.error("%s", what)


def _line(seed: int, outcome: Outcome) -> Line:
    [fault], [at] = outcome.stage.faults, outcome.at
    season = "summer time changes" if lives_through_a_change(seed) else ""
    return Line(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        code=revision(),
        seed=seed,
        fault=fault.kind,
        where=", ".join(filter(None, (fault.where, fault.how, season))),
        lasted=f"{fault.seconds:g} s" if fault.seconds else "-",
        at=f"{at} of {len(outcome.stage.chunk.emissions)}",
        facts=outcome.facts,
        quiet_after=f"{outcome.quiet_after:.1f}",
        compared=named(outcome.differences),
        balances="hold" if not outcome.imbalances else "; ".join(outcome.imbalances)[:200],
        accused=outcome.accused,
        ended=len(outcome.ended),
    )


if __name__ == "__main__":
    main()
