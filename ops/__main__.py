"""Commands of an operator: `ops status | verify | doctor | backup | retention`."""

import asyncio
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Final

import click

from ops.backup.commands import backup
from ops.doctor.examination import examine
from ops.doctor.findings import exit_code, lines
from ops.looking import Look, look
from ops.needs import Need, needs
from ops.report import Disk, Report, State, report
from ops.retaining import ask
from ops.retaining import lines as retention_lines
from ops.screen import screen
from ops.settings import Settings, SettingsError
from ops.verifying import Finding, Outcome, verify
from shared.clock import utc_now

WELL, NEEDS_A_HAND, CANNOT_LOOK = 0, 1, 2
BETWEEN_LOOKS_SECONDS: Final = 1.0
CLEAR: Final = "\033[H\033[2J"


@click.group(help="Is it well (status), do its figures agree (verify), is it set up well (doctor)?")
def main() -> None:
    """Commands of an operator."""


@main.command("status")
@click.option("--json", "as_json", is_flag=True, help="For machines; the exit code is the same.")
@click.option("--watch", is_flag=True, help="Look again every second, until interrupted.")
def status_command(*, as_json: bool, watch: bool) -> None:
    """Show the system on one screen.

    Exit code: 0 well, 1 something needs a hand, 2 cannot look (no addresses, or nobody answers).
    """
    settings = _settings()
    tell = _as_json if as_json else _as_screen
    before = asyncio.run(look(settings))
    code = WELL
    try:
        while True:
            time.sleep(BETWEEN_LOOKS_SECONDS)
            now = asyncio.run(look(settings))
            code = _show(now, before, settings, tell=tell, redraw=watch and not as_json)
            if not watch:
                break
            before = now
    except KeyboardInterrupt:
        pass
    sys.exit(code)


def _settings() -> Settings:
    try:
        return Settings.load()
    except SettingsError as error:
        click.echo(f"ops does not know where to look:\n{error}", err=True)
        sys.exit(CANNOT_LOOK)


def _show(
    now: Look,
    before: Look,
    settings: Settings,
    *,
    tell: Callable[[Report, tuple[Need, ...], int], None],
    redraw: bool,
) -> int:
    found = report(now, before, _disks(settings))
    needed = needs(found)
    code = _code(found, needed)
    if redraw and sys.stdout.isatty():
        click.echo(CLEAR, nl=False)
    tell(found, needed, code)
    return code


def _code(found: Report, needed: tuple[Need, ...]) -> int:
    if all(service.state is State.AWAY for service in found.services):
        return CANNOT_LOOK
    return NEEDS_A_HAND if needed else WELL


def _disks(settings: Settings) -> tuple[Disk, ...]:
    """PostgreSQL does not tell how much room it has; its folder on this machine does."""
    folder = settings.postgres_dir
    if folder is None or not folder.is_dir():
        return ()
    usage = shutil.disk_usage(folder)
    return (Disk("postgresql", usage.total, usage.free),)


def _as_screen(found: Report, needed: tuple[Need, ...], code: int) -> None:
    is_terminal = sys.stdout.isatty()
    is_coloured = is_terminal and "NO_COLOR" not in os.environ
    click.echo(screen(found, needed, colour=is_coloured), nl=False, color=is_coloured)


def _as_json(found: Report, needed: tuple[Need, ...], code: int) -> None:
    told = {"code": code, "needs": [asdict(need) for need in needed], **asdict(found)}
    click.echo(json.dumps(told, default=datetime.isoformat))


@main.command("verify")
@click.option(
    "--sample",
    type=click.IntRange(1, 200),
    default=5,
    show_default=True,
    help="So many results are made again from the stored facts.",
)
@click.option("--seed", help="Draws the same results again; another each time by default.")
@click.option("--json", "as_json", is_flag=True, help="For machines; the exit code is the same.")
def verify_command(*, sample: int, seed: str | None, as_json: bool) -> None:
    """Compare both balances, and a sample of results with the facts they were made of.

    Exit code: 0 all agree, 1 something differs, 2 a check could not be made.
    """
    try:
        drawn = seed or utc_now().isoformat(timespec="seconds")
        found = asyncio.run(verify(_settings(), sample=sample, seed=drawn))
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(CANNOT_LOOK)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found]))
    else:
        for finding in found:
            click.echo(f"{finding.outcome:8} {finding.what}: {finding.told}")
    sys.exit(_verdict(found))


def _verdict(found: list[Finding]) -> int:
    outcomes = {finding.outcome for finding in found}
    if Outcome.DIFFERS in outcomes:
        return NEEDS_A_HAND
    return CANNOT_LOOK if Outcome.UNKNOWN in outcomes else WELL


@main.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For machines; the exit code is the same.")
def doctor_command(*, as_json: bool) -> None:
    """Examine the installation from here: one line a check, and what to mend.

    Exit code: 0 all well, 1 something is to be mended, 2 something could not be looked at.
    """
    found = asyncio.run(examine())
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found]))
    else:
        click.echo("\n".join(lines(found)))
    sys.exit(exit_code(found))


@main.command("retention")
@click.option("--json", "as_json", is_flag=True, help="For machines; the exit code is the same.")
def retention_command(*, as_json: bool) -> None:
    """Show how long each service keeps what and why, what is due, and what was purged.

    Nothing is deleted: the services do that every hour. Exit code: 0, or 2 where one is away.
    """
    try:
        answers = asyncio.run(ask(_settings()))
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(CANNOT_LOOK)
    if as_json:
        told = {a.service: a.kept.model_dump(mode="json") if a.kept else None for a in answers}
        click.echo(json.dumps(told))
    else:
        click.echo("\n".join(retention_lines(answers)))
    sys.exit(WELL if all(answer.kept for answer in answers) else CANNOT_LOOK)


main.add_command(backup)


if __name__ == "__main__":
    main()
