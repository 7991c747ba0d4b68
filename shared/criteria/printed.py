"""What a printed text says beside what is judged, and what is judged beside the law."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from shared.criteria import words
from shared.criteria.claims import Amount, Claims, claims_of
from shared.criteria.linter import Problem, Severity
from shared.criteria.model import (
    Count,
    Criterion,
    Figure,
    Groups,
    Mean,
    Nps,
    Part,
    Percentile,
    Ratio,
    Schedule,
    Share,
    Sum,
    Window,
)
from shared.criteria.values import Clock, Limit, Outage
from shared.criteria.vocabulary import Period, WindowKind
from shared.worktime.model import MICROSECONDS, Unit

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
