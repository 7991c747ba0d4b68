"""What a mail says of a part of a result, in the Spanish of Mexico that officials read."""

from collections.abc import Iterable, Sequence

from shared.contracts.cartas import Compromiso
from shared.contracts.results import PartResult
from shared.outlooks import declared_for, headline
from shared.spanish import based_on, figure, number


def figure_in_words(part: PartResult) -> str:
    """`84.8 % (178 de 210 casos)`; counts say what the figure is made of."""
    cases = based_on(part.form, part.numerator, part.denominator, items=part.items)
    if part.value is None:
        return cases
    return f"{figure(part.value, part.unit, goal=part.target)} ({cases})"


def counts_in_words(part: PartResult) -> str | None:
    """Say what stands beside the figure: late, open and overdue, pending, excluded; or None."""
    excluded = sum(part.excluded.values())
    said = [
        (part.failed, "fuera de plazo"),
        (part.overdue_open, "de ellos aún sin concluir" if part.failed else "vencidos y abiertos"),
        (part.pending, "por concluir"),
        (excluded, "no considerados"),
    ]
    return "; ".join(f"{number(count)} {what}" for count, what in said if count) or None


def outlook_words(parts: Sequence[PartResult], promise: Compromiso | None) -> Iterable[str]:
    """Say of each part what can still become of it, in the words of its limit where known."""
    declared = declared_for(parts, None if promise is None else promise.criterion)
    return filter(None, map(headline, parts, declared))
