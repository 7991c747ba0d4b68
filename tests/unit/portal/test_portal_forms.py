"""What is filled in, as it is read."""

import pytest

from services.portal.web.forms import Answers


@pytest.mark.parametrize(
    "parts",
    [
        ("31", "2", "2026"),
        ("1", "1", "9" * 30),
        ("9" * 30, "1", "2026"),
        ("1", "1", "9" * 5000),
        ("-1", "1", "2026"),
        ("1", "1", "0"),
        ("\u0661", "x", "2026"),
        ("", "", ""),
    ],
)
def test_a_day_that_does_not_exist_is_told_at_its_field(parts: tuple[str, str, str]) -> None:
    names = ("fecha-day", "fecha-month", "fecha-year")
    answers = Answers(dict(zip(names, parts, strict=True)))
    assert answers.day("fecha", "Escribe una fecha") is None
    assert answers.errors == {"fecha": "Escribe una fecha"}
