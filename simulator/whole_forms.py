"""One compromiso of each form beyond the shares that every carta has, in turn over the cartas."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any, Final

import yaml

FORMS: Final = Path(__file__).parent / "formas.yaml"
INDENT: Final = " " * 8


def form_lines(number: int, carta: str, service: str) -> Iterator[str]:
    """Yield what a compromiso of the form with a number has from its text on, counted round."""
    forms = _forms()
    text = yaml.safe_dump(forms[number % len(forms)], allow_unicode=True, sort_keys=False)
    yield from indent(text.replace("CARTA", carta).replace("TRAMITE", service), INDENT).splitlines()


@cache
def _forms() -> list[dict[str, Any]]:
    forms: list[dict[str, Any]] = yaml.safe_load(FORMS.read_text(encoding="utf-8"))
    return forms
