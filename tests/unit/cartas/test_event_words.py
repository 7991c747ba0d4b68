"""A carta says its own events in words, so that no sentence prints a code."""

import pytest

from services.cartas.domain import read_catalogue
from shared.explaining import Version
from tests.unit.cartas.files import CATALOGUE, line_of

OWN = "ticket.called, unidad: min"
SEALED = "permiso.sellado, unidad: min"
SERVICES = "servicios: [RC-COPIAS]"


def with_words(*lines: str) -> bytes:
    """The catalogue whose clock stops at an event of its own, with words for events."""
    words = "".join(f"\n      {line}" for line in lines)
    said = f"{SERVICES}\n    eventos:{words}" if lines else SERVICES
    return CATALOGUE.replace(OWN, SEALED).replace(SERVICES, said).encode()


def test_the_words_of_the_carta_are_in_its_sentence_and_formula() -> None:
    reading = read_catalogue(with_words("permiso.sellado: sellamos su permiso"))
    assert reading.faults == ()
    assert not [w for w in reading.warnings if "permiso.sellado" in w.message]
    assert reading.catalogue is not None
    [declared] = reading.catalogue.cartas
    assert declared.data.event_words == {"permiso.sellado": "sellamos su permiso"}
    version = Version(declared.data, declared.data.compromisos[0])
    assert "desde que toma su turno hasta que sellamos su permiso" in version.sentence


def test_an_event_without_words_is_named_and_where_to_say_them() -> None:
    [warning] = [w for w in read_catalogue(with_words()).warnings if "permiso" in w.message]
    assert warning.message == (
        "la frase pública mostraría «permiso.sellado»: ese evento no tiene nombre en palabras; "
        "dígalo en «eventos» de la carta"
    )


def test_a_misspelt_event_gets_the_name_that_is_near() -> None:
    content = with_words().replace(b"permiso.sellado", b"ticket.caled")
    [warning] = [w for w in read_catalogue(content).warnings if "ticket.caled»:" in w.message]
    assert warning.message.endswith("; ¿quiso decir «ticket.called»?")


def test_words_for_an_event_that_nothing_measures_are_named() -> None:
    reading = read_catalogue(
        with_words("permiso.sellado: sellamos su permiso", "permiso.selado: lo sellamos")
    )
    messages = [w.message for w in reading.warnings if w.path == "cartas[RC-01].eventos"]
    assert messages == ["ningún compromiso mide «permiso.selado»"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("permiso.sellado: Sellamos su permiso", "sin mayúscula inicial ni punto final"),
        ("permiso.sellado: sellamos su permiso.", "sin mayúscula inicial ni punto final"),
        ("permiso.sellado: " + "s" * 121, "se lean después de «desde que»"),
        ("permiso sellado: sellamos su permiso", "un tipo de evento como ticket.issued"),
        ("permiso.sellado: [sellamos]", "un solo valor"),
    ],
)
def test_what_cannot_be_read_as_words_is_refused_at_its_line(line: str, says: str) -> None:
    content = with_words(line)
    [fault] = read_catalogue(content).faults
    assert says in fault.message
    assert fault.line == line_of(line, content.decode())


def test_there_are_not_more_words_than_a_carta_can_need() -> None:
    lines = [f"permiso.p{number}: sellamos {number}" for number in range(101)]
    faults = read_catalogue(with_words(*lines)).faults
    assert [fault.message for fault in faults] == ["se esperaban a lo sumo 100 eventos"]


def test_an_earlier_version_reads_with_the_same_words() -> None:
    earlier = """\
    versiones_anteriores:
      - version: 1
        vigencia: {desde: 2025-01-01, hasta: 2025-12-31}
        compromisos:
"""
    compromisos = CATALOGUE[CATALOGUE.index("      - id: RC-01-02") :]
    moved = "".join(f"    {line}\n" for line in compromisos.splitlines())
    whole = with_words("permiso.sellado: sellamos su permiso").decode()
    whole = whole.replace("    version: 1\n", "    version: 2\n")
    reading = read_catalogue((whole + earlier + moved.replace(OWN, SEALED)).encode())
    assert reading.faults == ()
    assert reading.catalogue is not None
    assert [c.data.event_words for c in reading.catalogue.cartas] == [
        {"permiso.sellado": "sellamos su permiso"}
    ] * 2
