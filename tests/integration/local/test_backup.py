"""A copy and the archived WAL bring back what was committed: another machine, a damaged disk."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil
import pytest
import pytest_asyncio

from deploy.local.backup import Backups
from deploy.local.errors import LocalError
from deploy.local.postgres import PostgresServer, wait_until_ready
from deploy.local.processes import Places, running, start, stop
from tests.support.servers import archive, free_port


class Machine:
    """A PostgreSQL of its own with a folder for copies, which may be another machine's."""

    def __init__(self, home: Path, copies: Path) -> None:
        server = PostgresServer(home / "postgres", free_port(), copies / "wal")
        server.home.mkdir(parents=True)
        self.backups = Backups(copies, server, Places.below(home), home / "env")

    @property
    def server(self) -> PostgresServer:
        return self.backups.server

    async def start(self) -> None:
        self.server.prepare()
        self.process = start(self.server.program(), self.backups.places)
        await wait_until_ready(self.server.url)

    def stop(self) -> None:
        stop(self.server.program(), self.backups.places)
        self.process.wait()

    def crash(self) -> None:
        process = running("postgres", self.backups.places)
        assert process is not None
        victims = [process, *process.children(recursive=True)]
        for victim in victims:
            victim.kill()
        self.process.wait()
        psutil.wait_procs(victims, timeout=10)

    async def file(self, folio: str) -> datetime:
        """Commit a folio; return an instant after that."""
        connection = await asyncpg.connect(self.server.url)
        try:
            await connection.execute("CREATE TABLE IF NOT EXISTS folio (name text)")
            await connection.execute("INSERT INTO folio VALUES ($1)", folio)
            at: datetime = await connection.fetchval("SELECT clock_timestamp()")
            return at
        finally:
            await connection.close()

    async def archive(self) -> None:
        await archive(self.server)

    async def folios(self) -> list[str]:
        connection = await asyncpg.connect(self.server.url)
        try:
            rows = await connection.fetch("SELECT name FROM folio ORDER BY name")
        finally:
            await connection.close()
        return [row["name"] for row in rows]


@pytest_asyncio.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    made = Machine(tmp_path / "first", tmp_path / "copies")
    made.backups.settings.write_text("CARTAS_SECRET=x\n")
    await made.start()
    try:
        yield made
    finally:
        made.stop()


async def test_another_machine_goes_on_from_the_copy_and_the_archive(
    machine: Machine, tmp_path: Path
) -> None:
    await machine.file("A in the copy")
    machine.backups.take()
    await machine.file("B in the archive")
    await machine.archive()
    await machine.file("C on the lost disk only")
    machine.crash()
    other = Machine(tmp_path / "second", machine.backups.folder)
    restored = await other.backups.restore()
    assert restored.last_commit is not None
    assert other.backups.settings.read_text() == "CARTAS_SECRET=x\n"
    await other.start()
    try:
        assert await other.folios() == ["A in the copy", "B in the archive"]
        await other.file("D goes on")
        other.backups.take()
    finally:
        other.stop()


async def test_where_only_the_tables_are_damaged_nothing_is_lost(machine: Machine) -> None:
    await machine.file("A in the copy")
    machine.backups.take()
    await machine.file("B not archived yet")
    machine.crash()
    for table in (machine.server.data / "base").rglob("*"):
        if table.is_file():
            table.write_bytes(b"")
    restored = await machine.backups.restore()
    assert restored.before is not None
    await machine.start()
    assert await machine.folios() == ["A in the copy", "B not archived yet"]


async def test_a_mistake_is_undone_by_going_back_to_before_it(machine: Machine) -> None:
    machine.backups.take()
    before = await machine.file("A wanted")
    await machine.file("B by mistake")
    await machine.archive()
    machine.stop()
    await machine.backups.restore(until=before)
    await machine.start()
    assert await machine.folios() == ["A wanted"]
    await machine.file("C goes on")
    await machine.archive()
    machine.stop()
    await machine.backups.restore()
    await machine.start()
    assert await machine.folios() == ["A wanted", "C goes on"]


async def test_old_copies_go_with_the_wal_that_only_they_needed(machine: Machine) -> None:
    first = machine.backups.take()
    kept: list[Path] = []
    for number in range(2):
        await machine.file(f"A {number}")
        await machine.archive()
        renamed = machine.backups.folder / f"2026010{number + 1}T000000Z"
        machine.backups.copies[-1].rename(renamed)  # copies of one second would share a name
        kept.append(machine.backups.take())
    assert not first.exists()
    assert len(machine.backups.copies) == 2
    machine.stop()
    await machine.backups.restore()
    await machine.start()
    assert await machine.folios() == ["A 0", "A 1"]


async def test_what_cannot_be_done_is_said(machine: Machine) -> None:
    with pytest.raises(LocalError, match="is running"):
        await machine.backups.restore()
    machine.stop()
    with pytest.raises(LocalError, match="no copy"):
        await machine.backups.restore(until=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(LocalError, match="not running"):
        machine.backups.take()
    lost = replace(machine.backups, folder=machine.backups.folder / "none")
    with pytest.raises(LocalError, match="no copy"):
        await lost.restore()
