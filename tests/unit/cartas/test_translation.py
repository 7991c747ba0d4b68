import re
import textwrap
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from services.cartas.domain import Catalogue, decide, read_catalogue
from services.cartas.domain.catalogue import forms
from shared.contracts.cartas import Compromiso, Role, Scope, Status
from shared.criteria import Anchor, Criterion, Instant, Mean, Op, Share, Unsupported, WindowKind
from shared.worktime import PreparedCalendar, Unit, due_instant
from tests.unit.cartas.files import CATALOGUE, changed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
JUDGED = {"share_within", "mean"}


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


def share(catalogue: Catalogue, code: str) -> Share:
    criterion = compromiso(catalogue, code).criterion
    assert isinstance(criterion, Criterion)
    (part,) = criterion.parts
    assert isinstance(part, Share)
    return part


def is_judged(criterion: dict[str, object]) -> bool:
    """Independent of our reader: share_within, mean, or a conjunction of them only."""
    if criterion["forma"] != "all_of":
        return criterion["forma"] in JUDGED
    return all(part["forma"] in JUDGED for part in criterion["partes"])  # type: ignore[attr-defined]


@pytest.mark.shared_data
def test_the_whole_sample_loads_with_what_an_independent_count_finds(
    sample: Catalogue, sample_bytes: bytes
) -> None:
    raw = yaml.safe_load(sample_bytes)
    declared = [each for carta in raw["cartas"] for each in carta["compromisos"]]
    judged = {each["id"] for each in declared if is_judged(each["criterio"])}
    others = Counter(
        each["criterio"]["forma"] for each in declared if not is_judged(each["criterio"])
    )
    read_ones = [each for carta in sample.cartas for each in carta.data.compromisos]
    assert [each.id for each in read_ones] == [each["id"] for each in declared]
    assert {each.id for each in read_ones if isinstance(each.criterion, Criterion)} == judged
    assert forms(sample.cartas) == dict(others)
    assert (len(sample.cartas), len(read_ones), len(judged), others.total()) == (12, 72, 45, 27)


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
            part = share(sample, each["id"])
            assert part.limit.op == criterion["limite"]["op"]
            assert part.limit.value == Decimal(str(criterion["limite"]["valor"]))
            assert part.target.value == Decimal(str(each["umbral"]["objetivo"]))
            assert part.target.unacceptable == Decimal(str(each["umbral"]["inaceptable"]))
            assert part.population.exclude == tuple(criterion["poblacion"].get("excluir", ()))
            assert part.population.anchor == criterion["poblacion"]["ancla"]
            assert part.clock.pauses == tuple(criterion["reloj"].get("pausas", ()))
            assert part.clock.unit == criterion["reloj"]["unidad"]
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
    assert share(sample, "CC-IG-01-02").clock.start == Instant(
        max_of=("appointment.scheduled_for", "appointment.arrived")
    )
    assert share(sample, "CC-DE-01-04").clock.unit is Unit.OPEN_HOUR
    buzon = share(sample, "CC-RC-01-05").population
    assert buzon.where == {"carta": ("CC-RC-01",), "tipo": ("sugerencia", "queja", "reclamacion")}


@pytest.mark.shared_data
def test_parts_of_a_conjunction_take_what_they_do_not_say_from_the_whole(sample: Catalogue) -> None:
    wait = compromiso(sample, "CC-RC-01-02").criterion
    assert isinstance(wait, Criterion)
    assert [part.limit.value for part in wait.parts if isinstance(part, Share)] == [15, 30]
    assert {part.clock.stop.event for part in wait.parts} == {"ticket.called"}
    stages = compromiso(sample, "CC-PC-01-04").criterion
    assert isinstance(stages, Criterion)
    assert [part.clock.stop.event for part in stages.parts] == ["visit.done", "request.resolved"]
    assert {part.population.anchor for part in stages.parts} == {Anchor.DUE}
    mean = compromiso(sample, "CC-TES-01-03").criterion
    assert isinstance(mean, Criterion)
    assert isinstance(mean.parts[0], Mean)


@pytest.mark.shared_data
def test_a_form_that_is_not_judged_yet_travels_whole_under_its_name(sample: Catalogue) -> None:
    criterion = compromiso(sample, "CC-TES-01-02").criterion
    assert isinstance(criterion, Unsupported)
    assert criterion.form == "nested_share"
    assert criterion.declared["limite"] == {"op": "<=", "valor": "12"}
    assert "variantes_temporada" in criterion.declared
    assert "umbral" in criterion.declared


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


def test_a_seasonal_limit_is_not_judged_as_if_it_were_not_there() -> None:
    seasonal = "ventana: quarter\n        variantes_temporada: [{desde: 01-01, hasta: 03-31}]"
    criterion = read(changed("ventana: quarter", seasonal)).cartas[0].data.compromisos[0].criterion
    assert isinstance(criterion, Unsupported)
    assert criterion.form == "share_within con variantes_temporada"


def test_the_guides_example_is_a_valid_catalogue() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "guides" / "catalogue.md").read_text()
    whole, compromiso, _ = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    indented = textwrap.indent(compromiso, "      ")
    text = whole.replace("compromisos: […]\n", f"compromisos:\n{indented}")
    assert read(text.encode()).cartas[0].data.compromisos[0].id == "RC-01-02"


def test_a_retired_carta_is_published_as_such() -> None:
    retired = read(changed("    version: 1\n", "    version: 1\n    estado: retirada\n"))
    assert retired.cartas[0].data.status is Status.RETIRED
