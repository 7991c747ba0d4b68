from collections.abc import Sequence
from typing import Any

import pytest

from services.portal.domain.explaining import PublicExplanation, public_explanation
from shared.contracts.results import PartResult, ResultData, ResultStatus
from tests.unit.portal import builders as b

RUNNING: dict[str, Any] = {"status": ResultStatus.PROVISIONAL, "edition": 0}


def shown(*states: ResultData, edition: int | None = None, **town: Any) -> PublicExplanation | None:
    return public_explanation(b.municipality(**town), b.CARTAS, states, edition=edition)


def sensitive(*parts: PartResult, **changes: Any) -> ResultData:
    return b.result("CC-IG-01", "01", "IGUALDAD", parts=parts, **changes)


def steps(found: PublicExplanation | None) -> tuple[Sequence[str], ...]:
    assert found is not None
    [part] = found.parts
    return part.population, part.figure, part.comparison


def test_everybody_may_follow_the_sum() -> None:
    found = shown(b.result("CC-RC-01", "01", "RC-SUR", parts=(b.part(870, 130, pending=2),)))
    assert steps(found) == (
        (
            "Población: 1,002 = 870 en plazo + 130 fuera de plazo + 2 pendientes"
            " + 0 no considerados.",
        ),
        ("870 ÷ 1,000 × 100 = 87 %.",),
        ("Muestra: 1,000; mínima, 30: suficiente.", "¿87 ≥ 90 %? No."),
    )


@pytest.mark.parametrize(
    "part",
    [b.part(42, 2), b.part(3, 40), b.part(9, 0)],
    ids=["few failed", "few met", "few at all"],
)
def test_where_the_figure_is_withheld_no_step_tells_it(part: PartResult) -> None:
    assert steps(shown(sensitive(part))) == ((), (), ())


@pytest.mark.parametrize(
    "changes",
    [{"pending": 3}, {"excluded": {"duplicado": 4}}, {"overdue_open": 1}],
    ids=["pending", "excluded", "overdue"],
)
def test_a_small_count_beside_the_figure_withholds_how_the_cases_add_up(
    changes: dict[str, Any],
) -> None:
    population, figure, _ = steps(shown(sensitive(b.part(40, 20, **changes))))
    assert (population, figure[0].startswith("40 ÷ 60 × 100")) == ((), True)


def test_a_few_cases_are_not_told_in_any_carta() -> None:
    few = b.result("CC-RC-01", "01", "RC-SUR", parts=(b.part(3, 1),))
    assert steps(shown(few)) == ((), (), ())


def test_a_sensitive_carta_explains_only_its_latest_edition() -> None:
    states = [sensitive(b.part(40 + n, 20), edition=n, sequence=n) for n in (1, 2)]
    assert shown(*states, edition=1) is None
    found = shown(*states)
    assert found is not None
    assert [each.edition for each in found.editions] == [2]


def test_other_cartas_explain_every_edition() -> None:
    states = [
        b.result("CC-RC-01", "01", "RC-SUR", edition=n, sequence=n, parts=(b.part(90 + n, 9),))
        for n in (2, 1)
    ]
    first, last = shown(*states, edition=1), shown(*states)
    assert first is not None
    assert last is not None
    assert (first.result.edition, last.result.edition) == (1, 2)
    assert [each.edition for each in first.editions] == [1, 2]


def test_a_running_window_is_explained_where_the_municipality_shows_them() -> None:
    state = b.result("CC-RC-01", "01", "RC-SUR", **RUNNING)
    assert shown(state, show_running=True) is not None
    assert shown(state, show_running=False) is None
    closed = b.result("CC-RC-01", "01", "RC-SUR", sequence=2)
    found = shown(state, closed)
    assert found is not None
    assert found.result.edition == 1
    assert shown(state, closed, edition=0) is None
