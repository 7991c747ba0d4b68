"""What the shape of a criterion cannot tell: real defects of real cartas, said to their authors.

An error contradicts itself or judges nothing; a warning is doubtful and may be meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Final

from shared.criteria import words
from shared.criteria.model import (
    Count,
    Criterion,
    Measure,
    Part,
    Share,
    measures_of,
)
from shared.criteria.values import Clock, Limit, Population
from shared.criteria.vocabulary import Anchor, Op
from shared.criteria.words import EventWords


class Severity(StrEnum):
    """An error keeps a carta from being published; a warning is told and stands."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of a declared criterion; `path` leads to the field, `message` is for its author."""

    path: tuple[str | int, ...]
    message: str
    severity: Severity = Severity.ERROR


def lint(
    criterion: Criterion, *, calendars: Collection[str], events: EventWords = words.NO_WORDS
) -> tuple[Problem, ...]:
    """Return the problems of a criterion whose carta may use `calendars` (ids).

    `events` are the carta's own words for its events.
    """
    found = [
        problem
        for measure in measures_of(criterion)
        for problem in _of_measure(measure, calendars, events)
    ]
    found += [
        problem for number, part in enumerate(criterion.parts) for problem in _of(number, part)
    ]
    return tuple(dict.fromkeys(found))


def _of_measure(
    measure: Measure, calendars: Collection[str], events: EventWords
) -> Iterator[Problem]:
    place = ("parts", measure.part)
    named, clock = measure.calendar, measure.clock
    if named is not None and named not in calendars:
        yield Problem((*place, "calendar"), f"no existe el calendario «{named}»")
    if clock is not None and clock.start == clock.stop:
        yield Problem((*place, "stop"), "el reloj empieza y termina con lo mismo")
    population = measure.figure.population
    for name, values in population.where.items():
        if not values:
            message = f"ningún valor de «{name}» se admite"
            yield Problem((*place, "where", name), message)
    for reason in () if clock is None else clock.pauses:
        if reason not in words.PAUSES and (near := _near(reason, words.PAUSES)):
            message = f"la pausa «{reason}» no se conoce; ¿quiso decir «{near}»?"
            yield Problem((*place, "pauses"), message, Severity.WARNING)
    for kind in kinds_of(measure):
        if kind not in words.EVENTS and kind not in events:
            yield Problem((*place, "event"), _wordless(kind, events), Severity.WARNING)
    if clock is not None:
        yield from _of_open_cases(
            place, population, clock, is_share=_is_share(measure), events=events
        )


def _wordless(kind: str, events: EventWords) -> str:
    near = _near(kind, (*words.EVENTS, *events))
    hint = f"; ¿quiso decir «{near}»?" if near else ""
    return (
        f"la frase pública mostraría «{kind}»: ese evento no tiene nombre en palabras; "
        f"dígalo en «eventos» de la carta{hint}"
    )


def _near(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name, tuple(known), n=1, cutoff=0.8)), None)


def kinds_of(measure: Measure) -> tuple[str, ...]:
    """Return the events that its words speak of, each once."""
    clock = measure.clock
    timed = () if clock is None else (*clock.start.kinds, *clock.stop.kinds)
    return tuple(dict.fromkeys((measure.figure.population.event, *timed)))


def _is_share(measure: Measure) -> bool:
    return isinstance(measure.figure, Share)


def _of_open_cases(
    place: tuple[str | int, ...],
    population: Population,
    clock: Clock,
    *,
    is_share: bool,
    events: EventWords,
) -> Iterator[Problem]:
    """Say where open cases never count: the oldest are hidden (domain 3.4, 4)."""
    if population.anchor is Anchor.CLOSED:
        message = (
            "solo cuenta los casos concluidos: los más viejos, aún abiertos, no aparecen; "
            "con «ancla: due» cuentan al vencer"
        )
        yield Problem((*place, "anchor"), message, Severity.WARNING)
    elif (
        is_share and population.event in clock.stop.kinds and clock.start.event != population.event
    ):
        message = (
            f"la población es de los casos en que {words.event(population.event, events)}: "
            "los que siguen esperando nunca cuentan"
        )
        yield Problem((*place, "population"), message, Severity.WARNING)


def _of(number: int, part: Part) -> Iterator[Problem]:
    place, figure, target = ("parts", number), part.figure, part.target
    if target is None:
        yield Problem(place, "no tiene meta: se publica y no se evalúa", Severity.WARNING)
        return
    if isinstance(figure, Count) and not target.op.wants_more:
        message = (
            "un periodo sin casos se da por cumplido solo si la fuente da señal de vida; "
            "declare de qué sistema viene"
        )
        yield Problem(place, message, Severity.WARNING)


# Against the version before


def loosened(before: Criterion, after: Criterion) -> tuple[Problem, ...]:
    """Return where a new version asks for less: legitimate, and always said (domain 3.4, 6)."""
    return tuple(
        problem
        for number, (old, new) in enumerate(zip(before.parts, after.parts, strict=False))
        for problem in _looser(number, old, new)
    )


def _looser(number: int, old: Part, new: Part) -> Iterator[Problem]:
    place: tuple[str | int, ...] = ("parts", number)
    if old.figure.form != new.figure.form:
        return
    if old.target and new.target and old.target.op is new.target.op:
        was, is_now = old.target.value, new.target.value
        if _is_easier(old.target.op, was, is_now):
            message = _eased("la meta", was, is_now)
            yield Problem((*place, "target"), message, Severity.WARNING)
    one, two = (getattr(part.figure, "limit", None) for part in (old, new))
    if not isinstance(one, Limit) or not isinstance(two, Limit) or one.op is not two.op:
        return
    if one.value is None or two.value is None:
        return
    if _is_easier(one.op, one.value, two.value):
        message = _eased("el límite", one.value, two.value)
        yield Problem((*place, "limit"), message, Severity.WARNING)


def _is_easier(op: Op, old: Decimal, new: Decimal) -> bool:
    """Return whether the new bound is kept more easily."""
    return new < old if op.wants_more else new > old


def _eased(what: str, old: Decimal, new: Decimal) -> str:
    return (
        f"{what} se relaja: de {words.number(old)} a {words.number(new)}; "
        "diga el motivo en el acta; el cambio queda a la vista con su fecha"
    )


# Blanks


_DEFAULTS: Final = (
    "seleccione",
    "elija una",
    "choose an option",
    "por definir",
    "pendiente",
    "n/d",
)


def is_blank(text: str) -> bool:
    """Return whether a field was left as its form had it: empty, or a default option (C-3)."""
    bare = text.strip().lower()
    return not bare.strip("-–. ?") or any(bare.startswith(default) for default in _DEFAULTS)
