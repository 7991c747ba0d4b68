"""The fast decoders and the pydantic models take the same documents and read the same from them."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts import hot, topics
from shared.contracts.events import Event
from shared.contracts.topics import Topic
from tests.unit.contracts.documents import Document, changed, example, examples

DECODERS: dict[str, tuple[Topic, Callable[[bytes], msgspec.Struct]]] = {
    "service-event.v1": (topics.SERVICE_EVENTS, hot.decode_service_event),
    "measurement.case.v1": (topics.MEASUREMENTS, hot.decode_measurement),
    "measurement.progress.v1": (topics.MEASUREMENTS, hot.decode_measurement),
    "measurement.import.v1": (topics.MEASUREMENTS, hot.decode_measurement),
}


def by_model(topic: Topic, raw: bytes) -> Event | None:
    try:
        return topic.decode(raw)
    except (ValidationError, msgspec.DecodeError):
        return None


def by_struct(decode: Callable[[bytes], msgspec.Struct], raw: bytes) -> msgspec.Struct | None:
    try:
        return decode(raw)
    except msgspec.DecodeError:
        return None


def assert_same(name: str, raw: bytes) -> bool:
    """Fail unless both forms agree on `raw`; return whether they take it."""
    topic, decode = DECODERS[name]
    model, struct = by_model(topic, raw), by_struct(decode, raw)
    taken = f"model takes it: {model is not None}, struct takes it: {struct is not None}: {raw!r}"
    assert (model is None) == (struct is None), taken
    if model is None or struct is None:
        return False
    assert topic.decode(hot.encode(struct)) == model
    assert decode(model.to_bytes()) == struct
    return True


@pytest.mark.parametrize("name", DECODERS)
def test_both_take_the_examples(name: str) -> None:
    for document in examples()[name]:
        assert assert_same(name, json.dumps(document).encode())


TIMES: list[tuple[Any, bool]] = [
    ("2026-06-12T09:14:05-06:00", True),
    ("2026-06-12T15:14:05Z", True),
    ("2026-06-12t15:14:05z", True),
    ("2026-06-12 15:14:05Z", True),
    ("2026-06-12T15:14:05.1234567Z", True),
    ("2026-12-31T23:59:59.9999999Z", True),
    ("2026-06-12T15:14:05-00:00", True),
    ("0001-01-01T00:00:00+14:00", True),
    ("2026-06-12T15:14:05", False),
    ("2026-06-12T15:14Z", False),
    ("2026-06-12", False),
    ("1781277245", False),
    ("1781277245.5", False),
    (1781277245, False),
    (1781277245.5, False),
    ("2026-06-12T15:14:60Z", False),
    ("2026-06-12T24:00:00Z", False),
    ("2026-02-30T00:00:00Z", False),
    ("2026-06-12T15:14:05,5Z", False),
    ("2026-06-12_15:14:05Z", False),
    ("2026-06-12T09:14:05−06:00", False),  # a minus sign that is no hyphen
    ("2026-06-12T15:14:05Z\n", False),
    ("", False),
    (True, False),
    (None, False),
]


@pytest.mark.parametrize(("time", "taken"), TIMES)
def test_both_take_the_same_times(time: Any, taken: bool) -> None:
    document = changed(example("service-event.v1"), "time", time)
    assert assert_same("service-event.v1", json.dumps(document).encode()) is taken


NUMBERS: list[tuple[str, bool]] = [
    ("7", True),
    ("2147483647", True),
    ("2147483648", False),
    ("1" + "0" * 40, False),
    ("1.0", False),
    ("1e2", False),
    ('"7"', False),
    ("true", False),
    ("null", False),
    ("0", False),
    ("-1", False),
    ("NaN", False),
    ("Infinity", False),
    ("1e999", False),
    ("01", False),
]


@pytest.mark.parametrize(("number", "taken"), NUMBERS)
def test_both_take_the_same_numbers(number: str, taken: bool) -> None:
    document = changed(example("measurement.case.v1"), "data.revision", "HERE")
    raw = json.dumps(document).replace('"HERE"', number).encode()
    assert assert_same("measurement.case.v1", raw) is taken


TEXTS: list[tuple[str, Any, bool]] = [
    ("data.municipality", "jacarandas\n", False),
    ("data.municipality", "jacarandas ", False),
    ("data.municipality", "ñ", False),
    ("data.municipality", "a" * 64, True),
    ("data.municipality", "a" * 65, False),
    ("data.case", "\U0001f3ab" * 128, True),
    ("data.case", "\U0001f3ab" * 129, False),
    ("data.case", "Á 7/3", True),
    ("data.case", "", False),
    ("data.case", "A\x00", False),
    ("data.case", "A\x85", False),
    ("data.case", "A\n", False),
    ("data.case", "\ud800", False),
    ("id", "\x00", False),
    ("id", 5, False),
    ("source", "x" * 256, True),
    ("source", "x" * 257, False),
    ("type", "ticket.issued\n", False),
    ("type", "ticket", False),
    ("specversion", "1.1", False),
    ("specversion", 1.0, False),
    ("subject", None, True),
    ("datacontenttype", "text/xml", False),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n", False),
    ("data.void", 1, False),
    ("data.void", "false", False),
    ("data.unit", None, True),
    ("data.attributes", None, False),
    ("data.attributes", {"canal": "a\x00b"}, False),
    ("data.attributes", {"canal": "a\x1cb"}, False),
    ("data.attributes", {"canal": "a\u00a0b"}, False),
    ("data.attributes", {"canal": "a\u200bb"}, True),
    ("data.attributes", {"canal\n": "a"}, False),
    ("data.attributes", {f"a{number}": "x" for number in range(16)}, True),
    ("data.attributes", {f"a{number}": "x" for number in range(17)}, False),
    ("data.persona", "not in the contract", False),
    ("persona", "ignored, and never stored", True),
    ("data", None, False),
    ("data", [], False),
]


@pytest.mark.parametrize(("path", "value", "taken"), TEXTS)
def test_both_take_the_same_text(path: str, value: Any, taken: bool) -> None:
    document = changed(example("service-event.v1"), path, value)
    assert assert_same("service-event.v1", json.dumps(document).encode()) is taken


IGNORED: list[tuple[bytes, bool]] = [
    (b"1e999", True),
    (b'{"a":1,"a":2}', True),
    (b"[" * 100 + b"]" * 100, True),
    (b"NaN", False),
    (b"-Infinity", False),
    (b'"\xff"', False),
    (b'"\t"', False),
    (b"'x'", False),
    (b"[1,]", False),
    (b"tru", False),
]


@pytest.mark.parametrize(("member", "taken"), IGNORED)
def test_both_want_json_even_where_they_do_not_read(member: bytes, taken: bool) -> None:
    raw = json.dumps(example("service-event.v1")).encode()
    assert assert_same("service-event.v1", b'{"other":' + member + b"," + raw[1:]) is taken


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"\x00", b"{", b'"x"', b"\xef\xbb\xbf{}", b"{}x", "{}".encode("utf-16")],
)
@pytest.mark.parametrize("name", DECODERS)
def test_both_refuse_what_is_no_event(name: str, raw: bytes) -> None:
    assert not assert_same(name, raw)


def test_of_a_member_that_comes_twice_the_last_counts() -> None:
    raw = json.dumps(example("service-event.v1")).encode()
    twice = b'{"id":"earlier",' + raw[1:]
    assert assert_same("service-event.v1", twice)
    assert hot.decode_service_event(twice).id == example("service-event.v1")["id"]


def test_the_fast_form_refuses_a_faulty_member_even_where_a_later_one_replaces_it() -> None:
    """A known difference, on the safe side: repeated names in JSON mean nothing certain."""
    raw = b'{"id":5,' + json.dumps(example("service-event.v1")).encode()[1:]
    assert by_struct(hot.decode_service_event, raw) is None


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([text for text, _ in TIMES if isinstance(text, str)]),
    st.sampled_from(["a.b", "A", "live", "begun", "x" * 64, "x" * 129, "\x00", "\n", "*"]),
    st.lists(st.integers(0, 3) | st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2),
    st.datetimes().map(lambda time: f"{time.isoformat()}-06:00"),
)


def _places(value: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every member, at any depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    paths: list[tuple[Any, ...]] = []
    for name, member in inner:
        paths.append((*before, name))
        if isinstance(member, dict | list):
            paths += _places(member, (*before, name))
    return paths


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, bytes]:
    """An example in which members were replaced, taken away, added or renamed."""
    name = draw(st.sampled_from(sorted(DECODERS)))
    document: Document = draw(st.sampled_from(examples()[name]))
    for _ in range(draw(st.integers(1, 3))):
        document = json.loads(json.dumps(document))
        places = _places(document)
        if not places:
            break
        *parents, last = draw(st.sampled_from(places))
        target: Any = document
        for parent in parents:
            target = target[parent]
        match draw(st.sampled_from(["replace", "remove", "add", "rename"])):
            case "remove":
                del target[last]
            case "add" if isinstance(target, dict):
                target[draw(st.text(max_size=4))] = draw(ODD)
            case "rename" if isinstance(target, dict):
                target[draw(st.sampled_from(["a.b", "A", "", "x", "0"]))] = target.pop(last)
            case _:
                target[last] = draw(ODD)
    return name, json.dumps(document).encode()


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutations())
def test_both_agree_on_whatever_is_sent(mutation: tuple[str, bytes]) -> None:
    assert_same(*mutation)
