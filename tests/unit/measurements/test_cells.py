"""What the files of the world hold: dates, durations, numbers, texts, and rows of many shapes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.measurements.domain.cases import assemble
from services.measurements.domain.cells import code_of, parse_instant
from services.measurements.domain.checks import Reason, Refusal
from services.measurements.domain.ledger import LedgerRow, Publisher
from services.measurements.domain.mapping import Twice, zone_of
from services.measurements.domain.mapping_file import MappingError, MappingFile
from services.measurements.domain.rows import Row, RowReader, Skipped
from shared.contracts import hot
from tests.unit.measurements.builders import NOON
from tests.unit.measurements.test_rows import as_fact

HEAD = """\
mapping: measurements/1
source: https://archivo.example/csv
municipality: nogal
zone: America/Mexico_City
"""
TICKET = "events: [{kind: ticket.issued, column: emitido}]\n"
LATER = datetime(2030, 1, 1, tzinfo=UTC)


def reader(rest: str, *columns: str) -> RowReader:
    keys = ("case: ", "service: ")
    rest += "".join(
        line
        for key, line in zip(keys, ("case: [folio]\n", "service: OBRAS\n"), strict=True)
        if not rest.startswith(key) and f"\n{key}" not in rest
    )
    mapping = MappingFile("m.yaml", HEAD + rest)
    mapping.check_header("f.csv", columns)
    return RowReader(mapping.mapping, columns)


def read(rest: str, /, **cells: str) -> Row | Skipped | Refusal:
    cells = {"folio": "7", "emitido": "2026-03-02 06:00"} | cells
    return reader(rest, *cells).read(list(cells.values()), LATER, line=12)


def row(rest: str, /, **cells: str) -> Row:
    found = read(rest, **cells)
    assert isinstance(found, Row), found
    return found


def refused(rest: str, /, **cells: str) -> tuple[Reason, str | None]:
    found = read(rest, **cells)
    assert isinstance(found, Refusal), found
    return found.reason, found.field


def issued(column: str, text: str, **more: str) -> datetime:
    event = f"events: [{{kind: ticket.issued, column: emitido, {column}}}]\n"
    return row(event, emitido=text, **more).events[0].time


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("format: iso", "2026-03-02T12:00:00Z"),
        ("format: iso", "2026-03-02 06:00:00.0000000"),
        ('format: "%d/%m/%Y %I:%M %p"', "02/03/2026 06:00 AM"),
        ('format: ["%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M"]', "02/03/2026 06:00"),
        ('format: "%d-%b-%y %H:%M", replace: {ene: Jan, mar: Mar}', "02-mar-26 06:00"),
        ('format: "%d/%m/%Y %I:%M %p", replace: {a. m.: AM, p. m.: PM}', "02/03/2026 06:00 a. m."),
        ("format: unix", "1772452800"),
        ("format: unix_ms", "1772452800000"),
        ("format: excel", "46083.25"),
        ("format: excel", "46083.249999999"),
        ('format: "%Y-%m-%d %H:%M %z"', "2026-03-02 13:00 +0100"),
    ],
)
def test_a_time_is_read_however_it_is_written(declared: str, text: str) -> None:
    assert issued(declared, text) == NOON


def test_date_and_time_of_day_may_stand_apart() -> None:
    declared = 'clock: hora, format: ["%d/%m/%Y %H:%M", "%d/%m/%Y"]'
    assert issued(declared, "02/03/2026", hora="06:00") == NOON
    assert issued(declared, "02/03/2026", hora="") == NOON - timedelta(hours=6)


@pytest.mark.parametrize("text", ["1e3", "nan", "46083,25", ""])
def test_a_number_that_is_no_time_is_refused(text: str) -> None:
    event = "events: [{kind: ticket.issued, column: emitido, format: excel}]\n"
    reason = Reason.UNREADABLE_VALUE if text else Reason.MISSING_VALUE
    assert refused(event, emitido=text) == (reason, "emitido")


@pytest.mark.parametrize(
    ("twice", "hour"), [(Twice.FIRST, 0), (Twice.SECOND, 1), (Twice.REFUSE, None)]
)
def test_which_of_two_equal_local_times_is_meant_is_declared(
    twice: Twice, hour: int | None
) -> None:
    rest = TICKET + f"twice: {twice.value}\n"
    warsaw = HEAD.replace("America/Mexico_City", "Europe/Warsaw")
    mapping = MappingFile("m.yaml", warsaw + rest + "case: [folio]\nservice: OBRAS\n").mapping
    result = RowReader(mapping, ["folio", "emitido"]).read(["7", "2026-10-25 02:30"], LATER)
    if hour is None:
        assert isinstance(result, Refusal)
        assert (result.field, "but once" in result.detail) == ("emitido", True)
    else:
        assert isinstance(result, Row)
        assert result.events[0].time == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)


def test_a_day_whose_midnight_was_skipped_begins_where_the_clock_went_on() -> None:
    begins = parse_instant("2019-09-08", "iso", zone_of("America/Santiago"))
    assert begins == datetime(2019, 9, 8, 4, tzinfo=UTC)


def test_what_is_due_on_a_date_is_due_by_its_end() -> None:
    due = "due: {column: limite, format: '%d/%m/%Y', end_of_day: true}\n"
    found = row(TICKET + due, limite="02/03/2026").due_at
    assert found == datetime(2026, 3, 3, 5, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("unit", "text", "seconds"),
    [
        ("s", "540", 540),
        ("min", "9", 540),
        ("min", "9.5", 570),
        ("h", "0.15", 540),
        ("d", "2", 172_800),
        ('"hh:mm:ss"', "0:09:30", 570),
        ('"hh:mm"', "27:05", 97_500),
        ('"mm:ss"', "125:30", 7530),
    ],
)
def test_a_duration_stands_for_the_other_end_of_the_clock(
    unit: str, text: str, seconds: int
) -> None:
    events = (
        "events:\n  - {kind: ticket.issued, column: emitido}\n"
        f"  - {{kind: ticket.called, column: espera, after: ticket.issued, unit: {unit}}}\n"
    )
    assert row(events, espera=text).events[1].time == NOON + timedelta(seconds=seconds)


def test_a_duration_may_lead_back_to_the_start_and_to_the_due_instant() -> None:
    events = (
        "events:\n  - {kind: ticket.called, column: emitido}\n"
        "  - {kind: ticket.issued, column: espera, before: ticket.called, unit: min,\n"
        "     decimal: ','}\n"
        "due: {column: sla, after: ticket.issued, unit: h}\n"
    )
    found = row(events, espera="7,5", sla="2")
    assert found.events[1].time == NOON - timedelta(minutes=7.5)
    assert found.due_at == NOON + timedelta(hours=2, minutes=-7.5)


@pytest.mark.parametrize("text", ["-1", "36501", "9:75:00", "9:30", "nueve", "9,5"])
def test_a_duration_that_is_none_is_refused(text: str) -> None:
    unit = '"hh:mm:ss"' if ":" in text else "d"
    events = (
        "events:\n  - {kind: ticket.issued, column: emitido}\n"
        f"  - {{kind: ticket.called, column: espera, after: ticket.issued, unit: {unit}}}\n"
    )
    assert refused(events, espera=text) == (Reason.UNREADABLE_VALUE, "espera")


STATUS = """\
events:
  - {kind: request.received, column: emitido}
  - {kind: request.closed, column: movido, when: [{column: estado, in: [Cerrada, Atendida]}]}
  - {kind: request.referred, column: movido, when: [{column: estado, contains: [urnad]}]}
"""


@pytest.mark.parametrize(
    ("estado", "kinds"),
    [
        ("Cerrada", ["request.received", "request.closed"]),
        ("Turnada a obras", ["request.received", "request.referred"]),
        ("Abierta", ["request.received"]),
    ],
)
def test_a_status_says_what_the_last_movement_was(estado: str, kinds: list[str]) -> None:
    found = row(STATUS, estado=estado, movido="2026-03-03")
    assert [event.kind for event in found.events] == kinds


def test_an_event_that_the_status_says_happened_needs_its_time() -> None:
    assert refused(STATUS, estado="Cerrada", movido="") == (Reason.MISSING_VALUE, "movido")


LOG = """\
case: [folio]
row: [folio, evento, emitido]
events:
  - kind: {column: evento, values: {alta: request.received, cierre: request.closed, P: case.paused}}
    column: emitido
    reason: {column: motivo, absent: ["-"]}
"""


def test_a_log_has_a_row_for_each_event_of_a_case() -> None:
    opened = row(LOG, evento="alta", motivo="-")
    assert (opened.key, opened.case) == ("7/alta/2026-03-02 06:00", "7")
    assert [event.kind for event in opened.events] == ["request.received"]
    paused = row(LOG, evento="P", motivo="prevencion")
    assert [(e.label, e.reason) for e in paused.events] == [
        ("case.paused:prevencion", "prevencion")
    ]
    assert refused(LOG, evento="P", motivo="-") == (Reason.MISSING_VALUE, "motivo")
    assert refused(LOG, evento="otro", motivo="x") == (Reason.UNREADABLE_VALUE, "evento")


def test_a_file_without_numbers_of_its_own_has_those_of_its_lines() -> None:
    assert row("case: ['#']\n" + TICKET).case == "12"
    named = reader("case: ['#']\n" + TICKET, "#", "emitido")
    result = named.read(["340", "2026-03-02"], LATER, line=2)
    assert isinstance(result, Row)
    assert result.case == "340"


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ("decimal: ','", "1234,5", "1234.5"),
        ("decimal: ',', thousands: '.'", "1.234.567,50", "1234567.50"),
        ("thousands: ','", "12,345", "12345"),
        ("decimal: ',', thousands: ' '", "12\u00a0345,5", "12345.5"),
        ("round: 4", "1.00345678", "1.0035"),
        ("round: 0", "2.5", "2"),
        ("minus: [b, c]", "10", "5"),
        ("plus: [b], minus: c", "10", "9"),
        ("as_code: true", "Vía pública (centro)", "Via_publica_centro"),
        ("values: {Sí: si}, other: nada", "Quizá", "nada"),
        ("absent: ['*', 's/d']", "*", None),
        ("weekday_of: iso", "2026-03-02", "1"),
        ("date_of: '%d/%m/%Y %H:%M'", "02/03/2026 23:59", "2026-03-02"),
        ("hour_of: '%H:%M:%S'", "17:05:00", "17"),
    ],
)
def test_an_attribute_is_made_of_its_cell(declared: str, text: str, value: str | None) -> None:
    attributes = f"attributes: {{dato: {{column: a, {declared}}}}}\n"
    assert row(TICKET + attributes, a=text, b="2", c="3").attributes.get("dato") == value


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("decimal: ','", "1.234,5"),
        ("decimal: ','", "1234.5"),
        ("round: 2", "1e5"),
        ("thousands: ','", "doce"),
        ("values: {Sí: si}", "Quizá"),
        ("as_code: true", "¿?"),
    ],
)
def test_a_cell_that_is_not_what_it_should_be_is_refused(declared: str, text: str) -> None:
    attributes = f"attributes: {{dato: {{column: a, {declared}}}}}\n"
    assert refused(TICKET + attributes, a=text) == (Reason.UNREADABLE_VALUE, "a")


def test_two_texts_are_not_merged_into_one_code() -> None:
    units = reader(
        TICKET + "unit: {column: oficina, as_code: true}\n", "folio", "emitido", "oficina"
    )

    def reading(office: str) -> Row | Skipped | Refusal:
        return units.read(["7", "2026-03-02", office], LATER)

    first, other, again = reading("Centro A/B"), reading("Centro A-B"), reading("Centro A B")
    assert isinstance(first, Row)
    assert first.unit == "Centro_A_B"
    assert isinstance(other, Row)
    assert isinstance(again, Refusal)
    assert again.field == "oficina"


@given(st.text(max_size=200))
def test_a_made_code_is_a_code_or_nothing(text: str) -> None:
    code = code_of(text)
    assert not code or msgspec.convert(code, hot.Code) == code


def test_constants_stand_in_the_mapping() -> None:
    found = row(TICKET + "unit: CENTRO\nattributes: {encuesta: E-1}\n")
    assert (found.unit, found.attributes) == ("CENTRO", {"encuesta": "E-1"})


def test_a_separator_too_many_at_the_end_of_a_line_is_no_fault() -> None:
    plain = reader(TICKET, "folio", "emitido")
    assert isinstance(plain.read(["7", "2026-03-02", ""], LATER), Row)
    assert isinstance(plain.read(["7", "2026-03-02", "x"], LATER), Refusal)


def test_a_skip_may_say_what_is_wanted() -> None:
    rules = TICKET + "skip: [{name: otro_tipo, column: tipo, not_in: [bache]}]\n"
    assert read(rules, tipo="fuga") == Skipped("otro_tipo")
    assert isinstance(read(rules, tipo="bache"), Row)


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        ("events: [{kind: a.b, column: x, after: c.d, unit: h}]", "no event c.d is declared above"),
        ("events: [{kind: a.b, column: x, unit: h}]", "a duration has unit, and after or before"),
        ("events: [{kind: case.paused, column: x}]", "case.paused needs a reason"),
        (
            "events: [{kind: a.b, column: x}]\ndue: {column: y, after: c.d, unit: h}",
            "due is counted from c.d",
        ),
        ("events: [{kind: a.b, column: x}]\nunit: {column: u, other: x}", "other goes with values"),
        (
            "events: [{kind: a.b, column: x}]\n"
            "attributes: {n: {column: u, round: 1, as_code: true}}",
            "attributes.n: Value error, give at most one of",
        ),
        (
            "events: [{kind: a.b, column: x}]\nattributes: {n: {column: u, decimal: x}}",
            "m.yaml:6: attributes.n.decimal: Input should be '.' or ','",
        ),
    ],
)
def test_what_contradicts_itself_is_named(rest: str, fault: str) -> None:
    with pytest.raises(MappingError) as error:
        reader(rest + "\n", "folio", "x")
    assert fault in str(error.value)


def test_a_column_that_comes_twice_is_named() -> None:
    with pytest.raises(MappingError, match=r'f\.csv: 2 columns are named "emitido"'):
        reader(TICKET, "folio", "emitido", "emitido")


def publish(versions: list[Row | None]) -> list[hot.ServiceEvent]:
    """Events of one row through successive files; None is a file without the row."""
    publisher = Publisher("https://archivo.example/csv", "nogal", "import-1")
    known: LedgerRow | None = None
    events: list[hot.ServiceEvent] = []
    for each in versions:
        gone = each is None and known is not None and not known.removed
        plan = publisher.plan(each, known) if each is not None else None
        if gone and known is not None:
            plan = publisher.remove("fila", known)
        if plan is not None:
            events += plan.events
            known = plan.ledger
    return events


def _row(case: str, called: str) -> Row:
    found = row(
        "case: [folio]\nrow: ['#']\n"
        "events:\n  - {kind: ticket.issued, column: emitido}\n"
        "  - {kind: ticket.called, column: llamado, optional: true}\n",
        folio=case,
        llamado=called,
    )
    assert found.key == "12"
    return found


versions = st.builds(
    _row, st.sampled_from(["A", "B"]), st.sampled_from(["", "2026-03-02 06:05", "2026-03-02 06:09"])
)


@given(st.lists(st.none() | versions, max_size=6), versions)
def test_a_row_that_moves_to_another_case_leaves_nothing_behind(
    earlier: list[Row | None], last: Row
) -> None:
    events = publish([*earlier, last])
    assert len({event.id for event in events}) == len(events)
    of_case: dict[str, list[Any]] = {}
    for event in events:
        of_case.setdefault(event.data.case, []).append(as_fact(event))
    instants = {case: assemble(facts).instants for case, facts in of_case.items()}
    expected = {event.kind: event.time for event in last.events}
    assert {case: found for case, found in instants.items() if found} == {last.case: expected}
