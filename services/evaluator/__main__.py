"""Commands of the evaluator: `python -m services.evaluator`."""

import click

from services.evaluator.app import DESCRIBE, build_app
from services.evaluator.recompute import Comparison, recompute
from services.evaluator.settings import Settings
from services.evaluator.store import redatings
from services.evaluator.store.redatings import Moved
from shared.cli import run_with_pool, service_cli
from shared.database import Pool

main = service_cli("evaluator", Settings, build_app, DESCRIBE)


@main.command("recompute")
@click.argument("municipality")
def recompute_command(municipality: str) -> None:
    """Count every figure of MUNICIPALITY again from the stored facts and name each difference."""

    async def work(pool: Pool, settings: Settings) -> list[Comparison]:
        return await recompute(pool, municipality)

    compared = run_with_pool(Settings, work)
    different = [comparison for comparison in compared if not comparison.agrees]
    for comparison in different:
        place = "/".join((*comparison.window, str(comparison.part)))
        click.echo(f"{place}: added {comparison.added}, recomputed {comparison.recomputed}")
        if comparison.published != comparison.publishable:
            click.echo(
                f"{place}: published {comparison.published}, recomputed {comparison.publishable}"
            )
    click.echo(f"{len(compared)} figures, {len(different)} different")
    if different:
        raise SystemExit(1)


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
