"""What a catalogue names and nothing answers to: never accepted in silence."""

import pytest

from services.cartas.domain import read_catalogue
from shared.authoring.fields import suggested
from tests.unit.cartas.files import CATALOGUE, changed

SECOND = CATALOGUE[CATALOGUE.index("  - codigo: RC-01") :].replace("RC-01", "RC-02")


def told(content: bytes, path: str) -> list[str]:
    reading = read_catalogue(content)
    assert reading.catalogue is not None
    return [each.message for each in reading.warnings if each.path == path]


def test_a_site_that_is_no_unit_is_named_with_the_nearest() -> None:
    content = changed(
        "servicios: [RC-COPIAS]", "servicios: [RC-COPIAS]\n    sedes: [RC-SUR, RC-SR]"
    )
    assert told(content, "cartas[RC-01].sedes") == [
        "la sede «RC-SR» no está en «unidades»; hay: RC, RC-SUR"
    ]


def test_where_no_units_are_listed_the_sites_are_the_cartas_own() -> None:
    start, end = CATALOGUE.index("unidades:"), CATALOGUE.index("puestos:")
    text = (CATALOGUE[:start] + CATALOGUE[end:]).replace(
        ", unidad: RC, rol: unidad", ", rol: coordinacion"
    )
    text = text.replace("servicios: [RC-COPIAS]", "servicios: [RC-COPIAS]\n    sedes: [X]")
    assert told(text.encode(), "cartas[RC-01].sedes") == []


def test_a_reason_to_pause_that_is_nearly_a_known_one_is_asked_about() -> None:
    content = changed("unidad: min}", "unidad: min, pausas: [prevension, obra_en_la_calle]}")
    path = "cartas[RC-01].compromisos[RC-01-02].criterio"
    assert [each for each in told(content, path) if "pausa" in each] == [
        "la pausa «prevension» no se conoce; ¿quiso decir «prevencion»?"
    ]


@pytest.mark.parametrize("key", ["servicios", "sedes"])
def test_a_code_that_a_carta_names_twice_is_a_fault(key: str) -> None:
    content = changed("servicios: [RC-COPIAS]", f"{key}: [RC, RC-SUR, RC]")
    [fault] = read_catalogue(content).faults
    assert (fault.path, fault.message) == (f"cartas[RC-01].{key}", "«RC» está dos veces")


def test_a_service_of_two_cartas_in_force_counts_in_both_and_says_so() -> None:
    assert told((CATALOGUE + SECOND).encode(), "cartas[RC-02]") == [
        "el servicio «RC-COPIAS» también es de la carta «RC-01»: sus casos cuentan en las dos"
    ]


def test_a_service_may_move_to_another_carta() -> None:
    later = SECOND.replace("2026-12-31", "2027-12-31").replace("2026-01-01", "2027-01-01")
    assert told((CATALOGUE + later).encode(), "cartas[RC-02]") == []


def test_a_step_to_a_level_of_no_post_is_named() -> None:
    content = changed("a: enlace_carta,", "a: presidenta,")
    [warning] = told(content, "escalamiento[1].a")
    assert warning == (
        "ningún puesto tiene el nivel «presidenta»: nadie recibirá ese paso; hay: enlace_carta"
    )


def test_without_a_post_of_the_coordination_nobody_can_take_a_step() -> None:
    says = "ningún puesto tiene «rol: coordinacion»: nadie podrá aprobar ni publicar versiones"
    assert says in told(CATALOGUE.encode(), "puestos")
    own = "puestos:\n  - {clave: coord, cargo: Coordinación, rol: coordinacion}"
    assert says not in told(changed("puestos:", own), "puestos")


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ((), "; no hay ninguno"),
        (("HAB", "NAT"), "; hay: HAB, NAT"),
        (tuple(f"U{n:02}" for n in range(42)), " (hay 42)"),
        (
            ("rc-norte", "RC-NORTE-2", *(f"U{n}" for n in range(9))),
            " (hay 11); ¿quiso decir «RC-NORTE-2» o «rc-norte»?",
        ),
    ],
)
def test_what_is_near_a_name_is_suggested(known: tuple[str, ...], said: str) -> None:
    assert suggested("RC-NORTE-3", known) == said
