"""`python -m services.portal`: serve, migrate, assets, administrators, sign-in links."""

from datetime import timedelta
from pathlib import Path

import click

from services.portal import assets
from services.portal.app import build_app
from services.portal.domain.visitors import ROLE_WORDS
from services.portal.retention import terms
from services.portal.settings import PROJECT, Settings
from services.portal.store import accounts, catalogue
from services.portal.use_cases.entering import new_link
from shared.cli import run_with_pool, service_cli
from shared.clock import utc_now
from shared.contracts.cartas import Role
from shared.database import Connection, Pool
from shared.messaging import transaction

COMMAND_LINKS_FOR = timedelta(hours=12)
"""Whoever runs the command has the database anyway; the link may wait for its reader."""
DEMO_ADMINISTRATOR = "administracion@localhost"

cli = service_cli(
    "portal", Settings, build_app, "What people see: results, buzon, panels.", terms=terms
)


@cli.command("assets")
@click.option(
    "--to",
    "target",
    type=click.Path(file_okay=False, path_type=Path),
    default=PROJECT / "build" / "static",
)
def assets_command(target: Path) -> None:
    """Take the front-end files out of node_modules; needs no settings."""
    for path in assets.install(target):
        click.echo(f"wrote {path.name} ({path.stat().st_size:,} bytes)")


@cli.command("create-admin")
@click.argument("mail")
def create_admin(mail: str) -> None:
    """Let MAIL administer this installation, and print a link that signs it in once."""
    if "@" not in mail:
        raise click.BadParameter("give an e-mail address")

    async def create(pool: Pool, settings: Settings) -> str:
        async with transaction(pool, service="portal") as tx:
            await accounts.add_administrator(tx.connection, mail.lower(), tx.now)
            return await _link(tx.connection, settings, mail)

    click.echo(run_with_pool(Settings, create))


@cli.command("demo-links")
@click.option("--unit", "mailbox", help="Mailbox that the unit's link signs in; else any unit's.")
@click.option("--action", help="Corrective action that the unit's link leads to.")
def demo_links(mailbox: str | None, action: str | None) -> None:
    """Print one sign-in link for each role, for demonstrations; each works once."""

    async def links(pool: Pool, settings: Settings) -> list[tuple[str, str]]:
        async with transaction(pool, service="portal") as tx:
            connection = tx.connection
            mailboxes = await _mailboxes(connection)
            if mailbox is not None:
                mailboxes[Role.UNIT] = mailbox
            if Role.ADMINISTRATOR not in mailboxes:
                await accounts.add_administrator(connection, DEMO_ADMINISTRATOR, tx.now)
                mailboxes[Role.ADMINISTRATOR] = DEMO_ADMINISTRATOR
            return [
                (ROLE_WORDS[role], await _link(connection, settings, mailboxes[role]))
                for role in Role
                if role in mailboxes
            ]

    for words, link in run_with_pool(Settings, links):
        leads_on = action is not None and words == ROLE_WORDS[Role.UNIT]
        click.echo(f"  {words:16} {link}{f'?accion={action}' if leads_on else ''}")


async def _mailboxes(connection: Connection) -> dict[Role, str]:
    """Return a mailbox for each role that some post with an address has."""
    found: dict[Role, str] = {}
    for municipality in await catalogue.municipalities(connection):
        for post in await catalogue.posts(connection, municipality.municipality):
            if post.mailbox is not None:
                found.setdefault(post.role, post.mailbox)
    return found


async def _link(connection: Connection, settings: Settings, mailbox: str) -> str:
    token = await new_link(connection, mailbox, now=utc_now(), valid_for=COMMAND_LINKS_FOR)
    if token is None:
        raise click.ClickException(f"{mailbox} asked for too many links: wait a quarter of an hour")
    return f"{settings.public_url}/entrar/{token}"


main = cli

if __name__ == "__main__":
    main()
