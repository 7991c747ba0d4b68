from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.measurements.commands import MAPPINGS
from services.measurements.domain.cases import Fact, assemble
from services.measurements.domain.cells import parse_instant
from services.measurements.domain.checks import Reason, Refusal
from services.measurements.domain.ledger import LedgerRow, Publisher
from services.measurements.domain.mapping import zone_of
from services.measurements.domain.mapping_file import MappingError, MappingFile
from services.measurements.domain.rows import Row, RowEvent, RowReader, Skipped
from shared.contracts import hot
from tests.unit.measurements.builders import NOON, at

MAPPING = """\
mapping: measurements/1
source: https://turnos.example/csv
municipality: nogal
zone: America/Mexico_City
case: [oficina, turno]
service: {column: tramite, values: {Acta: RC-ACTAS}}
unit: {column: oficina}
attributes:
  tipo: {column: tipo}
events:
  - {kind: ticket.issued, column: emitido}
  - {kind: ticket.called, column: llamado, format: "%d/%m/%Y %H:%M", optional: true}
due: {column: limite}
exclusions:
  - {reason: falla_electrica, column: nota, in: [sin luz]}
skip:
  - {name: prueba, column: nota, in: [prueba]}
"""
HEADER = ["oficina", "turno", "tramite", "tipo", "emitido", "llamado", "limite", "nota"]
CELLS = {
    "oficina": "Centro 1",
    "turno": "A17",
    "tramite": "Acta",
    "tipo": "copia",
    "emitido": "2026-03-02 06:00",
    "llamado": "02/03/2026 06:09",
    "limite": "",
    "nota": "",
}


def read(**changes: str) -> Row | Skipped | Refusal:
    reader = RowReader(MappingFile("m.yaml", MAPPING).mapping, HEADER)
    cells = CELLS | changes
    return reader.read([cells[column] for column in HEADER], NOON + timedelta(days=1))


def refused(**changes: str) -> Refusal:
    result = read(**changes)
    assert isinstance(result, Refusal)
    return result


def test_a_row_becomes_its_events() -> None:
    row = read(limite="2026-03-02T06:15:00-06:00", nota="sin luz")
    assert isinstance(row, Row)
    assert row.key == "Centro 1/A17"
    assert (row.service, row.unit, row.attributes) == ("RC-ACTAS", "Centro_1", {"tipo": "copia"})
    assert row.due_at == at(15)
    assert row.events == (
        RowEvent("ticket.issued", "ticket.issued", at(0)),
        RowEvent("ticket.called", "ticket.called", at(9)),
        RowEvent("case.excluded:falla_electrica", "case.excluded", at(0), "falla_electrica"),
    )


def test_an_empty_optional_cell_says_that_it_has_not_happened() -> None:
    row = read(llamado=" ")
    assert isinstance(row, Row)
    assert [event.kind for event in row.events] == ["ticket.issued"]


def test_a_skip_rule_leaves_the_row_out_by_name() -> None:
    assert read(nota="prueba") == Skipped("prueba")


@pytest.mark.parametrize(
    ("changes", "reason", "column"),
    [
        ({"emitido": ""}, Reason.MISSING_VALUE, "emitido"),
        ({"emitido": "ayer"}, Reason.UNREADABLE_VALUE, "emitido"),
        ({"llamado": "2026-03-02"}, Reason.UNREADABLE_VALUE, "llamado"),
        ({"emitido": "1999-12-31 00:00"}, Reason.TOO_EARLY, "emitido"),
        ({"emitido": "2100-01-01 00:00"}, Reason.IN_FUTURE, "emitido"),
        ({"turno": ""}, Reason.MISSING_VALUE, "turno"),
        ({"turno": "x" * 130}, Reason.UNREADABLE_VALUE, "turno"),
        ({"tramite": "Otro"}, Reason.UNREADABLE_VALUE, "tramite"),
        ({"oficina": "¿?"}, Reason.UNREADABLE_VALUE, "oficina"),
        ({"tipo": "\udcff"}, Reason.UNREADABLE_VALUE, "tipo"),
    ],
)
def test_a_bad_cell_is_refused_with_its_column(
    changes: dict[str, str], reason: Reason, column: str
) -> None:
    refusal = refused(**changes)
    assert (refusal.reason, refusal.field) == (reason, column)


def test_a_row_of_another_width_is_refused() -> None:
    reader = RowReader(MappingFile("m.yaml", MAPPING).mapping, HEADER)
    result = reader.read(["a", "b"], NOON)
    assert isinstance(result, Refusal)
    assert result.reason is Reason.WRONG_NUMBER_OF_COLUMNS


def test_local_times_are_read_in_the_zone_of_the_mapping() -> None:
    mexico, warsaw = zone_of("America/Mexico_City"), zone_of("Europe/Warsaw")
    assert parse_instant("2026-03-02 06:00", "iso", mexico) == NOON
    assert parse_instant("2026-03-02T06:00:00-06:00", "iso", warsaw) == NOON
    assert parse_instant("2026-03-02 07:00", "iso", zone_of("-05:00")) == NOON


def test_an_hour_that_comes_twice_is_the_first() -> None:
    twice = parse_instant("2026-10-25 02:30", "iso", zone_of("Europe/Warsaw"))
    assert twice == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_an_hour_that_the_clock_skipped_is_refused() -> None:
    with pytest.raises(ValueError, match="skipped"):
        parse_instant("2026-03-29 02:30", "iso", zone_of("Europe/Warsaw"))


def test_a_missing_column_is_named_with_file_and_line() -> None:
    mapping = MappingFile("m.yaml", MAPPING)
    header = [column for column in HEADER if column not in ("llamado", "limite")]
    with pytest.raises(MappingError) as error:
        mapping.check_header("turnos.csv", header)
    assert 'turnos.csv: there is no column "llamado", named in m.yaml:12' in str(error.value)
    assert 'turnos.csv: there is no column "limite", named in m.yaml:13' in str(error.value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("zone: America/Mexico_City", "zone: Mars/Olympus"), "m.yaml:4: zone:"),
        (("zone: America/Mexico_City", "zone: ../../etc/passwd"), "m.yaml:4: zone:"),
        (
            ("due: {column: limite}", "due: {colum: limite}"),
            "m.yaml:13: due.column: Field required",
        ),
        (("kind: ticket.issued", "kind: Ticket"), "m.yaml:11: events.0.kind:"),
        (("case: [oficina, turno]", "case: []"), "m.yaml:5: case:"),
        (("mapping: measurements/1", "mapping: [1"), "m.yaml:2: not YAML"),
        (("ticket.called", "ticket.issued"), "each kind of event has one column"),
    ],
)
def test_a_wrong_mapping_is_explained_with_its_line(change: tuple[str, str], expected: str) -> None:
    with pytest.raises(MappingError) as error:
        MappingFile("m.yaml", MAPPING.replace(*change))
    assert expected in str(error.value)


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_mappings_are_valid(path: Any) -> None:
    MappingFile(path.name, path.read_text(encoding="utf-8"))


rows = st.builds(
    lambda issued, called, excluded, unit, due, case: Row(
        key="A-17",
        case=case,
        service="RC-ACTAS",
        unit=unit,
        attributes={"tipo": "copia"},
        due_at=due,
        events=tuple(
            [RowEvent("ticket.issued", "ticket.issued", at(issued))]
            + ([RowEvent("ticket.called", "ticket.called", at(called))] if called else [])
            + (
                [RowEvent("case.excluded:luz", "case.excluded", at(issued), "luz")]
                if excluded
                else []
            )
        ),
    ),
    st.integers(0, 2),
    st.integers(0, 2),
    st.booleans(),
    st.sampled_from([None, "U1", "U2"]),
    st.sampled_from([None, at(60)]),
    st.just("A-17"),
)


def as_fact(event: hot.ServiceEvent) -> Fact:
    data = event.data
    return Fact(
        source=event.source,
        id=event.id,
        kind=event.type,
        time=event.time,
        service=data.service,
        unit=data.unit,
        attributes=data.attributes,
        due_at=data.due_at,
        reason=data.reason,
        supersedes=data.supersedes,
        void=data.void,
    )


def publish(versions: list[Row | None]) -> list[hot.ServiceEvent]:
    """Events of one row through successive files; None is a file without the row."""
    publisher = Publisher("https://turnos.example/csv", "nogal", "import-1")
    known: LedgerRow | None = None
    events: list[hot.ServiceEvent] = []
    for row in versions:
        if row is None:
            gone = known is not None and not known.removed
            plan = publisher.remove("A-17", known) if known is not None and gone else None
        else:
            plan = publisher.plan(row, known)
        if plan is not None:
            events += plan.events
            known = plan.ledger
    return events


@given(st.lists(st.none() | rows, max_size=6), rows)
def test_after_any_corrections_the_case_is_what_the_last_file_says(
    earlier: list[Row | None], last: Row
) -> None:
    events = publish([*earlier, last])
    assert len({event.id for event in events}) == len(events)
    corrected, fresh = (assemble([as_fact(e) for e in made]) for made in (events, publish([last])))
    assert corrected == fresh


@given(st.lists(rows, min_size=1, max_size=4))
def test_a_row_that_is_gone_never_happened(versions: list[Row | None]) -> None:
    case = assemble([as_fact(event) for event in publish([*versions, None])])
    assert (case.instants, case.exclusions) == ({}, ())


@given(st.lists(st.none() | rows, max_size=4), rows)
def test_the_same_row_again_publishes_nothing(earlier: list[Row | None], last: Row) -> None:
    assert publish([*earlier, last, last]) == publish([*earlier, last])


def read_with(lines: str, **changes: str) -> Row | Skipped | Refusal:
    """Read the row under the mapping with more said in it."""
    mapping = MAPPING.replace("attributes:\n", "attributes:\n" + lines, 1)
    cells = CELLS | changes
    header = list(cells)
    reader = RowReader(MappingFile("m.yaml", mapping).mapping, header)
    return reader.read(list(cells.values()), NOON + timedelta(days=1))


def test_what_came_late_is_taken_from_what_came_and_the_rest_was_in_time() -> None:
    row = read_with("  a_tiempo: {column: n, minus: tarde}\n", n="120", tarde="7")
    assert isinstance(row, Row)
    assert row.attributes == {"a_tiempo": "113", "tipo": "copia"}


@pytest.mark.parametrize(("n", "tarde", "column"), [("1,5", "0", "n"), ("3", "", "tarde")])
def test_a_difference_of_what_is_no_number_is_refused(n: str, tarde: str, column: str) -> None:
    refused = read_with("  a_tiempo: {column: n, minus: tarde}\n", n=n, tarde=tarde)
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.field) == (Reason.UNREADABLE_VALUE, column)


def test_the_hour_is_local_to_the_mapping_whatever_offset_is_written() -> None:
    row = read_with("  hora: {column: sello, hour_of: iso}\n", sello="2026-03-02T15:30:00+00:00")
    assert isinstance(row, Row)
    assert row.attributes["hora"] == "09"


def test_a_name_stands_for_an_instant() -> None:
    mapping = MAPPING.replace(
        "column: emitido}", 'column: emitido, values: {T1: "2026-01-01", T2: "2026-04-01"}}'
    )
    reader = RowReader(MappingFile("m.yaml", mapping).mapping, HEADER)
    cells = CELLS | {"llamado": ""}

    def reading(quarter: str) -> Row | Skipped | Refusal:
        return reader.read([(cells | {"emitido": quarter})[name] for name in HEADER], NOON)

    first, unknown = reading("T1"), reading("T3")
    assert isinstance(first, Row)
    assert first.events[0].time == datetime(2026, 1, 1, 6, tzinfo=UTC)
    assert isinstance(unknown, Refusal)
    assert unknown.field == "emitido"


RULES = """\
exclusions:
  - {reason: cierre_al_recibir, column: emitido, same_as: cerrado}
  - {reason: sin_registro, column: emitido, since: "2026-03-01", before: "2026-03-02T06:00"}
"""


@pytest.mark.parametrize(
    ("emitido", "cerrado", "reasons"),
    [
        ("2026-03-02 06:00", "2026-03-02 06:00", {"cierre_al_recibir"}),
        ("2026-03-02 06:00", "", set()),  # `before` is outside
        ("2026-03-02 05:59", "", {"sin_registro"}),
        ("2026-03-01 00:00", "", {"sin_registro"}),  # `since` is inside
        ("2026-02-28 23:59", "", set()),
    ],
)
def test_rows_are_excluded_by_what_columns_say_of_each_other_and_by_their_time(
    emitido: str, cerrado: str, reasons: set[str]
) -> None:
    mapping = MAPPING.partition("exclusions:")[0] + RULES
    cells = CELLS | {"emitido": emitido, "cerrado": cerrado}
    reader = RowReader(MappingFile("m.yaml", mapping).mapping, list(cells))
    row = reader.read(list(cells.values()), NOON + timedelta(days=1))
    assert isinstance(row, Row)
    assert {event.reason for event in row.events if event.reason} == reasons


@pytest.mark.parametrize(
    "rule",
    [
        "{reason: x, column: nota}",
        "{reason: x, column: nota, in: [a], same_as: tipo}",
        "{reason: x, column: nota, since: ayer}",
    ],
)
def test_a_condition_has_exactly_one_test(rule: str) -> None:
    with pytest.raises(MappingError, match=r"^m\.yaml:"):
        MappingFile("m.yaml", MAPPING.partition("exclusions:")[0] + f"exclusions: [{rule}]\n")


def test_a_column_named_only_by_a_rule_must_be_there() -> None:
    mapping = MAPPING.replace("in: [prueba]", "same_as: ausente")
    with pytest.raises(MappingError, match='no column "ausente"'):
        MappingFile("m.yaml", mapping).check_header("f.csv", HEADER)


def test_a_date_that_stands_for_none_is_no_event() -> None:
    mapping = MAPPING.replace('%H:%M"', '%H:%M", absent: ["01/01/1900 00:00"]')
    reader = RowReader(MappingFile("m.yaml", mapping).mapping, HEADER)
    cells = CELLS | {"llamado": "01/01/1900 00:00"}
    row = reader.read([cells[name] for name in HEADER], NOON + timedelta(days=1))
    assert isinstance(row, Row)
    assert [event.kind for event in row.events] == ["ticket.issued"]
