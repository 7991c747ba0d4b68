"""Terms to pause, and targets in a unit that is not counted."""

import pytest

from services.cartas.domain import read_catalogue
from tests.unit.cartas.files import changed

CLOCK = "reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}"
PAUSED = CLOCK.replace("min}", "min, pausas: [prevencion], plazo_de_pausas: {%s: 5}}")
SHARE = """\
          forma: share_within
          poblacion: {evento: ticket.issued, ancla: due, excluir: [turno_duplicado]}
          reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}
          limite: {op: <=, valor: 15}
        umbral: {op: '>=', objetivo: 90, unidad: '%', inaceptable: 80}
"""
COUNT = """\
          forma: count
          poblacion: {evento: ticket.called, ancla: occurred}
        umbral: {op: '>=', objetivo: 90, unidad: UNIT}
"""


def faults(old: str, new: str) -> list[str]:
    return [each.message for each in read_catalogue(changed(old, new)).faults]


def test_a_pause_may_have_a_term_to_begin() -> None:
    assert faults(CLOCK, PAUSED % "prevencion") == []


def test_a_term_of_a_pause_that_the_clock_does_not_have_is_a_fault() -> None:
    assert faults(CLOCK, PAUSED % "otra") == ["no es una de las «pausas» de este reloj"]


@pytest.mark.parametrize("unit", ["'%'", "dia_habil", "min"])
def test_a_count_is_of_things_and_not_of_percent_or_time(unit: str) -> None:
    (said,) = faults(SHARE, COUNT.replace("UNIT", unit))
    assert said == f"«{unit.strip(chr(39))}» no se cuenta: diga qué se cuenta, como visitas"


def test_a_count_has_the_noun_of_its_carta() -> None:
    assert faults(SHARE, COUNT.replace("UNIT", "turnos")) == []


def test_a_conjunction_says_in_each_part_that_it_is_not_judged() -> None:
    part = "{forma: count, poblacion: {evento: ticket.called, ancla: occurred}, informativo: true}"
    parts = f"          forma: all_of\n          partes: [{part}]\n"
    assert faults(SHARE, parts) == []
    (said,) = faults(SHARE, f"{parts}        informativo: true\n")
    assert said == "un compromiso de varias partes lo dice en cada parte que no se juzga"
