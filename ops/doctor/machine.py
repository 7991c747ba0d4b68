"""This machine, the copies, and the clocks that the services go by."""

import platform
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx

from ops.backup.copies import Copies, begun_at
from ops.doctor.findings import Finding, mend, unknown, well
from ops.looking import ANSWERS_WITHIN_SECONDS, Look, Samples
from shared.clock import utc_now

LEAST_PYTHON: Final = (3, 11)
FREE_PERCENT: Final = 10
COPIED_WITHIN: Final = timedelta(hours=26)
CLOCK_AGREES_WITHIN: Final = timedelta(seconds=5)
NEWEST: Final = "cartas_backup_newest_timestamp_seconds"


def python() -> Finding:
    """Return whether the interpreter is new enough."""
    if sys.version_info < LEAST_PYTHON:
        return mend("Python", platform.python_version(), "Python 3.11 or newer")
    return well("Python", platform.python_version())


def disks(folders: dict[str, Path | None]) -> Iterator[Finding]:
    """Yield how full the disk of each folder is that there is here."""
    for name, folder in folders.items():
        if folder is None or not folder.is_dir():
            continue
        usage = shutil.disk_usage(folder)
        free = usage.free * 100 // usage.total
        told = f"{free} % of {usage.total // 10**9} GB free"
        if free < FREE_PERCENT:
            yield mend(f"disk of {name}", told, "a larger disk; see docs/runbooks/DiskFills.md")
        else:
            yield well(f"disk of {name}", told)


def clocks(looked: Look) -> Iterator[Finding]:
    """Yield each service whose clock is not this machine's, and whether all others agree."""
    agree = 0
    for answer in looked.answers:
        told = answer.samples.total("cartas_clock_timestamp_seconds")
        if told is None:
            continue
        off = abs(datetime.fromtimestamp(told, UTC) - looked.at)
        if off > CLOCK_AGREES_WITHIN:
            what = f"clock of {answer.service}"
            yield mend(what, f"{off.total_seconds():.0f} s off this machine's", "set it by NTP")
        else:
            agree += 1
    if agree:
        yield well("clocks of the services", f"{agree} agree with this machine's")


async def backup(folder: Path | None, address: str | None) -> Finding:
    """Return how old the newest copy is, by its folder where it is here, else by the job."""
    do = "set up the copies: docs/guides/operators.md"
    if folder is not None and folder.is_dir():
        copies = Copies(folder).all
        return _age(begun_at(copies[-1]) if copies else None)
    if address is None:
        return unknown("backup", "neither CARTAS_BACKUP_DIR nor CARTAS_BACKUP_URL is set here", do)
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=ANSWERS_WITHIN_SECONDS) as http:
            told = Samples((await http.get(f"{address}/metrics")).text).total(NEWEST)
    except (httpx.HTTPError, ValueError) as error:
        return unknown("backup", error, "is the job up that makes copies?")
    return _age(datetime.fromtimestamp(told, UTC) if told else None)


def _age(newest: datetime | None) -> Finding:
    do = "docs/runbooks/BackupOld.md"
    if newest is None:
        return mend("backup", "there is no copy", do)
    old = utc_now() - newest
    told = f"the newest copy is of {newest:%Y-%m-%d %H:%M} UTC"
    return mend("backup", told, do) if old > COPIED_WITHIN else well("backup", told)
