"""A report as one screen of text, 80 columns wide; colour only repeats what a word says."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import Final

import click

from ops.needs import Need
from ops.report import Disk, Lag, Mail, Report, Service, State

WIDTH: Final = 80
COLUMN: Final = 13
UNKNOWN: Final = "-"
MOST_NAMED: Final = 6
COLOURS: Final = {State.READY: "green", State.NOT_READY: "red", State.AWAY: "red"}
HEADINGS: Final = ("service", "state", "up", "memory", "schema", "outbox", "oldest", "refused 1h")


def screen(report: Report, needed: Sequence[Need], *, colour: bool) -> str:
    """Return the whole screen, ending in a line break."""
    lines = [
        *_head(report, needed, colour=colour),
        "",
        *_services(report.services, colour=colour),
        "",
        *_lags(report.services),
        *_figures(report),
    ]
    return "\n".join(lines) + "\n"


def _head(report: Report, needed: Sequence[Need], *, colour: bool) -> Iterator[str]:
    said = "well" if not needed else f"{len(needed)} need a hand"
    left = f"cartas compromiso  {report.at:%Y-%m-%d %H:%M:%S} UTC"
    yield left + _painted(said.rjust(WIDTH - len(left)), "red" if needed else "green", colour)
    for need in needed:
        lines = _wrapped(f"! {need.where}: {need.what}", indent="  ")
        yield from (_painted(line, "red", colour) for line in lines)


def _painted(text: str, name: str, colour: bool) -> str:
    return click.style(text, fg=name) if colour else text


def _services(services: Iterable[Service], *, colour: bool) -> Iterator[str]:
    yield _row(*HEADINGS)
    for service in services:
        line = _row(
            service.name,
            str(service.state),
            duration(service.uptime_seconds),
            size(service.memory_bytes),
            service.schema or UNKNOWN,
            number(service.outbox_rows),
            duration(service.outbox_seconds),
            _letters(service),
        )
        state = line[COLUMN : COLUMN + 10]
        yield line[:COLUMN] + _painted(state, COLOURS[service.state], colour) + line[COLUMN + 10 :]


def _row(*cells: str) -> str:
    name, state, up, memory, schema, rows, oldest, letters = cells
    return (
        f"{name:{COLUMN}}{state:10}{up:>7}{memory:>7}{schema:>7}{rows:>11}{oldest:>8}{letters:>17}"
    )


def _letters(service: Service) -> str:
    """Return refused records of the last hour, and of how many that wait for a person."""
    if service.letters_last_hour is None:
        return UNKNOWN
    return f"{number(service.letters_last_hour)} of {number(service.letters_waiting)}"


def _lags(services: Iterable[Service]) -> Iterator[str]:
    yield "records behind (applied a second)"
    for service in services:
        if service.lags:
            lost = (f"fenced {number(service.fenced)} times",) if service.fenced else ()
            told = ", ".join((*map(_lag, service.lags), *lost))
            yield from _wrapped(f"{service.name:{COLUMN}}{told}", indent=" " * COLUMN)


def _lag(lag: Lag) -> str:
    name = lag.topic.removesuffix(".v1")
    if lag.is_stopped:
        return f"{name} stopped"
    pace = f" ({number(lag.applied_per_second)}/s)" if lag.applied_per_second else ""
    return f"{name} {number(lag.records)}{pace}"


def _figures(report: Report) -> Iterator[str]:
    behind = ", ".join(f"{name} {duration(s)}" for name, s in report.behind_seconds.items())
    yield from _said("known until", f"{behind or UNKNOWN} ago")
    yield from _said(
        "balances",
        f"events - outcomes {number(report.events_difference)},"
        f" verdicts - counts {number(report.population_difference)},"
        f" {number(report.recompute_differences)} of {number(report.recomputed)}"
        " recomputed differ",
    )
    silent = _names(each.source for each in report.silent)
    suspended = _names(each.source for each in report.suspended)
    yield from _said("sources", f"silent: {silent}; suspended: {suspended}")
    yield from _said("mail", _mail(report.mail))
    yield from _said("disk", _disks(report))


def _said(name: str, text: str) -> Iterator[str]:
    yield from _wrapped(f"{name:{COLUMN}}{text}", indent=" " * COLUMN)


def _wrapped(text: str, *, indent: str) -> list[str]:
    return wrap(text, WIDTH, subsequent_indent=indent, drop_whitespace=True) or [""]


def _names(names: Iterable[str]) -> str:
    listed = sorted(names)
    more = f" and {len(listed) - MOST_NAMED} more" if len(listed) > MOST_NAMED else ""
    return ", ".join(listed[:MOST_NAMED]) + more or "none"


def _mail(mail: Mail) -> str:
    return (
        f"{number(mail.waiting)} wait, {number(mail.undelivered)} stuck"
        f" (oldest {duration(mail.oldest_seconds)}),"
        f" {number(mail.without_addressee)} unaddressed, {number(mail.rejecting)} boxes refuse"
    )


def _disks(report: Report) -> str:
    databases = [each.database_bytes for each in report.services if each.database_bytes is not None]
    held = f"databases {size(sum(databases)) if databases else UNKNOWN}"
    return f"{held}; free: {', '.join(map(_disk, report.disks)) or UNKNOWN}"


def _disk(disk: Disk) -> str:
    return f"{disk.name} {size(disk.free_bytes)} of {size(disk.total_bytes)}"


def number(value: int | None) -> str:
    """Return 1234567 as 1,234,567; what is not known as a dash."""
    return UNKNOWN if value is None else f"{value:,}"


def size(value: int | None) -> str:
    """Return bytes in the largest unit of which there is at least one, as 1.4 GB."""
    if value is None:
        return UNKNOWN
    for unit, bytes_each in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6)):
        if value >= bytes_each:
            tenths = value * 10 // bytes_each
            return (
                f"{tenths // 10}.{tenths % 10} {unit}" if tenths < 100 else f"{tenths // 10} {unit}"
            )
    return f"{value // 1000} kB"


def duration(seconds: int | None) -> str:
    """Return seconds in the two largest units, as 2h05 or 41s."""
    if seconds is None:
        return UNKNOWN
    minutes, rest = divmod(seconds, 60)
    hours, minutes_left = divmod(minutes, 60)
    if minutes == 0:
        return f"{rest}s"
    if hours == 0:
        return f"{minutes}m{rest:02}"
    days, hours_left = divmod(hours, 24)
    return f"{days}d{hours_left:02}" if days else f"{hours}h{minutes_left:02}"
