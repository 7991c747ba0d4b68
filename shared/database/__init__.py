"""PostgreSQL: the pool with its time limits, and migrations."""

from shared.database.migrations import check_schema, migrate, schema_version
from shared.database.pool import Connection, Pool, open_pool

__all__ = ["Connection", "Pool", "check_schema", "migrate", "open_pool", "schema_version"]
