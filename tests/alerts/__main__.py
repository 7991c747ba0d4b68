"""`python -m tests.alerts`: provoke every fault that the log does not have, or those named."""

import asyncio
import logging
import tempfile
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from time import monotonic

import click

from tests.alerts import log
from tests.alerts.plan import FAULTS, Fault
from tests.alerts.seeing import one, severity_of, unseen
from tests.alerts.stage import staged

logger = logging.getLogger("tests.alerts")


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([fault.alert for fault in FAULTS]))
@click.option("--again", is_flag=True, help="Also those that the log has.")
def main(names: tuple[str, ...], *, again: bool) -> None:
    """Provoke faults one after the other and write down which alerts were told."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logger.setLevel(logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its broker is killed on purpose
    seen = {key for key, line in log.read().items() if line.is_seen}
    chosen = [
        fault
        for fault in FAULTS
        if fault.alert in names or (not names and (again or _key(fault) not in seen))
    ]
    began = monotonic()
    asyncio.run(_run(chosen))
    lines = log.read()
    if not all(lines[_key(fault)].is_seen for fault in chosen):
        raise click.ClickException("not all alerts were told as they should: see the log")
    if len(chosen) == len(FAULTS):
        log.write(lines, whole=_said(monotonic() - began))


def _said(seconds: float) -> str:
    return (
        f"All {len(FAULTS)} faults were provoked in one run, one after the other without a break:"
        f" {seconds:,.0f} s."
    )


def _key(fault: Fault) -> tuple[str, str]:
    return fault.alert, severity_of(fault)


async def _run(faults: Iterable[Fault]) -> None:
    """Provoke all; a fault that was not seen, or left something behind, costs its system."""
    left = deque(faults)
    while left:
        before = len(left)
        try:
            await _go_on(left)
        except Exception as error:  # the system did not come up, or does not go down
            logger.exception("system")
            if len(left) == before:
                _note(unseen(left.popleft(), f"no system: {error}"))


async def _go_on(left: deque[Fault]) -> None:
    """Take faults from the left while the system is well, and as the next one wants it."""
    brokers = left[0].brokers
    folder = Path(tempfile.mkdtemp(prefix="alerts-"))
    logger.info("folder %s", folder)
    async with staged(folder, brokers=brokers) as stage:
        while left and left[0].brokers == brokers:
            fault = left.popleft()
            logger.info("%s: %s", fault.alert, fault.how)
            line = await one(stage, fault)
            _note(line)
            if not (line.is_seen or fault.needs(stage)):
                return


def _note(line: log.Line) -> None:
    logger.info("%s: %s", line.alert, line)
    log.write({**log.read(), line.key: line})


if __name__ == "__main__":
    main()
