"""Commands that every service has: serve, migrate, dlt ..., offsets list | rewind."""

import asyncio
import gettext
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from fastapi import FastAPI

from shared.clock import utc_now
from shared.database import Pool, migrate, open_pool
from shared.errors import ConfigurationError
from shared.http.server import serve as run_server
from shared.logs import configure_logging
from shared.messaging import dead_letters, offsets
from shared.messaging.kafka import client_options
from shared.retention import Due, Term, due, purge
from shared.settings import ServiceSettings, load_settings
from shared.startup import await_database

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
T = TypeVar("T")

LOCALE: Final = Path(__file__).parent / "locale"

logger = logging.getLogger(__name__)


def service_cli(
    name: str,
    settings_class: type[SettingsT],
    build_app: Callable[[SettingsT], FastAPI],
    describe: str,
    *,
    terms: Callable[[SettingsT], Sequence[Term]],
) -> click.Group:
    """Return the command group of a service; it adds its own commands to it."""
    _speak_spanish()

    @click.group(name=name, help=describe)
    def cli() -> None:
        pass

    @cli.command("serve")
    def serve() -> None:
        """Run the service until it is told to stop."""
        settings = load_settings(settings_class)
        configure_logging(name, log_format=settings.log_format, level=settings.log_level)
        try:
            client_options(settings)  # an authority that cannot be read is told at once
            asyncio.run(await_database(settings))
            app = build_app(settings)
        except ConfigurationError as error:
            logger.critical("not_started", extra={"reason": str(error)})
            sys.exit(1)
        run_server(app, settings)

    @cli.command("migrate")
    def migrate_command() -> None:
        """Bring the database's schema up to date."""
        settings = load_settings(settings_class)
        for applied in asyncio.run(migrate(settings.database_url.get_secret_value(), name)):
            click.echo(f"applied {applied}")

    cli.add_command(_dlt(settings_class))
    cli.add_command(_offsets(settings_class))
    cli.add_command(_retention(settings_class, terms))
    return cli


def _speak_spanish() -> None:
    """Let click say its own words in Spanish: it asks gettext for them, under no domain's name."""
    gettext.bindtextdomain("messages", str(LOCALE))
    os.environ["LANGUAGE"] = "es"


def run_with_pool(
    settings_class: type[SettingsT], work: Callable[[Pool, SettingsT], Awaitable[T]]
) -> T:
    """Run `work` with the service's database open, for a command."""
    settings = load_settings(settings_class)
    configure_logging(settings.service, log_format="console", level="WARNING")

    async def run() -> T:
        url = settings.database_url.get_secret_value()
        async with await open_pool(url, name=f"{settings.service} command", size=3) as pool:
            return await work(pool, settings)

    return asyncio.run(run())


def _dlt(settings_class: type[ServiceSettings]) -> click.Group:
    @click.group("dlt")
    def dlt() -> None:
        """What was refused: list, show, replay."""

    dlt.add_command(_dlt_list(settings_class))
    dlt.add_command(_dlt_show(settings_class))
    dlt.add_command(_dlt_replay(settings_class))
    return dlt


def _dlt_list(settings_class: type[ServiceSettings]) -> click.Command:
    @click.command("list")
    @click.option("--reason", help="Only refusals for this reason.")
    @click.option("--limit", default=50, show_default=True)
    def list_command(reason: str | None, limit: int) -> None:
        """Show the newest refusals, one a line."""

        async def work(pool: Pool, settings: ServiceSettings) -> None:
            for row in await dead_letters.list_refusals(pool, reason=reason, limit=limit):
                place = f"{row.topic}[{row.partition}]@{row.kafka_offset}"
                state = "replayed" if row.replayed_at else "waiting"
                click.echo(
                    f"{row.id}  {row.refused_at:%Y-%m-%d %H:%M:%S}  {place}  {row.reason}"
                    f"  {row.field or '-'}  {row.detail or '-'}  {row.traceparent or '-'}  {state}"
                )

        run_with_pool(settings_class, work)

    return list_command


def _dlt_show(settings_class: type[ServiceSettings]) -> click.Command:
    @click.command("show")
    @click.argument("refusal_id")
    def show_command(refusal_id: str) -> None:
        """Show one refusal with its payload (it may hold anything: keep it among operators)."""

        async def work(pool: Pool, settings: ServiceSettings) -> Any:
            return await dead_letters.show_refusal(pool, refusal_id)

        row = run_with_pool(settings_class, work)
        if row is None:
            raise click.ClickException(f"no refusal {refusal_id}")
        for name in row.__slots__:
            value = getattr(row, name)
            shown = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
            click.echo(f"{name}: {shown}")

    return show_command


def _dlt_replay(settings_class: type[ServiceSettings]) -> click.Command:
    @click.command("replay")
    @click.argument("refusal_ids", nargs=-1, required=True)
    def replay_command(refusal_ids: tuple[str, ...]) -> None:
        """Send refused messages again, once their cause is mended."""

        async def work(pool: Pool, settings: ServiceSettings) -> list[str]:
            return [
                refusal_id
                for refusal_id in refusal_ids
                if not await dead_letters.replay(pool, refusal_id, service=settings.service)
            ]

        unknown = run_with_pool(settings_class, work)
        click.echo(f"sent {len(refusal_ids) - len(unknown)} of {len(refusal_ids)}")
        if unknown:
            click.echo(f"not found: {', '.join(unknown)}", err=True)
            sys.exit(1)

    return replay_command


def _retention(
    settings_class: type[SettingsT], terms: Callable[[SettingsT], Sequence[Term]]
) -> click.Command:
    @click.command("retention")
    @click.option("--purge", "deletes", is_flag=True, help="Delete now what the job would.")
    def command(*, deletes: bool) -> None:
        """Count what is over its term of keeping; the service deletes it every hour."""

        async def work(pool: Pool, settings: SettingsT) -> list[Due]:
            if deletes:
                return await purge(pool, terms(settings), utc_now())
            async with pool.acquire() as connection:
                return await due(connection, terms(settings), utc_now())  # type: ignore[arg-type]

        for each in run_with_pool(settings_class, work):
            until = f"from before {each.through:%Y-%m-%d}" if each.through else "no term is set"
            click.echo(f"{each.rows} {each.term.what}, {until}")

    return command


def _offsets(settings_class: type[ServiceSettings]) -> click.Group:
    @click.group("offsets")
    def group() -> None:
        """How far each partition was applied: list, and the way on where one is halted."""

    @group.command("list")
    @click.option("--all", "everything", is_flag=True, help="Also those that go on.")
    def list_command(everything: bool) -> None:
        """Show the partitions that are halted, one a line, and what Kafka holds of them."""
        shown = run_with_pool(settings_class, offsets.places)
        for place in shown:
            if everything or place.state is not offsets.State.GOES_ON:
                click.echo(
                    f"{place.topic}[{place.partition}]  next {place.stored}  kafka {place.first}"
                    f" to {place.end}  {place.state}  {place.owner}"
                )

    @group.command("rewind")
    @click.argument("topic")
    @click.option("--partition", "partitions", type=int, multiple=True, help="Only these.")
    def rewind_command(topic: str, partitions: tuple[int, ...]) -> None:
        """Let TOPIC be read again from its beginning; what was applied counts once.

        First have what was lost sent again: see "A partition is halted" in the operators' guide.
        """

        async def work(pool: Pool, settings: ServiceSettings) -> list[int]:
            async with pool.acquire() as connection, connection.transaction():
                return await offsets.rewind(
                    connection,  # type: ignore[arg-type]
                    settings,
                    topic,
                    partitions=partitions or None,
                )

        done = run_with_pool(settings_class, work)
        if not done:
            raise click.ClickException(f"nothing of {topic} is read here")
        click.echo(f"{topic}: partitions {', '.join(map(str, done))} are read from the beginning")

    return group
