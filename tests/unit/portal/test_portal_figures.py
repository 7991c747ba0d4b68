from collections import Counter
from datetime import date

import pytest
from prometheus_client import CollectorRegistry

from services.portal.domain import figures
from services.portal.domain.board import Board, board
from services.portal.domain.figures import OpenWindow, Standing
from services.portal.domain.states import State
from services.portal.metrics import Metrics
from shared.contracts.results import Prospect, Verdict
from tests.unit.portal import builders as b

REGISTRO, EMERGENCIAS, IGUALDAD = "CC-RC-01-01", "CC-EM-01-01", "CC-IG-01-01"


def whole_board() -> Board:
    return board(
        b.municipality(),
        cartas=b.CARTAS,
        units={unit.unit: unit for unit in b.UNITS},
        results=b.results(),
        actions=[],
        today=date(2026, 11, 23),
    )


def window(compromiso: str = REGISTRO, **changes: object) -> OpenWindow:
    fields = {"verdict": Verdict.MET, "prospect": Prospect.OPEN, "at_risk": False} | changes
    return OpenWindow(compromiso, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "standing"),
    [
        (window(), Standing.ON_TRACK),
        (window(verdict=Verdict.NOT_MET), Standing.ON_TRACK),
        (window(verdict=Verdict.NOT_EVALUATED), Standing.NO_DATA),
        (window(at_risk=True), Standing.AT_RISK),
        (window(at_risk=True, verdict=Verdict.NOT_EVALUATED), Standing.AT_RISK),
        (window(at_risk=True, prospect=Prospect.LOST), Standing.LOST),
        (window(prospect=None, verdict=Verdict.NOT_MET), Standing.AT_RISK),
        (window(prospect=None, verdict=Verdict.NOT_EVALUATED), Standing.NO_DATA),
        (window(prospect=None), Standing.ON_TRACK),
    ],
)
def test_a_window_that_is_not_closed_stands_as_its_prospect_says(
    found: OpenWindow, standing: Standing
) -> None:
    assert found.standing is standing


def test_promises_are_counted_by_dependencia_as_the_public_page_counts_them() -> None:
    shown = whole_board()
    counted = figures.closed(shown)
    assert counted == {
        ("SECRETARIA", State.NOT_MET): 1,
        ("SECRETARIA", State.TOLERABLE): 1,
        ("SECRETARIA", State.NO_DATA): 1,
        ("SEGURIDAD", State.NOT_MET): 1,
        ("IGUALDAD", State.MET): 1,
        ("AGUA", State.TOLERABLE): 1,
    }
    totals = Counter[State]()
    for (_, state), count in counted.items():
        totals[state] += count
    assert totals == shown.counts


def test_a_promise_stands_as_the_worst_of_its_units_and_a_sensitive_carta_is_not_told() -> None:
    windows = [
        window(),
        window(at_risk=True),
        window(verdict=Verdict.NOT_EVALUATED),
        window(EMERGENCIAS, prospect=Prospect.LOST),
        window(IGUALDAD),
        window("CC-XX-01-01"),
    ]
    assert figures.open_now(whole_board(), windows) == {
        ("SECRETARIA", Standing.AT_RISK): 1,
        ("SEGURIDAD", Standing.LOST): 1,
    }


def test_states_without_promises_are_told_as_0_and_what_is_gone_is_not_told() -> None:
    registry = CollectorRegistry()
    metrics = Metrics(registry)

    def promises(department: str, state: str) -> float | None:
        labels = {"municipality": b.M, "department": department, "state": state}
        return registry.get_sample_value("portal_promises", labels)

    def standing(department: str, standing: str) -> float | None:
        labels = {"municipality": b.M, "department": department, "standing": standing}
        return registry.get_sample_value("portal_open_promises", labels)

    open_now = {b.M: Counter({("AGUA", Standing.LOST): 2})}
    metrics.tell_promises({b.M: Counter({("AGUA", State.TOLERABLE): 3})}, open_now)
    assert [promises("AGUA", word) for word in ("met", "tolerable", "not_met", "no_data")] == [
        0,
        3,
        0,
        0,
    ]
    assert [standing("AGUA", word) for word in ("lost", "at_risk", "on_track", "no_data")] == [
        2,
        0,
        0,
        0,
    ]
    metrics.tell_promises({b.M: Counter({("SEGURIDAD", State.MET): 1})}, {})
    assert promises("AGUA", "tolerable") is None
    assert standing("AGUA", "lost") is None
    assert promises("SEGURIDAD", "met") == 1
