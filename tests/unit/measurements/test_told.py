"""What is read in one step says the same as what is read member by member."""

from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.measurements.domain.intake import Taken, reduce_event
from services.measurements.domain.told import read_told
from services.measurements.use_cases.intake import BATCHED, UnreadableBodyError, read_events
from shared.contracts import hot
from tests.unit.measurements.builders import NOON, raw_event, source

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"
names = st.sampled_from(
    ["A-17", "nogal", "RC-ACTAS", "otro", "a b", "ñ", "", " ", "\x7f", "\\", "x" * 64, "x" * 129]
)
texts = names | st.text(max_size=3)
odd: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.just([[]])
kinds = ["ticket.called", "case.paused", "case.excluded", "source.heartbeat", "count.ticket.issued"]
times = ["2026-03-02T06:00:00-06:00", "2026-03-02T12:00:00.123456789Z", "2026-03-02T12:00:00", "x"]
times += ["1999-12-31T23:59:59Z", "2026-03-03T12:00:00Z", "2026-03-02t06:00:00z"]
pairs = st.tuples(st.sampled_from(["tipo", "curp", "cases", "A", "ñ"]), texts)
attributes = st.lists(pairs, max_size=2).map(dict)
OTHERS = {"curp": "x", "cases": "1"}
"""What another source may say, so that these names are known."""
OF_AN_EVENT = {
    "specversion": st.just("0.3"),
    "id": texts,
    "source": names,
    "type": st.sampled_from([*kinds, "T", "a.b"]),
    "time": st.sampled_from(times),
    "traceparent": st.just(TRACE) | names,
    "subject": texts,
    "datacontenttype": texts,
    "dataschema": texts,
    "extension": texts,
}
OF_DATA = {
    "municipality": names,
    "case": texts,
    "service": names,
    "unit": texts,
    "attributes": attributes,
    "due_at": st.sampled_from(times),
    "reason": st.sampled_from(["falla", "contraloria"]) | texts,
    "supersedes": st.just("e1") | texts,
    "void": st.booleans(),
    "import_id": texts,
    "nombre": texts,
}


def changes(of: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A few members, each mostly of its type."""
    one = st.tuples(st.sampled_from(sorted(of)), st.sampled_from(range(8))).flatmap(
        lambda chosen: st.tuples(st.just(chosen[0]), of[chosen[0]] if chosen[1] else odd)
    )
    return st.lists(one, max_size=2).map(dict)


@given(changes(OF_AN_EVENT), changes(OF_DATA), st.sampled_from([None, TRACE]), st.booleans())
@example({}, {"attributes": {"tipo": "copia"}}, TRACE, True)
@example({}, {"attributes": {"tipo": "copia", "curp": "XX"}}, None, True)
@example({"type": "count.ticket.issued"}, {"attributes": {"cases": "3"}}, None, True)
@example({}, {"municipality": "otro"}, None, True)
@example({}, {"municipality": "nogal"}, None, True)
@example({"source": "otro"}, {}, None, True)
@example({"traceparent": None}, {}, TRACE, True)
@example({"traceparent": "nonsense"}, {}, TRACE, True)
def test_both_ways_of_reading_take_and_refuse_the_same(
    envelope: dict[str, Any], data: dict[str, Any], traceparent: str | None, speaks: bool
) -> None:
    reduce_event(raw_event(attributes=OTHERS), source(attributes=frozenset(OTHERS)), NOON)
    raw = raw_event(**data) | envelope
    told = read_told(msgspec.json.encode(raw))
    if told is None:
        return
    speaker = source(reports=frozenset({"*"}) if speaks else frozenset())
    plain = reduce_event(raw, speaker, NOON, traceparent=traceparent)
    assert reduce_event(told, speaker, NOON, traceparent=traceparent) == plain
    again = reduce_event(told, speaker, NOON, traceparent=traceparent)  # its names are known now
    assert again == plain
    if isinstance(plain, Taken):
        hot.decode_service_event(hot.encode(plain.event))


def test_an_event_with_what_the_contract_has_and_no_more_is_read_in_one_step() -> None:
    plain = raw_event(attributes={"tipo": "x"}) | {"datacontenttype": "application/json"}
    assert read_told(msgspec.json.encode(plain)) is not None
    for other in (raw_event(nombre="Ana"), raw_event(case="ñ"), plain | {"extension": "1"}):
        assert read_told(msgspec.json.encode(other)) is None


@pytest.mark.parametrize(
    "body",
    [b"[{]", b"[1,]", b"[1 2]", b'["\xff"]', b'[{"a":01}]', b"[1]x", b"", b'{"a":', b"[" * 5000],
)
def test_a_batch_of_which_a_part_is_no_json_is_not_read_at_all(body: bytes) -> None:
    good = msgspec.json.encode(raw_event())
    for sent in (body, b"[" + good + b"," + body[1:]):
        with pytest.raises(UnreadableBodyError, match="not JSON"):
            read_events({"content-type": BATCHED}, sent, limit=10)


@pytest.mark.parametrize("body", [b"{}", b"null", b'"x"', b"7"])
def test_a_batch_is_an_array(body: bytes) -> None:
    with pytest.raises(UnreadableBodyError, match="array"):
        read_events({"content-type": BATCHED}, body, limit=10)
