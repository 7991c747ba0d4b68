from collections.abc import Iterable
from datetime import UTC, date, datetime

from services.cartas.domain import Decision, Stored, decide, read_catalogue
from services.cartas.domain.versions import kind_of
from shared.contracts.cartas import CalendarData, CartaData, PostData, Status
from tests.unit.cartas.files import CATALOGUE, changed

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = datetime(2026, 12, 1, 12, tzinfo=UTC)
SECOND = CATALOGUE[CATALOGUE.index("  - codigo: RC-01") :].replace("version: 1", "version: 2")


def load(content: bytes, stored: Iterable[Stored] = (), now: datetime = NOW) -> Decision:
    catalogue = read_catalogue(content).catalogue
    assert catalogue is not None
    return decide(catalogue, stored, now)


def after(*decisions: Decision) -> list[Stored]:
    """Return what stands after the decisions: the last state of each version."""
    states = [each for decision in decisions for each in decision.publish]
    return list({(*each.key, each.data.version): each for each in states}.values())


FIRST = load(CATALOGUE.encode())


def test_a_first_load_publishes_all_and_cartas_last() -> None:
    kinds = [kind_of(each.data) for each in FIRST.publish]
    assert kinds == ["municipality", "unit", "unit", "post", "calendar", "carta"]


def test_the_same_file_again_publishes_nothing() -> None:
    again = load(CATALOGUE.encode(), after(FIRST), LATER)
    assert (again.publish, again.unchanged, again.report.faults) == ([], len(FIRST.publish), [])


def test_a_published_carta_version_does_not_change_and_the_difference_is_shown() -> None:
    content = changed("valor: 15}", "valor: 20}").replace(b"15 minutos", b"20 minutos")
    (fault,) = load(content, after(FIRST)).report.faults
    assert fault.path == "cartas[RC-01]"
    place = "compromisos[RC-01-02].criterio.limite.valor"
    assert f"{place}: «15» → «20»" in fault.message
    assert "compromisos[RC-01-02].texto: «Le llamaremos en 15 minutos" in fault.message


def test_a_changed_unit_gets_the_next_version_and_the_old_one_retires() -> None:
    decision = load(changed("nombre: Oficina sur", "nombre: Oficina del sur"), after(FIRST))
    states = [(each.key, each.data.version, each.data.status) for each in decision.publish]
    unit = ("unit", "RC-SUR")
    assert states == [(unit, 1, Status.RETIRED), (unit, 2, Status.ACTIVE)]


def test_a_corrected_calendar_becomes_its_second_version_known_since_the_load() -> None:
    content = changed("fecha: 2026-09-16", "fecha: 2026-09-15")
    old, new = load(content, after(FIRST), LATER).publish
    assert isinstance(new.data, CalendarData)
    assert (old.data.status, new.data.version, new.data.calendar.version) == (Status.RETIRED, 2, 2)
    assert new.data.known_since == LATER


def test_a_post_that_is_gone_loses_its_role() -> None:
    posts = CATALOGUE[CATALOGUE.index("puestos:") : CATALOGUE.index("cartas:\n")]
    decision = load(CATALOGUE.replace(posts, "").encode(), after(FIRST))
    (post,) = decision.publish
    assert isinstance(post.data, PostData)
    assert (post.data.post, post.data.status) == ("enlace-rc", Status.RETIRED)


def test_a_retired_post_that_comes_back_gets_a_new_version() -> None:
    posts = CATALOGUE[CATALOGUE.index("puestos:") : CATALOGUE.index("cartas:\n")]
    gone = load(CATALOGUE.replace(posts, "").encode(), after(FIRST))
    (post,) = load(CATALOGUE.encode(), after(FIRST, gone)).publish
    assert (post.data.version, post.data.status) == (2, Status.ACTIVE)


def test_an_earlier_version_named_without_content_ends_the_published_one() -> None:
    earlier = (
        "    versiones_anteriores:\n"
        "      - {version: 1, vigencia: {desde: 2026-01-01, hasta: 2026-06-30}, motivo: mejora}\n"
    )
    text = CATALOGUE.replace("    version: 1\n", "    version: 2\n" + earlier)
    text = text.replace(
        "vigencia: {desde: 2026-01-01, hasta: 2026-12-31}", "vigencia: {desde: 2026-07-01}"
    )
    decision = load(text.encode(), after(FIRST))
    assert decision.report.faults == []
    first, second = (each.data for each in decision.publish)
    assert isinstance(first, CartaData)
    assert isinstance(second, CartaData)
    assert (first.version, first.valid_to) == (1, date(2026, 6, 30))
    assert (second.version, second.valid_from) == (2, date(2026, 7, 1))
    assert "2026-12-31 → 2026-06-30" in decision.report.warnings[0].message
    again = load(text.encode(), after(FIRST, decision))
    assert again.publish == []


def test_a_new_version_over_a_published_one_is_refused_with_the_way_out() -> None:
    text = CATALOGUE.replace("version: 1\n", "version: 2\n").replace(
        "2026-01-01, h", "2026-07-01, h"
    )
    (fault,) = load(text.encode(), after(FIRST)).report.faults
    assert "se encima con la 1" in fault.message
    assert "versiones_anteriores" in fault.message


def test_an_earlier_version_with_content_is_a_version_of_its_own() -> None:
    compromisos = CATALOGUE[CATALOGUE.index("    compromisos:") :]
    inner = "\n".join(f"    {line}" if line else "" for line in compromisos.splitlines())
    earlier = (
        "    versiones_anteriores:\n"
        "      - version: 1\n"
        "        vigencia: {desde: 2026-01-01, hasta: 2026-06-30}\n" + inner + "\n"
    )
    text = CATALOGUE.replace("    version: 1\n", "    version: 2\n" + earlier)
    text = text.replace("desde: 2026-01-01, hasta: 2026-12-31", "desde: 2026-07-01")
    decision = load(text.encode())
    cartas = [each.data for each in decision.publish if isinstance(each.data, CartaData)]
    assert [(each.version, len(each.compromisos)) for each in cartas] == [(1, 1), (2, 1)]
    assert decision.report.warnings == []


def test_a_carta_is_retired_by_its_state_and_stays_retired() -> None:
    retired = CATALOGUE.replace("    version: 1\n", "    version: 1\n    estado: retirada\n")
    decision = load(retired.encode(), after(FIRST))
    (carta,) = decision.publish
    assert carta.data.status is Status.RETIRED
    (fault,) = load(CATALOGUE.encode(), after(FIRST, decision)).report.faults
    assert "está retirada" in fault.message


def test_a_carta_that_the_file_no_longer_has_stays_and_is_named() -> None:
    other = CATALOGUE.replace("codigo: RC-01", "codigo: RC-02").replace("RC-01-02", "RC-02-02")
    decision = load(other.encode(), after(FIRST))
    assert [each.key for each in decision.publish] == [("carta", "RC-02")]
    assert any("«RC-01» no está en el archivo" in each.message for each in decision.report.warnings)


def test_an_older_file_leaves_alone_what_was_approved_and_published_here() -> None:
    ended = [
        Stored(each.data.model_copy(update={"valid_to": date(2026, 6, 30)}), each.declared)
        if isinstance(each.data, CartaData)
        else each
        for each in FIRST.publish
    ]
    catalogue = read_catalogue(CATALOGUE.encode()).catalogue
    assert catalogue is not None
    decision = decide(catalogue, ended, NOW, drafted={("RC-01", 2): True})
    assert (decision.publish, decision.report.faults) == ([], [])
    assert "sigue como se decidió aquí" in decision.report.warnings[-1].message


def test_a_number_that_a_draft_has_is_not_taken_by_a_file() -> None:
    catalogue = read_catalogue(CATALOGUE.encode()).catalogue
    assert catalogue is not None
    (fault,) = decide(catalogue, [], NOW, drafted={("RC-01", 1): False}).report.faults
    assert "use otro número de versión" in fault.message


def test_a_renewed_certificate_needs_no_new_version() -> None:
    certified = CATALOGUE.replace(
        "    calendario: HAB\n    s",
        "    certificacion: {certificada: true, vence: 2027-01-31}\n    calendario: HAB\n    s",
    )
    (carta,) = load(certified.encode(), after(FIRST)).publish
    assert isinstance(carta.data, CartaData)
    assert (carta.data.version, carta.data.certified_until) == (1, date(2027, 1, 31))


def test_a_file_does_not_undo_what_a_post_ended_or_certified() -> None:
    changes = {"valid_to": date(2026, 6, 30), "certified_until": date(2027, 1, 1)}
    decided = [
        Stored(each.data.model_copy(update=changes), each.declared)
        if isinstance(each.data, CartaData)
        else each
        for each in FIRST.publish
    ]
    catalogue = read_catalogue(CATALOGUE.encode()).catalogue
    assert catalogue is not None
    decision = decide(catalogue, decided, NOW, decided={("RC-01", 1)})
    assert (decision.publish, decision.report.faults) == ([], [])
    said = decision.report.warnings[-1].message
    assert "vigente hasta 2026-06-30, certificada hasta 2027-01-01" in said
