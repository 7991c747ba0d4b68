"""One fault: provoked, its alert told to whom it is for, mended, told as over, the system well."""

import logging
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from time import time
from typing import Final

from tests.alerts.log import Line
from tests.alerts.plan import Fault
from tests.alerts.stage import Stage
from tests.alerts.watching import Notice
from tests.support.alerting import alerts
from tests.support.revision import revision
from tests.support.waiting import eventually

SECONDS: Final = 240.0
RECEIVERS: Final = {"critical": "operators-now", "warning": "operators", "none": "watchdog"}
Told = tuple[Notice, set[str]]
"""The notice, and the names of what is held back."""

logger = logging.getLogger("tests.alerts")


def severity_of(fault: Fault) -> str:
    """Return that of the fault's rule."""
    rule = next(
        rule
        for rule in alerts()
        if rule.name == fault.alert and fault.severity in {None, rule.labels["severity"]}
    )
    return rule.labels["severity"]


async def one(stage: Stage, fault: Fault) -> Line:
    """Return what was seen of a fault; a line that is not seen leaves a stage of no more use."""
    if reason := fault.needs(stage):
        return unseen(fault, reason)
    try:
        line = await _see(stage, fault)
        await stage.well()
    except Exception as error:
        logger.exception("%s", fault.alert)
        return unseen(fault, str(error) or type(error).__name__)
    return line


def unseen(fault: Fault, reason: str) -> Line:
    """Return the line of a fault that was not seen."""
    said = " ".join(reason.split()).replace("|", "/")
    seen = f"not seen: {said[:160]}"
    return Line(fault.alert, severity_of(fault), fault.how, seen, revision())


async def _see(stage: Stage, fault: Fault) -> Line:
    key, resolved, webhook = (fault.alert, severity_of(fault)), "", stage.watch.webhook
    stage.strike()
    async with fault.provoke(stage):
        begun = stage.struck_at if fault.resolves else 0.0
        told = await _caught(_told(stage, fault, begun))
        mended = time()
    if isinstance(told, AssertionError):  # only now that it is mended
        raise told
    notice, held_back = told
    if fault.resolves:
        end = await webhook.told(*key, "resolved", since=notice.at, seconds=SECONDS)
        resolved = _seconds(max(mended, end.at), mended)
    beside = _beside(webhook.since(begun), fault)
    assert not (fault.alone and beside), f"also told: {beside}"
    states = [await stage.watch.first(*key, state, begun) for state in ("pending", "firing")]
    pending, firing, at = (
        _seconds(at, begun) if fault.resolves else "" for at in (*states, notice.at)
    )
    return Line(
        *(*key, fault.how, datetime.now(UTC).date().isoformat(), revision()),
        *(pending, firing, at, resolved, notice.annotations["resumen"]),
        *(", ".join(sorted(held_back)), ", ".join(beside)),
    )


def _seconds(at: float | None, since: float) -> str:
    return "-" if at is None else f"{at - since:.0f} s"


async def _told(stage: Stage, fault: Fault, begun: float) -> Told:
    """Wait until it is told and what follows from it is not; return the notice, and what it is."""
    severity = severity_of(fault)
    webhook = stage.watch.webhook
    notice = await webhook.told(fault.alert, severity, "firing", since=begun, seconds=SECONDS)
    assert notice.receiver == RECEIVERS[severity], notice

    async def all_held_back() -> bool:
        return await stage.watch.held_back() >= fault.follows

    await eventually(all_held_back, SECONDS, what=f"{sorted(fault.follows)} are held back")
    return notice, await stage.watch.held_back()


async def _caught(telling: Coroutine[None, None, Told]) -> Told | AssertionError:
    try:
        return await telling
    except AssertionError as error:
        return error


def _beside(notices: Sequence[Notice], fault: Fault) -> list[str]:
    told = {each.alert for each in notices if each.status == "firing"}
    return sorted(told - {fault.alert, "Watchdog"})
