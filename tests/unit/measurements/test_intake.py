from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.measurements.domain.checks import EARLIEST, Reason, Refusal, SourceState, check_time
from services.measurements.domain.contents import content_hash
from services.measurements.domain.explanations import EXPLANATIONS
from services.measurements.domain.intake import Taken, reduce_event
from shared.contracts import hot
from shared.contracts.service_events import ServiceEvent
from tests.unit.measurements.builders import NOON, QUEUE, raw_event, source


def reduced(raw: object, **source_changes: Any) -> Taken | Refusal:
    return reduce_event(raw, source(**source_changes), NOON)


def refused(raw: object, **source_changes: Any) -> Reason:
    result = reduced(raw, **source_changes)
    assert isinstance(result, Refusal), result
    return result.reason


def taken(raw: object) -> Taken:
    result = reduced(raw)
    assert isinstance(result, Taken), result
    return result


def test_the_municipality_comes_from_the_token() -> None:
    event = taken(raw_event()).event
    assert event.data.municipality == "nogal"
    assert hot.decode_service_event(hot.encode(event)) == event
    assert ServiceEvent.model_validate_json(hot.encode(event)).key == "nogal/A-17"


def test_fields_outside_the_contract_are_dropped_and_only_counted() -> None:
    raw = raw_event(nombre="Ana", attributes={"tipo": "x", "curp": "XX"}) | {"subject": "Ana"}
    result = taken(raw)
    assert result.dropped == 2
    assert result.event.data.attributes == {"tipo": "x"}
    assert b"Ana" not in hot.encode(result.event)
    assert b"XX" not in hot.encode(result.event)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source": "https://other.example"}, Reason.OTHER_SOURCE),
        ({"specversion": "0.3"}, Reason.SCHEMA),
        ({"id": ""}, Reason.SCHEMA),
        ({"id": 7}, Reason.SCHEMA),
        ({"id": "x" * 129}, Reason.SCHEMA),
        ({"type": "Ticket Issued"}, Reason.SCHEMA),
        ({"time": "2026-03-02T06:00:00"}, Reason.NAIVE_TIME),
        ({"time": "yesterday"}, Reason.SCHEMA),
        ({"time": 1_700_000_000}, Reason.SCHEMA),
        ({"time": "1970-01-01T00:00:00Z"}, Reason.TOO_EARLY),
        ({"time": "2100-01-01T00:00:00Z"}, Reason.IN_FUTURE),
        ({"data": None}, Reason.NOT_AN_EVENT),
        ({"data": [1]}, Reason.NOT_AN_EVENT),
        ({"type": "case.paused"}, Reason.REASON_MISSING),
        ({"type": "case.excluded"}, Reason.REASON_MISSING),
    ],
)
def test_a_bad_envelope_is_refused_by_name(change: dict[str, Any], reason: Reason) -> None:
    assert refused(raw_event() | change) is reason


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"municipality": "otro"}, Reason.OTHER_MUNICIPALITY),
        ({"service": "OTRO"}, Reason.UNKNOWN_SERVICE),
        ({"service": None}, Reason.SCHEMA),
        ({"case": 17}, Reason.SCHEMA),
        ({"case": "x" * 129}, Reason.SCHEMA),
        ({"unit": "con espacio"}, Reason.SCHEMA),
        ({"attributes": {"tipo": "x" * 65}}, Reason.SCHEMA),
        ({"attributes": {"tipo": 3}}, Reason.SCHEMA),
        ({"attributes": "tipo"}, Reason.SCHEMA),
        ({"due_at": "2026-03-02T06:00:00"}, Reason.NAIVE_TIME),
        ({"void": True}, Reason.VOID_WITHOUT_SUPERSEDES),
        ({"void": "yes", "supersedes": "e0"}, Reason.SCHEMA),
        ({"supersedes": "e1"}, Reason.SUPERSEDES_ITSELF),
    ],
)
def test_bad_data_is_refused_by_name(data: dict[str, Any], reason: Reason) -> None:
    assert refused(raw_event(**data)) is reason


@pytest.mark.parametrize("raw", [None, 1, "x", [], {}, {"data": {}}])
def test_what_is_no_cloudevent_is_refused(raw: object) -> None:
    assert refused(raw) in (Reason.NOT_AN_EVENT, Reason.SCHEMA)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(sorted(raw_event())), json_values),
    st.dictionaries(st.sampled_from(list(hot.ServiceEventData.__struct_fields__)), json_values),
)
def test_whatever_is_sent_is_taken_or_refused(
    envelope: dict[str, Any], data: dict[str, Any]
) -> None:
    result = reduced(raw_event(**data) | envelope)
    if isinstance(result, Taken):
        ServiceEvent.model_validate_json(hot.encode(result.event))


def test_a_suspended_source_is_told_so() -> None:
    assert refused(raw_event(), state=SourceState.SUSPENDED) is Reason.SOURCE_SUSPENDED


def test_the_edges_of_time_are_taken() -> None:
    fifteen = timedelta(minutes=15)
    assert check_time(EARLIEST, NOON, "time") is None
    assert check_time(NOON + fifteen, NOON, "time") is None
    assert check_time(NOON + fifteen + timedelta(microseconds=1), NOON, "time") is not None
    assert check_time(EARLIEST - timedelta(microseconds=1), NOON, "time") is not None


def test_a_heartbeat_needs_no_case() -> None:
    raw = raw_event() | {"type": "source.heartbeat", "data": {}}
    assert taken(raw).event.data.case == "heartbeat"


def test_a_broken_trace_header_does_not_cost_the_event() -> None:
    assert reduce_event(raw_event(), source(), NOON, traceparent="nonsense") == taken(raw_event())
    assert taken(raw_event() | {"traceparent": 7}) == taken(raw_event())


def test_an_event_s_own_trace_counts_before_that_of_its_request() -> None:
    own, other = (f"00-{digit * 32}-{digit * 16}-01" for digit in "ab")
    result = reduce_event(raw_event() | {"traceparent": own}, source(), NOON, traceparent=other)
    assert isinstance(result, Taken)
    assert result.event.traceparent == own
    result = reduce_event(raw_event(), source(), NOON, traceparent=other)
    assert isinstance(result, Taken)
    assert result.event.traceparent == other


def test_the_same_instant_in_another_offset_says_the_same() -> None:
    here = taken(raw_event()).event
    there = taken(raw_event() | {"time": "2026-03-02T12:00:00Z"}).event
    later = taken(raw_event() | {"time": "2026-03-02T12:00:01Z"}).event
    assert content_hash(here) == content_hash(there) != content_hash(later)
    assert here.source == QUEUE


def test_every_reason_has_its_sentence() -> None:
    assert set(EXPLANATIONS) == {reason.value for reason in Reason}


@pytest.mark.parametrize(
    "due_at",
    [
        "0001-01-01T00:00:00+14:00",
        "1999-12-31T23:59:59Z",
        "2300-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_promised_instant_that_no_calendar_reaches_is_refused(due_at: str) -> None:
    result = reduced(raw_event(due_at=due_at))
    assert isinstance(result, Refusal)
    assert (result.reason, result.field) == (Reason.SCHEMA, "data.due_at")
    assert taken(raw_event(due_at="2299-12-31T23:59:59Z"))


def test_a_refusal_never_repeats_what_was_sent() -> None:
    result = reduced(raw_event() | {"time": "Fulana de Tal"})
    assert isinstance(result, Refusal)
    assert "Fulana" not in f"{result.field} {result.detail}"


def count(cases: str = "213", **changes: Any) -> dict[str, Any]:
    raw = raw_event(attributes={"cases": cases}) | {"type": "count.ticket.issued"}
    raw["data"].pop("case")
    return raw | changes


def test_a_count_needs_no_case_and_no_registered_attribute() -> None:
    """The later of two counts of a day is the same case; another day is another one."""
    first, later = (
        reduced(count()),
        reduced(count("214", id="e2", time="2026-03-02T06:10:00-06:00")),
    )
    next_day = reduced(count(id="e3", time="2026-03-01T18:00:00-06:00"))
    assert isinstance(first, Taken)
    assert isinstance(later, Taken)
    assert isinstance(next_day, Taken)
    assert first.event.data.attributes == {"cases": "213"}
    assert first.event.data.case == later.event.data.case != next_day.event.data.case


@pytest.mark.parametrize("cases", ["", "-1", "1.5", "1e3", "1234567890"])
def test_a_count_is_a_whole_number(cases: str) -> None:
    assert refused(count(cases)) is Reason.SCHEMA


@pytest.mark.parametrize(
    ("kind", "is_declared"),
    [
        ("ticket.called", True),
        ("case.abandoned", True),
        ("source.heartbeat", True),
        ("survey.answered", False),
        ("count.ticket.issued", False),
    ],
)
def test_a_source_says_only_what_it_declared(kind: str, is_declared: bool) -> None:
    raw = (count() if kind.startswith("count") else raw_event()) | {"type": kind}
    found = reduced(raw, reports=frozenset({"ticket.*"}))
    assert isinstance(found, Taken) is is_declared
    assert is_declared or found == Refusal(
        Reason.UNDECLARED_KIND, "type", "not declared by this source"
    )


@pytest.mark.parametrize("member", ["id", "type", "time", "case", "service", "unit", "attributes"])
@pytest.mark.parametrize("counted", [False, True])
def test_whatever_can_be_read_at_all_is_refused_by_name(member: str, counted: bool) -> None:
    """The body is read with room on the stack that what looks at it may not have."""
    kind = "count.ticket.issued" if counted else "ticket.issued"
    for depth in range(300, 1000, 4):
        deep: object = None
        for _ in range(depth):
            deep = [deep]
        raw = raw_event() | {"type": kind}
        holder = raw["data"] if member in {"case", "service", "unit", "attributes"} else raw
        holder[member] = deep
        if counted and member != "case":
            raw["data"].pop("case", None)
        assert isinstance(reduced(raw), Refusal)
