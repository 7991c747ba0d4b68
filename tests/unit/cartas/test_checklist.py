"""The checklist of a carta and the defects of real ones, each told to its author in plain words."""

import pytest

from services.cartas.domain import Reading, read_catalogue
from tests.unit.cartas.files import CATALOGUE, changed, line_of

TEXT = "texto: Le llamaremos en 15 minutos o menos en 90 % de los casos."
INDICATOR = "indicador: {nombre: Espera, formula: a / b, fuente: turnos, medicion: continua}"
TARGET = "umbral: {op: '>=', objetivo: 90, unidad: '%', inaceptable: 80}"
LIMIT = "limite: {op: <=, valor: 15}"
SERVICES = "servicios: [RC-COPIAS]"
STUDY = "expectativa: {estudio: Encuesta 2025, fecha: 2025-10-01}"
CRITERION = "cartas[RC-01].compromisos[RC-01-02]"


def read(old: str, new: str) -> Reading:
    return read_catalogue(changed(old, new))


def faults(old: str, new: str) -> list[tuple[str, str]]:
    return [(each.path, each.message) for each in read(old, new).faults]


def warnings(old: str, new: str) -> list[str]:
    return [each.message for each in read(old, new).warnings]


def beside(old: str, more: str) -> str:
    return f"{old}\n        {more}"


@pytest.mark.parametrize(
    ("old", "new", "path", "says"),
    [
        # C-1: it compiles to something that can be judged
        ("forma: share_within", "forma: rapidez", f"{CRITERION}.criterio.forma", "uno de"),
        # C-2: an indicator
        (f"        {INDICATOR}\n", "", f"{CRITERION}.indicador", "falta este grupo de campos"),
        # C-3: nothing left as its form had it
        (
            "fuente: turnos",
            "fuente: Seleccione una opción",
            f"{CRITERION}.indicador.fuente",
            "quedó sin llenar",
        ),
        # C-4, and defect 1: text and limit disagree after a change
        (
            TEXT,
            "texto: Le llamaremos en 20 minutos o menos en 90 % de los casos.",
            f"{CRITERION}.texto",
            "el texto dice 20 minutos y el criterio evalúa 15 minutos",
        ),
        # defect 2: value and target in different units
        (
            TARGET,
            "umbral: {op: '>=', objetivo: 90, unidad: min}",
            f"{CRITERION}.umbral.unidad",
            "se esperaba «%», la unidad de lo que se mide",
        ),
        # C-8: an address that leads nowhere
        (
            SERVICES,
            f"{SERVICES}\n    consulta: 'http://mi sitio'",
            "cartas[RC-01].consulta",
            "una dirección que empiece con https://",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(old: str, new: str, path: str, says: str) -> None:
    assert [message for where, message in faults(old, new) if where == path and says in message]


def test_another_statistic_than_the_text_promises_is_refused() -> None:
    """Defect 3: under 18 seconds was claimed as kept because the mean was 13."""
    mean = CATALOGUE.replace("forma: share_within", "forma: mean").replace(
        f"          {LIMIT}\n", ""
    )
    mean = mean.replace(TARGET, "umbral: {op: <=, objetivo: 15, unidad: min}")
    mean = mean.replace("ancla: due", "ancla: occurred")
    mean = mean.replace(TEXT, "texto: Le llamaremos en 15 minutos o menos.")
    [fault] = read_catalogue(mean.encode()).faults
    assert "promete 15 minutos sin decir que es un promedio" in fault.message
    assert fault.line == line_of("texto: Le llamaremos", mean)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        # defect 4: only closed cases
        ("ancla: due", "ancla: closed", "los más viejos, aún abiertos, no aparecen"),
        # C-5: no more than the law
        (
            INDICATOR,
            beside(INDICATOR, "plazo_legal: {valor: 15, unidad: min}"),
            "no promete más que la ley: el plazo legal es de 15 minutos",
        ),
        # C-6: nobody was asked, or afterwards
        ("RC-COPIAS", "RC-COPIAS", "no dicen a qué expectativa medida responden: RC-01-02"),
        (
            INDICATOR,
            beside(INDICATOR, STUDY.replace("2025-10-01", "2025-12-11")),
            "la expectativa de RC-01-02 se midió después de aprobarse el compromiso",
        ),
        # C-7: base indicators
        ("RC-COPIAS", "RC-COPIAS", "faltan indicadores base: satisfaccion, tiempo_atencion"),
        # C-8: nobody can find the results
        ("RC-COPIAS", "RC-COPIAS", "no dice cómo consultar sus indicadores y resultados"),
    ],
)
def test_what_is_doubtful_is_a_warning(old: str, new: str, says: str) -> None:
    reading = read(old, new)
    assert reading.faults == ()
    assert [each.message for each in reading.warnings if says in each.message]


def test_what_the_checklist_asks_is_published_and_not_warned_of() -> None:
    whole = CATALOGUE.replace(INDICATOR, beside(INDICATOR, STUDY)).replace(
        SERVICES, f"{SERVICES}\n    consulta: https://cobre.example/c/RC-01"
    )
    reading = read_catalogue(whole.encode())
    assert reading.faults == ()
    told = [each.message for each in reading.warnings]
    assert not [each for each in told if "expectativa" in each or "consultar" in each]
    assert reading.catalogue is not None
    [carta] = reading.catalogue.cartas
    assert carta.data.consultation == "https://cobre.example/c/RC-01"
    expectation = carta.data.compromisos[0].expectation
    assert expectation is not None
    assert (expectation.study, str(expectation.date)) == ("Encuesta 2025", "2025-10-01")


def test_a_place_where_results_hang_is_a_way_to_consult_them() -> None:
    said = f"{SERVICES}\n    consulta: En el tablero de la oficina."
    assert not [each for each in warnings(SERVICES, said) if "consultar" in each]
