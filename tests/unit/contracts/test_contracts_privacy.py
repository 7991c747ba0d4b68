"""No topic has room for a person: every string is a code, an id, a time or on a short list."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.contracts.schema_files import message_types, schema_of

# Written by the municipality about itself, reviewed before it is published.
OF_THE_CATALOGUE = {"municipality.v1", "unit.v1", "post.v1", "calendar.v1", "carta.v1"}
CODE = "^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$"
IDENTIFIER = r"^[^\x00-\x1f\x7f-\x9f]{1,128}$"

# Where more than a code may stand, and why no person gets in.
ALLOWED = {
    # emitters' own numbering of cases and events, and their address
    "*.id", "*.source", "*.subject", "*.data.case", "*.data.failing_cases[]",
    "result.v1.data.causes[].cases[]", "result.v1.data.causes[].import_id",
    "service-event.v1.data.supersedes", "service-event.v1.data.import_id",
    # short values without spaces, of attributes that are registered source by source
    "service-event.v1.data.attributes{}", "measurement.case.v1.data.attributes{}",
    # our own identities
    "*.data.folio", "*.data.breach", "*.data.action", "*.data.breaches[]", "*.data.folios[]",
    "*.data.import_id", "*.data.refusal", "dead-letter.v1.data.event_id",
    # names of sources and services as registered
    "*.data.sources[]", "*.data.sources[].source", "*.data.sources[].services[]",
    "*.data.sources[].reports[]", "measurement.heard.v1.data.source",
    "measurement.import.v1.data.source", "dead-letter.v1.data.event_source",
    "dead-letter.v1.data.service", "dead-letter.v1.data.topic",
    # codes of closed lists, and names of members of our own contracts
    "dead-letter.v1.data.reason", "dead-letter.v1.data.field",
    "result.v1.data.reason", "result.v1.data.parts[].reason", "breach.v1.data.parts[].reason",
    "*.data.parts[].target_op", "*.data.parts[].unit",
    "result.v1.data.moved[].count",
    # codes of surveys and instruments, as the carta asks for them
    "*.data.parts[].instruments[]",
    # a bit for each minute of a day
    "measurement.heard.v1.data.minutes",
    # figures
    "*.data.parts[].value", "*.data.parts[].target", "*.data.parts[].unacceptable",
    "*.data.parts[].exact", "*.data.parts[].margin", "*.data.parts[].effective_sample",
    "*.data.parts[].numerator", "*.data.parts[].denominator",
    *(f"*.data.parts[].{each}.{name}" for each in ("outlook", "forecast")
      for name in ("needed", "distance", "best")),
    # ids of a cluster and of a topic
    "*.data.topic_id",
    # what the unit will do, once the coordination has approved it for publication
    "corrective-action.v1.data.public_text",
}  # fmt: skip


def strings(schema: dict[str, Any], root: dict[str, Any], place: str) -> Iterator[str]:
    """The places where `schema` lets any string of some freedom stand."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
    for alternative in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from strings(alternative, root, place)
    for name, member in schema.get("properties", {}).items():
        yield from strings(member, root, f"{place}.{name}")
    inner = (schema.get("additionalProperties"), *schema.get("patternProperties", {}).values())
    for value in inner:
        if isinstance(value, dict):
            yield from strings(value, root, f"{place}{{}}")
    if isinstance(schema.get("items"), dict):
        yield from strings(schema["items"], root, f"{place}[]")
    anything = not schema.keys() & {"type", "anyOf", "oneOf", "enum", "const", "properties"}
    if anything or (schema.get("type") == "string" and not _is_closed(schema)):
        yield place


def _is_closed(schema: dict[str, Any]) -> bool:
    fixed = schema.keys() & {"enum", "const"} or schema.get("format") in ("date", "date-time")
    pattern = schema.get("pattern", "")
    return bool(fixed) or pattern == CODE or pattern.startswith(("^00-", r"^[a-z][a-z0-9_]*(\."))


def _allowed(place: str, message_type: str) -> bool:
    return place in ALLOWED or f"*{place.removeprefix(message_type)}" in ALLOWED


@pytest.mark.parametrize("message_type", [n for n in message_types() if n not in OF_THE_CATALOGUE])
def test_no_message_type_has_room_for_free_text_or_a_person(message_type: str) -> None:
    schema = schema_of(message_types()[message_type])
    found = set(strings(schema, schema, message_type))
    assert {place for place in found if not _allowed(place, message_type)} == set()


def test_a_complaint_carries_codes_dates_and_its_folio_only() -> None:
    schema = schema_of(message_types()["complaint.v1"])
    places = set(strings(schema, schema, "complaint.v1"))
    assert places == {f"complaint.v1.{name}" for name in ("id", "source", "subject", "data.folio")}


def test_nothing_is_allowed_that_no_message_has() -> None:
    found = {
        place.replace(name, "*", 1) if star else place
        for name, model in message_types().items()
        for place in strings(schema_of(model), schema_of(model), name)
        for star in (True, False)
    }
    assert found >= ALLOWED


def test_a_field_for_text_would_be_found() -> None:
    schema = schema_of(message_types()["complaint.v1"])
    schema["$defs"]["ComplaintData"]["properties"]["text"] = {"type": "string", "maxLength": 5000}
    assert "complaint.v1.data.text" in set(strings(schema, schema, "complaint.v1"))
