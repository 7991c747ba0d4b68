"""Tell the coordination of a contest that waits, and the unit of what was decided."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from services.notifier.domain.ladder import COORDINATION_RANK
from services.notifier.letters import MailKind
from services.notifier.store.mails import Alert
from services.notifier.use_cases.alerts import Office, raise_alert
from shared.contracts.ids import derived_id, own_trace
from shared.messaging import Transaction

KINDS: Final = {
    "file": MailKind.CONTEST_FILED,
    "accept": MailKind.CONTEST_ACCEPTED,
    "reject": MailKind.CONTEST_REJECTED,
    "take_back": MailKind.CONTEST_TAKEN_BACK,
}
"""By the step that is told."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A step on a contest, taken at `at` (aware). `post` is the one that filed it."""

    municipality: str
    unit: str
    post: str
    step: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What the letter says of the contest; `cutoff` is RFC 3339."""

    contest: int
    case: str
    promise: str
    window: str
    reason: str
    cutoff: str


async def tell(tx: Transaction, office: Office, notice: Notice, told: Told) -> None:
    """Write the letter of a step, once; told again it does nothing."""
    kind = KINDS[notice.step]
    cause = f"{notice.municipality}/contest/{told.contest}"
    identity = derived_id(cause, f"alert.{kind}", notice.at)
    to_coordination = kind is MailKind.CONTEST_FILED
    alert = Alert(
        alert=identity,
        municipality=notice.municipality,
        action=None,
        kind=kind,
        responsible_unit=notice.unit,
        from_rank=COORDINATION_RANK if to_coordination else 1,
        preferred_post=None if to_coordination else notice.post,
        facts=json.dumps({"contest": asdict(told)}),
        caused_at=None,
        created_at=tx.now,
        traceparent=tx.traceparent or own_trace(identity),
    )
    await raise_alert(tx, office, alert)
