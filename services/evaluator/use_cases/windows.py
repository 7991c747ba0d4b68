"""Every promise has a result in every window, also where nothing happened in it."""

from collections.abc import Iterable
from datetime import datetime

from services.evaluator.domain.catalogue import Promise, Town
from services.evaluator.domain.openings import next_window_at, windows_until
from services.evaluator.store import catalogue as catalogue_store
from services.evaluator.store import windows as window_store
from services.evaluator.store.windows import NewWindow, WindowKey
from services.evaluator.use_cases.knowledge import Knowledge
from shared.contracts.cartas import Scope
from shared.criteria import moves_with_time
from shared.database import Pool
from shared.messaging import Transaction, transaction


async def open_windows(
    pool: Pool, knowledge: Knowledge, now: datetime, *, past_windows: int
) -> None:
    """Make the windows since each version came into force that do not exist yet.

    One municipality a transaction, and only where a window has begun or a promise has changed.
    """
    while await _open_next(pool, knowledge, now, past_windows=past_windows):
        pass
    async with transaction(pool, service="evaluator") as tx:
        if moving := await catalogue_store.moving(tx.connection):
            await window_store.stale_by_time(tx.connection, moving, now)


async def _open_next(pool: Pool, knowledge: Knowledge, now: datetime, *, past_windows: int) -> bool:
    """Open the windows of one municipality; return whether there was one to look at."""
    async with transaction(pool, service="evaluator") as tx:
        # Before the row of the municipality: a changing catalogue takes both in this order.
        await catalogue_store.hold_version(tx.connection)
        municipality = await catalogue_store.next_to_open(tx.connection, now)
        if municipality is None:
            return False
        catalogue = await knowledge.catalogue(tx.connection, (municipality,))
        await _open(tx, catalogue.towns[municipality], now, past_windows=past_windows)
    return True


async def _open(tx: Transaction, town: Town, now: datetime, *, past_windows: int) -> None:
    windows = _windows(town, now, most=past_windows)
    if windows:
        await window_store.open_windows(tx.connection, windows, now)
    await catalogue_store.opened(
        tx.connection,
        town.municipality,
        next_at=_next_at(_promises(town), now),
        moving=_moving(town),
    )


def _promises(town: Town) -> list[Promise]:
    return [promise for versions in town.by_compromiso.values() for promise in versions]


def _next_at(promises: Iterable[Promise], now: datetime) -> datetime | None:
    instants = (next_window_at(promise, now) for promise in promises)
    return min((instant for instant in instants if instant is not None), default=None)


def _moving(town: Town) -> list[str]:
    return [
        compromiso
        for compromiso, promises in town.by_compromiso.items()
        if any(moves_with_time(promise.compromiso.criterion) for promise in promises)
    ]


def _windows(town: Town, now: datetime, *, most: int) -> list[NewWindow]:
    """One that is judged unit by unit has a result where a unit has a case, and only there."""
    windows: dict[WindowKey, NewWindow] = {}
    for promise in _promises(town):
        if promise.compromiso.scope is Scope.UNIT and promise.parts:
            continue
        for bounds in windows_until(promise, now, most=most):
            key = (town.municipality, promise.id, promise.carta.unit, bounds.id)
            windows[key] = NewWindow(
                key=key,
                carta=promise.carta.carta,
                carta_version=promise.carta.version,
                starts_at=bounds.start,
                ends_at=bounds.end,
                closes_at=promise.closes_at(bounds),
            )
    return list(windows.values())
