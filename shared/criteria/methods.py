"""How the items of a figure were measured, and by how much sampling alone may move it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

from shared.criteria.model import Figure, Groups, Mean, Nps, Part, Ratio, Share
from shared.criteria.values import INSTRUMENT, Number, Population
from shared.criteria.vocabulary import Method

SURVEY_ANSWERED: Final = "survey.answered"
SURVEY: Final = "encuesta"
COUNTS_FAMILY: Final = "counts."
"""Events that report counts which their source has summed already."""

_SAMPLED: Final = frozenset({Method.SURVEY, Method.SHOPPER, Method.VISIT, Method.INSTRUMENT})
_PERCENT: Final = 100
_POINTS: Final = 200
"""Net promoters lie from -100 to 100."""
_PLACES: Final = Decimal("0.0001")


def method_of(part: Part) -> Method:
    """Return how the part's population is measured; of a ratio, its denominator's."""
    population = _populations(part.figure)[-1]
    if population.method is not None:
        return population.method
    if population.is_of_instruments:
        return Method.INSTRUMENT
    if population.event == SURVEY_ANSWERED or SURVEY in population.where:
        return Method.SURVEY
    is_summed = population.event.startswith(COUNTS_FAMILY)
    return Method.COUNTS if is_summed else Method.RECORDS


def instruments_of(part: Part) -> tuple[str, ...]:
    """Return the codes of the surveys or instruments that its population is limited to, sorted."""
    found: set[str] = set()
    for population in _populations(part.figure):
        found |= {*population.where.get(SURVEY, ()), *population.where.get(INSTRUMENT, ())}
    return tuple(sorted(found))


def effective_sample(weights: Mapping[int, int]) -> Fraction | None:
    """Return how many answers of one weight are worth as much: (Σ weights)² ÷ Σ weights².

    `weights` says how many answers have each. Kish, Survey Sampling (1965), 11.7: it knows nothing
    of how people were chosen, so what comes of it is approximate. None without any weight, or with
    one below nought.
    """
    squares = sum(weight**2 * count for weight, count in weights.items())
    if not squares or min(weights) < 0:
        return None
    return Fraction(sum(weight * count for weight, count in weights.items()) ** 2, squares)


def margin_of(part: Part, items: int | Fraction) -> Decimal | None:
    """Return the most that sampling moves the figure by, at 95.5 %, in its unit; else None.

    It is the figure's range over the root of the items: for a share 100/√n, the worst case of two
    standard errors (domain reference, section 4). Only what is sampled has one, and only where
    the range is known: a share, scores on a scale, net promoters. Of answers that have weights,
    `items` is the effective sample; of ratios, only one that its author calls a sample's has any.
    """
    width = range_of(part.figure)
    is_sample = method_of(part) in _SAMPLED or isinstance(part.figure, Ratio)
    if width is None or items < 1 or not is_sample:
        return None
    with localcontext() as context:
        context.prec = 40
        margin = width / (Decimal(items.numerator) / items.denominator).sqrt()
    return margin.quantize(_PLACES)


def range_of(figure: Figure) -> Decimal | None:
    """Return how far apart the figure's ends are, in its unit; None where it has none."""
    if isinstance(figure, Share) or (isinstance(figure, Ratio) and figure.margin):
        return Decimal(_PERCENT)
    if isinstance(figure, Nps):
        return Decimal(_POINTS)
    if isinstance(figure, Mean) and isinstance(figure.value, Number):
        value = figure.value
        if value.lowest is not None and value.highest is not None:
            return value.highest - value.lowest
    return None


def _populations(figure: Figure) -> tuple[Population, ...]:
    if isinstance(figure, Ratio):
        return (figure.numerator.population, figure.denominator.population)
    return ((figure.inner if isinstance(figure, Groups) else figure).population,)
