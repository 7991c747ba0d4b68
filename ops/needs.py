"""What needs a hand: each limit with its reason. Figures that are merely worth seeing do not."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ops.report import Lag, Report, Service, State

# A lag is a matter of seconds, not of records: what is applied in so many is being caught up.
LAG_SECONDS: Final = 10
LAG_RECORDS: Final = 1000
# The relay gives a batch 30 s to be acknowledged and then begins anew: twice that is no hiccup.
OUTBOX_SECONDS: Final = 60
# It is told every 30 s how far the facts have come; four times nothing is no pause.
BEHIND_SECONDS: Final = 120
# Mail servers greylist for five minutes; what waits longer waits for something else.
MAIL_SECONDS: Final = 600
# Terms are counted in minutes; a clock that is so far off was not set.
CLOCK_MS: Final = 2000
# Kafka and PostgreSQL stop when it is full, and a purge takes days to tell.
FREE_PERCENT: Final = 10


@dataclass(frozen=True, slots=True)
class Need:
    """What is wrong where, with the command that shows more, if there is one."""

    where: str
    what: str


def needs(report: Report) -> tuple[Need, ...]:
    """Return everything of a report that a person must see to, services first."""
    of_services = [need for service in report.services for need in _of_service(service)]
    return (*of_services, *_of_figures(report), *_of_sources(report), *_of_mail_and_disks(report))


def _of_service(service: Service) -> Iterator[Need]:
    if service.state is not State.READY:
        yield Need(service.name, f"{service.state}: {'; '.join(service.reasons)}")
    for place in service.halted:
        yield Need(service.name, f"{place} is halted: its next offset is not in Kafka")
    for lag in service.lags:
        if lag.is_stopped:
            yield Need(service.name, f"the consumer of {lag.topic} gave up: see the log")
        elif _grows(lag):
            yield Need(service.name, f"{lag.topic} is {lag.records} records behind, not falling")
    if (service.outbox_seconds or 0) >= OUTBOX_SECONDS:
        rows, seconds = service.outbox_rows, service.outbox_seconds
        yield Need(service.name, f"{rows} messages wait for Kafka, the oldest {seconds} s")
    if service.letters_last_hour:
        shown = f"`{service.name} dlt list`"
        yield Need(service.name, f"{service.letters_last_hour} refused in the last hour: {shown}")
    if abs(service.clock_ahead_ms or 0) >= CLOCK_MS:
        yield Need(service.name, f"its clock is {service.clock_ahead_ms} ms off PostgreSQL's")


def _grows(lag: Lag) -> bool:
    """Return whether a lag is more than is applied in ten seconds, and does not become less."""
    if lag.records is None or lag.grown is None or lag.grown < 0:
        return False
    return lag.records >= max(LAG_RECORDS, LAG_SECONDS * (lag.applied_per_second or 0))


def _of_figures(report: Report) -> Iterator[Need]:
    if report.events_difference:
        what = f"events and outcomes differ by {report.events_difference}: `measurements balance`"
        yield Need("measurements", what)
    if report.population_difference:
        what = f"verdicts and counts differ by {report.population_difference}: `ops verify`"
        yield Need("evaluator", what)
    if report.recompute_differences:
        what = f"{report.recompute_differences} results differ when recomputed: see the log"
        yield Need("evaluator", what)
    for pipeline, seconds in report.behind_seconds.items():
        if seconds >= BEHIND_SECONDS:
            yield Need("evaluator", f"knows {pipeline} only until {seconds} s ago")


def _of_sources(report: Report) -> Iterator[Need]:
    for source in report.suspended:
        what = f"{source.source} is suspended: `measurements source resume`"
        yield Need(source.municipality, what)
    for silence in report.silent:
        yield Need(silence.municipality, f"{silence.source} is silent for {silence.seconds} s")


def _of_mail_and_disks(report: Report) -> Iterator[Need]:
    mail = report.mail
    if (mail.oldest_seconds or 0) >= MAIL_SECONDS:
        yield Need(
            "notifier", f"{mail.undelivered} mails do not leave, the oldest {mail.oldest_seconds} s"
        )
    if mail.without_addressee:
        yield Need("notifier", f"{mail.without_addressee} alerts have no addressee")
    if mail.rejecting:
        yield Need("notifier", f"{mail.rejecting} mailboxes refuse mail: correct their posts")
    for disk in report.disks:
        if disk.free_bytes * 100 < disk.total_bytes * FREE_PERCENT:
            yield Need(disk.name, f"less than {FREE_PERCENT} % of the disk is free")
