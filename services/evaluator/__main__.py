"""Commands of the evaluator: `python -m services.evaluator`."""

import click

from services.evaluator.app import DESCRIBE, build_app
from services.evaluator.recompute import Comparison, recompute
from services.evaluator.settings import Settings
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


if __name__ == "__main__":
    main()
