"""Batches, partitions, repeats and order change the speed, never the result."""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.evaluator.domain.judging import judge
from shared.contracts import hot
from shared.contracts.cartas import CartaData, Scope
from tests.integration.evaluator.support import Evaluator, running
from tests.support.databases import Templates
from tests.unit.evaluator import builders as b
from tests.unit.evaluator.builders import local

EVERY_PART = b.wait(**b.EVERY_CASE)
TABLES = (
    "measured_case, case_in_window, alarm, tally, judged_window, edition, breach, outbox,"
    " catalogue_entry, rejudging, pipeline, source, progress_waiting, kafka_offset"
)


@pytest_asyncio.fixture(scope="module")
async def shared(database_templates: Templates) -> AsyncIterator[Evaluator]:
    """One database for all examples; each begins by emptying it."""
    name = await database_templates.copy("evaluator")
    async with running(database_templates.url(name)) as ready:
        yield ready
    await database_templates.drop(name)


async def empty(evaluator: Evaluator) -> None:
    await evaluator.pool.execute(f"TRUNCATE {TABLES}")
    evaluator.restart()


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that anybody could see of a run."""

    verdicts: Any
    results: Any
    statements: Any


async def story(evaluator: Evaluator) -> Told:
    results = {
        (data["compromiso"], data["unit"], data["window"]["id"]): data["parts"]
        for data in await evaluator.published()
    }
    first_breach = {(said["kind"], said["id"]) for said in await evaluator.said()}
    moving = {"recovered", "confirmed", "at_risk"}  # they tell when the publisher looked
    return Told(
        await evaluator.verdicts(),
        results,
        {(kind, name) for kind, name in first_breach if kind not in moving},
    )


def many_cases(number: int) -> list[hot.CaseData]:
    """Opened, called, corrected, voided; three units, two months."""
    cases: list[hot.CaseData] = []
    issued: dict[str, Any]
    for n in range(number):
        day = 1 + n % 28
        issued = {"ticket_issued": f"2026-{8 + n % 2:02}-{day:02} 10:00", "unit": "abc"[n % 3]}
        cases.append(b.case(f"A-{n}", **issued))
        cases.append(b.waited(f"A-{n}", n % 25, revision=2, **issued))
        if n % 7 == 0:
            cases.append(b.waited(f"A-{n}", 3, revision=3, **issued))
    return cases


@pytest.mark.parametrize("batch", [7, 500, 5000])
async def test_batches_of_any_size_tell_the_same_story(shared: Evaluator, batch: int) -> None:
    cases = many_cases(250)
    cartas = b.carta(
        b.compromiso(), b.compromiso(EVERY_PART, id="RC-01-03", scope=Scope.UNIT, minimum_sample=2)
    )
    told = []
    for size in (1, batch):
        await empty(shared)
        await shared.learn_town(cartas)
        await shared.take(*cases, batch=size)
        await shared.know("2026-10-15 00:00")
        await shared.publish("2026-10-15 00:00")
        told.append(await story(shared))
        assert await shared.difference() == 0
        assert await shared.disagreements() == []
    assert told[0] == told[1]


LIMITS = st.integers(0, 20)
PARTS = st.lists(
    st.one_of(
        st.builds(
            lambda limit, target, anchor: b.wait(
                limit={"op": "<=", "value": limit},
                target={"op": ">=", "value": target},
                population={"event": "ticket.issued", "anchor": anchor, "exclude": ["duplicado"]},
            ),
            LIMITS,
            st.sampled_from([50, 90, 100]),
            st.sampled_from(["due", "occurred", "closed"]),
        ),
        st.just(
            b.counter(
                population={"event": "ticket.issued", "anchor": "opened"},
                clock={
                    "start": {"event": "ticket.issued"},
                    "stop": {"event": "ticket.called"},
                    "unit": "min",
                },
            )
        ),
    ),
    min_size=1,
    max_size=2,
)
PROMISES = st.lists(
    st.tuples(PARTS, st.integers(0, 2), st.sampled_from(Scope)), min_size=1, max_size=3
)


def _carta(promises: Sequence[tuple[Any, int, Scope]]) -> CartaData:
    return b.carta(
        *(
            b.compromiso(*parts, id=f"RC-01-0{n}", minimum_sample=minimum, scope=scope)
            for n, (parts, minimum, scope) in enumerate(promises)
        )
    )


@st.composite
def revisions(draw: st.DrawFn) -> list[hot.CaseData]:
    """Cases at up to three revisions, in any order, some delivered twice."""
    told: list[hot.CaseData] = []
    for number in range(draw(st.integers(1, 6))):
        for revision in range(1, draw(st.integers(1, 3)) + 1):
            issued = local("2026-09-28 10:00") + timedelta(days=draw(st.integers(0, 4)))
            instants = {"ticket.issued": issued}
            if draw(st.booleans()):
                minutes = draw(st.integers(-2, 25))
                instants["ticket.called"] = issued + timedelta(minutes=minutes)
            told.append(
                b.case(
                    f"A-{number}",
                    revision=revision,
                    unit=draw(st.sampled_from(["norte", "sur"])),
                    instants=instants,
                    exclusions=draw(st.sampled_from([(), (), ("duplicado",)])),
                    historical=draw(st.sampled_from([False, False, True])),
                )
            )
    repeats = draw(st.lists(st.sampled_from(told), max_size=4))
    return draw(st.permutations([*told, *repeats]))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    promises=PROMISES,
    told=revisions(),
    batch=st.integers(1, 9),
    partitions=st.integers(1, 3),
    known=st.sampled_from(["2026-09-28 10:05", "2026-09-30 10:10", "2026-10-15 00:00"]),
    known_after=st.integers(0, 20),
)
async def test_counting_change_by_change_equals_a_fresh_look_at_all_cases(
    shared: Evaluator,
    *,
    promises: list[Any],
    told: list[hot.CaseData],
    batch: int,
    partitions: int,
    known: str,
    known_after: int,
) -> None:
    await empty(shared)
    carta = _carta(promises)
    await shared.learn_town(carta)
    for start in range(0, len(told), batch):
        if start // batch == known_after:
            await shared.know(known)
        by_partition: dict[int, list[hot.CaseData]] = {}
        for data in told[start : start + batch]:
            partition = int(data.case.split("-")[1]) % partitions
            by_partition.setdefault(partition, []).append(data)
        for partition, cases in by_partition.items():
            await shared.take(*cases, partition=partition)
        await shared.publish()
    await shared.know(known)
    await shared.publish()
    assert await _stored(shared) == _fresh(carta, told, known=known)
    assert await shared.difference() == 0
    assert await shared.disagreements() == []
    assert await _standing(shared) == await _broken(shared, carta)


async def _stored(evaluator: Evaluator) -> dict[tuple[str, str, int], str]:
    rows = await evaluator.pool.fetch("SELECT case_id, compromiso, part, status FROM verdict")
    return {(row["case_id"], row["compromiso"], row["part"]): row["status"] for row in rows}


def _fresh(
    carta: CartaData, told: Sequence[hot.CaseData], *, known: str
) -> dict[tuple[str, str, int], str]:
    """The last revision of each case, judged alone."""
    latest: dict[str, hot.CaseData] = {}
    for data in told:
        if data.case not in latest or latest[data.case].revision < data.revision:
            latest[data.case] = data
    groups = b.catalogue(carta).for_service(b.TOWN, b.SERVICE)
    verdicts: dict[tuple[str, str, int], str] = {}
    for data in latest.values():
        through = None if data.historical else local(known)
        for (compromiso, part, _), found in judge(data, groups, known=through).items():
            verdicts[data.case, compromiso, part] = found[0].status.value
    return verdicts


async def _standing(evaluator: Evaluator) -> set[tuple[str, str, str]]:
    rows = await evaluator.pool.fetch(
        "SELECT compromiso, unit, window_id FROM breach WHERE recovered_at IS NULL"
    )
    return {(row["compromiso"], row["unit"], row["window_id"]) for row in rows}


async def _broken(evaluator: Evaluator, carta: CartaData) -> set[tuple[str, str, str]]:
    """Running windows in which an every-case part has a failed case and enough decided ones."""
    minimum = {made.id: made.minimum_sample for made in carta.compromisos}
    rows = await evaluator.pool.fetch(
        "SELECT compromiso, unit, window_id, result FROM judged_window WHERE result IS NOT NULL"
    )
    return {
        (row["compromiso"], row["unit"], row["window_id"])
        for row in rows
        for part in json.loads(row["result"])["parts"]
        if (part["form"], part["target"]) == ("share_within", "100")
        and part["failed"] > 0
        and part["met"] + part["failed"] >= minimum[row["compromiso"]]
    }


@pytest.mark.parametrize("name", ["\\N", "\\.", "a\\tb", 'ñ "7" \\\\8', "back\\"])
async def test_a_case_of_any_name_is_stored_as_it_was_named(
    evaluator: Evaluator, name: str
) -> None:
    """Rows are copied as text, in which a backslash would say something else."""
    await evaluator.learn_town()
    await evaluator.take(b.waited(name, 10), b.waited("plain", 10))
    await evaluator.take(b.waited(name, 20, revision=2))
    assert await evaluator.verdicts() == {(name, 0): "failed", ("plain", 0): "met"}
    listed = await evaluator.pool.fetch("SELECT case_id FROM case_in_window ORDER BY case_id")
    assert {row["case_id"] for row in listed} == {name, "plain"}
    stored = await evaluator.pool.fetchval(
        "SELECT data::jsonb ->> 'case' FROM measured_case WHERE case_id = $1", name
    )
    assert stored == name
    await evaluator.publish()
    assert await evaluator.disagreements() == []
