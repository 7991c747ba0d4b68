from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from services.cartas.domain import read_catalogue
from services.cartas.domain.changes import Change, Row, compare, written_of
from services.cartas.domain.drafts import Around, address_of, draft_of, read_draft, warnings_code
from services.cartas.domain.life import (
    Acta,
    Life,
    Step,
    certificates_end,
    ended_before,
    fault_of_end,
    faults_of_terms,
    life_of,
    warnings_of_end,
    warnings_of_terms,
)
from services.cartas.store.versions import Taken
from services.cartas.use_cases.reading import Detail, Summary
from services.cartas.version_report import one, table
from shared.contracts.cartas import CartaData, Status
from shared.explaining import Version
from tests.integration.cartas.towns import draft
from tests.unit.cartas.files import CATALOGUE

TODAY = date(2026, 11, 23)
FOUND = read_catalogue(CATALOGUE.encode()).catalogue
assert FOUND is not None
CARTA = FOUND.cartas[0].data
DECLARED = FOUND.cartas[0].declared
AROUND = Around(FOUND.municipality, {each.unit: each for each in FOUND.units}, ["HAB"], (CARTA,))


def carta(first: str, last: str | None = None) -> CartaData:
    days = {"valid_from": date.fromisoformat(first), "valid_to": last and date.fromisoformat(last)}
    return CARTA.model_copy(update=days)


def acta(first: str, last: str | None = None, dated: str = "2026-11-20") -> Acta:
    end = date.fromisoformat(last) if last else None
    return Acta("Comité", "A-1", date.fromisoformat(dated), date.fromisoformat(first), end)


@pytest.mark.parametrize(
    ("first", "last", "life"),
    [
        ("2026-11-24", None, Life.PUBLISHED),
        ("2026-11-23", None, Life.IN_FORCE),
        ("2026-01-01", "2026-11-23", Life.IN_FORCE),
        ("2026-01-01", "2026-11-22", Life.RETIRED),
    ],
)
def test_a_version_is_in_force_on_its_first_and_on_its_last_day(
    first: str, last: str | None, life: Life
) -> None:
    assert life_of(carta(first, last), TODAY) is life


def test_a_withdrawn_version_is_retired_whatever_its_days() -> None:
    withdrawn = carta("2026-12-01").model_copy(update={"status": Status.RETIRED})
    assert life_of(withdrawn, TODAY) is Life.RETIRED


def test_the_one_before_ends_on_the_eve_and_never_gets_longer() -> None:
    assert ended_before(carta("2026-01-01"), date(2026, 12, 1)).valid_to == date(2026, 11, 30)
    over = carta("2026-01-01", "2026-06-30")
    assert ended_before(over, date(2026, 12, 1)) == over


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (acta("2026-12-01", dated="2026-11-24"), "aún no llega"),
        (acta("2026-11-19"), "antes del acta"),
        (acta("2026-12-01", "2026-11-30"), "anterior al primero"),
        (acta("2026-11-20", "2026-11-22"), "ya pasó"),
        (acta("2026-11-22"), "lo que estuvo vigente no se cambia"),
        (acta("2026-01-01", dated="2025-12-31"), "empieza después que la anterior"),
    ],
)
def test_days_that_cannot_be_are_refused(given: Acta, said: str) -> None:
    assert any(said in each for each in faults_of_terms(given, carta("2026-01-01"), TODAY))


@pytest.mark.parametrize("first", ["2026-11-23", "2026-12-01"])
def test_a_version_may_begin_today_or_later(first: str) -> None:
    assert faults_of_terms(acta(first), carta("2026-01-01"), TODAY) == []


def test_a_first_version_may_have_begun_and_its_author_is_told() -> None:
    given = acta("2026-11-21")
    assert faults_of_terms(given, None, TODAY) == []
    assert "se evaluarán también los casos" in warnings_of_terms(given.first, None, TODAY)[0]


def test_days_without_any_version_are_named() -> None:
    (said,) = warnings_of_terms(date(2026, 12, 1), carta("2026-01-01", "2026-11-25"), TODAY)
    assert "del 2026-11-26 al 2026-11-30 no habrá versión vigente" in said


def test_days_without_a_version_before_the_next_are_named_when_one_ends_early() -> None:
    last = date(2026, 11, 30)
    gap = "del 2026-12-01 al 2026-12-31 no habrá versión vigente: sus casos no se evaluarán"
    assert warnings_of_end(last, carta("2027-01-01")) == [gap]
    assert warnings_of_end(last, carta("2026-12-01")) == []
    assert warnings_of_end(last, None) == []


def test_no_end_reaches_back_or_makes_longer() -> None:
    ending = carta("2026-01-01", "2026-12-31")
    assert fault_of_end(ending, TODAY, TODAY) is None
    assert "ya pasó" in (fault_of_end(ending, date(2026, 11, 22), TODAY) or "")
    assert "no la alarga" in (fault_of_end(ending, date(2027, 1, 1), TODAY) or "")


def test_a_draft_is_read_among_what_is_published() -> None:
    reading = read_draft(draft().encode(), AROUND, 2)
    assert reading.declared is not None, reading.faults
    assert reading.declared.data.version == 2
    elsewhere = draft().replace("unidad_responsable: RC", "unidad_responsable: NADIE")
    faults = read_draft(elsewhere.replace("calendario: HAB", "calendario: NO").encode(), AROUND, 2)
    said = [each.message for each in faults.faults]
    assert any("«NADIE» no está en «unidades»" in each for each in said)
    assert any("el calendario «NO» no existe; hay: HAB" in each for each in said)


def test_what_an_acta_decides_is_not_taken_from_a_draft() -> None:
    text = draft().replace("  nombre: Copias", "  version: 7\n  estado: retirada\n  nombre: Copias")
    reading = read_draft(text.encode(), AROUND, 2)
    assert reading.declared is not None
    assert (reading.declared.data.version, reading.declared.data.status.value) == (2, "active")
    assert any("(version, estado)" in each.message for each in reading.warnings)


def test_a_compromiso_of_another_carta_is_refused() -> None:
    other = CARTA.model_copy(update={"carta": "OTRA"})
    around = Around(AROUND.municipality, AROUND.units, ["HAB"], (other,))
    (fault,) = read_draft(draft().encode(), around, 1).faults
    assert "ya es de la carta «OTRA»" in fault.message


def test_what_cannot_be_read_is_not_said_to_promise_less() -> None:
    faulty = draft().replace("objetivo: 90", "objetivo: 90 %")
    reading = read_draft(faulty.encode(), AROUND, 2)
    [fault] = reading.faults
    assert "no «90 %»; va con punto decimal y sin signos" in fault.message
    assert not [each for each in reading.warnings if "se relaja" in each.message]


def test_a_certificate_goes_on_with_the_next_version() -> None:
    certified = CARTA.model_copy(update={"certified_until": date(2027, 6, 30)})
    around = Around(AROUND.municipality, AROUND.units, ["HAB"], (certified,))
    reading = read_draft(draft().encode(), around, 2)
    assert reading.declared is not None
    assert reading.declared.data.certified_until == date(2027, 6, 30)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"esquema: cartas/1\nmunicipio: {clave: m}", "se publica con: cartas load"),
        (b"esquema: c\nmunicipio: m\ncarta: {codigo: c}", "se esperaba uno de: carta/1"),
        (b"esquema: carta/1\ncarta: {codigo: c}", "falta este campo"),
        (b"esquema: carta/1\nmunicipio: m", "falta este grupo de campos"),
        (b"a: [", "no es YAML"),
    ],
)
def test_a_draft_says_first_whose_it_is(content: bytes, said: str) -> None:
    address, faults = address_of(content)
    assert address is None
    assert said in faults[0].message


def test_what_is_exported_reads_back_as_the_same() -> None:
    declared = {**DECLARED, "horario": "null", "nota": "a: b # c"}
    text = draft_of("cobre", declared)
    reading = read_draft(text.encode(), AROUND, 1)
    assert reading.declared is not None, reading.faults
    assert reading.declared.data.compromisos == CARTA.compromisos
    assert reading.declared.data.hours == "null"


def test_side_by_side_names_what_changes_and_nothing_else() -> None:
    reading = read_draft(draft(20).encode(), AROUND, 2)
    assert reading.declared is not None
    compared = compare(
        CARTA,
        reading.declared.data,
        old_written=written_of(DECLARED),
        new_written=written_of(reading.declared.declared),
    )
    (one,) = compared.compromisos
    assert one.change is Change.CHANGED
    rows = {row.name: (row.old, row.new) for row in one.rows if row.differs}
    assert rows["Límite"] == ("≤ 15 minutos", "≤ 20 minutos")
    assert set(rows) == {"Se evalúa", "Texto impreso", "Límite"}
    assert not any(row.differs for row in compared.carta)
    assert not compared.is_same
    assert compare(CARTA, CARTA).is_same


def test_added_and_removed_compromisos_stand_alone() -> None:
    other = CARTA.compromisos[0].model_copy(update={"id": "RC-01-09"})
    compared = compare(CARTA, CARTA.model_copy(update={"compromisos": (other,)}))
    assert [(each.compromiso, each.change) for each in compared.compromisos] == [
        ("RC-01-09", Change.ADDED),
        ("RC-01-02", Change.REMOVED),
    ]
    assert all(row.old == "—" for row in compared.compromisos[0].rows)


def test_a_criterion_reads_as_its_author_wrote_it_and_breaks_between_words() -> None:
    text = draft().replace("inicio: ticket.issued, fin", "inicio: ticket.checked_in, fin")
    reading = read_draft(text.encode(), AROUND, 2)
    assert reading.declared is not None
    one, two = written_of(DECLARED), written_of(reading.declared.declared)
    compared = compare(CARTA, reading.declared.data, old_written=one, new_written=two)
    rows = {row.name: row for each in compared.compromisos for row in each.rows}
    assert rows["Criterio"].old == (
        "forma: share_within; poblacion: {evento: ticket.issued, ancla: due}; "
        "reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}"
    )
    assert rows["Criterio"].new == rows["Criterio"].old.replace(
        "inicio: ticket.issued", "inicio: ticket.checked_in"
    )
    shown = table(compared).split()
    assert "ticket.checked_in," in shown
    long = "https://cobre.example/" + "x" * 60
    wider = replace(compared, carta=(Row("Cómo se consulta", "—", long),))
    assert long in table(wider).split()


def test_a_criterion_that_nobody_kept_as_written_reads_as_its_formula() -> None:
    [one] = compare(None, CARTA).compromisos
    [criterion] = [row.new for row in one.rows if row.name == "Criterio"]
    assert criterion == "; ".join(Version(CARTA, CARTA.compromisos[0]).formulas)


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        (
            "{op: <=, por: prioridad, valores: {alta: 4.50, baja: 10}}",
            "≤ por prioridad: alta 4.5, baja 10 minutos",
        ),
        ("{op: <=, campo: plazo_legal, factor: 1.5}", "≤ plazo_legal × 1.5 minutos"),
        ("{op: <=, plazo_del_caso: true}", "el plazo prometido a cada caso"),
    ],
)
def test_a_limit_of_each_case_is_said_in_words(limit: str, said: str) -> None:
    reading = read_draft(draft().replace("{op: <=, valor: 10}", limit).encode(), AROUND, 2)
    assert reading.declared is not None, reading.faults
    [one] = compare(None, reading.declared.data).compromisos
    assert [row.new for row in one.rows if row.name == "Límite"] == [said]


def test_a_step_is_told_at_the_local_time_of_the_municipality() -> None:
    taken = Taken("cobre", "RC-01", 1, Step.LOADED, None, datetime(2026, 11, 24, 2, 5, tzinfo=UTC))
    summary = Summary("RC-01", 1, "Copias", Life.IN_FORCE, "RC", None, None, None, None)
    zone = ZoneInfo("America/Mexico_City")
    told = one(Detail(summary, CARTA, (), (), "", None, (taken,), (), zone))
    assert told.splitlines()[-1] == "  2026-11-23 20:05; cargada de un archivo"


def test_other_warnings_have_another_code() -> None:
    assert warnings_code([]) == ""
    assert len({warnings_code(["a"]), warnings_code(["b"]), warnings_code(["a", "b"])}) == 3


ZONES = {CARTA.municipality: ZoneInfo("America/Mexico_City")}
NOON = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)


def certified(until: str, first: str = "2026-01-01", last: str | None = None) -> CartaData:
    days = {"certified_until": date.fromisoformat(until)}
    return carta(first, last).model_copy(update=days)


def test_the_last_day_of_a_certificate_is_certified_to_its_local_midnight() -> None:
    ends = certificates_end([certified("2026-11-30")], ZONES, NOON)
    assert ends == {(CARTA.municipality, CARTA.carta): datetime(2026, 12, 1, 6, tzinfo=UTC)}


def test_a_certificate_that_has_ended_is_told_as_long_as_its_carta_is_in_force() -> None:
    ends = certificates_end([certified("2026-01-31")], ZONES, NOON)
    assert ends == {(CARTA.municipality, CARTA.carta): datetime(2026, 2, 1, 6, tzinfo=UTC)}


@pytest.mark.parametrize(
    "not_in_force",
    [
        carta("2026-01-01"),
        certified("2027-01-31", first="2026-11-24"),
        certified("2027-01-31", last="2026-11-22"),
        certified("2027-01-31").model_copy(update={"status": Status.RETIRED}),
    ],
)
def test_a_carta_without_certificate_or_not_in_force_has_no_end(not_in_force: CartaData) -> None:
    assert certificates_end([not_in_force], ZONES, NOON) == {}
