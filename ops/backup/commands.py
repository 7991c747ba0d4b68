"""`ops backup take | list | serve | restore | rehearse`."""

import sys
from datetime import datetime
from pathlib import Path

import click

from ops.backup.copies import BackupError, Copies, begun_at, size_of
from ops.backup.rehearsing import rehearse
from ops.backup.restoring import restore
from ops.backup.running import serve
from ops.backup.settings import BackupSettings
from ops.settings import SettingsError
from shared.clock import utc_now
from shared.logs import configure_logging

MEGABYTE = 2**20


class _Group(click.Group):
    """Says what could not be done in one line, and ends with 1."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except (BackupError, SettingsError, OSError) as error:
            click.echo(str(error), err=True)
            sys.exit(1)


@click.group("backup", cls=_Group)
def backup() -> None:
    """Copies of PostgreSQL, and the way back."""


def _copies() -> tuple[Copies, BackupSettings]:
    settings = BackupSettings.load()
    return Copies(settings.dir, settings.programs), settings


@backup.command("take")
def take_command() -> None:
    """Copy the server once, prove the copy, drop the oldest. For cron, timers, CronJobs."""
    copies, settings = _copies()
    copies.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    copy = copies.take(settings.url)
    copies.forget(settings.kept)
    click.echo(f"copied to {copy} ({size_of(copy) // MEGABYTE} MB), proved")


@backup.command("list")
def list_command() -> None:
    """Show the copies, oldest first."""
    copies, _ = _copies()
    for copy in copies.all:
        click.echo(
            f"{begun_at(copy):%Y-%m-%d %H:%M:%S} UTC  {size_of(copy) // MEGABYTE} MB  {copy}"
        )
    if not copies.all:
        raise BackupError(f"no copy in {copies.folder}")


@backup.command("verify")
def verify_command() -> None:
    """Compare every file of every copy with what it was when it was made."""
    copies, _ = _copies()
    for copy in copies.all:
        copies.verify(copy)
        click.echo(f"{copy.name} is whole")


@backup.command("serve")
def serve_command() -> None:
    """Copy every night at CARTAS_BACKUP_AT, and tell Prometheus (/metrics) of it."""
    _, settings = _copies()
    configure_logging("backup", log_format="json", level="INFO")
    serve(settings)


@backup.command("restore")
@click.option(
    "--to",
    "data",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="PostgreSQL's data folder; what is there is moved aside.",
)
@click.option("--until", type=datetime.fromisoformat, help="As 2026-11-23T09:30-06:00.")
@click.option(
    "--wal", "wal", type=click.Path(path_type=Path), help="The archive as the server sees it."
)
@click.option(
    "--stopped", is_flag=True, help="No server runs there, though a killed one left its mark."
)
def restore_command(data: Path, until: datetime | None, wal: Path | None, *, stopped: bool) -> None:
    """Put the newest copy where the stopped server has its data; started, it replays the WAL."""
    if until is not None and until.tzinfo is None:
        raise click.BadParameter("say the zone, as in 2026-11-23T09:30-06:00", param_hint="--until")
    if until is not None and until > utc_now():
        raise click.BadParameter("that is still to come", param_hint="--until")
    copies, _ = _copies()
    restored = restore(copies, data, until=until, wal_as_seen=wal, is_stopped=stopped)
    click.echo(f"put {restored.copy.name} into {restored.data}")
    if restored.before:
        click.echo(f"what was there is in {restored.before}: delete it when you are sure")
    click.echo("start PostgreSQL on it: it replays the WAL and then takes writes")
    if until is not None:
        click.echo(
            "where nothing was committed after that it does not start: restore without --until"
        )


@backup.command("rehearse")
@click.option("--below", type=click.Path(path_type=Path, exists=True), help="Where there is room.")
def rehearse_command(below: Path | None) -> None:
    """Restore into a folder of its own, start a server on it, ask it, take it away; with times.

    Needs PostgreSQL's server programs, and another user than root.
    """
    copies, settings = _copies()
    done = rehearse(copies, settings.url, below)
    click.echo(
        f"{done.copy.name}: {done.databases} databases, {done.bytes // MEGABYTE} MB,"
        f" the last commit of {done.last_commit or 'before the copy'};"
        f" unpacked in {done.unpacked_seconds:.1f} s, replayed and answering after"
        f" {done.replayed_seconds:.1f} s more"
    )
