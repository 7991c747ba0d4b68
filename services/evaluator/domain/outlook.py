"""What a running window can still become, and how many cases are expected in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.results import Counted, Known, breach_is_certain, provisionally
from shared.contracts import results as contract
from shared.contracts.results import PartResult, ResultData, VolumeBasis
from shared.criteria import (
    Outlook,
    Result,
    WindowBounds,
    at_risk,
    forecasts_of,
    outlooks_of,
    worst_of,
)
from shared.criteria.vocabulary import Reference

BASES: Final = (
    (Reference.LAST_YEAR, VolumeBasis.LAST_YEAR),
    (Reference.PREVIOUS, VolumeBasis.PREVIOUS),
)
"""In this order: a season tells more than the last window."""


@dataclass(frozen=True, slots=True)
class Volume:
    """As many cases as were declared for `window`, or as it had when it closed."""

    cases: int
    basis: VolumeBasis
    window: str


def volumes_of(
    promise: Promise, window: WindowBounds, closed: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[Volume | None, ...]:
    """Return what is expected of each part; `closed` are the parts of closed windows by their id.

    What the carta declares comes first. None where no earlier window is closed, or where it had
    another figure in that place.
    """
    declared = promise.compromiso.expected_cases
    if declared is not None:
        return (Volume(declared, VolumeBasis.DECLARED, window.id),) * len(promise.parts)
    earlier = promise.volumes_from(window)
    found = [(basis, earlier[kind].id) for kind, basis in BASES if kind in earlier]
    for basis, window_id in found:
        if window_id in closed:
            parts = closed[window_id]
            return tuple(
                _volume(parts[number : number + 1], part.figure.form, basis, window_id)
                for number, part in enumerate(promise.parts)
            )
    return (None,) * len(promise.parts)


def _volume(
    found: Sequence[Mapping[str, Any]], form: str, basis: VolumeBasis, window: str
) -> Volume | None:
    """Return the volume of the part that was found in its place; from no case none follows."""
    if not found or found[0]["form"] != form:
        return None
    [part] = found
    cases = part["met"] + part["failed"] + part["pending"]
    return Volume(cases, basis, window) if cases else None


def with_outlook(
    data: ResultData,
    promise: Promise,
    counted: Counted,
    *,
    result: Result,
    known: Known,
    volumes: Sequence[Volume | None],
) -> ResultData:
    """Return a provisional result with what can still become of it, where that can be told.

    What an import tells of is past already, and counts that do not add up have no outlook.
    """
    criterion = promise.compromiso.criterion
    if data.historical or counted.impediment:
        return data
    counts = counted.under(promise, provisionally(promise, known))
    outlooks = outlooks_of(criterion, counts)
    expected = [None if volume is None else volume.cases for volume in volumes]
    forecasts = forecasts_of(criterion, counts, outlooks=outlooks, expected=expected)
    is_broken = breach_is_certain(promise, counted, known=known)
    prospect = worst_of(outlooks)
    return data.model_copy(
        update={
            "parts": tuple(map(_told, data.parts, outlooks, forecasts, volumes)),
            "prospect": None if prospect is None else contract.Prospect(prospect.value),
            "at_risk": at_risk(criterion, result, is_broken=is_broken, forecasts=forecasts),
        }
    )


def _told(
    part: PartResult, outlook: Outlook | None, forecast: Outlook | None, volume: Volume | None
) -> PartResult:
    told: dict[str, Any] = {}
    if outlook is not None:
        told["outlook"] = contract.Outlook(**_fields(outlook))
    if forecast is not None and volume is not None:
        told["forecast"] = contract.Forecast(
            **_fields(forecast), expected=volume.cases, basis=volume.basis, window=volume.window
        )
    return part.model_copy(update=told)


def _fields(outlook: Outlook) -> dict[str, Any]:
    return {
        "due": outlook.due,
        "failed": outlook.failed,
        "open": outlook.open,
        "may_fail": outlook.may_fail,
        "uncounted": None if outlook.uncounted is None else contract.Uncounted(outlook.uncounted),
        "needed": _exact(outlook.needed),
        "distance": _exact(outlook.distance),
        "best": _exact(outlook.best),
        "prospect": contract.Prospect(outlook.prospect),
    }


def _exact(value: Fraction | None) -> str | None:
    return None if value is None else str(value)
