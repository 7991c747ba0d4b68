"""`make real-data`: replay the real files through the running system; check and write every figure.

Starts the system first where it does not run. The files are found by CARTAS_SHARED_DIR (default
`../shared`). The figures are written to `docs/real-data.md` and, one a line, to
`.run/real-data.csv`.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
from pydantic import SecretStr

from benchmarks.real_data.data_sets import BOSTON_SAMPLE, DATA_SETS, DataSet
from benchmarks.real_data.marks import Difference, differences
from benchmarks.real_data.page import page, section
from benchmarks.real_data.plain_figures import PLAIN
from benchmarks.real_data.replay import final_results, replay
from benchmarks.real_data.table import Row, as_csv, different, rows_of
from deploy.local.environment import Layout, prepare
from shared.http.credentials import service_credential

PROJECT = Path(__file__).resolve().parents[2]
OUTPUT = PROJECT / ".run"
PAGE = PROJECT / "docs" / "real-data.md"


def data_folder() -> Path:
    """Return the folder of the real files, or end with one line that says what to do."""
    shared = Path(os.environ.get("CARTAS_SHARED_DIR", PROJECT.parent / "shared"))
    if not (shared / "data").is_dir():
        raise SystemExit(f"no data sets in {shared}: set CARTAS_SHARED_DIR to their folder")
    return shared / "data"


async def run(*arguments: str) -> str:
    """Run one of our commands; its progress goes to the terminal, its output is returned."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, cwd=PROJECT, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed: {output.decode()[-2000:]}")
    return output.decode()


async def main() -> None:
    """Replay every data set, write its figures, compare them with the public file."""
    folder = data_folder()
    await run("deploy.local", "up", *_as_it_runs())
    layout = prepare()
    rows: list[Row] = []
    sections: list[str] = []
    async with _evaluator(layout) as evaluator:
        for data_set in DATA_SETS:
            print(f"\n{data_set.name}", flush=True)
            began = time.monotonic()
            await replay(data_set, folder, run)
            results = await final_results(data_set, evaluator)
            listed = rows_of(data_set.name, results)
            rows += listed
            sections.append(section(data_set, listed, await _differences(data_set, evaluator)))
            print(f"{len(results)} results final after {time.monotonic() - began:.1f} s")
            _compare_with_plain_python(data_set, folder, listed)
            await _compare_with_public_file(layout, data_set.municipality, results)
    PAGE.write_text(page(sections), encoding="utf-8")
    (OUTPUT / "real-data.csv").write_text(as_csv(rows), encoding="utf-8")
    print(f"\n{len(rows)} figures written to {PAGE} and {OUTPUT / 'real-data.csv'}")


def _compare_with_plain_python(data_set: DataSet, folder: Path, rows: list[Row]) -> None:
    wrong = different(rows, PLAIN[data_set.municipality](folder / data_set.file))
    if wrong:
        raise SystemExit(f"not as plain Python computes them: {wrong[:5]}")
    print(f"{len(rows)} figures equal those that plain Python computes from the file")


async def _differences(data_set: DataSet, evaluator: httpx.AsyncClient) -> list[Difference]:
    """Only Boston marks its cases itself."""
    if data_set is not BOSTON_SAMPLE:
        return []
    return await differences(evaluator, data_set.municipality)


def _as_it_runs() -> tuple[str, ...]:
    """A demo that is up stays a demo."""
    from deploy.local import status

    known = status.read()
    return ("--demo",) if known is not None and known.demo else ()


def _evaluator(layout: Layout) -> httpx.AsyncClient:
    secret = SecretStr(layout.environment["CARTAS_SERVICE_SECRET"])
    return httpx.AsyncClient(
        base_url=layout.url("evaluator"),
        headers={"Authorization": f"Bearer {service_credential(secret)}"},
        timeout=30,
    )


async def _compare_with_public_file(
    layout: Layout, municipality: str, results: list[dict[str, object]]
) -> None:
    """Say that every figure stands in `resultados.csv`; end in failure where one is missing."""
    from benchmarks.real_data.public_file import missing_from_public_file

    async with httpx.AsyncClient(base_url=layout.url("portal"), timeout=30) as portal:
        missing = await missing_from_public_file(portal, municipality, results)
    if missing:
        raise SystemExit(f"not in {municipality}/resultados.csv: {missing[:5]}")
    print(f"every figure stands in {layout.url('portal')}/{municipality}/resultados.csv")


if __name__ == "__main__":
    asyncio.run(main())
