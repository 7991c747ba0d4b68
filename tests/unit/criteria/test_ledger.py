from collections.abc import Sequence
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.criteria import (
    Case,
    Counts,
    Criterion,
    Setting,
    Tally,
    Window,
    Windows,
    figures_of,
    measures_of,
    merged,
    window_of,
)
from shared.criteria.ledger import Bench, Ledger, combined, judged
from tests.unit.criteria import naive
from tests.unit.criteria.builders import GENERAL
from tests.unit.criteria.strategies import JULY, cases, criteria
from tests.unit.worktime.calendars import ZONE

QUARTER, MONTH = (Window.model_validate({"kind": kind}) for kind in ("quarter", "month"))
KNOWN = JULY + timedelta(days=60)
slow = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

revisions = st.lists(st.tuples(st.integers(0, 7), cases(), st.booleans()), min_size=0, max_size=14)
"""Case, what is said of it, and whether it is said twice; a later revision corrects."""


def bench(criterion: Criterion, window: Window) -> Bench:
    calendars = [GENERAL if m.calendar else None for m in measures_of(criterion)]
    return Bench(criterion, Windows(window, ZONE), calendars)


def last_of(told: Sequence[tuple[int, Case, bool]]) -> dict[str, Case]:
    return {str(number): case for number, case, _ in told}


@slow
@given(criteria, revisions, st.sampled_from([QUARTER, MONTH]), st.randoms(use_true_random=False))
def test_counts_kept_case_by_case_equal_a_fresh_look_at_all_cases(
    criterion: Criterion,
    told: list[tuple[int, Case, bool]],
    window: Window,
    random: Random,
) -> None:
    by = bench(criterion, window)
    writers = [Ledger(), Ledger(), Ledger()]
    for number, case, is_repeated in told:
        own = writers[number % 3]  # a case's facts stay in order on its partition
        for _ in range(1 + is_repeated):
            own.take(str(number), judged(by, case, known=KNOWN))
    final = list(last_of(told).items())
    random.shuffle(final)
    fresh = Ledger()
    for name, case in final:
        fresh.take(name, judged(by, case, known=KNOWN))
    assert combined(writers) == combined([fresh])
    bounds = window_of(window, JULY + timedelta(days=40), ZONE)
    assert bounds is not None
    total = Ledger(dict(combined(writers)))
    cells = total.cells(bounds.id, len(by.calendars))
    setting = Setting(bounds, ZONE, by.calendars, KNOWN)
    assert [f.value for f in figures_of(criterion, Counts(setting, cells))] == naive.figures(
        criterion,
        [case for _, case in final],
        bounds,
        calendars=by.calendars,
        zone=ZONE,
        known=KNOWN,
    )


@slow
@given(criteria, st.lists(cases(), min_size=1, max_size=6), cases())
def test_a_correction_there_and_back_gives_the_first_counts_again(
    criterion: Criterion, told: list[Case], other: Case
) -> None:
    by = bench(criterion, MONTH)
    ledger = Ledger()
    for number, case in enumerate(told):
        ledger.take(str(number), judged(by, case, known=KNOWN))
    before = dict(ledger.tallies)
    ledger.take("0", judged(by, other, known=KNOWN))
    ledger.take("0", judged(by, told[0], known=KNOWN))
    assert ledger.tallies == before
    ledger.take("0", ())
    ledger.take("0", judged(by, told[0], known=KNOWN))
    assert ledger.tallies == before


@slow
@given(criteria, st.lists(cases(), max_size=8))
def test_every_case_of_a_window_is_counted_once_for_each_measure(
    criterion: Criterion, told: list[Case]
) -> None:
    by = bench(criterion, QUARTER)
    ledger = Ledger()
    placed = 0
    for number, case in enumerate(told):
        verdicts = judged(by, case, known=KNOWN)
        ledger.take(str(number), verdicts)
        placed += sum(each.window is not None for each in verdicts)
    counted = merged({str(n): tally for n, tally in enumerate(ledger.tallies.values())})
    assert counted.population == placed
    assert counted - counted == Tally()
