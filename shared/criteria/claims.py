"""What a printed sentence claims, read from its own words: amounts, shares, averages, periods.

Only plain statements are understood ("15 minutos", "90 %", "en promedio"); what is not understood
claims nothing, so that nobody is corrected for good Spanish.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.criteria.vocabulary import Period
from shared.worktime.model import Unit

_WORDS: Final = {
    "un": 1,
    "una": 1,
    "uno": 1,
    "dos": 2,
    "tres": 3,
    "cuatro": 4,
    "cinco": 5,
    "seis": 6,
    "siete": 7,
    "ocho": 8,
    "nueve": 9,
    "diez": 10,
    "doce": 12,
    "quince": 15,
    "veinte": 20,
    "treinta": 30,
    "cuarenta": 40,
    "sesenta": 60,
    "noventa": 90,
}
_FIGURE: Final = r"[0-9]+(?:[.,][0-9]+)*"
_AMOUNT: Final = re.compile(
    rf"(?<![0-9a-záéíóúñ])({_FIGURE}|{'|'.join(_WORDS)})\s*"
    r"(segundos?|seg|s|minutos?|min|horas?|hrs?|h|d\.\s?h\.|días?|meses|mes)(?![a-záéíóúñ])"
    r"(?:\s+(hábiles|hábil|naturales|natural|laborables|laborable))?",
    re.IGNORECASE,
)
_PERCENT: Final = re.compile(rf"({_FIGURE})\s*(?:%|por ciento)")
_NUMBER: Final = re.compile(_FIGURE)
_MEAN: Final = re.compile(
    r"\bpromedios?\b|\b(?:tiempos?|plazos?|valor(?:es)?|nivel(?:es)?|grado|número|índice) medios?\b"
    r"|(?<!\by )\bmedia\b(?! hora| jornada| mañana| tarde)"
)
# Not "al menos 90 %", nor "no menos de"; "a más tardar 48 horas antes" promises 48 hours or more.
_AT_MOST: Final = re.compile(
    r"\bo menos\b|\bno más de\b|\b(?:como|cuando|de|en un) máximo\b|\ba más tardar\b"
    r"|(?<!\bal )(?<!\bno )\bmenos de\b",
    re.IGNORECASE,
)
_BEFOREHAND: Final = re.compile(
    r"\bantes\b|\banticip|\banterioridad\b|\bantelación\b", re.IGNORECASE
)
_CONTENT: Final = re.compile(
    r"\bmedidas (?:tomadas|adoptadas|correctivas)|\bexplicando\b"
    r"|\bde (?:forma|manera) (?:clara|amable|correcta)\b",
    re.IGNORECASE,
)
_PERIODS: Final = {
    Period.MONTH: re.compile(r"\b(?:cada|al|por) mes\b|\bmensual", re.IGNORECASE),
    Period.QUARTER: re.compile(r"\b(?:cada|al|por) trimestre\b|\btrimestral", re.IGNORECASE),
    Period.SEMESTER: re.compile(r"\b(?:cada|al|por) semestre\b|\bsemestral", re.IGNORECASE),
    Period.YEAR: re.compile(r"\b(?:cada|al|por) año\b|\banual", re.IGNORECASE),
}
_DAYS: Final = frozenset({Unit.WORKING_DAY, Unit.CALENDAR_DAY})


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of time as the text says it, and the units that its words may mean."""

    said: str
    value: Decimal
    units: frozenset[Unit]

    @property
    def is_ambiguous_day(self) -> bool:
        """Whether it speaks of days and not of which."""
        return self.units == _DAYS


@dataclass(frozen=True, slots=True)
class Claims:
    """What a text claims. `numbers` are all its numbers, whatever they speak of."""

    amounts: tuple[Amount, ...]
    shares: tuple[Decimal, ...]
    numbers: frozenset[Decimal]
    speaks_of_mean: bool
    at_most: str | None
    content: str | None
    periods: frozenset[Period]


def claims_of(text: str) -> Claims:
    """Read a text; numbers as 1,500 and 8.5 or 8,5 are understood."""
    content = _CONTENT.search(text)
    at_most = None if _BEFOREHAND.search(text) else _AT_MOST.search(text)
    return Claims(
        amounts=tuple(_amounts(text)),
        shares=tuple(_readings(_PERCENT.findall(text))),
        numbers=_numbers(text),
        speaks_of_mean=bool(_MEAN.search(text.lower())),
        at_most=at_most.group(0) if at_most else None,
        content=content.group(0) if content else None,
        periods=frozenset(p for p, pattern in _PERIODS.items() if pattern.search(text)),
    )


def _numbers(text: str) -> frozenset[Decimal]:
    half = {Decimal(50)} if "mitad" in text.lower() else set()
    return frozenset(half | {*_readings(_NUMBER.findall(text))})


def _amounts(text: str) -> list[Amount]:
    return [
        Amount(" ".join(found.group(0).split()), value, _units(found.group(2), found.group(3)))
        for found in _AMOUNT.finditer(text)
        if (value := _value(found.group(1))) is not None
    ]


def _value(written: str) -> Decimal | None:
    word = _WORDS.get(written.lower())
    return _reading(written) if word is None else Decimal(word)


def _readings(written: list[str]) -> Iterator[Decimal]:
    return (number for each in written if (number := _reading(each)) is not None)


def _reading(written: str) -> Decimal | None:
    """Return the number: 1,500 is a thousand, 8,5 a decimal; None where it is neither (1.2.3)."""
    has_thousands = re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?", written)
    plain = written.replace(",", "" if has_thousands else ".")
    return Decimal(plain) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", plain) else None


def _units(noun: str, kind: str | None) -> frozenset[Unit]:
    lower, adjective = noun.lower(), (kind or "").lower()
    is_working = adjective.startswith(("hábil", "laborable"))
    if lower.startswith(("d.", "día")):
        if lower.startswith("d.") or is_working:
            return frozenset({Unit.WORKING_DAY})
        return frozenset({Unit.CALENDAR_DAY}) if adjective else _DAYS
    if lower.startswith("mes"):
        return frozenset({Unit.MONTH})
    if lower.startswith("s"):
        return frozenset({Unit.SECOND})
    open_unit, plain = (
        (Unit.OPEN_MINUTE, Unit.MINUTE) if lower.startswith("m") else (Unit.OPEN_HOUR, Unit.HOUR)
    )
    if is_working:
        return frozenset({open_unit})
    return frozenset({plain}) if adjective else frozenset({plain, open_unit})
