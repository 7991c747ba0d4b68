"""The daily digest of late cases and risks, for municipalities that wish it."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import time, timedelta
from typing import Final

from services.notifier.domain.schedule import digest_day, local_instant
from services.notifier.letters import DigestLine, MailKind
from services.notifier.spanish import outlook_words
from services.notifier.store import catalogue, notices
from services.notifier.store.mails import Alert
from services.notifier.store.notices import Noted
from services.notifier.use_cases.alerts import Office, raise_alert
from services.notifier.use_cases.catalogue import Reading
from shared.contracts.breaches import BreachKind
from shared.contracts.cartas import Compromiso, MunicipalityData
from shared.contracts.ids import derived_id, own_trace
from shared.messaging import Transaction

REACHES_BACK: Final = timedelta(days=7)
"""A digest that is switched on late does not tell of months."""
KEEP_NOTICES: Final = timedelta(days=400)


async def send_digest(tx: Transaction, office: Office, municipality: MunicipalityData) -> int:
    """Write the day's digest if its hour has come and it is not written; return the letters."""
    calendar = await Reading(tx.connection).calendar(municipality)
    if not municipality.digest or calendar is None:
        return 0
    day = digest_day(tx.now, municipality.quiet_hours, calendar)
    code = municipality.municipality
    if day is None or not await notices.begin_digest(tx.connection, code, day):
        return 0
    digest = f"{code}/{day.isoformat()}"
    noted = await notices.take_undigested(
        tx.connection, code, digest=digest, since=tx.now - REACHES_BACK
    )
    for unit in sorted({each.responsible_unit for each in noted}):
        identity = derived_id(
            f"{digest}/{unit}", "alert.digest", local_instant(day, time(), calendar)
        )
        alert = Alert(
            alert=identity,
            municipality=code,
            action=None,
            kind=MailKind.DIGEST,
            responsible_unit=unit,
            from_rank=1,
            preferred_post=None,
            facts=json.dumps({"lines": await _lines(tx, code, unit, noted)}),
            caused_at=None,
            created_at=tx.now,
            traceparent=own_trace(identity),
        )
        await raise_alert(tx, office, alert)
    return len({each.responsible_unit for each in noted})


async def _lines(
    tx: Transaction, municipality: str, unit: str, noted: Sequence[Noted]
) -> list[dict[str, object]]:
    own = [each for each in noted if each.responsible_unit == unit]
    late = Counter(each.compromiso for each in own if each.kind == BreachKind.LATE_CASE)
    risks = {each.compromiso: each for each in own if each.kind == BreachKind.AT_RISK}
    found = {each.compromiso: each for each in own}
    promises = {name: await _promise(tx, municipality, each) for name, each in found.items()}
    return [
        asdict(
            DigestLine(
                compromiso=compromiso,
                text="" if promise is None else promise.text,
                late=late[compromiso],
                at_risk=compromiso in risks,
                outlook=_outlook(risks.get(compromiso), promise),
            )
        )
        for compromiso, promise in sorted(promises.items())
    ]


async def _promise(tx: Transaction, municipality: str, noted: Noted) -> Compromiso | None:
    carta = await catalogue.carta(tx.connection, municipality, noted.carta, noted.carta_version)
    promises = () if carta is None else carta.compromisos
    return next((each for each in promises if each.id == noted.compromiso), None)


def _outlook(risk: Noted | None, promise: Compromiso | None) -> str:
    if risk is None or risk.parts is None:
        return ""
    return " ".join(outlook_words(risk.parts, promise))
