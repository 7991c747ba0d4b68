"""Counts made under two versions of a promise: whether they are of one figure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from shared.criteria.model import (
    Availability,
    Count,
    Criterion,
    Groups,
    Nps,
    Part,
    Ratio,
    Schedule,
    Share,
    unit_of,
)
from shared.criteria.values import Number


def add_up(one: Criterion, other: Criterion) -> bool:
    """Return whether cases counted under one version add up with those under another.

    They may differ in limits, populations, exclusions, calendars and targets: each case was judged
    by its own. They must agree in what is added: days and minutes do not make one mean. What is
    expected of a whole window (occurrences, service time) must be expected alike.
    """
    return [_added(part) for part in one.parts] == [_added(part) for part in other.parts]


def _added(part: Part) -> Hashable:
    """Return what the part adds up, so that equal ones can be added together."""
    figure = part.figure
    if isinstance(figure, Availability | Schedule):
        return figure.model_dump_json()
    if isinstance(figure, Ratio):
        return (figure.form, _quantity(figure.numerator), _quantity(figure.denominator))
    if isinstance(figure, Groups):
        limit = figure.limit.model_dump_json()
        return (figure.form, figure.by, figure.attribute, limit, _quantity(figure.inner))
    return _quantity(figure)


def _quantity(figure: Any) -> Hashable:
    if isinstance(figure, Share | Count | Nps):
        return figure.form
    value = figure.value
    scale = (value.lowest, value.highest) if isinstance(value, Number) else value.kind
    rank = getattr(figure, "p", None)
    return (figure.form, rank, scale, unit_of(figure))
