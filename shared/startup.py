"""What must be there before a service starts: its database, with the schema of this program."""

import logging
import time
from typing import Final

import asyncpg

from shared.database import check_schema
from shared.errors import ConfigurationError
from shared.messaging.backoff import OUTAGES, Backoff
from shared.settings import ServiceSettings

ATTEMPT_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


async def await_database(settings: ServiceSettings) -> None:
    """Return once the database answers, with a line in the log for each try that failed.

    Raises ConfigurationError where it is still away after `startup_wait_seconds`, where it refuses
    us and where its schema is not this program's.
    """
    give_up = time.monotonic() + settings.startup_wait_seconds
    backoff = Backoff()
    while True:
        try:
            await _check(settings)
        except ValueError:
            # Its words may quote a piece of the password.
            variable = settings.variable("database_url")
            raise ConfigurationError(f"{variable} is no address of PostgreSQL") from None
        except OUTAGES as error:
            if time.monotonic() >= give_up:
                waited = f"{settings.startup_wait_seconds:g} s"
                raise ConfigurationError(f"no database after {waited}: {error!r}") from error
            logger.warning("database_away", extra={"error": repr(error)})
        except asyncpg.PostgresError as error:
            raise ConfigurationError(f"the database refuses: {error}") from error
        else:
            return
        await backoff.sleep()


async def _check(settings: ServiceSettings) -> None:
    url = settings.database_url.get_secret_value()
    connection = await asyncpg.connect(url, timeout=ATTEMPT_SECONDS)
    try:
        await check_schema(connection, settings.service)
    finally:
        await connection.close()
