"""The term of a case, counted day by day as it was judged."""

import json
from datetime import datetime
from typing import Any

from services.evaluator.domain.catalogue import Promise
from services.evaluator.domain.judging import as_case
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import evidence
from shared.clock import utc_now
from shared.contracts import hot
from shared.criteria import term_of
from shared.database import Pool
from shared.worktime import CalendarExhaustedError, Rule, count_days
from shared.worktime.words import listing


async def counts_of_case(
    pool: Pool, municipality: str, compromiso: str, case: str
) -> list[dict[str, Any]] | None:
    """Return a count for each part with a term that has begun; None where there is no verdict."""
    rows = await evidence.explanation(pool, municipality, compromiso, case)
    if not rows:
        return None
    async with pool.acquire() as plain:
        catalogue = await catalogue_store.only(plain, municipality)  # type: ignore[arg-type]
    data = hot.decode_case(json.dumps(json.loads(rows[0]["facts"])).encode())
    found: list[dict[str, Any]] = []
    for row in rows:
        promise = catalogue.promise(municipality, compromiso, row["carta_version"])
        if promise is not None and row["part"] < len(promise.measures):
            found += _count(data, promise, row, now=utc_now())
    return found


def _count(
    data: hot.CaseData, promise: Promise, row: dict[str, Any], *, now: datetime
) -> list[dict[str, Any]]:
    """Count on the calendar version of the verdict; a clock without one runs always."""
    number: int = row["part"]
    measure, history = promise.measures[number], promise.histories[number]
    calendar = promise.cutoff
    if history is not None:
        calendar = history.version(row["calendar_version"] or 0) or history.latest
    term = term_of(measure, as_case(data), promise.zone, calendar)
    if term is None:
        return []
    rule = Rule(term.limit, term.unit, term.start_rule, term.below)
    until = term.stop if term.stop is not None or row["due_at"] is not None else now
    try:
        count = count_days(term.start, rule, calendar, term.pauses, until=until)
    except CalendarExhaustedError:
        return []
    return [
        {
            "part": number,
            "unit": row["unit"],
            "status": row["status"],
            "stopped_at": None if term.stop is None else term.stop.isoformat(),
            **listing(count, calendar),
        }
    ]
