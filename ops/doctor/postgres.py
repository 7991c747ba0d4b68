"""PostgreSQL, as each service sees it: version, schema, what its role may, clock and settings."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

import asyncpg

from ops.doctor.findings import Finding, mend, unknown, well
from ops.settings import SERVICES
from shared.clock import machine_now
from shared.database import Connection, check_schema, schema_version
from shared.errors import ConfigurationError
from shared.settings import ServiceSettings

ANSWERS_WITHIN_SECONDS: Final = 5.0
OLDEST: Final = 15
CLOCK_AGREES_WITHIN: Final = timedelta(seconds=2)
OWN_CONNECTIONS: Final = 4
"""Of a process beside its pool: relays and listeners."""

REFUSALS: Final = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)

SERVER: Final = """
SELECT current_setting('server_version_num')::integer / 10000 AS major,
       current_setting('server_version') AS version,
       current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
           AND current_setting('synchronous_commit') <> 'off' AS durable,
       current_setting('max_connections')::integer AS connections,
       clock_timestamp() AS now
"""
ROLE: Final = """
SELECT rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
       ARRAY(SELECT datname::text FROM pg_database
             WHERE datname <> current_database() AND datname = ANY ($1::text[])
               AND has_database_privilege(datname, 'CONNECT')) AS others,
       ARRAY(SELECT relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p')
               AND NOT has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')) AS closed
FROM pg_roles WHERE rolname = current_user
"""
TOO_MUCH: Final = {
    "rolsuper": "superuser",
    "rolcreatedb": "createdb",
    "rolcreaterole": "createrole",
    "rolreplication": "replication",
    "rolbypassrls": "bypassrls",
}


async def look(service: str, settings: ServiceSettings) -> AsyncIterator[Finding]:
    """Yield what a service's own connection tells."""
    what = f"database of {service}"
    try:
        connection = await asyncpg.connect(
            settings.database_url.get_secret_value(), timeout=ANSWERS_WITHIN_SECONDS
        )
    except REFUSALS as error:
        yield mend(what, str(error), "the role, its password and its database must be there")
        return
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        do = "is PostgreSQL up, and is the address reached from here?"
        yield unknown(what, type(error).__name__, do)
        return
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS * 2):
            yield await _schema(service, connection)
            yield await _role(service, connection)
            async for finding in _server(service, settings, connection):
                yield finding
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        yield unknown(what, error)
    finally:
        await connection.close(timeout=1)


async def _schema(service: str, connection: Connection) -> Finding:
    what = f"schema of {service}"
    try:
        await check_schema(connection, service)
    except ConfigurationError as error:
        return mend(what, str(error), f"python -m services.{service} migrate")
    return well(what, schema_version(service))


async def _role(service: str, connection: Connection) -> Finding:
    what = f"role of {service}"
    row = await connection.fetchrow(ROLE, list(SERVICES))
    if row is None:
        return unknown(what, "PostgreSQL does not tell")
    if too_much := [right for name, right in TOO_MUCH.items() if row[name]]:
        do = f"ALTER ROLE {row['rolname']} {' '.join(f'NO{right}'.upper() for right in too_much)}"
        return mend(what, f"{row['rolname']} may too much: {', '.join(too_much)}", do)
    if row["others"]:
        do = f"REVOKE CONNECT ON DATABASE {row['others'][0]} FROM PUBLIC, {row['rolname']}"
        return mend(what, f"it enters databases of others: {', '.join(row['others'])}", do)
    if row["closed"]:
        do = "give the role the ownership of its database and of all in it"
        return mend(what, f"it may not read and write {', '.join(row['closed'][:3])}", do)
    return well(what, "may what it must, enters its own database only")


async def _server(
    service: str, settings: ServiceSettings, connection: Connection
) -> AsyncIterator[Finding]:
    before = machine_now()
    row = await connection.fetchrow(SERVER)
    after = machine_now()
    if row is None:
        return
    told = f"PostgreSQL {row['version'].split()[0]}"
    if row["major"] < OLDEST:
        do = f"PostgreSQL {OLDEST} or newer; 18 is what is tested"
        yield mend(f"server of {service}", told, do)
    elif not row["durable"]:
        do = "fsync, full_page_writes and synchronous_commit must be on"
        yield mend(f"server of {service}", f"{told} may lose what it confirmed", do)
    elif row["connections"] < (needed := len(SERVICES) * (settings.pool_size + OWN_CONNECTIONS)):
        yield mend(
            f"server of {service}",
            f"{told}, {row['connections']} connections",
            f"max_connections = {needed} or more: {settings.pool_size + OWN_CONNECTIONS} a process",
        )
    else:
        yield well(f"server of {service}", f"{told}, durable, {row['connections']} connections")
    off = max(before - row["now"], row["now"] - after, timedelta())
    if off > CLOCK_AGREES_WITHIN:
        told = f"{off.total_seconds():.0f} s off PostgreSQL's"
        yield mend("clock of this machine", told, "set both machines by NTP")
    else:
        yield well("clock of this machine", "agrees with PostgreSQL's")
