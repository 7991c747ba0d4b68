"""The real data sets through the real system; every figure computed again with plain Python."""

import csv
import gzip
from collections.abc import AsyncIterator
from dataclasses import astuple
from pathlib import Path

import pytest
import pytest_asyncio

from benchmarks.real_data.data_sets import BOSTON_SAMPLE, DATA_SETS, DataSet
from benchmarks.real_data.marks import differences
from benchmarks.real_data.page import section
from benchmarks.real_data.plain_figures import PLAIN, boston_outcomes
from benchmarks.real_data.plain_figures import rows_of as rows_of_file
from benchmarks.real_data.public_file import missing_from_public_file
from benchmarks.real_data.replay import final_results, replay
from benchmarks.real_data.table import Row, different, rows_of
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


def judged_here(data_set: DataSet, data: Path, folder: Path) -> Path:
    """Return the folder with the file, or with the part of it that does not take minutes."""
    if data_set.part is None:
        return data
    column, starts = data_set.part
    rows = [row for row in rows_of_file(data / data_set.file) if row[column].startswith(starts)]
    assert rows
    write = gzip.open if data_set.file.endswith(".gz") else open
    with write(folder / data_set.file, "wt", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


# A thousand windows: minutes on a busy machine.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("data_set", DATA_SETS, ids=lambda data_set: data_set.municipality)
async def test_every_figure_equals_plain_python(
    system: System, shared_data: Path, tmp_path: Path, data_set: DataSet
) -> None:
    data = judged_here(data_set, shared_data / "data", tmp_path)
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
    wrong = different(rows, PLAIN[data_set.municipality](data / data_set.file))
    assert not wrong, wrong[:10]
    if data_set.part is None:
        assert section(data_set, rows, found) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "data_set",
    [each for each in DATA_SETS if each.part],
    ids=lambda data_set: data_set.municipality,
)
def test_the_page_has_the_figures_of_the_whole_file(shared_data: Path, data_set: DataSet) -> None:
    computed = PLAIN[data_set.municipality](shared_data / "data" / data_set.file)
    rows = [Row(data_set.name, *key, *astuple(figure)) for key, figure in computed.items()]
    assert section(data_set, rows) in PAGE.read_text(encoding="utf-8")


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
