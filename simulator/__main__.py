"""`python -m simulator seed`, `live` and `catalogue`."""

import click

from simulator.live import live
from simulator.seed import seed
from simulator.whole_town import CARTAS, COMPROMISOS, PROCEDURES, whole_catalogue


@click.group(help="A fictional municipality at work.")
def main() -> None:
    """Group the commands."""


@main.command("seed")
def seed_command() -> None:
    """Load the catalogue, register sources, import the past quarter, file some complaints."""
    seed()


@main.command("live")
@click.option("--rate", default=2.0, show_default=True, help="Events a second, about.")
@click.option("--seed", "number", default=1, show_default=True, help="Of the random numbers.")
def live_command(rate: float, number: int) -> None:
    """Send live traffic until stopped; its first call breaks a promise within seconds."""
    if not 0 < rate <= 1000:
        raise click.BadParameter("from above 0 to 1000", param_hint="--rate")
    live(rate=rate, seed=number)


@main.command("catalogue")
@click.option("--cartas", default=CARTAS, show_default=True)
@click.option("--procedures", default=PROCEDURES, show_default=True)
@click.option("--compromisos", default=COMPROMISOS, show_default=True, help="Of all cartas.")
def catalogue_command(cartas: int, procedures: int, compromisos: int) -> None:
    """Print the catalogue of a whole fictional municipality, for `cartas load`."""
    try:
        print(whole_catalogue(cartas, procedures, compromisos), end="")
    except ValueError as error:
        raise click.UsageError(str(error)) from error


if __name__ == "__main__":
    main()
