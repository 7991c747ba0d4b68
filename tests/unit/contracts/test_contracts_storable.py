"""What no table takes is refused while it is decoded, by both forms of the contract."""

import json

import msgspec
import pytest

from shared.contracts import hot, topics
from tests.unit.contracts.documents import changed, example

BEYOND = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999-12-31 23:59:59-14:00"]
KEPT = ["a text that shows \\u0000", "9999-12-31", "0001-01-01", "9999-12-30T23:59:59Z"]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", *BEYOND])
def test_a_text_or_instant_that_no_table_takes_is_refused(text: str) -> None:
    complaint = json.dumps(changed(example("complaint.v1"), "subject", text)).encode()
    with pytest.raises(msgspec.ValidationError, match="Expected"):
        topics.COMPLAINTS.decode(complaint)
    case = json.dumps(changed(example("measurement.case.v1"), "data.sources", [text])).encode()
    for decode in (topics.MEASUREMENTS.decode, hot.decode_measurement):
        with pytest.raises(msgspec.ValidationError, match="Expected"):
            decode(case)


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_it_is_taken(text: str) -> None:
    case = json.dumps(changed(example("measurement.case.v1"), "data.sources", [text])).encode()
    decoded = hot.decode_measurement(case)
    assert isinstance(decoded, hot.CaseMeasured)
    assert decoded.data.sources == (text,)
    topics.MEASUREMENTS.decode(case)
