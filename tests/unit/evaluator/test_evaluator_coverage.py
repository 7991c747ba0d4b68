from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

NOON = "2026-09-07 12:00"
ALL = ("ticket.issued", "ticket.called")


def known(*sources: b.SourceCoverage, service: str = b.SERVICE) -> datetime | None:
    return b.coverage(*sources, through=NOON).complete_through(
        b.TOWN, service, case_sources=(b.QUEUE,), historical=False
    )


def test_nothing_is_known_without_a_source() -> None:
    assert known() is None


def test_a_silent_source_is_complete_its_grace_before_the_pipeline() -> None:
    assert known(b.source()) == local("2026-09-07 11:00")


def test_a_source_that_spoke_within_its_grace_is_complete_through_what_it_said() -> None:
    assert known(b.source(complete_through=local("2026-09-07 11:59"))) == local("2026-09-07 11:59")


def test_what_a_source_said_long_ago_does_not_hold_it_back() -> None:
    assert known(b.source(complete_through=local("2026-09-01 00:00"))) == local("2026-09-07 11:00")


def test_nothing_is_known_of_a_live_source_whose_pipeline_has_not_spoken() -> None:
    other = b.Coverage.of([b.source()], {"buzon": local(NOON)})
    assert other.service_complete_through(b.TOWN, [b.SERVICE], ALL, historical=False) is None


def test_every_source_of_the_service_must_be_complete() -> None:
    """Another counter may hold the stop."""
    slow = b.source(source="mostrador", grace=timedelta(hours=5))
    assert known(b.source(complete_through=local(NOON)), slow) == local("2026-09-07 07:00")


def test_a_source_of_another_service_holds_nobody_back() -> None:
    other = b.source(source="tesoreria", services=("TES",), grace=timedelta(days=9))
    assert known(b.source(complete_through=local(NOON)), other) == local(NOON)


def test_a_source_of_another_municipality_says_nothing() -> None:
    assert known(b.source(municipality="otro")) is None


def test_a_source_of_every_service_counts_for_each() -> None:
    assert known(b.source(services=("*",))) == local("2026-09-07 11:00")


def test_the_buzon_says_nothing_of_tickets() -> None:
    """Its one source names every service; a queue whose buzon is down is still judged."""
    buzon = b.source(source="buzon", services=("*",), pipeline="buzon")
    listening = b.source(complete_through=local(NOON))
    assert known(listening, buzon) == local(NOON)
    assert known(buzon) is None


def test_a_queue_of_every_service_says_nothing_of_folios() -> None:
    assert known(b.source(services=("*",)), service="buzon") is None


def test_a_case_of_an_import_depends_on_the_sources_that_reported_it() -> None:
    as_of = local("2024-04-24 17:54")
    imported = b.source(historical=True, complete_through=as_of)
    under_way = b.source(historical=True, source="otra importación")
    made = b.coverage(imported, under_way, b.source(source="en vivo"), through=NOON)

    def of(name: str) -> datetime | None:
        return made.complete_through(b.TOWN, b.SERVICE, case_sources=(name,), historical=True)

    assert of(b.QUEUE) == as_of
    assert of("otra importación") is None
    assert of("en vivo") is None


def test_a_window_of_imports_waits_for_those_under_way() -> None:
    imported = b.source(historical=True, complete_through=local("2024-04-24 17:54"))
    under_way = b.source(historical=True, source="otra importación")
    made = b.coverage(imported, under_way, through=NOON)
    assert made.service_complete_through(b.TOWN, [b.SERVICE], ALL, historical=True) is None


def test_a_service_that_nothing_reports_on_has_no_source() -> None:
    made = b.coverage(b.source(), through=NOON)
    assert made.telling(b.TOWN, [b.SERVICE, "TES"], ALL)
    assert not made.telling(b.TOWN, ["TES"], ALL)


def test_a_source_of_tickets_is_no_source_of_surveys() -> None:
    queue = b.source(reports=("ticket.*",))
    surveys = b.source(source="encuestas", reports=("survey.answered",))
    kinds = ("ticket.issued", "survey.answered", "outage.started")
    assert b.coverage(queue, through=NOON).unreported(b.TOWN, [b.SERVICE], kinds) == {
        "survey.answered",
        "outage.started",
    }
    both = b.coverage(queue, surveys, through=NOON)
    assert both.unreported(b.TOWN, [b.SERVICE], kinds) == {"outage.started"}


def test_a_family_reports_its_own_kinds_only() -> None:
    made = b.coverage(b.source(reports=("ticket.*",)), through=NOON)
    assert not made.unreported(b.TOWN, [b.SERVICE], ["ticket.issued", "ticket.served"])
    assert made.unreported(b.TOWN, [b.SERVICE], ["tickets.issued"]) == {"tickets.issued"}


def test_surveys_on_paper_do_not_hold_back_the_windows_of_tickets() -> None:
    queue = b.source(reports=("ticket.*",), complete_through=local(NOON))
    slow = b.source(source="urna", reports=("survey.*",), grace=timedelta(days=9))
    made = b.coverage(queue, slow, through=NOON)
    assert made.service_complete_through(b.TOWN, [b.SERVICE], ALL, historical=False) == local(NOON)


INSTANTS = st.none() | st.integers(0, 500).map(lambda m: local(NOON) - timedelta(minutes=m))
SOURCES = st.lists(
    st.builds(
        b.source,
        source=st.sampled_from("abc"),
        historical=st.booleans(),
        services=st.sampled_from([("S",), ("T",), ("*",), ("S", "T")]),
        complete_through=INSTANTS,
        grace=st.integers(0, 300).map(lambda m: timedelta(minutes=m)),
    ),
    max_size=5,
)


@given(sources=SOURCES, historical=st.booleans(), names=st.sets(st.sampled_from("abc")))
def test_no_case_is_known_beyond_the_horizon_of_its_municipality(
    sources: list[b.SourceCoverage], historical: bool, names: set[str]
) -> None:
    """The scan looks no further, and so must miss nothing."""
    made = b.coverage(*sources, through=NOON)
    horizons = {(town, old): instant for town, old, instant in made.horizons()}
    case_known = made.complete_through(b.TOWN, "S", case_sources=names, historical=historical)
    if case_known is not None:
        assert case_known <= horizons[b.TOWN, historical]


@given(sources=SOURCES, minutes=st.integers(0, 300))
def test_what_is_known_only_grows_with_the_pipeline(
    sources: list[b.SourceCoverage], minutes: int
) -> None:
    later = b.Coverage.of(sources, {"measurements": local(NOON) + timedelta(minutes=minutes)})
    before = b.coverage(*sources, through=NOON).service_complete_through(
        b.TOWN, ["S"], ALL, historical=False
    )
    after = later.service_complete_through(b.TOWN, ["S"], ALL, historical=False)
    assert (before is None) == (after is None)
    assert before is None or (after is not None and before <= after)
