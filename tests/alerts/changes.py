"""Changes and mending that several faults share."""

import re

from simulator import CATALOGUE
from tests.alerts.stage import Stage
from tests.e2e.browser import Browser

NOW = "UPDATE mail SET next_attempt_at = now(), leased_until = NULL WHERE state = 'waiting'"


async def mail_goes(stage: Stage) -> None:
    """Take all mail again, and have what waits offered now."""
    stage.answer_mail(None)
    await stage.execute("notifier", NOW)


async def mailboxes(stage: Stage) -> None:
    """Try every mailbox again that was refused for good."""
    for row in await stage.rows("notifier", "SELECT mailbox FROM rejecting_mailbox"):
        await stage.town.system.run("services.notifier", "mailboxes", "clear", row["mailbox"])


async def load(stage: Stage, pattern: str, replacement: str) -> None:
    """Load the catalogue with what the pattern finds replaced; it must find something."""
    text, number = re.subn(pattern, replacement, CATALOGUE.read_text(encoding="utf-8"))
    assert number, pattern
    path = stage.folder / "catalogo.yaml"
    path.write_text(text, encoding="utf-8")
    await stage.town.system.run("services.cartas", "load", str(path))


async def reload(stage: Stage) -> None:
    """Load the catalogue as it is delivered."""
    await stage.town.system.run("services.cartas", "load", str(CATALOGUE))


async def ask_for_link(stage: Stage, mailbox: str) -> None:
    """Have a mail written that is due at once: the link by which a post enters."""
    async with Browser(stage.town.system.url("portal")) as browser:
        form = (await browser.open("/entrar")).form("correo")
        assert (await browser.submit(form, correo=mailbox)).status == 200
