"""Lists show cartas by what is read of them in passing; it is what the whole carta says."""

from datetime import date

import pytest

from services.cartas.domain import read_catalogue
from services.portal.domain.board import board, public_results
from services.portal.domain.headings import CartaHeading, heading
from shared.contracts.cartas import CartaData, Scope, Status
from shared.contracts.results import ResultStatus
from simulator.whole_town import whole_catalogue
from tests.unit.portal import builders as b

TODAY = date(2026, 11, 1)


def cartas() -> list[CartaData]:
    """Every form of criterion, and a carta that has all that may be left out."""
    read = read_catalogue(whole_catalogue(10, 10, 120).encode()).catalogue
    assert read is not None
    unusual = b.EMERGENCIAS.model_copy(
        update={
            "status": Status.RETIRED,
            "valid_to": date(2026, 12, 31),
            "sensitive": True,
            "event_words": {"calle.barrida": "se barre la calle"},
            "name": 'Atención «única»: ñandú \\ " \u2028',
        }
    )
    return [*(carta.data for carta in read.cartas), *b.CARTAS, unusual]


def headings_of(wanted: tuple[CartaData, ...]) -> list[CartaHeading]:
    return [heading(carta.model_dump_json()) for carta in wanted]


@pytest.mark.parametrize("carta", cartas(), ids=lambda carta: carta.carta)
def test_a_heading_says_what_its_carta_says(carta: CartaData) -> None:
    read = heading(carta.model_dump_json())
    named = [n for n in CartaHeading.__struct_fields__ if n != "compromisos"]
    assert [getattr(read, n) for n in named] == [getattr(carta, n) for n in named]
    assert [(c.id, c.text, c.scope) for c in read.compromisos] == [
        (c.id, c.text, c.scope) for c in carta.compromisos
    ]
    assert isinstance(read.status, Status)
    assert all(isinstance(c.scope, Scope) for c in read.compromisos)


def test_closed_windows_are_shown_alike_by_headings_and_by_whole_cartas() -> None:
    closed = [each for each in b.results() if each.status is ResultStatus.FINAL]
    told = [
        board(
            b.municipality(),
            cartas=found,
            units={unit.unit: unit for unit in b.UNITS},
            results=closed,
            actions=[],
            today=TODAY,
        )
        for found in (b.CARTAS, headings_of(b.CARTAS))
    ]
    assert [view.lines for view in told[0].compromisos] == [v.lines for v in told[1].compromisos]
    assert told[0].counts == told[1].counts
    assert list(told[0].departments) == list(told[1].departments)


def test_a_sensitive_carta_stays_so_where_only_its_heading_is_read() -> None:
    told = [
        public_results(b.municipality(), found, b.results())
        for found in (b.CARTAS, headings_of(b.CARTAS))
    ]
    assert told[0] == told[1]
    assert any(part.is_withheld for result in told[1] for part in result.parts)
