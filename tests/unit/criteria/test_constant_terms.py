"""The short way for a limit that is the same length of time for every case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from shared.criteria import Case, CasePause, prepare
from shared.criteria.timing import constant_term, timing_of
from shared.criteria.values import Clock, Instant, Limit
from shared.criteria.vocabulary import Anchor, Op, Period
from shared.worktime import Unit
from tests.unit.criteria.builders import measure, wait
from tests.unit.worktime.calendars import MEXICO_CITY

BEGUN = datetime(2026, 3, 2, 15, tzinfo=UTC)
MOMENTS = st.integers(-3_000_000_000, 9_000_000_000).map(
    lambda microseconds: BEGUN + timedelta(microseconds=microseconds)
)
UPPER = st.sampled_from([Op.AT_MOST, Op.LESS])
LEFT = "abandono_antes_del_limite"
LIMITS = st.decimals("0.01", 90, places=2)


def clock(unit: Unit, *, first_of: bool = False) -> Clock:
    stop = Instant(first_of=("called", "closed")) if first_of else Instant(event="called")
    return Clock(start=Instant(event="issued"), stop=stop, unit=unit)


@given(
    st.sampled_from([Unit.SECOND, Unit.MINUTE, Unit.HOUR]),
    UPPER,
    LIMITS,
    st.dictionaries(st.sampled_from(["issued", "called", "closed"]), MOMENTS),
    st.booleans(),
)
def test_it_comes_to_what_the_long_way_comes_to(
    unit: Unit, op: Op, value: Decimal, events: dict[str, datetime], first_of: bool
) -> None:
    timed, limit = clock(unit, first_of=first_of), Limit(op=op, value=value)
    constant = constant_term(timed, limit)
    assert constant is not None
    short = constant.timing(events)
    long = timing_of(timed, limit, Case(events=events), None, zone=MEXICO_CITY)
    assert short == long
    if short.elapsed is not None and short.bound is not None:
        is_kept = op.holds(Fraction(short.elapsed), Fraction(short.bound))
        assert (short.elapsed <= constant.most) is is_kept


def test_other_limits_have_no_short_way() -> None:
    minutes, ten = clock(Unit.MINUTE), Limit(op=Op.AT_MOST, value=Decimal(10))
    season = {"first": "01-01", "last": "03-31", "value": 5}
    announced = minutes.model_copy(update={"from_due": True})
    office = Clock(
        start=minutes.start, stop=minutes.stop, unit=Unit.OPEN_MINUTE, calendar="HAB-GRAL"
    )
    days = Clock(start=minutes.start, stop=minutes.stop, unit=Unit.WORKING_DAY, calendar="HAB-GRAL")
    assert constant_term(minutes, ten) is not None
    for timed, limit in (
        (minutes, None),
        (minutes, Limit(op=Op.AT_LEAST, value=Decimal(10))),
        (minutes, Limit(op=Op.AT_MOST, own_due=True)),
        (minutes, Limit.model_validate({"op": "<=", "value": 10, "seasons": [season]})),
        (announced, ten),
        (office, ten),
        (days, ten),
    ):
        assert constant_term(timed, limit) is None


@given(
    op=UPPER,
    value=LIMITS,
    daily=st.booleans(),
    anchor=st.sampled_from(list(Anchor)),
    events=st.dictionaries(st.sampled_from(["ticket.issued", "ticket.called"]), MOMENTS),
    known=st.none() | MOMENTS,
)
def test_a_plain_case_is_judged_as_one_that_takes_the_long_way(
    *,
    op: Op,
    value: Decimal,
    daily: bool,
    anchor: Anchor,
    events: dict[str, datetime],
    known: datetime | None,
) -> None:
    """A pause that is not admitted changes nothing, but such a case is not plain."""
    population = {"event": "ticket.issued", "anchor": anchor, "exclude": [LEFT]}
    waited = measure(wait(population=population, limit={"op": op, "value": value}))
    if daily:
        waited = replace(waited, by=Period.DAY)
    judge = prepare(waited, None, zone=MEXICO_CITY)
    plain = Case(events=events)
    paused = plain._replace(pauses=(CasePause("ajena", BEGUN, None),))
    assert judge.verdict(plain, known) == judge.verdict(paused, known)
