"""Faults of the job that copies PostgreSQL: it is started with a folder as the fault leaves it."""

import os
import sys
from asyncio.subprocess import create_subprocess_exec
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.clock import utc_now
from tests.support.programs import PROJECT
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.alerts.stage import Stage

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def copied(ago: timedelta) -> "Callable[[Stage], AbstractAsyncContextManager[None]]":
    """Return the fault: the newest copy is so old, and no other can be made."""

    @asynccontextmanager
    async def provoke(stage: "Stage") -> AsyncIterator[None]:
        async with _job(stage, NOWHERE, newest=ago):
            yield

    return provoke


@asynccontextmanager
async def wal_not_archived(stage: "Stage") -> AsyncIterator[None]:
    """The stage's server does not archive; the copy itself is fresh."""
    async with _job(stage, stage.servers.postgres.url, newest=timedelta()):
        yield


@asynccontextmanager
async def _job(stage: "Stage", url: str, *, newest: timedelta) -> AsyncIterator[None]:
    folder, port = stage.folder / f"copies-{newest.total_seconds():.0f}", stage.backup_port
    (folder / f"{utc_now() - newest:%Y%m%dT%H%M%SZ}").mkdir(parents=True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT),
        "CARTAS_ENV_FILE": os.devnull,
        "CARTAS_BACKUP_DIR": str(folder),
        "CARTAS_BACKUP_DATABASE_URL": url,
        "CARTAS_BACKUP_PORT": str(port),
    }
    with (stage.folder / "backup.log").open("ab") as log:
        job = await create_subprocess_exec(
            sys.executable, "-m", "ops", "backup", "serve", env=environment, stdout=log, stderr=log
        )
    stage.watch.look_at("backup", [f"127.0.0.1:{port}"])
    try:
        yield
    finally:
        # A copy of now: what the job says last, and is remembered, is that all is well.
        (folder / f"{utc_now():%Y%m%dT%H%M%SZ}").mkdir(exist_ok=True)

        async def is_fresh() -> bool:
            return bool(await stage.watch.query("backup:age:seconds < 3600"))

        await eventually(is_fresh, 60, what="a fresh copy is told")
        job.terminate()
        await job.wait()
        stage.watch.look_at("backup", [])
