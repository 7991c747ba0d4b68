from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.ladder import (
    COORDINATION_RANK,
    Skip,
    choose,
    is_mailbox,
    ladder,
    unit_chain,
)
from shared.contracts.cartas import EscalationStep, PostData, Role, Status
from tests.unit.notifier import builders as b

CHAIN = ("ventanilla", "tesoreria")


def told(*posts: PostData, from_rank: int = 1, rejecting: tuple[str, ...] = ()) -> str | None:
    rungs = ladder(posts, CHAIN, ())
    choice = choose(rungs, from_rank=from_rank, rejecting=frozenset(rejecting), tried=frozenset())
    return choice.rung.post if choice.rung else None


def test_the_units_own_enlace_is_told_first() -> None:
    assert told(*reversed(b.POSTS)) == "enlace"


def test_the_order_is_enlace_titular_dependencia_coordination() -> None:
    rungs = ladder(b.POSTS, CHAIN, ())

    assert [rung.post for rung in rungs] == ["enlace", "titular", "direccion", "coordinacion"]


def test_a_post_of_another_unit_is_never_told() -> None:
    stranger = b.post("obras", unit="obras")

    assert told(stranger, b.COORDINACION) == "coordinacion"


def test_a_retired_post_is_never_told() -> None:
    assert told(b.post("enlace", status=Status.RETIRED), b.TITULAR) == "titular"


def test_a_post_whose_level_is_not_named_still_answers_for_its_unit() -> None:
    assert told(b.post("ventanilla", level="jefatura"), b.COORDINACION) == "ventanilla"


def test_the_municipality_names_its_own_levels() -> None:
    steps = (
        EscalationStep(level=1, post_level="jefatura", after_working_days=0),
        EscalationStep(level=2, post_level="enlace_carta", after_working_days=1),
        EscalationStep(level=3, post_level="contraloria", after_working_days=9),
    )
    rungs = ladder((*b.POSTS, b.post("jefa", level="jefatura")), CHAIN, steps)

    assert {rung.post: rung.rank for rung in rungs} == {
        "jefa": 1,
        "titular": 1,  # not named, but of the very unit
        "enlace": 2,
        "contraloria": 3,
        "direccion": COORDINATION_RANK - 1,  # not named, and not of the unit
        "coordinacion": COORDINATION_RANK,
    }


def test_without_address_the_next_level_is_told_and_the_ledger_says_why() -> None:
    posts = (b.post("enlace", mailbox=None), b.TITULAR, b.COORDINACION)
    choice = choose(ladder(posts, CHAIN, ()), from_rank=1, rejecting=frozenset(), tried=frozenset())

    assert choice.rung is not None
    assert choice.rung.post == "titular"
    assert [(rung.post, why) for rung, why in choice.skipped] == [("enlace", Skip.NO_ADDRESS)]


def test_a_rejecting_mailbox_is_passed_over() -> None:
    assert told(*b.POSTS, rejecting=("enlace@puerto.example",)) == "titular"


def test_an_escalation_begins_at_its_level() -> None:
    assert told(*b.POSTS, from_rank=3) == "direccion"


def test_where_nobody_above_can_be_told_it_is_the_coordination() -> None:
    assert told(*b.POSTS, from_rank=9) == "coordinacion"


def test_without_coordination_nobody_is_invented() -> None:
    assert told(b.CONTRALORIA) is None


def test_a_circle_of_units_ends() -> None:
    circle = {"a": b.unit("a", "A", parent="z"), "z": b.unit("z", "Z", parent="a")}

    assert unit_chain("a", circle) == ("a", "z")


@given(
    st.lists(
        st.builds(
            b.post,
            st.sampled_from(["p1", "p2", "p3"]),
            role=st.sampled_from(Role),
            unit=st.sampled_from(["ventanilla", "tesoreria", "obras", None]),
            level=st.sampled_from(["enlace_carta", "titular_unidad", "otro"]),
            mailbox=st.sampled_from([None, "a@x.example", "z@x.example"]),
        )
    ),
    st.integers(1, 10),
)
def test_whenever_the_coordination_has_an_address_somebody_is_told(
    posts: list[PostData], from_rank: int
) -> None:
    assert told(*posts, b.COORDINACION, from_rank=from_rank) is not None


def test_what_is_not_one_plain_address_is_no_mailbox() -> None:
    assert is_mailbox("enlace@puerto.example")
    for text in ("a@b@c", "<a@b>", "a@", "ñ@puerto.example", "a@b, c@d", "a b@c", "a@b\r\nX: y"):
        assert not is_mailbox(text), text
