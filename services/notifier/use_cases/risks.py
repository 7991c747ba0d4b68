"""Tell the unit of a promise at risk: in the daily digest where there is one, else by a letter."""

import json
from collections.abc import Sequence

from services.notifier.letters import MailKind
from services.notifier.store.mails import Alert
from services.notifier.use_cases.alerts import Office, raise_alert
from services.notifier.use_cases.catalogue import Reading
from shared.contracts.breaches import BreachEvent
from shared.contracts.ids import derived_id
from shared.messaging import Transaction


async def tell_risks(tx: Transaction, office: Office, events: Sequence[BreachEvent]) -> None:
    """Write one letter for each compromiso, unit and window, however often it is said."""
    known = Reading(tx.connection)
    for event in events:
        town = await known.municipality(event.data.municipality)
        if town is None or not town.digest:
            await raise_alert(tx, office, _alert(tx, event))


def _alert(tx: Transaction, event: BreachEvent) -> Alert:
    breach = event.data
    return Alert(
        alert=derived_id(breach.breach, f"alert.{MailKind.AT_RISK}", breach.window.start),
        municipality=breach.municipality,
        action=None,
        kind=MailKind.AT_RISK,
        responsible_unit=breach.responsible_unit,
        from_rank=1,
        preferred_post=None,
        facts=json.dumps({"breach": breach.model_dump(mode="json")}),
        caused_at=None,
        created_at=tx.now,
        traceparent=event.traceparent,
    )
