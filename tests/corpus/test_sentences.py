"""What the public reads of a row says the same as what is judged."""

import pytest

from shared.criteria import public_sentence
from tests.corpus.judging import judge_of
from tests.corpus.reading import corpus


def sentence(row: int) -> str:
    promise = next(promise for promise in corpus().promises if promise.row == row)
    judge = judge_of(promise)
    return public_sentence(judge.criterion, judge.compromiso.window)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (13, "El número de veces que contestamos su llamada, en proporción al número de veces"),
        (22, "En todos los días que cuentan en el calendario «HABIL»,"),
        (49, "En todos los días que cuentan en el calendario «NATURAL»,"),
        (10, "Se publica cada año."),
        (36, "Se publica cada trimestre."),
        (3, "será de menos de 2 meses. Se evalúa cada año."),
    ],
)
def test_a_sentence_says_what_is_judged(row: int, says: str) -> None:
    assert says in sentence(row)
