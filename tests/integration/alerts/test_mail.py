"""The mail that operators get, from the delivered configuration and template."""

import shutil
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest_asyncio
import yaml

from tests.alerts.watching import Watch, Webhook, running_alertmanager
from tests.integration.alerts.test_inhibition import alert
from tests.integration.notifier.support import MailServer, mail_server
from tests.support.alerting import ALERTMANAGER, alerts, read
from tests.support.waiting import eventually


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest_asyncio.fixture
async def watch(server: MailServer, tmp_path: Path) -> AsyncIterator[Watch]:
    """Alertmanager as it is delivered, but for the address of the mail server and the waits."""
    config = read(ALERTMANAGER / "alertmanager.yml")
    config["global"]["smtp_smarthost"] = f"127.0.0.1:{server.port}"
    config["route"] |= {"group_wait": "1s", "group_interval": "1s"}
    path = tmp_path / "alertmanager.yml"
    path.write_text(yaml.safe_dump(config))
    shutil.copy(ALERTMANAGER / "mail.tmpl", tmp_path)
    running = Watch(tmp_path, Webhook())
    async with running_alertmanager(running, path):
        yield running


def body(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    assert message.get_body(("html",)) is None
    return str(part.get_content())


async def test_a_mail_says_in_spanish_and_english_what_and_what_to_do(
    watch: Watch, server: MailServer
) -> None:
    rule = next(rule for rule in alerts() if rule.name == "KafkaAway")
    await watch.raise_alerts([alert("KafkaAway")], annotations=rule.annotations)
    await eventually(lambda: server.accepted, 30, what="a mail")
    [(recipient, _)] = server.accepted
    [message] = server.messages()
    assert recipient == "guardia@cartas.example"
    assert message["Subject"] == f"[critical] {rule.annotations['resumen']}"
    text = " ".join(body(message).split())
    assert text.startswith("ACTIVA Kafka no contesta")
    assert "Kafka does not answer" in text
    assert "Qué hacer / what to do: docs/runbooks/KafkaAway.md" in text


async def test_several_of_one_kind_are_one_mail_that_lists_them(
    watch: Watch, server: MailServer
) -> None:
    rule = next(rule for rule in alerts() if rule.name == "SourceSilent")
    annotations = {"summary": rule.annotations["summary"], "runbook_url": "x"}
    for number in (1, 2):
        own = {"resumen": f"fuente {number}", **annotations}
        await watch.raise_alerts([alert("SourceSilent", source=f"s{number}")], annotations=own)
    await eventually(lambda: server.accepted, 30, what="a mail")
    [message] = server.messages()
    assert message["Subject"] == "[warning] SourceSilent (2)"
    assert "fuente 1" in body(message)
    assert "fuente 2" in body(message)
