"""The life of carta versions on the command line: check, draft, approve, publish, retire."""

from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any, Final, NoReturn, TypeVar

import click

from services.cartas import version_report as report
from services.cartas.domain.drafts import address_of
from services.cartas.domain.life import Acta
from services.cartas.settings import Settings
from services.cartas.store import catalogue as store
from services.cartas.use_cases import reading, versions
from services.cartas.use_cases.errors import (
    FaultsError,
    TermsError,
    UnacknowledgedError,
    VersionError,
)
from services.cartas.use_cases.versions import Target, line_of
from shared.authoring.fields import as_date
from shared.authoring.marked_yaml import MAX_BYTES
from shared.cli import run_with_pool
from shared.database import Pool
from shared.http.credentials import service_credential
from shared.messaging import Transaction, transaction
from shared.settings import load_settings

T = TypeVar("T")
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
MAX_LINE: Final = 300


def _municipality(command: Callable[..., Any]) -> Callable[..., Any]:
    words = "Clave del municipio, si hay más de uno publicado."
    return click.option("--municipality", help=words)(command)


class Day(click.ParamType[date]):
    """A day as 2026-09-16, which a file says in the same way."""

    name = "año-mes-día"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        day = as_date(value)
        if day is None:
            self.fail(f"se esperaba una fecha como 2026-09-16, no «{value[:40]}»", param, ctx)
        return day


DAY: Final = Day()


def _said(context: click.Context, option: click.Parameter, text: str | None) -> str | None:
    if text is None:
        return None
    if 1 <= len(said := text.strip()) <= MAX_LINE:
        return said
    raise click.BadParameter(f"se espera un texto de 1 a {MAX_LINE} caracteres", context, option)


def _post(command: Callable[..., Any]) -> Callable[..., Any]:
    words = "Puesto de la coordinación que da el paso."
    return click.option("--post", required=True, help=words)(command)


def _acknowledge(command: Callable[..., Any]) -> Callable[..., Any]:
    words = "Código de los avisos que ya revisó."
    return click.option("--acknowledge", default="", help=words)(command)


@click.command("check", help="Lee el borrador y dice qué corregir; no guarda nada.")
@click.argument("file", type=FILE)
def check(file: Path) -> None:
    """Read a draft of a carta and say what is wrong with it; nothing is kept."""
    content = _content(file)

    async def work(tx: Transaction) -> reading.Detail:
        address, faults = address_of(content)
        if address is None:
            raise FaultsError(faults)
        return await reading.check(tx, address.municipality, content, address.carta)

    found = _run(work, file)
    click.echo(report.changes(found))
    _say(found.faults, found.warnings, file)
    if found.faults:
        raise SystemExit(1)


@click.command("draft", help="Guarda un borrador de la siguiente versión; de nuevo, lo reemplaza.")
@click.argument("file", type=FILE)
@_post
def draft(file: Path, post: str) -> None:
    """Keep a draft of a carta's next version; again, with another wording, it replaces it."""
    content = _content(file)

    async def work(tx: Transaction) -> Target:
        return await versions.draft(tx, content, post=post)

    target = _run(work, file, writes=True)

    async def show(tx: Transaction) -> reading.Detail:
        return await reading.show_version(
            tx, target.municipality, target.carta, version=target.version
        )

    found = _run(show)
    click.echo(f"Se guardó el borrador: {target.carta}, versión {target.version}.")
    click.echo(report.changes(found))
    _say(found.faults, found.warnings, file)


@click.command("export", help="Escribe una versión como borrador, la más nueva si no se dice cuál.")
@click.argument("carta")
@click.argument("version", type=int, required=False)
@_municipality
def export(carta: str, version: int | None, municipality: str | None) -> None:
    """Print a version as a draft file, for its author to change; the newest if none is named."""

    async def work(tx: Transaction) -> str:
        town = await _town(tx, municipality)
        return await reading.draft_file(tx, town, carta, version=version)

    click.echo(_run(work), nl=False)


@click.command("diff", help="Muestra qué cambia una versión: antes y después, lado a lado.")
@click.argument("carta")
@click.argument("version", type=int)
@click.option("--against", type=int, help="Otra versión que la anterior.")
@click.option("--all", "everything", is_flag=True, help="Muestra también lo que no cambia.")
@_municipality
def diff(
    carta: str, version: int, *, against: int | None, everything: bool, municipality: str | None
) -> None:
    """Show what a version changes: old and new side by side, compromiso by compromiso."""

    async def work(tx: Transaction) -> Any:
        town = await _town(tx, municipality)
        if against is not None:
            return await reading.compare_versions(tx, town, carta, old=against, new=version)
        found = await reading.show_version(tx, town, carta, version=version)
        if found.comparison is None:
            raise VersionError(
                f"el borrador tiene errores; los muestra: cartas versions {carta} {version}"
            )
        return found.comparison

    click.echo(report.table(_run(work), everything=everything))


@click.command("approve", help="Aprueba un borrador por un acta; los avisos se reconocen primero.")
@click.argument("carta")
@click.argument("version", type=int)
@_post
@click.option("--body", required=True, callback=_said, help='Quién aprueba, como "Comité Interno".')
@click.option("--record", "--acta", required=True, callback=_said, help="Número del acta.")
@click.option("--date", "dated", required=True, type=DAY, help="Fecha del acta, como 2026-09-16.")
@click.option("--from", "first", required=True, type=DAY, help="Primer día de vigencia.")
@click.option(
    "--until", "last", type=DAY, help="Último día de vigencia; sin él, rige hasta que otra la siga."
)
@click.option(
    "--document",
    callback=_said,
    help="Dónde se lee el acta: una dirección o la clave del archivo.",
)
@_acknowledge
@_municipality
def approve(  # noqa: PLR0917 - each is an option
    carta: str,
    version: int,
    post: str,
    body: str,
    record: str,
    dated: date,
    first: date,
    last: date | None,
    document: str | None,
    acknowledge: str,
    municipality: str | None,
) -> None:
    """Approve a draft by an acta. Errors refuse it; warnings ask to be acknowledged first."""
    acta = Acta(body, record, dated, first, last, document)
    _step(
        municipality,
        (carta, version, post),
        lambda tx, target: versions.approve(tx, target, acta, acknowledged=acknowledge),
    )


@click.command("publish", help="Publica una versión aprobada; la anterior termina la víspera.")
@click.argument("carta")
@click.argument("version", type=int)
@_post
@_municipality
def publish(carta: str, version: int, post: str, municipality: str | None) -> None:
    """Publish an approved version; the one before ends on the eve of its first day."""
    _step(municipality, (carta, version, post), versions.publish)


@click.command("retire", help="Termina una versión vigente, o retira una que aún no rige.")
@click.argument("carta")
@click.argument("version", type=int)
@_post
@click.option("--last", type=DAY, help="Último día de vigencia; hoy, si no se dice.")
@click.option("--reason", required=True, callback=_said, help="Por qué; queda en el registro.")
@_acknowledge
@_municipality
def retire(
    carta: str,
    version: int,
    *,
    post: str,
    last: date | None,
    reason: str,
    acknowledge: str,
    municipality: str | None,
) -> None:
    """End a version in force, or withdraw one that never held."""
    _step(
        municipality,
        (carta, version, post),
        lambda tx, target: versions.retire(
            tx, target, last=last, reason=reason, acknowledged=acknowledge
        ),
    )


@click.command("certify", help="Anota hasta cuándo está certificada la carta (UNE 93200).")
@click.argument("carta")
@click.argument("version", type=int)
@_post
@click.option(
    "--until", type=DAY, help="Último día del certificado; sin él, queda sin certificado."
)
@click.option(
    "--document", required=True, callback=_said, help="Número o dirección del certificado."
)
@_municipality
def certify(
    carta: str,
    version: int,
    *,
    post: str,
    until: date | None,
    document: str,
    municipality: str | None,
) -> None:
    """Keep until when a carta is certified (UNE 93200); it needs no new version."""
    _step(
        municipality,
        (carta, version, post),
        lambda tx, target: versions.certify(tx, target, until=until, document=document),
    )


@click.command("versions", help="Lista las versiones y dónde están; de una, todos sus pasos.")
@click.argument("carta", required=False)
@click.argument("version", type=int, required=False)
@_municipality
def list_versions(carta: str | None, version: int | None, municipality: str | None) -> None:
    """List versions and where they stand; of one version, all its steps."""

    async def work(tx: Transaction) -> str:
        town = await _town(tx, municipality)
        if carta is None or version is None:
            return report.listed(await reading.list_versions(tx, town, carta))
        found = await reading.show_version(tx, town, carta, version=version)
        return report.one(found)

    click.echo(_run(work))


@click.command("certificates", help="Lista las cartas certificadas; primero las que vencen antes.")
@click.option("--within", type=click.IntRange(0, 3660), help="Solo los que vencen en N días.")
@_municipality
def certificates(within: int | None, municipality: str | None) -> None:
    """List certified cartas, those that expire soonest first; expired ones too."""

    async def work(tx: Transaction) -> str:
        town = await _town(tx, municipality)
        return report.certificates(await reading.certificates(tx, town, within_days=within))

    click.echo(_run(work))


@click.command("credential", help="Escribe la credencial con que se llama a la API.")
def credential() -> None:
    """Print the services' credential, with which the HTTP API is called."""
    click.echo(service_credential(load_settings(Settings).service_secret))


COMMANDS: Final = (
    *(check, draft, export, diff, approve, publish, retire),
    *(list_versions, certificates, certify, credential),
)


def _step(
    municipality: str | None,
    about: tuple[str, int, str],
    take: Callable[[Transaction, Target], Awaitable[None]],
) -> None:
    """Take a step and show where the version stands then."""
    carta, version, post = about

    async def work(tx: Transaction) -> str:
        town = await _town(tx, municipality)
        await take(tx, Target(town, carta, version, post))
        return report.line(await reading.show_version(tx, town, carta, version=version))

    click.echo(_run(work, writes=True))


def _run(
    work: Callable[[Transaction], Awaitable[T]], file: Path | None = None, *, writes: bool = False
) -> T:
    """Run `work` in one transaction; what refuses it is told in plain words, with status 1."""

    async def with_pool(pool: Pool, settings: Settings) -> T:
        async with transaction(pool, service="cartas") as tx:
            return await work(tx)

    try:
        return run_with_pool(Settings, with_pool)
    except VersionError as error:
        _refuse(error, file, writes=writes)


def _refuse(error: VersionError, file: Path | None, *, writes: bool) -> NoReturn:
    match error:
        case FaultsError():
            _say(tuple(line_of(each) for each in error.faults), (), file)
        case TermsError():
            for reason in error.reasons:
                click.echo(f"Error: {reason}.", err=True)
        case UnacknowledgedError():
            _say((), error.warnings, file)
            again = f"Si ya los revisó, repita la orden con --acknowledge {error.code}"
            click.echo(again, err=True)
        case _:
            click.echo(f"Error: {error}.", err=True)
    if writes:
        click.echo("No cambió nada.", err=True)
    raise SystemExit(1) from None


def _say(faults: tuple[str, ...], warnings: tuple[str, ...], file: Path | None) -> None:
    where = f"{file}: " if file else ""
    for each in faults:
        click.echo(f"{where}{each} [error]", err=True)
    for each in warnings:
        click.echo(f"{where}{each} [aviso]", err=True)
    if faults:
        click.echo(f"Hay {len(faults)} por corregir antes de aprobar.", err=True)


async def _town(tx: Transaction, municipality: str | None) -> str:
    town = municipality or await store.only_municipality(tx.connection)
    if town is not None:
        return town
    raise VersionError(
        "no hay ningún municipio publicado, o hay varios: diga cuál con --municipality"
    )


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)
