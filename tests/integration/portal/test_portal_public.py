import csv
import io

import pytest

from shared.contracts import topics
from shared.contracts.corrective_actions import ActionChange, ActionState
from tests.integration.portal.world import World
from tests.support.waiting import eventually
from tests.unit.portal import builders as b

HOME = f"/{b.M}"


async def test_the_only_municipality_is_the_first_page(world: World) -> None:
    async with world.browser() as browser:
        answer = await browser.open("/")
    assert (answer.status_code, answer.headers["location"]) == (307, HOME)


async def test_the_headline_and_the_list_behind_each_count_agree(world: World) -> None:
    async with world.browser() as browser:
        front = (await browser.open(HOME)).text
        assert "De julio a septiembre de 2026 se cumplieron <strong>1 de 5</strong>" in front
        bad = (await browser.open(f"{HOME}/compromisos?estado=no-se-cumple")).text
    assert "2 compromisos en su último periodo cerrado" in bad
    assert b.EMERGENCIAS.compromisos[0].text in bad


async def test_every_compromiso_of_a_carta_is_shown_with_its_verdict(world: World) -> None:
    async with world.browser() as browser:
        page = (await browser.open(f"{HOME}/c/CC-RC-01")).text
        capitals = await browser.open(f"{HOME}/C/CC-RC-01")
    for compromiso in b.REGISTRO.compromisos:
        assert compromiso.text in page
    assert "Aún no cierra su primer periodo" in page
    assert "1,912 de 2,000 casos" in page
    assert "Pendientes: 3" in page
    assert "Quedan 12 casos abiertos; si uno más pasa de 15 minutos" in page
    assert capitals.status_code == 200


async def test_a_figure_leads_to_its_sum_step_by_step(world: World) -> None:
    async with world.browser() as browser:
        carta = (await browser.open(f"{HOME}/c/CC-EM-01")).text
        address = f"{HOME}/resultado?compromiso=CC-EM-01-01&amp;unidad=MANDO&amp;periodo=2026-Q3"
        assert f'href="{address}"' in carta
        page = (await browser.open(address.replace("&amp;", "&"))).text
    assert "4,130 = 4,127 en plazo + 3 fuera de plazo + 0 pendientes" in page
    assert "4,127 ÷ 4,130 × 100" in page
    assert "Versión 1</strong> de la carta" in page
    assert "Edición 1</strong> (ésta)" in page
    assert "LL-2026" not in page


async def test_what_is_missing_of_a_figure_stands_beside_it(world: World) -> None:
    address = f"{HOME}/resultado?compromiso=CC-RC-01-01&unidad=RC-CENTRO&periodo=2026-Q3"
    async with world.browser() as browser:
        carta = (await browser.open(f"{HOME}/c/CC-RC-01")).text
        steps = (await browser.open(address)).text
        answer = await browser.open(f"{HOME}/resultados.csv")
    for page in (carta, steps):
        assert "Se midieron 2,003 de 2,010 casos que contó el sistema en 62 días" in page
        assert "En 2 días de servicio no hubo conteo" in page
        assert "calló en horas de servicio: del 8 de septiembre de 2026, 09:00" in page
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    [row] = [r for r in found if (r["unidad"], r["periodo"]) == ("RC-CENTRO", "2026-Q3")]
    counted = ("casos_medidos", "casos_conocidos", "dias_con_conteo", "minutos_de_silencio")
    assert [row[name] for name in counted] == ["2003", "2010", "62", "240"]


async def test_no_step_tells_what_a_sensitive_carta_withholds(world: World) -> None:
    address = f"{HOME}/resultado?compromiso=CC-IG-01-01&unidad=IGUALDAD&periodo=2026-Q3"
    async with world.browser() as browser:
        page = (await browser.open(address)).text
    assert "no publicamos la cifra" in page
    assert "÷ 44" not in page
    assert "42" not in page
    assert "Población" not in page


async def test_the_csv_says_what_the_pages_say(world: World) -> None:
    async with world.browser() as browser:
        answer = await browser.open(f"{HOME}/resultados.csv")
        page = (await browser.open(f"{HOME}/c/CC-IG-01")).text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    by_place = {(r["compromiso"], r["unidad"], r["periodo"], r["parte"]): r for r in found}
    wait = by_place["CC-RC-01-01", "RC-CENTRO", "2026-Q3", "1"]
    assert (wait["numerador"], wait["denominador"], wait["pendientes"]) == ("1912", "2000", "3")
    sensitive = by_place["CC-IG-01-01", "IGUALDAD", "2026-Q3", "1"]
    assert sensitive["resultado"] == "suprimido"
    assert "95.5" not in page
    assert "42" not in page


async def test_a_later_state_of_a_result_replaces_an_earlier_one_and_never_the_reverse(
    world: World,
) -> None:
    """Kafka repeats; a state with a lower sequence that comes late is no news."""
    window = b.quarter(1)
    states = [
        b.result("CC-AG-01", "01", "AGUA", window=window, sequence=n, parts=(b.mean_part(h, 77),))
        for n, h in ((3, "33"), (2, "22"))
    ]
    await world.publish(topics.RESULTS, *b.published(*states))
    await world.publish(
        topics.RESULTS,
        *b.published(
            b.result(
                "CC-AG-01", "01", "AGUA", window=b.quarter(4, 2025), parts=(b.mean_part("11", 55),)
            )
        ),
    )
    async with world.browser() as browser:

        async def shown() -> str | None:
            page = (await browser.open(f"{HOME}/c/CC-AG-01")).text
            return page if "33\u00a0horas" in page and "11\u00a0horas" in page else None

        page = await eventually(shown)
    assert page is not None
    assert "22\u00a0horas" not in page


async def test_an_approved_action_is_told_in_its_public_words(world: World) -> None:
    text = "Abrimos una segunda consola de atención."
    approved = b.action(
        action="INC-2026-0900",
        revision=5,
        state=ActionState.APPROVED,
        change=ActionChange.APPROVED,
        carta="CC-AG-01",
        compromiso="CC-AG-01-01",
        unit="AGUA",
        public_text=text,
    )
    older = approved.model_copy(update={"revision": 2, "public_text": None})
    await world.publish(topics.CORRECTIVE_ACTIONS, *b.published(approved, older))
    async with world.browser() as browser:

        async def shown() -> bool:
            return text in (await browser.open(HOME)).text

        assert await eventually(shown)


@pytest.mark.parametrize(
    "path",
    [
        "/no-existe",
        f"{HOME}/c/NO-EXISTE",
        f"{HOME}/compromisos?estado=otra",
        "/a/no-es-un-token",
        "/%00",
        "/../etc/passwd",
        f"{HOME}/c/<script>",
        f"{HOME}/resultado?compromiso=CC-RC-01-01&unidad=RC-SUR&periodo=1999",
        f"{HOME}/resultado?compromiso=CC-RC-01-01&unidad=RC-SUR&periodo=2026-Q3&edicion=9",
        f"{HOME}/resultado?compromiso=CC-RC-01-01&unidad=RC-SUR&periodo=2026-Q3&edicion=x",
        f"{HOME}/resultado",
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(world: World, path: str) -> None:
    async with world.browser() as browser:
        answer = await browser.open(path)
    assert answer.status_code == 404
    assert "No encontramos esta página" in answer.text
    assert "<script>" not in answer.text.split("</head>")[1]


async def test_every_answer_has_the_strict_headers(world: World) -> None:
    async with world.browser() as browser:
        for path in (HOME, "/entrar", "/no-existe", "/health/live", f"{HOME}/resultados.csv"):
            headers = (await browser.open(path)).headers
            policy = headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
            assert "unsafe" not in policy
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["x-content-type-options"] == "nosniff"


async def test_public_pages_set_no_cookie_and_private_ones_are_not_kept(world: World) -> None:
    async with world.browser() as browser:
        public = await browser.open(HOME)
        private = await browser.open("/folio")
    assert "set-cookie" not in public.headers
    assert private.headers["cache-control"] == "no-store"
    cookie = private.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_pages_are_light(world: World) -> None:
    """60 kB with everything that a first visit loads, compressed as it travels."""
    async with world.browser() as browser:
        page = await browser.open(HOME)
        addresses = {part.split('"')[0] for part in page.text.split('"/static/')[1:]}
        total = int(page.headers["content-length"])
        for address in addresses | {"govuk-frontend.js"}:
            total += int((await browser.open(f"/static/{address}")).headers["content-length"])
    assert total < 60_000
