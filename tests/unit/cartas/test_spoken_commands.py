"""What was typed wrongly is told in Spanish, as everything else that an author reads."""

from pathlib import Path
from typing import Final

import click
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from click.testing import CliRunner

from services.cartas.__main__ import main
from shared.cli import LOCALE

MESSAGES: Final = LOCALE / "es" / "LC_MESSAGES" / "messages.po"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("publish", "LL-007", "2"), "Error: Falta la opción '--post'."),
        (("publish", "LL-007", "dos"), "se esperaba un número, no 'dos'."),
        (("publish", "LL-007"), "Error: Falta el argumento 'VERSION'."),
        (("publish", "LL-007", "2", "3", "--post", "c"), "Error: Sobra el argumento 3"),
        (("publish", "LL-007", "2", "--pots", "c"), "No existe la opción '--pots'. ¿Quiso decir"),
        (("publish", "LL-007", "2", "--post"), "A la opción '--post' le falta su valor."),
        (("check", "no-hay.yaml"), "no existe el archivo 'no-hay.yaml'."),
        (("publicar",), "Error: No existe la orden 'publicar'."),
        (("certificates", "--within", "-1"), "-1 no está entre los que se admiten: 0<=x<=3660."),
    ],
)
def test_what_was_typed_wrongly_is_told_in_spanish(arguments: tuple[str, ...], said: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_way_to_the_help_is_told_in_spanish() -> None:
    said = CliRunner().invoke(main, ("diff", "LL-007")).stderr
    assert said.startswith("Uso: cartas diff ")
    assert "Ayuda: «cartas diff --help»." in said


def test_what_is_read_is_what_is_written() -> None:
    with MESSAGES.open("rb") as file:
        written = _words(read_po(file, locale="es"))
    with MESSAGES.with_suffix(".mo").open("rb") as file:
        assert _words(read_mo(file)) == written


def _words(catalog: Catalog) -> dict[str, str]:
    """Return each message, and how it reads, as one text: singular and plural together."""
    return {
        "|".join(_both(each.id)): "|".join(_both(each.string or "")) for each in catalog if each.id
    }


def _both(text: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)


def test_every_word_is_one_that_the_library_says() -> None:
    with MESSAGES.open("rb") as file:
        said = [each for each in read_po(file, locale="es") if each.id]
    source = "".join(
        each.read_text(encoding="utf-8") for each in Path(click.__file__).parent.glob("*.py")
    )
    for each in said:
        first = _both(each.id)[0]
        assert first.replace("\n", "\\n").replace("\t", "\\t") in source, first
