from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.measurements.domain.cases import Fact, Pause, assemble, change_of
from shared.contracts.measurements import CaseChange
from tests.unit.measurements.builders import at, fact

KINDS = (
    "ticket.issued",
    "ticket.called",
    "case.paused",
    "case.resumed",
    "case.excluded",
    "case.abandoned",
)
# Small pools make collisions: equal times, corrections of corrections, circles, unknown targets.
IDS = st.sampled_from([f"e{number}" for number in range(8)])
facts = st.builds(
    fact,
    IDS,
    st.sampled_from(KINDS),
    st.integers(0, 4),
    source=st.sampled_from(["/a", "/b"]),
    unit=st.sampled_from([None, "U1", "U2"]),
    attributes=st.dictionaries(st.sampled_from(["tipo", "via"]), st.sampled_from(["x", "y"])),
    due_at=st.none() | st.integers(0, 4).map(at),
    reason=st.sampled_from(["aclaracion", "pago"]),
    supersedes=st.none() | IDS,
    void=st.booleans(),
    historical=st.booleans(),
).map(lambda made: made if made.supersedes else _not_void(made))
histories = st.lists(facts, min_size=1, max_size=8, unique_by=lambda made: made.identity)


def _not_void(made: Fact) -> Fact:
    return fact(
        made.id,
        made.kind,
        source=made.source,
        time=made.time,
        unit=made.unit,
        attributes=made.attributes,
        due_at=made.due_at,
        reason=made.reason,
        historical=made.historical,
    )


@given(st.data())
def test_the_order_of_arrival_never_changes_the_case(data: st.DataObject) -> None:
    history = data.draw(histories)
    shuffled = data.draw(st.permutations(history))
    assert assemble(shuffled) == assemble(history)


@given(histories)
def test_pauses_of_a_reason_never_overlap_and_never_end_before_they_start(
    history: list[Fact],
) -> None:
    by_reason: dict[str, list[Pause]] = {}
    for pause in assemble(history).pauses:
        by_reason.setdefault(pause.reason, []).append(pause)
    for pauses in by_reason.values():
        for pause in pauses:
            assert pause.end is None or pause.start < pause.end
        for earlier, later in pairwise(pauses):
            assert earlier.end is not None
            assert earlier.end <= later.start


def test_two_events_make_a_clock_whichever_comes_first() -> None:
    case = assemble([fact("2", "ticket.called", 9), fact("1", "ticket.issued", 0)])
    assert case.instants == {"ticket.issued": at(0), "ticket.called": at(9)}


def test_a_correction_replaces_what_it_names() -> None:
    wrong, right = fact("1", minutes=0), fact("2", minutes=3, supersedes="1")
    assert assemble([wrong, right]).instants == {"ticket.issued": at(3)}


def test_a_correction_counts_before_what_it_corrects_arrives() -> None:
    assert assemble([fact("2", minutes=3, supersedes="1")]).instants == {"ticket.issued": at(3)}


def test_a_correction_of_another_source_s_event_does_not_touch_it() -> None:
    others = fact("2", "ticket.called", 3, source="/other", supersedes="1")
    assert assemble([fact("1"), others]).instants == {
        "ticket.issued": at(0),
        "ticket.called": at(3),
    }


def test_a_void_event_never_happened() -> None:
    case = assemble(
        [
            fact("1"),
            fact("2", "ticket.called", 9),
            fact("3", "ticket.called", 9, supersedes="2", void=True),
        ]
    )
    assert case.instants == {"ticket.issued": at(0)}


def test_voiding_a_correction_does_not_bring_the_first_version_back() -> None:
    history = [fact("1"), fact("2", supersedes="1"), fact("3", supersedes="2", void=True)]
    assert assemble(history).instants == {}


def test_what_was_voided_can_happen_again() -> None:
    history = [
        fact("1"),
        fact("2", supersedes="1", void=True),
        fact("3", minutes=5, supersedes="2"),
    ]
    assert assemble(history).instants == {"ticket.issued": at(5)}


def test_of_two_corrections_of_one_event_the_longer_chain_counts() -> None:
    history = [
        fact("1"),
        fact("9", minutes=9, supersedes="1"),
        fact("2", minutes=2, supersedes="1"),
        fact("3", minutes=3, supersedes="2"),
    ]
    assert assemble(history).instants == {"ticket.issued": at(3)}


def test_calling_a_ticket_again_does_not_move_its_wait() -> None:
    history = [fact("1"), fact("2", "ticket.called", 20), fact("3", "ticket.called", 5)]
    assert assemble(history).instants["ticket.called"] == at(5)


def test_a_pause_ends_with_its_resumption() -> None:
    history = [
        fact("1"),
        fact("3", "case.resumed", 8, reason="pago"),
        fact("2", "case.paused", 5, reason="pago"),
        fact("4", "case.paused", 10, reason="aclaracion"),
    ]
    assert assemble(history).pauses == (
        Pause("pago", at(5), at(8)),
        Pause("aclaracion", at(10), None),
    )


def test_a_resumption_without_reason_ends_every_pause() -> None:
    history = [
        fact("1", "case.paused", 1, reason="pago"),
        fact("2", "case.paused", 2, reason="aclaracion"),
        fact("3", "case.resumed", 5),
    ]
    assert {pause.end for pause in assemble(history).pauses} == {at(5)}


def test_a_pause_that_ends_as_the_next_begins_leaves_both() -> None:
    history = [
        fact("1", "case.paused", 1, reason="pago"),
        fact("2", "case.resumed", 5, reason="pago"),
        fact("3", "case.paused", 5, reason="pago"),
    ]
    ends = [(pause.start, pause.end) for pause in assemble(history).pauses]
    # Paused and resumed at the same instant: the resumption ends the earlier one.
    assert ends == [(at(1), at(5)), (at(5), None)]


def test_what_is_paused_and_resumed_at_once_stood_still_for_no_time() -> None:
    history = [
        fact("1", "case.paused", 5, reason="pago"),
        fact("2", "case.resumed", 5, reason="pago"),
    ]
    assert assemble(history).pauses == ()


def test_exclusions_are_named_once_and_leave_with_their_event() -> None:
    history = [
        fact("1", "case.excluded", 1, reason="falla_electrica"),
        fact("2", "case.excluded", 2, reason="falla_electrica"),
        fact("3", "case.excluded", 2, reason="duplicado"),
        fact("4", "case.excluded", 2, supersedes="3", reason="duplicado", void=True),
    ]
    assert assemble(history).exclusions == ("falla_electrica",)
    assert assemble(history).instants == {}


def test_a_case_is_historical_while_only_imports_speak_of_it() -> None:
    imported = fact("1", historical=True)
    assert assemble([imported]).historical
    assert not assemble([imported, fact("2", "ticket.called", 9)]).historical


def test_changes_are_named_by_what_the_event_does() -> None:
    assert change_of(fact("1"), is_first=True) is CaseChange.OPENED
    assert change_of(fact("1", "ticket.called"), is_first=False) is CaseChange.ADVANCED
    assert change_of(fact("1", "case.paused"), is_first=True) is CaseChange.PAUSED
    assert change_of(fact("1", supersedes="0"), is_first=False) is CaseChange.CORRECTED
    assert change_of(fact("1", supersedes="0", void=True), is_first=False) is CaseChange.VOIDED
