"""Each promise is read, each case judged, each window decided as a person wrote it beforehand."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

import pytest

from shared.criteria import (
    Band,
    CaseReason,
    CaseStatus,
    CaseVerdict,
    NotEvaluated,
    PartResult,
    Result,
    Verdict,
    figures_of,
    judge_case,
    loosened,
    measures_of,
)
from shared.criteria.ledger import Ledger, combined, judged
from tests.corpus.judging import (
    Judge,
    all_cases,
    catalogue,
    counted,
    counts_of,
    judge_of,
    only,
    result_of,
)
from tests.corpus.reading import ROWS, Defect, Fact, Fields, Promise, Trial, corpus, counts
from tests.unit.criteria import naive

PROMISES: Final = corpus().promises
VERDICTS: Final = {
    "cumple": Verdict.MET,
    "no cumple": Verdict.NOT_MET,
    "no evaluado": Verdict.NOT_EVALUATED,
    "informativo": Verdict.NOT_EVALUATED,
}
BANDS: Final = {
    "verde": Band.GREEN,
    "ambar": Band.AMBER,
    "rojo": Band.RED,
    "gris": Band.GREY,
}
STATUSES: Final = {
    "dentro": (CaseStatus.MET, False),
    "fuera": (CaseStatus.FAILED, False),
    "vencido": (CaseStatus.FAILED, True),
    "pendiente": (CaseStatus.PENDING, False),
}


def named(promise: Promise, edge: str = "") -> str:
    """Return the id of a test: the row and the edge, without accents that a terminal escapes."""
    plain = unicodedata.normalize("NFKD", f"{promise.name} {edge}").encode("ascii", "ignore")
    return "-".join(re.findall(r"\w+", plain.decode()))


each_promise = pytest.mark.parametrize("promise", PROMISES, ids=named)
each_trial = pytest.mark.parametrize(
    ("promise", "trial"),
    [
        pytest.param(promise, trial, id=named(promise, trial.edge))
        for promise in PROMISES
        for trial in promise.trials
    ],
)


def knows_all(trial: Trial) -> bool:
    """Whether the facts are complete, and outages lie on whole minutes."""
    outages = [case for case in all_cases(trial.facts) if "outage.started" in case.events]
    seconds = [instant.second for case in outages for instant in case.events.values()]
    return trial.known is not None and not any(seconds)


def test_no_row_is_missing() -> None:
    assert {promise.row for promise in PROMISES} == set(range(1, ROWS + 1))


@each_promise
def test_a_promise_is_read_with_the_warnings_it_deserves_and_no_other(promise: Promise) -> None:
    reading = catalogue(promise)
    assert reading.faults == ()
    told = [each.message for each in reading.warnings if "compromisos[" in each.path]
    unexpected = [text for text in told if not any(word in text for word in promise.warnings)]
    missing = [word for word in promise.warnings if not any(word in text for text in told)]
    assert (unexpected, missing) == ([], [])


@pytest.mark.parametrize(
    ("promise", "defect"),
    [pytest.param(p, d, id=named(p, d.says)) for p in PROMISES for d in p.defects],
)
def test_what_contradicts_itself_is_told(promise: Promise, defect: Defect) -> None:
    reading = catalogue(promise, defect.changes)
    told = [each.message for each in (*reading.faults, *reading.warnings)]
    assert any(defect.says in text for text in told), told


@pytest.mark.parametrize("promise", [p for p in PROMISES if p.earlier is not None], ids=named)
def test_a_version_that_promises_less_is_told(promise: Promise) -> None:
    earlier = promise.earlier
    assert earlier is not None
    before = only(catalogue(promise, earlier.changes)).criterion
    told = [problem.message for problem in loosened(before, judge_of(promise).criterion)]
    assert [("se relaja" in text) for text in told] == [True] * earlier.is_loosened


def test_what_cannot_be_encoded_is_told_by_the_lint_too() -> None:
    partly = {promise.row for promise in PROMISES if promise.uncodable}
    assert partly == {32, 42}
    assert {promise.row for promise in PROMISES if promise.uncodable and promise.defects} == partly


@each_trial
def test_each_case_is_judged_as_written(promise: Promise, trial: Trial) -> None:
    judge = judge_of(promise)
    for fact in trial.facts:
        if fact.verdicts is not None:
            assert verdicts_on(judge, fact, trial.known) == expected_on(promise, judge, fact)


@each_trial
def test_the_window_is_decided_as_written(promise: Promise, trial: Trial) -> None:
    judge = judge_of(promise)
    result = result_of(judge, trial, counted(judge, trial.facts, known=trial.known))
    assert outcome(result, trial.expected) == wanted(trial.expected)


@pytest.mark.parametrize(
    ("promise", "trial"),
    [
        pytest.param(promise, trial, id=named(promise, trial.edge))
        for promise in PROMISES
        for trial in promise.trials
        if trial.after is not None
    ],
)
def test_a_late_correction_decides_anew_and_back_again(promise: Promise, trial: Trial) -> None:
    judge = judge_of(promise)
    assert trial.corrected is not None
    assert trial.after is not None
    ledger = counted(judge, trial.facts, known=trial.known)
    before = dict(ledger.tallies)
    take(ledger, judge, trial.corrected, trial.known)
    assert outcome(result_of(judge, trial, ledger), trial.after) == wanted(trial.after)
    take(ledger, judge, trial.facts, trial.known)
    assert ledger.tallies == before


@each_trial
def test_counts_kept_fact_by_fact_equal_a_fresh_look(promise: Promise, trial: Trial) -> None:
    judge, cases = judge_of(promise), all_cases(trial.facts)
    writers = [Ledger(), Ledger(), Ledger()]
    for number, case in reversed(list(enumerate(cases))):
        own = writers[number % len(writers)]
        for other in (cases[0], case, case):  # said wrong, then right, then again
            own.take(str(number), judged(judge.bench, other, known=trial.known))
    fresh = counted(judge, trial.facts, known=trial.known)
    assert combined(writers) == fresh.tallies


@pytest.mark.parametrize(
    ("promise", "trial"),
    [
        pytest.param(promise, trial, id=named(promise, trial.edge))
        for promise in PROMISES
        for trial in promise.trials
        if knows_all(trial) and "recurrencia" not in promise.declared["criterio"]
    ],
)
def test_figures_equal_those_of_a_judge_without_counts(promise: Promise, trial: Trial) -> None:
    """That judge counts outages in whole minutes, and leaves the calendar's occurrences alone."""
    judge = judge_of(promise)
    assert trial.known is not None
    ledger = counted(judge, trial.facts, known=trial.known)
    found = figures_of(judge.criterion, counts_of(judge, ledger, known=trial.known))
    assert [figure.value for figure in found] == naive.figures(
        judge.criterion,
        all_cases(trial.facts),
        judge.bounds,
        calendars=judge.bench.calendars,
        zone=judge.bench.windows.zone,
        known=trial.known,
    )


# Between the words of the file and those of the product


def take(ledger: Ledger, judge: Judge, facts: Sequence[Fact], known: datetime | None) -> None:
    for number, case in enumerate(all_cases(facts)):
        ledger.take(str(number), judged(judge.bench, case, known=known))


Found = tuple[str, tuple[str, ...]]
"""A verdict in the file's words, and the windows in which it counts."""


def verdicts_on(judge: Judge, fact: Fact, known: datetime | None) -> list[Found]:
    case = fact.cases[0]
    placed = judged(judge.bench, case, known=known)
    found = []
    for number, measure in enumerate(measures_of(judge.criterion)):
        verdict = judge_case(
            measure,
            case,
            judge.bench.calendars[number],
            zone=judge.bench.windows.zone,
            complete_through=known,
        )
        windows = [each.window for each in placed if each.measure == number]
        ids = tuple("ninguna" if window is None else window.id for window in windows)
        found.append((said(verdict), ids))
    return found


def said(verdict: CaseVerdict | None) -> str:
    if verdict is None:
        return "ajeno"
    if verdict.status is CaseStatus.EXCLUDED:
        return f"excluido ({verdict.reason})"
    is_overdue = verdict.overdue_open and verdict.status is CaseStatus.FAILED
    assert is_overdue == (
        verdict.status is CaseStatus.FAILED and verdict.reason == CaseReason.OVERDUE_OPEN
    )
    words = {status: word for word, status in STATUSES.items()}
    return words[verdict.status, is_overdue]


def expected_on(promise: Promise, judge: Judge, fact: Fact) -> list[Found]:
    assert fact.verdicts is not None
    width = len(judge.bench.calendars)
    verdicts = fact.verdicts * (width if len(fact.verdicts) == 1 else 1)
    windows = fact.windows or (promise.period,)
    windows *= width if len(windows) == 1 else 1
    for word in verdicts:
        assert word in STATUSES or re.fullmatch(r"ajeno|excluido \(.+\)", word), word
    return [
        (word, () if word == "ajeno" else (window,))
        for word, window in zip(verdicts, windows, strict=True)
    ]


Outcome = dict[str, object]


def outcome(result: Result, expected: Fields) -> Outcome:
    """Return of a result what the file says of it."""
    whole = _seen(result.verdict, result.reason, result.band, expected)
    if "partes" in expected:
        parts = zip(result.parts, expected["partes"], strict=True)
        whole["partes"] = [_part_seen(part, each) for part, each in parts]
    elif "cuentas" in expected or "valor" in expected:
        (part,) = result.parts
        whole |= _figure_seen(part, expected)
    return whole


def _part_seen(part: PartResult, expected: Fields) -> Outcome:
    return _seen(part.verdict, part.reason, part.band, expected) | _figure_seen(part, expected)


def _seen(verdict: Verdict, reason: NotEvaluated | None, band: Band, expected: Fields) -> Outcome:
    seen: Outcome = {"veredicto": verdict, "motivo": None if reason is None else reason.value}
    if "semaforo" in expected:
        seen["semaforo"] = band
    return seen


def _figure_seen(part: PartResult, expected: Fields) -> Outcome:
    seen: Outcome = {}
    if "cuentas" in expected:
        seen["cuentas"] = (part.numerator, part.denominator)
    if "valor" in expected or "cuentas" in expected:
        seen["valor"] = part.value
    return seen


def wanted(expected: Fields) -> Outcome:
    """Return what the file says, in the product's terms."""
    words = expected["veredicto"]
    reason = NotEvaluated.INFORMATIVE.value if words == "informativo" else expected.get("motivo")
    whole: Outcome = {"veredicto": VERDICTS[words], "motivo": reason}
    if "semaforo" in expected:
        whole["semaforo"] = BANDS[expected["semaforo"]]
    if "cuentas" in expected:
        met, decided = counts(expected["cuentas"])
        whole["cuentas"] = (met, decided)
        whole["valor"] = 100 * met / decided
    if "valor" in expected:
        whole["valor"] = Fraction(expected["valor"])
    if "partes" in expected:
        whole["partes"] = [wanted(part) for part in expected["partes"]]
    return whole
