from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.buzon.domain import cases
from services.buzon.domain.access import Post, may_see, may_take, units_under
from services.buzon.domain.cases import (
    Folio,
    Situation,
    Step,
    StepRefusedError,
    allowed_steps,
    public_state,
)
from services.buzon.domain.folios import folio_number
from services.buzon.use_cases.errors import ALL
from shared.contracts.cartas import Role
from shared.contracts.complaints import ComplaintChange, ComplaintKind, Finding
from tests.unit.buzon import builders as b

ORIGINAL = b.folio(folio=folio_number(2026, 2))
MOVES: dict[Step, Callable[[Folio, datetime], Folio]] = {
    Step.ASSIGN: lambda folio, _now: cases.assign(folio, "agua"),
    Step.PAUSE: cases.pause,
    Step.RESUME: cases.resume,
    Step.ANSWER: cases.answer,
    Step.FINDING: lambda folio, now: cases.find(folio, Finding.UPHELD, now),
    Step.LINK: lambda folio, _now: cases.link(
        folio, carta="CC-RC-01", compromiso="CC-RC-01-01", unit="registro"
    ),
    Step.DUPLICATE: lambda folio, now: cases.mark_duplicate(folio, ORIGINAL, now),
    Step.NOT_COMPETENT: cases.turn_over,
    Step.REFER: cases.refer,
}
walks = st.lists(st.tuples(st.sampled_from(Step), st.integers(0, 100)), max_size=14)
kinds = st.sampled_from(ComplaintKind)


def test_every_step_has_a_move_here() -> None:
    assert set(MOVES) == set(Step)


@given(walks, kinds)
def test_whatever_is_tried_a_folio_stays_a_valid_folio(
    walk: list[tuple[Step, int]], kind: ComplaintKind
) -> None:
    folio = b.folio(kind=kind)
    now = b.FRIDAY
    for step, hours in walk:
        now += timedelta(hours=hours)
        before = folio
        if step not in allowed_steps(folio):
            with pytest.raises(StepRefusedError) as refusal:
                MOVES[step](folio, now)
            assert refusal.value.allowed == allowed_steps(folio)
            continue
        folio = MOVES[step](folio, now)
        _check_one_step(before, folio)


def _check_one_step(before: Folio, after: Folio) -> None:
    assert after.revision == before.revision + 1
    assert (before.kind, before.filed_at, before.term) == (after.kind, after.filed_at, after.term)
    for name in ("answered_at", "finding", "duplicate_of", "referred_at"):
        assert getattr(before, name) in (None, getattr(after, name))
    open_pauses = [pause for pause in after.pauses if pause.end is None]
    assert len(open_pauses) == after.is_paused <= 1
    assert not (after.is_paused and after.situation is not Situation.PAUSED)
    assert after.finding is None or after.answered_at is not None
    assert (Step.REFER in allowed_steps(after)) != after.is_referred
    _check_public(after)


def _check_public(folio: Folio) -> None:
    state = public_state(folio, ComplaintChange.ASSIGNED)
    if folio.is_referred:
        assert (state.unit, state.carta, state.compromiso) == (None, None, None)
        assert cases.CONDUCT in state.exclusions
    else:
        assert (state.unit, state.carta) == (folio.unit, folio.carta)


def test_an_answer_ends_the_pause_it_comes_into() -> None:
    paused = cases.pause(b.folio(), b.later(1))
    answered = cases.answer(paused, b.later(2))
    assert answered.pauses[0].end == b.later(2)
    assert answered.situation is Situation.ANSWERED


def test_a_recognition_is_answered_but_neither_justified_nor_not() -> None:
    answered = cases.answer(b.folio(kind=ComplaintKind.RECONOCIMIENTO), b.later(1))
    with pytest.raises(StepRefusedError):
        cases.find(answered, Finding.UPHELD, b.later(2))


def test_a_folio_is_no_duplicate_of_itself_of_a_duplicate_or_of_what_was_referred() -> None:
    folio = b.folio()
    duplicate = cases.mark_duplicate(ORIGINAL, b.folio(folio=folio_number(2026, 3)), b.later(1))
    for other in (folio, duplicate, cases.refer(ORIGINAL, b.later(1))):
        with pytest.raises(StepRefusedError):
            cases.mark_duplicate(folio, other, b.later(1))


def test_linking_gives_a_folio_without_carta_the_carta_and_unit_of_the_promise() -> None:
    linked = cases.link(
        b.folio(carta=None, unit=None), carta="CC-AG-01", compromiso="CC-AG-01-01", unit="agua"
    )
    assert (linked.carta, linked.unit) == ("CC-AG-01", "agua")
    kept = cases.link(
        b.folio(unit="gobierno"), carta="CC-RC-01", compromiso="CC-RC-01-01", unit="registro"
    )
    assert kept.unit == "gobierno"


def test_units_below_a_dependencia_belong_to_it() -> None:
    parents = {"gobierno": None, "registro": "gobierno", "ventanilla": "registro", "agua": None}
    assert units_under("gobierno", parents) == {"gobierno", "registro", "ventanilla"}
    assert units_under("agua", parents) == {"agua"}
    assert units_under("lost", parents) == {"lost"}
    assert units_under(None, parents) == frozenset()


def test_units_that_name_each_other_as_parents_do_not_turn_for_ever() -> None:
    assert units_under("a", {"a": "b", "b": "a"}) == {"a", "b"}


def post(role: Role, *units: str, municipality: str = b.TOWN) -> Post:
    return Post(municipality, "any", role, frozenset(units))


@pytest.mark.parametrize(
    ("who", "sees_open", "sees_referred"),
    [
        (post(Role.UNIT, "registro"), True, False),
        (post(Role.UNIT, "agua"), False, False),
        (post(Role.COORDINATION), True, False),
        (post(Role.CONTRALORIA), False, True),
        (post(Role.ADMINISTRATOR, "registro"), False, False),
        (post(Role.UNIT, "registro", municipality="other"), False, False),
        (post(Role.CONTRALORIA, municipality="other"), False, False),
    ],
)
def test_conduct_is_seen_by_the_contraloria_alone(
    who: Post, sees_open: bool, sees_referred: bool
) -> None:
    folio = b.folio()
    assert may_see(who, folio) is sees_open
    assert may_see(who, cases.refer(folio, b.later(1))) is sees_referred


def test_a_folio_without_unit_is_the_coordination_s() -> None:
    folio = b.folio(unit=None)
    assert not may_see(post(Role.UNIT, "registro"), folio)
    assert may_see(post(Role.COORDINATION), folio)


def test_only_the_coordination_turns_folios_over() -> None:
    assert may_take(post(Role.COORDINATION), Step.ASSIGN)
    assert not may_take(post(Role.UNIT, "registro"), Step.ASSIGN)
    assert may_take(post(Role.UNIT, "registro"), Step.ANSWER)


def test_reasons_are_told_apart() -> None:
    assert len({error.reason for error in ALL}) == len(ALL)
