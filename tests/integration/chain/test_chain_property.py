"""Whatever is promised and told, in whatever order and batches, the published figure is the naive.

The naive judge reads the cases as they are in the end, and adds nothing up. Between it and the
result lie both services' stores: events, repeats, corrections and their own repeats.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from random import Random
from typing import Any, Final

import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.evaluator.use_cases.recompute import recompute
from services.measurements.domain.registration import Registration
from shared.contracts import hot
from shared.criteria import BEYOND, Case, Criterion, Figure, Percentile, Window, scale_of, window_of
from shared.criteria.ledger import judged
from tests.integration.chain.facts import Emitter
from tests.integration.chain.support import Chain, chain_on
from tests.support.databases import Templates, own_databases
from tests.unit.criteria import naive
from tests.unit.criteria.strategies import cases, criteria
from tests.unit.criteria.test_ledger import KNOWN, MONTH, QUARTER, bench, last_of
from tests.unit.evaluator import builders as b
from tests.unit.worktime.calendars import ZONE

EXAMPLES: Final = int(os.environ.get("CARTAS_CHAIN_EXAMPLES", "40"))
"""As many as fit into half a minute; more where somebody asks for them."""
EVER: Final = 20 * 366 * 86_400
_marks = count()
"""Progress never stands still, and a process remembers the last."""

Revision = tuple[int, Case, bool]
"""Case, what is said of it, and whether it is said twice; a later revision corrects."""
revisions = st.lists(st.tuples(st.integers(0, 2), cases(), st.booleans()), max_size=9)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the same facts travel. `known_after`: how many are told before the first progress."""

    batch: int
    partitions: int
    known_after: int
    seed: int


deliveries = st.builds(
    Delivery,
    st.sampled_from([1, 7, 500]),
    st.integers(1, 3),
    st.integers(0, 40),
    st.integers(0, 2**32),
)


@pytest_asyncio.fixture(scope="module")
async def chain(database_templates: Templates) -> AsyncIterator[Chain]:
    """One pair of databases for all examples; each begins by emptying it."""
    now = b.local("2026-11-01 00:00")
    async with own_databases(database_templates) as database, chain_on(database, now) as ready:
        yield ready


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(criteria, revisions, st.sampled_from([QUARTER, MONTH]), deliveries)
async def test_the_published_figures_are_those_of_a_fresh_look(
    chain: Chain,
    criterion: Criterion,
    told: list[Revision],
    window: Window,
    delivery: Delivery,
) -> None:
    await chain.empty()
    await _promise(chain, criterion, window)
    await _tell(chain, told, delivery)
    bounds = window_of(window, b.local("2026-08-10 12:00"), ZONE)
    assert bounds is not None
    expected = naive.figures(
        criterion,
        list(last_of(told).values()),
        bounds,
        calendars=bench(criterion, window).calendars,
        zone=ZONE,
        known=KNOWN,
    )
    parts = zip(criterion.parts, expected, strict=True)
    assert await _published(chain, bounds.id) == [
        None if value is None or _is_beyond(part.figure, value) else value for part, value in parts
    ]
    by = bench(criterion, window)
    assert await _stored(chain) == {
        (name, each.measure, each.window and each.window.id, each.verdict.status.value)
        for name, case in last_of(told).items()
        for each in judged(by, case, known=KNOWN)
    }
    assert await chain.evaluator.difference() == 0
    assert all(each.agrees for each in await recompute(chain.evaluator.pool, b.TOWN))


async def _promise(chain: Chain, criterion: Criterion, window: Window) -> None:
    await chain.evaluator.learn_town(b.carta(b.compromiso(criterion=criterion, window=window)))
    source = Registration(
        uri=b.QUEUE,
        municipality=b.TOWN,
        services=frozenset({b.SERVICE}),
        reports=frozenset({"*"}),
        attributes=frozenset({"canal", "nota"}),
    )
    await chain.register([source])


async def _tell(chain: Chain, told: Sequence[Revision], delivery: Delivery) -> None:
    """Events in any order, and what becomes of them in any order again, with repeats of both."""
    random = Random(delivery.seed)
    events = list(_events(told))
    random.shuffle(events)
    way: dict[str, Any] = {"batch": delivery.batch, "partitions": delivery.partitions}

    def disorder(records: list[Any]) -> list[Any]:
        found = [*records, *random.sample(records, len(records) // 3)]
        random.shuffle(found)
        return found

    halves = (events[: delivery.known_after], events[delivery.known_after :])
    for some, known in zip(halves, (b.local("2026-08-10 12:00"), KNOWN), strict=True):
        await chain.tell(some, **way)
        await chain.carry(**way, order=disorder)
        state = b.source_state(complete_through=known, grace_seconds=EVER)
        progress = hot.ProgressData(
            pipeline="measurements",
            through=b.local("2026-10-01 00:00").replace(microsecond=next(_marks)),
            offsets={},
            sources=(hot.SourceState(**state),),
        )
        await chain.know(progress)
        await chain.evaluator.open_windows("2026-08-10 12:00", past=1)
        await chain.evaluator.publish()
    assert await chain.refused() == []


def _events(told: Sequence[Revision]) -> Iterator[hot.ServiceEvent]:
    emitter = Emitter(b.QUEUE, b.TOWN, b.SERVICE)
    for number, case, is_repeated in told:
        for event in emitter.tell(str(number), case):
            yield from [event] * (1 + is_repeated)


def _is_beyond(figure: Figure, value: Fraction) -> bool:
    return isinstance(figure, Percentile) and value == Fraction(BEYOND, scale_of(figure))


async def _stored(chain: Chain) -> set[tuple[str, int, str | None, str]]:
    rows = await chain.evaluator.pool.fetch("SELECT case_id, part, window_id, status FROM verdict")
    return {tuple(row.values()) for row in rows}


async def _published(chain: Chain, window: str) -> list[Fraction | None]:
    text = await chain.evaluator.pool.fetchval(
        "SELECT result FROM judged_window WHERE window_id = $1", window
    )
    exact = [part.get("exact") for part in json.loads(text)["parts"]]
    return [None if value is None else Fraction(value) for value in exact]
