import pytest

from services.cartas.domain import read_catalogue
from simulator.whole_town import CARTAS, COMPROMISOS, PROCEDURES, whole_catalogue


def test_the_default_is_as_large_as_a_real_one_and_has_no_fault() -> None:
    reading = read_catalogue(whole_catalogue(CARTAS, PROCEDURES, COMPROMISOS).encode())
    assert not [each for each in reading.warnings if "ningún puesto" in each.message]
    assert reading.catalogue is not None, reading.faults[:5]
    cartas = [each.data for each in reading.catalogue.cartas]
    assert len(cartas) == 54
    assert len({service for carta in cartas for service in carta.services}) == 173
    assert sum(len(carta.compromisos) for carta in cartas) == 300
    assert sum(carta.certified_until is not None for carta in cartas) == 38


@pytest.mark.parametrize("size", [(0, 5, 5), (6, 5, 30), (2, 2, 9), (1, 1, 51)])
def test_a_size_that_cannot_be_is_refused(size: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="from"):
        whole_catalogue(*size)
