from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import pytest

from tests.integration.notifier.support import MailServer, Notifier
from tests.integration.notifier.test_notifier_actions import http
from tests.unit.notifier import builders as b

__all__ = ["http"]

NOTICE: dict[str, Any] = {
    "municipality": b.M,
    "unit": "ventanilla",
    "post": "titular",
    "step": "file",
    "at": b.NOON.isoformat(),
    "contest": 7,
    "case": "VU-0912-0007",
    "promise": "El 90 % de los turnos se llama en 15 minutos o menos.",
    "window": "2026-Q3",
    "reason": "impugnado_fuerza_mayor",
    "cutoff": b.NOON.replace(day=25, hour=6).isoformat(),
}


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return " ".join(str(body.get_content()).split())


async def tell(http: httpx.AsyncClient, **changes: Any) -> int:
    return (await http.post("/v1/mails/contest", json=NOTICE | changes)).status_code


async def test_the_coordination_is_told_once_that_a_contest_waits(
    desk: Notifier, server: MailServer, http: httpx.AsyncClient
) -> None:
    assert [await tell(http) for _ in range(2)] == [202, 202]
    await desk.deliver(b.NOON + timedelta(days=90))
    (mail,) = server.messages()
    assert str(b.COORDINACION.mailbox) in str(mail["To"])
    text = text_of(mail)
    for said in (
        "Ventanilla Única impugnó un caso",
        "VU-0912-0007",
        "casos impugnados por fuerza mayor",
        "a más tardar el jueves 24 de septiembre de 2026",
        "/coordinacion/impugnaciones/7",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("accept", "El caso deja de contar"),
        ("reject", "El caso sigue contando"),
        ("take_back", "El caso vuelve a contar"),
    ],
)
async def test_who_contested_is_told_of_the_decision(
    desk: Notifier, server: MailServer, http: httpx.AsyncClient, step: str, said: str
) -> None:
    assert await tell(http, step=step) == 202
    await desk.deliver(b.NOON + timedelta(days=90))
    (mail,) = server.messages()
    assert str(b.TITULAR.mailbox) in str(mail["To"])
    assert said in text_of(mail)
    assert "/panel/impugnaciones/7" in text_of(mail)
    assert "a más tardar" not in text_of(mail)


async def test_no_other_step_and_nothing_else_is_told(http: httpx.AsyncClient) -> None:
    for changes in (
        {"step": "withdraw"},
        {"explanation": "Ana no vino."},
        {"at": "ayer"},
        {"contest": 0},
    ):
        assert await tell(http, **changes) == 422
