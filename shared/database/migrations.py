"""Schema migrations: plain SQL, forward only, applied once under a lock, checksums kept."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from shared.database.pool import Connection
from shared.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[2]
MESSAGING = ROOT / "shared" / "messaging" / "migrations"

CREATE_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migration (
    name text PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
# One migration at a time for each database, whoever starts first.
LOCK = "SELECT pg_advisory_lock(hashtext('schema_migration'))"
UNLOCK = "SELECT pg_advisory_unlock(hashtext('schema_migration'))"
APPLIED = "SELECT name, checksum FROM schema_migration"
RECORD = "INSERT INTO schema_migration (name, checksum) VALUES ($1, $2)"
HAS_LEDGER = "SELECT to_regclass('schema_migration') IS NOT NULL"


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file."""

    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """SHA-256 of the file: an applied migration is never edited."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_of(service: str) -> list[Migration]:
    """Return the messaging tables first, then the service's own files, in order of their names."""
    own = ROOT / "services" / service / "migrations"
    return [
        Migration(f"{owner}/{path.name}", path.read_text(encoding="utf-8"))
        for owner, folder in (("messaging", MESSAGING), (service, own))
        for path in sorted(folder.glob("*.sql"))
    ]


def schema_version(service: str) -> str:
    """Return the name of the service's own last migration, without its ending."""
    return migrations_of(service)[-1].name.removesuffix(".sql")


async def migrate(database_url: str, service: str) -> list[str]:
    """Apply what is missing, each file in its own transaction; return the names applied.

    Raises ConfigurationError when an applied file was changed since.
    """
    connection = await asyncpg.connect(database_url, server_settings={"lock_timeout": "4s"})
    try:
        await connection.execute("SET lock_timeout = 0")
        await connection.fetchval(LOCK)
        await connection.execute("SET lock_timeout = '4s'")
        try:
            # Under the lock: even IF NOT EXISTS fails where two make the same table at once.
            await connection.execute(CREATE_LEDGER)
            return [
                migration.name
                for migration in await _missing(connection, service)
                if await _apply(connection, migration)
            ]
        finally:
            await connection.fetchval(UNLOCK)
    finally:
        await connection.close()


async def _missing(connection: Connection, service: str) -> list[Migration]:
    applied = {row["name"]: row["checksum"] for row in await connection.fetch(APPLIED)}
    wanted = migrations_of(service)
    for migration in wanted:
        known = applied.get(migration.name, migration.checksum)
        if known != migration.checksum:
            raise ConfigurationError(f"migration {migration.name} was changed after it was applied")
    unknown = applied.keys() - {migration.name for migration in wanted}
    if unknown:
        raise ConfigurationError(f"the database is newer than this program: {sorted(unknown)}")
    return [migration for migration in wanted if migration.name not in applied]


async def _apply(connection: Connection, migration: Migration) -> bool:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(RECORD, migration.name, migration.checksum)
    return True


async def check_schema(connection: Connection, service: str) -> None:
    """Raise ConfigurationError unless exactly this program's migrations are applied."""
    if not await connection.fetchval(HAS_LEDGER) or await _missing(connection, service):
        raise ConfigurationError(
            f"the schema of {service} is not current: run `python -m services.{service} migrate`"
        )
