"""Every compromiso of the sample municipality is judged; none is only carried along."""

from pathlib import Path

import pytest

from services.cartas.domain import read_catalogue
from shared.criteria import measures_of


@pytest.mark.shared_data
def test_all_72_of_the_sample_are_judged(shared_data: Path) -> None:
    reading = read_catalogue((shared_data / "data" / "sample-cartas.yaml").read_bytes())
    assert reading.faults == ()
    assert reading.catalogue is not None
    compromisos = [each for carta in reading.catalogue.cartas for each in carta.data.compromisos]
    assert len(compromisos) == 72
    assert [each.id for each in compromisos if not measures_of(each.criterion)] == []
