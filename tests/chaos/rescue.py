"""What operators do with a running system, and after the worst; it comes to the same figures.

    python -m tests.chaos.rescue

A rolling restart under load. Databases whose content follows from Kafka, restored from a backup
that others have gone on from: they read again from the offsets of the backup.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncpg

from deploy.local.postgres import programs
from deploy.local.test_servers import TestServers
from tests.chaos import picture
from tests.chaos.picture import Picture
from tests.chaos.run import Run
from tests.chaos.town import Chunk, chunks
from tests.chaos.world import SERVICES, World, founded, own_servers

SEED: Final = 11
DERIVED: Final = ("measurements", "evaluator")
"""Whose facts, verdicts and results follow from what is on Kafka."""
STOPS_WITHIN_SECONDS: Final = 30
PACE_SECONDS: Final = 0.05
"""Between two events, so that each restart falls under load."""

Rescue = Callable[[Run, Sequence[Chunk]], Awaitable[None]]


async def undisturbed(run: Run, chunks: Sequence[Chunk]) -> None:
    """Send everything, and nothing happens."""
    for chunk in chunks:
        await run.traffic(chunk)


async def rolling_restart(run: Run, chunks: Sequence[Chunk]) -> None:
    """Restart one service after the other, each with SIGTERM and under load."""
    rest = iter(SERVICES)
    for chunk in chunks:
        traffic = asyncio.create_task(run.traffic(chunk, pause=PACE_SECONDS))
        while not traffic.done() and (service := next(rest, None)):
            await restart(run.world, service)
        await traffic
    for service in rest:
        await restart(run.world, service)


async def restart_and_restore(run: Run, chunks: Sequence[Chunk]) -> None:
    """Restart everything, back up, go on, lose the databases, restore the backup, go on."""
    first, second, *others = chunks
    await rolling_restart(run, [first])
    backups = {service: await back_up(run.world, service) for service in DERIVED}
    await run.traffic(second)
    await run.drain()
    for service, backup in backups.items():
        await restore(run.world, service, backup)
    await run.world.wait_until_ready()
    for chunk in others:
        await run.traffic(chunk)


async def restart(world: World, service: str) -> None:
    """End a service as its supervisor would, and start it again."""
    async with world.starting:
        await _end(world, service)
        await world.system.start(service)
    await world.wait_until_ready(service)


async def back_up(world: World, service: str) -> Path:
    """Write a service's database to a file, as it is at one instant."""
    file = world.folder / f"{service}.backup"
    await _program(
        "pg_dump", "--format=custom", f"--file={file}", world.system.database_url(service)
    )
    return file


async def restore(world: World, service: str, backup: Path) -> None:
    """Put the backup in the place of a service's database, and start the service again."""
    url = world.system.database_url(service)
    place, _, name = url.rpartition("/")
    async with world.starting:
        await _end(world, service)
        connection = await asyncpg.connect(f"{place}/postgres")
        try:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            await connection.execute(f'CREATE DATABASE "{name}"')
        finally:
            await connection.close()
        await _program("pg_restore", "--exit-on-error", f"--dbname={url}", str(backup))
        await world.system.start(service)


async def _end(world: World, service: str) -> None:
    process = world.system.processes[service].process
    if process.returncode is None:
        process.terminate()
        async with asyncio.timeout(STOPS_WITHIN_SECONDS):
            await process.wait()


async def _program(name: str, *arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        str(programs() / name),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{name}: {output.decode()}"


async def rescued(
    servers: TestServers, folder: Path, chunks: Sequence[Chunk], rescue: Rescue
) -> tuple[Picture, list[str]]:
    """Return what a run came to in which `rescue` happened, and its faults."""
    async with founded(servers, folder) as world:
        run = Run(world)
        await rescue(run, chunks)
        await run.finish()
        post = await picture.delivered(world)
        return await picture.take(world), [*post.faults, *await picture.balances(world)]


async def rehearse(folder: Path) -> list[str]:
    """Return what differs from an undisturbed run, and the faults of both."""
    traffic = chunks(SEED, 3, cases=12)
    async with own_servers(folder / "servers") as servers:
        calm, wrong = await rescued(servers, folder / "calm", traffic, undisturbed)
        for name in ("verdicts", "results", "breaches", "actions", "mails"):
            sys.stdout.write(f"{calm.number(name):6} {name}\n")
        seen, faults = await rescued(servers, folder / "rescued", traffic, restart_and_restore)
    return [*wrong, *faults, *map(str, calm.differences(seen))]


def main() -> None:
    """Rehearse it; the exit code is 1 where the figures differ."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user
        found = asyncio.run(rehearse(Path(folder)))
    told = "\n".join(found) or "a rolling restart and a restored backup: the same figures"
    sys.stdout.write(f"{told}\n")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
