"""All checks, one after the other; none of them keeps the others from being made."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from ops.doctor import addresses, kafka, machine, mail, postgres
from ops.doctor.findings import Finding, unknown
from ops.doctor.settings import Known, MailSettings, known
from ops.looking import look
from ops.settings import Settings, SettingsError
from shared.settings import ServiceSettings

BACKUP_DIR: Final = "CARTAS_BACKUP_DIR"
BACKUP_URL: Final = "CARTAS_BACKUP_URL"


async def examine() -> list[Finding]:
    """Look at everything that this environment lets one look at."""
    here = known()
    findings = [machine.python(), *here.findings]
    findings += [finding async for finding in _servers(here)]
    findings += [finding async for finding in _around(here.any)]
    findings += [finding async for finding in _services()]
    return findings


async def _servers(here: Known) -> AsyncIterator[Finding]:
    seen: set[Finding] = set()
    for service, settings in here.of.items():
        async for finding in postgres.look(service, settings):
            if finding not in seen:  # what is said of the machine's clock is said once
                seen.add(finding)
                yield finding
    if here.any is not None:
        async for finding in kafka.look(here.any):
            yield finding
    for service, settings in here.of.items():
        if settings.kafka_username is not None and len(here.of) > 1:
            do = f"there: python -m ops doctor, in the environment of {service}"
            yield unknown(f"Kafka's ACLs for {service}", "one user for all services here", do)
        else:
            yield await kafka.look_at_rights(service, settings)
    notifier = here.of.get("notifier")
    if isinstance(notifier, MailSettings):
        yield await mail.look(notifier)


async def _around(settings: ServiceSettings | None) -> AsyncIterator[Finding]:
    if settings is not None:
        async for finding in addresses.look(settings):
            yield finding
    folder = os.environ.get(BACKUP_DIR)
    copies = Path(folder) if folder else None
    postgres_dir = settings.postgres_dir if settings else None
    for finding in machine.disks(
        {"this machine": Path("/"), "PostgreSQL": postgres_dir, "the copies": copies}
    ):
        yield finding
    yield await machine.backup(copies, os.environ.get(BACKUP_URL))


async def _services() -> AsyncIterator[Finding]:
    try:
        looked = await look(Settings.load())
    except SettingsError as error:
        yield unknown("services", error, "CARTAS_<SERVICE>_URL: where each service answers")
        return
    for answer in looked.answers:
        if answer.away is not None:
            yield unknown(f"service {answer.service}", answer.away, "ops status")
    for finding in machine.clocks(looked):
        yield finding
