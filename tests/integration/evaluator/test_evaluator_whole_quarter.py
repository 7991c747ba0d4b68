"""The simulator's municipality, small: a quarter of every form, published and made again."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from services.cartas.domain import read_catalogue
from services.cartas.domain.catalogue import Catalogue
from services.evaluator.use_cases.recompute import Outcome, recompute
from services.measurements.domain.cases import Fact, assemble
from shared.contracts import hot
from shared.contracts.cartas import CalendarData
from shared.worktime import PreparedCalendar
from simulator.whole_quarter import SOURCE, TOWN, Carta, Told, WholeQuarter
from simulator.whole_town import whole_catalogue
from tests.integration.evaluator.support import Evaluator, State
from tests.unit.evaluator import builders as b

CARTAS, PROCEDURES, COMPROMISOS = 15, 20, 90
EVENTS = 4_000
KNOWN_SINCE = datetime(2026, 1, 1, tzinfo=UTC)
AFTER_CUT_OFF = "2026-11-10 00:00"


def catalogue() -> Catalogue:
    """Every carta has one compromiso beyond the five, of another form each."""
    text = whole_catalogue(CARTAS, PROCEDURES, COMPROMISOS)
    read = read_catalogue(text.encode()).catalogue
    assert read is not None
    return read


def states(town: Catalogue) -> Iterator[State]:
    yield town.municipality
    for known in town.calendars:
        yield CalendarData(
            municipality=TOWN, calendar=known, version=known.version, known_since=KNOWN_SINCE
        )
    for carta in town.cartas:
        yield carta.data


def quarter(town: Catalogue) -> WholeQuarter:
    working = next(each for each in town.calendars if each.id == "HABIL")
    cartas = [Carta(c.data.carta, c.data.unit, c.data.services) for c in town.cartas]
    first, end = date(2026, 7, 1), date(2026, 10, 1)
    return WholeQuarter(cartas, PreparedCalendar(working), first, end, EVENTS)


def measured(told: Told, *, revision: int = 2) -> hot.CaseData:
    """The case that the events make, as measurements would tell it."""
    events = [event.data for event in told]
    case = assemble(
        [
            Fact(
                source=event.source,
                id=event.id,
                kind=event.type,
                time=event.time,
                service=data.service,
                unit=data.unit,
                attributes=data.attributes,
                reason=data.reason,
                supersedes=data.supersedes,
            )
            for event, data in zip(told, events, strict=True)
        ]
    )
    return hot.CaseData(
        municipality=TOWN,
        case=events[0].case,
        revision=revision,
        change="advanced",
        service=case.service,
        unit=case.unit,
        instants=case.instants,
        pauses=tuple(hot.Pause(p.reason, p.start, p.end) for p in case.pauses),
        exclusions=case.exclusions,
        attributes=case.attributes,
        sources=(SOURCE,),
        received_at=max(event.time for event in told),
    )


async def publish_all(evaluator: Evaluator) -> None:
    """Everything is known; what is past its cut-off is closed."""
    source = b.source_state(
        municipality=TOWN,
        source=SOURCE,
        services=("*",),
        complete_through=b.local(AFTER_CUT_OFF),
    )
    folios = {**source, "source": "buzon"}
    await evaluator.hear(b.progress(AFTER_CUT_OFF, source))
    await evaluator.hear(b.progress(AFTER_CUT_OFF, folios, pipeline="buzon"))
    await evaluator.scan()
    await evaluator.open_windows(AFTER_CUT_OFF, past=2)
    await evaluator.publish(AFTER_CUT_OFF)
    await evaluator.publish(AFTER_CUT_OFF)
    await evaluator.publish()


async def test_a_quarter_of_every_form_is_recomputed_to_the_byte(evaluator: Evaluator) -> None:
    """Part of it comes as it happened: first the beginnings of cases, then the whole of them."""
    town = catalogue()
    await evaluator.learn(*states(town))
    await evaluator.judge_again()
    told = list(quarter(town).cases())
    begun = [measured(events[:1], revision=1) for events in told[::7]]
    await evaluator.take(*begun, partition=1)
    await evaluator.take(*map(measured, told), batch=1000)
    await evaluator.complain(*quarter(town).folios())
    await publish_all(evaluator)

    url = evaluator.settings.database_url.get_secret_value()
    compared = await recompute(evaluator.pool, TOWN, database_url=url, processes=2)
    assert [each for each in compared if not each.agrees] == []
    assert {each.outcome for each in compared} == {Outcome.SAME}
    closed = await evaluator.pool.fetch(
        "SELECT result ->> 'verdict' AS verdict, count(*) AS results FROM judged_window"
        " WHERE window_id = '2026-Q3' AND edition > 0 GROUP BY 1"
    )
    assert {row["verdict"] for row in closed} == {"met", "not_met", "not_evaluated"}
    assert sum(row["results"] for row in closed) >= COMPROMISOS - CARTAS
    forms = await evaluator.pool.fetch(
        "SELECT DISTINCT part ->> 'form' AS form FROM judged_window,"
        " jsonb_array_elements(result -> 'parts') AS part WHERE (part ->> 'items')::int > 0"
    )
    assert {row["form"] for row in forms} == {
        *("share_within", "mean", "percentile", "sum", "count", "nps", "ratio", "nested_share"),
        *("availability", "deadline"),
    }
