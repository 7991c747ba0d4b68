from typing import Any

from services.measurements.domain.checks import SourceState
from services.measurements.domain.completeness import Evidence, changed, source_state
from tests.unit.measurements.builders import QUEUE, at


def evidence(**more: Any) -> Evidence:
    return Evidence(
        **{
            "uri": QUEUE,
            "municipality": "nogal",
            "historical": False,
            "services": ("RC-ACTAS",),
            "reports": ("ticket.*",),
            "expects": None,
            "grace_seconds": 300,
            "state": SourceState.ACTIVE,
            "state_since": at(-1000),
            "latest": at(5),
            "as_of": None,
            "complete": False,
            **more,
        }
    )


def test_a_live_source_is_complete_up_to_its_latest_event() -> None:
    assert source_state(evidence(), at(30)).complete_through == at(5)


def test_an_event_of_the_future_proves_nothing_beyond_what_is_read() -> None:
    assert source_state(evidence(latest=at(40)), at(30)).complete_through == at(30)


def test_a_source_that_never_spoke_has_only_its_grace() -> None:
    state = source_state(evidence(latest=None), at(30))
    assert (state.complete_through, state.grace_seconds) == (None, 300)


def test_a_suspended_source_is_not_complete_beyond_its_suspension() -> None:
    suspended = evidence(state=SourceState.SUSPENDED, state_since=at(3))
    state = source_state(suspended, at(30))
    assert state.complete_through == at(3)
    assert state.grace_seconds > 10 * 365 * 86_400


def test_a_historical_source_is_complete_only_when_its_imports_are() -> None:
    past = evidence(historical=True, latest=at(5), as_of=at(20))
    assert source_state(past, at(30)).complete_through is None
    done = evidence(historical=True, latest=at(5), as_of=at(20), complete=True)
    assert source_state(done, at(30)).complete_through == at(20)


def test_only_states_that_differ_are_told() -> None:
    before = source_state(evidence(), at(30))
    later = source_state(evidence(latest=at(6)), at(30))
    assert changed({before.source: before}, [before]) == []
    assert changed({before.source: before}, [later]) == [later]
