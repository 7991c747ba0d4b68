"""`python -m services.buzon`: serve, migrate, dead letters, purge of contacts."""

from datetime import UTC, datetime

import click

from services.buzon.app import build_app
from services.buzon.settings import Settings
from services.buzon.use_cases.reading import purge_contacts
from shared.cli import run_with_pool, service_cli
from shared.database import Pool
from shared.messaging import transaction

cli = service_cli("buzon", Settings, build_app, "What citizens say, and what is answered.")


@cli.command("purge-contacts")
@click.option(
    "--answered-before",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    required=True,
    help="Folios answered before this date (UTC). Those at the Contraloria are kept.",
)
def purge_contacts_command(answered_before: datetime) -> None:
    """Forget the contacts of answered folios; the folios themselves stay."""

    async def purge(pool: Pool, settings: Settings) -> int:
        async with transaction(pool, service="buzon") as tx:
            return await purge_contacts(tx, answered_before=answered_before.replace(tzinfo=UTC))

    click.echo(f"forgot {run_with_pool(Settings, purge)} contact(s)")


main = cli

if __name__ == "__main__":
    main()
