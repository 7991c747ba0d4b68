"""`python -m tests.alerts`: provoke every fault that the log does not have, or those named."""

import asyncio
import logging
import tempfile
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Final

import click

from tests.alerts import log
from tests.alerts.log import Line
from tests.alerts.plan import FAULTS, Fault
from tests.alerts.stage import Stage, staged
from tests.alerts.watching import Notice
from tests.support.alerting import alerts
from tests.support.waiting import eventually

SECONDS: Final = 240.0
CALM_SECONDS: Final = 60.0
RECEIVERS: Final = {"critical": "operators-now", "warning": "operators", "none": "watchdog"}

logger = logging.getLogger(__name__)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--again", is_flag=True, help="Also those that the log has.")
def main(names: tuple[str, ...], *, again: bool) -> None:
    """Provoke faults one after the other and write down which alerts were told."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("tests.alerts").setLevel(logging.INFO)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its broker is killed on purpose
    seen = {key for key, line in log.read().items() if line.seen[:2] == "20"}
    chosen = [
        fault
        for fault in FAULTS
        if fault.alert in names or (not names and (again or _key(fault) not in seen))
    ]
    if chosen and not asyncio.run(_run(chosen)):
        raise click.ClickException("not all alerts were told as they should: see the log")


def _key(fault: Fault) -> tuple[str, str]:
    return fault.alert, _severity(fault)


def _severity(fault: Fault) -> str:
    """Return that of the fault's rule."""
    rule = next(
        rule
        for rule in alerts()
        if rule.name == fault.alert and fault.severity in {None, rule.labels["severity"]}
    )
    return rule.labels["severity"]


async def _run(faults: Sequence[Fault]) -> bool:
    folder = Path(tempfile.mkdtemp(prefix="alerts-"))
    logger.info("folder %s", folder)
    lines = log.read()
    async with staged(folder) as stage:
        for fault in faults:
            line = await _one(stage, fault)
            logger.info("%s: %s", fault.alert, line)
            lines[line.key] = line
            log.write(lines)
        for job in await stage.watch.query("max by (job) (scrape_samples_scraped)"):
            logger.info("%s shows %s series", job["metric"]["job"], job["value"][1])
    return all(lines[_key(fault)].seen[:2] == "20" for fault in faults)


async def _one(stage: Stage, fault: Fault) -> Line:
    if reason := fault.needs(stage):
        return _unseen(fault, reason)
    try:
        return await _see(stage, fault)
    except Exception as error:
        logger.exception("%s", fault.alert)
        said = " ".join(str(error).split()).replace("|", "/")
        return _unseen(fault, f"not seen: {said[:160] or type(error).__name__}")


def _unseen(fault: Fault, reason: str) -> Line:
    return Line(*_key(fault), fault.how, "", "", "", "", "", "", reason)


async def _see(stage: Stage, fault: Fault) -> Line:
    key, resolved = _key(fault), ""
    await _calm(stage)
    begun = monotonic() if fault.resolves else 0.0
    async with fault.provoke(stage):
        firing = await _caught(_told(stage, fault, begun))
        mended = monotonic()
    if isinstance(firing, AssertionError):  # only now that it is mended
        raise firing
    notice, held_back = firing
    if fault.resolves:
        end = await stage.watch.webhook.told(*key, "resolved", since=notice.at, seconds=SECONDS)
        resolved = f"{max(0.0, end.at - mended):.0f} s"
    beside = _beside(stage.watch.webhook.since(begun), fault)
    assert not (fault.alone and beside), f"also told: {beside}"
    return Line(
        *(*key, fault.how, f"{notice.at - begun:.0f} s" if fault.resolves else "", resolved),
        *(notice.receiver, notice.annotations["resumen"], ", ".join(sorted(held_back))),
        *(", ".join(beside), datetime.now(UTC).date().isoformat()),
    )


async def _told(stage: Stage, fault: Fault, begun: float) -> tuple[Notice, set[str]]:
    """Wait until it is told and what follows from it is not; return the notice, and what it is."""
    severity = _severity(fault)
    webhook = stage.watch.webhook
    notice = await webhook.told(fault.alert, severity, "firing", since=begun, seconds=SECONDS)
    assert notice.receiver == RECEIVERS[severity], notice

    async def all_held_back() -> bool:
        return await stage.watch.held_back() >= fault.follows

    await eventually(all_held_back, SECONDS, what=f"{fault.follows} are held back")
    return notice, await stage.watch.held_back()


async def _caught(
    telling: Coroutine[None, None, tuple[Notice, set[str]]],
) -> tuple[Notice, set[str]] | AssertionError:
    try:
        return await telling
    except AssertionError as error:
        return error


async def _calm(stage: Stage) -> None:
    """Wait until nothing of the fault before is left; what goes on is told beside the next."""

    async def nothing_fires() -> bool:
        left = await stage.watch.query('ALERTS{alertstate="firing",alertname!="Watchdog"}')
        assert not left, [each["metric"]["alertname"] for each in left]
        return True

    try:
        await eventually(nothing_fires, CALM_SECONDS, what="nothing fires")
    except AssertionError as error:
        logger.warning("%s", error)


def _beside(notices: Sequence[Notice], fault: Fault) -> list[str]:
    told = {each.alert for each in notices if each.status == "firing"}
    return sorted(told - {fault.alert, "Watchdog"})


if __name__ == "__main__":
    main()
