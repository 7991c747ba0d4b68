"""`ops backup`: a copy is taken over the network, proved, restored elsewhere, rehearsed."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import pytest
import pytest_asyncio

from deploy.local.postgres import PostgresServer, _as_user, programs, wait_until_ready
from deploy.local.processes import Places, start, stop
from ops.backup.copies import BackupError, Copies
from ops.backup.rehearsing import rehearse
from ops.backup.restoring import restore
from tests.support.programs import PROJECT
from tests.support.servers import archive, free_port
from tests.support.waiting import eventually

PASSWORD = "of-the-role-that-copies"
ROLE = f"CREATE ROLE copies LOGIN REPLICATION PASSWORD '{PASSWORD}'"


@dataclass(frozen=True, slots=True)
class Machine:
    """A server with an archive, and a role that may copy it."""

    server: PostgresServer
    copies: Copies
    places: Places

    @property
    def url(self) -> str:
        return self.server.url_of("copies", PASSWORD, "postgres")

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "CARTAS_ENV_FILE": "/dev/null",
            "CARTAS_BACKUP_DIR": str(self.copies.folder),
            "CARTAS_BACKUP_DATABASE_URL": self.url,
            "CARTAS_BACKUP_PROGRAMS": str(programs()),
        }
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "TZ": "UTC", **own}

    def ops(
        self, *arguments: str, prefix: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*prefix, sys.executable, "-m", "ops", "backup", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    async def execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.server.url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def archive(self) -> None:
        await archive(self.server)


@contextmanager
def serving(server: PostgresServer, places: Places) -> Iterator[None]:
    process = start(server.program(), places)
    try:
        yield
    finally:
        stop(server.program(), places)
        process.wait()


@pytest_asyncio.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o011)
    copies = Copies(tmp_path / "copies", programs())
    server = PostgresServer(tmp_path / "first", free_port(), copies.wal)
    server.prepare()
    copies.wal.mkdir(parents=True)
    server.give(copies.folder, copies.wal)
    made = Machine(server, copies, Places.below(tmp_path / "first"))
    with serving(server, made.places):
        await wait_until_ready(server.url)
        await made.execute(ROLE, "CREATE TABLE folio (name text)")
        yield made


async def test_a_copy_and_the_archive_are_rehearsed_beside_the_server(machine: Machine) -> None:
    taken = machine.ops("take")
    assert taken.returncode == 0, taken.stderr
    assert "proved" in taken.stdout
    assert PASSWORD not in taken.stdout + taken.stderr
    await machine.execute("INSERT INTO folio VALUES ('after the copy')")
    await machine.archive()
    machine.server.give(*machine.copies.folder.rglob("*"))
    rehearsed = machine.ops("rehearse", prefix=tuple(_as_user()))
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert f"{machine.copies.all[-1].name}: 1 databases" in rehearsed.stdout
    assert f"the last commit of {datetime.now(UTC):%Y-%m-%d}" in rehearsed.stdout
    assert machine.ops("verify").stdout.endswith("is whole\n")
    assert machine.copies.all[-1].name in machine.ops("list").stdout.replace("/", " ")


async def test_what_is_restored_elsewhere_replays_to_the_instant_when_it_is_started(
    machine: Machine, tmp_path: Path
) -> None:
    assert machine.ops("take").returncode == 0
    await machine.execute("INSERT INTO folio VALUES ('A wanted')")
    until = datetime.now(UTC)
    await machine.execute("INSERT INTO folio VALUES ('B by mistake')")
    await machine.archive()
    other = PostgresServer(tmp_path / "second", free_port())
    other.home.mkdir()
    done = machine.ops("restore", "--to", str(other.data), "--until", until.isoformat())
    assert done.returncode == 0, done.stderr
    assert "without --until" in done.stdout
    other.password_file.write_text(machine.server.password_file.read_text())
    other.configure()
    other.give(other.data, *other.data.rglob("*"))
    with serving(other, Places.below(tmp_path / "second")):
        await wait_until_ready(other.url)
        connection = await asyncpg.connect(other.url)
        try:

            async def writable() -> bool:
                return not await connection.fetchval("SELECT pg_is_in_recovery()")

            await eventually(writable, 30, what="the end of the recovery")
            assert await connection.fetchval("SELECT array_agg(name) FROM folio") == ["A wanted"]
        finally:
            await connection.close()


async def test_a_damaged_copy_is_noticed(machine: Machine) -> None:
    assert machine.ops("take").returncode == 0
    copy = machine.copies.all[-1]
    archive = copy / "base.tar.gz"
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)
    found = machine.ops("verify")
    assert found.returncode == 1
    assert copy.name in found.stderr


async def test_a_manifest_that_was_changed_and_a_file_that_is_missing_are_noticed(
    machine: Machine,
) -> None:
    copy = machine.copies.take(machine.url)
    manifest = copy / "backup_manifest"
    said = manifest.read_text()
    manifest.write_text(
        said.replace('"Path": "PG_VERSION", "Size": 3', '"Path": "PG_VERSION", "Size": 4')
    )
    with pytest.raises(BackupError, match="manifest was changed"):
        machine.copies.verify(copy)
    manifest.write_text("{}")
    with pytest.raises(BackupError, match="cannot be read"):
        machine.copies.verify(copy)


async def test_nothing_is_put_where_a_server_runs(machine: Machine) -> None:
    assert machine.ops("take").returncode == 0
    refused = machine.ops("restore", "--to", str(machine.server.data))
    assert refused.returncode == 1
    assert "a server runs" in refused.stderr
    killed = machine.server.data.with_name("killed")
    killed.mkdir()
    (killed / "postmaster.pid").write_text("1\n")
    assert "--stopped" in machine.ops("restore", "--to", str(killed)).stderr
    forced = machine.ops("restore", "--to", str(killed), "--stopped")
    assert forced.returncode == 0, forced.stderr
    assert "is in" in forced.stdout
    naive = machine.ops("restore", "--to", "/nowhere", "--until", "2026-11-23T09:30")
    assert "say the zone" in naive.stderr
    to_come = machine.ops("restore", "--to", "/nowhere", "--until", "2126-11-23T09:30Z")
    assert "still to come" in to_come.stderr


async def test_a_restore_that_fails_leaves_everything_where_it_was(
    machine: Machine, tmp_path: Path
) -> None:
    """Started on half of it, the server would take the copy for all there is."""
    assert machine.ops("take").returncode == 0
    data = tmp_path / "stopped"
    data.mkdir()
    (data / "PG_VERSION").write_text("18\n")
    (machine.copies.all[-1] / "pg_wal.tar.gz").write_bytes(b"damaged")
    for _ in range(2):
        failed = machine.ops("restore", "--to", str(data))
        assert failed.returncode == 1
        assert "tar:" in failed.stderr
    assert [each.name for each in data.iterdir()] == ["PG_VERSION"]
    assert not list(tmp_path.glob("stopped *"))


def test_a_folder_of_copies_that_belongs_to_somebody_else_is_not_called_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root brings it to another machine: without the owners that it had."""
    copies = Copies(tmp_path / "copies")
    (copies.folder / "20261124T033000Z").mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(BackupError, match="belongs to user"):
        copies.before(None)


def test_where_no_server_can_be_started_nothing_is_rehearsed(tmp_path: Path) -> None:
    """In the image is only the program that copies."""
    copies = Copies(tmp_path / "copies", tmp_path)
    with pytest.raises(BackupError, match="pg_ctl is not in"):
        rehearse(copies, "postgresql://copies@postgres/postgres")


async def test_what_an_earlier_recovery_was_told_does_not_hold_again(
    machine: Machine, tmp_path: Path
) -> None:
    await machine.execute("ALTER SYSTEM SET recovery_target_time = '2026-01-01 00:00:00Z'")
    machine.copies.take(machine.url)
    restored = restore(machine.copies, tmp_path / "third", wal_as_seen=Path("/seen/wal"))
    told = (restored.data / "postgresql.auto.conf").read_text()
    assert "2026-01-01" not in told
    assert "gzip -dc /seen/wal/" in told


async def test_a_role_that_may_not_copy_is_told_so_and_leaves_no_copy(machine: Machine) -> None:
    await machine.execute("ALTER ROLE copies NOREPLICATION")
    refused = machine.ops("take")
    assert refused.returncode == 1
    assert "replication" in refused.stderr.lower()
    assert machine.copies.all == []
    assert machine.ops("list").returncode == 1


async def test_the_job_copies_at_once_and_tells_of_copies_and_of_an_archive_that_fails(
    machine: Machine,
) -> None:
    port = free_port()
    job = subprocess.Popen(  # noqa: ASYNC220 - it returns at once
        [sys.executable, "-m", "ops", "backup", "serve"],
        env={**machine.environment, "CARTAS_BACKUP_PORT": str(port)},
        stdout=subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(trust_env=False) as http:

            async def told() -> dict[str, float]:
                try:
                    text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
                except httpx.HTTPError:
                    return {}
                pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
                return {name: float(value) for name, value in pairs}

            async def has_copied() -> bool:
                return (await told()).get("cartas_backup_newest_timestamp_seconds", 0.0) > 0

            await eventually(has_copied, 60, what="a copy")
            seen = await told()
            assert seen["cartas_backup_copies"] == 1
            assert seen["cartas_backup_wal_failing"] == 0
            await machine.execute("ALTER SYSTEM SET archive_command = 'false'")
            await machine.execute("SELECT pg_reload_conf()", "SELECT pg_switch_wal()")
            await machine.execute("INSERT INTO folio VALUES ('x')", "SELECT pg_switch_wal()")

            async def fails() -> bool:
                return (await told()).get("cartas_backup_wal_failing") == 1

            await eventually(fails, 60, what="the failing archive")
    finally:
        job.terminate()
        assert job.wait(timeout=20) == 0
