"""Publish all cases again as they stand: for whoever lost what `measurements.v1` held."""

from services.measurements.domain.cases import MAX_EVENTS
from services.measurements.store.again import LastFact, last_facts, untell_heard
from services.measurements.store.facts import CaseKey, facts_of
from services.measurements.use_cases.telling import Cause, told
from shared.contracts import hot, topics
from shared.database import Pool
from shared.messaging import Transaction, transaction

CASES_AT_A_TIME = 500
BEFORE_ALL: CaseKey = ("", "")


async def republish(pool: Pool, service: str) -> int:
    """Publish every case at its last revision; return how many messages.

    Who has that revision drops it. What comes in meanwhile is published with a higher one.
    """
    after: CaseKey | None = BEFORE_ALL
    messages = 0
    while after is not None:
        async with transaction(pool, service=service) as tx:
            lasts = await last_facts(tx.connection, after=after, limit=CASES_AT_A_TIME)
            await _publish(tx, lasts)
        messages += len(lasts)
        after = lasts[-1].case if lasts else None
    async with transaction(pool, service=service) as tx:
        await untell_heard(tx.connection)
    return messages


async def _publish(tx: Transaction, lasts: list[LastFact]) -> None:
    facts = await facts_of(tx.connection, {last.case for last in lasts})
    for last in lasts:
        found = facts[last.case]
        [fact] = [each for each in found if each.identity == (last.source, last.event_id)]
        message = told(
            Cause(fact, last.received_at, last.import_id),
            last.case,
            found,
            revision=min(last.revision, MAX_EVENTS),
        )
        tx.publish_raw(topics.MEASUREMENTS, "/".join(last.case), hot.encode(message))
