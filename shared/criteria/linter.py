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
from shared.criteria.claims import Amount, Claims, claims_of
from shared.criteria.model import (
    Count,
    Criterion,
    Figure,
    Groups,
    Mean,
    Measure,
    Nps,
    Part,
    Percentile,
    Ratio,
    Schedule,
    Share,
    Sum,
    Window,
    measures_of,
)
from shared.criteria.values import Clock, Limit, Outage, Population
from shared.criteria.vocabulary import Anchor, Period, WindowKind
from shared.criteria.words import EventWords
from shared.worktime.model import MICROSECONDS, Unit


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


# What the printed text says


_WINDOW_PERIODS: Final = {
    WindowKind.MONTH: Period.MONTH,
    WindowKind.QUARTER: Period.QUARTER,
    WindowKind.SEMESTER: Period.SEMESTER,
    WindowKind.YEAR: Period.YEAR,
}


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the criterion says, in the terms in which a text is read."""

    limits: tuple[tuple[Decimal, Unit], ...]
    numbers: tuple[Decimal, ...]
    shares: tuple[Decimal, ...]
    means: bool
    only_means_of_time: bool
    periods: frozenset[Period]


def compare_text(
    text: str, criterion: Criterion, window: Window, *, generated: bool = False
) -> tuple[Problem, ...]:
    """Return each difference between a printed text and what is judged: C-4 of the checklist.

    `generated` marks a formula: it says how, and need not name the share that is promised.
    """
    claims, facts = claims_of(text), _facts(criterion, window)
    found = [*_limits(claims, facts), *_statistic(claims, facts), *_periods(claims, facts)]
    found += _direction(claims, criterion)
    if not generated:
        found += [*_shares(claims, facts), *_unsaid(claims, facts), *_content(claims)]
    return tuple(dict.fromkeys(found))


def _facts(criterion: Criterion, window: Window) -> _Facts:
    pairs = [pair for part in criterion.parts for pair in _pairs(part)]
    figures = [part.figure for part in criterion.parts]
    means = [figure for figure in figures if isinstance(figure, Mean)]
    timed = [figure for figure in means if isinstance(figure.value, Clock)]
    periods = {_WINDOW_PERIODS[window.kind]} if window.kind in _WINDOW_PERIODS else set()
    periods |= {f.recurrence.every for f in figures if isinstance(f, Schedule)}
    periods |= {f.by for f in figures if isinstance(f, Groups) and f.by is not None}
    return _Facts(
        limits=tuple((value, unit) for value, unit in pairs if unit is not None),
        numbers=tuple(value for value, unit in pairs if unit is None),
        shares=tuple(share for part in criterion.parts for share in _promised_shares(part)),
        means=any(isinstance(f, Mean | Groups | Nps) for f in figures),
        only_means_of_time=bool(timed) and len(timed) == len(figures),
        periods=frozenset(periods),
    )


def _pairs(part: Part) -> Iterator[tuple[Decimal, Unit | None]]:
    """Yield each fixed limit or target that is no percentage, with its unit of time if any."""
    figure, target = part.figure, part.target
    if isinstance(figure, Groups) and not isinstance(figure.inner, Share):
        yield from ((bound, _unit_of(figure.inner)) for bound in _bounds(figure.limit))
    for each in _statistics(figure):
        if isinstance(each, Share | Count) and each.limit is not None:
            unit = each.value.unit if isinstance(each.value, Clock) else None
            yield from ((bound, unit) for bound in _bounds(each.limit, each.value))
    if target is None or target.reference is not None:
        return
    is_never = isinstance(figure, Count) and target.value == 0
    if isinstance(figure, Mean | Percentile | Sum | Count | Nps) and not is_never:
        yield target.value, _unit_of(figure)


def _statistics(figure: Figure) -> tuple[Figure, ...]:
    """Return the figures whose items may have limits of their own."""
    if isinstance(figure, Ratio):
        return figure.numerator, figure.denominator
    return (figure.inner if isinstance(figure, Groups) else figure,)


def _unit_of(figure: Figure) -> Unit | None:
    """Return the unit of time in which the figure comes; a number of cases has none."""
    value = figure.value if isinstance(figure, Mean | Percentile | Sum) else None
    return value.unit if isinstance(value, Clock | Outage) else None


def _bounds(limit: Limit, value: object = None) -> Iterator[Decimal]:
    """None of a thing, or no tolerance, needs no number in the text; a lapse of no time does."""
    is_lapse = isinstance(value, Clock) and not value.from_due
    if limit.value is not None and (limit.value or is_lapse):
        yield limit.value
    yield from (season.value for season in limit.seasons)
    yield from limit.values.values()


def _promised_shares(part: Part) -> Iterator[Decimal]:
    figure, target = part.figure, part.target
    if isinstance(figure, Groups) and isinstance(figure.inner, Share):
        yield from _bounds(figure.limit)
    if isinstance(figure, Percentile):
        yield figure.p
    elif target is not None and target.reference is None and target.unit == "%":
        yield target.value


def _limits(claims: Claims, facts: _Facts) -> Iterator[Problem]:
    """Compare amounts of time: another number is another limit, another unit is another unit."""
    for value, unit in facts.limits:
        same_number = [a for a in claims.amounts if a.value == value]
        if any(unit in amount.units and not amount.is_ambiguous_day for amount in same_number):
            continue
        if any(unit in amount.units for amount in same_number):
            judged = words.duration(value, unit)
            message = f"el texto no dice qué días son: se evalúa con {judged}"
            yield Problem(("unit",), f"unidad: {message}", Severity.WARNING)
        elif same_number:
            said = _said(same_number)
            yield _differs("unidad", said, words.duration(value, unit))
        elif value not in claims.numbers:
            yield from _other_number(value, unit, claims, facts)


def _other_number(value: Decimal, unit: Unit, claims: Claims, facts: _Facts) -> Iterator[Problem]:
    """An error where the text says other amounts and none that is judged: one limit was changed."""
    judged = words.duration(value, unit)
    alike = _alike(claims, unit)
    limits = {limit for limit, _ in facts.limits}
    if alike and not limits & {amount.value for amount in alike}:
        yield _differs("límite", _said(alike), judged)
    elif claims.amounts:
        message = f"límite: el texto no menciona {judged}, que se evalúa"
        yield Problem(("limit",), message, Severity.WARNING)


def _alike(claims: Claims, unit: Unit) -> list[Amount]:
    """Return the amounts of the same kind: of time as clocks count it, or of days and months."""
    is_time = unit in MICROSECONDS
    return [a for a in claims.amounts if any((u in MICROSECONDS) == is_time for u in a.units)]


def _said(amounts: list[Amount]) -> str:
    return words.alternatives([amount.said for amount in amounts])


_PATHS: Final = {"límite": "limit", "unidad": "unit", "proporción": "share"}


def _differs(what: str, said: str, judged: str) -> Problem:
    message = f"{what}: el texto dice {said} y el criterio evalúa {judged}"
    return Problem((_PATHS[what],), message)


def _shares(claims: Claims, facts: _Facts) -> Iterator[Problem]:
    """A share below 100 is said; a percentage that nothing promises is another promise."""
    missing = [share for share in facts.shares if share < 100 and share not in claims.numbers]
    unknown = [share for share in claims.shares if share not in facts.shares]
    unknown = [share for share in unknown if share not in facts.numbers]
    if missing and unknown:
        said = words.alternatives([f"{words.number(share)} %" for share in unknown])
        yield _differs("proporción", said, f"{words.number(missing[0])} %")
    elif missing:
        for share in missing:
            message = f"proporción: el texto no menciona el {words.number(share)} que se evalúa"
            yield Problem(("share",), message, Severity.WARNING)


def _unsaid(claims: Claims, facts: _Facts) -> Iterator[Problem]:
    if claims.amounts:
        return
    for value in (*(value for value, _ in facts.limits), *facts.numbers):
        if value not in claims.numbers:
            message = f"límite: el texto no menciona el {words.number(value)} que se evalúa"
            yield Problem(("limit",), message, Severity.WARNING)


def _direction(claims: Claims, criterion: Criterion) -> Iterator[Problem]:
    """A promise of short times must not be kept by long ones: `>=` where the text says "o menos".

    A tail told from above ("at most 1 % wait more than 30 minutes") wants less of what is long.
    """
    timed = [
        part
        for part in criterion.parts
        if isinstance(part.figure, Share | Percentile | Mean)
        and isinstance(part.figure.value, Clock)
    ]
    if claims.at_most is not None and timed and all(map(_wants_long, timed)):
        message = (
            f"límite: el texto dice «{claims.at_most}» y el criterio pide tiempos más largos; "
            "el signo sería <="
        )
        yield Problem(("limit",), message)


def _wants_long(part: Part) -> bool:
    limit, target = getattr(part.figure, "limit", None), part.target
    if target is None:
        return False
    return target.op.wants_more and (limit is None or limit.op.wants_more)


def _statistic(claims: Claims, facts: _Facts) -> Iterator[Problem]:
    """A mean can be met while most cases break what the text says (domain 3.4, 3)."""
    if facts.only_means_of_time and not claims.speaks_of_mean and claims.amounts:
        message = (
            f"estadístico: el texto promete {claims.amounts[0].said} sin decir que es un promedio "
            "y el criterio evalúa el promedio; diga «en promedio», o evalúe cada caso"
        )
        yield Problem(("statistic",), message)
    if claims.speaks_of_mean and not facts.means:
        message = "estadístico: el texto habla de un promedio y el criterio evalúa caso por caso"
        yield Problem(("statistic",), message)


def _periods(claims: Claims, facts: _Facts) -> Iterator[Problem]:
    if claims.periods and not claims.periods & facts.periods and facts.periods:
        said = words.alternatives(sorted(words.periods(p) for p in claims.periods))
        judged = words.alternatives(sorted(words.periods(p) for p in facts.periods))
        message = f"ventana: el texto habla de {said} y se evalúa por {judged}"
        yield Problem(("window",), message, Severity.WARNING)


def _content(claims: Claims) -> Iterator[Problem]:
    if claims.content is not None:
        message = (
            f"contenido: «{claims.content}» no se puede medir con eventos; solo una revisión puede "
            "decidirlo: prométalo aparte, con una lista de verificación"
        )
        yield Problem(("content",), message, Severity.WARNING)


# Against the law, and against the version before


def beyond_duty(criterion: Criterion, legal: tuple[Decimal, Unit]) -> tuple[Problem, ...]:
    """Return what promises no more than the law demands: C-5. `legal` is the term and its unit."""
    value, unit = legal
    slack = [
        bound
        for part in criterion.parts
        for bound, given in _pairs(part)
        if given is unit and bound >= value
    ]
    message = "no promete más que la ley: el plazo legal es de {} y el compromiso de {}"
    return tuple(
        Problem(
            ("limit",),
            message.format(words.duration(value, unit), words.duration(bound, unit)),
            Severity.WARNING,
        )
        for bound in slack
    )


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
        is_less = new.target.value < old.target.value
        if old.target.value != new.target.value and is_less == old.target.op.wants_more:
            message = _eased("la meta", old.target.value, new.target.value)
            yield Problem((*place, "target"), message, Severity.WARNING)
    one, two = (getattr(part.figure, "limit", None) for part in (old, new))
    if not isinstance(one, Limit) or not isinstance(two, Limit) or one.op is not two.op:
        return
    if one.value is None or two.value is None or one.value == two.value:
        return
    if (two.value < one.value) == one.op.wants_more:
        message = _eased("el límite", one.value, two.value)
        yield Problem((*place, "limit"), message, Severity.WARNING)


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
