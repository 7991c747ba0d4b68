import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from shared.contracts import topics
from shared.contracts.cartas import CalendarPublished
from shared.worktime import DayException
from tests.integration.portal.world import Browser, World
from tests.support.waiting import eventually
from tests.unit.portal import builders as b

BUZON = f"/{b.M}/buzon"
FOLIO = re.compile(r"BZ-\d{4}-\d{6}-[0-9A-Y]")
SECRET = re.compile(r'class="folio-grande largo">([^<]+)<')
FILLED = {"tipo": "queja", "carta": "CC-RC-01", "texto": "Esperé dos horas.", "abierto": "1"}


async def file(browser: Browser, **changes: str) -> tuple[str, str]:
    answer = await browser.send(BUZON, {**FILLED, "solicitud": "s" * 24, **changes})
    assert answer.status_code == 200, answer.text
    folio, secret = FOLIO.search(answer.text), SECRET.search(answer.text)
    assert folio is not None
    assert secret is not None
    return folio.group(), secret.group(1)


async def test_a_form_sent_twice_gives_one_folio(world: World) -> None:
    async with world.browser() as browser:
        first = await file(browser, solicitud="la-misma-solicitud-0001")
        assert await file(browser, solicitud="la-misma-solicitud-0001") == first
        assert (await file(browser, solicitud="otra-solicitud-0000002"))[0] != first[0]


async def test_status_needs_folio_and_secret(world: World) -> None:
    async with world.browser() as browser:
        folio, secret = await file(browser, solicitud="para-consultar-000001")
        seen = await browser.send("/folio", {"folio": folio.lower(), "clave": secret})
        assert seen.status_code == 200
        assert "La recibimos" in seen.text
        wrong = await browser.send("/folio", {"folio": folio, "clave": "AAAAA-AAAAA"})
        unknown = await browser.send("/folio", {"folio": "BZ-2026-999999-0", "clave": secret})
    assert wrong.status_code == unknown.status_code == 422
    assert "no coinciden" in wrong.text
    assert "no coinciden" in unknown.text


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"texto": " "}, "Escribe qué pasó"),
        ({"tipo": "otra"}, "Elige qué quieres enviar"),
        ({"texto": "x" * 4001}, "Usa 4,000 caracteres o menos"),
        ({"correo": "no es un correo"}, "Escribe un correo como"),
        ({"carta": "NO-EXISTE"}, "Elige un trámite de la lista"),
        ({"texto": "a\x00b"}, "Quita los caracteres"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_written_is_kept(
    world: World, change: dict[str, str], complaint: str
) -> None:
    async with world.browser() as browser:
        answer = await browser.send(BUZON, {**FILLED, "lugar": "Ventanilla 3", **change})
    assert answer.status_code == 422
    assert "Hay un problema" in answer.text
    assert complaint in answer.text
    assert 'value="Ventanilla 3"' in answer.text


async def test_a_form_of_another_site_is_refused(world: World) -> None:
    async with world.browser() as browser:
        assert (await browser.http.post(BUZON, data=FILLED)).status_code == 403
        await browser.open(BUZON)
        forged = await browser.http.post(BUZON, data={**FILLED, "_formulario": "0" * 64})
    assert forged.status_code == 403
    assert "El formulario caducó" in forged.text


async def test_what_a_citizen_writes_is_never_markup(world: World) -> None:
    async with world.browser() as browser:
        answer = await browser.send(BUZON, {**FILLED, "tipo": "", "texto": "<script>alert(1)"})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;alert(1)" in answer.text


async def test_too_large_a_body_is_refused(world: World) -> None:
    async with world.browser() as browser:
        answer = await browser.send(BUZON, {**FILLED, "texto": "x" * 200_000})
    assert answer.status_code == 413


async def test_a_calendar_that_changes_moves_the_date_and_the_citizen_reads_so(
    world: World,
) -> None:
    known, today = b.calendar(), datetime.now(UTC).date()
    off = DayException(
        first=today, last=today + timedelta(days=6), reason="Inundación", opens=None, counts=False
    )
    changed = known.calendar.model_copy(update={"version": 2, "days": (off,)})
    data = known.model_copy(update={"calendar": changed, "version": 2})
    async with world.browser() as browser:
        folio, secret = await file(browser, solicitud="antes-del-decreto-0001")
        event = CalendarPublished(id="c2", source="/cartas", time=data.known_since, data=data)
        await world.publish(topics.CARTAS, event)

        buzon = await asyncpg.connect(world.system.database_url("buzon"))
        try:
            moved = "SELECT EXISTS (SELECT FROM folio_redating WHERE folio = $1)"
            await eventually(lambda: buzon.fetchval(moved, folio), 30, what="another date")
        finally:
            await buzon.close()
        page = (await browser.send("/folio", {"folio": folio, "clave": secret})).text
    said = re.search(r"la respuesta es a más tardar el (.+?), y ya no el (.+?)<", page)
    assert said is not None
    assert said[1] in page.split("Respuesta a más tardar")[1][:200]
    assert said[2] not in page.split("Respuesta a más tardar")[1][:200]
