"""Mending that several faults share."""

import re

from simulator import CATALOGUE
from tests.alerts.stage import Stage

NOW = "UPDATE mail SET next_attempt_at = now(), leased_until = NULL WHERE state = 'waiting'"


async def mail_goes(stage: Stage) -> None:
    """Take all mail again, and have what waits offered now."""
    stage.answer_mail(None)
    await stage.execute("notifier", NOW)


async def mailboxes(stage: Stage) -> None:
    """Try every mailbox again that was refused for good."""
    for row in await stage.rows("notifier", "SELECT mailbox FROM rejecting_mailbox"):
        await stage.town.system.run("services.notifier", "mailboxes", "clear", row["mailbox"])


async def load_without_year(stage: Stage, year: int) -> None:
    """Load the catalogue with calendars that say nothing of a year."""
    text = CATALOGUE.read_text(encoding="utf-8")
    path = stage.folder / "catalogo-sin.yaml"
    shorter, number = re.subn(rf"    no_habiles_{year}:\n(?:      - .*\n)+", "", text)
    assert number, f"the catalogue says nothing of {year}"
    path.write_text(shorter, encoding="utf-8")
    await stage.town.system.run("services.cartas", "load", str(path))


async def reload(stage: Stage) -> None:
    """Load the catalogue as it is delivered."""
    await stage.town.system.run("services.cartas", "load", str(CATALOGUE))
