"""Which counts of two versions add up: what they are of must be the same, not what is asked."""

from typing import Any

import pytest

from shared.criteria import Criterion, Part, add_up
from tests.unit.criteria.builders import answer, counter, part, wait

_NUMBER = {"kind": "number", "field": "puntos", "lowest": 0, "highest": 10}
_POPULATION = {"event": "survey.answered", "anchor": "occurred"}
_RECURRENCE = {"every": "month", "calendar": "HAB-GRAL"}
_OUTAGE = {"kind": "outage", "stop": "outage.ended", "unit": "min"}


def score(**scale: Any) -> Part:
    target = {"op": ">=", "value": 8, "unit": "puntos"}
    value = _NUMBER | scale
    return part("mean", population=_POPULATION, value=value, target=target)


def hourly() -> Part:
    value = counter().figure.model_dump(mode="json")["value"] | {"unit": "h"}
    return part("mean", population=_POPULATION, value=value)


def median(rank: int) -> Part:
    return part("percentile", p=rank, population=_POPULATION, value=_NUMBER)


def groups(value: int = 15, by: str = "day") -> Part:
    inner = wait().figure.model_dump(exclude_none=True)
    limit = {"op": ">=", "value": value}
    return part("nested_share", by=by, inner=inner, limit=limit, target={"op": ">=", "value": 90})


def ratio(form: str = "count") -> Part:
    one: dict[str, Any] = {"form": "count", "population": _POPULATION}
    other = one if form == "count" else {"form": form, "population": _POPULATION, "value": _NUMBER}
    return part("ratio", numerator=one, denominator=other, target={"op": ">=", "value": 90})


def owed(**changes: Any) -> Part:
    return part(
        "deadline",
        population=_POPULATION,
        recurrence=_RECURRENCE | changes,
        target={"op": ">=", "value": 100},
    )


def up_time(unit: str = "min") -> Part:
    value = _OUTAGE | {"unit": unit}
    target = {"op": ">=", "value": 99}
    return part("availability", population=_POPULATION, value=value, target=target)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (wait(), wait(limit={"op": "<=", "value": 5}, target={"op": ">=", "value": 50})),
        (wait(), answer()),
        (counter(), counter(target={"op": "<=", "value": 3, "unit": "min"})),
        (score(), score(field="otra")),
        (median(50), median(50)),
        (groups(), groups()),
        (ratio(), ratio()),
        (owed(), owed()),
        (up_time(), up_time()),
    ],
)
def test_other_limits_targets_and_populations_add_up(one: Part, other: Part) -> None:
    assert add_up(Criterion(parts=(one,)), Criterion(parts=(other,)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (wait(), counter()),
        (counter(), score()),
        (score(), score(highest=5)),
        (score(), score(lowest=1)),
        (counter(), hourly()),
        (median(50), median(90)),
        (groups(), groups(20)),
        (groups(), groups(by="month")),
        (ratio(), ratio("sum")),
        (owed(), owed(day=5)),
        (up_time(), up_time("h")),
        (ratio(), wait()),
    ],
)
def test_other_things_counted_do_not(one: Part, other: Part) -> None:
    assert not add_up(Criterion(parts=(one,)), Criterion(parts=(other,)))


def test_another_number_of_parts_does_not() -> None:
    assert not add_up(Criterion(parts=(wait(),)), Criterion(parts=(wait(), wait())))
