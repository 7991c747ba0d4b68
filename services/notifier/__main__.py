"""`python -m services.notifier`: serve, migrate, dead letters, mailboxes, links."""

import click

from services.notifier.app import build_app
from services.notifier.retention import terms
from services.notifier.settings import Settings
from services.notifier.store import mails
from services.notifier.use_cases.steps import UnknownActionError, revoke_links
from shared.cli import run_with_pool, service_cli
from shared.database import Pool
from shared.messaging import transaction

cli = service_cli(
    "notifier", Settings, build_app, "Alerts, delivery and corrective actions.", terms=terms
)


@cli.command("revoke-links")
@click.argument("action")
def revoke_links_command(action: str) -> None:
    """Make every link to ACTION worthless; mail that is written later has new ones."""

    async def revoke(pool: Pool, settings: Settings) -> None:
        async with transaction(pool, service="notifier") as tx:
            try:
                await revoke_links(tx, action)
            except UnknownActionError as error:
                raise click.ClickException(f"there is no action {action}") from error

    run_with_pool(Settings, revoke)
    click.echo(f"links to {action} revoked")


@cli.group()
def mailboxes() -> None:
    """Mailboxes whose server refused for good; they are passed over."""


@mailboxes.command("list")
def list_command() -> None:
    """List them with what the server said."""

    async def show(pool: Pool, settings: Settings) -> None:
        async with transaction(pool, service="notifier") as tx:
            for row in await mails.list_rejecting(tx.connection):
                said = f"{row['code']} {row['reply']}"
                click.echo(f"{row['mailbox']}  {row['since']:%Y-%m-%d}  {said}")

    run_with_pool(Settings, show)


@mailboxes.command("clear")
@click.argument("mailbox")
def clear_command(mailbox: str) -> None:
    """Try MAILBOX again from the next alert on."""

    async def clear(pool: Pool, settings: Settings) -> None:
        async with transaction(pool, service="notifier") as tx:
            if not await mails.clear_rejecting(tx.connection, [mailbox]):
                raise click.ClickException(f"{mailbox} is not marked")

    run_with_pool(Settings, clear)
    click.echo(f"{mailbox} is tried again")


main = cli

if __name__ == "__main__":
    main()
