"""Commands of an operator: sources and their tokens, imports of files, the balance."""

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

import click
import msgspec
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from services.measurements.domain.checks import Source, SourceState
from services.measurements.domain.mapping_file import MAX_MAPPING_BYTES, MappingError, MappingFile
from services.measurements.domain.registration import Declaration, Registration
from services.measurements.settings import Settings
from services.measurements.store import activity
from services.measurements.store import imports as import_store
from services.measurements.store import sources as store
from services.measurements.store.progress import last_outbox_id, outbox_waits
from services.measurements.use_cases.importing import FileImport, Report, load, look
from services.measurements.use_cases.republish import republish
from shared.cli import run_with_pool
from shared.clock import utc_now
from shared.contracts import hot
from shared.database import Connection, Pool

MAPPINGS: Final = Path(__file__).parent / "mappings"
DEFAULT_GRACE_SECONDS: Final = 300
REPORTS: Final = (
    "Kinds of events it reports on, comma separated: ticket.issued, a family as ticket.*,"
    " or * for all. What nobody reports on is not evaluated."
)
EVERY_MINUTES: Final = "It speaks, by an event or a heartbeat, in every so many opening minutes."
POLL_SECONDS: Final = 0.5
TOKEN_BYTES: Final = 32
Declared = TypeVar("Declared", bound=Declaration)


def _with_connection(work: Callable[[Connection], Awaitable[None]]) -> None:
    async def run(pool: Pool, settings: Settings) -> None:
        async with pool.acquire() as con, con.transaction():
            await work(con)  # type: ignore[arg-type]

    try:
        run_with_pool(Settings, run)
    except store.DuplicateSourceError as error:
        raise click.ClickException(f"the source {error} is registered already") from None
    except store.UnknownSourceError as error:
        raise click.ClickException(f"no source {error}, or it is so already") from None


def _checked(model: type[Declared], **fields: object) -> Declared:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        faults = [
            f"--{str((*fault['loc'], 'every_minutes')[0]).replace('_', '-')}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        ]
        raise click.ClickException("\n".join(faults)) from None


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]


@click.group("source")
def source_group() -> None:
    """Register emitters, give them tokens, suspend or revoke them."""


@source_group.command("add")
@click.option("--municipality", required=True, help="Key of the municipality.")
@click.option("--source", "uri", required=True, help="CloudEvents source: a URI of the emitter.")
@click.option("--services", required=True, help="Codes it reports on, comma separated; * for all.")
@click.option("--reports", required=True, help=REPORTS)
@click.option("--attributes", default="", help="Attributes of a case that it may send.")
@click.option("--every-minutes", type=int, help=EVERY_MINUTES)
@click.option("--calendar", help="Calendar whose opening hours these minutes are of.")
@click.option("--historical", is_flag=True, help="Only files of the past come from it.")
@click.option(
    "--grace-seconds",
    default=DEFAULT_GRACE_SECONDS,
    show_default=True,
    help="Silence for so long means that nothing older will come.",
)
def add_command(
    municipality: str,
    uri: str,
    *,
    services: str,
    reports: str,
    attributes: str,
    every_minutes: int | None,
    calendar: str | None,
    historical: bool,
    grace_seconds: int,
) -> None:
    """Register a source and print its token, once."""
    new = _checked(
        Registration,
        uri=uri,
        municipality=municipality,
        historical=historical,
        services=_codes(services),
        reports=_codes(reports),
        every_minutes=every_minutes,
        calendar=calendar,
        attributes=_codes(attributes),
        grace_seconds=grace_seconds,
    )
    token = secrets.token_urlsafe(TOKEN_BYTES)

    async def work(con: Connection) -> None:
        await store.add_token(con, await store.add_source(con, new), token)

    _with_connection(work)
    click.echo(token)


@source_group.command("declare")
@click.argument("uri")
@click.option("--reports", required=True, help=REPORTS)
@click.option("--every-minutes", type=int, help=EVERY_MINUTES)
@click.option("--calendar", help="Calendar whose opening hours these minutes are of.")
def declare_command(
    uri: str, *, reports: str, every_minutes: int | None, calendar: str | None
) -> None:
    """Replace what a source reports on and how often it is expected to speak."""
    new = _checked(
        Declaration, reports=_codes(reports), every_minutes=every_minutes, calendar=calendar
    )

    async def work(con: Connection) -> None:
        await store.declare(con, uri, new)

    _with_connection(work)
    click.echo(f"{uri}: {_declared(new.reports, every_minutes, calendar)}")


def _declared(reports: Iterable[str], every_minutes: int | None, calendar: str | None) -> str:
    told = ",".join(sorted(reports))
    if every_minutes is None:
        return told
    return f"{told}  every {every_minutes} opening minutes of {calendar}"


@source_group.command("token")
@click.argument("uri")
@click.option("--replace", is_flag=True, help="Revoke the tokens it has.")
def token_command(uri: str, *, replace: bool) -> None:
    """Give a registered source another token and print it, once."""
    token = secrets.token_urlsafe(TOKEN_BYTES)

    async def work(con: Connection) -> None:
        source = (await store.sources_by_uri(con, [uri])).get(uri)
        if source is None or source.state is SourceState.REVOKED:
            raise store.UnknownSourceError(uri)
        if replace:
            await store.revoke_tokens(con, source.source_id)
        await store.add_token(con, source.source_id, token)

    _with_connection(work)
    click.echo(token)


@source_group.command("list")
def list_command() -> None:
    """Show every source, one a line."""

    async def work(con: Connection) -> None:
        for source in await store.all_sources(con):
            _, since, reason = await store.state_of(con, source.source_id)
            click.echo(_line(source) + f"  since {since:%Y-%m-%d %H:%M}  {reason}".rstrip())

    _with_connection(work)


def _line(source: Source) -> str:
    kind = "historical" if source.historical else "live"
    services = ",".join(sorted(source.services))
    expects = source.expects
    every, calendar = (expects.every_minutes, expects.calendar) if expects else (None, None)
    declared = _declared(source.reports, every, calendar)
    return (
        f"{source.municipality}  {source.uri}  {kind}  {services}  {declared}  {source.state.value}"
    )


def _state_command(name: str, state: SourceState, about: str) -> None:
    @source_group.command(name, help=about)
    @click.argument("uri")
    @click.option("--reason", default="by an operator", show_default=True)
    def command(uri: str, reason: str) -> None:
        async def work(con: Connection) -> None:
            await store.set_state(con, uri, state=state, reason=reason)

        _with_connection(work)
        click.echo(f"{uri}: {state.value}")


_state_command("suspend", SourceState.SUSPENDED, "Refuse a source's events until it is resumed.")
_state_command("resume", SourceState.ACTIVE, "Take a suspended source's events again.")
_state_command("revoke", SourceState.REVOKED, "End a source and its tokens, for good.")


@click.command("balance")
def balance_command() -> None:
    """Check that events = facts + repeats + corrections + refused, and that the facts are there."""

    async def work(con: Connection) -> None:
        for line in await activity.balances(con):
            click.echo(
                f"{line.source}  events {line.events} = facts {line.facts} + repeats {line.repeats}"
                f" + corrections {line.corrections} + refused {line.refused}"
            )
        wrong = await activity.disagreements(con)
        for day in wrong:
            click.echo(
                f"DIFFERENCE {day.source} {day.day}: events {day.events}, outcomes {day.outcomes};"
                f" counted {day.counted}, stored {day.stored}",
                err=True,
            )
        if wrong:
            sys.exit(1)

    _with_connection(work)


@click.command("import")
@click.argument(
    "path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--mapping", required=True, help="A mapping's path, or the name of a shipped one.")
@click.option("--municipality", help="Instead of the mapping's.")
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
@click.option("--wait", is_flag=True, help="Return when all its events are accounted for.")
def import_command(
    path: Path, mapping: str, *, municipality: str | None, dry_run: bool, wait: bool
) -> None:
    """Import a CSV file, also gzipped. Safe to run again, and after having been killed."""
    try:
        file = read_mapping(mapping)
        job = FileImport(path, file, _municipality(municipality, file), utc_now())
        report = run_with_pool(Settings, lambda pool, _: _run(pool, job, dry_run=dry_run))
        _print(report, path, dry_run=dry_run)
        if wait and report.import_id is not None:
            import_id = report.import_id
            run_with_pool(Settings, lambda pool, _: _complete(pool, import_id))
            click.echo("all events are accounted for")
    except MappingError as error:
        raise click.ClickException(str(error)) from None


def _municipality(given: str | None, file: MappingFile) -> str:
    try:
        return msgspec.convert(given or file.mapping.municipality, hot.Code)
    except msgspec.ValidationError:
        raise MappingError(f"--municipality: {given!r} is not a municipality's key") from None


def read_mapping(named: str) -> MappingFile:
    """Read a mapping's file, or a shipped one by its name. Raises MappingError."""
    path = Path(named)
    if not path.is_file():
        path = MAPPINGS / f"{named.removesuffix('.yaml')}.yaml"
    try:
        with path.open("rb") as file:
            content = file.read(MAX_MAPPING_BYTES + 1)
    except OSError:
        shipped = ", ".join(sorted(item.stem for item in MAPPINGS.glob("*.yaml")))
        raise MappingError(f"no mapping {named}; shipped ones: {shipped}") from None
    return MappingFile.from_bytes(path.name, content)


async def _run(pool: Pool, job: FileImport, *, dry_run: bool) -> Report:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    # Twice over the file: once to look at it, once to load it.
    total = job.path.stat().st_size * (1 if dry_run else 2)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(job.path.name, total=total)
        done = _Position(lambda position: progress.update(task, completed=position))
        return await (look if dry_run else load)(pool, job, moved=done)


class _Position:
    """Adds up the positions of runs over a file, each of which begins again."""

    def __init__(self, show: Callable[[int], None]) -> None:
        self._show = show
        self._before = 0
        self._last = 0

    def __call__(self, position: int) -> None:
        if position < self._last:
            self._before += self._last
        self._last = position
        self._show(self._before + position)


async def _complete(pool: Pool, import_id: str) -> None:
    while True:
        async with pool.acquire() as con:
            if await import_store.is_complete(con, import_id):  # type: ignore[arg-type]
                return
        await asyncio.sleep(POLL_SECONDS)


def _print(report: Report, path: Path, *, dry_run: bool) -> None:
    click.echo(
        f"{path.name}: {report.rows} rows: {report.new} new, {report.changed} changed,"
        f" {report.unchanged} unchanged, {report.repeated} repeated,"
        f" {report.skipped.total()} skipped, {report.refused} refused; {report.removed} removed"
    )
    for name, number in sorted(report.skipped.items()):
        click.echo(f"  skipped {name}: {number}")
    for line, refusal in report.refusals:
        where = f"{path.name}:{line}" + (f", column {refusal.field}" if refusal.field else "")
        click.echo(f"  refused {where}: {refusal.reason.value} {refusal.detail}".rstrip(), err=True)
    if report.refused > len(report.refusals):
        click.echo(f"  and {report.refused - len(report.refusals)} more refused", err=True)
    verb = "would publish" if dry_run else "published"
    if not dry_run and report.import_id is None:
        click.echo("nothing to publish: it is all there")
    else:
        as_of = f", as of {report.as_of.isoformat()}" if report.as_of else ""
        click.echo(f"{verb} {report.events} events{as_of}")


@click.command("republish")
def republish_command() -> None:
    """Publish every case again as it stands, after messages of measurements.v1 were lost.

    Returns when Kafka has them all: then `evaluator offsets rewind measurements.v1`.
    """

    async def work(pool: Pool, settings: Settings) -> int:
        messages = await republish(pool, settings.service)
        async with pool.acquire() as con:
            last = await last_outbox_id(con)  # type: ignore[arg-type]
            while await outbox_waits(con, last):  # type: ignore[arg-type]
                await asyncio.sleep(POLL_SECONDS)
        return messages

    click.echo(f"{run_with_pool(Settings, work)} cases published again")
