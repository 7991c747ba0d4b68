"""The corpus through the stores: each promise a municipality, each fact an event, then its result.

Measurements takes the events and publishes cases, the evaluator takes those and publishes results:
what it says of each window is what a person wrote beforehand.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache
from typing import Any, Final

import pytest
import pytest_asyncio

from services.evaluator.domain.results import shown
from services.evaluator.use_cases.windows import open_windows
from services.measurements.domain.registration import Registration
from shared.contracts import hot
from shared.contracts.cartas import CalendarData, CartaData, MunicipalityData
from shared.contracts.results import ResultStatus
from shared.criteria import Case, NotEvaluated
from tests.corpus.judging import all_cases, catalogue, judge_of
from tests.corpus.reading import Fact, Fields, Promise, Trial, corpus
from tests.corpus.test_promises import STATUSES, expected_on, named, wanted
from tests.integration.chain.facts import Emitter, folio, is_folio
from tests.integration.chain.support import Chain, chain_on
from tests.support.databases import Templates, own_databases

EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
SERVICE: Final = "TRAMITE"
NOW: Final = datetime(2028, 2, 1, tzinfo=UTC)
"""After every fact and every cut-off of the corpus."""
OPENED: Final = (
    *("2025-02-15", "2025-03-15", "2025-05-15", "2025-12-15"),
    *("2026-02-15", "2026-03-15", "2026-05-15"),
)
"""Days of the windows that are judged, and of those before that their targets follow."""
EVER: Final = 20 * 366 * 86_400
"""Seconds of grace: what the corpus calls unknown is not known by silence either."""
VERDICTS: Final = """
SELECT municipality, case_id, part, status, reason, overdue_open, window_id
FROM verdict ORDER BY municipality, case_id, part, slice
"""


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """One trial of one promise, which is a municipality of its own."""

    town: str
    promise: Promise
    trial: Trial

    @property
    def is_buzon(self) -> bool:
        measures = judge_of(self.promise).criterion.model_dump_json()
        return '"event":"buzon.' in measures

    @property
    def is_told(self) -> bool:
        """Whether its facts can be told: a folio says what the buzon knows of it."""
        facts = [*self.trial.facts, *(self.trial.corrected or ())]
        return not self.is_buzon or all(map(is_folio, all_cases(facts)))

    @property
    def is_decided(self) -> bool:
        """Whether everything is known of the window, or nothing reports on it at all."""
        known, judge = self.trial.known, judge_of(self.promise)
        delay = timedelta(days=judge.compromiso.closing_delay_days)
        return known is None or known >= judge.bounds.end + delay


ALL: Final = tuple(
    Tried(f"t{number}", promise, trial)
    for number, (promise, trial) in enumerate(
        (promise, trial) for promise in corpus().promises for trial in promise.trials
    )
)
TOLD: Final = tuple(each for each in ALL if each.is_told and each.trial.impediment is None)
UNTOLD: Final = {
    (7, NotEvaluated.MEASUREMENT_INCIDENT.value),  # no fact says it
    (58, None),  # the cause of a complaint,
    (68, None),  # an acknowledgement apart from the folio itself,
    (69, None),  # a notice of delay,
    (71, None),  # a prevention apart from its pause,
    (72, None),  # a kind that is not among the buzon's: the buzon says none of these
}
each_told = pytest.mark.parametrize(
    "tried", [pytest.param(t, id=named(t.promise, t.trial.edge)) for t in TOLD]
)
each_corrected = pytest.mark.parametrize(
    "tried",
    [
        pytest.param(t, id=named(t.promise, t.trial.edge))
        for t in TOLD
        if t.trial.corrected is not None
    ],
)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All results by municipality, in the order of publication; the verdicts on first facts."""

    results: dict[str, list[dict[str, Any]]]
    verdicts: dict[tuple[str, str], list[Any]]
    difference: int

    def of(self, tried: Tried) -> list[dict[str, Any]]:
        period = tried.promise.period
        return [each for each in self.results[tried.town] if each["window"]["id"] == period]


@pytest_asyncio.fixture(scope="module")
async def outcomes(database_templates: Templates) -> AsyncIterator[Outcomes]:
    """Everything is told and published at once; then corrected; then corrected back."""
    async with own_databases(database_templates) as database, chain_on(database, NOW) as chain:
        yield await told(chain)


async def told(chain: Chain) -> Outcomes:
    evaluator = chain.evaluator
    await evaluator.learn(*[state for tried in TOLD for state in catalogue_of(tried)])
    await evaluator.judge_again()
    for day in OPENED:
        now = datetime.fromisoformat(f"{day}T12:00:00Z")
        await open_windows(evaluator.pool, evaluator.knowledge, now, past_windows=1)
    await chain.register(source_of(tried) for tried in TOLD if not tried.is_buzon)
    teller = Teller()
    await teller.tell(chain, [(tried, tried.trial.facts) for tried in TOLD])
    assert await chain.refused() == []
    await know_all(chain)
    verdicts: dict[tuple[str, str], list[Any]] = {}
    for row in await evaluator.pool.fetch(VERDICTS):
        verdicts.setdefault((row["municipality"], row["case_id"]), []).append(row)
    await publish(chain)
    changed = [t for t in TOLD if t.trial.corrected is not None]
    for facts in (
        [(tried, tried.trial.corrected or ()) for tried in changed],
        [(tried, tried.trial.facts) for tried in changed],
    ):
        await teller.tell(chain, facts)
        await publish(chain)
    assert await chain.refused() == []
    results: dict[str, list[dict[str, Any]]] = {}
    for data in await evaluator.published():
        results.setdefault(data["municipality"], []).append(data)
    return Outcomes(results, verdicts, await evaluator.difference())


async def publish(chain: Chain) -> None:
    evaluator = chain.evaluator
    await evaluator.publish()
    await evaluator.results.close(evaluator.pool, NOW, limit=10_000)


class Teller:
    """Remembers what it told, so that what is told anew corrects it."""

    def __init__(self) -> None:
        self.emitters = {
            tried.town: Emitter(f"https://{tried.town}.example/", tried.town, SERVICE)
            for tried in TOLD
        }
        self.revision = 0

    async def tell(self, chain: Chain, facts: Sequence[tuple[Tried, Sequence[Fact]]]) -> None:
        self.revision += 1
        folios = [
            folio(tried.town, str(number), case, revision=self.revision)
            for tried, some in facts
            if tried.is_buzon
            for number, case in enumerate(all_cases(some))
        ]
        await chain.complain(folios)
        await chain.tell(self._events(facts))
        await chain.carry()

    def _events(self, facts: Sequence[tuple[Tried, Sequence[Fact]]]) -> Iterator[hot.ServiceEvent]:
        for tried, some in facts:
            if not tried.is_buzon:
                for number, case in enumerate(all_cases(some)):
                    yield from self.emitters[tried.town].tell(str(number), case)


def source_of(tried: Tried) -> Registration:
    cases: list[Case] = all_cases([*tried.trial.facts, *(tried.trial.corrected or ())])
    return Registration(
        uri=f"https://{tried.town}.example/",
        municipality=tried.town,
        services=frozenset({SERVICE}),
        reports=frozenset({"*"}),
        attributes=frozenset(name for case in cases for name in case.attributes),
    )


def catalogue_of(tried: Tried) -> Iterator[MunicipalityData | CalendarData | CartaData]:
    """Yield what the catalogue says of the promise, as that of a municipality of its own."""
    town, read = tried.town, _read(tried.promise)
    yield read.municipality.model_copy(update={"municipality": town})
    for calendar in read.calendars:
        yield CalendarData(
            municipality=town,
            calendar=calendar,
            version=1,
            known_since=EPOCH,
        )
    (carta,) = read.cartas
    yield carta.data.model_copy(update={"municipality": town, "services": (SERVICE,)})


@cache
def _read(promise: Promise) -> Any:
    return catalogue(promise).catalogue


async def know_all(chain: Chain) -> None:
    """Say how far each source is complete; of a silent one nothing is ever said."""
    for pipeline in ("measurements", "buzon"):
        sources = tuple(
            hot.SourceState(
                municipality=tried.town,
                source=pipeline,
                kind="live",
                services=("buzon" if tried.is_buzon else SERVICE,),
                reports=("*",),
                complete_through=tried.trial.known,
                grace_seconds=EVER,
            )
            for tried in TOLD
            if tried.trial.known is not None and tried.is_buzon == (pipeline == "buzon")
        )
        await chain.know(
            hot.ProgressData(pipeline=pipeline, through=NOW, offsets={}, sources=sources)
        )


@each_told
def test_each_case_is_judged_as_written(outcomes: Outcomes, tried: Tried) -> None:
    judge, number = judge_of(tried.promise), 0
    for fact in tried.trial.facts:
        if fact.verdicts is not None:
            rows = outcomes.verdicts.get((tried.town, str(number)), [])
            width = len(judge.bench.calendars)
            found = [_found([row for row in rows if row["part"] == part]) for part in range(width)]
            assert found == expected_on(tried.promise, judge, fact)
        number += len(fact.cases)


@each_told
def test_the_result_is_published_as_written(outcomes: Outcomes, tried: Tried) -> None:
    first = [data for data in outcomes.of(tried) if data["edition"] <= 1][-1]
    if not tried.is_decided:
        assert first["status"] == ResultStatus.PROVISIONAL
        return
    assert first["status"] == ResultStatus.FINAL
    expected = _as_published(wanted(tried.trial.expected))
    if tried.trial.known is None and not tried.trial.facts:
        expected["motivo"] = "sin_fuente"  # the corpus's source is silent; here there is none
    assert seen(first, tried.trial.expected) == expected


@each_corrected
def test_a_late_correction_makes_an_edition_and_back_again(
    outcomes: Outcomes, tried: Tried
) -> None:
    first, corrected, back = (
        next(data for data in outcomes.of(tried) if data["edition"] == edition)
        for edition in (1, 2, 3)
    )
    assert tried.trial.after is not None
    assert seen(corrected, tried.trial.after) == _as_published(wanted(tried.trial.after))
    assert back["parts"] == first["parts"]


def test_every_count_balances(outcomes: Outcomes) -> None:
    assert outcomes.difference == 0


def test_only_so_much_is_not_told() -> None:
    left = {(each.promise.row, each.trial.impediment) for each in ALL if each not in TOLD}
    assert left == UNTOLD


def _found(rows: Sequence[Any]) -> tuple[str, tuple[str, ...]]:
    if not rows:
        return "ajeno", ()
    windows = tuple(row["window_id"] or "ninguna" for row in rows)
    first = rows[0]
    if first["status"] == "excluded":
        return f"excluido ({first['reason']})", windows
    is_overdue = first["overdue_open"] and first["status"] == "failed"
    words = {(status.value, late): word for word, (status, late) in STATUSES.items()}
    return words[first["status"], is_overdue], windows


# Between the words of the file and those of a published result


def seen(data: dict[str, Any], expected: Fields) -> dict[str, Any]:
    """Return of a result what the file says of it."""
    whole = _judged(data, expected)
    if "semaforo" in expected:
        whole["semaforo"] = data["band"]
    if "partes" in expected:
        parts = zip(data["parts"], expected["partes"], strict=True)
        whole["partes"] = [_judged(part, each) | _figure(part, each) for part, each in parts]
    elif "cuentas" in expected or "valor" in expected:
        (part,) = data["parts"]
        whole |= _figure(part, expected)
    return whole


def _judged(data: dict[str, Any], expected: Fields) -> dict[str, Any]:
    return {"veredicto": data["verdict"], "motivo": data.get("reason")}


def _figure(part: dict[str, Any], expected: Fields) -> dict[str, Any]:
    figure: dict[str, Any] = {}
    if "cuentas" in expected:
        figure["cuentas"] = (Decimal(part["numerator"]), Decimal(part["denominator"]))
    if "valor" in expected or "cuentas" in expected:
        figure["valor"] = Fraction(part["exact"]) if "exact" in part else None
    return figure


def _as_published(whole: dict[str, Any]) -> dict[str, Any]:
    """Return the same with enumerations and fractions as a result writes them."""
    found = dict(whole)
    found["veredicto"] = found["veredicto"].value
    if "semaforo" in found:
        found["semaforo"] = found["semaforo"].value
    if "cuentas" in found:
        found["cuentas"] = tuple(shown(value) for value in found["cuentas"])
    if "partes" in found:
        found["partes"] = [_as_published(part) for part in found["partes"]]
        for part in found["partes"]:
            part.pop("semaforo", None)
    return found
