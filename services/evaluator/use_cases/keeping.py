"""What a transaction has changed in the cases, written once: verdicts, places, alarms, moves."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.evaluator.domain.addenda import Replaced
from services.evaluator.store import cases as case_store
from services.evaluator.store import moves as move_store
from services.evaluator.store.cases import (
    STATUS_CODES,
    Alarm,
    CaseKey,
    Place,
    StoredCase,
    Verdicts,
)
from services.evaluator.store.windows import WindowKey
from services.evaluator.use_cases.bench import Bench
from shared.criteria import CaseStatus

_MET = CaseStatus.MET
_Pairs = Sequence[tuple[CaseKey, Verdicts | None, Verdicts]]
"""Cases with their verdicts before and after."""


async def save_cases(bench: Bench) -> None:
    """Store the cases that have a new revision, with the verdicts on them."""
    connection, before, verdicts = bench.tx.connection, bench.before, bench.verdicts
    new: list[StoredCase] = []
    later: list[StoredCase] = []
    for key, arrival in bench.changes.cases.items():
        stored = StoredCase(arrival.data, arrival.traceparent, verdicts[key])
        (later if key in before else new).append(stored)
    if new:
        await case_store.add_cases(connection, new)
    if later:
        await case_store.update_cases(connection, later)


async def keep_places(bench: Bench) -> None:
    """Note in which windows the cases count now and in which no more, and when to look again."""
    connection = bench.tx.connection
    await bench.open_windows()
    pairs = [(key, bench.before.get(key), bench.verdicts[key]) for key in bench.changes.judged]
    await bench.numbers_of(_windows(bench, pairs))
    numbers = bench.numbers
    entered: list[Place] = []
    left: set[Place] = set()
    for key, before, after in pairs:
        now = _places(key, after, numbers)
        if before:
            was = set(_places(key, before, numbers))
            left |= was.difference(now)
            now = [place for place in now if place not in was]
        entered += now
    alarms, over = _alarms(pairs)
    if left or alarms or over:
        await case_store.move_on(connection, left, alarms=alarms, over=over)
    if entered:
        await case_store.enter_windows(connection, entered)


def _windows(bench: Bench, pairs: _Pairs) -> set[WindowKey]:
    """Return the windows in which the cases count, or counted."""
    left = {
        (town, each.compromiso, each.unit, each.window_id)
        for (town, _), before, _ in pairs
        if before
        for each in before.values()
        if each.window_id is not None
    }
    return left.union(
        (key[0], each.compromiso, each.unit, each.window_id)
        for key, before, after in pairs
        if before
        for each in after.values()
        if each.window_id is not None
    ).union(bench.changes.subjects)


def _places(key: CaseKey, verdicts: Verdicts, numbers: Mapping[WindowKey, int]) -> list[Place]:
    town, case = key
    return [
        Place(
            numbers[town, each.compromiso, each.unit, each.window_id],
            "m" if each.status is _MET else STATUS_CODES[each.status],
            case,
            each.part,
            each.slice,
            each.alarm_at,
        )
        for each in verdicts.values()
        if each.window_id is not None
    ]


def _alarms(pairs: _Pairs) -> tuple[list[Alarm], list[CaseKey]]:
    """Return when cases are to be looked at again from now on, and which need not be any more."""
    alarms: list[Alarm] = []
    over: list[CaseKey] = []
    for key, before, after in pairs:
        was = _alarm(before) if before else None
        now = _alarm(after)
        if now is not None and now != was:
            alarms.append((key, *now))
        elif now is None and was is not None:
            over.append(key)
    return alarms, over


def _alarm(verdicts: Verdicts) -> tuple[bool, datetime] | None:
    """Return the first alarm of a case, and whether the case came through an import."""
    alarms = [each.alarm_at for each in verdicts.values() if each.alarm_at is not None]
    return (next(iter(verdicts.values())).historical, min(alarms)) if alarms else None


async def keep_moves(bench: Bench, closed: Collection[WindowKey]) -> None:
    """Note what moved windows that are closed: the next edition of each says so."""
    moved = [
        move
        for data, old, new in bench.changes.replacements
        for move in Replaced(data, old, new, bench.again).moves()
        if move.window in closed
    ]
    if moved:
        await move_store.keep(bench.tx.connection, moved)
