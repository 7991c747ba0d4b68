"""The pages of contested cases, in a real Chromium on the whole running system."""

import re

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Page

from tests.browser.pages import Watched, new_context, watched
from tests.browser.test_pages import check
from tests.e2e.conftest import whole_town
from tests.e2e.test_chain import COORDINATION_MAIL, UNIT_MAIL, Mail, mails_to
from tests.e2e.test_contests import form_of, late
from tests.e2e.town import PROMISE, Town
from tests.support.waiting import eventually

__all__ = ["late", "whole_town"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]


async def sign_in(page: Page, town: Town, mailbox: str) -> None:
    before = len(await mails_to(town, mailbox, "/entrar/"))
    await page.goto("/entrar")
    await page.get_by_label("Correo institucional").fill(mailbox)
    await page.get_by_role("button", name="Enviarme el enlace").click()

    async def sent() -> list[Mail]:
        found = await mails_to(town, mailbox, "/entrar/")
        return found[: len(found) - before]

    mail = (await eventually(sent, 60, what=f"sign-in mail to {mailbox}"))[0]
    await page.goto(mail.link)
    await page.get_by_role("button", name="Entrar").click()
    await page.get_by_label("Tu sesión").wait_for()


async def contest(page: Watched, town: Town, case: str) -> None:
    """From the list of late cases, by its link; with what is missing said first."""
    verdict = await town.judged(case, status="failed")
    where = f"compromiso={PROMISE}&unidad={verdict['unit']}&periodo={verdict['window_id']}"
    await page.page.goto(f"/casos?{where}")
    await check(page, "casos")
    link = re.compile(rf"Impugnar este caso\s+{case}$")
    await page.page.get_by_role("link", name=link).click()
    await check(page, "impugnar")
    await page.page.get_by_role("button", name="Enviar a la coordinación").click()
    summary = page.page.locator(".govuk-error-summary")
    await summary.get_by_role("link", name="Escribe dónde consta lo que pasó").click()
    assert await page.page.evaluate("() => document.activeElement.id") == "evidencia"
    await check(page, "impugnar-error")
    await page.page.get_by_label("El registro está equivocado").check()
    await page.page.get_by_label("¿Qué pasó?").fill("La consola cerró otra llamada.")
    await page.page.get_by_label("¿Dónde consta?").fill("Bitácora 14/2026, foja 3")
    await page.page.get_by_role("button", name="Enviar a la coordinación").click()
    await page.page.get_by_text("La coordinación todavía no decide").wait_for()


async def test_from_the_late_case_to_the_decision(
    chromium: Chromium, whole_town: Town, late: list[str]
) -> None:
    town, (accepted, rejected, withdrawn) = whole_town, late
    url = town.system.url("portal")
    async with new_context(chromium, url) as office, watched(office) as unit:
        await sign_in(unit.page, town, UNIT_MAIL)
        await contest(unit, town, withdrawn)
        await unit.page.get_by_role("button", name="Retirar la impugnación").click()
        await unit.page.get_by_text("La unidad retiró la impugnación").wait_for()
        for case in (accepted, rejected):
            await contest(unit, town, case)
            await check(unit, "impugnacion-en-espera")
        async with new_context(chromium, url) as desk, watched(desk) as coordination:
            await sign_in(coordination.page, town, COORDINATION_MAIL)
            await decide(coordination, accepted, "¿Por qué se acepta?", "Aceptar: el caso no")
            await decide(coordination, rejected, "¿Por qué se rechaza?", "Rechazar: el caso")
            await coordination.page.goto("/coordinacion/impugnaciones")
            await check(coordination, "coordinacion-impugnaciones")
        await town.judged(accepted, status="excluded")
        await unit.page.goto("/panel/impugnaciones")
        await check(unit, "panel-impugnaciones")
        await unit.page.get_by_role("link", name=accepted, exact=True).click()
        await unit.page.get_by_text("El caso deja de contar.").first.wait_for()
        await check(unit, "impugnacion-aceptada")
        await unit.page.goto(form_of(accepted))
        await check(unit, "impugnar-ya-no")
        async with new_context(chromium, url) as desk, watched(desk) as coordination:
            await sign_in(coordination.page, town, COORDINATION_MAIL)
            await take_back(coordination, accepted)
        await town.judged(accepted, status="failed")
        await unit.page.goto("/panel/impugnaciones")
        await unit.page.get_by_role("link", name=accepted, exact=True).click()
        await unit.page.get_by_text("El caso vuelve a contar").first.wait_for()
        await check(unit, "impugnacion-revertida")


async def take_back(page: Watched, case: str) -> None:
    await page.page.goto("/coordinacion/impugnaciones")
    await page.page.get_by_role("link", name=case, exact=True).click()
    button = page.page.get_by_role("button", name="Revertir: el caso cuenta")
    await button.click()
    await page.page.get_by_role("link", name="Escribe por qué").wait_for()
    await check(page, "coordinacion-revertir-error")
    await page.page.get_by_label("¿Por qué se revierte?").fill("Era otro turno.")
    await button.click()
    await page.page.get_by_text("La coordinación revirtió su aceptación").first.wait_for()
    await check(page, "coordinacion-revertida")


async def decide(page: Watched, case: str, label: str, button: str) -> None:
    await page.page.goto("/coordinacion")
    await check(page, "coordinacion-con-impugnaciones")
    await page.page.get_by_role("link", name=case, exact=True).click()
    await page.page.get_by_role("button", name=button).click()
    await page.page.get_by_role("link", name="Escribe por qué").wait_for()
    await check(page, "coordinacion-impugnacion-error")
    await page.page.get_by_label(label).fill("Consta en la bitácora del turno.")
    await page.page.get_by_role("button", name=button).click()
    await page.page.get_by_text("Consta en la bitácora del turno.").wait_for()
    await check(page, "coordinacion-impugnacion-decidida")


async def test_it_works_without_javascript(
    chromium: Chromium, whole_town: Town, late: list[str]
) -> None:
    town, case = whole_town, late[2]
    async with new_context(chromium, town.system.url("portal"), javascript=False) as context:
        page = await context.new_page()
        await sign_in(page, town, UNIT_MAIL)
        await page.goto(form_of(case))
        await page.get_by_label("Fuerza mayor").check()
        await page.get_by_label("¿Qué pasó?").fill("Se fue la luz en toda la colonia.")
        await page.get_by_label("¿Dónde consta?").fill("Reporte de falla 88")
        await page.get_by_role("button", name="Enviar a la coordinación").click()
        assert await page.get_by_text("La coordinación todavía no decide").is_visible()
