"""The count of a term, as anybody may check it, and of a case, for those who answer for it."""

import pytest

from tests.integration.portal.test_portal_roles import ENLACE
from tests.integration.portal.world import World
from tests.unit.portal import builders as b

PAGE = f"/{b.M}/plazo"
ASKED = "desde=2026-07-10T10:00&plazo=2&unidad=dia_habil&calendario=HABIL&inicio=&conocido="


async def test_anybody_can_check_a_term_with_a_finger(world: World) -> None:
    async with world.browser() as browser:
        empty = (await browser.open(PAGE)).text
        page = (await browser.open(f"{PAGE}?{ASKED}")).text
        data = (await browser.open(f"/{b.M}/datos")).text
    assert "La cuenta" not in empty
    assert "2 días hábiles desde el viernes 10 de julio de 2026 a las 10:00" in page
    assert "día del hecho: se cuenta desde el siguiente" in page
    assert "no cuenta: no es día hábil de la semana" in page
    assert "Vence al terminar el martes 14 de julio de 2026." in page
    assert 'value="2026-07-10T10:00"' in page
    assert f'href="{PAGE}"' in data


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("desde=ayer", "Usa una fecha y hora como 2026-07-06T10:00"),
        ("desde=", "Escribe la fecha y la hora del hecho"),
        ("plazo=muchos", "Escribe un plazo mayor que 0 y de hasta 1,000"),
        ("plazo=NaN", "Escribe un plazo mayor que 0 y de hasta 1,000"),
        ("plazo=1e9", "Escribe un plazo mayor que 0 y de hasta 1,000"),
        ("unidad=años", "Elige en qué se mide el plazo"),
        ("calendario=OTRO", "Elige un calendario"),
        ("inicio=nunca", "Elige desde cuándo se cuenta"),
        ("conocido=antes", "Usa una fecha y hora como 2026-07-06T10:00"),
        ("desde=2299-12-30T10:00", "Usa una fecha de entre 1900 y 2299"),
    ],
)
async def test_what_cannot_be_counted_is_said_at_its_field(
    world: World, asked: str, said: str
) -> None:
    name = asked.partition("=")[0]
    rest = "&".join(each for each in ASKED.split("&") if not each.startswith(f"{name}="))
    async with world.browser() as browser:
        answer = await browser.open(f"{PAGE}?{asked}&{rest}")
    assert answer.status_code == 200
    assert said in answer.text
    assert "La cuenta" not in answer.text


async def test_the_count_of_a_case_is_for_those_who_answer(world: World) -> None:
    where = "/casos/cuenta?compromiso=CC-EM-01-01&caso=A-1"
    async with world.browser() as browser:
        assert (await browser.open(where)).headers["location"].startswith("/entrar")
        await world.sign_in(browser, ENLACE)
        answer = await browser.open(where)  # the evaluator does not run here
    assert (answer.status_code, "No responde la evaluación" in answer.text) == (503, True)
