"""A calendar that was decreed or corrected later moves the dates of folios that wait."""

from dataclasses import replace

from services.buzon.domain.cases import Folio
from services.buzon.store import folios, progress, redatings, reference
from services.buzon.store.redatings import Redating
from services.buzon.use_cases.recording import record, with_answer_by
from shared.contracts.complaints import ComplaintChange
from shared.messaging import Transaction


async def redate(tx: Transaction, folio_id: str) -> bool:
    """Count a folio's date by its calendar as it is now; return whether it moved.

    The folio then says so, with the date before and after. What is answered keeps its date.
    """
    connection = tx.connection
    stamped = await progress.stamp(connection, tx.now)
    before = await folios.lock(connection, folio_id)
    if before is None or before.answered_at is not None or before.duplicate_of is not None:
        return False
    municipality = await reference.municipality(connection, before.municipality)
    if municipality is None:
        return False
    after = await with_answer_by(connection, before, municipality.zone)
    if after.answer_by == before.answer_by:
        await folios.update(connection, after)
        return False
    done = await folios.steps(connection, folio_id)
    at = max(stamped, done[-1].at)
    moved = replace(after, revision=before.revision + 1)
    await folios.update(connection, moved)
    await record(tx, moved, ComplaintChange.REDATED, post=None, at=at, request=None)
    await redatings.keep(
        connection,
        (moved.folio, moved.revision),
        Redating(before.answer_by, moved.answer_by),
        calendar=moved.term.calendar or "",
        versions=_versions(before, moved),
        at=at,
    )
    return True


def _versions(before: Folio, after: Folio) -> tuple[int | None, int]:
    assert after.calendar_version is not None  # a date that moved was counted by a calendar
    return before.calendar_version, after.calendar_version
