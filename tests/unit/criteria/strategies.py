"""Random criteria of every shape, and random cases for them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.criteria import Case, Criterion
from tests.unit.criteria.builders import paused

JULY = datetime(2026, 7, 1, 6, tzinfo=UTC)
EVENTS = ("a.opened", "b.closed", "c.happened", "d.ended")
OPS = st.sampled_from(["<=", "<", ">=", ">"])

population = st.fixed_dictionaries(
    {
        "event": st.sampled_from(EVENTS),
        "anchor": st.just("occurred"),
        "where": st.sampled_from([{}, {}, {"canal": ["web"]}]),
        "exclude": st.sampled_from([(), ("doble",), ("abandono_antes_del_limite", "doble")]),
    }
)
clock = st.builds(
    lambda start, stop, unit: {
        "kind": "duration",
        "start": {"event": start},
        "stop": {"event": stop},
        "unit": unit,
        "calendar": "HAB-GRAL",
        "pauses": ["prevencion"],
    },
    st.sampled_from(EVENTS[:2]),
    st.sampled_from(EVENTS[2:]),
    st.sampled_from(["min", "h", "dia_habil", "min_habil", "dia_natural"]),
)
number = st.just({"kind": "number", "field": "nota", "lowest": 0, "highest": 10})
value = st.one_of(clock, number)
limit = st.fixed_dictionaries({"op": OPS, "value": st.integers(1, 9)})


def _stat(form: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"form": st.just(form), "population": population, **fields})


outage = st.just({"kind": "outage", "stop": "d.ended", "unit": "min"})
share = _stat("share_within", value=value, limit=limit)
mean = _stat("mean", value=value)
percentile = _stat("percentile", value=value, p=st.sampled_from([1, 10, 25, 50, 90, 100]))
count = st.one_of(_stat("count"), _stat("count", value=value, limit=limit))
total = st.one_of(_stat("sum", value=st.one_of(value, outage)))
nps = _stat("nps", value=number)
statistic: st.SearchStrategy[Any] = st.one_of(share, mean, percentile, count, total, nps)
ratio = st.fixed_dictionaries(
    {
        "form": st.just("ratio"),
        "numerator": st.one_of(count, _stat("sum", value=number)),
        "denominator": st.one_of(count, _stat("sum", value=number)),
    }
)


def _grouped(by: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {"form": st.just("nested_share"), "inner": statistic, "limit": limit, **by}
    return st.fixed_dictionaries(fields)


groups = st.one_of(
    _grouped({"by": st.sampled_from(["day", "week", "month"])}),
    _grouped({"attribute": st.just("canal")}),
)
availability = _stat("availability", value=outage)
figure = st.one_of(statistic, ratio, groups, availability)

criteria = st.lists(figure, min_size=1, max_size=3).map(
    lambda figures: Criterion.model_validate({"parts": [{"figure": each} for each in figures]})
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A case of August 2026, seldom of another month, on whole minutes; most have all events."""
    day = draw(st.one_of(st.integers(33, 40), st.integers(-3, 95)))
    opened = JULY + timedelta(days=day, minutes=draw(st.sampled_from([0, 1, 600, 1439])))
    missing = draw(st.sampled_from([(), (), ("d.ended",), EVENTS[2:], EVENTS[:1]]))
    events = {
        kind: opened + timedelta(minutes=draw(st.sampled_from([0, 1, 2, 5, 9, 60, 3000, -1])))
        for kind in EVENTS
        if kind not in missing
    }
    attributes = draw(
        st.fixed_dictionaries(
            {"canal": st.sampled_from(["web", "web", "oficina"])},
            optional={"nota": st.sampled_from(["0", "6", "7.5", "8", "9", "10", "11", "x"])},
        )
    )
    pauses = (paused("prevencion", "2026-08-04 09:00", "2026-08-06 12:00"),)
    return Case(
        events=events,
        attributes=attributes,
        exclusions=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"doble"})])),
        pauses=draw(st.sampled_from([(), (), pauses])),
        abandoned_at=draw(st.sampled_from([None, None, opened])),
    )
