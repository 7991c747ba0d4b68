from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.portal.domain.disclosure import Below, Disclosure, PublicCause, publish
from shared.contracts.results import AddendumReason, Cause, Moved, ResultData, Verdict
from tests.unit.portal import builders as b

OPEN = Disclosure(limit=5, strict=False)
STRICT = Disclosure(limit=10, strict=True)


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (1, Below(5)), (4, Below(5)), (5, 5)])
def test_counts_under_the_limit_are_withheld_and_zero_is_not(
    value: int, shown: int | Below
) -> None:
    assert OPEN.count(value) == shown


def test_an_ordinary_carta_shows_its_few_failures() -> None:
    part = publish(b.result("CC-EM-01", "01", "MANDO", parts=(b.part(98, 2),)), OPEN).parts[0]
    assert (part.numerator, part.denominator, part.value) == (98, 100, Decimal(98))


def test_a_sensitive_carta_shows_no_figure_that_tells_of_few_people() -> None:
    """98 of 100 says that 2 failed: neither the count nor the share may be said."""
    public = publish(b.result("CC-IG-01", "01", "IGUALDAD", parts=(b.part(98, 2),)), STRICT)
    part = public.parts[0]
    assert (part.numerator, part.value, part.is_withheld) == (None, None, True)
    assert part.denominator == 100
    assert public.verdict is Verdict.MET


def test_a_sensitive_carta_without_failures_may_say_so() -> None:
    part = publish(b.result("CC-IG-01", "01", "IGUALDAD", parts=(b.part(40, 0),)), STRICT).parts[0]
    assert (part.numerator, part.denominator, part.value) == (40, 40, Decimal(100))


@given(met=st.integers(0, 60), failed=st.integers(0, 60))
def test_what_is_published_never_leads_to_a_small_cell(met: int, failed: int) -> None:
    part = publish(
        b.result("CC-IG-01", "01", "IGUALDAD", parts=(b.part(met, failed),)), STRICT
    ).parts[0]
    if isinstance(part.numerator, int) and isinstance(part.denominator, int):
        assert not 0 < part.numerator < 10
        assert not 0 < part.denominator - part.numerator < 10
    else:
        assert part.value is None


def test_pending_and_excluded_are_counts_of_people_too() -> None:
    counted = b.part(40, 0, pending=3, excluded={"duplicado": 4, "desistida": 12, "otra": 0})
    part = publish(b.result("CC-IG-01", "01", "IGUALDAD", parts=(counted,)), STRICT).parts[0]
    assert part.pending == Below(10)
    assert part.excluded == (("desistida", 12), ("duplicado", Below(10)))


def test_an_ordinary_carta_says_what_stands_beside_its_figure() -> None:
    counted = b.part(178, 32, pending=3, overdue_open=1, excluded={"duplicado": 2})
    part = publish(b.result("CC-EM-01", "01", "MANDO", parts=(counted,)), OPEN).parts[0]
    assert (part.pending, part.overdue_open, part.excluded) == (3, 1, (("duplicado", 2),))


def test_a_mean_of_few_cases_is_withheld() -> None:
    result = b.result("CC-AG-01", "01", "AGUA", parts=(b.mean_part("30", 4),))
    assert publish(result, OPEN).parts[0].is_withheld
    result = b.result("CC-AG-01", "01", "AGUA", parts=(b.mean_part("30", 5),))
    assert not publish(result, OPEN).parts[0].is_withheld


def corrected(met_before: int, met: int, failed: int) -> ResultData:
    change = Moved(part=1, count="met", before=met_before, after=met)
    cause = Cause(reason=AddendumReason.LATE_FACTS, cases=("A-1", "A-2"), total=10)
    parts = (b.part(met, failed),)
    changes = {"edition": 2, "causes": (cause,), "moved": (change,)}
    return b.result("CC-EM-01", "01", "MANDO", parts=parts, **changes)


def test_a_correction_says_which_counts_it_changed() -> None:
    [moved] = publish(corrected(40, 50, 9), OPEN).moved
    assert (moved.count, moved.before, moved.after) == ("met", 40, 50)


def test_a_correction_says_how_many_cases_moved_it_and_never_which() -> None:
    [cause] = publish(corrected(40, 50, 9), OPEN).causes
    assert cause == PublicCause(AddendumReason.LATE_FACTS, None, 10)


@pytest.mark.parametrize(
    ("before", "after", "failed", "rule"),
    [(40, 50, 9, STRICT), (2, 50, 1, OPEN), (40, 3, 1, OPEN)],
    ids=["sensitive", "few before", "few now"],
)
def test_a_correction_does_not_say_what_an_edition_withholds(
    before: int, after: int, failed: int, rule: Disclosure
) -> None:
    result = publish(corrected(before, after, failed), rule)
    assert result.moved == ()
    assert [(each.reason, each.total) for each in result.causes] == [
        (AddendumReason.LATE_FACTS, None)
    ]
