import pytest

from shared.criteria import CaseStatus, ContestReason, words
from shared.criteria.contests import contested
from tests.unit.criteria.builders import case, judged, wait


@pytest.mark.parametrize("name", list(ContestReason))
@pytest.mark.parametrize("called", ["2026-07-06 10:01", "2026-07-06 12:00", None])
def test_an_accepted_contest_excludes_whatever_the_criterion_lists_and_the_case_was(
    name: ContestReason, called: str | None
) -> None:
    told = {"ticket_issued": "2026-07-06 10:00"} | ({"ticket_called": called} if called else {})
    named = frozenset({"turno_duplicado", name.value})
    verdict = judged(wait(), case(**told, exclusions=named))
    assert (verdict.status, verdict.reason) == (CaseStatus.EXCLUDED, name.value)
    assert verdict.anchor_instant == judged(wait(), case(**told)).anchor_instant
    assert words.exclusion(name).startswith("casos impugnados")


def test_no_other_name_is_a_contest() -> None:
    assert contested(frozenset({"turno_duplicado", "fuerza_mayor", "impugnado"})) is None
