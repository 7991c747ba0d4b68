"""The catch-all mailbox, over real SMTP and HTTP."""

import sys
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx
import pytest_asyncio

from deploy.local.mailbox import Mails
from deploy.local.processes import Places, Program, start, stop
from tests.support.servers import free_port
from tests.support.waiting import eventually

HOSTILE = "<script>alert(1)</script>"


class RunningMailbox:
    def __init__(self, folder: Path) -> None:
        self.folder, self.places = folder / "mails", Places.below(folder)
        self.smtp_port, self.http_port = free_port(), free_port()
        ports = ("--smtp-port", str(self.smtp_port), "--http-port", str(self.http_port))
        command = (sys.executable, "-m", "deploy.local.mailbox", *ports)
        self.program = Program("mailbox", (*command, "--folder", str(self.folder)))
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.http_port}", timeout=5)

    async def is_ready(self) -> bool:
        try:
            return (await self.http.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    async def send(self, subject: str) -> None:
        message = EmailMessage()
        message["From"], message["To"] = "avisos@ejemplo.mx", "obras@ejemplo.mx"
        message["Subject"], message["Message-ID"] = subject, "<aviso-1@ejemplo.mx>"
        message.set_content("Está en texto.")
        message.add_alternative(f"<p>Está en HTML.</p>{HOSTILE}", subtype="html")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self.smtp_port)


@pytest_asyncio.fixture
async def mailbox(tmp_path: Path) -> AsyncIterator[RunningMailbox]:
    running = RunningMailbox(tmp_path)
    with start(running.program, running.places) as process:
        try:
            await eventually(running.is_ready, 30)
            yield running
        finally:
            await running.http.aclose()
            stop(running.program, running.places)
            process.wait()


async def test_a_mail_is_listed_and_shown(mailbox: RunningMailbox) -> None:
    await mailbox.send("[INC-2026-0001] Reparación de baches")
    listed = (await mailbox.http.get("/api/v1/messages")).json()
    assert listed["total"] == 1
    summary = listed["messages"][0]
    assert summary["Subject"] == "[INC-2026-0001] Reparación de baches"
    assert summary["To"] == ["obras@ejemplo.mx"]
    assert summary["MessageID"] == "aviso-1@ejemplo.mx"
    shown = (await mailbox.http.get(f"/api/v1/message/{summary['ID']}")).json()
    assert shown["Text"].strip() == "Está en texto."
    assert "Está en HTML." in shown["HTML"]
    raw = (await mailbox.http.get("/api/v1/message/latest/raw")).content
    assert b"Message-ID: <aviso-1@ejemplo.mx>" in raw


async def test_a_hostile_mail_runs_nothing_on_the_page(mailbox: RunningMailbox) -> None:
    await mailbox.send(f"Urgente {HOSTILE}")
    for path in ("/", "/view/00000001"):
        page = await mailbox.http.get(path)
        assert HOSTILE not in page.text
        assert "script-src" not in page.headers["Content-Security-Policy"]
    body = await mailbox.http.get("/view/00000001.html")
    assert "sandbox" in body.headers["Content-Security-Policy"]


async def test_mails_survive_a_restart(mailbox: RunningMailbox) -> None:
    await mailbox.send("Primero")
    again = Mails(mailbox.folder)
    assert [mail.message["Subject"] for mail in again.newest_first()] == ["Primero"]
    again.add("a@ejemplo.mx", ["b@ejemplo.mx"], b"Subject: Segundo\r\n\r\nx")
    assert [mail.id for mail in again.newest_first()] == ["00000002", "00000001"]


async def test_an_unknown_mail_is_not_found(mailbox: RunningMailbox) -> None:
    assert (await mailbox.http.get("/api/v1/message/latest")).status_code == 404
    assert (await mailbox.http.get("/view/..%2fenv")).status_code == 404
