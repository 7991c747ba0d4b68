"""What a transaction has changed in the cases, written once: verdicts, places, alarms, moves."""

from collections.abc import Mapping
from datetime import datetime

from services.evaluator.store import cases as case_store
from services.evaluator.store import moves as move_store
from services.evaluator.store.cases import (
    STATUS_CODES,
    CaseKey,
    Place,
    StoredCase,
    Verdicts,
)
from services.evaluator.store.tallies import WindowKey
from services.evaluator.use_cases.bench import Bench
from services.evaluator.use_cases.changes import Changes
from shared.database import Connection


async def save_cases(bench: Bench) -> None:
    """Store the cases that have a new revision, with the verdicts on them."""
    connection, before = bench.tx.connection, bench.before
    stored = {
        key: StoredCase(arrival.data, arrival.traceparent, bench.verdicts[key])
        for key, arrival in bench.changes.cases.items()
    }
    if new := [each for key, each in stored.items() if key not in before]:
        await case_store.add_cases(connection, new)
    if later := [each for key, each in stored.items() if key in before]:
        await case_store.update_cases(connection, later)


async def keep_places(bench: Bench) -> None:
    """Note in which windows the cases count now, and in which they count no more."""
    connection = bench.tx.connection
    await bench.windows.open(bench.tx, bench.changes.subjects.values())
    pairs = [(key, bench.before.get(key, {}), bench.verdicts[key]) for key in bench.changes.judged]
    windows = {
        (town, each.compromiso, each.unit, each.window_id)
        for (town, _), before, after in pairs
        for each in (*before.values(), *after.values())
        if each.window_id is not None
    }
    numbers = await bench.windows.numbers(bench.tx, windows)
    entered: list[Place] = []
    left: list[Place] = []
    for key, before, after in pairs:
        now = _places(key, after, numbers)
        if before:
            was = _places(key, before, numbers)
            left += was - now
            now -= was
        entered += now
    if left:
        await case_store.leave_windows(connection, left)
    if entered:
        await case_store.enter_windows(connection, entered)


def _places(key: CaseKey, verdicts: Verdicts, numbers: Mapping[WindowKey, int]) -> set[Place]:
    town, case = key
    return {
        Place(
            numbers[town, each.compromiso, each.unit, each.window_id],
            STATUS_CODES[each.status],
            case,
            each.part,
            each.slice,
            each.alarm_at,
        )
        for each in verdicts.values()
        if each.window_id is not None
    }


async def keep_alarms(bench: Bench) -> None:
    """Note when the cases are to be looked at again."""
    alarms: list[tuple[CaseKey, bool, datetime]] = []
    over: list[CaseKey] = []
    for key in bench.changes.judged:
        was, now = _alarm(bench.before.get(key, {})), _alarm(bench.verdicts[key])
        if now is not None and now != was:
            alarms.append((key, *now))
        elif now is None and was is not None:
            over.append(key)
    if alarms:
        await case_store.set_alarms(bench.tx.connection, alarms)
    if over:
        await case_store.end_alarms(bench.tx.connection, over)


def _alarm(verdicts: Verdicts) -> tuple[bool, datetime] | None:
    """Return the first alarm of a case, and whether the case came through an import."""
    alarms = [each.alarm_at for each in verdicts.values() if each.alarm_at is not None]
    return (next(iter(verdicts.values())).historical, min(alarms)) if alarms else None


async def keep_moves(connection: Connection, changes: Changes) -> None:
    """Note what moved a closed window: its next edition says so."""
    closed = await move_store.closed_among(connection, changes.counts)
    if not closed:
        return
    found = [move for each in changes.replacements for move in each.moves()]
    moved = [move for move in found if move.window in closed]
    if moved:
        await move_store.keep(connection, moved)
