"""The real data sets through the real system; every figure computed again with plain Python."""

from collections.abc import AsyncIterator
from dataclasses import astuple
from pathlib import Path

import pytest
import pytest_asyncio

from benchmarks.real_data.data_sets import BOSTON_SAMPLE, DATA_SETS, DataSet
from benchmarks.real_data.marks import differences
from benchmarks.real_data.page import section
from benchmarks.real_data.public_file import missing_from_public_file
from benchmarks.real_data.replay import final_results, replay
from benchmarks.real_data.table import Row, rows_of
from tests.e2e.plain_figures import PLAIN, Expected, Key, boston_outcomes
from tests.support.databases import Templates, own_databases
from tests.support.servers import Servers
from tests.support.systems import System, running_system
from tests.support.topics import own_topics

PAGE = Path(__file__).resolve().parents[2] / "docs" / "real-data.md"
SERVICES = ("cartas", "measurements", "evaluator", "portal")


@pytest_asyncio.fixture(scope="module")
async def system(
    servers: Servers, database_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[System]:
    async with (
        own_topics(servers) as prefix,
        own_databases(database_templates) as database,
        running_system(
            *(servers, database, prefix),
            log_dir=tmp_path_factory.mktemp("real-data"),
            services=SERVICES,
        ) as system,
    ):
        yield system


def as_expected(row: Row) -> Expected:
    return Expected(
        *(row.numerator, row.denominator, row.pending),
        *(row.excluded, row.share, row.verdict),
    )


# The whole of a file: minutes on a busy machine.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.municipality)
async def test_every_figure_equals_plain_python(
    system: System, shared_data: Path, data_set: DataSet
) -> None:
    data = shared_data / "data"
    async with system.client("evaluator") as evaluator, system.client("portal") as portal:
        await replay(data_set, data, system.run)
        results = await final_results(data_set, evaluator)
        assert not await missing_from_public_file(portal, data_set.municipality, results)
        found = (
            await differences(evaluator, data_set.municipality) if data_set is BOSTON_SAMPLE else []
        )
    compared = await system.run("services.evaluator", "recompute", data_set.municipality)
    assert " 0 different" in compared

    rows = rows_of(data_set.name, results)
    figures: dict[Key, Expected] = {
        (row.compromiso, row.unit, row.window): as_expected(row) for row in rows
    }
    computed = PLAIN[data_set.municipality](data / data_set.file)
    assert figures.keys() == computed.keys()
    different = {k: (figures[k], e) for k, e in computed.items() if figures[k] != e}
    assert not different, list(different.items())[:10]
    assert section(data_set, rows, found) in PAGE.read_text(encoding="utf-8")


@pytest.mark.timeout(300)
async def test_every_difference_from_the_mark_of_boston_is_named_case_by_case(
    system: System, shared_data: Path
) -> None:
    data = shared_data / "data"
    async with system.client("evaluator") as evaluator:
        await replay(BOSTON_SAMPLE, data, system.run)
        await final_results(BOSTON_SAMPLE, evaluator)
        found = await differences(evaluator, BOSTON_SAMPLE.municipality)
    agrees = {("met", "ONTIME"), ("pending", "ONTIME"), ("failed", "OVERDUE")}
    plain = sorted(
        (row["case_enquiry_id"], row["ontime"], outcome, not row["closed_dt"])
        for row, outcome in boston_outcomes(data / BOSTON_SAMPLE.file)
        if (outcome, row["ontime"]) not in agrees
    )
    assert [astuple(each) for each in found] == plain
    assert all(each.who_is_right != "not settled" for each in found)
