import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.domain.board import public_results
from services.portal.domain.table import BYTE_ORDER_MARK, COLUMNS, as_csv, neutral
from shared.criteria import Method
from tests.unit.portal import builders as b


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix(BYTE_ORDER_MARK))))


def test_every_row_has_every_column_and_lines_end_as_spreadsheets_expect() -> None:
    text = as_csv(public_results(b.municipality(), b.CARTAS, b.results()))
    assert text.startswith(BYTE_ORDER_MARK)
    assert text.count("\r\n") == text.count("\n")
    for line in csv.reader(io.StringIO(text)):
        assert len(line) == len(COLUMNS)


def test_figures_are_those_of_the_result() -> None:
    result = b.result(
        "CC-EM-01",
        "01",
        "MANDO",
        parts=(b.part(178, 32, pending=7, overdue_open=6, excluded={"duplicado": 8}),),
    )
    [row] = rows(as_csv(public_results(b.municipality(), b.CARTAS, [result])))
    assert row == {
        "municipio": "fresnos",
        "carta": "CC-EM-01",
        "compromiso": "CC-EM-01-01",
        "unidad": "MANDO",
        "periodo": "2026-Q3",
        "edicion": "1",
        "motivo_de_edicion": "",
        "cambios": "",
        "versiones": "1",
        "estado": "final",
        "veredicto": "no_se_cumple",
        "motivo": "",
        "parte": "1",
        "forma": "share_within",
        "veredicto_parte": "no_se_cumple",
        "numerador": "178",
        "denominador": "210",
        "metodo": "registros",
        "instrumentos": "",
        "margen": "",
        "muestra_efectiva": "",
        "pendientes": "7",
        "excluidos": "duplicado=8",
        "vencidos_abiertos": "6",
        "resultado": "84.7619",
        "operador": ">=",
        "meta": "90",
        "inaceptable": "",
        "unidad_de_medida": "%",
        "casos_conocidos": "",
        "casos_medidos": "",
        "dias_con_conteo": "",
        "dias_sin_conteo": "",
        "minutos_de_silencio": "",
        "corte": "2026-10-14T18:00:00+00:00",
    }


def test_a_conjunction_has_a_row_for_each_part() -> None:
    result = b.result("CC-RC-01", "02", "REGISTRO", parts=(b.part(95, 5), b.part(50, 50)))
    found = rows(as_csv(public_results(b.municipality(), b.CARTAS, [result])))
    assert [(r["parte"], r["veredicto_parte"]) for r in found] == [
        ("1", "se_cumple"),
        ("2", "no_se_cumple"),
    ]


def test_small_cells_are_withheld_here_as_on_the_pages() -> None:
    text = as_csv(public_results(b.municipality(), b.CARTAS, b.results()))
    [row] = [r for r in rows(text) if r["carta"] == "CC-IG-01"]
    assert (row["numerador"], row["resultado"]) == ("suprimido", "suprimido")
    assert row["excluidos"] == "duplicado=menos de 10"


@pytest.mark.parametrize("cell", ["=1+1", "+A1", "-A1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell: str) -> None:
    assert neutral(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", [-5, "-5", "-5.25", 0, ">=", "palabra"])
def test_numbers_and_words_stay_as_they_are(cell: object) -> None:
    assert neutral(cell) == str(cell)


@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    written = neutral(text)
    starts_formula = written.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not starts_formula or written.removeprefix("-").replace(".", "", 1).isdecimal()


@pytest.mark.parametrize(("answers", "margin"), [(100, "10"), (3, "")])
def test_a_sample_shows_its_method_and_a_margin_that_tells_of_few_people_is_withheld(
    answers: int, margin: str
) -> None:
    """From the margin anybody could work out how many answered."""
    part = b.part(
        *(answers, 0),
        method=Method.SURVEY,
        instruments=("ENC-1",),
        margin=Decimal(10),
        effective_sample=Decimal("99.5"),
    )
    result = b.result("CC-EM-01", "01", "MANDO", parts=(part,))
    [row] = rows(as_csv(public_results(b.municipality(), b.CARTAS, [result])))
    assert (row["metodo"], row["instrumentos"], row["margen"]) == ("encuesta", "ENC-1", margin)
    assert row["muestra_efectiva"] == ("99.5" if margin else "")
