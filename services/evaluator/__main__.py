"""Commands of the evaluator: `python -m services.evaluator`."""

import os
from pathlib import Path

import click

from services.evaluator import telling
from services.evaluator.app import DESCRIBE, build_app
from services.evaluator.domain.drafting import MAX_BYTES
from services.evaluator.domain.drafts import DRAFT, DraftError
from services.evaluator.retention import terms
from services.evaluator.settings import Settings
from services.evaluator.store import redatings
from services.evaluator.store.redatings import Moved
from services.evaluator.store.windows import WindowKey
from services.evaluator.use_cases.explaining import Explained, explain_result
from services.evaluator.use_cases.recompute import Comparison, recompute
from services.evaluator.use_cases.trying import Question, Tried, try_draft
from shared.cli import run_with_pool, service_cli
from shared.database import Pool

_TRY = """Juzga el borrador CRITERION con lo que ya pasó; no escribe nada.

CRITERION es un archivo, o el texto mismo: un compromiso en las palabras del catálogo (YAML). Lleva
«criterio», «umbral» y «ventana»; puede llevar también lo que no decide un veredicto.
"""

main = service_cli("evaluator", Settings, build_app, DESCRIBE, terms=terms)


@main.command("recompute")
@click.argument("municipality")
@click.option(
    "--processes", type=click.IntRange(min=1), default=os.cpu_count() or 1, show_default=True
)
@click.option("--show", metavar="COMPROMISO/UNIT/WINDOW", help="Print the bytes of one result.")
def recompute_command(municipality: str, processes: int, show: str | None) -> None:
    """Make every result of MUNICIPALITY again from the stored facts; name each difference."""
    only = None if show is None else {_window(f"{municipality}/{show}")}

    async def work(pool: Pool, settings: Settings) -> list[Comparison]:
        url = settings.database_url.get_secret_value()
        return await recompute(pool, municipality, only=only, database_url=url, processes=processes)

    compared = run_with_pool(Settings, work)
    for line in telling.recomputed(compared, with_bytes=show is not None):
        click.echo(line)
    if not all(comparison.agrees for comparison in compared):
        raise SystemExit(1)


def _window(names: str) -> WindowKey:
    town, *rest = names.split("/")
    if len(rest) != 3:
        raise click.BadParameter("a result is named by 3 names between /")
    return (town, rest[0], rest[1], rest[2])


@main.command("explain", help="Muestra cómo se llegó a un resultado, paso por paso.")
@click.argument("result", metavar="MUNICIPALITY/COMPROMISO/UNIT/WINDOW[/EDITION]")
def explain_command(result: str) -> None:
    """Show how a result came about: promise, versions, counts, sums step by step, failed cases."""
    names = result.split("/")
    edition = names.pop() if len(names) == 5 else None
    if len(names) != 4 or not (edition is None or edition.isdecimal()):
        raise click.BadParameter("un resultado se nombra con 4 claves entre /, o 5 con su edición")
    town, compromiso, unit, window = names

    async def work(pool: Pool, settings: Settings) -> Explained | None:
        number = None if edition is None else int(edition)
        return await explain_result(pool, (town, compromiso, unit, window), number)

    found = run_with_pool(Settings, work)
    if found is None:
        raise click.ClickException(f"no hay ningún resultado «{result}»")
    for line in telling.explanation(found):
        click.echo(line)


@main.command("try", help=_TRY)
@click.argument("criterion")
@click.option(
    "--on", "window", required=True, help="Periodo, como 2026-09, 2026-Q3, 2026-S2 o 2026."
)
@click.option("--municipality", required=True)
@click.option("--service", "services", required=True, multiple=True, help="Puede repetirse.")
@click.option("--unit", default=DRAFT, help="La unidad que respondería.")
def try_command(
    criterion: str, *, window: str, municipality: str, services: tuple[str, ...], unit: str
) -> None:
    """Judge the draft CRITERION on what happened already. Nothing is written.

    CRITERION is a file, or the text itself: a compromiso in the words of the catalogue, in YAML.
    Needed are `criterio`, `umbral` and `ventana`; what no verdict depends on may stand beside.
    """

    async def work(pool: Pool, settings: Settings) -> list[Tried]:
        question = Question(_written(criterion), municipality, services, window, unit)
        return await try_draft(pool, question)

    try:
        found = run_with_pool(Settings, work)
    except DraftError as error:
        raise click.ClickException(str(error)) from error
    for tried in found:
        for line in telling.tried(tried):
            click.echo(line)


def _written(criterion: str) -> bytes:
    """Return what a file says, or the text where it is no name of one."""
    if "\n" in criterion or ":" in criterion:
        return criterion.encode()
    try:
        with Path(criterion).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise click.BadParameter(f"no se puede leer el archivo {criterion}") from error


@main.command("redated")
@click.argument("municipality")
def redated_command(municipality: str) -> None:
    """Show what each change of a calendar of MUNICIPALITY moved, and by how much."""

    async def work(pool: Pool, settings: Settings) -> list[Moved]:
        return await redatings.summed(pool, municipality)

    for moved in run_with_pool(Settings, work):
        click.echo(
            f"{moved.calendar}: version {moved.from_version} to {moved.to_version} moved"
            f" {moved.verdicts} verdicts ({moved.open_verdicts} open),"
            f" by {moved.least} to {moved.most}"
        )


if __name__ == "__main__":
    main()
