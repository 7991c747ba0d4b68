import re
import textwrap
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from services.cartas.domain import Catalogue, decide, read_catalogue
from services.cartas.report import contents
from shared.contracts.cartas import Compromiso, Role, Scope, Status, Suspension
from shared.criteria import (
    Anchor,
    Availability,
    Clock,
    Count,
    Criterion,
    Groups,
    Instant,
    Mean,
    Number,
    Op,
    Outage,
    Part,
    Percentile,
    Period,
    Ratio,
    Reference,
    Schedule,
    Season,
    Share,
    Sum,
    WindowKind,
)
from shared.worktime import PreparedCalendar, Unit, due_instant
from tests.unit.cartas.files import CATALOGUE, changed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def read(content: bytes) -> Catalogue:
    reading = read_catalogue(content)
    assert reading.faults == ()
    assert reading.catalogue is not None
    return reading.catalogue


@pytest.fixture(scope="module")
def sample_bytes(shared_data: Path) -> bytes:
    return (shared_data / "data" / "sample-cartas.yaml").read_bytes()


@pytest.fixture(scope="module")
def sample(sample_bytes: bytes) -> Catalogue:
    return read(sample_bytes)


def compromiso(catalogue: Catalogue, code: str) -> Compromiso:
    return next(
        each for carta in catalogue.cartas for each in carta.data.compromisos if each.id == code
    )


def parts(catalogue: Catalogue, code: str) -> tuple[Part, ...]:
    return parts_of(compromiso(catalogue, code))


def parts_of(declared: Compromiso) -> tuple[Part, ...]:
    assert isinstance(declared.criterion, Criterion)
    return declared.criterion.parts


def part(catalogue: Catalogue, code: str, number: int = 0) -> Part:
    return parts(catalogue, code)[number]


def share(catalogue: Catalogue, code: str) -> Share:
    (only,) = parts(catalogue, code)
    assert isinstance(only.figure, Share)
    return only.figure


def clock(figure: object) -> Clock:
    value = getattr(figure, "value", None)
    assert isinstance(value, Clock)
    return value


@pytest.mark.shared_data
def test_the_whole_sample_loads_and_every_form_of_it_is_judged(
    sample: Catalogue, sample_bytes: bytes
) -> None:
    raw = yaml.safe_load(sample_bytes)
    declared = [each for carta in raw["cartas"] for each in carta["compromisos"]]
    read_ones = [each for carta in sample.cartas for each in carta.data.compromisos]
    assert [each.id for each in read_ones] == [each["id"] for each in declared]
    assert (len(sample.cartas), len(read_ones)) == (12, 72)
    written = [each["criterio"].get("partes", [None]) for each in declared]
    assert [len(parts_of(each)) for each in read_ones] == [len(each) for each in written]
    assert all(p.target is not None for each in read_ones for p in parts_of(each))


@pytest.mark.shared_data
def test_every_share_of_the_sample_keeps_its_figures(
    sample: Catalogue, sample_bytes: bytes
) -> None:
    raw = yaml.safe_load(sample_bytes)
    compared = 0
    for carta in raw["cartas"]:
        for each in carta["compromisos"]:
            criterion = each["criterio"]
            if criterion["forma"] != "share_within" or "valor" not in criterion["limite"]:
                continue
            (whole,) = parts(sample, each["id"])
            part, target = whole.figure, whole.target
            assert isinstance(part, Share)
            assert target is not None
            assert part.limit.op == criterion["limite"]["op"]
            assert part.limit.value == Decimal(str(criterion["limite"]["valor"]))
            assert target.value == Decimal(str(each["umbral"]["objetivo"]))
            assert target.unacceptable == Decimal(str(each["umbral"]["inaceptable"]))
            assert part.population.exclude == tuple(criterion["poblacion"].get("excluir", ()))
            assert part.population.anchor == criterion["poblacion"]["ancla"]
            assert clock(part).pauses == tuple(criterion["reloj"].get("pausas", ()))
            assert clock(part).unit == criterion["reloj"]["unidad"]
            compared += 1
    assert compared == 38


@pytest.mark.shared_data
def test_the_special_forms_of_the_sample_are_understood(sample: Catalogue) -> None:
    by_priority = share(sample, "CC-OPD-01-03").limit
    assert by_priority.by == "prioridad"
    assert by_priority.values == {"alta": Decimal(2), "normal": Decimal(4)}
    legal = share(sample, "CC-DU-01-06").limit
    assert (legal.field, legal.factor) == ("plazo_legal", Decimal("0.8"))
    assert share(sample, "CC-IG-02-03").limit.op is Op.AT_LEAST
    assert clock(share(sample, "CC-IG-01-02")).start == Instant(
        max_of=("appointment.scheduled_for", "appointment.arrived")
    )
    assert clock(share(sample, "CC-DE-01-04")).unit is Unit.OPEN_HOUR
    buzon = share(sample, "CC-RC-01-05").population
    assert buzon.where == {"carta": ("CC-RC-01",), "tipo": ("sugerencia", "queja", "reclamacion")}


@pytest.mark.shared_data
def test_parts_of_a_conjunction_take_what_they_do_not_say_from_the_whole(sample: Catalogue) -> None:
    wait = [each.figure for each in parts(sample, "CC-RC-01-02")]
    assert [each.limit.value for each in wait if isinstance(each, Share)] == [15, 30]
    assert {clock(each).stop.event for each in wait} == {"ticket.called"}
    stages = [each.figure for each in parts(sample, "CC-PC-01-04")]
    assert [clock(each).stop.event for each in stages] == ["visit.done", "request.resolved"]
    assert {each.population.anchor for each in stages if isinstance(each, Share)} == {Anchor.DUE}
    assert isinstance(part(sample, "CC-TES-01-03").figure, Mean)


@pytest.mark.shared_data
def test_scores_are_asked_of_a_survey_on_its_scale(sample: Catalogue) -> None:
    asked = share(sample, "CC-RC-01-01")
    assert asked.value == Number(
        field="satisfaccion_global", lowest=Decimal(0), highest=Decimal(10)
    )
    assert asked.population.where == {"encuesta": ("ENC-RC",)}
    shopper, visit = (part(sample, "CC-AC-01-06", number).figure for number in (0, 1))
    assert isinstance(shopper, Mean)
    assert shopper.population.where == {"instrumento": ("CM-AC",)}
    assert isinstance(visit, Ratio)
    assert isinstance(visit.numerator, Sum)


def test_a_compromiso_may_say_how_many_cases_it_expects() -> None:
    expecting = changed("min_muestra: 30", "min_muestra: 30\n        casos_esperados: 4000")
    for content, cases in ((CATALOGUE.encode(), None), (expecting, 4000)):
        catalogue = read_catalogue(content).catalogue
        assert catalogue is not None
        [compromiso] = catalogue.cartas[0].data.compromisos
        assert compromiso.expected_cases == cases


@pytest.mark.shared_data
def test_the_days_of_a_season_have_their_own_limit(sample: Catalogue) -> None:
    days = part(sample, "CC-TES-01-02").figure
    assert isinstance(days, Groups)
    assert days.by is Period.DAY
    assert days.limit.value == 12
    assert days.limit.seasons == (Season(first="01-01", last="03-31", value=Decimal(25)),)


@pytest.mark.shared_data
def test_what_recurs_is_out_of_service_or_follows_last_year_is_understood(
    sample: Catalogue,
) -> None:
    listing = part(sample, "CC-PC-01-06").figure
    assert isinstance(listing, Schedule)
    assert (listing.recurrence.working_day, listing.recurrence.time) == (5, "18:00")
    portal = part(sample, "CC-TES-01-06").figure
    assert isinstance(portal, Availability)
    assert portal.value == Outage(stop="outage.ended", unit=Unit.MINUTE)
    fewer = part(sample, "CC-SP-01-06")
    assert isinstance(fewer.figure, Count)
    assert fewer.target is not None
    assert fewer.target.reference is Reference.LAST_YEAR
    assert fewer.target.value == 1
    chat = part(sample, "CC-SP-01-02", 1)
    assert isinstance(chat.figure, Percentile)
    assert chat.target is not None
    assert chat.figure.p == 95
    assert chat.target.unit == "min_habil"
    agreed = clock(part(sample, "CC-CAT-01-06").figure)
    assert (agreed.from_due, agreed.unit) == (True, Unit.CALENDAR_DAY)
    assert compromiso(sample, "CC-OPD-01-06").closing_delay_days == 30


@pytest.mark.shared_data
def test_the_registry_inherits_holidays_and_keeps_guard_in_vacations(sample: Catalogue) -> None:
    calendars = {each.id: each for each in sample.calendars}
    general = {day.reason: day for day in calendars["HAB-GRAL"].days}
    registry = {day.reason: day for day in calendars["HAB-RC"].days}
    vacations = "Primer periodo vacacional, segunda etapa"
    assert general.keys() == registry.keys()
    assert (general[vacations].opens, general[vacations].counts) == (False, False)
    assert (registry[vacations].opens, registry[vacations].counts) == (True, False)
    assert (registry["Navidad"].opens, registry["Navidad"].counts) == (False, False)


@pytest.mark.shared_data
def test_the_parade_is_worked_and_stops_terms(sample: Catalogue) -> None:
    """The corrected gazette: Friday 20 November 2026 does not count."""
    general = PreparedCalendar(next(each for each in sample.calendars if each.id == "HAB-GRAL"))
    filed = datetime(2026, 11, 19, 18, tzinfo=UTC)
    due = due_instant(filed, Decimal(1), Unit.WORKING_DAY, general, ())
    assert due == datetime(2026, 11, 24, 6, tzinfo=UTC)  # midnight after Monday the 23rd


@pytest.mark.shared_data
def test_an_earlier_version_without_content_is_named_in_a_warning(sample: Catalogue) -> None:
    (warning,) = decide(sample, (), NOW).report.warnings
    assert warning.path == "cartas[CC-DU-01].versiones_anteriores[1]"
    assert "versión 1" in warning.message


@pytest.mark.shared_data
def test_units_are_derived_where_the_file_lists_none(sample: Catalogue) -> None:
    units = {each.unit: each for each in sample.units}
    assert units["oficialia-01-del-registro-civil"].parent == "secretaria-del-ayuntamiento"
    assert units["secretaria-del-ayuntamiento"].parent is None


def test_the_municipality_and_its_people_are_read() -> None:
    catalogue = read(CATALOGUE.encode())
    town = catalogue.municipality
    assert (town.municipality, town.calendar, town.cutoff_working_days) == ("cobre", "HAB", 10)
    assert [step.after_working_days for step in town.escalation] == [0, 2]
    (post,) = catalogue.posts
    assert (post.post, post.role, post.unit, post.level) == (
        *("enlace-rc", Role.UNIT, "RC"),
        "enlace_carta",
    )
    (carta,) = catalogue.cartas
    assert carta.data.services == ("RC-COPIAS",)
    assert carta.data.compromisos[0].scope is Scope.UNIT


def test_a_campaign_has_its_own_dates() -> None:
    written = "ventana: {campaña: {id: predial-2026, desde: 2026-01-02, hasta: 2026-03-31}}"
    window = read(changed("ventana: quarter", written)).cartas[0].data.compromisos[0].window
    assert (window.kind, window.id) == (WindowKind.CAMPAIGN, "predial-2026")
    assert (window.first, window.last) == (date(2026, 1, 2), date(2026, 3, 31))


def test_times_without_quotes_are_times_and_not_numbers() -> None:
    """YAML 1.1 reads 9:00 as the number 540."""
    calendar = read(changed("['09:00', '15:00']", "[9:00, 15:00]")).calendars[0]
    assert calendar.week["mon"] == (("09:00", "15:00"),)  # type: ignore[index]


def test_a_promise_without_its_share_in_the_text_is_doubtful() -> None:
    reading = read_catalogue(changed("minutos o menos en 90 % de los casos", "minutos o menos"))
    path = "cartas[RC-01].compromisos[RC-01-02].texto"
    (warning,) = [each for each in reading.warnings if each.path == path]
    assert "90" in warning.message


def test_a_seasonal_limit_holds_beside_the_fixed_one() -> None:
    seasonal = (
        "ventana: quarter\n        variantes_temporada: "
        "[{desde: 01-01, hasta: 03-31, limite: {op: <=, valor: 25}}]"
    )
    figure = part(read(changed("ventana: quarter", seasonal)), "RC-01-02").figure
    assert isinstance(figure, Share)
    assert [season.value for season in figure.limit.seasons] == [25]


TIMED = """\
          forma: share_within
          poblacion: {evento: ticket.issued, ancla: due, excluir: [turno_duplicado]}
          reloj: {inicio: ticket.issued, fin: ticket.called, unidad: min}
          limite: {op: <=, valor: 15}
"""
WEIGHED = """\
          forma: ratio
          numerador: {evento: survey.answered, ancla: occurred, donde: {dice: [si]}, suma: peso}
          denominador: {evento: survey.answered, ancla: occurred, suma: peso}
          margen: aproximado
"""


@pytest.mark.parametrize(
    ("kept", "expected"), [("          margen: aproximado\n", True), ("", False)]
)
def test_a_share_of_weighted_answers_may_have_a_margin(kept: str, *, expected: bool) -> None:
    criterion = WEIGHED.replace("          margen: aproximado\n", kept)
    figure = part(read(changed(TIMED, criterion)), "RC-01-02").figure
    assert isinstance(figure, Ratio)
    assert figure.margin is expected


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        (WEIGHED.replace("ancla: occurred, suma: peso", "ancla: occurred"), "mismas respuestas"),
        (WEIGHED.replace("aproximado", "exacto"), "aproximado"),
    ],
)
def test_a_margin_of_what_has_none_is_a_fault(criterion: str, message: str) -> None:
    faults = read_catalogue(changed(TIMED, criterion)).faults
    assert [message in fault.message for fault in faults if fault.path.endswith("margen")] == [True]


def test_the_guides_example_is_a_valid_catalogue() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "catalogue.md").read_text()
    whole, compromiso, _ = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    indented = textwrap.indent(compromiso, "      ")
    text = whole.replace("compromisos: […]\n", f"compromisos:\n{indented}")
    assert read(text.encode()).cartas[0].data.compromisos[0].id == "RC-01-02"


def test_a_retired_carta_is_published_as_such() -> None:
    retired = read(changed("    version: 1\n", "    version: 1\n    estado: retirada\n"))
    assert retired.cartas[0].data.status is Status.RETIRED


def test_a_suspension_says_when_and_by_which_act_and_waits_until_it_is_published() -> None:
    told = "desde: 2026-08-17, hasta: 2026-08-21, motivo: Mudanza, acuerdo: Gaceta 10"
    [found] = read(_suspended(told)).cartas
    assert found.data.suspensions == (
        Suspension(
            first=date(2026, 8, 17), last=date(2026, 8, 21), reason="Mudanza", act="Gaceta 10"
        ),
    )
    waiting = read_catalogue(_suspended(f"{told}, publicada: false"))
    assert waiting.catalogue is not None
    assert waiting.catalogue.cartas[0].data.suspensions == ()
    assert any("no está publicada" in warning.message for warning in waiting.warnings)


def _suspended(told: str) -> bytes:
    services = "    servicios: [RC-COPIAS]\n"
    return changed(services, f"{services}    suspensiones:\n      - {{{told}}}\n")


def test_what_a_file_holds_is_said_with_its_services() -> None:
    more = changed("servicios: [RC-COPIAS]", "servicios: [RC-COPIAS, RC-ACTAS]")
    catalogue = read_catalogue(more).catalogue
    assert catalogue is not None
    assert contents(catalogue) == (
        "Santa Clara del Cobre Viejo (cobre): 1 cartas, 2 servicios, 1 compromisos, "
        "1 calendarios, 2 unidades, 1 puestos"
    )
