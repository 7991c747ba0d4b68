"""Which fault is provoked for which alert, in the order of the run."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.alerts import faults
from tests.alerts.copying import copied, wal_not_archived
from tests.alerts.faults import Provoke, fills
from tests.alerts.stage import Stage
from tests.support import clocks


@dataclass(frozen=True, slots=True)
class Fault:
    """`follows`: what must fire as well and be held back; `alone`: nothing else may be told.

    `brokers`: how many the system has on which it is provoked, one or two.
    """

    alert: str
    how: str
    provoke: Provoke
    severity: str | None = None
    alone: bool = False
    follows: frozenset[str] = frozenset()
    resolves: bool = True
    brokers: int = 1
    needs: Callable[[Stage], str | None] = lambda _: None


def _has_disk(stage: Stage) -> str | None:
    return None if stage.disk is not None else "no small disk could be mounted"


def _has_faketime(_: Stage) -> str | None:
    return clocks.NOT_INSTALLED if clocks.library() is None else None


def _is_november(_: Stage) -> str | None:
    return None if datetime.now(UTC).month > 10 else "it is asked for from November on"


FAULTS: Final = (
    Fault("Watchdog", "nothing: it always fires", faults.nothing, resolves=False),
    Fault("ServiceDown", "`kill -9` of the portal", faults.service_down, alone=True),
    Fault(
        "KafkaAway",
        "`kill -9` of Kafka",
        faults.kafka_away,
        alone=True,
        follows=frozenset({"OutboxAges", "PipelineBehind"}),
    ),
    Fault(
        "PostgresAway",
        "`kill -9` of PostgreSQL",
        faults.postgres_away,
        alone=True,
        follows=frozenset({"TaskLate"}),
    ),
    Fault(
        "ServiceMissing", "the address of the buzon taken from Prometheus", faults.service_missing
    ),
    Fault("DeadLetters", "a record that is no JSON", faults.dead_letters),
    Fault("EventsUnbalanced", "a count of facts changed by hand", faults.events_unbalanced),
    Fault("VerdictsUnbalanced", "a count of verdicts changed by hand", faults.verdicts_unbalanced),
    Fault("SourceSuspended", "`source suspend`", faults.source_suspended),
    Fault("DiskFills", "a small disk filled to 85 %", fills(85), "warning", needs=_has_disk),
    Fault("DiskFills", "a small disk filled to 95 %", fills(95), "critical", needs=_has_disk),
    Fault("MailStuck", "the mail server answers 451", faults.mail_stuck),
    Fault("MailboxRejects", "the mail server answers 550 for one mailbox", faults.mailbox_rejects),
    Fault("CertificateEnds", "a certificate of 30 more days noted", faults.certificate_ends),
    Fault("WindowNotPublished", "a trigger that refuses the result", faults.window_not_published),
    Fault("PortalErrors", "a table of the portal renamed, a page visited", faults.portal_errors),
    Fault("LagGrows", "a table of the evaluator locked, 3,200 events sent", faults.lag_grows),
    Fault(
        "ConsumerStands",
        "a trigger that fails every transaction as if it were a conflict",
        faults.consumer_stands,
    ),
    Fault(
        "ConsumerStopped", "the portal's topic id changed, as if made anew", faults.consumer_stopped
    ),
    Fault(
        "PartitionHalted", "a stored offset of the notifier moved forward", faults.partition_halted
    ),
    Fault("ClockWrong", "the buzon five minutes ahead", faults.clock_wrong, needs=_has_faketime),
    Fault(
        "AlertsUnaddressed",
        "a catalogue loaded in which no post has a mailbox",
        faults.alerts_unaddressed,
    ),
    Fault(
        "CalendarMissing",
        "calendars without next year",
        faults.calendar_missing,
        needs=_is_november,
    ),
    Fault(
        "SourceSilent", "a source that is to speak every minute says nothing", faults.source_silent
    ),
    Fault(
        "OutboxAges", "the relay's lock taken from cartas, a catalogue loaded", faults.outbox_ages
    ),
    Fault("TaskLate", "a table of cartas renamed", faults.task_late),
    Fault("ProcessDown", "`kill -9` of one of two processes of the portal", faults.process_down),
    Fault("RulesFail", "a rule added that is ambiguous", faults.rules_fail),
    Fault("AlertmanagerFails", "the webhook answers 500", faults.alertmanager_fails),
    Fault(
        "RecomputeDiffers",
        "a stored result changed by hand, the evaluator started anew",
        faults.recompute_differs,
    ),
    Fault("PipelineBehind", "the lock of progress taken from measurements", faults.pipeline_behind),
    Fault(
        "BackupOld",
        "a copy of 30 hours ago, none can be made",
        copied(timedelta(hours=30)),
        "warning",
    ),
    Fault(
        "BackupOld",
        "a copy of 60 hours ago, none can be made",
        copied(timedelta(hours=60)),
        "critical",
    ),
    Fault("WalNotArchived", "`archive_mode` is off", wal_not_archived),
    Fault(
        "BrokerMissing",
        "`kill -9` of one of two brokers",
        faults.broker_missing,
        "warning",
        alone=True,
        brokers=2,
    ),
    Fault(
        "BrokerMissing",
        "`kill -9` of one of two brokers, which has half of the partitions alone",
        faults.broker_missing,
        "critical",
        alone=True,
        follows=frozenset({"BrokerMissing", "OutboxAges", "PipelineBehind"}),
        brokers=2,
    ),
)
