from datetime import date
from itertools import chain, islice

from services.cartas.domain import read_catalogue
from shared.contracts import hot
from shared.contracts.service_events import ServiceEvent
from shared.criteria import measures_of
from shared.worktime import PreparedCalendar
from simulator.whole_quarter import Carta, WholeQuarter
from simulator.whole_town import CARTAS, COMPROMISOS, PROCEDURES, whole_catalogue

CATALOGUE = read_catalogue(whole_catalogue(CARTAS, PROCEDURES, COMPROMISOS).encode()).catalogue
assert CATALOGUE is not None
FORMS = {
    *("share_within", "mean", "percentile", "sum", "count", "nps", "ratio", "nested_share"),
    *("availability", "deadline"),
}


def quarter(events: int, seed: int = 1) -> WholeQuarter:
    assert CATALOGUE is not None
    working = next(each for each in CATALOGUE.calendars if each.id == "HABIL")
    cartas = [Carta(c.data.carta, c.data.unit, c.data.services) for c in CATALOGUE.cartas]
    first, end = date(2026, 7, 1), date(2026, 10, 1)
    return WholeQuarter(cartas, PreparedCalendar(working), first, end, events, seed)


def test_it_has_about_as_many_events_as_were_asked_for() -> None:
    assert 57_000 < sum(map(len, quarter(60_000).cases())) < 63_000


def test_the_same_numbers_give_the_same_quarter_and_others_another() -> None:
    first, again, other = (list(islice(quarter(9_000, seed).cases(), 400)) for seed in (1, 1, 2))
    assert first == again != other
    assert list(quarter(9_000).folios()) == list(quarter(9_000).folios())


def test_events_are_of_the_contract_and_no_case_has_two_alike() -> None:
    told = list(quarter(9_000).cases())
    events = list(chain.from_iterable(told))
    assert len({event.id for event in events}) == len(events)
    for event in events[::37]:
        ServiceEvent.model_validate_json(hot.encode(event))


def test_every_form_is_promised_and_has_facts() -> None:
    assert CATALOGUE is not None
    criteria = [c.criterion for carta in CATALOGUE.cartas for c in carta.data.compromisos]
    parts = [part for each in criteria for part in each.parts]
    assert {part.figure.form for part in parts} == FORMS
    assert max(len(each.parts) for each in criteria) == 2
    assert any(part.target and part.target.reference for part in parts)
    wanted = {m.figure.population.event for each in criteria for m in measures_of(each)}
    happened = {event.type for told in quarter(9_000).cases() for event in told}
    assert {event for event in wanted if not event.startswith("buzon.")} <= happened


def test_folios_are_filed_answered_and_a_few_are_neither() -> None:
    folios = list(quarter(250_000).folios())
    assert len(folios) == 1000
    assert 0 < sum(folio.answered_at is None for folio in folios) < 40
    assert all(folio.carta for folio in folios)
