"""`python -m services.cartas`: serve, migrate, dead letters, `load`, carta versions, `worktime`."""

from pathlib import Path

import click

from services.cartas import report
from services.cartas.app import build_app
from services.cartas.commands import worktime
from services.cartas.domain import Catalogue, read_catalogue
from services.cartas.retention import terms
from services.cartas.settings import Settings
from services.cartas.use_cases.loading import Load, RefusedCatalogueError, load_catalogue
from services.cartas.version_commands import COMMANDS
from shared.authoring.marked_yaml import MAX_BYTES
from shared.cli import run_with_pool, service_cli
from shared.database import Pool
from shared.messaging import transaction

cli = service_cli(
    "cartas", Settings, build_app, "Lo que un municipio promete, por versiones.", terms=terms
)


@cli.command("load", help="Carga un municipio (YAML) y publica lo nuevo; con un error, nada.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="Solo lee el archivo y dice qué corregir.")
def load_command(file: Path, check: bool) -> None:
    """Load a municipality's catalogue (YAML) and publish what is new in it.

    Every fault is shown with its line and field; with a fault nothing is published.
    """
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    reading = read_catalogue(content)
    _show(report.places(reading.warnings, str(file), "aviso"))
    if reading.catalogue is None:
        _refuse(report.places(reading.faults, str(file), "error"), len(reading.faults))
        return
    click.echo(report.contents(reading.catalogue))
    if not check:
        _load(reading.catalogue, content, file)


def _load(catalogue: Catalogue, content: bytes, file: Path) -> None:
    async def work(pool: Pool, settings: Settings) -> Load:
        async with transaction(pool, service="cartas") as tx:
            return await load_catalogue(tx, catalogue, content)

    try:
        load = run_with_pool(Settings, work)
    except RefusedCatalogueError as error:
        _refuse(report.places(error.faults, str(file), "error"), len(error.faults))
        return
    _show(report.places(load.warnings, str(file), "aviso"))
    click.echo(report.outcome(load))


def _show(text: str) -> None:
    if text:
        click.echo(text, err=True)


def _refuse(text: str, number: int) -> None:
    _show(text)
    click.echo(f"No se publicó nada: hay {number} por corregir.", err=True)
    raise SystemExit(1)


cli.add_command(worktime)
for command in COMMANDS:
    cli.add_command(command)
main = cli

if __name__ == "__main__":
    main()
