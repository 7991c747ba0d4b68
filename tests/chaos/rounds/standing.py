"""Processes that stand still and go on: SIGSTOP and SIGCONT."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import psutil

from deploy.local.processes import running
from tests.chaos.rounds.arena import Arena
from tests.chaos.world import KAFKA, SERVICES


@asynccontextmanager
async def stopped(arena: Arena, where: str) -> AsyncIterator[None]:
    """SIGSTOP for a process and all its children, and SIGCONT."""
    found = list(_processes(arena, where))
    for process in found:
        process.suspend()
    try:
        yield
    finally:
        for process in found:
            if process.is_running():
                process.resume()


def _processes(arena: Arena, where: str) -> Iterator[psutil.Process]:
    world = arena.world
    if where in SERVICES:
        yield psutil.Process(world.system.processes[where].process.pid)
        return
    server = world.servers.kafka if where == KAFKA else world.servers.postgres
    main = running(server.program().name, world.servers.places)
    assert main is not None, f"{where} is not running"
    yield main
    yield from main.children(recursive=True)
