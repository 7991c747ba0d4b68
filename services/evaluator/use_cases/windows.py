"""Every promise has a result in every window, also where nothing happened in it."""

from datetime import datetime

from services.evaluator.domain.catalogue import Catalogue, windows_until
from services.evaluator.store import windows as window_store
from services.evaluator.store.windows import NewWindow, WindowKey
from services.evaluator.use_cases.knowledge import Knowledge
from shared.contracts.cartas import Scope
from shared.criteria import moves_with_time
from shared.database import Pool
from shared.messaging import transaction


async def open_windows(
    pool: Pool, knowledge: Knowledge, now: datetime, *, past_windows: int
) -> None:
    """Make the windows since each version came into force that do not exist yet."""
    async with transaction(pool, service="evaluator") as tx:
        catalogue = await knowledge.catalogue(tx.connection)
        windows = _windows(catalogue, now, most=past_windows)
        if windows:
            await window_store.open_windows(tx.connection, windows, now)
        moving = [
            key
            for key, promises in catalogue.by_compromiso.items()
            if any(moves_with_time(promise.compromiso.criterion) for promise in promises)
        ]
        if moving:
            await window_store.stale_by_time(tx.connection, moving, now)


def _windows(catalogue: Catalogue, now: datetime, *, most: int) -> list[NewWindow]:
    """One that is judged unit by unit has a result where a unit has a case, and only there."""
    windows: dict[WindowKey, NewWindow] = {}
    for (municipality, compromiso), promises in catalogue.by_compromiso.items():
        for promise in promises:
            if promise.compromiso.scope is Scope.UNIT and promise.parts:
                continue
            for bounds in windows_until(promise, now, most=most):
                key = (municipality, compromiso, promise.carta.unit, bounds.id)
                windows[key] = NewWindow(
                    key=key,
                    carta=promise.carta.carta,
                    carta_version=promise.carta.version,
                    starts_at=bounds.start,
                    ends_at=bounds.end,
                    closes_at=promise.closes_at(bounds),
                )
    return list(windows.values())
